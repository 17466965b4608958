// Sequences seen as a run of elements, for append, concat and their kin.
#pragma once

#include <algorithm>
#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/core/bool_vector.hpp"
#include "neovm/core/list_walk.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

// Calls f(element) for each element; `f` returns Maybe<bool> and must not run Lisp. Strings give characters,
// bool-vectors nil and t. Anything that is no list, vector, string, bool-vector or byte-code is (sequencep V).
template <class F>
Maybe<bool> each_element(Context& cx, Value v, F f) {
  if (v.is_list()) {
    core::CycleFinder cycle(v);
    Value tail = v;
    while (tail.is_cons()) {
      TRY(f(car_raw(tail)));
      tail = cdr_raw(tail);
      if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, v);
      if (cycle.at_poll()) TRY(check_quit(cx));
    }
    if (!tail.is_nil()) return wrong_type(cx, Qlistp, tail);
    return true;
  }
  if (v.is_string()) {
    const bool multibyte = string_multibyte(v);
    for (std::int64_t i = 0, n = string_bytes(v); i < n;) {
      const std::uint8_t* p = string_data_raw(v) + i;
      const text::Decoded d = multibyte ? text::decode_char(p) : text::Decoded{*p, 1};
      TRY(f(Value::fixnum(d.c)));
      i += d.bytes;
    }
    return true;
  }
  if (is_vector(v) || is_byte_code(v)) {
    for (std::int64_t i = 0; i < slot_count_raw(v); ++i) TRY(f(slot_raw(v, i)));
    return true;
  }
  if (is_bool_vector(v)) {
    for (std::int64_t i = 0, n = core::bool_length_raw(v); i < n; ++i) TRY(f(boolean(core::bool_get_raw(v, i))));
    return true;
  }
  return wrong_type(cx, Qsequencep, v);
}

// Number of elements of anything `length` accepts.
Maybe<std::int64_t> sequence_length(Context& cx, Value v);

// FROM and TO of `substring` and its like, resolved: nil is the end, negative counts from the end. Signals
// (args-out-of-range ARRAY FROM TO).
struct Range {
  std::int64_t from;
  std::int64_t to;
};
Maybe<Range> subarray_range(Context& cx, Value array, Value from, Value to, std::int64_t size);

// Substring by character positions, with text properties unless `properties` is false.
Value substring_of(Context& cx, Value s, std::int64_t from, std::int64_t to, bool properties);

// String that collects characters; unibyte until one needs more.
class StringBuilder {
 public:
  void add_char(int c) {
    std::uint8_t p[text::kMaxBytesPerChar];
    const int n = text::encode_char(c, p);
    bytes_.append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n));
    ++chars_;
  }
  void add_valid(std::string_view bytes, std::int64_t chars) {
    bytes_.append(bytes);
    chars_ += chars;
  }
  Value finish(Context& cx) const { return make_multibyte_string(cx, bytes_, chars_); }
  [[nodiscard]] std::int64_t chars() const { return chars_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::int64_t chars_ = 0;
};

// The name of a symbol, or the string itself; signals (wrong-type-argument stringp V).
inline Value string_designator(Context& cx, Value v) {
  if (v.is_symbol()) return symbol_name(cx, v);
  if (!v.is_string()) return wrong_type(cx, Qstringp, v);
  return v;
}

}  // namespace neovm::elisp
