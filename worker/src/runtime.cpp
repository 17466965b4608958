// The embedding handle: start, block_on, the main thread's work, shutdown.
#include "neovm/worker/runtime.hpp"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "core.hpp"
#include "native_stack.hpp"
#include "simulation.hpp"

namespace neovm::worker {

namespace {

// Not with ThreadSanitizer, which does not know it.
bool register_membarrier() {
#if defined(__SANITIZE_THREAD__)
  return false;
#else
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
#endif
}

unsigned processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  const int n = CPU_COUNT(&set);
  return n < 1 ? 1 : static_cast<unsigned>(n);
}

constexpr unsigned kMaxWorkers = 256;
constexpr std::size_t kPage = 4096;

}  // namespace

void fence_every_thread() {
  // (A failure after a successful registration cannot be.)
  if constexpr (!kChecked) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

void heavy_fence(const RuntimeCore& rt) {
  if (rt.uneven) fence_every_thread();
}

RuntimeCore::RuntimeCore(RuntimeConfig c) : config(std::move(c)), blocking(this) {
  if (config.max_blocking_threads == 0) config.max_blocking_threads = 1;
  if (config.seed == 0 && !config.deterministic) config.seed = now() | 1;
  void* const page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  madvise(page, kPage, MADV_WIPEONFORK);
  alive = static_cast<std::uint64_t*>(page);
  *alive = 1;
  uneven = register_membarrier();
  parallel = processors() > 1;
}

Status RuntimeCore::start() {
  unsigned want = config.workers == 0 ? processors() : config.workers;
  if (want > kMaxWorkers) want = kMaxWorkers;
  const bool simulated = kChecked && config.check != nullptr;
  if (config.deterministic && !simulated) want = 1;
  std::vector<std::thread> threads;
  if (!config.deterministic && !simulated) {
    for (unsigned i = 0; i < want; ++i) {
      if (config.may_start_thread && !config.may_start_thread(i)) break;
      try {
        threads.emplace_back([this, i] {
          while (gate.load(std::memory_order_acquire) == 0) futex_wait(gate, 0);
          if (i < worker_count) workers[i]->run_loop();
        });
      } catch (const std::exception&) {
        break;
      }
    }
    want = static_cast<unsigned>(threads.size());
    if (want == 0) status = Status::kOutOfThreads;
  }
  worker_count = want;
  telemetry = std::make_unique<Telemetry>(want + 1, TelemetryConfig{.main_lane = true});
  trace = std::make_unique<TraceRecorder>(want + 1);
  for (unsigned i = 0; i <= want; ++i) workers.push_back(std::make_unique<WorkerState>(this, i, &telemetry->worker(i)));
  for (unsigned i = 0; i < want; ++i) workers[i]->takes_tasks = !config.deterministic || simulated;
  roots = std::make_unique<Root[]>(want + 1);
  idle.stack.reserve(want);
  virtual_random = (config.seed + 1) * 0x9E3779B97F4A7C15ULL | 1;
  if (simulated) simulation = std::make_unique<Simulation>(*this);
  for (unsigned i = 0; i < threads.size(); ++i) {
    std::string name = config.thread_name.substr(0, 11) + "-" + std::to_string(i);
    pthread_setname_np(threads[i].native_handle(), name.substr(0, 15).c_str());
    workers[i]->thread = std::move(threads[i]);
  }
  gate.store(1, std::memory_order_release);
  futex_wake(gate, 1 << 30);
  return status;
}

void RuntimeCore::stop_threads() {
  if (exiting.exchange(true, std::memory_order_seq_cst)) return;
  if (simulation != nullptr) {
    simulation->finish();
  } else {
    for (unsigned i = 0; i < worker_count; ++i) {
      // A worker looks at `exiting` after it has announced that it sleeps, so either it sees it or it is woken.
      workers[i]->wake();
    }
    for (unsigned i = 0; i < worker_count; ++i)
      if (workers[i]->thread.joinable()) workers[i]->thread.join();
    blocking.stop();
  }
  for (auto& w : workers) {
    for (NativeStack* n : w->native_free) delete n;
    w->native_free.clear();
  }
}

RuntimeCore::~RuntimeCore() {
  stop_threads();
  simulation.reset();
  munmap(const_cast<std::uint64_t*>(alive), kPage);
}

std::uint64_t RuntimeCore::live_roots() {
  std::uint64_t n = 0;
  for (unsigned i = 0; i <= worker_count; ++i) n += GroupAccess::live(roots[i].group);
  return n;
}

void RuntimeCore::root_task_ended() {
  ended_word.fetch_add(1, std::memory_order_seq_cst);
  if (simulation == nullptr) futex_wake(ended_word, 1 << 30);
}

// ---- the main thread --------------------------------------------------------------------------------------------------------

bool RuntimeCore::run_main_step() {
  TaskHeader* t = nullptr;
  {
    const SpinGuard guard(main.lock);
    t = main.head;
    if (t == nullptr) return false;
    main.head = t->next;
    if (main.head == nullptr) main.tail = &main.head;
  }
  WorkerState* const outside = current_worker();
  WorkerState* const w = config.deterministic && simulation == nullptr ? workers[0].get() : workers[worker_count].get();
  set_current_worker(w);
  w->execute(t);
  set_current_worker(outside);
  return true;
}

bool RuntimeCore::run_virtual(const std::function<bool()>& done) {
  if (simulation != nullptr) {
    for (;;) {
      if (done()) return true;
      if (run_main_step()) continue;
      if (!simulation->step()) return done();
    }
  }
  WorkerState& w = *workers[0];
  WorkerState* const outside = current_worker();
  set_current_worker(&w);
  bool ok = true;
  while (!done()) {
    w.look_at_timers();
    if (const std::size_t n = virtual_runnable.size()) {
      virtual_random ^= virtual_random << 13;
      virtual_random ^= virtual_random >> 7;
      virtual_random ^= virtual_random << 17;
      const std::size_t i = (virtual_random >> 11) % n;
      TaskHeader* const t = virtual_runnable[i];
      virtual_runnable[i] = virtual_runnable[n - 1];
      virtual_runnable.pop_back();
      w.execute(t);
      continue;
    }
    if (run_main_step()) {
      set_current_worker(&w);
      continue;
    }
    const Instant next = w.next_expiry.load(std::memory_order_relaxed);
    if (next == kNever) {
      ok = false;
      break;
    }
    // The wheel names a time that is not after the next expiry; at least a grain passes, so this ends.
    const Instant grain = Instant{1} << TimerWheel::kTickShift;
    virtual_now = next > virtual_now ? next : virtual_now + grain;
  }
  set_current_worker(outside);
  return ok;
}

bool wake_at_end(TaskHeader* t, ThreadWaiter& waiter, WaitNode& node) {
  const SpinGuard guard(t->lock);
  if (t->ended.load(std::memory_order_acquire) != Status::kPending || t->joiner != nullptr) return false;
  node.cell = &waiter;
  waiter.state.store(CellState::kArmed, std::memory_order_release);
  t->joiner = &node;
  return true;
}

Status RuntimeCore::wait_for(TaskHeader* t) {
  const auto ended = [t] { return t->ended.load(std::memory_order_acquire) != Status::kPending; };
  if (config.deterministic || simulation != nullptr) return run_virtual(ended) ? Status::kOk : Status::kDeadlock;
  ThreadWaiter waiter;
  WaitNode node;
  if (!wake_at_end(t, waiter, node)) return ended() ? Status::kOk : Status::kInvalid;
  const bool is_main = !main.taken.exchange(true, std::memory_order_acquire);
  for (;;) {
    std::uint32_t word = waiter.word.load(std::memory_order_acquire);
    if (word == 1) break;
    if (is_main) {
      if (word == 2) {
        waiter.word.compare_exchange_strong(word, 0, std::memory_order_acq_rel);
        continue;
      }
      if (run_main_step()) continue;
      const SpinGuard guard(main.lock);
      if (main.head != nullptr) continue;
      main.sleeper = &waiter;
    }
    futex_wait(waiter.word, 0);
  }
  if (is_main) {
    {
      const SpinGuard guard(main.lock);
      if (main.sleeper == &waiter) main.sleeper = nullptr;
    }
    main.taken.store(false, std::memory_order_release);
  }
  return Status::kOk;
}

// ---- shutdown ---------------------------------------------------------------------------------------------------------------

ShutdownReport RuntimeCore::shutdown(Duration limit) {
  ShutdownReport report;
  if (forked()) {
    report.status = Status::kForked;
    return report;
  }
  if (current_worker() != nullptr) {
    report.status = Status::kWouldBlock;
    return report;
  }
  if (exiting.load(std::memory_order_acquire)) return report;
  accepting.store(false, std::memory_order_seq_cst);
  for (unsigned i = 0; i <= worker_count; ++i) GroupAccess::cancel(roots[i].group, TaskHeader::kShutDown);
  for (unsigned i = 0; i < worker_count; ++i) workers[i]->preempt.store(true, std::memory_order_relaxed);
  const Instant now_ = now();
  const Instant until = limit.count() < 0 ? now_
                        : static_cast<Instant>(limit.count()) > kNever - now_
                            ? kNever
                            : now_ + static_cast<Instant>(limit.count());
  if (config.deterministic || simulation != nullptr) {
    run_virtual([this] { return live_roots() == 0; });
  } else {
    for (;;) {
      const std::uint32_t word = ended_word.load(std::memory_order_seq_cst);
      if (!main.taken.exchange(true, std::memory_order_acquire)) {
        while (run_main_step()) {
        }
        main.taken.store(false, std::memory_order_release);
      }
      if (live_roots() == 0) break;
      if (until == kNever) {
        futex_wait(ended_word, word);
        continue;
      }
      const Instant t = now();
      if (t >= until) break;
      futex_wait(ended_word, word, std::chrono::nanoseconds(until - t));
    }
  }
  for (unsigned i = 0; i <= worker_count; ++i) GroupAccess::survivors(roots[i].group, &report, *telemetry);
  if (report.still_running_count != 0) {
    report.status = Status::kTimeout;
  } else {
    stop_threads();
  }
  return report;
}

// ---- Runtime ----------------------------------------------------------------------------------------------------------------

Runtime::Runtime(RuntimeConfig config) : core_(new RuntimeCore(std::move(config))) { (void)core_->start(); }

Runtime& Runtime::operator=(Runtime&&) noexcept = default;
Runtime::~Runtime() = default;

void Runtime::Dispose::operator()(RuntimeCore* core) const {
  if (core->forked()) return;  // its threads are the parent's
  if (current_worker() != nullptr && current_worker()->rt == core) {
    std::fputs("neovm: a runtime was destroyed by one of its own tasks\n", stderr);
    std::abort();
  }
  (void)core->shutdown(Duration::max());
  delete core;
}

Status Runtime::status() const {
  if (core_ == nullptr) return Status::kInvalid;
  return core_->forked() ? Status::kForked : core_->status;
}
unsigned Runtime::workers() const { return core_ == nullptr ? 0 : core_->worker_count; }
Instant Runtime::now() const { return core_ == nullptr ? 0 : core_->now(); }
std::uint64_t Runtime::seed() const { return core_ == nullptr ? 0 : core_->config.seed; }
NameId Runtime::intern_name(std::string_view name) { return core_->telemetry->intern_name(name); }
Telemetry& Runtime::telemetry() const { return *core_->telemetry; }
TraceRecorder& Runtime::trace() const { return *core_->trace; }

Status Runtime::run_until_done(const TaskRef& task) {
  if (core_ == nullptr) return Status::kInvalid;
  if (core_->forked()) return Status::kForked;
  if (current_worker() != nullptr) return Status::kWouldBlock;
  return core_->wait_for(task.header());
}

std::uint64_t Runtime::run_main() {
  if (core_ == nullptr || core_->forked() || current_worker() != nullptr) return 0;
  if (core_->main.taken.exchange(true, std::memory_order_acquire)) return 0;
  std::uint64_t n = 0;
  while (core_->run_main_step()) ++n;
  core_->main.taken.store(false, std::memory_order_release);
  return n;
}

ShutdownReport Runtime::shutdown(Duration limit) {
  if (core_ == nullptr) return {Status::kInvalid, {}, 0};
  return core_->shutdown(limit);
}

}  // namespace neovm::worker
