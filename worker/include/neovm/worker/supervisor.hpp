// Supervisors: tasks that start other tasks, see them end, and start them again. docs/supervisors.md is the guide.
//
//     SupervisorDefinition d{.name = "pool", .options = {.strategy = Strategy::kOneForOne, .intensity = 10}};
//     d.children.push_back(child("worker", [&](ChildContext&) { return work(queue); }));
//     Supervisor s = start_supervisor(rt, std::move(d));
//     ...
//     s.ref().shutdown();
//     JoinResult<ExitReason> end = rt.block_on(std::move(s.handle()));
//
// The decisions are those of supervisor_machine.hpp (Erlang/OTP's); this file carries them out on tasks:
//  - A child is a task made by calling its body anew for every run. It has ended when its task has, its own children included.
//    Returning is kNormal, an exception kError with its text, kCancelled by somebody else kShutdown, a deadline kError.
//    A body can say otherwise by ChildContext::end_with.
//  - To stop a child is to cancel its task: every wait answers kCancelled. A child that was asked and ends without an exception
//    has answered `shutdown`. Killing asks again and then counts the patience `abandon_after`: a task cannot be taken apart from
//    outside, so one that never waits nor polls is reported as abandoned, treated as killed, and left to itself. Until then
//    nothing is started in its place: two runs of one child never overlap, except after an abandonment.
//  - A child has started when its body begins, or, if its definition `announces`, when it calls ChildContext::ready() within
//    start_timeout (a shutdown does not wait for that: it cancels a child that has not announced). No memory, a limit of the
//    runtime, or an end before that is a failed start.
//  - Cancelling the supervisor's task (or its deadline) is a shutdown in order: the children stop in reverse, each with its
//    timeout. When the runtime shuts down every child is told at once and the supervisor leaves.
//  - A supervisor is a child of another one by supervisor_child(); it has started when its own children have.
//
// Children are not scope children of the supervisor's task: their lives are the supervisor's to end, in its order.
//
// Ownership: the definition is the supervisor's. A SupervisorRef is a counted reference, copyable; it may outlive the supervisor.
// Threads: every function of SupervisorRef and ChildContext from every thread. Errors: as answers (RequestStatus); a definition
// that makes no sense ends the supervisor at once with kError and a text. Bodies and callbacks may throw; a callback's
// exceptions are dropped.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "neovm/worker/runtime.hpp"
#include "neovm/worker/supervisor_machine.hpp"
#include "neovm/worker/task.hpp"

namespace neovm::worker {

struct SupervisorInbox;
class SupervisorRef;
struct ChildRun;

// What the body of a child knows about itself. Lives as long as the run.
class ChildContext {
 public:
  explicit ChildContext(ChildRun& run) : run_(&run) {}
  [[nodiscard]] const std::string& id() const;
  [[nodiscard]] ChildKey key() const;
  // This start's number, growing from one start to the next; never the same for two runs in one supervisor.
  [[nodiscard]] std::uint64_t run() const;
  // For children that announce: started, or not wanted (OTP's `ignore`; return right after). Later calls do nothing.
  void ready();
  void ignore();
  // The reason that this run ends with when the body returns.
  void end_with(ExitReason reason);
  [[nodiscard]] SupervisorRef supervisor() const;

 private:
  ChildRun* run_;
};

using ChildBody = std::function<Task<void>(ChildContext&)>;

struct ChildDefinition {
  ChildSpec spec;
  ChildBody body;
  bool announces = false;
  Duration start_timeout = std::chrono::seconds(5);  // for those that announce; then the start has failed
  std::optional<Priority> priority = {};
  bool main_only = false;
  int pin = -1;
};
// A child with the usual spec.
ChildDefinition child(std::string id, ChildBody body, Restart restart = Restart::kPermanent);

struct SupervisorReport {
  enum class Kind : std::uint8_t { kChildTerminated, kStartError, kShutdownError, kGaveUp, kAbandoned };
  Kind kind;
  std::string supervisor;
  std::string child;
  ChildKey key = 0;
  ExitReason reason;
};
// "pool: worker ended: boom", for logs.
std::string report_text(const SupervisorReport& report);

struct SupervisorDefinition {
  std::string name;
  SupervisorOptions options;
  std::vector<ChildDefinition> children;
  // Called by the supervisor's task; it must not wait.
  std::function<void(const SupervisorReport&)> on_report = {};
  Duration abandon_after = std::chrono::seconds(10);
};
// The definition's mistake, if it has one; `which`: of which child.
SpecError check(const SupervisorDefinition& definition, std::size_t* which = nullptr);
std::string_view spec_error_text(SpecError error);

struct ChildInfo {
  ChildKey key = 0;
  std::string id;
  ChildState state = ChildState::kStopped;
  std::uint64_t starts = 0;
  bool supervisor = false;
};

struct SupervisorReply {
  RequestStatus status = RequestStatus::kSupervisorGone;
  ChildKey child = 0;
  ExitReason reason;  // kStartFailed: why
  SupervisorMachine::Counts counts;
  std::vector<ChildInfo> children;
};

// A running supervisor, for asking. Requests are served in order with what else happens to the supervisor; each answers
// kSupervisorGone when it has ended, or ends, before it comes to it. Await them, or Runtime::block_on them outside.
// A child must not await a request that stops itself, nor one to a supervisor above it that is waiting for its start.
class SupervisorRef {
 public:
  SupervisorRef() = default;
  explicit operator bool() const { return inbox_ != nullptr; }
  explicit SupervisorRef(std::shared_ptr<SupervisorInbox> inbox) : inbox_(std::move(inbox)) {}  // not for users

  [[nodiscard]] Task<SupervisorReply> start_child(ChildDefinition definition) const;
  [[nodiscard]] Task<SupervisorReply> terminate_child(std::string id) const;
  [[nodiscard]] Task<SupervisorReply> terminate_child(ChildKey key) const;
  [[nodiscard]] Task<SupervisorReply> restart_child(std::string id) const;
  [[nodiscard]] Task<SupervisorReply> delete_child(std::string id) const;
  [[nodiscard]] Task<SupervisorReply> counts() const;    // reply.counts
  [[nodiscard]] Task<SupervisorReply> children() const;  // reply.children, in order of starting
  // Asks, and does not wait: join the supervisor's handle for that. False when it has ended already.
  bool shutdown(ExitReason reason = {ExitKind::kShutdown, {}}) const;

 private:
  std::shared_ptr<SupervisorInbox> inbox_;
};

// The owner's side. Dropping it lets the supervisor go on without an owner.
class Supervisor {
 public:
  Supervisor() = default;
  [[nodiscard]] SupervisorRef ref() const { return ref_; }
  // Ends with the supervisor's exit reason. kCancelled when it was cancelled before it began.
  [[nodiscard]] JoinHandle<ExitReason>& handle() { return handle_; }

 private:
  friend Supervisor start_supervisor(Runtime& rt, SupervisorDefinition definition, SpawnOptions options);
  friend Supervisor start_supervisor(SupervisorDefinition definition, SpawnOptions options);
  SupervisorRef ref_;
  JoinHandle<ExitReason> handle_;
};

// Starts a supervisor as a task of its own: of the runtime, or of the running task (its child, unless options say
// otherwise, so cancelling the task shuts the supervisor down in order). options.name is replaced by the definition's.
Supervisor start_supervisor(Runtime& rt, SupervisorDefinition definition, SpawnOptions options = {});
Supervisor start_supervisor(SupervisorDefinition definition, SpawnOptions options = {});

// A supervisor as a child of another. It stops without a timeout (StopPolicy::infinity), as its children have their own.
ChildDefinition supervisor_child(SupervisorDefinition definition, Restart restart = Restart::kPermanent);

}  // namespace neovm::worker
