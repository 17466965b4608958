// Bitwise operations and shifts (data.c of GNU).
#include <bit>

#include "neovm/abi/api.hpp"
#include "neovm/core/bignum.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/arith.hpp"

namespace neovm::elisp {

using core::Integer;
using core::integer_from_mpz;
using core::IntegerView;

namespace {

Value fold_bits(Context& cx, ArithOp op, Arguments args, std::int64_t none) {
  if (args.empty()) return Value::fixnum(none);
  Value r = TRY(coerce_integer(cx, args[0]));
  for (std::size_t i = 1; i < args.size(); ++i) {
    // The first is wanted as an integer at once, the others as numbers that then turn out to be integers.
    const Value next = TRY(coerce_number(cx, args[i]));
    r = TRY(arith_slow(cx, op, r, next));
  }
  return r;
}

// Arithmetic shift of an integer by any integer.
Value shift_integer(Context& cx, Value v, Value count) {
  if (v == Value::fixnum(0)) return v;
  if (!count.is_fixnum()) {
    if (core::integer_sign(count) < 0) return Value::fixnum(core::integer_sign(v) < 0 ? -1 : 0);
    return signal_error0(cx, Qoverflow_error);
  }
  const std::int64_t n = count.as_fixnum();
  if (n <= 0) {
    if (v.is_fixnum()) return Value::fixnum(v.as_fixnum() >> (n < -62 ? 62 : -n));
    const IntegerView x(v);
    Integer r;
    mpz_fdiv_q_2exp(r.get(), x.get(), static_cast<mp_bitcnt_t>(-n));
    return integer_from_mpz(cx, r.get());
  }
  if (v.is_fixnum() && n < 62) {
    if (std::int64_t r = 0; !__builtin_mul_overflow(v.as_fixnum(), std::int64_t{1} << n, &r) && fits_fixnum(r))
      return Value::fixnum(r);
  }
  const IntegerView x(v);
  TRY(core::check_integer_width(cx, mpz_sizeinbase(x.get(), 2) + static_cast<std::uint64_t>(n)));
  Integer r;
  mpz_mul_2exp(r.get(), x.get(), static_cast<mp_bitcnt_t>(n));
  return integer_from_mpz(cx, r.get());
}

Value check_integer(Context& cx, Value v) {
  if (!is_integer(v)) return wrong_type(cx, Qintegerp, v);
  return v;
}

}  // namespace

NEOVM_PRIMITIVE(logand, "logand", 0, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the bits set in all of the integers or markers given.")
(Context& cx, Arguments args) { return fold_bits(cx, ArithOp::kLogand, args, -1); }

NEOVM_PRIMITIVE(logior, "logior", 0, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the bits set in any of the integers or markers given.")
(Context& cx, Arguments args) { return fold_bits(cx, ArithOp::kLogior, args, 0); }

NEOVM_PRIMITIVE(logxor, "logxor", 0, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the bits set in an odd number of the integers or markers given.")
(Context& cx, Arguments args) { return fold_bits(cx, ArithOp::kLogxor, args, 0); }

NEOVM_PRIMITIVE(lognot, "lognot", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the bitwise complement of integer NUMBER.")
(Context& cx, Value number) {
  TRY(check_integer(cx, number));
  if (number.is_fixnum()) return Value::fixnum(~number.as_fixnum());
  const IntegerView x(number);
  Integer r;
  mpz_com(r.get(), x.get());
  return integer_from_mpz(cx, r.get());
}

NEOVM_PRIMITIVE(logcount, "logcount", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Count the one bits of integer VALUE; the zero bits when it is negative.")
(Context& cx, Value v) {
  TRY(check_integer(cx, v));
  if (v.is_fixnum()) {
    const std::int64_t n = v.as_fixnum();
    return Value::fixnum(std::popcount(static_cast<std::uint64_t>(n < 0 ? ~n : n)));
  }
  const IntegerView x(v);
  if (mpz_sgn(x.get()) > 0) return Value::fixnum(static_cast<std::int64_t>(mpz_popcount(x.get())));
  Integer r;
  mpz_com(r.get(), x.get());
  return Value::fixnum(static_cast<std::int64_t>(mpz_popcount(r.get())));
}

NEOVM_PRIMITIVE(ash, "ash", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Shift integer VALUE left by COUNT bits, or right (keeping the sign) when COUNT is negative.")
(Context& cx, Value v, Value count) {
  TRY(check_integer(cx, v));
  TRY(check_integer(cx, count));
  return shift_integer(cx, v, count);
}

NEOVM_PRIMITIVE(lsh, "lsh", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Shift integer VALUE by COUNT bits; a negative fixnum shifted right counts as 62 unsigned bits.")
(Context& cx, Value v, Value count) {
  TRY(check_integer(cx, v));
  TRY(check_integer(cx, count));
  if (core::integer_sign(count) < 0 && core::integer_sign(v) < 0) {
    if (!v.is_fixnum()) return args_out_of_range(cx, v, count);
    const std::uint64_t bits = (static_cast<std::uint64_t>(v.as_fixnum()) << 2) >> 2;
    const std::int64_t n = count.is_fixnum() ? count.as_fixnum() : -64;
    return make_unsigned(cx, n <= -63 ? 0 : bits >> -n);
  }
  return shift_integer(cx, v, count);
}

NEOVM_PRIMITIVE(byteorder, "byteorder", 0, 0, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return ?B on a big-endian machine and ?l on a little-endian one.")
(Context&) { return Value::fixnum(std::endian::native == std::endian::big ? 'B' : 'l'); }

NEOVM_VARIABLE(integer_width, "integer-width", kGlobalVar, kAny, Value::fixnum(65536),
               "Most bits an integer may have; a larger result is an overflow-error.")
NEOVM_VARIABLE(most_positive_fixnum, "most-positive-fixnum", kGlobalVar, kAny, Value::fixnum(kMostPositiveFixnum),
               "The largest fixnum.")
NEOVM_VARIABLE(most_negative_fixnum, "most-negative-fixnum", kGlobalVar, kAny, Value::fixnum(kMostNegativeFixnum),
               "The smallest fixnum.")

NEOVM_INIT(fixnum_limits, kLate)(Context& cx) {
  cx.cells(Qmost_positive_fixnum).flags |= kSymbolConstant;
  cx.cells(Qmost_negative_fixnum).flags |= kSymbolConstant;
}

}  // namespace neovm::elisp
