// Groups of children: linking, ending, cancelling down the tree.
#include "neovm/worker/scope.hpp"

#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

void end_under_lock(TaskHeader* t, Status how, WakeList* wakes, bool* free_it, bool* report);
void free_ended(TaskHeader* t);

namespace {
// The lock of a group whose children are spawned, and end, on one worker is that worker's.
class GroupGuard {
 public:
  explicit GroupGuard(BiasedLock& l) : lock_(l) {
    const WorkerState* const me = current_worker();
    if (lock_.lock(me) == BiasedLock::Entry::kAlone) lock_.consider(may_be_favoured(me));
  }
  ~GroupGuard() { lock_.unlock(); }
  GroupGuard(const GroupGuard&) = delete;
  GroupGuard& operator=(const GroupGuard&) = delete;

 private:
  BiasedLock& lock_;
};
}  // namespace

Status GroupAccess::add(TaskGroup& g, TaskHeader* t) {
  const GroupGuard guard(g.lock_);
  if (g.closed_) return Status::kClosed;
  t->parent = &g;
  t->sibling_next = g.children_;
  t->sibling_previous = nullptr;
  if (g.children_ != nullptr) g.children_->sibling_previous = t;
  g.children_ = t;
  ++g.live_;
  // Nobody else knows the task yet.
  if (g.cancelled_ != 0) t->flags.store(g.cancelled_ | TaskHeader::kPassedOn, std::memory_order_relaxed);
  return Status::kOk;
}

void GroupAccess::inherit(TaskGroup& g, std::uint32_t flags) {
  g.cancelled_ |= flags & (TaskHeader::kCancelRequested | TaskHeader::kShutDown);
}

TaskHeader* GroupAccess::remove_and_end(TaskHeader* t, Status how) {
  TaskGroup& g = *t->parent;
  RuntimeCore* const rt = t->runtime;
  WakeList wakes;
  bool free_it = false;
  bool report = false;
  TaskHeader* next = nullptr;
  std::uint32_t cancel_others = 0;
  ScopeError error;
  bool keep_error = false;
  if (how == Status::kFailed) error = {rt->telemetry->name_of(t->name), t->id, t->error};
  bool root = false;
  {
    const GroupGuard guard(g.lock_);
    root = g.owner_ == nullptr;
    if (t->sibling_next != nullptr) t->sibling_next->sibling_previous = t->sibling_previous;
    if (t->sibling_previous != nullptr) {
      t->sibling_previous->sibling_next = t->sibling_next;
    } else {
      g.children_ = t->sibling_next;
    }
    --g.live_;
    end_under_lock(t, how, &wakes, &free_it, &report);
    // `t` belongs to its joiner from here on unless free_it.
    if (how == Status::kFailed) {
      if (report && g.collects_) {
        keep_error = true;
        ++g.error_count_;
      }
      if (g.policy_ == ScopePolicy::kCancelOnError) cancel_others = TaskHeader::kCancelRequested;
    }
    std::uint32_t left = 0;
    if constexpr (bugs(Bug::kScopeOffByOne)) left = check_bug(*rt, Bug::kScopeOffByOne) ? 1 : 0;
    if (keep_error && g.errors_.size() < TaskGroup::kMaxErrors) g.errors_.push_back(std::move(error));
    if (g.live_ <= left && cancel_others == 0) {
      if (g.waiter_ != nullptr) {
        WaitNode* const n = std::exchange(g.waiter_, nullptr);
        if (claim(*n->cell, Status::kOk, 0)) wakes.add(n->cell);
      }
      if (g.owner_ended_) {
        g.owner_ended_ = false;
        next = g.owner_;
      }
    }
    if (cancel_others != 0) ++g.live_;  // holds the group while its children are cancelled
  }
  if (report && !keep_error && rt->config.on_unawaited_error) rt->config.on_unawaited_error(error);
  if (free_it) free_ended(t);
  wakes.wake();
  if (cancel_others != 0) {
    cancel(g, cancel_others);
    const GroupGuard guard(g.lock_);
    if (--g.live_ == 0) {
      if (g.waiter_ != nullptr) {
        WaitNode* const n = std::exchange(g.waiter_, nullptr);
        if (claim(*n->cell, Status::kOk, 0)) wakes.add(n->cell);
      }
      if (g.owner_ended_) {
        g.owner_ended_ = false;
        next = g.owner_;
      }
    }
  }
  wakes.wake();
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
  const GroupGuard guard(g.lock_);
  return g.live_;
}

bool GroupAccess::close(TaskGroup& g, std::uint32_t cancel_bits) {
  if (cancel_bits != 0) cancel(g, cancel_bits);
  const GroupGuard guard(g.lock_);
  g.closed_ = true;
  if (g.live_ == 0) return true;
  g.owner_ended_ = true;
  return false;
}

void GroupAccess::survivors(TaskGroup& g, ShutdownReport* report, const Telemetry& telemetry) {
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
  const GroupGuard guard(group_->lock_);
  group_->closed_ = true;
  if (group_->live_ == 0) return true;
  node_.cell = &cell;
  group_->waiter_ = &node_;
  // Not cancellable: cancelling the task reaches the children, and their end is what is waited for.
  cell.state.store(CellState::kArmedShielded, std::memory_order_release);
  return false;
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
