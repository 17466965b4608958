// Bool-vectors: word 0 is the length in bits, then the bits, least significant first. Unused bits are zero.
#pragma once

#include "neovm/abi/alloc.hpp"

namespace neovm::core {

inline std::uint64_t* bool_words_raw(Value v) { return reinterpret_cast<std::uint64_t*>(raw_bytes_raw(v)->bytes) + 1; }
inline std::int64_t bool_length_raw(Value v) { return reinterpret_cast<std::int64_t*>(raw_bytes_raw(v)->bytes)[0]; }
inline std::int64_t bool_word_count_raw(Value v) { return (bool_length_raw(v) + 63) / 64; }
inline bool bool_get_raw(Value v, std::int64_t i) { return ((bool_words_raw(v)[i >> 6] >> (i & 63)) & 1) != 0; }
inline void bool_set_raw(Value v, std::int64_t i, bool on) {
  std::uint64_t& word = bool_words_raw(v)[i >> 6];
  const std::uint64_t bit = std::uint64_t{1} << (i & 63);
  word = on ? word | bit : word & ~bit;
}
inline void bool_fill_raw(Value v, bool on) {
  const std::int64_t n = bool_length_raw(v);
  for (std::int64_t w = 0, words = bool_word_count_raw(v); w < words; ++w)
    bool_words_raw(v)[w] = on ? ~std::uint64_t{0} : 0;
  if (on && (n & 63) != 0) bool_words_raw(v)[n >> 6] = (std::uint64_t{1} << (n & 63)) - 1;
}
// All false. May fail with memory-full.
inline Value make_bool_vector(Context& cx, std::int64_t n) {
  const std::int64_t words = (n >> 6) + ((n & 63) != 0 ? 1 : 0);
  const Value v = make_raw(cx, ObjectKind::kBoolVector, 8 + words * 8);
  if (!v.is_exit()) reinterpret_cast<std::int64_t*>(raw_bytes_raw(v)->bytes)[0] = n;
  return v;
}

}  // namespace neovm::core
