// Tasks: what they are, how they are started, awaited, cancelled.
//
// A task is a chain of coroutine frames from the workers' pools and a header; no thread and no stack is held while it is
// parked, and any worker may resume it. `Task<T>` is the type of such a coroutine. Calling one makes a frame and runs
// nothing; then either
//     T value = co_await child(args);              runs it as a part of this task, as a function call does, or
//     JoinHandle<T> h = spawn(child(args));        makes a task of its own.
// Parameters taken by reference must outlive the task; a lambda with captures must be spawned as
// `spawn_call(options, lambda, args...)`, which keeps the closure alive, not as `spawn(lambda(args...))`.
//
// With g++ 12 do not await in the condition of an `if`, `while` or `switch` in a coroutine whose outermost block declares no
// variable: the compiler runs the coroutine's start twice. `const Status s = co_await op; if (s != …)` is right everywhere.
//
// Structure: a task spawned inside a task is its child (unless detached, or spawned into a Scope, scope.hpp). A task
// is finished only when its children are: at its end they are joined; if it failed or was cancelled they are cancelled
// first. Cancellation and deadlines pass down. An error of a child that nobody joined goes to the parent's report
// (Scope::errors, or RuntimeConfig::on_unawaited_error).
//
// Cancellation is a request: the task sees it as kCancelled (kDeadline when its deadline passed) from the wait it is in
// and from every later one, and by poll(). A task that had not begun never begins. A task that neither waits nor polls
// runs on; nothing else waits for it but its parent.
//
// Threads: a JoinHandle is owned by one thread or task at a time and may be moved; TaskRef may be copied freely and used
// everywhere. Handles may outlive the runtime: their task is then done.
//
// Bad input, all defined: joining twice (or an empty handle): kAlreadyAwaited; joining oneself or closing a cycle of
// joins: kDeadlock to the one that closes it; cancelling a finished task: no effect, kOk; a deadline in the past: the task
// never begins and joins with kDeadline; a body that throws: joins with kFailed and the exception (what would have been
// std::terminate is not); no memory for a frame: spawn gives a handle that joins with kNoMemory; RuntimeConfig::max_tasks
// reached: kLimit; runtime shutting down: kShutdown.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "neovm/worker/task_core.hpp"
#include "neovm/worker/telemetry.hpp"
#include "neovm/worker/time.hpp"
#include "neovm/worker/wait.hpp"

namespace neovm::worker {

template <class T = void>
class Task;
template <class T = void>
class JoinHandle;
class Scope;

enum class Priority : std::uint8_t { kInteractive, kNormal, kBackground };
inline constexpr unsigned kPriorities = 3;

struct SpawnOptions {
  // Shown by telemetry. A name is copied and looked up under a lock; where spawning is hot, intern it once
  // (Runtime::intern_name) and give the id instead.
  std::string_view name = {};
  NameId name_id = kNoName;
  std::optional<Priority> priority = {};  // default: the parent's, kNormal outside of tasks
  Instant deadline = kNever;              // default: the parent's; an earlier one of the parent wins
  bool detached = false;                  // no parent: nobody waits for it, nothing is passed down
  bool main_only = false;  // runs on the thread that is in Runtime::run_main or block_on, never on a worker
  int pin = -1;            // runs on this worker only (0 .. workers-1)
  Scope* scope = nullptr;  // the scope to join; default: the spawning task
};

// What a join delivers. `value` is present exactly when status is kOk.
template <class T>
struct JoinResult {
  Status status = Status::kOk;
  std::optional<T> value = {};
  std::exception_ptr error = {};  // kFailed only
  [[nodiscard]] bool ok() const { return status == Status::kOk; }
};
template <>
struct JoinResult<void> {
  Status status = Status::kOk;
  std::exception_ptr error = {};
  [[nodiscard]] bool ok() const { return status == Status::kOk; }
};
// what() of the exception, "unknown" for others, "" for none.
std::string error_text(const std::exception_ptr& error);

// ---- handles ------------------------------------------------------------------------------------------------

// A counted reference to a task: to look at it or to cancel it. Copyable; any thread.
class TaskRef {
 public:
  TaskRef() = default;
  explicit TaskRef(TaskHeader* t);  // takes a new reference
  TaskRef(const TaskRef& o) : TaskRef(o.task_) {}
  TaskRef(TaskRef&& o) noexcept : task_(std::exchange(o.task_, nullptr)) {}
  TaskRef& operator=(TaskRef o) noexcept {
    std::swap(task_, o.task_);
    return *this;
  }
  ~TaskRef();
  explicit operator bool() const { return task_ != nullptr; }
  friend bool operator==(const TaskRef&, const TaskRef&) = default;

  // Asks the task and its descendants to stop. kOk, also when it is finished already; kAlreadyAwaited when empty.
  Status cancel() const;
  // kPending while unfinished, then how it ended: kOk, kFailed, kCancelled, kDeadline, kShutdown.
  [[nodiscard]] Status status() const;
  [[nodiscard]] bool done() const { return status() != Status::kPending; }
  // "" once the task has ended: names belong to the runtime, which a reference may outlive.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::uint64_t id() const;  // unique in its runtime, in order of spawning per worker
  [[nodiscard]] TaskHeader* header() const { return task_; }

 private:
  TaskHeader* task_ = nullptr;
};

// The end of a task, and the one right to its result. Move-only. Dropping it detaches: the task goes on (as a child of
// its parent), its value is dropped, its error is reported.
class JoinHandleBase {
 public:
  JoinHandleBase() = default;
  JoinHandleBase(JoinHandleBase&& o) noexcept
      : task_(std::exchange(o.task_, nullptr)), refused_(std::exchange(o.refused_, Status::kAlreadyAwaited)) {}
  JoinHandleBase& operator=(JoinHandleBase&& o) noexcept {
    if (this != &o) {
      drop();
      task_ = std::exchange(o.task_, nullptr);
      refused_ = std::exchange(o.refused_, Status::kAlreadyAwaited);
    }
    return *this;
  }
  JoinHandleBase(const JoinHandleBase&) = delete;
  JoinHandleBase& operator=(const JoinHandleBase&) = delete;
  ~JoinHandleBase() {
    if (task_ != nullptr) drop();
  }

  // There is a task to join. False after a join, detach, move, or a refused spawn.
  explicit operator bool() const { return task_ != nullptr; }
  Status cancel() const;
  // kPending, or how it ended (TaskRef::status); for an empty handle why it is empty.
  [[nodiscard]] Status status() const;
  void detach() { drop(); }
  [[nodiscard]] TaskRef ref() const { return TaskRef(task_); }

  explicit JoinHandleBase(TaskHeader* t) : task_(t) {}
  explicit JoinHandleBase(Status refused) : refused_(refused) {}

 protected:
  void drop();
  template <class T>
  friend class JoinOp;
  TaskHeader* task_ = nullptr;
  Status refused_ = Status::kAlreadyAwaited;
};

// The wait for a task's end. After kTimeout, kCancelled or kDeadline of the *waiter* (told apart by the handle: it is
// still full) the task runs on and may be joined again. In every other case the handle is empty afterwards.
class JoinWait {
 public:
  explicit JoinWait(Instant until) { timer_.deadline = until; }
  JoinWait(const JoinWait&) = delete;
  JoinWait& operator=(const JoinWait&) = delete;

 protected:
  bool wait_ready(TaskHeader* target);                  // done already
  bool wait_begin(WaitCell& cell, TaskHeader* target);  // true: over
  Status wait_finish(TaskHeader* target);               // kOk: the target is done

 private:
  WaitNode node_;
  WaitTimer timer_;
  Status outcome_ = Status::kPending;
};

template <class T>
class JoinOp : public Operation<JoinOp<T>>, private JoinWait {
 public:
  JoinOp(JoinHandleBase& h, Instant until) : JoinWait(until), handle_(&h) {}
  bool ready() { return handle_->task_ == nullptr || wait_ready(handle_->task_); }
  bool begin(WaitCell& cell) { return handle_->task_ == nullptr || wait_begin(cell, handle_->task_); }
  JoinResult<T> finish();

 private:
  JoinHandleBase* handle_;
};

template <class T>
class [[nodiscard]] JoinHandle : public JoinHandleBase {
 public:
  using JoinHandleBase::JoinHandleBase;
  // Waits for the end and takes the result: co_await, or wait(op) outside of coroutines.
  JoinOp<T> join() { return JoinOp<T>(*this, kNever); }
  JoinOp<T> join_until(Instant t) { return JoinOp<T>(*this, t); }
  JoinOp<T> join_for(Duration d);
};

// ---- the coroutine type ------------------------------------------------------------------------------------------

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> h) : frame_(h) {}
  Task(Task&& o) noexcept : frame_(std::exchange(o.frame_, nullptr)) {}
  Task& operator=(Task&& o) noexcept {
    if (this != &o) {
      if (frame_) frame_.destroy();
      frame_ = std::exchange(o.frame_, nullptr);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (frame_) frame_.destroy();
  }
  // False when there was no memory for the frame, and after a move. Awaiting such a task throws std::bad_alloc.
  explicit operator bool() const { return static_cast<bool>(frame_); }
  std::coroutine_handle<promise_type> release() { return std::exchange(frame_, nullptr); }

  struct Call {
    std::coroutine_handle<promise_type> frame;
    bool await_ready() {
      if (!frame) throw std::bad_alloc();
      return false;
    }
    template <class P>
    void await_suspend(std::coroutine_handle<P> caller) {
      frame.promise().task = caller.promise().task;
      frame.promise().caller = caller;
      detail::go_on_with(frame);
    }
    T await_resume() { return frame.promise().take(); }
  };
  // co_await task: runs it as a part of the awaiting task; delivers its value or rethrows its exception.
  Call operator co_await() && { return Call{frame_}; }

 private:
  std::coroutine_handle<promise_type> frame_ = nullptr;
};

// ---- starting ------------------------------------------------------------------------------------------------------

namespace detail {
template <class T>
JoinHandle<T> spawn_on(RuntimeCore* rt, Task<T> task, const SpawnOptions* options);
RuntimeCore* current_runtime();

template <class F, class... A>
auto kept(F f, A... args) -> std::invoke_result_t<F&, A...> {
  co_return co_await std::invoke(f, std::move(args)...);
}
}  // namespace detail

// Starts a task on the runtime of the running task. Outside of tasks use Runtime::spawn (this one refuses with kInvalid).
template <class T>
JoinHandle<T> spawn(Task<T> task) {
  return detail::spawn_on(detail::current_runtime(), std::move(task), nullptr);
}
template <class T>
JoinHandle<T> spawn(Task<T> task, const SpawnOptions& options) {
  return detail::spawn_on(detail::current_runtime(), std::move(task), &options);
}
// The same for a callable that returns a Task; the callable (a lambda with its captures) and the arguments are kept in
// the task until its end.
template <class F, class... A>
requires std::invocable<F&, A...>
auto spawn_call(const SpawnOptions& options, F f, A... args) {
  return spawn(detail::kept(std::move(f), std::move(args)...), options);
}

// ---- the running task ---------------------------------------------------------------------------------------------

namespace this_task {
TaskRef ref();  // empty outside of tasks
// Has this task been asked to stop? kOk, kCancelled or kDeadline. Any time, cheap.
Status cancelled();
// The safepoint of a loop: counts `fuel` units and, about every 50 µs, looks at the clock, the timers and the requests to
// this worker. True when the task should give way now: `if (this_task::poll()) co_await yield();`
bool poll(std::uint32_t fuel = 1);
// The deadline of the task, kNever when there is none.
Instant deadline();

// While one of these lives, waits of this task do not see cancellation (for cleaning up). Nests.
class Shield {
 public:
  Shield();
  ~Shield();
  Shield(const Shield&) = delete;
  Shield& operator=(const Shield&) = delete;

 private:
  TaskHeader* task_;
};

// Task-local values: a pointer for each key, inherited by children at spawn. A key is the address of anything.
void* local(const void* key);
void set_local(const void* key, void* value);
}  // namespace this_task

// Lets others run: the task goes to the end of its queue. kOk; kCancelled or kDeadline when asked to stop.
class YieldOp {
 public:
  bool await_ready() { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> h) {
    requeue(h.promise().task, h);
  }
  Status await_resume() { return this_task::cancelled(); }

 private:
  static void requeue(TaskHeader* task, std::coroutine_handle<> point);
};
inline YieldOp yield() { return {}; }

// ---- tasks that are not coroutines ---------------------------------------------------------------------------------

// A virtual machine's context is a task by a function that runs it until it ends, gives way or parks. To park: begin() an
// operation of wait.hpp with `self`; when that returns false return kPark at once; the next call finishes the operation.
// A wake-up between begin() and the return is kept. One call at a time, on any worker (or the pinned one).
enum class Step : std::uint8_t { kDone, kYield, kPark };
struct StepTask {
  Step (*step)(void* state, TaskHeader& self) = nullptr;
  void (*destroy)(void* state) =
      nullptr;  // called once, after the last step (or without one, when cancelled before the first)
  void* state = nullptr;
};
namespace detail {
JoinHandle<void> spawn_step(RuntimeCore* rt, const StepTask& task, const SpawnOptions& options);
}
inline JoinHandle<void> spawn(const StepTask& task, const SpawnOptions& options = {}) {
  return detail::spawn_step(detail::current_runtime(), task, options);
}
// For a step task's own use: its waiter, and "has it been asked to stop". To end with an error: fail(self, exception)
// before returning kDone.
WaitCell& waiter_of(TaskHeader& self);
Status cancelled(const TaskHeader& self);
void fail(TaskHeader& self, std::exception_ptr error);

// ---- under a C++ call ----------------------------------------------------------------------------------------------

// Runs `f` on a pooled native stack, so that C++ code below it can wait with wait(op) without holding up the worker: the
// stack is kept while parked and the task stays with its worker until f returns. What f throws comes out of the co_await.
//     co_await on_native_stack([&] { qsort_r(…, callback_that_waits, …); });
// Stacks have RuntimeConfig::native_stack_bytes and a guard page below; overflow is a crash, as on a thread.
class NativeCall {
 public:
  NativeCall(void (*call)(void*), void* argument) : call_(call), argument_(argument) {}
  NativeCall(const NativeCall&) = delete;
  NativeCall& operator=(const NativeCall&) = delete;
  bool await_ready() { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    return enter(*h.promise().task, h);
  }
  void await_resume();

 private:
  friend struct NativeStacks;
  bool enter(TaskHeader& task, std::coroutine_handle<> point);
  void (*call_)(void*);
  void* argument_;
  std::exception_ptr error_;
};
template <class F>
Task<void> on_native_stack(F f) {
  co_await NativeCall([](void* p) { (*static_cast<F*>(p))(); }, &f);
}

}  // namespace neovm::worker

#include "neovm/worker/task_inline.hpp"
