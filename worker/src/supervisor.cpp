// The supervisor's task: an inbox of events, the machine that decides, and tasks.
//
// Every run of a child is joined not by a task but by a waiter that posts its end. So the supervisor waits at one place, its
// inbox, and a child's end is posted exactly once, after the child and its own children are gone.
#include "neovm/worker/supervisor.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core.hpp"
#include "neovm/worker/channel.hpp"
#include "simulation.hpp"

namespace neovm::worker {

// ---- what is posted -------------------------------------------------------------------------------------------------------

namespace {

// The asker's place. Dropped without an answer it says that the supervisor is gone.
class ReplySlot {
 public:
  ReplySlot() = default;
  explicit ReplySlot(Channel<SupervisorReply> to) : to_(std::move(to)) {}
  ReplySlot(ReplySlot&& o) noexcept : to_(std::exchange(o.to_, {})) {}
  ReplySlot& operator=(ReplySlot&& o) noexcept {
    std::swap(to_, o.to_);
    return *this;
  }
  ~ReplySlot() { to_.close(); }
  void answer(SupervisorReply reply) {
    (void)to_.try_send(std::move(reply));
    to_.close();
  }

 private:
  Channel<SupervisorReply> to_;
};

}  // namespace

struct SupervisorEvent {
  enum class Kind : std::uint8_t {
    kStarted,
    kIgnored,
    kExited,
    kStartChild,
    kTerminate,
    kRestartChild,
    kDelete,
    kCounts,
    kChildren,
    kShutdown
  };
  Kind kind = Kind::kShutdown;
  ChildKey child = 0;
  std::uint64_t run = 0;
  ExitReason reason;
  std::string id;
  std::unique_ptr<ChildDefinition> definition;
  ReplySlot reply;
};

struct SupervisorInbox {
  Channel<SupervisorEvent> channel = Channel<SupervisorEvent>::unbounded();
  // False when nobody will look at it any more.
  bool post(SupervisorEvent event) { return channel.try_send(std::move(event)) == Status::kOk; }
};

// One run of a child. Shared by the supervisor and the child; while the child lives it also keeps itself.
struct ChildRun : ThreadWaiter {
  std::shared_ptr<const ChildDefinition> definition;
  ChildKey key = 0;
  std::uint64_t run = 0;
  std::shared_ptr<SupervisorInbox> inbox;
  ChildContext context{*this};

  SpinLock lock;              // the rest
  bool cancel_asked = false;  // before the task was there, too
  bool announced = false;
  bool ended = false;
  TaskRef task;
  std::optional<ExitReason> reason;

  // The wait for the task's end: touched by the supervisor before it is linked, and by the end.
  JoinHandle<void> handle;
  WaitNode node;
  std::shared_ptr<ChildRun> self;

  void cancel() {
    TaskRef who;
    {
      const SpinGuard guard(lock);
      cancel_asked = true;
      who = task;
    }
    if (who) (void)who.cancel();
  }
  void announce(SupervisorEvent::Kind kind) {
    {
      const SpinGuard guard(lock);
      if (std::exchange(announced, true)) return;
    }
    inbox->post({.kind = kind, .child = key, .run = run});
  }
};

const std::string& ChildContext::id() const { return run_->definition->spec.id; }
ChildKey ChildContext::key() const { return run_->key; }
std::uint64_t ChildContext::run() const { return run_->run; }
void ChildContext::ready() { run_->announce(SupervisorEvent::Kind::kStarted); }
void ChildContext::ignore() { run_->announce(SupervisorEvent::Kind::kIgnored); }
void ChildContext::end_with(ExitReason reason) {
  const SpinGuard guard(run_->lock);
  run_->reason = std::move(reason);
}
SupervisorRef ChildContext::supervisor() const { return SupervisorRef(run_->inbox); }

namespace {

Task<void> run_body(std::shared_ptr<ChildRun> run) {
  if (!run->definition->announces) run->announce(SupervisorEvent::Kind::kStarted);
  co_await run->definition->body(run->context);
  if (bugs(Bug::kEndToldEarly) && check_bug(Bug::kEndToldEarly))
    run->inbox->post({.kind = SupervisorEvent::Kind::kExited, .child = run->key, .run = run->run});
}

ExitReason reason_of(ChildRun& run, const JoinResult<void>& end) {
  const SpinGuard guard(run.lock);
  switch (end.status) {
    case Status::kOk:
      if (run.reason) return *run.reason;
      return {run.cancel_asked ? ExitKind::kShutdown : ExitKind::kNormal, {}};
    case Status::kCancelled: return {ExitKind::kShutdown, run.cancel_asked ? "" : "cancelled"};
    case Status::kShutdown: return {ExitKind::kShutdown, "runtime"};
    case Status::kFailed: return {ExitKind::kError, error_text(end.error)};
    default: return {ExitKind::kError, std::string(status_name(end.status))};
  }
}

// The task has ended: takes its result and tells the supervisor. By whatever thread ended it, with no lock held.
void post_end(ThreadWaiter* waiter) {
  const std::shared_ptr<ChildRun> run = std::move(static_cast<ChildRun*>(waiter)->self);
  JoinOp<void> join = run->handle.join();
  join.ready();
  ExitReason reason = reason_of(*run, join.finish());
  TaskRef over;
  {
    const SpinGuard guard(run->lock);
    std::swap(over, run->task);
  }
  run->inbox->post(
      {.kind = SupervisorEvent::Kind::kExited, .child = run->key, .run = run->run, .reason = std::move(reason)});
}

// kOk, or why there is no task.
Status spawn_run(const std::shared_ptr<ChildRun>& run) {
  const ChildDefinition& d = *run->definition;
  SpawnOptions options;
  options.name = d.spec.id;
  options.priority = d.priority;
  options.main_only = d.main_only;
  options.pin = d.pin;
  options.detached = true;
  run->handle = spawn(run_body(run), options);
  if (!run->handle) return run->handle.status();
  {
    const SpinGuard guard(run->lock);
    run->task = run->handle.ref();
  }
  run->notify = post_end;
  run->self = run;
  if (!wake_at_end(run->handle.ref().header(), *run, run->node)) post_end(run.get());
  return Status::kOk;
}

}  // namespace

// ---- the supervisor ----------------------------------------------------------------------------------------------------------

class SupervisorTask {
 public:
  SupervisorTask(SupervisorDefinition definition, std::shared_ptr<SupervisorInbox> inbox)
      : definition_(std::move(definition)), inbox_(std::move(inbox)), machine_(definition_.options) {}
  SupervisorTask(const SupervisorTask&) = delete;
  SupervisorTask& operator=(const SupervisorTask&) = delete;
  // Also runs when the task was cancelled before it began: nobody may wait for an answer for ever.
  ~SupervisorTask() {
    inbox_->channel.close();
    while (inbox_->channel.try_recv().ok()) {
    }
  }

  // `above`: this supervisor as somebody's child, to be told when its children have started.
  Task<ExitReason> run(ChildContext* above);

 private:
  void begin();
  void take(SupervisorEvent& event, Instant t);
  void request(SupervisorEvent& event, Instant t);
  void carry_out(const SupervisorAction& action, ChildContext* above);
  void start(const SupervisorAction& action);
  void ask_shutdown(ExitReason reason);
  void look_at_clock(Instant t);
  void tell(SupervisorReport::Kind kind, ChildKey key, const ExitReason& reason);
  void forget(ChildKey key);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] Ticket ticket_for(SupervisorEvent& event);
  [[nodiscard]] SupervisorReply list() const;

  SupervisorDefinition definition_;
  std::shared_ptr<SupervisorInbox> inbox_;
  SupervisorMachine machine_;
  std::map<ChildKey, std::shared_ptr<const ChildDefinition>> definitions_;
  std::map<ChildKey, std::shared_ptr<ChildRun>> runs_;
  std::map<ChildKey, std::string> names_;  // of those that reports may still be about
  struct Patience {
    Instant until;
    ChildKey child;
    std::uint64_t run;
    bool start;  // the timeout of a start: cancel first
    auto operator<=>(const Patience&) const = default;
  };
  std::set<Patience> patience_;
  std::map<Ticket, ReplySlot> asked_;
  std::map<Ticket, std::shared_ptr<const ChildDefinition>> to_add_;
  Ticket next_ticket_ = 1;
  ChildKey starting_ = 0;
  bool leaving_ = false;
  std::optional<ExitReason> exit_;
};

Task<ExitReason> SupervisorTask::run(ChildContext* above) {
  if (const SpecError wrong = check(definition_); wrong != SpecError::kNone)
    co_return ExitReason{ExitKind::kError, std::string(spec_error_text(wrong))};
  begin();
  std::optional<this_task::Shield> shield;
  while (!exit_) {
    if (!shield) {
      const Status asked = this_task::cancelled();
      if (asked == Status::kShutdown) break;
      if (asked != Status::kOk) {
        ask_shutdown({ExitKind::kShutdown, asked == Status::kDeadline ? "deadline" : ""});
        shield.emplace();
      }
    }
    const Instant t = now();
    for (Received<SupervisorEvent> event = inbox_->channel.try_recv(); event.ok(); event = inbox_->channel.try_recv())
      take(*event, t);
    look_at_clock(t);
    machine_.proceed(t);
    const std::vector<SupervisorAction> actions = machine_.take_actions();
    for (const SupervisorAction& action : actions) carry_out(action, above);
    if (!actions.empty()) {
      // A child that fails at every start must not keep the worker to itself.
      if (this_task::poll(16)) (void)co_await yield();
      continue;
    }
    Received<SupervisorEvent> event = co_await inbox_->channel.recv_until(next_deadline());
    if (event.ok()) {
      take(*event, now());
    } else if (event.status == Status::kShutdown) {
      break;
    }
    // kTimeout, kCancelled, kDeadline are looked at above.
  }
  if (exit_) co_return *exit_;
  for (const auto& [key, run] : runs_) run->cancel();
  co_return ExitReason{ExitKind::kShutdown, "runtime"};
}

void SupervisorTask::begin() {
  std::vector<ChildSpec> specs;
  ChildKey key = 1;
  for (ChildDefinition& d : definition_.children) {
    specs.push_back(d.spec);
    definitions_[key++] = std::make_shared<const ChildDefinition>(std::move(d));
  }
  definition_.children.clear();
  machine_.begin(std::move(specs), now());
}

void SupervisorTask::ask_shutdown(ExitReason reason) {
  leaving_ = true;
  machine_.shutdown(std::move(reason), now());
  // An announcement is not worth waiting for any more. Others start as soon as they run, and stop in their turn.
  if (const auto run = runs_.find(starting_); run != runs_.end() && run->second->definition->announces)
    run->second->cancel();
}

void SupervisorTask::take(SupervisorEvent& event, Instant t) {
  const auto ends_start = [&] {
    if (starting_ == event.child) starting_ = 0;
  };
  switch (event.kind) {
    case SupervisorEvent::Kind::kStarted:
      ends_start();
      machine_.started(event.child, event.run, t);
      return;
    case SupervisorEvent::Kind::kIgnored:
      ends_start();
      machine_.start_ignored(event.child, event.run, t);
      return;
    case SupervisorEvent::Kind::kExited: {
      const auto run = runs_.find(event.child);
      if (run == runs_.end() || run->second->run != event.run) return;  // it had been abandoned
      if (bugs(Bug::kEndLostInStart) && check_bug(Bug::kEndLostInStart) && starting_ != 0 && starting_ != event.child)
        return;
      ends_start();
      runs_.erase(run);
      machine_.exited(event.child, event.run, std::move(event.reason), t);
      return;
    }
    case SupervisorEvent::Kind::kShutdown: ask_shutdown(std::move(event.reason)); return;
    case SupervisorEvent::Kind::kCounts:
      event.reply.answer({.status = RequestStatus::kOk, .counts = machine_.counts()});
      return;
    case SupervisorEvent::Kind::kChildren: event.reply.answer(list()); return;
    default: request(event, t); return;
  }
}

Ticket SupervisorTask::ticket_for(SupervisorEvent& event) {
  const Ticket ticket = next_ticket_++;
  asked_.emplace(ticket, std::move(event.reply));
  return ticket;
}

void SupervisorTask::request(SupervisorEvent& event, Instant t) {
  const Ticket ticket = ticket_for(event);
  if (event.kind == SupervisorEvent::Kind::kStartChild) {
    std::shared_ptr<const ChildDefinition> d = std::move(event.definition);
    ChildSpec spec = d->spec;
    to_add_.emplace(ticket, std::move(d));
    machine_.start_child(std::move(spec), ticket, t);
    return;
  }
  const ChildKey key = event.child != 0 ? event.child : machine_.find_id(event.id);
  if (bugs(Bug::kAnswersBeforeEnd) && check_bug(Bug::kAnswersBeforeEnd) &&
      event.kind == SupervisorEvent::Kind::kTerminate)
    std::exchange(asked_[ticket], ReplySlot()).answer({.status = RequestStatus::kOk, .child = key});
  if (event.kind == SupervisorEvent::Kind::kTerminate) machine_.terminate_child(key, ticket, t);
  if (event.kind == SupervisorEvent::Kind::kRestartChild) machine_.restart_child(key, ticket, t);
  if (event.kind == SupervisorEvent::Kind::kDelete) machine_.delete_child(key, ticket, t);
}

SupervisorReply SupervisorTask::list() const {
  SupervisorReply reply{.status = RequestStatus::kOk, .counts = machine_.counts()};
  for (const SupervisorMachine::ChildView& c : machine_.children())
    reply.children.push_back({c.key, c.spec.id, c.state, c.starts, c.spec.supervisor});
  return reply;
}

void SupervisorTask::carry_out(const SupervisorAction& action, ChildContext* above) {
  const auto patient = [&](bool start, Duration d) { patience_.insert({after(d), action.child, action.run, start}); };
  switch (action.kind) {
    case SupervisorAction::Kind::kStart: start(action); return;
    case SupervisorAction::Kind::kStop:
      if (bugs(Bug::kStopSkipped) && check_bug(Bug::kStopSkipped) && action.child == 1) return;
      if (bugs(Bug::kStopsAllAtOnce) && check_bug(Bug::kStopsAllAtOnce))
        for (const auto& [key, other] : runs_) other->cancel();
      if (const auto run = runs_.find(action.child); run != runs_.end()) run->second->cancel();
      return;
    case SupervisorAction::Kind::kKill:
      if (const auto run = runs_.find(action.child); run != runs_.end()) {
        run->second->cancel();
        patient(false, definition_.abandon_after);
      }
      return;
    case SupervisorAction::Kind::kReady:
      if (above != nullptr) above->ready();
      return;
    case SupervisorAction::Kind::kReport:
      if (action.report == ReportKind::kGaveUp) current_worker()->metrics->supervisor_give_ups.add();
      tell(static_cast<SupervisorReport::Kind>(action.report), action.child, action.reason);
      forget(action.child);
      return;
    case SupervisorAction::Kind::kReply: {
      to_add_.erase(action.ticket);
      forget(action.child);
      const auto asked = asked_.find(action.ticket);
      if (asked == asked_.end()) return;
      ReplySlot slot = std::move(asked->second);
      asked_.erase(asked);
      slot.answer({.status = action.status, .child = action.child, .reason = action.reason});
      return;
    }
    case SupervisorAction::Kind::kExit: exit_ = action.reason; return;
  }
}

void SupervisorTask::start(const SupervisorAction& action) {
  if (const auto added = to_add_.find(action.ticket); added != to_add_.end()) {
    definitions_[action.child] = std::move(added->second);
    to_add_.erase(added);
  }
  const auto run = std::make_shared<ChildRun>();
  run->definition = definitions_[action.child];
  run->key = action.child;
  run->run = action.run;
  run->inbox = inbox_;
  names_[action.child] = run->definition->spec.id;
  const auto view = machine_.find(action.child);
  if (view && view->starts != 0) {
    WorkerState* const w = current_worker();
    w->metrics->child_restarts.add();
    const NameId name = w->rt->telemetry->intern_name(run->definition->spec.id);
    if (name != kNoName) w->metrics->of_name(name).restarts.add();
    if (w->rt->trace->on())
      w->rt->trace->record(w->index,
                           {.kind = TraceKind::kRestart, .name = name, .begin_ns = now(), .value = action.run});
  }
  if (!run->definition->body) {
    machine_.start_failed(action.child, action.run, {ExitKind::kError, "no body"}, now());
    return;
  }
  if (const Status s = spawn_run(run); s != Status::kOk) {
    machine_.start_failed(action.child, action.run, {ExitKind::kError, std::string(status_name(s))}, now());
    return;
  }
  runs_[action.child] = run;
  starting_ = action.child;
  if (run->definition->announces) {
    patience_.insert({after(run->definition->start_timeout), action.child, action.run, true});
    if (leaving_) run->cancel();
  }
}

// Starts that take too long, and children that do not end though they were killed.
void SupervisorTask::look_at_clock(Instant t) {
  machine_.time(t);
  while (!patience_.empty() && patience_.begin()->until <= t) {
    const Patience over = *patience_.begin();
    patience_.erase(patience_.begin());
    const auto found = runs_.find(over.child);
    if (found == runs_.end() || found->second->run != over.run) continue;
    const std::shared_ptr<ChildRun> run = found->second;
    if (over.start) {
      if (starting_ != over.child) continue;
      {
        const SpinGuard guard(run->lock);
        if (std::exchange(run->announced, true)) continue;  // it came just in time
        run->reason = ExitReason{ExitKind::kError, "did not start in time"};
      }
      run->cancel();
      patience_.insert({after(definition_.abandon_after), over.child, over.run, false});
      continue;
    }
    runs_.erase(found);
    if (starting_ == over.child) starting_ = 0;
    const ExitReason reason{ExitKind::kKilled, "abandoned"};
    tell(SupervisorReport::Kind::kAbandoned, over.child, reason);
    machine_.exited(over.child, over.run, reason, t);
  }
}

Instant SupervisorTask::next_deadline() const {
  return std::min(machine_.deadline(), patience_.empty() ? kNever : patience_.begin()->until);
}

void SupervisorTask::tell(SupervisorReport::Kind kind, ChildKey key, const ExitReason& reason) {
  if (!definition_.on_report) return;
  const auto name = names_.find(key);
  try {
    definition_.on_report({kind, definition_.name, name == names_.end() ? std::string() : name->second, key, reason});
  } catch (...) {  // a listener's trouble is not the supervisor's
  }
}

// Drops what belongs to a child that the machine has forgotten.
void SupervisorTask::forget(ChildKey key) {
  if (key == 0 || machine_.find(key)) return;
  definitions_.erase(key);
  names_.erase(key);
}

// ---- starting ------------------------------------------------------------------------------------------------------------------

namespace {

Task<ExitReason> supervise(std::unique_ptr<SupervisorTask> task) { co_return co_await task->run(nullptr); }

struct Prepared {
  SupervisorRef ref;
  Task<ExitReason> task;
};
Prepared prepare(SupervisorDefinition definition, SpawnOptions* options, std::string* name) {
  *name = definition.name;
  options->name = *name;
  auto inbox = std::make_shared<SupervisorInbox>();
  Prepared p;
  p.ref = SupervisorRef(inbox);
  p.task = supervise(std::make_unique<SupervisorTask>(std::move(definition), std::move(inbox)));
  return p;
}

Task<void> nested(std::shared_ptr<const SupervisorDefinition> definition, ChildContext& context) {
  SupervisorTask task(*definition, std::make_shared<SupervisorInbox>());
  context.end_with(co_await task.run(&context));
}

}  // namespace

Supervisor start_supervisor(Runtime& rt, SupervisorDefinition definition, SpawnOptions options) {
  std::string name;
  Prepared p = prepare(std::move(definition), &options, &name);
  Supervisor s;
  s.ref_ = std::move(p.ref);
  s.handle_ = rt.spawn(std::move(p.task), options);
  return s;
}

Supervisor start_supervisor(SupervisorDefinition definition, SpawnOptions options) {
  std::string name;
  Prepared p = prepare(std::move(definition), &options, &name);
  Supervisor s;
  s.ref_ = std::move(p.ref);
  s.handle_ = spawn(std::move(p.task), options);
  return s;
}

ChildDefinition supervisor_child(SupervisorDefinition definition, Restart restart) {
  ChildDefinition d;
  d.spec.id = definition.name;
  d.spec.restart = restart;
  d.spec.stop = StopPolicy::infinity();
  d.spec.supervisor = true;
  d.announces = true;
  d.start_timeout = Duration::max();
  const auto shared = std::make_shared<const SupervisorDefinition>(std::move(definition));
  d.body = [shared](ChildContext& context) { return nested(shared, context); };
  return d;
}

ChildDefinition child(std::string id, ChildBody body, Restart restart) {
  ChildDefinition d;
  d.spec.id = std::move(id);
  d.spec.restart = restart;
  d.body = std::move(body);
  return d;
}

SpecError check(const SupervisorDefinition& definition, std::size_t* which) {
  std::vector<ChildSpec> specs;
  for (const ChildDefinition& d : definition.children) specs.push_back(d.spec);
  return SupervisorMachine::check(definition.options, specs, which);
}

std::string_view spec_error_text(SpecError error) {
  switch (error) {
    case SpecError::kNone: return "";
    case SpecError::kDuplicateId: return "two children have the same id";
    case SpecError::kPermanentSignificant: return "a permanent child cannot be significant";
    case SpecError::kSignificantWithoutShutdown: return "a significant child needs auto_shutdown";
    case SpecError::kBadDuration: return "a duration is negative, or a period is zero";
    case SpecError::kBadBackoff: return "the backoff's factor, jitter or maximum is out of range";
    case SpecError::kDynamicHasChildren: return "a dynamic supervisor starts without children";
  }
  return "?";
}

std::string report_text(const SupervisorReport& r) {
  static constexpr const char* kWords[] = {"ended", "could not be started", "stopped badly",
                                           "reached the restart limit", "was abandoned"};
  std::string text = r.supervisor + ": " + r.child + " " + kWords[static_cast<int>(r.kind)];
  switch (r.reason.kind) {
    case ExitKind::kNormal: text += ": normal"; break;
    case ExitKind::kShutdown: text += ": shutdown"; break;
    case ExitKind::kError: text += ": error"; break;
    case ExitKind::kKilled: text += ": killed"; break;
  }
  if (!r.reason.detail.empty()) text += ": " + r.reason.detail;
  return text;
}

// ---- asking --------------------------------------------------------------------------------------------------------------------

namespace {

Task<SupervisorReply> ask(std::shared_ptr<SupervisorInbox> inbox, SupervisorEvent event) {
  Channel<SupervisorReply> back(1);
  event.reply = ReplySlot(back);
  if (inbox == nullptr || !inbox->post(std::move(event))) co_return SupervisorReply{};
  Received<SupervisorReply> reply = co_await back.recv();
  if (!reply.ok()) co_return SupervisorReply{};
  co_return std::move(*reply);
}

}  // namespace

Task<SupervisorReply> SupervisorRef::start_child(ChildDefinition definition) const {
  return ask(inbox_, {.kind = SupervisorEvent::Kind::kStartChild,
                      .definition = std::make_unique<ChildDefinition>(std::move(definition))});
}
Task<SupervisorReply> SupervisorRef::terminate_child(std::string id) const {
  return ask(inbox_, {.kind = SupervisorEvent::Kind::kTerminate, .id = std::move(id)});
}
Task<SupervisorReply> SupervisorRef::terminate_child(ChildKey key) const {
  return ask(inbox_, {.kind = SupervisorEvent::Kind::kTerminate, .child = key});
}
Task<SupervisorReply> SupervisorRef::restart_child(std::string id) const {
  return ask(inbox_, {.kind = SupervisorEvent::Kind::kRestartChild, .id = std::move(id)});
}
Task<SupervisorReply> SupervisorRef::delete_child(std::string id) const {
  return ask(inbox_, {.kind = SupervisorEvent::Kind::kDelete, .id = std::move(id)});
}
Task<SupervisorReply> SupervisorRef::counts() const { return ask(inbox_, {.kind = SupervisorEvent::Kind::kCounts}); }
Task<SupervisorReply> SupervisorRef::children() const {
  return ask(inbox_, {.kind = SupervisorEvent::Kind::kChildren});
}
bool SupervisorRef::shutdown(ExitReason reason) const {
  return inbox_ != nullptr && inbox_->post({.kind = SupervisorEvent::Kind::kShutdown, .reason = std::move(reason)});
}

}  // namespace neovm::worker
