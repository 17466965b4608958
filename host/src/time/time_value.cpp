// Reading and writing the forms of time values.
#include "time/time_value.hpp"

#include <cmath>
#include <cstring>

namespace neomacs::host {

using namespace neovm;  // NOLINT

Integer integer_from_raw(Value v) {
  if (v.is_fixnum()) return Integer(v.as_fixnum());
  Integer out;
  const RawObject* raw = raw_bytes_raw(v);
  mpz_import(out.get(), raw->count / 8, -1, 8, 0, 0, raw->bytes);
  if (raw->header.aux != 0) mpz_neg(out.get(), out.get());
  return out;
}

Value integer_to_value(Context& cx, const Integer& n) {
  if (mpz_fits_slong_p(n.get()) != 0) return make_integer(cx, mpz_get_si(n.get()));
  const std::size_t limbs = mpz_size(n.get());
  const Value v = make_raw(cx, ObjectKind::kBignum, static_cast<std::int64_t>(limbs * 8));
  if (v.is_exit()) return v;
  RawObject* raw = raw_bytes_raw(v);
  mpz_export(raw->bytes, nullptr, -1, 8, 0, 0, n.get());
  raw->header.aux = mpz_sgn(n.get()) < 0 ? 1 : 0;
  return v;
}

namespace {

constexpr long kTrillion = 1'000'000'000'000;

ExitTag invalid(Context& cx) { return error_text(cx, "Invalid time specification"); }

Maybe<TimeValue> from_float(Context& cx, double d) {
  TimeValue t;
  t.form = TimeForm::kFloat;
  t.number = d;
  t.finite = std::isfinite(d);
  if (!t.finite) return t;
  if (d == 0) return t;
  int exponent = 0;
  const double fraction = std::frexp(d, &exponent);
  // All 53 bits stay, so that the frequency tells the precision; subnormals stop at 2^-1074.
  int shift = 53 - exponent;
  if (shift > 1074) shift = 1074;
  if (shift <= 0) {
    mpz_set_d(t.ticks.get(), d);
    return t;
  }
  mpz_set_d(t.ticks.get(), std::ldexp(fraction, shift + exponent));
  mpz_setbit(t.hz.get(), static_cast<mp_bitcnt_t>(shift));
  mpz_clrbit(t.hz.get(), 0);
  (void)cx;
  return t;
}

Maybe<TimeValue> from_list(Context& cx, Value high, Value low, Value rest) {
  Value us = Value::fixnum(0);
  Value ps = Value::fixnum(0);
  long scale = 1;
  if (rest.is_cons()) {
    us = car_raw(rest);
    scale = 1'000'000;
    rest = cdr_raw(rest);
    if (rest.is_cons()) {
      ps = car_raw(rest);
      scale = kTrillion;
    }
  } else if (!rest.is_nil()) {  // (HI LO . US)
    us = rest;
    scale = 1'000'000;
  }
  if (!is_integer(high) || !is_integer(low) || !is_integer(us) || !is_integer(ps)) return invalid(cx);
  TimeValue t;
  t.form = TimeForm::kList;
  t.ticks = integer_from_raw(high);
  mpz_mul_2exp(t.ticks.get(), t.ticks.get(), 16);
  mpz_add(t.ticks.get(), t.ticks.get(), integer_from_raw(low).get());
  if (scale >= 1'000'000) {
    mpz_mul_si(t.ticks.get(), t.ticks.get(), 1'000'000);
    mpz_add(t.ticks.get(), t.ticks.get(), integer_from_raw(us).get());
  }
  if (scale == kTrillion) {
    mpz_mul_si(t.ticks.get(), t.ticks.get(), 1'000'000);
    mpz_add(t.ticks.get(), t.ticks.get(), integer_from_raw(ps).get());
  }
  mpz_set_si(t.hz.get(), scale);
  return t;
}

}  // namespace

ExitTag time_not_representable(Context& cx) { return error_text(cx, "Specified time is not representable"); }

timespec current_timespec() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

Maybe<TimeValue> time_argument(Context& cx, Value v) {
  TimeValue t;
  if (v.is_nil()) {
    const timespec now = current_timespec();
    t.form = TimeForm::kNow;
    mpz_set_si(t.ticks.get(), now.tv_sec);
    mpz_mul_si(t.ticks.get(), t.ticks.get(), 1'000'000'000);
    mpz_add_ui(t.ticks.get(), t.ticks.get(), static_cast<unsigned long>(now.tv_nsec));
    mpz_set_si(t.hz.get(), 1'000'000'000);
    return t;
  }
  if (is_integer(v)) {
    t.ticks = integer_from_raw(v);
    return t;
  }
  if (v.is_float()) return from_float(cx, float_raw(v));
  if (!v.is_cons()) return invalid(cx);
  const Value tail = cdr_raw(v);
  if (tail.is_cons()) return from_list(cx, car_raw(v), car_raw(tail), cdr_raw(tail));
  if (!is_integer(car_raw(v)) || !is_integer(tail)) return invalid(cx);
  t.form = TimeForm::kTicks;
  t.ticks = integer_from_raw(car_raw(v));
  t.hz = integer_from_raw(tail);
  if (mpz_sgn(t.hz.get()) <= 0) return invalid(cx);
  return t;
}

// mpz_get_d truncates; a correctly rounded quotient needs the bits below as well: scale to 64 bits of
// quotient with a sticky lowest bit, which rounds right when the processor makes a double of it.
double time_as_double(const TimeValue& t) {
  if (t.form == TimeForm::kFloat) return t.number;
  if (mpz_sgn(t.ticks.get()) == 0) return 0;
  Integer n = t.ticks;
  const bool negative = mpz_sgn(n.get()) < 0;
  mpz_abs(n.get(), n.get());
  const auto nbits = static_cast<long>(mpz_sizeinbase(n.get(), 2));
  const auto dbits = static_cast<long>(mpz_sizeinbase(t.hz.get(), 2));
  const long shift = 63 - (nbits - dbits);
  Integer d = t.hz;
  if (shift > 0) mpz_mul_2exp(n.get(), n.get(), static_cast<mp_bitcnt_t>(shift));
  if (shift < 0) mpz_mul_2exp(d.get(), d.get(), static_cast<mp_bitcnt_t>(-shift));
  Integer q;
  Integer r;
  mpz_tdiv_qr(q.get(), r.get(), n.get(), d.get());
  unsigned long bits = mpz_get_ui(q.get());  // 63 or 64 bits
  if (mpz_sgn(r.get()) != 0) bits |= 1;
  const double result = std::ldexp(static_cast<double>(bits), static_cast<int>(-shift));
  return negative ? -result : result;
}

Maybe<timespec> time_as_timespec(Context& cx, const TimeValue& t) {
  if (!t.finite) {
    if (std::isnan(t.number)) return invalid(cx);
    return time_not_representable(cx);
  }
  Integer seconds;
  Integer fraction;
  mpz_fdiv_qr(seconds.get(), fraction.get(), t.ticks.get(), t.hz.get());
  if (mpz_fits_slong_p(seconds.get()) == 0) return time_not_representable(cx);
  mpz_mul_si(fraction.get(), fraction.get(), 1'000'000'000);
  mpz_fdiv_q(fraction.get(), fraction.get(), t.hz.get());
  timespec out;
  out.tv_sec = mpz_get_si(seconds.get());
  out.tv_nsec = mpz_get_si(fraction.get());
  return out;
}

Maybe<timespec> timespec_argument(Context& cx, Value v) {
  const TimeValue t = TRY(time_argument(cx, v));
  return time_as_timespec(cx, t);
}

Value time_list(Context& cx, timespec t) {
  return list(cx, {Value::fixnum(t.tv_sec >> 16), Value::fixnum(t.tv_sec & 0xFFFF), Value::fixnum(t.tv_nsec / 1000),
                   Value::fixnum(t.tv_nsec % 1000 * 1000)});
}

Value time_list(Context& cx, const TimeValue& t) {
  Integer ps;
  mpz_mul_si(ps.get(), t.ticks.get(), kTrillion);
  mpz_fdiv_q(ps.get(), ps.get(), t.hz.get());
  Integer seconds;
  Integer fraction;
  const Integer trillion(kTrillion);
  mpz_fdiv_qr(seconds.get(), fraction.get(), ps.get(), trillion.get());
  const long rest = mpz_get_si(fraction.get());
  const auto low = static_cast<std::int64_t>(mpz_fdiv_ui(seconds.get(), 65536));
  Integer high;
  mpz_fdiv_q_2exp(high.get(), seconds.get(), 16);
  const Value h = integer_to_value(cx, high);
  if (h.is_exit()) return h;
  return list(cx, {h, Value::fixnum(low), Value::fixnum(rest / 1'000'000), Value::fixnum(rest % 1'000'000)});
}

}  // namespace neomacs::host
