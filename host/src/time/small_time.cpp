#include "time/small_time.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

using Wide = __int128;

constexpr std::int64_t kTrillion = 1'000'000'000'000;

// A divided by B, which is above 0, rounded down.
Wide floor_quotient(Wide a, std::int64_t b) {
  const Wide q = a / b;
  return q * b > a ? q - 1 : q;
}

bool fits(Wide w) {
  return w > std::numeric_limits<std::int64_t>::min() && w <= std::numeric_limits<std::int64_t>::max();
}

bool small_float(double d, SmallTime* out) {
  out->form = TimeForm::kFloat;
  if (d == 0) return true;
  if (!std::isfinite(d)) return false;
  int exponent = 0;
  const double fraction = std::frexp(d, &exponent);
  const int shift = 53 - exponent;
  if (shift < 1 || shift > 62) return false;
  out->ticks = static_cast<std::int64_t>(std::ldexp(fraction, 53));
  out->hz = std::int64_t{1} << shift;
  return true;
}

// (HI LO [US [PS]]) and (HI LO . US).
bool small_list(Value high, Value low, Value rest, SmallTime* out) {
  Value us = Value::fixnum(0);
  Value ps = Value::fixnum(0);
  out->form = TimeForm::kList;
  if (rest.is_cons()) {
    us = car_raw(rest);
    out->hz = 1'000'000;
    if (cdr_raw(rest).is_cons()) {
      ps = car_raw(cdr_raw(rest));
      out->hz = kTrillion;
    }
  } else if (!rest.is_nil()) {
    us = rest;
    out->hz = 1'000'000;
  }
  if (!high.is_fixnum() || !low.is_fixnum() || !us.is_fixnum() || !ps.is_fixnum()) return false;
  Wide ticks = static_cast<Wide>(high.as_fixnum()) * 65536 + low.as_fixnum();
  if (out->hz > 1) ticks = ticks * 1'000'000 + us.as_fixnum();
  if (out->hz == kTrillion) {
    if (!fits(ticks)) return false;
    ticks = ticks * 1'000'000 + ps.as_fixnum();
  }
  out->ticks = static_cast<std::int64_t>(ticks);
  return fits(ticks);
}

}  // namespace

bool small_time(Value v, SmallTime* out) {
  *out = {};
  if (v.is_nil()) {
    const timespec now = current_timespec();
    out->form = TimeForm::kNow;
    out->hz = 1'000'000'000;
    return !__builtin_mul_overflow(static_cast<std::int64_t>(now.tv_sec), out->hz, &out->ticks) &&
           !__builtin_add_overflow(out->ticks, static_cast<std::int64_t>(now.tv_nsec), &out->ticks);
  }
  if (v.is_fixnum()) {
    out->ticks = v.as_fixnum();
    return true;
  }
  if (v.is_float()) return small_float(float_raw(v), out);
  if (!v.is_cons()) return false;
  const Value tail = cdr_raw(v);
  if (tail.is_cons()) return small_list(car_raw(v), car_raw(tail), cdr_raw(tail), out);
  if (!car_raw(v).is_fixnum() || !tail.is_fixnum() || tail.as_fixnum() <= 0) return false;
  *out = {car_raw(v).as_fixnum(), tail.as_fixnum(), TimeForm::kTicks};
  return true;
}

// 63 or 64 bits of the quotient, with a sticky lowest bit, round right when the processor makes a double of them.
double small_as_double(const SmallTime& t) {
  if (t.ticks == 0) return 0;
  const std::uint64_t n = t.ticks < 0 ? 0 - static_cast<std::uint64_t>(t.ticks) : static_cast<std::uint64_t>(t.ticks);
  const auto d = static_cast<std::uint64_t>(t.hz);
  const int shift = 63 - (static_cast<int>(std::bit_width(n)) - static_cast<int>(std::bit_width(d)));
  const unsigned __int128 wide = static_cast<unsigned __int128>(n) << shift;  // at most 63 bits more than d has
  auto bits = static_cast<std::uint64_t>(wide / d);
  if (wide % d != 0) bits |= 1;
  const double result = std::ldexp(static_cast<double>(bits), -shift);
  return t.ticks < 0 ? -result : result;
}

bool small_as_list(Context& cx, const SmallTime& t, Value* out) {
  const Wide ps = floor_quotient(static_cast<Wide>(t.ticks) * kTrillion, t.hz);
  const Wide seconds = floor_quotient(ps, kTrillion);
  if (!fits(seconds)) return false;
  const auto s = static_cast<std::int64_t>(seconds);
  const auto rest = static_cast<std::int64_t>(ps - seconds * kTrillion);
  *out = list(cx, {Value::fixnum(s >> 16), Value::fixnum(s & 0xFFFF), Value::fixnum(rest / 1'000'000),
                   Value::fixnum(rest % 1'000'000)});
  return true;
}

bool small_at_frequency(const SmallTime& t, std::int64_t hz, SmallTime* out) {
  const Wide ticks = floor_quotient(static_cast<Wide>(t.ticks) * hz, t.hz);
  if (!fits(ticks)) return false;
  *out = {static_cast<std::int64_t>(ticks), hz, t.form};
  return true;
}

int small_compare(const SmallTime& a, const SmallTime& b) {
  const Wide x = static_cast<Wide>(a.ticks) * b.hz;
  const Wide y = static_cast<Wide>(b.ticks) * a.hz;
  return x < y ? -1 : static_cast<int>(x > y);
}

bool small_combine(const SmallTime& a, const SmallTime& b, bool subtract, SmallTime* out) {
  const std::int64_t common = std::gcd(a.hz, b.hz);
  const Wide x = static_cast<Wide>(a.ticks) * (b.hz / common);
  const Wide y = static_cast<Wide>(b.ticks) * (a.hz / common);
  Wide ticks = 0;
  if (subtract ? __builtin_sub_overflow(x, y, &ticks) : __builtin_add_overflow(x, y, &ticks)) return false;
  Wide hz = static_cast<Wide>(a.hz) * (b.hz / common);
  if (!fits(ticks) || !fits(hz)) return false;
  if (a.hz != b.hz) {
    const std::int64_t divisor = std::gcd(static_cast<std::int64_t>(ticks), static_cast<std::int64_t>(hz));
    ticks /= divisor;
    hz /= divisor;
    const std::int64_t least = std::min(a.hz, b.hz);
    if (hz < least) {
      const Wide factor = (least + hz - 1) / hz;
      ticks *= factor;
      hz *= factor;
      if (!fits(ticks) || !fits(hz)) return false;
    }
  }
  *out = {static_cast<std::int64_t>(ticks), static_cast<std::int64_t>(hz), TimeForm::kInteger};
  return true;
}

}  // namespace neomacs::host
