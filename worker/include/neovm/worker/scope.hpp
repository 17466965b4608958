// Structured concurrency inside a task: a group of children that ends before the code after it runs.
//
//     Scope scope;
//     auto a = spawn(f(), {.scope = &scope});
//     auto b = spawn(g(), {.scope = &scope});
//     ...
//     Status s = co_await scope.join();      // or co_await scope.cancel_and_join();
//
// A Scope belongs to the task that makes it and lives in its frame. join() waits for every child, those spawned
// meanwhile included, and does so even when the waiting task is cancelled: then it cancels the children first, and answers
// kCancelled (kDeadline) after they ended. With the policy kCancelOnError the first child that fails cancels its siblings.
// Closing: after join() further spawns into the scope are refused with kClosed. A scope must be joined
// before it is destroyed while children live; if the frame is unwound by an exception its destructor cancels the
// children, and the task does not end before they do: no child ever outlives its task.
//
// Children whose handle was joined are not reported. A child that fails when its handle has been dropped is listed in errors(), at
// most kMaxErrors of them, the others are counted. A handle that is dropped later, after the child's end and without a look
// at its error, goes to RuntimeConfig::on_unawaited_error: the scope may be gone by then.
//
// Threads: spawn and join from the owning task; cancel() from anywhere.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "neovm/worker/biased_lock.hpp"
#include "neovm/worker/task.hpp"

namespace neovm::worker {

enum class ScopePolicy : std::uint8_t { kJoinAll, kCancelOnError };

struct ScopeError {
  std::string task_name;
  std::uint64_t task_id = 0;
  std::exception_ptr error;
};

// The children of one task or scope. Not for users.
//
// Children are spawned by one worker, the group's home, and end anywhere. Were each end to take the lock, its cache line would
// change hands for each of them. So one that ends well on another worker is left in `gone_`, with a reference that
// keeps it, and one such end in some tens takes the lock and unlinks all of them. Who waits for the last child closes `gone_`
// first, under the lock; from then on every end takes it.
class TaskGroup {
 public:
  static constexpr std::size_t kMaxErrors = 16;
  explicit TaskGroup(ScopePolicy policy = ScopePolicy::kJoinAll) : policy_(policy) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

 private:
  friend struct GroupAccess;
  friend class Scope;
  friend class ScopeJoinOp;
  // The home's cache lines (with the pool's prefix before them).
  BiasedLock lock_;
  std::uint32_t live_ = 0;          // those in `gone_` included
  TaskHeader* children_ = nullptr;  // linked through sibling_next
  WaitNode* waiter_ = nullptr;      // who joins
  TaskHeader* owner_ = nullptr;     // null for the runtime's root group
  ScopePolicy policy_;
  bool collects_ = false;        // keeps the errors of its children (a Scope)
  bool closed_ = false;          // takes no more children
  bool owner_ended_ = false;     // the task of an implicit group has returned and waits for its children to end
  std::uint32_t cancelled_ = 0;  // TaskHeader flags passed to every child, those to come included
  TaskGroup* outer_ = nullptr;   // the owner's next open group
  // The others'.
  std::uint64_t error_count_ = 0;
  std::vector<ScopeError> errors_;
  std::atomic<const WorkerState*> home_{nullptr};
  std::atomic<TaskHeader*> gone_{nullptr};  // linked through `next`
};

// kOk, or kCancelled / kDeadline when the joining task was asked to stop meanwhile, or kFailed when a child failed
// without being joined.
class ScopeJoinOp : public Operation<ScopeJoinOp> {
 public:
  explicit ScopeJoinOp(TaskGroup* g) : group_(g) {}
  ScopeJoinOp(const ScopeJoinOp&) = delete;
  ScopeJoinOp& operator=(const ScopeJoinOp&) = delete;
  bool ready();
  bool begin(WaitCell& cell);
  Status finish();

 private:
  TaskGroup* group_;
  WaitNode node_;
};

class Scope {
 public:
  // Precondition: inside a task; elsewhere spawns into it are refused with kInvalid.
  explicit Scope(ScopePolicy policy = ScopePolicy::kJoinAll);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  ScopeJoinOp join();
  ScopeJoinOp cancel_and_join();
  // Asks every child, and every one still to come, to stop. Idempotent.
  void cancel();
  [[nodiscard]] std::uint32_t live() const;  // children that have not ended; a snapshot
  // Errors nobody joined, so far. After join() it is complete.
  [[nodiscard]] std::vector<ScopeError> errors() const;
  [[nodiscard]] std::uint64_t error_count() const;

 private:
  friend struct GroupAccess;
  TaskGroup* group_ = nullptr;
};

}  // namespace neovm::worker
