// Timers of waits and deadlines: each worker has a wheel under a lock of its own, so that a task that was woken elsewhere
// can take its timer out of the wheel it was armed in.
#include <time.h>

#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

namespace {

Instant monotonic() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<Instant>(ts.tv_sec) * 1'000'000'000 + static_cast<Instant>(ts.tv_nsec);
}

// Both run under the wheel's lock. What they claim is queued after it.
void collect(WorkerState* w, WaitCell* c) {
  auto* t = static_cast<TaskHeader*>(c);
  t->next = nullptr;
  *w->fired_tail = t;
  w->fired_tail = &t->next;
}

void fire_wait(TimerNode* n) {
  auto* timer = static_cast<WaitTimer*>(n);
  if (claim(*timer->cell, Status::kTimeout, 0)) collect(timer->wheel, timer->cell);
}

void fire_deadline(TimerNode* n) {
  auto* timer = static_cast<WaitTimer*>(n);
  auto* t = static_cast<TaskHeader*>(timer->cell);
  t->flags.fetch_or(TaskHeader::kDeadlinePassed, std::memory_order_seq_cst);
  heavy_fence(*t->runtime);
  CellState armed = CellState::kArmed;
  if (t->state.compare_exchange_strong(armed, CellState::kClaimed, std::memory_order_acq_rel)) {
    t->outcome = Status::kDeadline;
    t->branch = 0;
    collect(timer->wheel, t);
  }
}

void arm_timer(WaitTimer* timer, RuntimeCore* rt) {
  WorkerState* w = current_worker();
  bool foreign = false;
  if (w == nullptr || w->rt != rt || w->index >= rt->worker_count) {
    // Nobody sleeps on the wheel of the main thread or of a thread outside: the first worker's is used.
    w = rt->workers[0].get();
    foreign = rt->simulation == nullptr && !rt->config.deterministic;
  }
  bool earlier = false;
  {
    const SpinGuard guard(w->wheel_lock);
    timer->wheel = w;
    w->wheel.add(timer, timer->deadline);
    if (timer->deadline < w->next_expiry.load(std::memory_order_relaxed)) {
      w->next_expiry.store(timer->deadline, std::memory_order_seq_cst);
      earlier = true;
    }
  }
  if (!foreign) w->metrics->timers_armed.add();
  if (foreign && earlier) w->wake();
}

}  // namespace

Instant RuntimeCore::now() const { return config.deterministic || simulation ? virtual_now : monotonic(); }

Instant now() {
  WorkerState* w = current_worker();
  return w != nullptr ? w->rt->now() : monotonic();
}

Instant after(Duration d) {
  const Instant n = now();
  if (d.count() < 0) return 0;
  const auto add = static_cast<Instant>(d.count());
  return add > kNever - n ? kNever : n + add;
}

bool arm(WaitCell& c, WaitTimer* timer, Status* outcome) {
  if (!c.is_task) {
    auto& w = static_cast<ThreadWaiter&>(c);
    w.deadline = timer != nullptr ? timer->deadline : kNever;
    c.state.store(CellState::kArmed, std::memory_order_release);
    return true;
  }
  auto& t = static_cast<TaskHeader&>(c);
  current_worker()->metrics->task_parks.add();
  if (t.shields == 0) {
    // Either this store is before a canceller's claim, or the canceller's flag is before this look.
    store_light(t.state, CellState::kArmed, t.runtime->uneven);
    interleave();
    bool look = true;
    if constexpr (bugs(Bug::kArmBeforeFlag)) look = !check_bug(Bug::kArmBeforeFlag);
    if (look && (t.flags.load(std::memory_order_seq_cst) & kStopMask) != 0) {
      CellState armed = CellState::kArmed;
      if (t.state.compare_exchange_strong(armed, CellState::kIdle, std::memory_order_acq_rel)) {
        *outcome = stop_status(t.flags.load(std::memory_order_relaxed));
        return false;
      }
      return true;  // the canceller was first: the wait is over and the task is being queued
    }
  } else {
    t.state.store(CellState::kArmedShielded, std::memory_order_release);
  }
  if (timer != nullptr && timer->deadline != kNever) {
    timer->cell = &c;
    timer->fire = fire_wait;
    arm_timer(timer, t.runtime);
  }
  return true;
}

void disarm_timer_slowly(WaitTimer* timer) {
  WorkerState* const w = timer->wheel;
  bool cancelled = false;
  {
    const SpinGuard guard(w->wheel_lock);
    cancelled = w->wheel.cancel(timer);
  }
  timer->wheel = nullptr;
  if (cancelled) {
    WorkerState* const here = current_worker();
    if (here != nullptr) here->metrics->timers_cancelled.add();
  }
}

void arm_deadline(TaskHeader* t, Instant deadline) {
  TaskExtra* const extra = extra_of(t);
  if (extra == nullptr) return;
  extra->deadline.deadline = deadline;
  extra->deadline.cell = t;
  extra->deadline.fire = fire_deadline;
  if (deadline <= t->runtime->now()) {
    t->flags.fetch_or(TaskHeader::kDeadlinePassed, std::memory_order_seq_cst);
    return;
  }
  arm_timer(&extra->deadline, t->runtime);
}

bool WorkerState::look_at_timers() {
  const Instant due = next_expiry.load(std::memory_order_relaxed);
  if (due == kNever) return false;
  const Instant t = rt->now();
  if (t < due) return false;
  TaskHeader* list = nullptr;
  {
    const SpinGuard guard(wheel_lock);
    const std::uint64_t n = wheel.advance(t);
    current_worker()->metrics->timers_fired.add(n);
    next_expiry.store(wheel.next_wakeup_ns(), std::memory_order_relaxed);
    list = fired;
    fired = nullptr;
    fired_tail = &fired;
  }
  const bool any = list != nullptr;
  while (list != nullptr) {
    TaskHeader* const next = list->next;
    make_runnable(list);
    list = next;
  }
  return any;
}

bool SleepOp::begin(WaitCell& cell) {
  if (stop_requested(cell, &outcome_)) return true;
  if (timer_.deadline <= now()) return true;
  cell_ = &cell;
  if (!cell.is_task) return !arm(cell, &timer_, &outcome_);
  // A canceller may make the task runnable before the timer is armed; the task's lock holds it up in finish() until then.
  auto& t = static_cast<TaskHeader&>(cell);
  const SpinGuard guard(t.lock);
  if (arm(cell, &timer_, &outcome_)) return false;
  cell_ = nullptr;
  return true;
}

Status SleepOp::finish() {
  if (cell_ == nullptr) return outcome_;
  if (cell_->is_task) {
    auto& t = static_cast<TaskHeader&>(*cell_);
    t.lock.lock();
    t.lock.unlock();
  }
  disarm_timer(&timer_);
  const Status s = end_wait(*cell_);
  return s == Status::kTimeout ? Status::kOk : s;
}

// ---- alarms ----------------------------------------------------------------------------------------------------------------

// The timer's cell is the waiter's, null while nobody waits; both under the lock of the wheel that the alarm is in.
struct AlarmAccess {
  static void fire(TimerNode* n) {
    auto* timer = static_cast<Alarm::Timer*>(n);
    timer->fired.store(true, std::memory_order_release);
    if (timer->cell != nullptr && claim(*timer->cell, Status::kOk, 0)) collect(timer->wheel, timer->cell);
    timer->cell = nullptr;
  }
};

void Alarm::set(Instant t) {
  cancel();
  WorkerState* const w = current_worker();
  if (w == nullptr) return;
  timer_.fired.store(false, std::memory_order_relaxed);
  timer_.fire = AlarmAccess::fire;
  timer_.cell = nullptr;
  timer_.deadline = t;
  arm_timer(&timer_, w->rt);
}

bool Alarm::cancel() {
  WorkerState* const w = timer_.wheel;
  if (w == nullptr) return false;
  timer_.wheel = nullptr;
  const SpinGuard guard(w->wheel_lock);
  return w->wheel.cancel(&timer_);
}

bool Alarm::WaitOp::begin(WaitCell& cell) {
  if (stop_requested(cell, &outcome_)) return true;
  WorkerState* const w = alarm_->timer_.wheel;
  if (w == nullptr) {
    outcome_ = Status::kInvalid;
    return true;
  }
  const SpinGuard guard(w->wheel_lock);
  if (alarm_->fired()) return true;
  alarm_->timer_.cell = &cell;
  cell_ = &cell;
  if (arm(cell, nullptr, &outcome_)) return false;
  alarm_->timer_.cell = nullptr;
  cell_ = nullptr;
  return true;
}

Status Alarm::WaitOp::finish() {
  if (cell_ == nullptr) return outcome_;
  {
    const SpinGuard guard(alarm_->timer_.wheel->wheel_lock);
    alarm_->timer_.cell = nullptr;
  }
  return end_wait(*std::exchange(cell_, nullptr));
}

namespace {
constexpr std::uint64_t kGrain = std::uint64_t{1} << TimerWheel::kTickShift;
}

Interval::Interval(Duration period)
    : period_(period.count() < static_cast<Duration::rep>(kGrain) ? kGrain
                                                                  : static_cast<std::uint64_t>(period.count())),
      next_(now() + period_) {}

SleepOp Interval::tick() {
  const Instant t = now();
  if (t > next_) {
    const std::uint64_t late = (t - next_) / period_;
    if (t - next_ >= period_) {
      missed_ += late;
      next_ += late * period_;
    }
  }
  const Instant at = next_;
  next_ += period_;
  return SleepOp(at);
}

}  // namespace neovm::worker
