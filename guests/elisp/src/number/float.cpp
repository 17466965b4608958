// Floating-point primitives (floatfns.c of GNU) and `random`.
#include <sys/random.h>

#include <cmath>
#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/bignum.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/arith.hpp"

namespace neovm::elisp {

using core::Integer;
using core::integer_from_double;
using core::integer_from_mpz;
using core::IntegerView;

namespace {

Maybe<double> float_argument(Context& cx, Value v) {
  if (!v.is_float()) return wrong_type(cx, Qfloatp, v);
  return float_raw(v);
}

Value apply(Context& cx, double (*f)(double), Value v) { return make_float(cx, f(TRY(number_as_double(cx, v)))); }

// std::round breaks ties away from zero; Lisp breaks them to even.
double round_even(double d) { return std::nearbyint(d); }

struct Rounding {
  double (*of_double)(double);
  void (*of_quotient)(mpz_ptr q, mpz_srcptr n, mpz_srcptr d);
  // Of the quotient truncated, Q, and the remainder, not 0, what is left to add. The exact quotient is NEGATIVE or not.
  std::int64_t (*of_rest)(std::int64_t q, std::int64_t rest, std::int64_t d, bool negative);
};

void quotient_round_even(mpz_ptr q, mpz_srcptr n, mpz_srcptr d) {
  Integer r;
  mpz_fdiv_qr(q, r.get(), n, d);  // n = q d + r, r has the sign of d
  mpz_mul_2exp(r.get(), r.get(), 1);
  const int c = mpz_cmpabs(r.get(), d);
  if (c > 0 || (c == 0 && mpz_odd_p(q) != 0)) mpz_add_ui(q, q, 1);
}

const Rounding kFloor = {
    std::floor, [](mpz_ptr q, mpz_srcptr n, mpz_srcptr d) { mpz_fdiv_q(q, n, d); },
    [](std::int64_t, std::int64_t, std::int64_t, bool negative) -> std::int64_t { return negative ? -1 : 0; }};
const Rounding kCeiling = {
    std::ceil, [](mpz_ptr q, mpz_srcptr n, mpz_srcptr d) { mpz_cdiv_q(q, n, d); },
    [](std::int64_t, std::int64_t, std::int64_t, bool negative) -> std::int64_t { return negative ? 0 : 1; }};
const Rounding kTruncate = {std::trunc, [](mpz_ptr q, mpz_srcptr n, mpz_srcptr d) { mpz_tdiv_q(q, n, d); },
                            [](std::int64_t, std::int64_t, std::int64_t, bool) -> std::int64_t { return 0; }};
const Rounding kRound = {round_even, quotient_round_even,
                         [](std::int64_t q, std::int64_t rest, std::int64_t d, bool negative) -> std::int64_t {
                           const std::int64_t twice = 2 * std::abs(rest);  // of fixnums
                           const std::int64_t whole = std::abs(d);
                           if (twice < whole || (twice == whole && q % 2 == 0)) return 0;
                           return negative ? -1 : 1;
                         }};

// V as integer * 2^exponent, exactly. Precondition: a number, finite.
void scaled_integer(Value v, Integer& out, int& exponent) {
  exponent = 0;
  if (!v.is_float()) {
    const IntegerView view(v);
    mpz_set(out.get(), view.get());
    return;
  }
  const double mantissa = std::frexp(float_raw(v), &exponent);
  mpz_set_d(out.get(), std::ldexp(mantissa, 53));
  exponent -= 53;
}

Value double_to_integer(Context& cx, double d) {
  if (!std::isfinite(d)) return signal_error0(cx, Qoverflow_error);
  return integer_from_double(cx, d);
}

Value round_number(Context& cx, const Rounding& how, Value n, Value d) {
  TRY(check_type(cx, is_number(n), Qnumberp, n));
  if (d.is_nil()) return n.is_float() ? double_to_integer(cx, how.of_double(float_raw(n))) : n;
  TRY(check_type(cx, is_number(d), Qnumberp, d));
  if (d == Value::fixnum(0) || (d.is_float() && float_raw(d) == 0)) return signal_error0(cx, Qarith_error);
  if (n.is_float() || d.is_float()) {
    if ((n.is_float() && !std::isfinite(float_raw(n))) || (d.is_float() && !std::isfinite(float_raw(d)))) {
      const double x = TRY(number_as_double(cx, n));
      const double y = TRY(number_as_double(cx, d));
      return double_to_integer(cx, how.of_double(x / y));
    }
    // The quotient is rounded once, as a ratio: as a double it may already be off by more than one.
    Integer x;
    Integer y;
    int x_exponent = 0;
    int y_exponent = 0;
    scaled_integer(n, x, x_exponent);
    scaled_integer(d, y, y_exponent);
    if (x_exponent > y_exponent) {
      mpz_mul_2exp(x.get(), x.get(), static_cast<mp_bitcnt_t>(x_exponent - y_exponent));
    } else {
      mpz_mul_2exp(y.get(), y.get(), static_cast<mp_bitcnt_t>(y_exponent - x_exponent));
    }
    Integer q;
    how.of_quotient(q.get(), x.get(), y.get());
    return integer_from_mpz(cx, q.get());
  }
  if (n.is_fixnum() && d.is_fixnum()) {
    const std::int64_t a = n.as_fixnum();
    const std::int64_t b = d.as_fixnum();
    const std::int64_t rest = a % b;
    const std::int64_t q = a / b;
    return make_integer(cx, rest == 0 ? q : q + how.of_rest(q, rest, b, (a < 0) != (b < 0)));
  }
  const IntegerView x(n);
  const IntegerView y(d);
  Integer q;
  how.of_quotient(q.get(), x.get(), y.get());
  return integer_from_mpz(cx, q.get());
}

}  // namespace

#define NEOVM_FLOAT_FUNCTION(id, name, f, doc)                                                     \
  NEOVM_PRIMITIVE(id, name, 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic, doc) \
  (Context & cx, Value arg) { return apply(cx, f, arg); }

NEOVM_FLOAT_FUNCTION(acos, "acos", std::acos, "Return the inverse cosine of ARG.")
NEOVM_FLOAT_FUNCTION(asin, "asin", std::asin, "Return the inverse sine of ARG.")
NEOVM_FLOAT_FUNCTION(cos, "cos", std::cos, "Return the cosine of ARG.")
NEOVM_FLOAT_FUNCTION(sin, "sin", std::sin, "Return the sine of ARG.")
NEOVM_FLOAT_FUNCTION(tan, "tan", std::tan, "Return the tangent of ARG.")
NEOVM_FLOAT_FUNCTION(exp, "exp", std::exp, "Return the exponential of ARG.")
NEOVM_FLOAT_FUNCTION(sqrt, "sqrt", std::sqrt, "Return the square root of ARG.")

NEOVM_PRIMITIVE(atan, "atan", 1, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the inverse tangent of Y, or of Y/X in the right quadrant.")
(Context& cx, Value y, Value x) {
  const double a = TRY(number_as_double(cx, y));
  if (x.is_nil()) return make_float(cx, std::atan(a));
  return make_float(cx, std::atan2(a, TRY(number_as_double(cx, x))));
}

NEOVM_PRIMITIVE(log, "log", 1, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the natural logarithm of ARG, or that in BASE.")
(Context& cx, Value arg, Value base) {
  const double d = TRY(number_as_double(cx, arg));
  if (base.is_nil()) return make_float(cx, std::log(d));
  const double b = TRY(number_as_double(cx, base));
  if (b == 10.0) return make_float(cx, std::log10(d));
  if (b == 2.0) return make_float(cx, std::log2(d));
  return make_float(cx, std::log(d) / std::log(b));
}

NEOVM_PRIMITIVE(expt, "expt", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return ARG1 to the power ARG2; exact for integers with a power that is not negative.")
(Context& cx, Value base, Value power) {
  TRY(check_type(cx, is_number(base), Qnumberp, base));
  TRY(check_type(cx, is_number(power), Qnumberp, power));
  if (is_integer(base) && is_integer(power) && core::integer_sign(power) >= 0) {
    if (power == Value::fixnum(0)) return Value::fixnum(1);
    if (base == Value::fixnum(0) || base == Value::fixnum(1)) return base;
    const IntegerView y(power);
    if (base == Value::fixnum(-1)) return Value::fixnum(mpz_odd_p(y.get()) != 0 ? -1 : 1);
    if (!power.is_fixnum() || power.as_fixnum() > (std::int64_t{1} << 40)) return signal_error0(cx, Qoverflow_error);
    const IntegerView x(base);
    const auto n = static_cast<std::uint64_t>(power.as_fixnum());
    TRY(core::check_integer_width(cx, (mpz_sizeinbase(x.get(), 2) - 1) * n));
    Integer r;
    mpz_pow_ui(r.get(), x.get(), n);
    return integer_from_mpz(cx, r.get());
  }
  return make_float(cx, std::pow(TRY(number_as_double(cx, base)), TRY(number_as_double(cx, power))));
}

NEOVM_PRIMITIVE(abs, "abs", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the absolute value of ARG.")
(Context& cx, Value arg) {
  TRY(check_type(cx, is_number(arg), Qnumberp, arg));
  if (arg.is_float()) return std::signbit(float_raw(arg)) ? make_float(cx, -float_raw(arg)) : arg;
  return core::integer_sign(arg) < 0 ? negate_slow(cx, arg) : arg;
}

NEOVM_PRIMITIVE(float, "float", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the float nearest to ARG.")
(Context& cx, Value arg) {
  if (arg.is_float()) return arg;
  return make_float(cx, TRY(number_as_double(cx, arg)));
}

NEOVM_PRIMITIVE(isnan, "isnan", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when float X is not a number.")
(Context& cx, Value x) { return boolean(std::isnan(TRY(float_argument(cx, x)))); }

NEOVM_PRIMITIVE(copysign, "copysign", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return float X1 with the sign of float X2.")
(Context& cx, Value x1, Value x2) {
  const double a = TRY(float_argument(cx, x1));
  const double b = TRY(float_argument(cx, x2));
  return make_float(cx, std::copysign(a, b));
}

NEOVM_PRIMITIVE(frexp, "frexp", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return (SIGNIFICAND . EXPONENT) of X, the significand in [0.5, 1).")
(Context& cx, Value x) {
  int exponent = 0;
  const double s = std::frexp(TRY(number_as_double(cx, x)), &exponent);
  return cons(cx, make_float(cx, s), Value::fixnum(exponent));
}

NEOVM_PRIMITIVE(ldexp, "ldexp", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return SIGNIFICAND times two to the EXPONENT.")
(Context& cx, Value significand, Value exponent) {
  const std::int64_t e = TRY(fixnum_argument(cx, exponent));
  const double s = TRY(number_as_double(cx, significand));
  return make_float(
      cx, std::ldexp(s, static_cast<int>(std::max<std::int64_t>(-100000, std::min<std::int64_t>(e, 100000)))));
}

NEOVM_PRIMITIVE(logb, "logb", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the exponent of two in ARG: the largest integer not above its binary logarithm.")
(Context& cx, Value arg) {
  TRY(check_type(cx, is_number(arg), Qnumberp, arg));
  if (arg.is_float()) {
    const double d = float_raw(arg);
    if (d == 0) return make_float(cx, -HUGE_VAL);
    if (!std::isfinite(d)) return std::isinf(d) ? make_float(cx, HUGE_VAL) : arg;
    return Value::fixnum(std::ilogb(d));
  }
  if (arg == Value::fixnum(0)) return make_float(cx, -HUGE_VAL);
  const IntegerView x(arg);
  return Value::fixnum(static_cast<std::int64_t>(mpz_sizeinbase(x.get(), 2)) - 1);
}

NEOVM_PRIMITIVE(floor, "floor", 1, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Round ARG (divided by DIVISOR) down to an integer.")
(Context& cx, Value arg, Value divisor) { return round_number(cx, kFloor, arg, divisor); }

NEOVM_PRIMITIVE(ceiling, "ceiling", 1, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Round ARG (divided by DIVISOR) up to an integer.")
(Context& cx, Value arg, Value divisor) { return round_number(cx, kCeiling, arg, divisor); }

NEOVM_PRIMITIVE(round, "round", 1, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Round ARG (divided by DIVISOR) to the nearest integer, ties to even.")
(Context& cx, Value arg, Value divisor) { return round_number(cx, kRound, arg, divisor); }

NEOVM_PRIMITIVE(truncate, "truncate", 1, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Round ARG (divided by DIVISOR) towards zero to an integer.")
(Context& cx, Value arg, Value divisor) { return round_number(cx, kTruncate, arg, divisor); }

#define NEOVM_FLOAT_ROUNDING(id, name, f, doc)                                                     \
  NEOVM_PRIMITIVE(id, name, 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic, doc) \
  (Context & cx, Value arg) { return make_float(cx, f(TRY(float_argument(cx, arg)))); }

NEOVM_FLOAT_ROUNDING(fceiling, "fceiling", std::ceil, "Round float ARG up, as a float.")
NEOVM_FLOAT_ROUNDING(ffloor, "ffloor", std::floor, "Round float ARG down, as a float.")
NEOVM_FLOAT_ROUNDING(fround, "fround", round_even, "Round float ARG to the nearest integer, as a float.")
NEOVM_FLOAT_ROUNDING(ftruncate, "ftruncate", std::trunc, "Round float ARG towards zero, as a float.")

namespace {

std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// xoshiro256**: one generator per isolate.
std::uint64_t next_random(std::uint64_t* s) {
  const std::uint64_t result = rotate(s[1] * 5, 7) * 9;
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

void seed_random(std::uint64_t* s, std::uint64_t seed) {
  for (int i = 0; i < 4; ++i) {  // splitmix64
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    s[i] = z ^ (z >> 31);
  }
}

void seed_from_system(std::uint64_t* s) {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = reinterpret_cast<std::uint64_t>(s);
  seed_random(s, seed);
}

}  // namespace

NEOVM_PRIMITIVE(random, "random", 0, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kNondeterministic,
                "Return a random fixnum, or one below LIMIT. t seeds from the system, a string from its contents.")
(Context& cx, Value limit) {
  std::uint64_t* s = cx.isolate().random_state;
  if (limit == Qt || (s[0] | s[1] | s[2] | s[3]) == 0) seed_from_system(s);
  if (limit.is_string()) {
    std::uint64_t h = 1469598103934665603U;
    for (const char c : string_view_of(limit)) h = (h ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
    seed_random(s, h);
  }
  if (limit.is_fixnum() && limit.as_fixnum() > 0) {
    const auto n = static_cast<std::uint64_t>(limit.as_fixnum());
    std::uint64_t r;
    do r = next_random(s) >> 2;
    while (r >= ((std::uint64_t{1} << 62) / n) * n);  // no bias towards small results
    return Value::fixnum(static_cast<std::int64_t>(r % n));
  }
  if (is_bignum(limit)) {
    if (core::integer_sign(limit) < 0) return wrong_type(cx, Qnatnump, limit);
    const core::IntegerView n(limit);
    const std::size_t bits = mpz_sizeinbase(n.get(), 2);
    std::vector<std::uint64_t> words((bits + 63) / 64);
    core::Integer r;
    do {  // as above: draw again rather than fold what lies beyond LIMIT
      for (std::uint64_t& word : words) word = next_random(s);
      mpz_import(r.get(), words.size(), -1, sizeof(std::uint64_t), 0, 0, words.data());
      mpz_fdiv_r_2exp(r.get(), r.get(), bits);
    } while (mpz_cmp(r.get(), n.get()) >= 0);
    return core::integer_from_mpz(cx, r.get());
  }
  return Value::from_bits(next_random(s) & ~std::uint64_t{3});
}

}  // namespace neovm::elisp
