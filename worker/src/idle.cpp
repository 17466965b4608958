// Workers without work: searching, waiting for what comes to them, going to sleep, and being woken.
//
// Going to sleep without losing a wake-up: a worker that found nothing gives up searching, enters the idle set, and then looks
// at every queue once more; whoever queues something looks at the idle set after. With a full fence on both sides one of
// them sees the other.
#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

namespace {
constexpr std::uint64_t kSpinNs = 20'000;
constexpr std::uint32_t kInboxHope = 4;  // spins in vain before a worker stops waiting for its inbox
}  // namespace

// ---- waking workers --------------------------------------------------------------------------------------------------

void RuntimeCore::notify_one() {
  WorkerState* const here = current_worker();
  if (worker_count < 2 && here != nullptr && here->rt == this && here->index < worker_count) return;
  interleave();
  if constexpr (bugs(Bug::kSkippedNotify)) {
    if (check_bug(*this, Bug::kSkippedNotify)) return;
  }
  // The queue first, then the look at the sleepers; they do it the other way round.
  if (uneven) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    fence_word.fetch_add(1, std::memory_order_seq_cst);
  }
  if (idle.count.load(std::memory_order_relaxed) == 0 || idle.searching.load(std::memory_order_relaxed) != 0) return;
  WorkerState* w = nullptr;
  {
    const SpinGuard guard(idle.lock);
    if (idle.stack.empty()) return;
    std::uint32_t none = 0;
    if (!idle.searching.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) return;
    w = workers[idle.stack.back()].get();
    idle.stack.pop_back();
    idle.count.fetch_sub(1, std::memory_order_seq_cst);
    w->searching = true;  // it wakes as the searcher
  }
  if (here != nullptr && here->rt == this) {
    here->metrics->wakes_sent.add();
    if (trace->on()) trace->record(here->index, {.kind = TraceKind::kWake, .begin_ns = now(), .value = w->index});
  }
  w->wake();
}

void WorkerState::wake() {
  if (park_word.exchange(2, std::memory_order_seq_cst) != 1) return;
  if (rt->simulation != nullptr) {
    rt->simulation->wake(&park_word);
  } else if (in_poller.load(std::memory_order_seq_cst)) {
    rt->poller.kick();
  } else {
    futex_wake(park_word, 1);
  }
}

// ---- having nothing to do -------------------------------------------------------------------------------------------------

// One worker at a time searches: a few rounds over the others' rings, at the end their slots, then a short spin.
TaskHeader* WorkerState::search() {
  if (!searching) {
    std::uint32_t none = 0;
    if (rt->worker_count < 2 || !rt->idle.searching.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) {
      // Somebody else searches; one look at what came in meanwhile.
      return nullptr;
    }
    searching = true;
  }
  TaskHeader* t = nullptr;
  const unsigned n = rt->worker_count;
  const std::uint64_t until = cycles() + kSpinNs * 3;
  for (unsigned round = 0;; ++round) {
    const auto start = static_cast<unsigned>(random() % n);
    for (unsigned i = 0; i < n && t == nullptr; ++i) {
      WorkerState& victim = *rt->workers[(start + i) % n];
      // A slot is left to its worker for a while: it is about to run it, with the data still in its cache.
      if (&victim != this && steal_from(victim, round >= 8, &t)) break;
    }
    if (t == nullptr) t = rt->take_share(this);
    if (t == nullptr && inbox.load(std::memory_order_relaxed) != nullptr) {
      drain_inbox();
      t = next_task();
    }
    if (t != nullptr || rt->exiting.load(std::memory_order_relaxed)) break;
    if (rt->simulation != nullptr) {
      if (round >= 9) break;
      interleave_wait();
      continue;
    }
    if (round >= 9 && (!rt->parallel || cycles() >= until)) break;
    if (next_expiry.load(std::memory_order_relaxed) != kNever && look_at_timers()) {
      t = next_task();
      if (t != nullptr) break;
    }
    for (int k = 0; k < 16 && inbox.load(std::memory_order_relaxed) == nullptr; ++k) cpu_relax();
  }
  return t;
}

// Tasks that are bound to this worker are made runnable by others. Where that happens in quick succession (an exchange
// with a task bound to another worker) going to sleep costs many times what the wait does, so a worker whose last ones came
// soon looks at its own inbox for a while, without a look at anything that others write. It is no searcher meanwhile, so
// it leaves as soon as there is something else to do, and comes to searching and sleeping like everybody.
TaskHeader* WorkerState::await_inbox() {
  if (inbox_hope == 0 || !rt->parallel) return nullptr;
  const std::uint64_t until = cycles() + kSpinNs * 3;
  for (unsigned n = 1;; ++n) {
    if (TaskHeader* const t = inbox.load(std::memory_order_relaxed)) {
      __builtin_prefetch(t, 1);  // both lines come from the other worker, so at once
      inbox_hope = kInboxHope;
      drain_inbox();
      return next_task();
    }
    if (rt->simulation != nullptr) {
      if (n > 2) break;
      interleave_wait();
      continue;
    }
    if (n % 64 == 0) {
      if (cycles() >= until) break;
      if (rt->exiting.load(std::memory_order_relaxed) || anything_runnable()) return nullptr;
      if (next_expiry.load(std::memory_order_relaxed) != kNever && look_at_timers()) return next_task();
    }
    cpu_relax();
  }
  --inbox_hope;
  return nullptr;
}

bool WorkerState::anything_runnable() const {
  if (rt->global.count.load(std::memory_order_relaxed) != 0) return true;
  if (inbox.load(std::memory_order_relaxed) != nullptr || pinned_head != nullptr) return true;
  for (unsigned i = 0; i < rt->worker_count; ++i) {
    const WorkerState& w = *rt->workers[i];
    for (const RunRing& r : w.rings)
      if (!r.empty()) return true;
  }
  return slot.load(std::memory_order_relaxed) != nullptr;
}

void WorkerState::park() {
  // Who gives up searching looks at everything after, so that nobody's "there is a searcher already" is in vain.
  park_word.store(1, std::memory_order_seq_cst);
  {
    const SpinGuard guard(rt->idle.lock);
    if (searching) {
      searching = false;
      rt->idle.searching.store(0, std::memory_order_seq_cst);
    }
    rt->idle.stack.push_back(index);
    rt->idle.count.fetch_add(1, std::memory_order_seq_cst);
  }
  heavy_fence(*rt);
  interleave();
  const auto leave = [this] {
    const SpinGuard guard(rt->idle.lock);
    auto& stack = rt->idle.stack;
    for (std::size_t i = 0; i < stack.size(); ++i)
      if (stack[i] == index) {
        stack.erase(stack.begin() + static_cast<std::ptrdiff_t>(i));
        rt->idle.count.fetch_sub(1, std::memory_order_seq_cst);
        break;
      }
    park_word.store(0, std::memory_order_relaxed);
  };
  bool look_again = true;
  if constexpr (bugs(Bug::kNoRecheckBeforePark)) look_again = !check_bug(*rt, Bug::kNoRecheckBeforePark);
  if ((look_again && anything_runnable()) || rt->exiting.load(std::memory_order_seq_cst)) {
    leave();
    return;
  }
  // Timers of workers that are running something are watched too: such a worker may not come to them in time.
  Instant until = next_expiry.load(std::memory_order_relaxed);
  for (unsigned i = 0; i < rt->worker_count; ++i) {
    const WorkerState& w = *rt->workers[i];
    if (&w == this || !w.running.load(std::memory_order_relaxed)) continue;
    const Instant e = w.next_expiry.load(std::memory_order_relaxed);
    // A little later than due: it is theirs first.
    if (e != kNever && e + 1'000'000 < until) until = e + 1'000'000;
  }
  metrics->parks.add();
  const Instant before = rt->now();
  if (rt->simulation != nullptr) {
    rt->simulation->park(&park_word, until);
  } else if (until > before) {
    if (rt->poller.used() && !rt->poller.role_taken.exchange(true, std::memory_order_acquire)) {
      in_poller.store(true, std::memory_order_seq_cst);
      if (park_word.load(std::memory_order_seq_cst) == 1) rt->poller.poll(until, *rt);
      in_poller.store(false, std::memory_order_seq_cst);
      rt->poller.role_taken.store(false, std::memory_order_release);
    } else if (park_word.load(std::memory_order_relaxed) == 1) {
      if (until == kNever) {
        futex_wait(park_word, 1);
      } else {
        futex_wait(park_word, 1, std::chrono::nanoseconds(until - before));
      }
    }
  }
  leave();
  const Instant woke = rt->now();
  if (woke - before < kSpinNs && inbox.load(std::memory_order_relaxed) != nullptr) inbox_hope = kInboxHope;
  metrics->idle_ns.add(woke - before);
  if (rt->trace->on())
    rt->trace->record(index, {.kind = TraceKind::kPark, .begin_ns = before, .duration_ns = woke - before});
  look_at_timers();
  if (next_expiry.load(std::memory_order_relaxed) > woke) {
    for (unsigned i = 0; i < rt->worker_count; ++i) {
      WorkerState& w = *rt->workers[i];
      if (&w != this && w.running.load(std::memory_order_relaxed) &&
          w.next_expiry.load(std::memory_order_relaxed) + 1'000'000 <= woke)
        w.look_at_timers();
    }
  }
}

}  // namespace neovm::worker
