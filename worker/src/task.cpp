// The life of a task: launch, first run, end, join, cancellation, references.
#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

using detail::pool_allocate;
using detail::pool_free;

namespace {

void free_task(TaskHeader* t) {
  if (t->kind->drop_value != nullptr) t->kind->drop_value(t);
  t->~TaskHeader();
  pool_free(t);
}

void report_unawaited(RuntimeCore* rt, TaskHeader* t) {
  if (!rt->config.on_unawaited_error) return;
  rt->config.on_unawaited_error(ScopeError{rt->telemetry->name_of(t->name), t->id, t->error});
}

// The body has returned: waits for the children (the last one comes back here), then ends; a parent that waited for this one is next.
void end_one(TaskHeader* t);

}  // namespace

TaskExtra* extra_of(TaskHeader* t) {
  if (t->extra == nullptr) {
    void* const p = pool_allocate(sizeof(TaskExtra));
    if (p == nullptr) return nullptr;
    t->extra = new (p) TaskExtra;
  }
  return t->extra;
}

TaskGroup* own_group(TaskHeader* t) {
  if (t->own_group == nullptr) {
    void* const p = pool_allocate(sizeof(TaskGroup));
    if (p == nullptr) return nullptr;
    auto* const g = new (p) TaskGroup;
    GroupAccess::set_owner(*g, t);
    // Under the lock: a canceller may be walking over this task's groups, and what it asked before is passed on.
    const SpinGuard guard(t->lock);
    GroupAccess::inherit(*g, t->flags.load(std::memory_order_relaxed));
    t->own_group = g;
  }
  return t->own_group;
}

void resume_frames(void* frame) {
  WorkerState* const w =
      current_worker();  // stays the same: what moves to another worker is resumed by that one's loop
  while (frame != nullptr) {
    std::coroutine_handle<>::from_address(frame).resume();
    frame = std::exchange(w->next_frame, nullptr);
  }
}

// ---- launch ------------------------------------------------------------------------------------------------------------

namespace detail {

RuntimeCore* current_runtime() {
  WorkerState* const w = current_worker();
  return w != nullptr && w->current != nullptr ? w->rt : nullptr;
}

WaitCell& suspend_at(TaskHeader& task, std::coroutine_handle<> point) {
  task.resume_point = point.address();
  return task;
}

bool stop_pending() {
  WorkerState* const w = current_worker();
  if (w == nullptr || w->current == nullptr) return false;
  const TaskHeader& t = *w->current;
  return (t.flags.load(std::memory_order_relaxed) & kStopMask) != 0 && t.shields == 0;
}

namespace {

// What the options say, beyond the defaults.
Status apply_options(RuntimeCore* rt, TaskHeader* t, TaskHeader* parent, const SpawnOptions& options,
                     TaskGroup** group) {
  if (options.pin >= static_cast<int>(rt->worker_count)) return Status::kInvalid;
  if (options.scope != nullptr) {
    *group = GroupAccess::of(*options.scope);
    if (*group == nullptr || parent == nullptr || GroupAccess::owner(**group) != parent) return Status::kInvalid;
  } else if (options.detached) {
    *group = &rt->root_group();
  }
  t->main_only = options.main_only;
  t->pin = static_cast<std::int16_t>(options.pin);
  if (options.priority) t->priority = static_cast<std::uint8_t>(*options.priority);
  t->name =
      options.name_id != kNoName || options.name.empty() ? options.name_id : rt->telemetry->intern_name(options.name);
  return Status::kOk;
}

// What only some tasks have or inherit.
Status add_extra(TaskHeader* t, const TaskExtra* inherited, Instant* deadline) {
  if (inherited == nullptr) return Status::kOk;
  if (inherited->deadline.deadline < *deadline) *deadline = inherited->deadline.deadline;
  if (inherited->locals.empty()) return Status::kOk;
  TaskExtra* const extra = extra_of(t);
  if (extra == nullptr) return Status::kNoMemory;
  extra->locals = inherited->locals;
  return Status::kOk;
}

void drop_extra(TaskHeader* t) {
  if (t->extra == nullptr) return;
  t->extra->~TaskExtra();
  pool_free(t->extra);
}

}  // namespace

Status launch(RuntimeCore* rt, TaskHeader* t, const SpawnOptions* options) {
  if (rt->forked()) return Status::kForked;
  if (rt->status != Status::kOk) return rt->status;
  if (!rt->accepting.load(std::memory_order_relaxed)) return Status::kShutdown;
  WorkerState* const w = current_worker();
  const bool here = w != nullptr && w->rt == rt;
  TaskHeader* const parent = here ? w->current : nullptr;
  if (parent != nullptr) t->priority = parent->priority;
  t->runtime = rt;
  TaskGroup* group = nullptr;
  Instant deadline = kNever;
  bool inherits = parent != nullptr;
  if (options != nullptr) {
    const Status s = apply_options(rt, t, parent, *options, &group);
    if (s != Status::kOk) return s;
    deadline = options->deadline;
    inherits = inherits && (options->scope != nullptr || !options->detached);
  }
  if (group == nullptr) group = parent != nullptr ? own_group(parent) : &rt->root_group();
  if (group == nullptr) return Status::kNoMemory;
  if (inherits) {
    const Status s = add_extra(t, parent->extra, &deadline);
    if (s != Status::kOk) return s;
  }
  if (rt->config.max_tasks != 0 && rt->unfinished.fetch_add(1, std::memory_order_relaxed) >= rt->config.max_tasks) {
    rt->unfinished.fetch_sub(1, std::memory_order_relaxed);
    drop_extra(t);
    return Status::kLimit;
  }
  if (here) {
    t->id = w->next_id++;
    w->metrics->tasks_spawned.add();
    if (t->name != kNoName) w->metrics->of_name(t->name).spawned.add();
    if (rt->trace->on())
      rt->trace->record(w->index, {.kind = TraceKind::kSpawn,
                                   .name = t->name,
                                   .task = parent != nullptr ? parent->id : 0,
                                   .begin_ns = rt->now(),
                                   .value = t->id});
  } else {
    t->id = rt->outside_id.fetch_add(1, std::memory_order_relaxed);
    rt->telemetry->outside().tasks_spawned.add_shared();
    if (t->name != kNoName) rt->telemetry->outside().of_name_shared(t->name).spawned.add_shared();
  }
  const Status s = GroupAccess::add(*group, t, w);
  if (s != Status::kOk) {
    if (rt->config.max_tasks != 0) rt->unfinished.fetch_sub(1, std::memory_order_relaxed);
    drop_extra(t);
    return s;
  }
  if (deadline != kNever) arm_deadline(t, deadline);
  make_runnable_new(t, w);
  return Status::kOk;
}

void go_on_with(std::coroutine_handle<> frame) noexcept { current_worker()->next_frame = frame.address(); }

namespace {

// The first run: not at all when it was asked to stop before.
bool stopped_before_begin(TaskHeader* t) {
  const std::uint32_t flags = t->flags.load(std::memory_order_acquire);
  if ((flags & kStopMask) == 0) return false;
  t->kind->discard(t);
  t->never_began = true;
  root_ended(t);
  return true;
}

void run_begun(TaskHeader* t) { resume_frames(t->resume_point); }

void run_step(TaskHeader* t);

void begin_step(TaskHeader* t) {
  if (stopped_before_begin(t)) return;
  t->run = run_step;
  run_step(t);
}

struct StepBlock : TaskBlock<void> {
  StepTask body;
};

void run_step(TaskHeader* t) {
  auto* const block = static_cast<StepBlock*>(t);
  for (;;) {
    t->step_state.store(TaskHeader::StepState::kRunning, std::memory_order_relaxed);
    switch (block->body.step(block->body.state, *t)) {
      case Step::kDone:
        if (block->body.destroy != nullptr) block->body.destroy(block->body.state);
        root_ended(t);
        return;
      case Step::kYield:
        current_worker()->metrics->yields.add();
        t->step_state.store(TaskHeader::StepState::kNotified, std::memory_order_relaxed);
        make_runnable_last(t);
        return;
      case Step::kPark: {
        auto running = TaskHeader::StepState::kRunning;
        if (t->step_state.compare_exchange_strong(running, TaskHeader::StepState::kParked, std::memory_order_acq_rel))
          return;
        break;  // woken already
      }
    }
  }
}

void discard_step(TaskHeader* t) {
  auto* const block = static_cast<StepBlock*>(t);
  if (block->body.destroy != nullptr) block->body.destroy(block->body.state);
}

constexpr TaskKind kStepKind = {discard_step, nullptr};

}  // namespace

void run_coroutine(TaskHeader* t) {
  if (stopped_before_begin(t)) return;
  t->run = run_begun;
  run_begun(t);
}

JoinHandle<void> spawn_step(RuntimeCore* rt, const StepTask& task, const SpawnOptions& options) {
  if (rt == nullptr || task.step == nullptr) return JoinHandle<void>(Status::kInvalid);
  void* const memory = pool_allocate(sizeof(StepBlock));
  if (memory == nullptr) return JoinHandle<void>(Status::kNoMemory);
  auto* const block = new (memory) StepBlock;
  block->body = task;
  block->is_step = true;
  block->run = begin_step;
  block->kind = &kStepKind;
  const Status s = launch(rt, block, &options);
  if (s == Status::kOk) return JoinHandle<void>(block);
  block->~StepBlock();
  pool_free(memory);
  return JoinHandle<void>(s);
}

// ---- end -------------------------------------------------------------------------------------------------------------------

void root_ended(TaskHeader* t) { end_one(t); }

Status take_end(TaskHeader* t, std::exception_ptr* error) {
  const Status s = t->ended.load(std::memory_order_relaxed);
  if (s == Status::kFailed) *error = t->error;
  t->error_seen = true;
  return s;
}

void free_joined(TaskHeader* t) {
  // A task that has ended gets new references only from its handle, the caller's, or from one that is there. So when there are
  // none there will be none, and when nobody is inside the lock nobody will be: who ended the task and a
  // canceller that has just let go of it were inside when they made `ended` and `references` what is seen here.
  interleave();
  if (t->references.load(std::memory_order_acquire) == 0 && !t->lock.held()) {
    free_task(t);
    return;
  }
  t->lock.lock();
  t->handle_dropped = true;
  const bool last = t->references.load(std::memory_order_relaxed) == 0;
  t->lock.unlock();
  if (last) free_task(t);
}

}  // namespace detail

namespace {

void end_one(TaskHeader* t) {
  while (t != nullptr) {
    RuntimeCore* const rt = t->runtime;
    if (t->groups != nullptr || t->own_group != nullptr) {
      std::uint32_t pass_on = t->flags.load(std::memory_order_relaxed) & kStopMask;
      if (t->error) pass_on |= TaskHeader::kCancelRequested;
      if (!GroupAccess::drained(t, pass_on)) return;
    }
    if (t->extra != nullptr) {
      disarm_timer(&t->extra->deadline);
      t->extra->~TaskExtra();
      pool_free(std::exchange(t->extra, nullptr));
    }
    const Status how = t->never_began ? stop_status(t->flags.load(std::memory_order_relaxed))
                       : t->error     ? Status::kFailed
                                      : Status::kOk;
    WorkerState* const w = current_worker();
    WorkerMetrics& m = *w->metrics;
    m.tasks_finished.add();
    if (how == Status::kFailed) m.tasks_failed.add();
    if (t->never_began) m.tasks_cancelled.add();
    if (t->name != kNoName) {
      NameMetrics& n = m.of_name(t->name);
      n.finished.add();
      if (how == Status::kFailed) n.failed.add();
      if (t->never_began) n.cancelled.add();
    }
    if (rt->config.max_tasks != 0) rt->unfinished.fetch_sub(1, std::memory_order_relaxed);
    t = GroupAccess::remove_and_end(t, how, w);
  }
}

}  // namespace

// Under the task's lock.
void publish_end(TaskHeader* t, Status how, WakeList* wakes) {
  if (WaitNode* const j = t->joiner) {
    t->joiner = nullptr;
    j->next = j->previous = nullptr;
    if (claim(*j->cell, Status::kOk, 0)) wakes->add(j->cell);
  }
  t->ended.store(how, std::memory_order_release);
}

// Under the group's lock. What must be done after it is returned in `*free_it` and `wakes`.
void end_under_lock(TaskHeader* t, Status how, WakeList* wakes, bool* free_it, bool* report) {
  const SpinGuard guard(t->lock);
  *report = how == Status::kFailed && t->handle_dropped;
  *free_it = t->handle_dropped && t->references.load(std::memory_order_relaxed) == 0;
  publish_end(t, how, wakes);
}

void free_ended(TaskHeader* t) { free_task(t); }

// ---- join ------------------------------------------------------------------------------------------------------------------

// Would waiting for `from` end up waiting for `what`? Joiners that go on while a walk is under way wait for its end before
// they let go of whom they joined, so every task on the way is there.
bool RuntimeCore::walk_finds(TaskHeader* from, TaskHeader* what) {
  walkers.fetch_add(1, std::memory_order_seq_cst);
  heavy_fence(*this);
  bool found = false;
  {
    const SpinGuard guard(walk_lock);
    for (TaskHeader* t = from; t != nullptr && !found; t = t->joining.load(std::memory_order_seq_cst))
      found = t == what;
  }
  walkers.fetch_sub(1, std::memory_order_seq_cst);
  return found;
}

namespace {

bool is_ancestor(const TaskHeader* maybe, const TaskHeader* of) {
  const TaskGroup* g = of->parent;
  while (g != nullptr) {
    const TaskHeader* const owner = GroupAccess::owner(*g);
    if (owner == nullptr) return false;
    if (owner == maybe) return true;
    g = owner->parent;
  }
  return false;
}

void stop_joining(TaskHeader* me) {
  RuntimeCore* const rt = me->runtime;
  store_light(me->joining, static_cast<TaskHeader*>(nullptr), rt->uneven);
  if (rt->walkers.load(std::memory_order_seq_cst) != 0) {
    rt->walk_lock.lock();
    rt->walk_lock.unlock();
  }
}

}  // namespace

bool JoinWait::wait_ready(TaskHeader* target) {
  if (target->ended.load(std::memory_order_acquire) == Status::kPending) return false;
  outcome_ = Status::kOk;
  return true;
}

bool JoinWait::wait_begin(WaitCell& cell, TaskHeader* target) {
  if (wait_ready(target)) return true;
  if (stop_requested(cell, &outcome_)) return true;
  TaskHeader* me = nullptr;
  if (cell.is_task) {
    me = static_cast<TaskHeader*>(&cell);
    const bool child = target->parent != nullptr && GroupAccess::owner(*target->parent) == me;
    if (target == me || (!child && is_ancestor(target, me))) {
      outcome_ = Status::kDeadlock;
      return true;
    }
    store_light(me->joining, target, me->runtime->uneven);
  }
  target->lock.lock();
  // Of two that close a cycle from both ends one sees the other: each stores, exchanges a lock, and then looks.
  if (me != nullptr && target->joining.load(std::memory_order_seq_cst) != nullptr) {
    target->lock.unlock();
    if (me->runtime->walk_finds(target, me)) {
      stop_joining(me);
      outcome_ = Status::kDeadlock;
      return true;
    }
    target->lock.lock();
  }
  bool look = true;
  if constexpr (bugs(Bug::kJoinWithoutLook)) look = !check_bug(Bug::kJoinWithoutLook);
  if (look && target->ended.load(std::memory_order_relaxed) != Status::kPending) {
    outcome_ = Status::kOk;
  } else {
    node_.cell = &cell;
    target->joiner = &node_;
    if (arm(cell, &timer_, &outcome_)) {
      target->lock.unlock();
      return false;
    }
    target->joiner = nullptr;
    node_.cell = nullptr;
  }
  target->lock.unlock();
  if (me != nullptr) stop_joining(me);
  return true;
}

Status JoinWait::wait_finish(TaskHeader* target) {
  if (node_.cell == nullptr) return outcome_;
  WaitCell& cell = *node_.cell;
  if (cell.outcome != Status::kOk) {
    target->lock.lock();
    if (target->joiner == &node_) target->joiner = nullptr;
    target->lock.unlock();
  }
  node_.cell = nullptr;  // not before: who ends the task looks at it under the lock
  disarm_timer(&timer_);
  if (cell.is_task) stop_joining(static_cast<TaskHeader*>(&cell));
  return end_wait(cell);
}

// ---- cancellation ------------------------------------------------------------------------------------------------------------

void cancel_task(TaskHeader* first, std::uint32_t bits) {
  const std::uint32_t before = first->flags.fetch_or(bits | TaskHeader::kPassedOn, std::memory_order_seq_cst);
  if ((before & TaskHeader::kPassedOn) != 0) return;
  heavy_fence(*first->runtime);
  cancel_marked(first, bits);
}

void cancel_marked(TaskHeader* first, std::uint32_t bits) {
  // Iterative over the tree: what is found under a group's lock gets a reference and is gone through later.
  first->cancel_next = nullptr;
  TaskHeader* list = first;
  while (list != nullptr) {
    TaskHeader* const t = list;
    list = t->cancel_next;
    interleave();
    CellState armed = CellState::kArmed;
    if (t->state.compare_exchange_strong(armed, CellState::kClaimed, std::memory_order_acq_rel)) {
      t->outcome = stop_status(bits);
      t->branch = 0;
      make_runnable(t);
    }
    t->lock.lock();
    TaskHeader* const before_children = list;
    for (TaskGroup* g = t->groups; g != nullptr; g = GroupAccess::outer(*g)) GroupAccess::collect(*g, bits, &list);
    if (t->own_group != nullptr) GroupAccess::collect(*t->own_group, bits, &list);
    t->lock.unlock();
    if (list != before_children) heavy_fence(*t->runtime);  // their flags, then the look whether they wait
    if (t != first) release_reference(t);
  }
}

void release_reference(TaskHeader* t) {
  t->lock.lock();
  const std::uint32_t left = t->references.load(std::memory_order_relaxed) - 1;
  t->references.store(left, std::memory_order_release);
  interleave();
  const bool last = left == 0 && t->handle_dropped && t->ended.load(std::memory_order_relaxed) != Status::kPending;
  t->lock.unlock();
  if (last) free_task(t);
}

// ---- handles ---------------------------------------------------------------------------------------------------------------

std::string error_text(const std::exception_ptr& error) {
  if (!error) return {};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown";
  }
}

TaskRef::TaskRef(TaskHeader* t) : task_(t) {
  if (t == nullptr) return;
  const SpinGuard guard(t->lock);
  t->references.store(t->references.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

TaskRef::~TaskRef() {
  if (task_ != nullptr) release_reference(task_);
}

namespace {
Status cancel_counted(TaskHeader* t) {
  WorkerState* const w = current_worker();
  if (w != nullptr) {
    w->metrics->cancellations_requested.add();
    if (w->rt->trace->on())
      w->rt->trace->record(w->index, {.kind = TraceKind::kCancel,
                                      .name = w->current != nullptr ? w->current->name : kNoName,
                                      .task = w->current != nullptr ? w->current->id : 0,
                                      .begin_ns = w->rt->now(),
                                      .value = t->id});
  }
  if (t->ended.load(std::memory_order_acquire) == Status::kPending) cancel_task(t, TaskHeader::kCancelRequested);
  return Status::kOk;
}
}  // namespace

Status TaskRef::cancel() const { return task_ == nullptr ? Status::kAlreadyAwaited : cancel_counted(task_); }
Status TaskRef::status() const {
  return task_ == nullptr ? Status::kAlreadyAwaited : task_->ended.load(std::memory_order_acquire);
}
std::string TaskRef::name() const {
  if (task_ == nullptr || task_->name == kNoName) return {};
  // A task that has not ended keeps its runtime; it cannot end while its lock is held.
  const SpinGuard guard(task_->lock);
  if (task_->ended.load(std::memory_order_relaxed) != Status::kPending) return {};
  return task_->runtime->telemetry->name_of(task_->name);
}
std::uint64_t TaskRef::id() const { return task_ == nullptr ? 0 : task_->id; }

Status JoinHandleBase::cancel() const { return task_ == nullptr ? refused_ : cancel_counted(task_); }
Status JoinHandleBase::status() const {
  return task_ == nullptr ? refused_ : task_->ended.load(std::memory_order_acquire);
}

void JoinHandleBase::drop() {
  TaskHeader* const t = std::exchange(task_, nullptr);
  refused_ = Status::kAlreadyAwaited;
  if (t == nullptr) return;
  t->lock.lock();
  const bool ended = t->ended.load(std::memory_order_relaxed) != Status::kPending;
  if (ended && t->kind->drop_value != nullptr) {
    // Now, although references may keep the task; and not under the lock.
    t->lock.unlock();
    t->kind->drop_value(t);
    t->lock.lock();
  }
  t->handle_dropped = true;
  const bool last = ended && t->references.load(std::memory_order_relaxed) == 0;
  // Its scope may be gone by now; the runtime is there as long as it did not end too.
  const bool report = ended && !t->error_seen && t->error != nullptr;
  t->lock.unlock();
  if (report && current_worker() != nullptr && current_worker()->rt == t->runtime) report_unawaited(t->runtime, t);
  if (last) free_task(t);
}

// ---- the running task ------------------------------------------------------------------------------------------------------

namespace {
TaskHeader* running_task() {
  WorkerState* const w = current_worker();
  return w != nullptr ? w->current : nullptr;
}
}  // namespace

namespace this_task {

TaskRef ref() { return TaskRef(running_task()); }

Status cancelled() {
  const TaskHeader* const t = running_task();
  return t == nullptr ? Status::kOk : worker::cancelled(*t);
}

bool poll(std::uint32_t fuel) {
  WorkerState* const w = current_worker();
  if (w == nullptr || w->current == nullptr) return false;
  w->fuel -= static_cast<std::int32_t>(fuel);
  if (w->fuel > 0 && !w->preempt.load(std::memory_order_relaxed)) return false;
  return w->slow_poll();
}

Instant deadline() {
  const TaskHeader* const t = running_task();
  return t == nullptr || t->extra == nullptr ? kNever : t->extra->deadline.deadline;
}

Shield::Shield() : task_(running_task()) {
  if (task_ != nullptr) ++task_->shields;
}
Shield::~Shield() {
  if (task_ != nullptr) --task_->shields;
}

void* local(const void* key) {
  const TaskHeader* const t = running_task();
  if (t == nullptr || t->extra == nullptr) return nullptr;
  for (const TaskExtra::Local& l : t->extra->locals)
    if (l.key == key) return l.value;
  return nullptr;
}

void set_local(const void* key, void* value) {
  TaskHeader* const t = running_task();
  if (t == nullptr) return;
  TaskExtra* const extra = extra_of(t);
  if (extra == nullptr) return;
  for (TaskExtra::Local& l : extra->locals)
    if (l.key == key) {
      l.value = value;
      return;
    }
  extra->locals.push_back({key, value});
}

}  // namespace this_task

WaitCell& waiter_of(TaskHeader& self) { return self; }
Status cancelled(const TaskHeader& self) {
  if (self.shields != 0) return Status::kOk;
  return stop_status(self.flags.load(std::memory_order_relaxed));
}
void fail(TaskHeader& self, std::exception_ptr error) { self.error = std::move(error); }

void YieldOp::requeue(TaskHeader* task, std::coroutine_handle<> point) {
  task->resume_point = point.address();
  current_worker()->metrics->yields.add();
  make_runnable_last(task);
}

}  // namespace neovm::worker
