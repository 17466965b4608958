#include "time/small_time.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

constexpr std::int64_t kTrillion = 1'000'000'000'000;
constexpr Wide kMostTicks = Wide{1} << 96;

// A divided by B, which is above 0, rounded down.
Wide floor_quotient(Wide a, std::int64_t b) {
  const Wide q = a / b;
  return q * b > a ? q - 1 : q;
}

bool fits(Wide ticks) { return ticks > -kMostTicks && ticks < kMostTicks; }

int width(unsigned __int128 n) {
  const auto high = static_cast<std::uint64_t>(n >> 64);
  return static_cast<int>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(static_cast<std::uint64_t>(n)));
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
  out->ticks = static_cast<Wide>(high.as_fixnum()) * 65536 + low.as_fixnum();  // 78 bits
  if (out->hz > 1) {
    if (!fits_word(out->ticks)) return false;
    out->ticks = out->ticks * 1'000'000 + us.as_fixnum();  // 83
  }
  if (out->hz == kTrillion) {
    if (width(static_cast<unsigned __int128>(out->ticks < 0 ? -out->ticks : out->ticks)) > 75) return false;
    out->ticks = out->ticks * 1'000'000 + ps.as_fixnum();
  }
  return fits(out->ticks);
}

}  // namespace

bool fits_word(Wide w) {
  return w >= std::numeric_limits<std::int64_t>::min() && w <= std::numeric_limits<std::int64_t>::max();
}

bool small_time(Value v, SmallTime* out) {
  *out = {};
  if (v.is_nil()) {
    const timespec now = current_timespec();
    out->form = TimeForm::kNow;
    out->hz = 1'000'000'000;
    out->ticks = static_cast<Wide>(now.tv_sec) * out->hz + now.tv_nsec;
    return true;
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
  auto n = static_cast<unsigned __int128>(t.ticks < 0 ? -t.ticks : t.ticks);
  auto d = static_cast<unsigned __int128>(t.hz);
  const int shift = 63 - (width(n) - width(d));
  if (shift > 0) n <<= shift;  // to 63 bits more than d has
  if (shift < 0) d <<= -shift;
  auto bits = static_cast<std::uint64_t>(n / d);
  if (n % d != 0) bits |= 1;
  const double result = std::ldexp(static_cast<double>(bits), -shift);
  return t.ticks < 0 ? -result : result;
}

bool small_as_list(Context& cx, const SmallTime& t, Value* out) {
  Wide ps = 0;
  if (kTrillion % t.hz == 0) {
    if (__builtin_mul_overflow(t.ticks, Wide{kTrillion / t.hz}, &ps)) return false;
  } else {
    if (__builtin_mul_overflow(t.ticks, Wide{kTrillion}, &ps)) return false;
    ps = floor_quotient(ps, t.hz);
  }
  const Wide seconds = floor_quotient(ps, kTrillion);
  if (!fits_word(seconds)) return false;
  const auto s = static_cast<std::int64_t>(seconds);
  const auto rest = static_cast<std::int64_t>(ps - seconds * kTrillion);
  *out = list(cx, {Value::fixnum(s >> 16), Value::fixnum(s & 0xFFFF), Value::fixnum(rest / 1'000'000),
                   Value::fixnum(rest % 1'000'000)});
  return true;
}

bool small_at_frequency(const SmallTime& t, std::int64_t hz, std::int64_t* ticks) {
  Wide product = 0;
  if (__builtin_mul_overflow(t.ticks, Wide{hz}, &product)) return false;
  const Wide quotient = floor_quotient(product, t.hz);
  if (!fits_word(quotient)) return false;
  *ticks = static_cast<std::int64_t>(quotient);
  return true;
}

bool small_compare(const SmallTime& a, const SmallTime& b, int* order) {
  Wide x = 0;
  Wide y = 0;
  if (__builtin_mul_overflow(a.ticks, Wide{b.hz}, &x) || __builtin_mul_overflow(b.ticks, Wide{a.hz}, &y)) return false;
  *order = x < y ? -1 : static_cast<int>(x > y);
  return true;
}

bool small_combine(const SmallTime& a, const SmallTime& b, bool subtract, SmallTime* out) {
  const std::int64_t common = std::gcd(a.hz, b.hz);
  Wide x = 0;
  Wide y = 0;
  Wide ticks = 0;
  if (__builtin_mul_overflow(a.ticks, Wide{b.hz / common}, &x) ||
      __builtin_mul_overflow(b.ticks, Wide{a.hz / common}, &y))
    return false;
  if (subtract ? __builtin_sub_overflow(x, y, &ticks) : __builtin_add_overflow(x, y, &ticks)) return false;
  Wide hz = static_cast<Wide>(a.hz) * (b.hz / common);
  if (!fits_word(hz)) return false;
  if (a.hz != b.hz) {
    const std::int64_t divisor = std::gcd(static_cast<std::int64_t>(ticks % hz), static_cast<std::int64_t>(hz));
    ticks /= divisor;
    hz /= divisor;
    const std::int64_t least = std::min(a.hz, b.hz);
    if (hz < least) {
      const Wide factor = (least + hz - 1) / hz;
      if (__builtin_mul_overflow(ticks, factor, &ticks)) return false;
      hz *= factor;  // below twice the least
    }
  }
  if (!fits(ticks) || !fits_word(hz)) return false;
  *out = {ticks, static_cast<std::int64_t>(hz), TimeForm::kInteger};
  return true;
}

}  // namespace neomacs::host
