// Sleeping, deadlines, intervals.
//
// Time is an Instant: nanoseconds of the runtime's clock (CLOCK_MONOTONIC, or virtual time in deterministic mode). Timers
// have the wheel's grain of 65.5 µs (timer_wheel.hpp): a wait never ends early, and on an idle worker at most about a
// grain and the kernel's wake-up late. On a busy worker timers are looked at between tasks and whenever a running task
// polls (task.hpp), so they are late by at most the longest stretch without a poll.
//
// Durations that are zero or negative and instants in the past end at once with the outcome of a passed timer (kOk for a
// sleep, kTimeout for a wait); durations too large for the clock mean "never".
#pragma once

#include "neovm/worker/wait.hpp"

namespace neovm::worker {

// The clock of the runtime that the caller runs on; monotonic time on other threads.
Instant now();
// now() + d, saturating at kNever; the past for negative durations.
Instant after(Duration d);

// Waits until the time has come. kOk, or kCancelled, kDeadline, kShutdown when the task was ended first.
class SleepOp : public Operation<SleepOp> {
 public:
  explicit SleepOp(Instant until) { timer_.deadline = until; }
  SleepOp(const SleepOp&) = delete;
  SleepOp& operator=(const SleepOp&) = delete;
  bool ready() { return false; }
  bool begin(WaitCell& cell);
  Status finish();

 private:
  WaitTimer timer_;
  WaitCell* cell_ = nullptr;
  Status outcome_ = Status::kOk;
};

inline SleepOp sleep_until(Instant t) { return SleepOp(t); }
inline SleepOp sleep_for(Duration d) { return SleepOp(after(d)); }

// A timer of its own: set, put off or cancelled any number of times, waited for by at most one task at a time.
// It belongs to the task that made it and must be cancelled or fired before it is destroyed (the destructor cancels).
// Precondition of set(): inside a task.
class Alarm {
 public:
  Alarm() = default;
  ~Alarm() { cancel(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  void set(Instant t);
  // True: it was set and will not fire any more.
  bool cancel();
  [[nodiscard]] bool fired() const { return timer_.fired.load(std::memory_order_acquire); }
  // Until it fires: kOk. kInvalid when it is neither set nor fired.
  class WaitOp : public Operation<WaitOp> {
   public:
    explicit WaitOp(Alarm& a) : alarm_(&a) {}
    WaitOp(const WaitOp&) = delete;
    WaitOp& operator=(const WaitOp&) = delete;
    bool ready() { return alarm_->fired(); }
    bool begin(WaitCell& cell);
    Status finish();

   private:
    Alarm* alarm_;
    WaitCell* cell_ = nullptr;
    Status outcome_ = Status::kOk;
  };
  WaitOp wait() { return WaitOp(*this); }

 private:
  friend struct AlarmAccess;
  struct Timer : WaitTimer {
    std::atomic<bool> fired{false};
  };
  Timer timer_;
};

// A steady beat: `co_await interval.tick()` waits for the next multiple of the period after the creation. A beat that
// was missed is not made up for: the next tick is the first one in the future, and missed() counts the others.
// Periods below one grain of the wheel are taken as one grain. One task uses it at a time.
class Interval {
 public:
  explicit Interval(Duration period);
  SleepOp tick();
  [[nodiscard]] std::uint64_t missed() const { return missed_; }

 private:
  std::uint64_t period_;
  Instant next_;
  std::uint64_t missed_ = 0;
};

}  // namespace neovm::worker
