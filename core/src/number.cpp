// Integers of any size and the number arguments of primitives.
#include "neovm/abi/number.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/core/bignum.hpp"
#include "neovm/core/context.hpp"

namespace neovm {

namespace core {

namespace {

// `integer-width`: bits an integer may have. A negative or odd value counts as its bound.
std::uint64_t integer_width(Context& cx) {
  const Value v = cx.cells(Qinteger_width).value;  // a plain global: bound by value
  if (!v.is_fixnum()) return 1 << 16;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(v.as_fixnum(), 0));
}

}  // namespace

Maybe<bool> check_integer_width(Context& cx, std::uint64_t bits) {
  // Two limbs are always allowed, whatever the variable says.
  if (bits <= 128) return true;
  if (bits > integer_width(cx)) return signal_error0(cx, Qoverflow_error);
  return true;
}

Value integer_from_mpz(Context& cx, mpz_srcptr z) {
  if (mpz_fits_slong_p(z) != 0) {
    const std::int64_t n = mpz_get_si(z);
    if (fits_fixnum(n)) return Value::fixnum(n);
  }
  TRY(check_integer_width(cx, mpz_sizeinbase(z, 2)));
  const std::size_t limbs = mpz_size(z);
  const Value v = TRY(make_raw(cx, ObjectKind::kBignum, static_cast<std::int64_t>(limbs * sizeof(mp_limb_t))));
  RawObject* o = raw_bytes_raw(v);
  o->header.aux = mpz_sgn(z) < 0 ? 1 : 0;
  std::memcpy(o->bytes, mpz_limbs_read(z), limbs * sizeof(mp_limb_t));
  return v;
}

Value integer_from_double(Context& cx, double d) {
  if (d >= -0x1p61 && d < 0x1p61) return Value::fixnum(static_cast<std::int64_t>(d));
  const Integer z(d);
  return integer_from_mpz(cx, z.get());
}

// GMP truncates; Emacs rounds to nearest even, so the bits below the 53rd decide here.
double integer_to_double(Value v) {
  if (v.is_fixnum()) return static_cast<double>(v.as_fixnum());
  const IntegerView view(v);
  mpz_srcptr z = view.get();
  const std::size_t bits = mpz_sizeinbase(z, 2);
  if (bits > 1024) return mpz_sgn(z) < 0 ? -HUGE_VAL : HUGE_VAL;
  Integer q;
  const std::size_t shift = bits > 64 ? bits - 64 : 0;
  mpz_tdiv_q_2exp(q.get(), z, shift);
  std::uint64_t top = mpz_limbs_read(q.get())[0];
  const bool sticky = shift != 0 && mpz_scan1(z, 0) < shift;
  // 64 bits to 53: the lowest bit stands for everything cut off.
  if (sticky) top |= 1;
  const double magnitude = std::ldexp(static_cast<double>(top), static_cast<int>(shift));
  return mpz_sgn(z) < 0 ? -magnitude : magnitude;
}

int compare_integers(Value a, Value b) {
  if (a.is_fixnum() && b.is_fixnum()) return a.as_fixnum() < b.as_fixnum() ? -1 : (a == b ? 0 : 1);
  const IntegerView x(a);
  const IntegerView y(b);
  const int c = mpz_cmp(x.get(), y.get());
  return c < 0 ? -1 : (c > 0 ? 1 : 0);
}

std::string integer_to_string(Value v, int base) {
  const IntegerView view(v);
  std::string out(mpz_sizeinbase(view.get(), base) + 2, '\0');
  mpz_get_str(out.data(), base, view.get());
  out.resize(std::strlen(out.c_str()));
  return out;
}

}  // namespace core

Value make_integer(Context& cx, std::int64_t n) {
  if (fits_fixnum(n)) return Value::fixnum(n);
  const core::Integer z(n);
  return core::integer_from_mpz(cx, z.get());
}

Value make_unsigned(Context& cx, std::uint64_t n) {
  if (n <= static_cast<std::uint64_t>(kMostPositiveFixnum)) return Value::fixnum(static_cast<std::int64_t>(n));
  mp_limb_t limb = n;
  mpz_t z;
  return core::integer_from_mpz(cx, mpz_roinit_n(z, &limb, 1));
}

Maybe<std::int64_t> integer_clamped(Context& cx, Value v) {
  if (v.is_fixnum()) return v.as_fixnum();
  if (!is_bignum(v)) return wrong_type(cx, Qintegerp, v);
  const core::IntegerView view(v);
  if (mpz_fits_slong_p(view.get()) != 0) return static_cast<std::int64_t>(mpz_get_si(view.get()));
  return mpz_sgn(view.get()) < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

Maybe<std::int64_t> fixnum_argument(Context& cx, Value v) {
  if (!v.is_fixnum()) return wrong_type(cx, Qfixnump, v);
  return v.as_fixnum();
}

Maybe<std::int64_t> position_argument(Context& cx, Value v) {
  if (v.is_fixnum()) return v.as_fixnum();
  if (is_bignum(v)) return std::clamp(TRY(integer_clamped(cx, v)), kMostNegativeFixnum, kMostPositiveFixnum);
  const HostHooks& hooks = host_hooks(cx);
  if (hooks.is_marker != nullptr && hooks.is_marker(v)) {
    const Value position = TRY(hooks.marker_position(cx, v));
    return position.as_fixnum();
  }
  return wrong_type(cx, Qinteger_or_marker_p, v);
}

Maybe<int> character_argument(Context& cx, Value v) {
  if (!is_character(v)) return wrong_type(cx, Qcharacterp, v);
  return static_cast<int>(v.as_fixnum());
}

Maybe<double> number_as_double(Context& cx, Value v) {
  if (v.is_float()) return float_raw(v);
  if (is_integer(v)) return core::integer_to_double(v);
  return wrong_type(cx, Qnumberp, v);
}

int compare_numbers_raw(Value a, Value b) {
  if (a.is_float() && b.is_float()) {
    const double x = float_raw(a);
    const double y = float_raw(b);
    return x < y ? -1 : (x > y ? 1 : (x == y ? 0 : 2));
  }
  if (!a.is_float() && !b.is_float()) return core::compare_integers(a, b);
  if (a.is_float()) {
    const int c = compare_numbers_raw(b, a);
    return c == 2 ? 2 : -c;
  }
  // Integer against float. The float rounds nothing: compare exactly when it is in the range where doubles have
  // gaps, as Emacs does.
  const double y = float_raw(b);
  if (std::isnan(y)) return 2;
  if (std::isinf(y)) return y > 0 ? -1 : 1;
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (a.is_fixnum() && a.as_fixnum() <= kExact && a.as_fixnum() >= -kExact) {
    const auto x = static_cast<double>(a.as_fixnum());
    return x < y ? -1 : (x > y ? 1 : 0);
  }
  const core::IntegerView x(a);
  const int c = mpz_cmp_d(x.get(), y);
  return c < 0 ? -1 : (c > 0 ? 1 : 0);
}

}  // namespace neovm
