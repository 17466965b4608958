#include "simulation.hpp"

#include <sched.h>

#include "native_stack.hpp"

namespace neovm::worker {

// ---- the points ------------------------------------------------------------------------------------------------------------

#ifdef NEOVM_WORKER_CHECKED
namespace {
// The checked build has one more: which simulation this thread is hosting.
thread_local Simulation* t_hosting = nullptr;
}  // namespace

void interleave() {
  if (t_hosting != nullptr) t_hosting->point();
}
void interleave_wait() {
  if (t_hosting != nullptr) t_hosting->must_switch();
}
bool check_bug(Bug which) {
  WorkerState* const w = current_worker();
  return w != nullptr && check_bug(*w->rt, which);
}
#else
void interleave_wait() { sched_yield(); }
bool check_bug(Bug /*which*/) { return false; }
#endif

bool steals_without_swap() { return check_bug(Bug::kStealWithoutSwap); }
bool claims_twice() { return check_bug(Bug::kDoubleClaim); }

void SpinLock::lock_slowly() {
  for (unsigned spins = 0;; ++spins) {
    while (held_.load(std::memory_order_relaxed)) {
      if (!kChecked && spins < 64) {
        ++spins;
        cpu_relax();
      } else {
        interleave_wait();
      }
    }
    if (!held_.exchange(true, std::memory_order_acquire)) return;
  }
}

// ---- the virtual workers ---------------------------------------------------------------------------------------------------

struct Simulation::Fiber {
  Fiber(Simulation* s, WorkerState* w, std::unique_ptr<SwitchedStack> on)
      : simulation(s), worker(w), stack(std::move(on)) {}
  Simulation* simulation;
  WorkerState* worker;
  std::unique_ptr<SwitchedStack> stack;
  std::atomic<std::uint32_t>* asleep_on = nullptr;
  Instant until = kNever;
  bool ended = false;
};

Simulation::Simulation(RuntimeCore& rt)
    : rt_(rt), random_(rt.config.seed * 0x9E3779B97F4A7C15ULL + 0x7F4A7C15F39CC060ULL) {
  switch_every_ = rt.config.check != nullptr ? rt.config.check->switch_every : 4;
  if (switch_every_ == 0) switch_every_ = 1;
  for (unsigned i = 0; i < rt.worker_count; ++i) {
    std::unique_ptr<SwitchedStack> stack;
    if (auto* const spare = spare_stacks(); spare != nullptr && !spare->empty()) {
      stack = std::move(spare->back());
      spare->pop_back();
    } else {
      stack = std::make_unique<SwitchedStack>(128 * 1024);
    }
    fibers_.push_back(std::make_unique<Fiber>(this, rt.workers[i].get(), std::move(stack)));
    fibers_.back()->stack->prepare(
        [](void* p) {
          auto* const f = static_cast<Fiber*>(p);
          f->worker->run_loop();
          f->ended = true;
          f->stack->leave_for_good();
        },
        fibers_.back().get());
  }
#ifdef NEOVM_WORKER_CHECKED
  t_hosting = this;
#endif
}

std::vector<std::unique_ptr<SwitchedStack>>* Simulation::spare_stacks() const {
  return rt_.config.check == nullptr ? nullptr : rt_.config.check->spare_stacks;
}

Simulation::~Simulation() {
  if (auto* const spare = spare_stacks(); spare != nullptr)
    for (const auto& f : fibers_) spare->push_back(std::move(f->stack));
#ifdef NEOVM_WORKER_CHECKED
  t_hosting = nullptr;
#endif
}

std::uint64_t Simulation::next_random() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_ * 0x2545F4914F6CDD1DULL >> 16;
}

// One virtual worker goes on for a while. False: nobody can, and no sleeper has a time.
bool Simulation::step() {
  Fiber* ready[64];
  std::size_t n = 0;
  Fiber* earliest = nullptr;
  for (auto& f : fibers_) {
    if (f->ended) continue;
    if (f->asleep_on == nullptr) {
      ready[n++] = f.get();
    } else if (f->until != kNever && (earliest == nullptr || f->until < earliest->until)) {
      earliest = f.get();
    }
  }
  if (n == 0) {
    if (earliest == nullptr) return false;
    if (rt_.virtual_now < earliest->until) rt_.virtual_now = earliest->until;
    earliest->asleep_on = nullptr;
    ready[n++] = earliest;
  }
  Fiber* const f = ready[next_random() % n];
  running_ = f;
  WorkerState* const outside = current_worker();
  set_current_worker(f->worker);
  f->stack->enter();
  set_current_worker(outside);
  running_ = nullptr;
  return true;
}

bool Simulation::run_until(const std::function<bool()>& done) {
  while (!done())
    if (!step()) return false;
  return true;
}

void Simulation::finish() {
  for (auto& f : fibers_) f->asleep_on = nullptr;
  run_until([this] {
    for (auto& f : fibers_)
      if (!f->ended) return false;
    return true;
  });
}

void Simulation::switch_out() { running_->stack->leave(); }

void Simulation::point() {
  if (running_ != nullptr && next_random() % switch_every_ == 0) switch_out();
}

void Simulation::must_switch() {
  if (running_ != nullptr) {
    switch_out();
  } else {
    step();  // the thread outside wants a lock that a virtual worker holds
  }
}

void Simulation::park(std::atomic<std::uint32_t>* word, Instant until) {
  if (word->load(std::memory_order_relaxed) != 1 || until <= rt_.virtual_now) return;
  running_->asleep_on = word;
  running_->until = until;
  switch_out();
}

void Simulation::wake(std::atomic<std::uint32_t>* word) {
  for (auto& f : fibers_)
    if (f->asleep_on == word) f->asleep_on = nullptr;
}

}  // namespace neovm::worker
