// Broken-down times: decode-time, encode-time, current-time-string, current-time-zone.
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "time/time_value.hpp"
#include "time/zone.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

NEOVM_PRIMITIVE(decode_time, "decode-time", 0, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return TIME in ZONE as (SEC MINUTE HOUR DAY MONTH YEAR DOW DST UTCOFF).")
(Context& cx, Value time, Value zone, Value form) {
  const TimeValue t = TRY(time_argument(cx, time));
  const timespec ts = TRY(time_as_timespec(cx, t));
  const Zone z = TRY(zone_argument(cx, zone));
  std::tm tm{};
  if (!break_down(ts.tv_sec, z, &tm, nullptr)) return time_not_representable(cx);
  Value second = Value::fixnum(tm.tm_sec);
  if (form == Qt && mpz_cmp_ui(t.hz.get(), 1) != 0) {
    Integer ticks;
    mpz_fdiv_r(ticks.get(), t.ticks.get(), t.hz.get());
    Integer whole(tm.tm_sec);
    mpz_addmul(ticks.get(), whole.get(), t.hz.get());
    const Value n = TRY(integer_to_value(cx, ticks));
    const Value hz = TRY(integer_to_value(cx, t.hz));
    second = cons(cx, n, hz);
  }
  return list(cx,
              {second, Value::fixnum(tm.tm_min), Value::fixnum(tm.tm_hour), Value::fixnum(tm.tm_mday),
               Value::fixnum(tm.tm_mon + 1), Value::fixnum(std::int64_t{1900} + tm.tm_year), Value::fixnum(tm.tm_wday),
               tm.tm_isdst < 0 ? Value::fixnum(-1) : boolean(tm.tm_isdst > 0), Value::fixnum(tm.tm_gmtoff)});
}

Maybe<int> field(Context& cx, Value v, std::int64_t offset) {
  if (!v.is_fixnum()) return wrong_type(cx, Qfixnump, v);
  const std::int64_t n = v.as_fixnum() - offset;
  if (n < INT_MIN || n > INT_MAX) return time_not_representable(cx);
  return static_cast<int>(n);
}

// mktime fails with -1, which is also a time: the weekday tells the two apart.
bool make_time(std::tm tm, const Zone& zone, std::time_t* out) {
  tm.tm_wday = -1;
  if (zone.utc) {
    tm.tm_isdst = 0;
    *out = timegm(&tm);
  } else {
    const ZoneScope scope(zone);
    *out = std::mktime(&tm);
  }
  return *out != -1 || tm.tm_wday >= 0;
}

NEOVM_PRIMITIVE(encode_time, "encode-time", 1, kMany, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the time value of (SECOND MINUTE HOUR DAY MONTH YEAR IGNORED DST ZONE).")
(Context& cx, Arguments args) {
  Value part[6];
  Value zone = kNil;
  std::tm tm{};
  tm.tm_isdst = -1;
  if (args.size() == 1) {
    Value rest = args[0];
    Value all[9];
    for (Value& v : all) {
      if (!rest.is_cons()) return wrong_type(cx, Qconsp, rest);
      v = car_raw(rest);
      rest = cdr_raw(rest);
    }
    for (int i = 0; i < 6; ++i) part[i] = all[i];
    if (!all[7].is_fixnum()) {
      tm.tm_isdst = all[7].is_nil() ? 0 : 1;
    } else if (all[7].as_fixnum() >= 0) {
      tm.tm_isdst = 1;
    }
    zone = all[8];
  } else {
    if (args.size() < 6) {
      return signal_error2(cx, Qwrong_number_of_arguments, Qencode_time,
                           Value::fixnum(static_cast<std::int64_t>(args.size())));
    }
    for (std::size_t i = 0; i < 6; ++i) part[i] = args[i];
    if (args.size() > 6) zone = args.back();
  }
  TimeValue second = TRY(time_argument(cx, part[0]));
  if (!second.finite) {
    TRY(time_as_timespec(cx, second));
  }
  Integer whole;
  Integer fraction;
  mpz_fdiv_qr(whole.get(), fraction.get(), second.ticks.get(), second.hz.get());
  const Value whole_value = TRY(integer_to_value(cx, whole));
  const Zone z = TRY(zone_argument(cx, zone));
  if (zone.is_fixnum() || zone.is_cons()) tm.tm_isdst = 0;  // an offset says it all
  tm.tm_sec = part[0].is_nil() ? static_cast<int>(mpz_get_si(whole.get())) : TRY(field(cx, whole_value, 0));
  tm.tm_min = TRY(field(cx, part[1], 0));
  tm.tm_hour = TRY(field(cx, part[2], 0));
  tm.tm_mday = TRY(field(cx, part[3], 0));
  tm.tm_mon = TRY(field(cx, part[4], 1));
  tm.tm_year = TRY(field(cx, part[5], 1900));
  std::time_t t = 0;
  if (!make_time(tm, z, &t)) return time_not_representable(cx);
  if (mpz_cmp_ui(second.hz.get(), 1) == 0) return list(cx, {Value::fixnum(t >> 16), Value::fixnum(t & 0xFFFF)});
  const Integer base(t);
  mpz_addmul(fraction.get(), base.get(), second.hz.get());
  const Value ticks = TRY(integer_to_value(cx, fraction));
  const Value hz = TRY(integer_to_value(cx, second.hz));
  return cons(cx, ticks, hz);
}

NEOVM_PRIMITIVE(current_time_string, "current-time-string", 0, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return TIME in ZONE as \"Sun Sep 16 01:03:52 1973\".")
(Context& cx, Value time, Value zone) {
  const timespec ts = TRY(timespec_argument(cx, time));
  const Zone z = TRY(zone_argument(cx, zone));
  std::tm tm{};
  if (!break_down(ts.tv_sec, z, &tm, nullptr)) return time_not_representable(cx);
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[80];
  const int n = std::snprintf(text, sizeof text, "%s %s%3d %02d:%02d:%02d %lld", kDays[tm.tm_wday], kMonths[tm.tm_mon],
                              tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, 1900LL + tm.tm_year);
  return make_unibyte_string(cx, {text, static_cast<std::size_t>(n)});
}

NEOVM_PRIMITIVE(current_time_zone, "current-time-zone", 0, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return (OFFSET ABBREVIATION) of ZONE at TIME.")
(Context& cx, Value time, Value zone) {
  const timespec ts = TRY(timespec_argument(cx, time));
  const Zone z = TRY(zone_argument(cx, zone));
  std::tm tm{};
  std::string name;
  if (!break_down(ts.tv_sec, z, &tm, &name)) return list(cx, {kNil, kNil});
  if (name.empty()) name = offset_name(tm.tm_gmtoff);
  return list(cx, {Value::fixnum(tm.tm_gmtoff), make_multibyte_string(cx, name)});
}

NEOVM_PRIMITIVE(set_time_zone_rule, "set-time-zone-rule", 1, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kNondeterministic, "Make ZONE the local time zone; nil means the one at start.")
(Context& cx, Value zone) {
  const Zone z = TRY(zone_argument(cx, zone));
  set_local_zone(z);
  return kNil;
}

}  // namespace
}  // namespace neomacs::host
