#include "time/zone.hpp"

#include <cstdio>
#include <cstdlib>

namespace neomacs::host {

using namespace neovm;  // NOLINT

std::string offset_name(long long offset) {
  const long long a = offset < 0 ? -offset : offset;
  char text[64];
  const long long m = a / 60 % 60;
  const long long s = a % 60;
  int n = std::snprintf(text, sizeof text, "%c%02lld", offset < 0 ? '-' : '+', a / 3600);
  if (m != 0 || s != 0) n += std::snprintf(text + n, sizeof text - static_cast<std::size_t>(n), "%02lld", m);
  if (s != 0) std::snprintf(text + n, sizeof text - static_cast<std::size_t>(n), "%02lld", s);
  return text;
}

namespace {

// POSIX rule for a fixed offset: names in <>, and the sign counts westward.
std::string offset_rule(long long offset, const std::string& name) {
  bool letters = true;
  for (const char c : name) letters &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const long long a = offset < 0 ? -offset : offset;
  char text[64];
  std::snprintf(text, sizeof text, "%s%lld:%02lld:%02lld", offset < 0 ? "" : "-", a / 3600, a / 60 % 60, a % 60);
  return (letters ? name : "<" + name + ">") + text;
}

}  // namespace

Maybe<Zone> zone_argument(Context& cx, Value zone) {
  Zone out;
  if (zone.is_nil() || zone == Qwall) return out;
  out.local = false;
  if (zone == Qt || zone == Value::fixnum(0)) {
    out.utc = zone == Qt;
    out.tz = out.utc ? "GMT0" : "UTC0";
    return out;
  }
  if (zone.is_string()) {
    out.tz = to_std_string(zone).c_str();
    return out;
  }
  if (zone.is_fixnum()) {
    out.tz = offset_rule(zone.as_fixnum(), offset_name(zone.as_fixnum()));
    return out;
  }
  if (zone.is_cons() && car_raw(zone).is_fixnum() && cdr_raw(zone).is_cons()) {
    const Value name = car_raw(cdr_raw(zone));
    if (!name.is_string()) return wrong_type(cx, Qstringp, name);
    out.tz = offset_rule(car_raw(zone).as_fixnum(), to_std_string(name).c_str());
    return out;
  }
  return signal_error2(cx, Qerror, make_string(cx, "Invalid time zone specification"), zone);
}

namespace {

// TZ belongs to the process, and the C library converts by it only: one isolate at a time. Scopes nest.
std::recursive_mutex& zone_lock() {
  static std::recursive_mutex lock;
  return lock;
}

}  // namespace

void set_local_zone(const Zone& zone) {
  const std::lock_guard guard(zone_lock());
  if (zone.local) {
    unsetenv("TZ");
  } else {
    setenv("TZ", zone.tz.c_str(), 1);
  }
  tzset();
}

ZoneScope::ZoneScope(const Zone& zone) : guard_(zone_lock()) {
  if (zone.local) {
    tzset();
    return;
  }
  changed_ = true;
  if (const char* old = std::getenv("TZ")) {
    had_ = true;
    old_ = old;
  }
  setenv("TZ", zone.tz.c_str(), 1);
  tzset();
}

ZoneScope::~ZoneScope() {
  if (!changed_) return;
  if (had_) {
    setenv("TZ", old_.c_str(), 1);
  } else {
    unsetenv("TZ");
  }
  tzset();
}

bool break_down(std::time_t t, const Zone& zone, std::tm* out, std::string* abbreviation) {
  const ZoneScope scope(zone);
  if (localtime_r(&t, out) == nullptr) return false;
  if (abbreviation != nullptr) *abbreviation = out->tm_zone != nullptr ? out->tm_zone : "";
  out->tm_zone = nullptr;  // points into the library's table of the zone that is about to go
  return true;
}

}  // namespace neomacs::host
