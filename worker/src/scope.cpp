// Groups of children: linking, ending, cancelling down the tree.
#include "neovm/worker/scope.hpp"

#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

void end_under_lock(TaskHeader* t, Status how, WakeList* wakes, bool* free_it, bool* report);
void publish_end(TaskHeader* t, Status how, WakeList* wakes);
void free_ended(TaskHeader* t);

namespace {
// The lock of a group whose children are spawned, and end, on one worker is that worker's.
class GroupGuard {
 public:
  explicit GroupGuard(BiasedLock& l) : GroupGuard(l, current_worker()) {}
  GroupGuard(BiasedLock& l, const WorkerState* me) : lock_(l) {
    if (lock_.lock(me) == BiasedLock::Entry::kAlone) lock_.consider(may_be_favoured(me));
  }
  ~GroupGuard() { lock_.unlock(); }
  GroupGuard(const GroupGuard&) = delete;
  GroupGuard& operator=(const GroupGuard&) = delete;

 private:
  BiasedLock& lock_;
};

// What `gone_` holds once it is closed: no task is there.
TaskHeader* closed_list() { return reinterpret_cast<TaskHeader*>(std::uintptr_t{1}); }

constexpr std::uint64_t kApartTurns = kChecked ? 4 : 32;  // one of so many ends takes the lock

void release_all(TaskHeader* list) {
  while (list != nullptr) {
    TaskHeader* const next = list->next;
    release_reference(list);
    list = next;
  }
}
}  // namespace

Status GroupAccess::add(TaskGroup& g, TaskHeader* t, const WorkerState* me) {
  const GroupGuard guard(g.lock_, me);
  if (g.closed_) return Status::kClosed;
  t->parent = &g;
  t->sibling_next = g.children_;
  t->sibling_previous = nullptr;
  if (g.children_ != nullptr) g.children_->sibling_previous = t;
  g.children_ = t;
  ++g.live_;
  if (g.home_.load(std::memory_order_relaxed) != me) g.home_.store(me, std::memory_order_relaxed);
  // Nobody else knows the task yet.
  if (g.cancelled_ != 0) t->flags.store(g.cancelled_ | TaskHeader::kPassedOn, std::memory_order_relaxed);
  return Status::kOk;
}

void GroupAccess::inherit(TaskGroup& g, std::uint32_t flags) {
  g.cancelled_ |= flags & (TaskHeader::kCancelRequested | TaskHeader::kShutDown);
}

// Under the group's lock.
inline void GroupAccess::unlink(TaskGroup& g, TaskHeader* t) {
  if (t->sibling_next != nullptr) t->sibling_next->sibling_previous = t->sibling_previous;
  if (t->sibling_previous != nullptr) {
    t->sibling_previous->sibling_next = t->sibling_next;
  } else {
    g.children_ = t->sibling_next;
  }
  --g.live_;
}

// Under the group's lock: takes what was left by other workers, whose references are the caller's to release without the lock.
// With closed_list() as the replacement nothing is left there any more.
TaskHeader* GroupAccess::unlink_gone(TaskGroup& g, TaskHeader* replacement) {
  interleave();
  TaskHeader* list = g.gone_.load(std::memory_order_acquire);
  if (list == closed_list() || (list == nullptr && replacement == nullptr)) return nullptr;
  list = g.gone_.exchange(replacement, std::memory_order_acq_rel);
  if constexpr (bugs(Bug::kClosedWithoutLook)) {
    if (replacement != nullptr && check_bug(Bug::kClosedWithoutLook)) return nullptr;
  }
  for (TaskHeader* t = list; t != nullptr; t = t->next) unlink(g, t);
  return list;
}

// Under the group's lock, when a child has been unlinked: wakes who joins; returns the owner if that was the last it waits for.
inline TaskHeader* GroupAccess::last_gone(TaskGroup& g, WakeList* wakes) {
  std::uint32_t left = 0;
  if constexpr (bugs(Bug::kScopeOffByOne)) left = check_bug(Bug::kScopeOffByOne) ? 1 : 0;
  if (g.live_ > left) return nullptr;
  if (g.waiter_ != nullptr) {
    WaitNode* const n = std::exchange(g.waiter_, nullptr);
    if (claim(*n->cell, Status::kOk, 0)) wakes->add(n->cell);
  }
  if (!g.owner_ended_) return nullptr;
  g.owner_ended_ = false;
  return g.owner_;
}

// Without the group's lock: ends `t` and leaves it in `gone_`. Once it is there nothing of `t` or `g` is touched: both may go. But
// the task's lock is held until then, so who has joined the task finds it there.
GroupAccess::Apart GroupAccess::end_apart(TaskGroup& g, TaskHeader* t, WakeList* wakes) {
  TaskHeader* head = g.gone_.load(std::memory_order_relaxed);
  const auto closed = [&head] {
    if constexpr (bugs(Bug::kGoneAfterClosing)) {
      if (check_bug(Bug::kGoneAfterClosing)) return false;
    }
    return head == closed_list();
  };
  if (closed()) return Apart::kNo;
  const SpinGuard guard(t->lock);
  // A value that nobody will take is destroyed by the end, not some time after.
  if (t->handle_dropped && t->kind->drop_value != nullptr) return Apart::kNo;
  bool refer = true;
  if constexpr (bugs(Bug::kGoneWithoutReference)) refer = !check_bug(Bug::kGoneWithoutReference);
  if (refer) t->references.store(t->references.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  publish_end(t, Status::kOk, wakes);
  do {
    if (closed()) return Apart::kLate;
    t->next = head;
    interleave();
  } while (!g.gone_.compare_exchange_weak(head, t, std::memory_order_acq_rel, std::memory_order_relaxed));
  return Apart::kLeft;
}

TaskHeader* GroupAccess::remove_and_end(TaskHeader* t, Status how, WorkerState* me) {
  TaskGroup& g = *t->parent;
  RuntimeCore* const rt = t->runtime;
  if (how == Status::kFailed) [[unlikely]]
    return fail(g, t);
  const bool root = g.owner_ == nullptr;
  WakeList wakes;
  Apart apart = Apart::kNo;
  if (how == Status::kOk && g.home_.load(std::memory_order_relaxed) != me && me->random() % kApartTurns != 0)
    apart = end_apart(g, t, &wakes);
  TaskHeader* next = nullptr;
  if (apart != Apart::kLeft) {
    bool free_it = false;
    bool report = false;
    TaskHeader* gone = nullptr;
    {
      const GroupGuard guard(g.lock_, me);
      unlink(g, t);
      if (apart == Apart::kNo) end_under_lock(t, how, &wakes, &free_it, &report);
      // `t` belongs to its joiner from here on unless free_it (or it was left too late, and is still referred to).
      if (g.home_.load(std::memory_order_relaxed) != me) gone = unlink_gone(g, nullptr);
      next = last_gone(g, &wakes);
    }
    if (free_it) free_ended(t);
    if (apart == Apart::kLate) release_reference(t);
    release_all(gone);
  }
  wakes.wake();
  if (root && !rt->accepting.load(std::memory_order_seq_cst)) rt->root_task_ended();
  return next;
}

// The same for a task that failed: its error is kept, reported, or ends the others.
TaskHeader* GroupAccess::fail(TaskGroup& g, TaskHeader* t) {
  RuntimeCore* const rt = t->runtime;
  WakeList wakes;
  bool free_it = false;
  bool report = false;
  TaskHeader* next = nullptr;
  ScopeError error = {rt->telemetry->name_of(t->name), t->id, t->error};
  bool keep_error = false;
  bool cancel_others = false;
  bool root = false;
  {
    const GroupGuard guard(g.lock_);
    root = g.owner_ == nullptr;
    unlink(g, t);
    end_under_lock(t, Status::kFailed, &wakes, &free_it, &report);
    if (report && g.collects_) {
      keep_error = true;
      ++g.error_count_;
      if (g.errors_.size() < TaskGroup::kMaxErrors) g.errors_.push_back(std::move(error));
    }
    cancel_others = g.policy_ == ScopePolicy::kCancelOnError;
    if (cancel_others) {
      ++g.live_;  // holds the group while its children are cancelled
    } else {
      next = last_gone(g, &wakes);
    }
  }
  if (report && !keep_error && rt->config.on_unawaited_error)
    rt->config.on_unawaited_error(error);  // NOLINT(bugprone-use-after-move): only what is kept was moved
  if (free_it) free_ended(t);
  wakes.wake();
  if (cancel_others) {
    cancel(g, TaskHeader::kCancelRequested);
    WakeList last;
    {
      const GroupGuard guard(g.lock_);
      --g.live_;
      next = last_gone(g, &last);
    }
    last.wake();
  }
  if (root && !rt->accepting.load(std::memory_order_seq_cst)) rt->root_task_ended();
  return next;
}

// Under the lock of the group's owner (or for a root group).
void GroupAccess::collect(TaskGroup& g, std::uint32_t bits, TaskHeader** list) {
  const GroupGuard guard(g.lock_);
  g.cancelled_ |= bits;
  TaskHeader* child = g.children_;
  if constexpr (bugs(Bug::kSkippedChild)) {
    if (child != nullptr && check_bug(*child->runtime, Bug::kSkippedChild)) child = child->sibling_next;
  }
  for (; child != nullptr; child = child->sibling_next) {
    const std::uint32_t before = child->flags.fetch_or(bits | TaskHeader::kPassedOn, std::memory_order_seq_cst);
    if ((before & TaskHeader::kPassedOn) != 0) continue;
    child->lock.lock();
    child->references.store(child->references.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    child->lock.unlock();
    child->cancel_next = *list;
    *list = child;
  }
}

void GroupAccess::cancel(TaskGroup& g, std::uint32_t bits) {
  TaskHeader* list = nullptr;
  collect(g, bits, &list);
  if (list != nullptr) heavy_fence(*list->runtime);
  while (list != nullptr) {
    TaskHeader* const t = list;
    list = t->cancel_next;
    cancel_marked(t, bits);
    release_reference(t);
  }
}

std::uint32_t GroupAccess::live(TaskGroup& g) {
  TaskHeader* gone = nullptr;
  std::uint32_t left = 0;
  {
    const GroupGuard guard(g.lock_);
    gone = unlink_gone(g, nullptr);
    left = g.live_;
  }
  release_all(gone);
  return left;
}

bool GroupAccess::close(TaskGroup& g, std::uint32_t cancel_bits) {
  if (cancel_bits != 0) cancel(g, cancel_bits);
  TaskHeader* gone = nullptr;
  bool none = false;
  {
    const GroupGuard guard(g.lock_);
    g.closed_ = true;
    gone = unlink_gone(g, closed_list());
    none = g.live_ == 0;
    g.owner_ended_ = !none;
  }
  release_all(gone);
  return none;
}

void GroupAccess::survivors(TaskGroup& g, ShutdownReport* report, const Telemetry& telemetry) {
  (void)live(g);
  const GroupGuard guard(g.lock_);
  report->still_running_count += g.live_;
  for (TaskHeader* t = g.children_; t != nullptr && report->still_running.size() < 100; t = t->sibling_next) {
    std::string name = telemetry.name_of(t->name);
    report->still_running.push_back(name.empty() ? "#" + std::to_string(t->id) : std::move(name));
  }
}

// ---- Scope -----------------------------------------------------------------------------------------------------------------

Scope::Scope(ScopePolicy policy) {
  WorkerState* const w = current_worker();
  TaskHeader* const t = w != nullptr ? w->current : nullptr;
  if (t == nullptr) return;
  void* const p = detail::pool_allocate(sizeof(TaskGroup));
  if (p == nullptr) return;
  group_ = new (p) TaskGroup(policy);
  group_->owner_ = t;
  group_->collects_ = true;
  const SpinGuard guard(t->lock);
  GroupAccess::inherit(*group_, t->flags.load(std::memory_order_relaxed));
  group_->outer_ = t->groups;
  t->groups = group_;
}

Scope::~Scope() {
  if (group_ == nullptr) return;
  if (GroupAccess::live(*group_) != 0) {
    // Unwound by an exception: the task does not end before these do (GroupAccess::drained).
    GroupAccess::cancel(*group_, TaskHeader::kCancelRequested);
    return;
  }
  GroupAccess::forget(group_);
}

void GroupAccess::forget(TaskGroup* g) {
  TaskHeader* const t = g->owner_;
  {
    const SpinGuard guard(t->lock);
    TaskGroup** link = &t->groups;
    while (*link != g) link = &(*link)->outer_;
    *link = g->outer_;
  }
  // A child that ended just now may still be inside this lock.
  { const GroupGuard guard(g->lock_); }
  g->~TaskGroup();
  detail::pool_free(g);
}

bool GroupAccess::drained(TaskHeader* t, std::uint32_t cancel_bits) {
  while (t->groups != nullptr) {
    if (!close(*t->groups, cancel_bits | TaskHeader::kCancelRequested)) return false;
    forget(t->groups);
  }
  if (t->own_group == nullptr) return true;
  if (!close(*t->own_group, cancel_bits)) return false;
  t->lock.lock();
  TaskGroup* const g = std::exchange(t->own_group, nullptr);
  t->lock.unlock();
  g->~TaskGroup();
  detail::pool_free(g);
  return true;
}

void Scope::cancel() {
  if (group_ != nullptr) GroupAccess::cancel(*group_, TaskHeader::kCancelRequested);
}

ScopeJoinOp Scope::join() { return ScopeJoinOp(group_); }

ScopeJoinOp Scope::cancel_and_join() {
  cancel();
  return ScopeJoinOp(group_);
}

std::uint32_t Scope::live() const { return group_ == nullptr ? 0 : GroupAccess::live(*group_); }

std::vector<ScopeError> Scope::errors() const {
  if (group_ == nullptr) return {};
  const GroupGuard guard(group_->lock_);
  return group_->errors_;
}

std::uint64_t Scope::error_count() const {
  if (group_ == nullptr) return 0;
  const GroupGuard guard(group_->lock_);
  return group_->error_count_;
}

bool ScopeJoinOp::ready() { return false; }

bool ScopeJoinOp::begin(WaitCell& cell) {
  if (group_ == nullptr) return true;
  Status stopped = Status::kOk;
  if (stop_requested(cell, &stopped)) GroupAccess::cancel(*group_, TaskHeader::kCancelRequested);
  TaskHeader* gone = nullptr;
  bool over = false;
  {
    const GroupGuard guard(group_->lock_);
    group_->closed_ = true;
    gone = GroupAccess::unlink_gone(*group_, closed_list());
    over = group_->live_ == 0;
    if (!over) {
      node_.cell = &cell;
      group_->waiter_ = &node_;
      // Not cancellable: cancelling the task reaches the children, and their end is what is waited for.
      cell.state.store(CellState::kArmedShielded, std::memory_order_release);
    }
  }
  release_all(gone);
  return over;
}

Status ScopeJoinOp::finish() {
  if (group_ == nullptr) return Status::kInvalid;
  const GroupGuard guard(group_->lock_);
  if (node_.cell != nullptr) (void)end_wait(*std::exchange(node_.cell, nullptr));
  if (group_->owner_ != nullptr) {
    const std::uint32_t flags = group_->owner_->flags.load(std::memory_order_relaxed) & kStopMask;
    if (flags != 0 && group_->owner_->shields == 0) return stop_status(flags);
  }
  return group_->error_count_ != 0 ? Status::kFailed : Status::kOk;
}

}  // namespace neovm::worker
