// The header of a task and the promise of its coroutines: what task.hpp's templates need to see. Not for users.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "neovm/worker/sync.hpp"
#include "neovm/worker/wait.hpp"

namespace neovm::worker {

class TaskGroup;
struct TaskExtra;
struct TaskHeader;

// What is the same for all tasks of a type.
struct TaskKind {
  void (*discard)(TaskHeader*);     // destroys what never ran
  void (*drop_value)(TaskHeader*);  // destroys a result that nobody took; null: nothing to do
};

// `run` resumes the task on the calling worker and returns when it parks, gives way or ends; after that the header may
// be gone or running elsewhere.
struct TaskHeader : WaitCell {
  // Bits of `flags`: set by anybody, never cleared.
  static constexpr std::uint32_t kCancelRequested = 1;
  static constexpr std::uint32_t kDeadlinePassed = 2;
  static constexpr std::uint32_t kShutDown = 4;
  static constexpr std::uint32_t kPassedOn = 8;  // a canceller has taken it on, with its descendants

  // How far a step task got: a wake-up while it still runs is kept for its return.
  enum class StepState : std::uint8_t { kRunning, kParked, kNotified };

  std::atomic<std::uint32_t> flags{0};
  std::uint16_t shields = 0;  // this task only
  std::uint8_t priority = 1;
  bool main_only = false;
  std::int16_t pin = -1;
  std::int16_t native_pin = -1;  // the worker that holds its native stack
  std::atomic<StepState> step_state{StepState::kParked};
  bool is_step = false;
  bool never_began = false;

  // Under `lock`: the end and the references.
  SpinLock lock;
  std::atomic<Status> ended{Status::kPending};
  bool handle_dropped = false;
  bool error_seen = false;
  std::atomic<std::uint32_t> references{0};  // TaskRefs; written under `lock`
  TaskHeader* next = nullptr;                // queue link
  RuntimeCore* runtime = nullptr;
  // Up to here is the first cache line: all that waking the task touches. The rest is its own worker's while it waits.

  WaitNode* joiner = nullptr;  // under `lock`
  void (*run)(TaskHeader*) = nullptr;
  void* resume_point = nullptr;  // coroutine frame, or the state of another kind
  const TaskKind* kind = nullptr;
  std::atomic<TaskHeader*> joining{nullptr};  // whom this task is waiting to join

  // Under the parent group's lock.
  TaskGroup* parent = nullptr;
  TaskHeader* sibling_next = nullptr;
  TaskHeader* sibling_previous = nullptr;

  TaskGroup* groups = nullptr;        // open scopes of this task, innermost first; under `lock`
  TaskGroup* own_group = nullptr;     // of children spawned without a scope; made when needed; set under `lock`
  TaskExtra* extra = nullptr;         // deadline timer, locals, native stack: made when needed
  TaskHeader* cancel_next = nullptr;  // the list of the canceller that set kPassedOn
  std::uint32_t name = 0;             // NameId
  std::uint32_t rotation = 0;         // where the next select of this task starts
  std::uint64_t id = 0;
  std::uint64_t queued_at = 0;  // telemetry: when it was made runnable
  std::exception_ptr error;

  TaskHeader() : WaitCell(true) {}
};

// With its pool's prefix of 16 bytes a header without a result fills three cache lines.
static_assert(sizeof(TaskHeader) <= 176);

// The header together with the place for the result.
template <class T>
struct TaskBlock : TaskHeader {
  std::optional<T> value;
};
template <>
struct TaskBlock<void> : TaskHeader {};

namespace detail {

template <class T>
struct Promise;  // task_inline.hpp

// Frames and headers come from the running worker's pool, or the heap on other threads. nullptr when there is no memory.
void* pool_allocate(std::size_t bytes) noexcept;
void pool_free(void* p) noexcept;

// The root coroutine has ended and its frame is gone; the task ends. Touches neither afterwards.
void root_ended(TaskHeader* task);

// What the running worker resumes when the coroutine that calls this has suspended. (Calls and returns between coroutines go
// through the worker's loop: a tail call would do, but is not one in builds without optimization, and the stack would grow.)
void go_on_with(std::coroutine_handle<> frame) noexcept;

struct PromiseBase {
  TaskHeader* task = nullptr;
  std::coroutine_handle<> caller = nullptr;  // whom to go on with; null in the root
  std::exception_ptr error;

  static void* operator new(std::size_t bytes) noexcept { return pool_allocate(bytes); }
  static void operator delete(void* p) noexcept { pool_free(p); }
  std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

}  // namespace detail
}  // namespace neovm::worker
