// Time values: exact fractions of a second since the epoch.
//
// Lisp writes them as nil (now), an integer, a float, (TICKS . HZ), or (HI LO [US [PS]]); all are read
// into ticks and a frequency, both of any size, so arithmetic is exact as in Emacs.
#pragma once

#include <gmp.h>

#include <ctime>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using neovm::Context;
using neovm::Maybe;
using neovm::Value;

// An integer of any size.
class Integer {
 public:
  Integer() { mpz_init(z_); }
  explicit Integer(long n) { mpz_init_set_si(z_, n); }
  Integer(const Integer& o) { mpz_init_set(z_, o.z_); }
  Integer(Integer&& o) noexcept {
    mpz_init(z_);
    mpz_swap(z_, o.z_);
  }
  Integer& operator=(Integer o) noexcept {
    mpz_swap(z_, o.z_);
    return *this;
  }
  ~Integer() { mpz_clear(z_); }
  mpz_ptr get() { return z_; }
  [[nodiscard]] mpz_srcptr get() const { return z_; }

 private:
  mpz_t z_;
};

// Precondition: is_integer(v).
Integer integer_from_raw(Value v);
Value integer_to_value(Context& cx, const Integer& n);

enum class TimeForm : std::uint8_t { kNow, kInteger, kFloat, kTicks, kList };

struct TimeValue {
  Integer ticks;
  Integer hz{1};
  TimeForm form = TimeForm::kInteger;
  bool finite = true;  // false: a float NaN or infinity, kept in `number`
  double number = 0;
};

Maybe<TimeValue> time_argument(Context& cx, Value v);
// Nearest double.
double time_as_double(const TimeValue& t);
// Seconds and nanoseconds, rounded down; signals "Specified time is not representable".
Maybe<timespec> time_as_timespec(Context& cx, const TimeValue& t);
Maybe<timespec> timespec_argument(Context& cx, Value v);

timespec current_timespec();
// (HI LO US PS)
Value time_list(Context& cx, timespec t);
// (HI LO US PS) of a fraction, rounded down.
Value time_list(Context& cx, const TimeValue& t);
neovm::ExitTag time_not_representable(Context& cx);

}  // namespace neomacs::host
