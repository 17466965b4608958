// Arithmetic of Emacs Lisp, for the primitives and for the executors of byte-code.
//
// The fixnum cases are inline; everything else (overflow into bignums, floats, markers, errors) goes out of line.
// None of these re-enters Lisp; they may allocate.
#pragma once

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

enum class ArithOp : std::uint8_t { kAdd, kSub, kMul, kDiv, kLogand, kLogior, kLogxor };
enum class CompareOp : std::uint8_t { kEqual, kNotEqual, kLess, kGreater, kLessOrEqual, kGreaterOrEqual };

// The number itself or a marker's position; signals number-or-marker-p. kExit on failure.
Value coerce_number(Context& cx, Value v);
// As above, with integer-or-marker-p.
Value coerce_integer(Context& cx, Value v);

// (+ A B) and so on, any types.
Value arith_slow(Context& cx, ArithOp op, Value a, Value b);
Value compare_slow(Context& cx, CompareOp op, Value a, Value b);
Value negate_slow(Context& cx, Value a);                      // (- A)
Value remainder_integers(Context& cx, Value a, Value b);      // (% A B)
Value modulo_numbers(Context& cx, Value a, Value b);          // (mod A B)
Value extremum(Context& cx, Value a, Value b, bool maximum);  // (max A B), (min A B)

inline bool both_fixnums(Value a, Value b) { return ((a.bits() | b.bits()) & 3) == 0; }

inline Value arith_add(Context& cx, Value a, Value b) {
  std::int64_t r;
  if (both_fixnums(a, b) &&
      !__builtin_add_overflow(static_cast<std::int64_t>(a.bits()), static_cast<std::int64_t>(b.bits()), &r)) [[likely]]
    return Value::from_bits(static_cast<std::uint64_t>(r));
  return arith_slow(cx, ArithOp::kAdd, a, b);
}
inline Value arith_sub(Context& cx, Value a, Value b) {
  std::int64_t r;
  if (both_fixnums(a, b) &&
      !__builtin_sub_overflow(static_cast<std::int64_t>(a.bits()), static_cast<std::int64_t>(b.bits()), &r)) [[likely]]
    return Value::from_bits(static_cast<std::uint64_t>(r));
  return arith_slow(cx, ArithOp::kSub, a, b);
}
inline Value arith_mul(Context& cx, Value a, Value b) {
  std::int64_t r;
  if (both_fixnums(a, b) && !__builtin_mul_overflow(a.as_fixnum(), static_cast<std::int64_t>(b.bits()), &r)) [[likely]]
    return Value::from_bits(static_cast<std::uint64_t>(r));
  return arith_slow(cx, ArithOp::kMul, a, b);
}
inline Value arith_div(Context& cx, Value a, Value b) { return arith_slow(cx, ArithOp::kDiv, a, b); }
inline Value arith_add1(Context& cx, Value a) { return arith_add(cx, a, Value::fixnum(1)); }
inline Value arith_sub1(Context& cx, Value a) { return arith_sub(cx, a, Value::fixnum(1)); }

inline Value compare_less(Context& cx, Value a, Value b) {
  if (both_fixnums(a, b)) [[likely]]
    return boolean(static_cast<std::int64_t>(a.bits()) < static_cast<std::int64_t>(b.bits()));
  return compare_slow(cx, CompareOp::kLess, a, b);
}
inline Value compare_greater(Context& cx, Value a, Value b) {
  if (both_fixnums(a, b)) [[likely]]
    return boolean(static_cast<std::int64_t>(a.bits()) > static_cast<std::int64_t>(b.bits()));
  return compare_slow(cx, CompareOp::kGreater, a, b);
}
inline Value compare_less_or_equal(Context& cx, Value a, Value b) {
  if (both_fixnums(a, b)) [[likely]]
    return boolean(static_cast<std::int64_t>(a.bits()) <= static_cast<std::int64_t>(b.bits()));
  return compare_slow(cx, CompareOp::kLessOrEqual, a, b);
}
inline Value compare_greater_or_equal(Context& cx, Value a, Value b) {
  if (both_fixnums(a, b)) [[likely]]
    return boolean(static_cast<std::int64_t>(a.bits()) >= static_cast<std::int64_t>(b.bits()));
  return compare_slow(cx, CompareOp::kGreaterOrEqual, a, b);
}
inline Value compare_equal(Context& cx, Value a, Value b) {
  if (both_fixnums(a, b)) [[likely]]
    return boolean(a == b);
  return compare_slow(cx, CompareOp::kEqual, a, b);
}

}  // namespace neovm::elisp
