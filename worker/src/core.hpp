// The runtime's insides: what its source files share.
//
// Locks, outermost first: a task's lock, its group's lock, a child's lock, … (down the tree); a channel's send lock, its
// receive lock; below all of these a wheel's lock; below that nothing. A task made runnable is queued after the locks of what
// woke it are released, so queue locks (shared queue, inbox, idle set) nest in none of them.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "neovm/worker/futex.hpp"
#include "neovm/worker/ring.hpp"
#include "neovm/worker/runtime.hpp"
#include "neovm/worker/select.hpp"
#include "pool.hpp"
#include "run_queue.hpp"

namespace neovm::worker {

class Simulation;
class Poller;
struct NativeStack;

inline constexpr std::uint32_t kStopMask =
    TaskHeader::kCancelRequested | TaskHeader::kDeadlinePassed | TaskHeader::kShutDown;

inline Status stop_status(std::uint32_t flags) {
  if ((flags & TaskHeader::kShutDown) != 0) return Status::kShutdown;
  if ((flags & TaskHeader::kCancelRequested) != 0) return Status::kCancelled;
  if ((flags & TaskHeader::kDeadlinePassed) != 0) return Status::kDeadline;
  return Status::kOk;
}

// A full fence shared unevenly: one side runs often and only tells the compiler, the other makes the kernel run a
// fence on every thread of the process (membarrier). `uneven` says that the kernel can; without it both sides pay.
// A light side is: store, light_fence, load. A heavy side: store, heavy_fence, load.
void heavy_fence(const RuntimeCore& rt);
// The heavy side's fence itself, where no runtime is at hand. Precondition: one of the process's runtimes is or was `uneven`.
void fence_every_thread();
template <class T>
void store_light(std::atomic<T>& word, T value, bool uneven) {
  if (uneven) {
    word.store(value, std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    word.store(value, std::memory_order_seq_cst);
  }
}

// What few tasks have.
struct TaskExtra {
  struct Local {
    const void* key;
    void* value;
  };
  WaitTimer deadline;
  std::vector<Local> locals;
  NativeStack* native = nullptr;
};

// A thread outside of the workers that waits; it lives on that thread's stack. Or, with `notify`, whoever wants to be called
// when the wait is over: by the thread that ends it, with no lock held.
struct ThreadWaiter : WaitCell {
  ThreadWaiter() : WaitCell(false) {}
  void (*notify)(ThreadWaiter*) = nullptr;
  std::atomic<std::uint32_t> word{0};
  ThreadWaiter* next = nullptr;
  Instant deadline = kNever;
};

// Waiters that were claimed under a lock and are made runnable after it.
struct WakeList {
  TaskHeader* tasks = nullptr;
  TaskHeader** tail = &tasks;
  ThreadWaiter* threads = nullptr;
  void add(WaitCell* c) {
    if (c->is_task) {
      auto* t = static_cast<TaskHeader*>(c);
      t->next = nullptr;
      *tail = t;
      tail = &t->next;
    } else {
      auto* w = static_cast<ThreadWaiter*>(c);
      w->next = threads;
      threads = w;
    }
  }
  // Needs no lock held.
  void wake() {
    if (tasks != nullptr || threads != nullptr) wake_all();
  }
  void wake_all();
};

bool claims_twice();  // a mistake of the interleaving tests

// The one winner of a wait. Precondition: the lock that covers the node through which `c` was found.
inline bool claim(WaitCell& c, Status outcome, std::uint16_t branch) {
  interleave();
  if constexpr (kChecked) {
    if (claims_twice()) {
      const CellState before = c.state.load(std::memory_order_relaxed);
      if (before != CellState::kArmed && before != CellState::kArmedShielded) return false;
      interleave();
      c.state.store(CellState::kClaimed);
      c.outcome = outcome;
      c.branch = branch;
      return true;
    }
  }
  // Without a look before: the line comes from another worker's cache, and would come twice.
  CellState s = CellState::kArmed;
  if (!c.state.compare_exchange_strong(s, CellState::kClaimed, std::memory_order_acq_rel) &&
      (s != CellState::kArmedShielded ||
       !c.state.compare_exchange_strong(s, CellState::kClaimed, std::memory_order_acq_rel)))
    return false;
  c.outcome = outcome;
  c.branch = branch;
  return true;
}

// Has the task been asked to stop (and does not shield itself)? Every begin() looks here first.
inline bool stop_requested(const WaitCell& c, Status* outcome) {
  if (!c.is_task) return false;
  const auto& t = static_cast<const TaskHeader&>(c);
  const std::uint32_t flags = t.flags.load(std::memory_order_relaxed);
  if ((flags & kStopMask) == 0 || t.shields != 0) return false;
  *outcome = stop_status(flags);
  return true;
}
// Makes the cell claimable and arms the timer. Called last, under the lock of what is waited for. False: the task has been
// asked to stop, *outcome says how, and the cell is idle again; take the nodes back.
bool arm(WaitCell& c, WaitTimer* timer, Status* outcome);
// After the wait: the timer is off when it returns.
inline void disarm_timer(WaitTimer* timer);
void disarm_timer_slowly(WaitTimer* timer);
inline void disarm_timer(WaitTimer* timer) {
  if (timer != nullptr && timer->wheel != nullptr) disarm_timer_slowly(timer);
}
// The waiter goes on: outcome of the wait, cell idle.
inline Status end_wait(WaitCell& c) {
  c.state.store(CellState::kIdle, std::memory_order_relaxed);
  return c.outcome;
}
// Makes a claimed (or new) task runnable.
void make_runnable(TaskHeader* t);
void make_runnable_new(TaskHeader* t, WorkerState* w);  // `w`: current_worker()
void make_runnable_last(TaskHeader* t);                 // behind everything that is queued here
void wake_thread(ThreadWaiter* w);
// Makes `waiter` the joiner of `t`. False: it has ended already, or somebody else joins it.
bool wake_at_end(TaskHeader* t, ThreadWaiter& waiter, WaitNode& node);

struct GroupAccess {
  // Links `t` as a child, passing on what was asked of the group. kOk or kClosed.
  static Status add(TaskGroup& g, TaskHeader* t, const WorkerState* me);
  // `t` has ended, on `me`: takes it out, ends it, and returns the task (the group's owner) that can end now.
  static TaskHeader* remove_and_end(TaskHeader* t, Status how, WorkerState* me);
  static void cancel(TaskGroup& g, std::uint32_t bits);
  static void collect(TaskGroup& g, std::uint32_t bits, TaskHeader** list);
  static TaskGroup* of(Scope& s) { return s.group_; }
  static void set_owner(TaskGroup& g, TaskHeader* owner) { g.owner_ = owner; }
  static TaskHeader* owner(const TaskGroup& g) { return g.owner_; }
  static TaskGroup* outer(const TaskGroup& g) { return g.outer_; }
  static void inherit(TaskGroup& g, std::uint32_t flags);
  static std::uint32_t live(TaskGroup& g);
  // The body of the owner has returned: takes no more children. True: none is left.
  static bool close(TaskGroup& g, std::uint32_t cancel_bits);
  static void survivors(TaskGroup& g, ShutdownReport* report, const Telemetry& telemetry);
  // Closes and frees the groups of a task whose body has returned. False: children are left, the last one goes on.
  static bool drained(TaskHeader* t, std::uint32_t cancel_bits);
  static void forget(TaskGroup* g);

 private:
  enum class Apart : std::uint8_t { kNo, kLeft, kLate };
  static Apart end_apart(TaskGroup& g, TaskHeader* t, WakeList* wakes);
  static TaskHeader* fail(TaskGroup& g, TaskHeader* t);
  static void unlink(TaskGroup& g, TaskHeader* t);
  static TaskHeader* unlink_gone(TaskGroup& g, TaskHeader* replacement);
  static TaskHeader* last_gone(TaskGroup& g, WakeList* wakes);
  friend class neovm::worker::ScopeJoinOp;
};

void cancel_task(TaskHeader* t, std::uint32_t bits);
void cancel_marked(TaskHeader* t, std::uint32_t bits);  // the caller set kPassedOn
void release_reference(TaskHeader* t);
// Resumes a coroutine and whatever it calls and returns to, until the task parks or ends.
void resume_frames(void* frame);
TaskGroup* own_group(TaskHeader* t);  // made when needed; null without memory
TaskExtra* extra_of(TaskHeader* t);
void arm_deadline(TaskHeader* t, Instant deadline);

// What overflowed from a ring, as an array: queued tasks are cold, and a list through them would be read at the price of a cache
// miss each. An idle worker takes the newest batch, so a tree of tasks is walked depth first and stays small; every 61st task
// is the oldest one, so none waits for ever.
struct TaskBatch {
  TaskBatch* older = nullptr;
  TaskBatch* newer = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  TaskHeader* tasks[RunRing::kSize / 2];
};

// A worker: one OS thread, or one virtual worker of a deterministic runtime.
class WorkerState {
 public:
  WorkerState(RuntimeCore* rt, unsigned index, WorkerMetrics* metrics);

  void run_loop();
  TaskHeader* next_task();
  TaskHeader* search();
  TaskHeader* await_inbox();
  void execute(TaskHeader* t);
  void execute_watched(TaskHeader* t);  // timed, or traced
  bool look_at_timers();                // fires what is due
  void push(TaskHeader* t);             // a task of this worker's: the slot first
  void push_back(TaskHeader* t);        // the ring
  void push_inbox(TaskHeader* t);       // from other threads: pinned tasks
  void drain_inbox();
  [[nodiscard]] bool anything_runnable() const;
  bool steal_from(WorkerState& victim, bool slot_too, TaskHeader** out);
  void park();
  void wake();
  bool slow_poll();
  std::uint64_t random() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return random_;
  }

  // Read by others.
  alignas(64) std::atomic<std::uint32_t> park_word{0};  // 0 awake, 1 asleep, 2 told to wake
  std::atomic<bool> in_poller{false};
  std::atomic<TaskHeader*> slot{nullptr};
  std::atomic<TaskHeader*> inbox{nullptr};
  std::atomic<bool> running{false};  // neither idle nor looking for work
  std::atomic<bool> preempt{false};
  std::array<RunRing, kPriorities> rings;

  // The owner's.
  alignas(64) RuntimeCore* rt;
  WorkerMetrics* metrics;
  TaskHeader* current = nullptr;
  unsigned index;
  bool takes_tasks = false;  // a worker's thread (or virtual worker) with queues of its own
  std::uint32_t tick = 0;
  std::uint32_t until_global = 1;
  std::uint32_t global_turn = 0;
  std::uint32_t slot_streak = 0;
  std::uint32_t inbox_hope = 0;  // of something coming soon
  bool searching = false;
  std::int32_t fuel = 0;
  std::int32_t budget = 256;
  std::uint64_t polled_run = 0;
  std::uint64_t run_number = 0;
  Instant slice_start = 0;
  Instant last_poll = 0;
  std::uint64_t timer_tsc = 0;
  std::uint64_t next_id;
  TaskHeader* pinned_head = nullptr;
  TaskHeader** pinned_tail = &pinned_head;
  void* next_frame = nullptr;  // see detail::go_on_with
  NativeStack* native_current = nullptr;
  std::vector<NativeStack*> native_free;
  FramePool pool;
  std::thread thread;

  // The wheel, under its lock.
  alignas(64) SpinLock wheel_lock;
  TimerWheel wheel;
  std::atomic<Instant> next_expiry{kNever};
  TaskHeader* fired = nullptr;
  TaskHeader** fired_tail = &fired;

 private:
  std::uint64_t random_;
};

// The processor's counter, and some tens of microseconds of it; how many exactly does not matter.
inline constexpr std::uint64_t kTscQuantum = 100'000;
inline std::uint64_t cycles() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return kTscQuantum * 2 + now() / 2;
#endif
}

// What a thread is running. In current.cpp, the one file with a thread_local.
WorkerState* current_worker();
void set_current_worker(WorkerState* w);

// `me` if it may have locks for itself: not where the kernel cannot fence the other threads.
const WorkerState* may_be_favoured(const WorkerState* me);

class BlockingPool {
 public:
  explicit BlockingPool(RuntimeCore* rt) : rt_(rt) {}
  Status submit(BlockingOp* op);
  void stop();  // runs what is queued, then joins the threads

 private:
  void run();
  RuntimeCore* rt_;
  std::mutex lock_;
  std::condition_variable work_;
  BlockingOp* head_ = nullptr;
  BlockingOp** tail_ = &head_;
  unsigned idle_ = 0;
  unsigned queued_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

class Poller {
 public:
  ~Poller();
  Status watch(FdOp* op, WaitCell& cell, Status* outcome);  // kPending: parked
  void forget(FdOp* op);
  // Waits for readiness until `until` (0: only looks), making tasks runnable.
  void poll(Instant until, RuntimeCore& rt);
  void kick();
  [[nodiscard]] bool used() const { return watched_.load(std::memory_order_acquire) != 0; }
  std::atomic<bool> role_taken{false};

 private:
  struct Watch {
    FdOp* read = nullptr;
    FdOp* write = nullptr;
  };
  bool open();
  void change(int fd, const Watch& before, const Watch& after);
  SpinLock lock_;
  int epoll_ = -1;
  int event_ = -1;
  std::atomic<std::uint32_t> watched_{0};
  std::vector<Watch> watches_;  // by descriptor
};

class RuntimeCore {
 public:
  explicit RuntimeCore(RuntimeConfig c);
  ~RuntimeCore();
  Status start();
  ShutdownReport shutdown(Duration limit);
  void stop_threads();
  Instant now() const;
  [[nodiscard]] bool forked() const { return *alive != 1; }
  // The thread is asleep no more: somebody should look for work.
  void notify_one();
  void push_global(TaskHeader* t);
  void push_batch(TaskHeader** tasks, std::uint32_t n, unsigned priority);
  // One task, the longest waiting of the first priority (from `first` on) that has any.
  TaskHeader* take_oldest(WorkerState* into, unsigned first);
  // A share for a worker that has nothing: the first is returned, the others go to its ring.
  TaskHeader* take_share(WorkerState* into);
  TaskGroup& root_group() {
    WorkerState* w = current_worker();
    return roots[w != nullptr && w->rt == this ? w->index : worker_count].group;
  }
  bool walk_finds(TaskHeader* from, TaskHeader* what);
  void root_task_ended();
  // Takes one main_only task and runs it. By the thread that holds `main.taken`.
  bool run_main_step();
  // The deterministic modes: runs everything here until `done`. False: nothing can go on.
  bool run_virtual(const std::function<bool()>& done);
  Status wait_for(TaskHeader* t);
  [[nodiscard]] std::uint64_t live_roots();

  RuntimeConfig config;
  Status status = Status::kOk;
  unsigned worker_count = 0;
  std::atomic<bool> accepting{true};
  std::atomic<bool> exiting{false};
  std::atomic<std::uint64_t> outside_id{std::uint64_t{1} << 60};
  std::atomic<std::uint64_t> unfinished{0};  // kept with max_tasks only
  volatile std::uint64_t* alive = nullptr;   // a page that a fork's child sees wiped

  SharedPool shared_pool;
  std::unique_ptr<Telemetry> telemetry;
  std::unique_ptr<TraceRecorder> trace;
  std::vector<std::unique_ptr<WorkerState>> workers;  // the last one is the main thread's
  struct alignas(64) Root {
    TaskGroup group;
  };
  std::unique_ptr<Root[]> roots;  // of each worker, and of everybody else

  struct alignas(64) Global {
    SpinLock lock;
    TaskHeader* head[kPriorities] = {};  // tasks from outside, one by one
    TaskHeader* tail[kPriorities] = {};
    TaskBatch* oldest[kPriorities] = {};  // what overflowed
    TaskBatch* newest[kPriorities] = {};
    std::atomic<std::uint32_t> count{0};
  } global;
  struct alignas(64) Idle {
    SpinLock lock;
    std::vector<unsigned> stack;
    std::atomic<std::uint32_t> count{0};
    std::atomic<std::uint32_t> searching{0};
  } idle;
  struct Main {
    SpinLock lock;
    TaskHeader* head = nullptr;
    TaskHeader** tail = &head;
    std::atomic<bool> taken{false};
    ThreadWaiter* sleeper = nullptr;
  } main;

  std::atomic<std::uint32_t> walkers{0};  // joins that look for a cycle
  SpinLock walk_lock;
  std::atomic<std::uint32_t> ended_word{0};  // moves when a task without parent ends during shutdown
  Poller poller;
  BlockingPool blocking;

  // Deterministic mode.
  Instant virtual_now = 1'000'000'000;
  std::vector<TaskHeader*> virtual_runnable;
  std::unique_ptr<Simulation> simulation;
  std::uint64_t virtual_random = 1;
  bool uneven = false;                       // see heavy_fence
  bool parallel = true;                      // more than one processor: waiting for another worker may be worth it
  std::atomic<std::uint32_t> fence_word{0};  // the light side's fence where the kernel has none
  std::atomic<std::uint32_t> gate{0};        // the workers start when their number is known
};

}  // namespace neovm::worker
