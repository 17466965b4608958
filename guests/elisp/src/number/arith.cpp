// + - * / and the comparisons over fixnums, bignums, floats and markers (data.c of GNU).
#include "neovm/elisp/arith.hpp"

#include <cmath>

#include "neovm/core/bignum.hpp"

namespace neovm::elisp {

using core::Integer;
using core::integer_from_mpz;
using core::integer_to_double;
using core::IntegerView;

namespace {

Value marker_position(Context& cx, Value v, Value predicate) {
  const HostHooks& hooks = host_hooks(cx);
  if (hooks.is_marker != nullptr && hooks.is_marker(v)) return hooks.marker_position(cx, v);
  return wrong_type(cx, predicate, v);
}

double as_double(Value v) { return v.is_float() ? float_raw(v) : integer_to_double(v); }

double float_operation(ArithOp op, double a, double b) {
  switch (op) {
    case ArithOp::kAdd: return a + b;
    case ArithOp::kSub: return a - b;
    case ArithOp::kMul: return a * b;
    default: return a / b;
  }
}

Value fixnum_operation(Context& cx, ArithOp op, std::int64_t a, std::int64_t b, bool* done) {
  *done = true;
  std::int64_t r = 0;
  switch (op) {
    case ArithOp::kAdd: return make_integer(cx, a + b);  // 62-bit operands cannot overflow 64
    case ArithOp::kSub: return make_integer(cx, a - b);
    case ArithOp::kMul:
      if (!__builtin_mul_overflow(a, b, &r)) return make_integer(cx, r);
      break;
    case ArithOp::kDiv:
      if (b == 0) return signal_error0(cx, Qarith_error);
      return make_integer(cx, a / b);
    case ArithOp::kLogand: return Value::fixnum(a & b);
    case ArithOp::kLogior: return Value::fixnum(a | b);
    case ArithOp::kLogxor: return Value::fixnum(a ^ b);
  }
  *done = false;
  return kNil;
}

Value bignum_operation(Context& cx, ArithOp op, Value a, Value b) {
  const IntegerView x(a);
  const IntegerView y(b);
  Integer r;
  switch (op) {
    case ArithOp::kAdd: mpz_add(r.get(), x.get(), y.get()); break;
    case ArithOp::kSub: mpz_sub(r.get(), x.get(), y.get()); break;
    case ArithOp::kMul:
      TRY(core::check_integer_width(cx, mpz_sizeinbase(x.get(), 2) + mpz_sizeinbase(y.get(), 2) - 1));
      mpz_mul(r.get(), x.get(), y.get());
      break;
    case ArithOp::kDiv:
      if (mpz_sgn(y.get()) == 0) return signal_error0(cx, Qarith_error);
      mpz_tdiv_q(r.get(), x.get(), y.get());
      break;
    case ArithOp::kLogand: mpz_and(r.get(), x.get(), y.get()); break;
    case ArithOp::kLogior: mpz_ior(r.get(), x.get(), y.get()); break;
    case ArithOp::kLogxor: mpz_xor(r.get(), x.get(), y.get()); break;
  }
  return integer_from_mpz(cx, r.get());
}

bool is_bitwise(ArithOp op) { return op >= ArithOp::kLogand; }

}  // namespace

Value coerce_number(Context& cx, Value v) {
  if (is_number(v)) return v;
  return marker_position(cx, v, Qnumber_or_marker_p);
}

Value coerce_integer(Context& cx, Value v) {
  if (is_integer(v)) return v;
  return marker_position(cx, v, Qinteger_or_marker_p);
}

Value arith_slow(Context& cx, ArithOp op, Value a, Value b) {
  if (is_bitwise(op)) {
    a = TRY(coerce_integer(cx, a));
    b = TRY(coerce_integer(cx, b));
  } else {
    a = TRY(coerce_number(cx, a));
    b = TRY(coerce_number(cx, b));
  }
  if (a.is_float() || b.is_float()) return make_float(cx, float_operation(op, as_double(a), as_double(b)));
  if (both_fixnums(a, b)) {
    bool done;
    const Value r = fixnum_operation(cx, op, a.as_fixnum(), b.as_fixnum(), &done);
    if (done) return r;
  }
  return bignum_operation(cx, op, a, b);
}

Value negate_slow(Context& cx, Value a) {
  a = TRY(coerce_number(cx, a));
  if (a.is_float()) return make_float(cx, -float_raw(a));
  return arith_slow(cx, ArithOp::kSub, Value::fixnum(0), a);
}

Value compare_slow(Context& cx, CompareOp op, Value a, Value b) {
  a = TRY(coerce_number(cx, a));
  b = TRY(coerce_number(cx, b));
  const int c = compare_numbers_raw(a, b);
  switch (op) {
    case CompareOp::kEqual: return boolean(c == 0);
    case CompareOp::kNotEqual: return boolean(c != 0);
    case CompareOp::kLess: return boolean(c == -1);
    case CompareOp::kGreater: return boolean(c == 1);
    case CompareOp::kLessOrEqual: return boolean(c == -1 || c == 0);
    case CompareOp::kGreaterOrEqual: return boolean(c == 1 || c == 0);
  }
  return kNil;
}

Value remainder_integers(Context& cx, Value a, Value b) {
  a = TRY(coerce_integer(cx, a));
  b = TRY(coerce_integer(cx, b));
  if (b == Value::fixnum(0)) return signal_error0(cx, Qarith_error);
  if (both_fixnums(a, b)) return Value::fixnum(a.as_fixnum() % b.as_fixnum());
  const IntegerView x(a);
  const IntegerView y(b);
  Integer r;
  mpz_tdiv_r(r.get(), x.get(), y.get());
  return integer_from_mpz(cx, r.get());
}

// The result has the sign of the divisor.
Value modulo_numbers(Context& cx, Value a, Value b) {
  a = TRY(coerce_number(cx, a));
  b = TRY(coerce_number(cx, b));
  if (a.is_float() || b.is_float()) {
    const double divisor = as_double(b);
    double r = std::fmod(as_double(a), divisor);
    if (divisor < 0 ? r > 0 : r < 0) r += divisor;
    return make_float(cx, r);
  }
  if (b == Value::fixnum(0)) return signal_error0(cx, Qarith_error);
  if (both_fixnums(a, b)) {
    std::int64_t r = a.as_fixnum() % b.as_fixnum();
    if (b.as_fixnum() < 0 ? r > 0 : r < 0) r += b.as_fixnum();
    return Value::fixnum(r);
  }
  const IntegerView x(a);
  const IntegerView y(b);
  Integer r;
  mpz_fdiv_r(r.get(), x.get(), y.get());
  return integer_from_mpz(cx, r.get());
}

// The first argument wins ties; a NaN wins over everything and stays.
Value extremum(Context& cx, Value a, Value b, bool maximum) {
  a = TRY(coerce_number(cx, a));
  b = TRY(coerce_number(cx, b));
  if (both_fixnums(a, b)) return (b.as_fixnum() > a.as_fixnum()) == maximum && a != b ? b : a;
  if (a.is_float() && std::isnan(float_raw(a))) return a;
  const int c = compare_numbers_raw(b, a);
  if (c == 2 || c == (maximum ? 1 : -1)) return b;
  return a;
}

namespace {

Value fold(Context& cx, ArithOp op, Arguments args) {
  Value r = TRY(is_bitwise(op) ? coerce_integer(cx, args[0]) : coerce_number(cx, args[0]));
  for (std::size_t i = 1; i < args.size(); ++i) r = TRY(arith_slow(cx, op, r, args[i]));
  return r;
}

Value compare_all(Context& cx, CompareOp op, Arguments args) {
  for (std::size_t i = 1; i < args.size(); ++i)
    if (!TRY(compare_slow(cx, op, args[i - 1], args[i])).truthy()) return kNil;
  return Qt;
}

}  // namespace

NEOVM_PRIMITIVE(add, "+", 0, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the sum of the numbers or markers given; 0 for none.")
(Context& cx, Arguments args) {
  if (args.empty()) return Value::fixnum(0);
  if (args.size() == 2) return arith_add(cx, args[0], args[1]);
  return fold(cx, ArithOp::kAdd, args);
}

NEOVM_PRIMITIVE(sub, "-", 0, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Subtract all further arguments from the first; a single argument is negated.")
(Context& cx, Arguments args) {
  if (args.empty()) return Value::fixnum(0);
  if (args.size() == 1) return negate_slow(cx, args[0]);
  if (args.size() == 2) return arith_sub(cx, args[0], args[1]);
  return fold(cx, ArithOp::kSub, args);
}

NEOVM_PRIMITIVE(mul, "*", 0, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the product of the numbers or markers given; 1 for none.")
(Context& cx, Arguments args) {
  if (args.empty()) return Value::fixnum(1);
  return fold(cx, ArithOp::kMul, args);
}

NEOVM_PRIMITIVE(div, "/", 1, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Divide the first argument by the others; a single argument is inverted. Integers truncate "
                "unless one of the arguments is a float.")
(Context& cx, Arguments args) {
  if (args.size() == 1) return arith_slow(cx, ArithOp::kDiv, Value::fixnum(1), args[0]);
  // One float anywhere makes the whole division one of floats.
  for (std::size_t i = 2; i < args.size(); ++i) {
    if (!args[i].is_float()) continue;
    double r = as_double(TRY(coerce_number(cx, args[0])));
    for (std::size_t k = 1; k < args.size(); ++k) r /= as_double(TRY(coerce_number(cx, args[k])));
    return make_float(cx, r);
  }
  return fold(cx, ArithOp::kDiv, args);
}

NEOVM_PRIMITIVE(rem, "%", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the remainder of the truncating division of integer X by integer Y.")
(Context& cx, Value x, Value y) { return remainder_integers(cx, x, y); }

NEOVM_PRIMITIVE(mod, "mod", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return X modulo Y; the result has the sign of Y. Floats are allowed.")
(Context& cx, Value x, Value y) { return modulo_numbers(cx, x, y); }

namespace {

// What comes after an argument that is no number (NaN) is not looked at, except that the first argument is nothing special.
Value extremum_of_rest(Context& cx, Value r, Arguments args, bool maximum) {
  for (std::size_t i = 1; i < args.size(); ++i) {
    r = TRY(extremum(cx, r, args[i], maximum));
    if (args[i].is_float() && std::isnan(float_raw(args[i]))) break;
  }
  return r;
}

}  // namespace

NEOVM_PRIMITIVE(max, "max", 1, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the largest of the numbers or markers given.")
(Context& cx, Arguments args) {
  const Value r = TRY(coerce_number(cx, args[0]));
  return extremum_of_rest(cx, r, args, true);
}

NEOVM_PRIMITIVE(min, "min", 1, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the smallest of the numbers or markers given.")
(Context& cx, Arguments args) {
  const Value r = TRY(coerce_number(cx, args[0]));
  return extremum_of_rest(cx, r, args, false);
}

NEOVM_PRIMITIVE(add1, "1+", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic, "Return NUMBER plus one.")
(Context& cx, Value number) { return arith_add1(cx, number); }

NEOVM_PRIMITIVE(sub1, "1-", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return NUMBER minus one.")
(Context& cx, Value number) { return arith_sub1(cx, number); }

NEOVM_PRIMITIVE(eqlsign, "=", 1, kMany, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when all arguments are numerically equal.")
(Context& cx, Arguments args) { return compare_all(cx, CompareOp::kEqual, args); }

NEOVM_PRIMITIVE(lss, "<", 1, kMany, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when each argument is less than the next.")
(Context& cx, Arguments args) { return compare_all(cx, CompareOp::kLess, args); }

NEOVM_PRIMITIVE(gtr, ">", 1, kMany, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when each argument is greater than the next.")
(Context& cx, Arguments args) { return compare_all(cx, CompareOp::kGreater, args); }

NEOVM_PRIMITIVE(leq, "<=", 1, kMany, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when each argument is at most the next.")
(Context& cx, Arguments args) { return compare_all(cx, CompareOp::kLessOrEqual, args); }

NEOVM_PRIMITIVE(geq, ">=", 1, kMany, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when each argument is at least the next.")
(Context& cx, Arguments args) { return compare_all(cx, CompareOp::kGreaterOrEqual, args); }

NEOVM_PRIMITIVE(neq, "/=", 2, 2, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when the two numbers or markers differ.")
(Context& cx, Value a, Value b) { return compare_slow(cx, CompareOp::kNotEqual, a, b); }

}  // namespace neovm::elisp
