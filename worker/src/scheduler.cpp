// The workers: what runs next, where woken tasks go, stealing. What a worker does that has nothing to do is in idle.cpp.
#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

namespace {

constexpr std::uint32_t kGlobalEvery = 61;
constexpr std::uint32_t kNormalEvery = 8;
constexpr std::uint32_t kBackgroundEvery = 32;
constexpr std::uint32_t kSlotStreak = 16;  // runs out of the slot in a row
constexpr unsigned kTimerEveryTicks = 16;

}  // namespace

WorkerState::WorkerState(RuntimeCore* core, unsigned i, WorkerMetrics* m)
    : rt(core),
      metrics(m),
      index(i),
      next_id((std::uint64_t{i} << 48) + 1),
      pool(core->shared_pool),
      wheel(core->now()) {
  random_ = (core->config.seed + 0x9E3779B97F4A7C15ULL * (i + 1)) | 1;
  for (int k = 0; k < 4; ++k) random();
}

// ---- making tasks runnable --------------------------------------------------------------------------------------------

void WakeList::wake_all() {
  while (tasks != nullptr) {
    TaskHeader* const t = tasks;
    tasks = t->next;
    make_runnable(t);
  }
  while (threads != nullptr) {
    ThreadWaiter* const w = threads;
    threads = w->next;
    wake_thread(w);
  }
}

void wake_thread(ThreadWaiter* w) {
  if (w->notify != nullptr) {
    w->notify(w);
    return;
  }
  std::atomic<std::uint32_t>& word = w->word;
  word.store(1, std::memory_order_release);  // the waiter may be gone after this: only the address is used
  futex_wake(word, 1);
}

namespace {

void queue_elsewhere(TaskHeader* t, WorkerState* w);

// By `w`, null for a thread that is no worker of any runtime.
inline void queue(TaskHeader* t, WorkerState* w, bool last) {
  RuntimeCore* const rt = t->runtime;
  if (w == nullptr || w->rt != rt) {
    rt->telemetry->outside().priority[t->priority].queued.add_shared();
    queue_elsewhere(t, nullptr);
    return;
  }
  w->metrics->priority[t->priority].queued.add();
  if (w->metrics->sample()) [[unlikely]]
    t->queued_at = rt->now();
  if (!w->takes_tasks || t->main_only || (t->pin & t->native_pin) >= 0) [[unlikely]] {
    queue_elsewhere(t, w);
    return;
  }
  if (last || t->priority == static_cast<std::uint8_t>(Priority::kBackground)) {
    w->push_back(t);
  } else {
    w->push(t);
  }
}

// Bound tasks, those of the deterministic mode, and what comes from outside. `w`: the running worker of the task's runtime.
void queue_elsewhere(TaskHeader* t, WorkerState* w) {
  RuntimeCore* const rt = t->runtime;
  if (t->main_only) {
    {
      const SpinGuard guard(rt->main.lock);
      t->next = nullptr;
      *rt->main.tail = t;
      rt->main.tail = &t->next;
      if (ThreadWaiter* const sleeper = std::exchange(rt->main.sleeper, nullptr)) {
        std::uint32_t asleep = 0;
        if (sleeper->word.compare_exchange_strong(asleep, 2, std::memory_order_release)) futex_wake(sleeper->word, 1);
      }
    }
    if (!rt->accepting.load(std::memory_order_seq_cst)) rt->root_task_ended();
    return;
  }
  if (rt->config.deterministic && rt->simulation == nullptr) {
    rt->virtual_runnable.push_back(t);
    return;
  }
  const int pin = t->native_pin >= 0 ? t->native_pin : t->pin;
  if (pin >= 0) {
    WorkerState* const home = rt->workers[static_cast<unsigned>(pin)].get();
    if (home == w) {
      t->next = nullptr;
      *w->pinned_tail = t;
      w->pinned_tail = &t->next;
    } else {
      home->push_inbox(t);
    }
    return;
  }
  rt->push_global(t);
  rt->notify_one();
}

}  // namespace

void make_runnable(TaskHeader* t) {
  interleave();
  if (t->is_step) {
    // A step function may still be on its way out; then its worker sees the note.
    if (t->step_state.exchange(TaskHeader::StepState::kNotified, std::memory_order_acq_rel) ==
        TaskHeader::StepState::kRunning)
      return;
  }
  queue(t, current_worker(), false);
}

void make_runnable_new(TaskHeader* t, WorkerState* w) {
  interleave();
  if (t->is_step) t->step_state.store(TaskHeader::StepState::kNotified, std::memory_order_relaxed);
  queue(t, w, false);
}

void make_runnable_last(TaskHeader* t) { queue(t, current_worker(), true); }

void WorkerState::push(TaskHeader* t) {
  TaskHeader* old = slot.load(std::memory_order_relaxed);
  if (old == nullptr) {
    slot.store(t, std::memory_order_release);  // thieves only ever empty it
    return;                                    // a lone hand-off wakes nobody
  }
  if (rt->worker_count == 1) {  // there are no thieves
    slot.store(t, std::memory_order_relaxed);
  } else {
    old = slot.exchange(t, std::memory_order_acq_rel);
  }
  if (old != nullptr) push_back(old);
}

void WorkerState::push_back(TaskHeader* t) {
  RunRing& ring = rings[t->priority];
  while (!ring.push(t)) {
    TaskHeader* half[RunRing::kSize / 2];
    const std::uint32_t n = ring.take_half(half);
    if (n == 0) continue;
    metrics->overflows.add();
    rt->push_batch(half, n, t->priority);
  }
  rt->notify_one();
}

void WorkerState::push_inbox(TaskHeader* t) {
  t->next = nullptr;  // a guess, so that the line comes once
  while (!inbox.compare_exchange_weak(t->next, t, std::memory_order_seq_cst)) {
  }
  interleave();
  if constexpr (bugs(Bug::kInboxWithoutWake)) {
    if (check_bug(*rt, Bug::kInboxWithoutWake)) return;
  }
  if (park_word.load(std::memory_order_seq_cst) == 1) wake();
}

void WorkerState::drain_inbox() {
  TaskHeader* list = nullptr;
  if (bugs(Bug::kInboxWithoutSwap) && check_bug(*rt, Bug::kInboxWithoutSwap)) {
    list = inbox.load();
    interleave();
    inbox.store(nullptr);
  } else {
    list = inbox.exchange(nullptr, std::memory_order_acquire);
  }
  TaskHeader* forward = nullptr;
  while (list != nullptr) {
    TaskHeader* const next = list->next;
    list->next = forward;
    forward = list;
    list = next;
  }
  while (forward != nullptr) {
    TaskHeader* const next = forward->next;
    forward->next = nullptr;
    *pinned_tail = forward;
    pinned_tail = &forward->next;
    forward = next;
  }
}

void RuntimeCore::push_global(TaskHeader* t) {
  const unsigned p = t->priority;
  t->next = nullptr;
  const SpinGuard guard(global.lock);
  if (global.tail[p] == nullptr) {
    global.head[p] = t;
  } else {
    global.tail[p]->next = t;
  }
  global.tail[p] = t;
  global.count.store(global.count.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
}

void RuntimeCore::push_batch(TaskHeader** tasks, std::uint32_t n, unsigned p) {
  void* const memory = detail::pool_allocate(sizeof(TaskBatch));
  if (memory == nullptr) {
    for (std::uint32_t i = 0; i < n; ++i) push_global(tasks[i]);
    return;
  }
  auto* const b = new (memory) TaskBatch;
  b->end = n;
  for (std::uint32_t i = 0; i < n; ++i) b->tasks[i] = tasks[i];
  const SpinGuard guard(global.lock);
  b->older = global.newest[p];
  if (b->older != nullptr) {
    b->older->newer = b;
  } else {
    global.oldest[p] = b;
  }
  global.newest[p] = b;
  global.count.store(global.count.load(std::memory_order_relaxed) + n, std::memory_order_seq_cst);
}

TaskHeader* RuntimeCore::take_oldest(WorkerState* into, unsigned first) {
  if (global.count.load(std::memory_order_acquire) == 0) return nullptr;
  TaskHeader* t = nullptr;
  TaskBatch* spent = nullptr;
  {
    const SpinGuard guard(global.lock);
    for (unsigned k = 0; k < kPriorities && t == nullptr; ++k) {
      const unsigned p = (first + k) % kPriorities;
      // Tasks from outside and batches take turns.
      if (global.head[p] != nullptr && (global.oldest[p] == nullptr || (into->tick & 64) != 0)) {
        t = global.head[p];
        global.head[p] = t->next;
        if (global.head[p] == nullptr) global.tail[p] = nullptr;
      } else if (TaskBatch* const b = global.oldest[p]) {
        t = b->tasks[b->begin++];
        if (b->begin == b->end) {
          global.oldest[p] = b->newer;
          (b->newer != nullptr ? b->newer->older : global.newest[p]) = nullptr;
          spent = b;
        }
      }
    }
    if (t == nullptr) return nullptr;
    global.count.store(global.count.load(std::memory_order_relaxed) - 1, std::memory_order_seq_cst);
  }
  into->metrics->global_takes.add();
  detail::pool_free(spent);
  return t;
}

TaskHeader* RuntimeCore::take_share(WorkerState* into) {
  if (global.count.load(std::memory_order_acquire) == 0) return nullptr;
  TaskHeader* list = nullptr;
  TaskBatch* batch = nullptr;
  unsigned p = 0;
  {
    const SpinGuard guard(global.lock);
    const std::uint32_t count = global.count.load(std::memory_order_relaxed);
    while (p < kPriorities && global.head[p] == nullptr && global.newest[p] == nullptr) ++p;
    if (p == kPriorities) return nullptr;
    std::uint32_t taken = 0;
    if (global.head[p] != nullptr) {
      std::uint32_t share = count / worker_count + 1;
      if (share > RunRing::kSize / 8) share = RunRing::kSize / 8;
      list = global.head[p];
      TaskHeader* last = list;
      taken = 1;
      while (taken < share && last->next != nullptr) {
        last = last->next;
        ++taken;
      }
      global.head[p] = last->next;
      if (global.head[p] == nullptr) global.tail[p] = nullptr;
      last->next = nullptr;
    } else {
      batch = global.newest[p];
      global.newest[p] = batch->older;
      (batch->older != nullptr ? batch->older->newer : global.oldest[p]) = nullptr;
      taken = batch->end - batch->begin;
    }
    global.count.store(count - taken, std::memory_order_seq_cst);
    into->metrics->global_takes.add(taken);
  }
  if (batch != nullptr) {
    TaskHeader* const first = batch->tasks[batch->begin];
    for (std::uint32_t i = batch->begin + 1; i < batch->end; ++i)
      if (!into->rings[p].push(batch->tasks[i])) push_global(batch->tasks[i]);
    detail::pool_free(batch);
    return first;
  }
  TaskHeader* rest = list->next;
  list->next = nullptr;
  while (rest != nullptr) {
    TaskHeader* const next = rest->next;
    if (!into->rings[p].push(rest)) push_global(rest);
    rest = next;
  }
  return list;
}

// ---- choosing -------------------------------------------------------------------------------------------------------------

TaskHeader* WorkerState::next_task() {
  ++tick;
  if (inbox.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
    drain_inbox();
  if (--until_global == 0) [[unlikely]] {
    // Its priorities take turns, so that none of them starves either.
    until_global = kGlobalEvery;
    ++global_turn;
    const unsigned first = global_turn % 4 == 0 ? global_turn / 4 % kPriorities : 0;
    if (TaskHeader* t = rt->take_oldest(this, first)) return t;
    if (rt->poller.used() && !rt->poller.role_taken.exchange(true, std::memory_order_acquire)) {
      rt->poller.poll(0, *rt);
      rt->poller.role_taken.store(false, std::memory_order_release);
    }
  }
  const auto take_pinned = [this]() -> TaskHeader* {
    TaskHeader* const t = pinned_head;
    pinned_head = t->next;
    if (pinned_head == nullptr) pinned_tail = &pinned_head;
    return t;
  };
  if (pinned_head != nullptr && (tick & 1) != 0) return take_pinned();
  if (tick % kNormalEvery == 0) {
    static_assert(kBackgroundEvery % kNormalEvery == 0);
    if (tick % kBackgroundEvery == 0) {
      if (TaskHeader* t = rings[2].pop()) return t;
    }
    if (TaskHeader* t = rings[1].pop()) return t;
  }
  if (!rings[0].empty()) {
    if (TaskHeader* t = rings[0].pop()) return t;
  }
  if (TaskHeader* t = slot.load(std::memory_order_relaxed)) {
    const bool capped = slot_streak >= kSlotStreak && (!rings[1].empty() || pinned_head != nullptr);
    if (rt->worker_count == 1) {
      slot.store(nullptr, std::memory_order_relaxed);
    } else {
      t = slot.exchange(nullptr, std::memory_order_acquire);
    }
    if (t != nullptr) {
      if (!capped) {
        ++slot_streak;
        metrics->lifo_hits.add();
        return t;
      }
      slot_streak = 0;
      push_back(t);
    }
  }
  slot_streak = 0;
  if (TaskHeader* t = rings[1].pop()) return t;
  if (pinned_head != nullptr) return take_pinned();
  if (TaskHeader* t = rings[2].pop()) return t;
  return rt->take_share(this);
}

bool WorkerState::steal_from(WorkerState& victim, bool slot_too, TaskHeader** out) {
  metrics->steal_attempts.add();
  for (unsigned p = 0; p < kPriorities; ++p) {
    if (victim.rings[p].empty()) continue;
    TaskHeader* half[RunRing::kSize / 2 + 1];
    const std::uint32_t n = victim.rings[p].steal_half(half);
    if (n == 0) continue;
    metrics->steals.add();
    metrics->tasks_stolen.add(n);
    if (rt->trace->on()) rt->trace->record(index, {.kind = TraceKind::kSteal, .begin_ns = rt->now(), .value = n});
    // The ring of this worker is empty (it had nothing to do), so they fit.
    for (std::uint32_t i = 0; i + 1 < n; ++i)
      if (!rings[p].push(half[i])) rt->push_global(half[i]);
    *out = half[n - 1];
    return true;
  }
  if (slot_too && victim.slot.load(std::memory_order_relaxed) != nullptr) {
    TaskHeader* const t = victim.slot.exchange(nullptr, std::memory_order_acquire);
    if (t != nullptr) {
      metrics->steals.add();
      metrics->tasks_stolen.add();
      *out = t;
      return true;
    }
  }
  return false;
}

void WorkerState::run_loop() {
  set_current_worker(this);
  while (true) {
    TaskHeader* t = nullptr;
    if (next_expiry.load(std::memory_order_relaxed) != kNever) {
      const std::uint64_t c = cycles();
      if (c - timer_tsc > kTscQuantum || tick % kTimerEveryTicks == 0 || rt->simulation != nullptr) {
        timer_tsc = c;
        look_at_timers();
      }
    }
    t = next_task();
    if (t == nullptr) {
      if (rt->exiting.load(std::memory_order_acquire)) break;
      running.store(false, std::memory_order_relaxed);
      t = await_inbox();
      if (t == nullptr) t = search();
      if (t == nullptr) {
        park();
        continue;
      }
    }
    if (!running.load(std::memory_order_relaxed)) running.store(true, std::memory_order_relaxed);
    if (searching) {
      // There is work: if there is more, the next one may search.
      searching = false;
      rt->idle.searching.store(0, std::memory_order_seq_cst);
      if (anything_runnable()) rt->notify_one();
    }
    execute(t);
  }
  if (searching) {
    searching = false;
    rt->idle.searching.store(0, std::memory_order_seq_cst);
  }
  set_current_worker(nullptr);
}

void WorkerState::execute(TaskHeader* t) {
  interleave();
  ++run_number;
  fuel = budget;
  metrics->task_switches.add();
  const std::uint8_t priority = t->priority;
  metrics->priority[priority].dequeued.add();
  const NameId name = t->name;
  if (name != kNoName) metrics->of_name(name).switches.add();
  current = t;
  if (t->queued_at != 0 || rt->trace->on()) [[unlikely]] {
    execute_watched(t);
  } else {
    t->run(t);  // the task may be gone after this
  }
  current = nullptr;
}

void WorkerState::execute_watched(TaskHeader* t) {
  const std::uint8_t priority = t->priority;
  const NameId name = t->name;
  const std::uint64_t id = t->id;
  const std::uint64_t queued_at = std::exchange(t->queued_at, 0);
  const bool tracing = rt->trace->on();
  const Instant begin = rt->now();
  if (queued_at != 0) metrics->note_wait(priority, name, begin - queued_at);
  t->run(t);  // the task may be gone after this
  const Instant end = rt->now();
  if (queued_at != 0) metrics->note_run(priority, name, end - begin);
  if (tracing)
    rt->trace->record(index, {.kind = TraceKind::kRun,
                              .priority = priority,
                              .name = name,
                              .task = id,
                              .begin_ns = begin,
                              .duration_ns = end - begin});
}

// About every 50 µs of a task that polls: timers, requests, the end of its slice.
bool WorkerState::slow_poll() {
  const Instant t = rt->now();
  if (polled_run != run_number) {
    polled_run = run_number;
    slice_start = t;
  } else {
    const Instant d = t - last_poll;
    if (d < 25'000 && budget < (1 << 22)) budget *= 2;
    if (d > 100'000 && budget > 16) budget /= 2;
  }
  last_poll = t;
  fuel = budget;
  const bool timer_fired = look_at_timers();
  if (rt->poller.used() && !rt->poller.role_taken.exchange(true, std::memory_order_acquire)) {
    rt->poller.poll(0, *rt);
    rt->poller.role_taken.store(false, std::memory_order_release);
  }
  preempt.store(false, std::memory_order_relaxed);
  if (rt->config.deterministic && rt->simulation == nullptr) return !rt->virtual_runnable.empty();
  const bool others = inbox.load(std::memory_order_relaxed) != nullptr || pinned_head != nullptr ||
                      slot.load(std::memory_order_relaxed) != nullptr || !rings[0].empty() || !rings[1].empty() ||
                      !rings[2].empty() || rt->global.count.load(std::memory_order_relaxed) != 0;
  if (!others) return false;
  if (timer_fired || (!rings[0].empty() && current->priority != 0)) return true;
  // What waits in the slot has waited long enough to be worth a wake-up.
  if (rt->worker_count > 1 && rt->idle.count.load(std::memory_order_relaxed) != 0) {
    if (TaskHeader* s = slot.exchange(nullptr, std::memory_order_acquire)) push_back(s);
  }
  if (t - slice_start < static_cast<Instant>(rt->config.slice.count())) return false;
  metrics->preemptions.add();
  return true;
}

}  // namespace neovm::worker
