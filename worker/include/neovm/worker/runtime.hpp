// The runtime: worker threads, their queues, the clock, and the doors for threads outside of it.
//
//     Runtime rt({.workers = 2});
//     JoinResult<int> r = rt.block_on(main_task());
//
// Several runtimes may live in one process. The Runtime object is the embedding handle: it may be moved between threads;
// destroying and moving it is for one thread at a time, its member functions are for every thread. Nothing relies on which
// OS thread makes a call, and a runtime may be made on one thread and destroyed on another.
//
// Scheduling. Each worker has a ring of 256 tasks for each priority and a slot for the task it woke last, which runs next;
// the slot's use is capped, so two tasks that wake each other cannot keep out the others. A worker without work takes
// from the shared queue, then half of another worker's ring, then its slot. The shared queue is looked at every 61 tasks, lower
// priorities first every 8 (normal) and 32 (background) tasks, so none starves. Work for one more worker wakes at
// most one sleeper; a task handed to the slot alone wakes nobody. A worker that found nothing sleeps on a futex (or in the poller,
// when file descriptors are waited for) until its next timer: an idle runtime uses no processor.
//
// Shutdown. shutdown(d) cancels every task (kShutdown from their waits), waits up to d for them to end and stops the
// threads if they did. The destructor is shutdown without limit: a task that never waits nor polls holds it up,
// and the report of shutdown() names such tasks first.
//
// fork. The child of a fork has no worker threads: there every call answers kForked (spawn, block_on, wait) and the
// destructor frees nothing but the handle. Fork before making a runtime, or exec.
//
// Threads. If the system gives fewer worker threads than asked for, the runtime runs with those it got; with none, status()
// is kOutOfThreads and spawns are refused with it. A blocking call when no thread can be had answers kOutOfThreads.
//
// Deterministic mode (RuntimeConfig::deterministic). No thread is made; block_on runs everything on the calling thread. The
// seed decides which runnable task goes next and where waits give way; time stands still while a task runs and jumps to the next
// timer when none can. The same seed and program give the same run. blocking() runs its function inline. When nothing can
// run and no timer is armed, block_on answers kDeadlock. Its limits: tasks give way at waits and yields only, never between
// two operations that do not wait (the interleaving tests do that); descriptors are not waited for in virtual time (readable()
// and writable() answer kInvalid); what a program reads from outside (clocks, other threads, addresses) is not replayed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "neovm/worker/scope.hpp"
#include "neovm/worker/task.hpp"
#include "neovm/worker/telemetry.hpp"
#include "neovm/worker/trace.hpp"

namespace neovm::worker {

struct CheckHooks;

struct RuntimeConfig {
  unsigned workers = 0;    // 0: one for each processor this process may use; at most 256
  std::uint64_t seed = 0;  // 0: from the clock (deterministic mode: the seed zero)
  bool deterministic = false;
  Duration slice = std::chrono::milliseconds(1);
  std::uint64_t max_tasks = 0;         // unfinished tasks, 0: no limit
  unsigned max_blocking_threads = 64;  // at least 1
  std::size_t native_stack_bytes = 256 * 1024;
  std::string thread_name = "neovm";  // "-N" is added; cut to what the system takes
  // Called on the thread where it is found, for errors that no scope collects: of children that are in none, and of those
  // whose handle was dropped after their end (scope.hpp). It must not wait.
  std::function<void(const ScopeError&)> on_unawaited_error = {};
  // Asked before each thread is started (its number from 0); false refuses as the system would.
  std::function<bool(unsigned)> may_start_thread = {};
  // Interleaving tests only (sync.hpp); ignored by the ordinary library.
  const CheckHooks* check = nullptr;
};

struct ShutdownReport {
  Status status = Status::kOk;             // kOk, kTimeout, kForked
  std::vector<std::string> still_running;  // names (or ids) of tasks that have not ended; at most 100
  std::uint64_t still_running_count = 0;
};

class Runtime {
 public:
  explicit Runtime(RuntimeConfig config = {});
  Runtime(Runtime&&) noexcept = default;
  Runtime& operator=(Runtime&&) noexcept;
  ~Runtime();

  [[nodiscard]] Status status() const;  // kOk, kOutOfThreads, kNoMemory, kForked; kInvalid after a move
  [[nodiscard]] unsigned workers() const;
  [[nodiscard]] Instant now() const;
  [[nodiscard]] std::uint64_t seed() const;
  // The same text gives the same id (telemetry.hpp).
  NameId intern_name(std::string_view name);
  [[nodiscard]] Telemetry& telemetry() const;
  [[nodiscard]] TraceRecorder& trace() const;

  // Starts a task without a parent task: the runtime is its parent.
  template <class T>
  JoinHandle<T> spawn(Task<T> task, const SpawnOptions& options = {}) {
    return detail::spawn_on(core_.get(), std::move(task), &options);
  }
  JoinHandle<void> spawn(const StepTask& task, const SpawnOptions& options = {}) {
    return detail::spawn_step(core_.get(), task, options);
  }

  // Runs a task to its end and waits; the calling thread meanwhile runs the tasks that are main_only (one thread at a time does;
  // others just wait). On a worker thread it is refused with kWouldBlock.
  template <class T>
  JoinResult<T> block_on(Task<T> task, const SpawnOptions& options = {}) {
    return block_on(spawn(std::move(task), options));
  }
  template <class T>
  JoinResult<T> block_on(JoinHandle<T> handle) {
    if (handle.ref()) {
      const Status s = run_until_done(handle.ref());
      if (s != Status::kOk) return {s};
    }
    JoinOp<T> op = handle.join();
    op.ready();
    return op.finish();
  }
  // Runs main_only tasks that are runnable now; how many steps were taken.
  std::uint64_t run_main();

  ShutdownReport shutdown(Duration limit);

  [[nodiscard]] RuntimeCore* core() const { return core_.get(); }

 private:
  struct Dispose {
    void operator()(RuntimeCore*) const;
  };
  Status run_until_done(const TaskRef& task);
  std::unique_ptr<RuntimeCore, Dispose> core_;
};

// ---- waiting without a coroutine -----------------------------------------------------------------------------------

namespace detail {
// The place of a waiter that is no task, for the length of one wait.
class OutsideWait {
 public:
  OutsideWait();
  // Parks the caller on what `begin` starts. kOk: finish the operation. kWouldBlock: called on a worker thread outside of a
  // native stack, where blocking could hold up every task.
  Status park(bool (*begin)(void* op, WaitCell& cell), void* op);

 private:
  alignas(8) std::byte waiter_[64];
};
}  // namespace detail

// Waits for any operation: on a native stack (task.hpp) the task is parked, on a thread outside of the workers the thread is.
// On a worker without a native stack it does not wait: the outcome is that of a try, std::nullopt if that found nothing.
template <class Op>
auto wait(Op&& op) -> std::optional<decltype(op.finish())> {
  using Plain = std::remove_reference_t<Op>;
  if (op.ready()) return op.finish();
  detail::OutsideWait here;
  const Status s = here.park([](void* p, WaitCell& c) { return static_cast<Plain*>(p)->begin(c); }, &op);
  if (s != Status::kOk) return std::nullopt;
  return op.finish();
}

// ---- blocking work and file descriptors ---------------------------------------------------------------------------

// Runs f on a thread of the blocking pool and resumes the task with its outcome. Not cancellable once begun: the
// task waits for the function's end. kOk, kFailed (it threw), kOutOfThreads, kShutdown.
class BlockingOp : public Operation<BlockingOp> {
 public:
  explicit BlockingOp(std::function<void()> f) : function_(std::move(f)) {}
  BlockingOp(const BlockingOp&) = delete;
  BlockingOp& operator=(const BlockingOp&) = delete;
  bool ready() { return false; }
  bool begin(WaitCell& cell);
  Status finish();
  [[nodiscard]] const std::exception_ptr& error() const { return error_; }

 private:
  friend class BlockingPool;
  std::function<void()> function_;
  std::exception_ptr error_;
  Status outcome_ = Status::kOk;
  WaitCell* cell_ = nullptr;
  BlockingOp* next_ = nullptr;
  Instant traced_from_ = 0;  // 0: not recorded
};
inline BlockingOp blocking(std::function<void()> f) { return BlockingOp(std::move(f)); }

// Waits until the descriptor can be read (written) without blocking, or has an error or hang-up. kOk, kTimeout, kCancelled,
// kDeadline, kShutdown; kInvalid for what cannot be polled (a regular file, a closed descriptor). One wait for a descriptor and
// direction at a time: a second is kInvalid. Closing a descriptor that is waited for is the caller's mistake (the wait
// then ends by timeout or cancellation only).
class FdOp : public Operation<FdOp> {
 public:
  FdOp(int fd, bool write, Instant until) : fd_(fd), write_(write) { timer_.deadline = until; }
  FdOp(const FdOp&) = delete;
  FdOp& operator=(const FdOp&) = delete;
  bool ready() { return false; }
  bool begin(WaitCell& cell);
  Status finish();

 private:
  friend class Poller;
  int fd_;
  bool write_;
  Status outcome_ = Status::kOk;
  WaitNode node_;
  WaitTimer timer_;
};
inline FdOp readable(int fd, Instant until = kNever) { return FdOp(fd, false, until); }
inline FdOp writable(int fd, Instant until = kNever) { return FdOp(fd, true, until); }

}  // namespace neovm::worker
