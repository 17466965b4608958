// time-add, time-subtract, comparison and conversion.
#include <cmath>

#include "time/small_time.hpp"
#include "time/time_value.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

// N ticks of 1/D seconds as the result of an arithmetic function whose arguments had these forms.
Value arithmetic_result(Context& cx, const TimeValue& r, bool ticks_form) {
  if (mpz_cmp_ui(r.hz.get(), 1) == 0) return integer_to_value(cx, r.ticks);
  const Integer trillion(1'000'000'000'000);
  if (!ticks_form && mpz_divisible_p(trillion.get(), r.hz.get()) != 0) return time_list(cx, r);
  const Value ticks = TRY(integer_to_value(cx, r.ticks));
  const Value hz = TRY(integer_to_value(cx, r.hz));
  return cons(cx, ticks, hz);
}

constexpr std::int64_t kTrillion = 1'000'000'000'000;

// The same of a small result; unbound when it is not small enough.
Value small_result(Context& cx, const SmallTime& r, bool ticks_form) {
  if (!ticks_form && r.hz != 1 && kTrillion % r.hz == 0) {
    Value listed = kUnbound;
    return small_as_list(cx, r, &listed) ? listed : kUnbound;
  }
  if (!fits_word(r.ticks)) return kUnbound;
  const Value ticks = TRY(make_integer(cx, static_cast<std::int64_t>(r.ticks)));
  if (r.hz == 1) return ticks;
  const Value hz = TRY(make_integer(cx, r.hz));
  return cons(cx, ticks, hz);
}

// Fractions are added over the least common multiple and reduced, but not to a frequency below that of
// both arguments: the frequency tells the precision.
Value combine(Context& cx, Value a, Value b, bool subtract) {
  SmallTime small_a;
  SmallTime small_b;
  SmallTime sum;
  if (small_time(a, &small_a) && (a == b ? (small_b = small_a, true) : small_time(b, &small_b)) &&
      small_combine(small_a, small_b, subtract, &sum)) {
    const Value result = small_result(cx, sum, small_a.form == TimeForm::kTicks || small_b.form == TimeForm::kTicks);
    if (!result.is_unbound()) return result;
  }
  const TimeValue x = TRY(time_argument(cx, a));
  const TimeValue y = a == b ? x : TRY(time_argument(cx, b));
  if (!x.finite || !y.finite) {
    const double p = time_as_double(x);
    const double q = time_as_double(y);
    if (std::isnan(q) && !std::isnan(p)) return make_float(cx, subtract ? -q : q);  // with its sign
    return make_float(cx, subtract ? p - q : p + q);
  }
  const bool ticks_form = x.form == TimeForm::kTicks || y.form == TimeForm::kTicks;
  TimeValue r;
  if (mpz_cmp(x.hz.get(), y.hz.get()) == 0) {
    r.hz = x.hz;
    subtract ? mpz_sub(r.ticks.get(), x.ticks.get(), y.ticks.get())
             : mpz_add(r.ticks.get(), x.ticks.get(), y.ticks.get());
    return arithmetic_result(cx, r, ticks_form);
  }
  mpz_lcm(r.hz.get(), x.hz.get(), y.hz.get());
  Integer s;
  Integer t;
  mpz_divexact(s.get(), r.hz.get(), x.hz.get());
  mpz_mul(s.get(), s.get(), x.ticks.get());
  mpz_divexact(t.get(), r.hz.get(), y.hz.get());
  mpz_mul(t.get(), t.get(), y.ticks.get());
  subtract ? mpz_sub(r.ticks.get(), s.get(), t.get()) : mpz_add(r.ticks.get(), s.get(), t.get());
  Integer g;
  mpz_gcd(g.get(), r.ticks.get(), r.hz.get());
  mpz_divexact(r.ticks.get(), r.ticks.get(), g.get());
  mpz_divexact(r.hz.get(), r.hz.get(), g.get());
  const Integer& least = mpz_cmp(x.hz.get(), y.hz.get()) < 0 ? x.hz : y.hz;
  if (mpz_cmp(r.hz.get(), least.get()) < 0) {
    mpz_cdiv_q(g.get(), least.get(), r.hz.get());
    mpz_mul(r.ticks.get(), r.ticks.get(), g.get());
    mpz_mul(r.hz.get(), r.hz.get(), g.get());
  }
  return arithmetic_result(cx, r, ticks_form);
}

// A time that is no number compares with nothing, not even with what is no time at all.
bool is_nan(Value v) { return v.is_float() && std::isnan(float_raw(v)); }

bool is_infinite(Value v) { return v.is_float() && std::isinf(float_raw(v)); }

// -1, 0 or 1. Neither is NaN.
Maybe<int> compare(Context& cx, Value a, Value b) {
  SmallTime small_a;
  SmallTime small_b;
  int order = 0;
  if (small_time(a, &small_a) && small_time(b, &small_b) && small_compare(small_a, small_b, &order)) return order;
  if (is_infinite(a) || is_infinite(b)) {  // whatever the other is
    const double p = a.is_float() ? float_raw(a) : 0;
    const double q = b.is_float() ? float_raw(b) : 0;
    return p < q ? -1 : static_cast<int>(p > q);
  }
  const TimeValue x = TRY(time_argument(cx, a));
  const TimeValue y = TRY(time_argument(cx, b));
  Integer s;
  Integer t;
  mpz_mul(s.get(), x.ticks.get(), y.hz.get());
  mpz_mul(t.get(), y.ticks.get(), x.hz.get());
  const int c = mpz_cmp(s.get(), t.get());
  return c < 0 ? -1 : static_cast<int>(c > 0);
}

NEOVM_PRIMITIVE(time_add, "time-add", 2, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the sum of the time values A and B.")
(Context& cx, Value a, Value b) { return combine(cx, a, b, false); }

NEOVM_PRIMITIVE(time_subtract, "time-subtract", 2, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the time value A minus B.")
(Context& cx, Value a, Value b) { return combine(cx, a, b, true); }

NEOVM_PRIMITIVE(time_less_p, "time-less-p", 2, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return t when time A is before time B.")
(Context& cx, Value a, Value b) {
  if ((a.is_nil() && b.is_nil()) || is_nan(a) || is_nan(b)) return kNil;
  return boolean(TRY(compare(cx, a, b)) == -1);
}

NEOVM_PRIMITIVE(time_equal_p, "time-equal-p", 2, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return t when A and B are the same time; nil equals only nil.")
(Context& cx, Value a, Value b) {
  if (is_nan(a) || is_nan(b)) return kNil;
  if (a.is_nil() || b.is_nil()) {
    if (!a.is_nil()) TRY(time_argument(cx, a));
    if (!b.is_nil()) TRY(time_argument(cx, b));
    return boolean(a == b);
  }
  return boolean(TRY(compare(cx, a, b)) == 0);
}

NEOVM_PRIMITIVE(float_time, "float-time", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return a time value as a float number of seconds.")
(Context& cx, Value time) {
  if (time.is_float()) return make_float(cx, float_raw(time));
  SmallTime small;
  if (small_time(time, &small)) return make_float(cx, small_as_double(small));
  const TimeValue t = TRY(time_argument(cx, time));
  return make_float(cx, time_as_double(t));
}

NEOVM_PRIMITIVE(current_time, "current-time", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the time of day as (HI LO US PS).")
(Context& cx) { return time_list(cx, current_timespec()); }

NEOVM_PRIMITIVE(time_convert, "time-convert", 1, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Convert TIME to FORM: a frequency, t, integer or list.")
(Context& cx, Value time, Value form) {
  SmallTime small;
  if (small_time(time, &small)) {
    Value result = kUnbound;
    if (form.is_nil() || form == Qlist) {
      if (small_as_list(cx, small, &result)) return result;
    } else if (form == Qt || form == Qinteger || (form.is_fixnum() && form.as_fixnum() > 0)) {
      const std::int64_t hz = form == Qt ? small.hz : (form == Qinteger ? 1 : form.as_fixnum());
      std::int64_t count = 0;
      if (small_at_frequency(small, hz, &count)) {
        const Value ticks = TRY(make_integer(cx, count));
        if (form == Qinteger) return ticks;
        const Value frequency = TRY(make_integer(cx, hz));
        return cons(cx, ticks, frequency);
      }
    }
  }
  TimeValue t = TRY(time_argument(cx, time));
  if (!t.finite) {
    if (std::isnan(t.number)) return error_text(cx, "Invalid time specification");
    return time_not_representable(cx);
  }
  if (form == Qinteger) {
    mpz_fdiv_q(t.ticks.get(), t.ticks.get(), t.hz.get());
    return integer_to_value(cx, t.ticks);
  }
  if (form.is_nil() || form == Qlist) return time_list(cx, t);
  if (form != Qt) {
    Integer hz;
    if (is_integer(form)) hz = integer_from_raw(form);
    if (mpz_sgn(hz.get()) <= 0) return signal_error2(cx, Qerror, make_string(cx, "Invalid time frequency"), form);
    mpz_mul(t.ticks.get(), t.ticks.get(), hz.get());
    mpz_fdiv_q(t.ticks.get(), t.ticks.get(), t.hz.get());
    t.hz = hz;
  }
  const Value ticks = TRY(integer_to_value(cx, t.ticks));
  const Value hz = TRY(integer_to_value(cx, t.hz));
  return cons(cx, ticks, hz);
}

}  // namespace
}  // namespace neomacs::host
