// Time values of at most some 2^96 ticks and a frequency that fits a machine word, as nearly all do: the arithmetic of time_value.hpp
// without GMP. Each function answers false, and changes nothing, where a result might not fit; the caller then takes the other way.
#pragma once

#include "time/time_value.hpp"

namespace neomacs::host {

using Wide = __int128;

struct SmallTime {
  Wide ticks = 0;
  std::int64_t hz = 1;  // above 0
  TimeForm form = TimeForm::kInteger;
};

// V, when it is a valid time value and small.
bool small_time(Value v, SmallTime* out);
// Nearest double.
double small_as_double(const SmallTime& t);
// (HI LO US PS), rounded down. Allocates.
bool small_as_list(Context& cx, const SmallTime& t, Value* out);
// Ticks of 1/HZ seconds, rounded down. Precondition: hz > 0.
bool small_at_frequency(const SmallTime& t, std::int64_t hz, std::int64_t* ticks);
// *order: -1, 0 or 1.
bool small_compare(const SmallTime& a, const SmallTime& b, int* order);
// Sum or difference, at the frequency that Emacs gives it: the least common multiple, reduced, but not below both arguments'.
bool small_combine(const SmallTime& a, const SmallTime& b, bool subtract, SmallTime* out);
bool fits_word(Wide w);

}  // namespace neomacs::host
