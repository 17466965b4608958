// Set operations on bool-vectors (data.c of GNU). Lengths must agree; unused bits of the last word stay zero.
#include "neovm/core/bool_vector.hpp"

#include "rows.hpp"

namespace neovm::elisp {
namespace {

using core::bool_length_raw;
using core::bool_word_count_raw;
using core::bool_words_raw;

Maybe<bool> check_bool_vector(Context& cx, Value v) { return check_type(cx, is_bool_vector(v), Qbool_vector_p, v); }

// Stores f(a, b) in DEST (a new vector when it is nil). Returns the vector, or nil when a given one was
// already equal to the result.
template <class F>
Value combine(Context& cx, Value a, Value b, Value dest, F f) {
  TRY(check_bool_vector(cx, a));
  TRY(check_bool_vector(cx, b));
  const std::int64_t n = bool_length_raw(a);
  const auto length = [](Value v) { return Value::fixnum(bool_length_raw(v)); };
  if (dest.is_nil()) {
    if (bool_length_raw(b) != n) return signal_error2(cx, Qwrong_length_argument, length(a), length(b));
    dest = TRY(core::make_bool_vector(cx, n));
    for (std::int64_t w = 0; w < bool_word_count_raw(a); ++w)
      bool_words_raw(dest)[w] = f(bool_words_raw(a)[w], bool_words_raw(b)[w]);
    return dest;
  }
  TRY(check_bool_vector(cx, dest));
  if (bool_length_raw(b) != n || bool_length_raw(dest) != n)
    return signal_error3(cx, Qwrong_length_argument, length(a), length(b), length(dest));
  bool changed = false;
  for (std::int64_t w = 0; w < bool_word_count_raw(a); ++w) {
    const std::uint64_t word = f(bool_words_raw(a)[w], bool_words_raw(b)[w]);
    changed = changed || word != bool_words_raw(dest)[w];
    bool_words_raw(dest)[w] = word;
  }
  return changed ? dest : kNil;
}

}  // namespace

DATA_WRITES(bool_vector_union, "bool-vector-union", 2, 3, "Return the union of A and B, or store it in C.")
(Context& cx, Value a, Value b, Value c) {
  return combine(cx, a, b, c, [](std::uint64_t x, std::uint64_t y) { return x | y; });
}
DATA_WRITES(bool_vector_intersection, "bool-vector-intersection", 2, 3,
            "Return the intersection of A and B, or store it in C.")
(Context& cx, Value a, Value b, Value c) {
  return combine(cx, a, b, c, [](std::uint64_t x, std::uint64_t y) { return x & y; });
}
DATA_WRITES(bool_vector_exclusive_or, "bool-vector-exclusive-or", 2, 3,
            "Return the symmetric difference of A and B, or store it in C.")
(Context& cx, Value a, Value b, Value c) {
  return combine(cx, a, b, c, [](std::uint64_t x, std::uint64_t y) { return x ^ y; });
}
DATA_WRITES(bool_vector_set_difference, "bool-vector-set-difference", 2, 3,
            "Return A without the members of B, or store it in C.")
(Context& cx, Value a, Value b, Value c) {
  return combine(cx, a, b, c, [](std::uint64_t x, std::uint64_t y) { return x & ~y; });
}
DATA_WRITES(bool_vector_not, "bool-vector-not", 1, 2, "Return the complement of A, or store it in B and return B.")
(Context& cx, Value a, Value b) {
  TRY(check_bool_vector(cx, a));
  const std::int64_t n = bool_length_raw(a);
  if (b.is_nil()) {
    b = TRY(core::make_bool_vector(cx, n));
  } else {
    TRY(check_bool_vector(cx, b));
    if (bool_length_raw(b) != n)
      return signal_error2(cx, Qwrong_length_argument, Value::fixnum(n), Value::fixnum(bool_length_raw(b)));
  }
  for (std::int64_t w = 0; w < bool_word_count_raw(a); ++w) bool_words_raw(b)[w] = ~bool_words_raw(a)[w];
  if ((n & 63) != 0) bool_words_raw(b)[n >> 6] &= (std::uint64_t{1} << (n & 63)) - 1;
  return b;
}
DATA_LOOKS(bool_vector_subsetp, "bool-vector-subsetp", 2, 2, "Return t if every member of A is a member of B.")
(Context& cx, Value a, Value b) {
  TRY(check_bool_vector(cx, a));
  TRY(check_bool_vector(cx, b));
  const Value n = Value::fixnum(bool_length_raw(b));
  if (bool_length_raw(a) != bool_length_raw(b))
    return signal_error3(cx, Qwrong_length_argument, Value::fixnum(bool_length_raw(a)), n, n);
  for (std::int64_t w = 0; w < bool_word_count_raw(a); ++w)
    if ((bool_words_raw(a)[w] & ~bool_words_raw(b)[w]) != 0) return kNil;
  return Qt;
}
DATA_LOOKS(bool_vector_count_population, "bool-vector-count-population", 1, 1, "Return how many elements of A are t.")
(Context& cx, Value a) {
  TRY(check_bool_vector(cx, a));
  std::int64_t n = 0;
  for (std::int64_t w = 0; w < bool_word_count_raw(a); ++w) n += __builtin_popcountll(bool_words_raw(a)[w]);
  return Value::fixnum(n);
}
DATA_LOOKS(bool_vector_count_consecutive, "bool-vector-count-consecutive", 3, 3,
           "Return how many elements equal to B follow each other in A from index I.")
(Context& cx, Value a, Value b, Value i) {
  TRY(check_bool_vector(cx, a));
  if (!i.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, i);
  const std::int64_t n = bool_length_raw(a);
  const std::int64_t from = i.as_fixnum();
  if (from > n) return args_out_of_range(cx, a, i);
  std::int64_t at = from;
  while (at < n && core::bool_get_raw(a, at) == b.truthy()) ++at;
  return Value::fixnum(at - from);
}

}  // namespace neovm::elisp
