// Time zones. The C library is the judge of zone rules; it knows one zone at a time (TZ), so another one is
// put in place for the length of a computation. Main thread only.
#pragma once

#include <ctime>
#include <mutex>
#include <string>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

struct Zone {
  bool local = true;  // whatever TZ says now
  bool utc = false;   // Lisp's t
  std::string tz;     // a TZ string otherwise
};

// nil, t, wall, a TZ string, an offset in seconds, or (OFFSET ABBREVIATION).
neovm::Maybe<Zone> zone_argument(neovm::Context& cx, neovm::Value zone);
// Makes ZONE the process's zone for good (nil: as at start).
void set_local_zone(const Zone& zone);

// The process's zone is ZONE while it lives; other threads that want one wait.
class ZoneScope {
 public:
  explicit ZoneScope(const Zone& zone);
  ~ZoneScope();
  ZoneScope(const ZoneScope&) = delete;
  ZoneScope& operator=(const ZoneScope&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> guard_;
  bool changed_ = false;
  bool had_ = false;
  std::string old_;
};

// Broken-down time in ZONE; false when it does not fit. `abbreviation` gets the zone's name.
bool break_down(std::time_t t, const Zone& zone, std::tm* out, std::string* abbreviation);
// "+HH[MM[SS]]"
std::string offset_name(long long offset);

}  // namespace neomacs::host
