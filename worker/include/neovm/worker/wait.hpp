// What every wait is made of: a cell that is claimed once, and an optional timer.
//
// A waiter (a task, or a thread outside the pool) owns one WaitCell. To wait, an operation takes the lock of
// what it waits for, links a node there, arms the cell, and releases the lock. Whoever ends the wait (a
// sender, a closer, a timer, a canceller) must win the one compare-and-swap in claim(); the winner writes the
// outcome and makes the waiter runnable, everybody else passes on. The waiter then unlinks its nodes under the
// same locks, so a node is only ever touched under the lock of the list it is in.
//
// An operation is an object with begin(cell) and finish():
//   bool begin(WaitCell&)  true: it is over, call finish(). false: the waiter is parked; after it was made runnable, finish().
//                          When begin() returned false nothing of the operation may be touched until then: another
//                          thread may be running the waiter already.
//   R finish()             the outcome.
// The awaitable operations of this library are all of this form, so the same object can be awaited by a
// coroutine (`co_await op`), driven by a step task (task.hpp), or waited for by a thread or a native
// stack (`wait(op)`, runtime.hpp).
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <utility>

#include "neovm/worker/status.hpp"
#include "neovm/worker/timer_wheel.hpp"

namespace neovm::worker {

using Duration = std::chrono::nanoseconds;
// Nanoseconds of the runtime's clock: monotonic time, or virtual time in deterministic mode.
using Instant = std::uint64_t;
inline constexpr Instant kNever = ~Instant{0};

class RuntimeCore;
class WorkerState;
struct TaskHeader;

enum class CellState : std::uint32_t { kIdle, kArmed, kArmedShielded, kClaimed };

struct WaitCell {
  std::atomic<CellState> state{CellState::kIdle};
  std::uint16_t branch = 0;      // which of several things ended the wait
  Status outcome = Status::kOk;  // written by the winner of claim()
  const bool is_task;

  explicit WaitCell(bool task) : is_task(task) {}
  WaitCell(const WaitCell&) = delete;
  WaitCell& operator=(const WaitCell&) = delete;
};

// A place in somebody's list of waiters. Touched only under that list's lock.
struct WaitNode {
  WaitNode* next = nullptr;
  WaitNode* previous = nullptr;  // null when not linked
  WaitCell* cell = nullptr;
  void* slot = nullptr;  // where the value is (a sender's) or goes (a receiver's)
  std::uint16_t branch = 0;
  [[nodiscard]] bool linked() const { return previous != nullptr; }
};

// FIFO of waiters. Not synchronized: the owner's lock covers it.
class WaitList {
 public:
  WaitList() { head_.next = head_.previous = &head_; }
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;
  [[nodiscard]] bool empty() const { return head_.next == &head_; }
  void push_back(WaitNode* n) {
    n->previous = head_.previous;
    n->next = &head_;
    head_.previous->next = n;
    head_.previous = n;
  }
  WaitNode* front() { return empty() ? nullptr : head_.next; }
  WaitNode* back() { return empty() ? nullptr : head_.previous; }
  static void unlink(WaitNode* n) {
    n->previous->next = n->next;
    n->next->previous = n->previous;
    n->next = n->previous = nullptr;
  }

 private:
  WaitNode head_;
};

// The timeout of one wait. Lives in the operation; armed by begin(), disarmed by finish().
struct WaitTimer : TimerNode {
  WaitCell* cell = nullptr;
  WorkerState* wheel = nullptr;  // whose wheel holds it
  Instant deadline = kNever;
};

namespace detail {
// The waiter of the calling coroutine: what `co_await` hands to begin().
WaitCell& suspend_at(TaskHeader& task, std::coroutine_handle<> point);
// The running task has been asked to stop and does not shield itself: its waits go through begin(), which says so.
bool stop_pending();
}  // namespace detail

// Base of the awaitable operations: turns begin()/finish() into a C++ awaitable. `Self` provides them, and may provide
// `bool ready()` that finishes without a waiter.
template <class Self>
struct Operation {
  bool await_ready() { return !detail::stop_pending() && self().ready(); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    return !self().begin(detail::suspend_at(*h.promise().task, h));
  }
  decltype(auto) await_resume() { return self().finish(); }

 private:
  Self& self() { return static_cast<Self&>(*this); }
};

}  // namespace neovm::worker
