// The machine is a queue of events and at most one operation. An operation stops a list of children, then starts a list; while
// it waits for a child, events pile up in the queue, as messages do in the mailbox of an Erlang process that is inside a
// callback.
#include "neovm/worker/supervisor_machine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace neovm::worker {

namespace {

// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
std::uint64_t next_random(std::uint64_t* state) {
  std::uint64_t z = (*state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

SupervisorMachine::Time after(SupervisorMachine::Time now, std::chrono::nanoseconds pause) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(pause.count(), 0));
  return ns > SupervisorMachine::kNever - 1 - now ? SupervisorMachine::kNever - 1 : now + ns;
}

// Is this the end that a child asked to stop may have? A permanent child is expected to say `shutdown` and nothing else.
bool stopped_as_asked(const ChildSpec& spec, const ExitReason& reason) {
  if (spec.stop.kind == StopPolicy::Kind::kBrutalKill && reason.kind == ExitKind::kKilled) return true;
  if (spec.restart != Restart::kPermanent) return reason.orderly();
  return spec.stop.kind != StopPolicy::Kind::kBrutalKill && reason.kind == ExitKind::kShutdown && reason.detail.empty();
}

}  // namespace

std::chrono::nanoseconds Backoff::pause(std::uint32_t n, std::uint64_t* random) const {
  if (initial.count() <= 0) return std::chrono::nanoseconds(0);
  const double top = static_cast<double>(std::max(max, initial).count());
  // Above 1024 doublings everything is at the top; pow of a large exponent is infinity, which min() handles.
  double ns = std::min(static_cast<double>(initial.count()) * std::pow(factor, static_cast<double>(n)), top);
  const double unit = static_cast<double>(next_random(random) >> 11) * 0x1.0p-53;
  ns -= ns * jitter * unit;
  // A double of 2^63 does not fit; the largest pause is the limit itself.
  if (ns >= top) return std::max(max, initial);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(ns));
}

SpecError SupervisorMachine::check(const SupervisorOptions& options, const std::vector<ChildSpec>& specs,
                                   std::size_t* which) {
  if (which != nullptr) *which = 0;
  if (options.period.count() < 0) return SpecError::kBadDuration;
  if (options.period.count() == 0 && options.intensity != SupervisorOptions::kUnlimited) return SpecError::kBadDuration;
  const Backoff& b = options.backoff;
  if (b.initial.count() < 0 || b.reset_after.count() < 0) return SpecError::kBadDuration;
  if (b.initial.count() > 0 && (!(b.factor >= 1) || !(b.jitter >= 0) || !(b.jitter <= 1) || b.max < b.initial))
    return SpecError::kBadBackoff;
  if (options.strategy == Strategy::kDynamic && !specs.empty()) return SpecError::kDynamicHasChildren;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const ChildSpec& spec = specs[i];
    if (which != nullptr) *which = i;
    if (spec.stop.kind == StopPolicy::Kind::kTimeout && spec.stop.timeout.count() < 0) return SpecError::kBadDuration;
    if (spec.significant && spec.restart == Restart::kPermanent) return SpecError::kPermanentSignificant;
    if (spec.significant && options.auto_shutdown == AutoShutdown::kNever)
      return SpecError::kSignificantWithoutShutdown;
    if (!ids.insert(spec.id).second) return SpecError::kDuplicateId;
  }
  return SpecError::kNone;
}

// ---- inputs ------------------------------------------------------------------------------------------------------------

void SupervisorMachine::begin(std::vector<ChildSpec> specs, Time now) {
  if (begun_) return;
  begun_ = true;
  now_ = now;
  Op op{.kind = Op::Kind::kInit};
  for (ChildSpec& spec : specs) {
    const ChildKey key = next_key_++;
    ids_.emplace(spec.id, key);
    children_[key].spec = std::move(spec);
    op.start.push_back(key);
  }
  op_ = std::move(op);
  go_on();
}

void SupervisorMachine::started(ChildKey key, std::uint64_t run, Time now) {
  now_ = now;
  Child* const child = child_at(key);
  if (child == nullptr || key != starting_ || child->run != run) return;
  child->state = ChildState::kRunning;
  child->started_at = now;
  ++child->starts;
  start_ended(RequestStatus::kOk, {});
  go_on();
}

void SupervisorMachine::start_ignored(ChildKey key, std::uint64_t run, Time now) {
  now_ = now;
  Child* const child = child_at(key);
  if (child == nullptr || key != starting_ || child->run != run) return;
  child->state = ChildState::kStopped;
  start_ended(RequestStatus::kIgnored, {});
  go_on();
}

void SupervisorMachine::start_failed(ChildKey key, std::uint64_t run, ExitReason reason, Time now) {
  now_ = now;
  Child* const child = child_at(key);
  if (child == nullptr || key != starting_ || child->run != run) return;
  child->state = ChildState::kStopped;
  start_ended(RequestStatus::kStartFailed, std::move(reason));
  go_on();
}

void SupervisorMachine::exited(ChildKey key, std::uint64_t run, ExitReason reason, Time now) {
  now_ = now;
  Child* const child = child_at(key);
  if (done_ || child == nullptr || child->run != run) return;
  switch (child->state) {
    case ChildState::kStarting: start_failed(key, run, std::move(reason), now); return;
    case ChildState::kStopping: stopped(key, std::move(reason)); break;
    case ChildState::kRunning:
      if (child->exit_seen) return;
      child->exit_seen = true;
      child->exit = reason;
      push({.kind = Event::Kind::kExited, .child = key, .run = run});
      break;
    case ChildState::kStopped:
    case ChildState::kRestarting: return;
  }
  go_on();
}

void SupervisorMachine::shutdown(ExitReason reason, Time now) {
  now_ = now;
  if (leaving_ || done_) return;
  push({.kind = Event::Kind::kShutdown, .reason = std::move(reason)});
}

void SupervisorMachine::time(Time now) {
  now_ = now;
  if (done_) return;
  while (!due_.empty() && due_.begin()->first <= now) {
    const ChildKey key = due_.begin()->second;
    Child& child = *child_at(key);
    set_due(key, child, kNever);
    if (child.state == ChildState::kStopping) {
      act(SupervisorAction::Kind::kKill, key);
    } else if (child.state == ChildState::kRestarting) {
      push({.kind = Event::Kind::kTryAgain, .child = key});
    }
  }
  go_on();
}

void SupervisorMachine::start_child(ChildSpec spec, Ticket ticket, Time now) {
  now_ = now;
  push({.kind = Event::Kind::kStartChild, .ticket = ticket, .spec = std::move(spec)});
}
void SupervisorMachine::terminate_child(ChildKey child, Ticket ticket, Time now) {
  now_ = now;
  push({.kind = Event::Kind::kTerminate, .child = child, .ticket = ticket});
}
void SupervisorMachine::restart_child(ChildKey child, Ticket ticket, Time now) {
  now_ = now;
  push({.kind = Event::Kind::kRestartChild, .child = child, .ticket = ticket});
}
void SupervisorMachine::delete_child(ChildKey child, Ticket ticket, Time now) {
  now_ = now;
  push({.kind = Event::Kind::kDelete, .child = child, .ticket = ticket});
}

void SupervisorMachine::push(Event event) {
  const bool request = event.kind >= Event::Kind::kStartChild;
  // Once it is leaving nobody will look at the queue again, so a request is answered here.
  if (leaving_ || done_) {
    if (request) reply(event.ticket, RequestStatus::kSupervisorGone, event.child);
    return;
  }
  queue_.push_back(std::move(event));
}

// ---- the loop ----------------------------------------------------------------------------------------------------------

// Goes on with the operation in hand until it ends or waits for the world.
void SupervisorMachine::go_on() {
  while (op_ && !done_ && starting_ == 0 && stops_awaited_ == 0) step();
}

void SupervisorMachine::proceed(Time now) {
  now_ = now;
  if (!begun_) return;
  go_on();
  while (!op_ && !done_ && !queue_.empty()) {
    Event event = std::move(queue_.front());
    queue_.pop_front();
    handle(event);
    go_on();
  }
}

void SupervisorMachine::handle(Event& event) {
  switch (event.kind) {
    case Event::Kind::kExited: {
      Child* const child = child_at(event.child);
      // An exit that was taken as the answer to a stop has nothing left to say.
      if (child != nullptr && child->run == event.run && child->exit_seen) handle_exit(event.child, *child);
      return;
    }
    case Event::Kind::kTryAgain: {
      Child* const child = child_at(event.child);
      if (child != nullptr && child->state == ChildState::kRestarting && child->due == kNever)
        restart(event.child, *child, std::exchange(child->already_counted, false));
      return;
    }
    case Event::Kind::kShutdown: begin_exit(std::move(event.reason)); return;
    case Event::Kind::kStartChild: handle_start(event); return;
    case Event::Kind::kTerminate: handle_terminate(event); return;
    case Event::Kind::kRestartChild: handle_restart_child(event); return;
    case Event::Kind::kDelete: handle_delete(event); return;
  }
}

void SupervisorMachine::handle_exit(ChildKey key, Child& child) {
  child.exit_seen = false;
  child.state = ChildState::kStopped;
  const bool restarts =
      child.spec.restart == Restart::kPermanent || (child.spec.restart == Restart::kTransient && !child.exit.orderly());
  if (restarts || !child.exit.orderly()) report(ReportKind::kChildTerminated, key, child.exit);
  if (restarts) {
    restart(key, child, false);
    return;
  }
  const bool significant = child.spec.significant;
  forget_or_stop(key);
  auto_shutdown(significant);
}

void SupervisorMachine::auto_shutdown(bool significant) {
  if (!significant || options_.auto_shutdown == AutoShutdown::kNever) return;
  if (options_.auto_shutdown == AutoShutdown::kAllSignificant) {
    for (const auto& [key, child] : children_)
      if (child.spec.significant && child.state != ChildState::kStopped) return;
  }
  begin_exit({ExitKind::kShutdown, {}});
}

// Enters a restart into the window; false when it is one too many.
bool SupervisorMachine::count_restart() {
  if (options_.intensity == SupervisorOptions::kUnlimited) return true;
  const auto period = static_cast<std::uint64_t>(options_.period.count());
  while (!window_.empty() && now_ - window_.front() > period) window_.pop_front();
  window_.push_back(now_);
  return window_.size() <= options_.intensity;
}

SupervisorMachine::Time SupervisorMachine::next_pause(Child& child) {
  if (options_.backoff.initial.count() == 0) return 0;
  const auto long_run = static_cast<std::uint64_t>(options_.backoff.reset_after.count());
  if (child.starts != 0 && now_ - child.started_at >= long_run) child.in_a_row = 0;
  const auto pause = options_.backoff.pause(child.in_a_row, &random_);
  if (child.in_a_row != std::numeric_limits<std::uint32_t>::max()) ++child.in_a_row;
  return static_cast<Time>(pause.count());
}

// `counted`: this restart was entered into the window when its pause began.
void SupervisorMachine::restart(ChildKey key, Child& child, bool counted) {
  if (!counted && !count_restart()) {
    report(ReportKind::kGaveUp, key, {ExitKind::kShutdown, {}});
    child.state = ChildState::kStopped;
    forget_or_stop(key);
    begin_exit({ExitKind::kShutdown, {}});
    return;
  }
  ++restart_count_;
  child.state = ChildState::kStopped;
  Op op{.kind = Op::Kind::kRestart, .cause = key};
  op.pause = counted ? 0 : next_pause(child);
  if (options_.strategy == Strategy::kOneForAll || options_.strategy == Strategy::kRestForOne) {
    const ChildKey first = options_.strategy == Strategy::kRestForOne ? key : 0;
    for (auto it = children_.rbegin(); it != children_.rend() && it->first >= first; ++it)
      if (it->first != key) op.stop.push_back(it->first);
  }
  op_ = std::move(op);
}

void SupervisorMachine::begin_exit(ExitReason reason) {
  leaving_ = true;
  // What waits will never be looked at; those who asked are told.
  std::deque<Event> queue = std::exchange(queue_, {});
  for (const Event& event : queue)
    if (event.kind >= Event::Kind::kStartChild) reply(event.ticket, RequestStatus::kSupervisorGone, event.child);
  Op op{.kind = Op::Kind::kExit, .reason = std::move(reason), .all_at_once = options_.strategy == Strategy::kDynamic};
  for (auto it = children_.rbegin(); it != children_.rend(); ++it) op.stop.push_back(it->first);
  op_ = std::move(op);
}

// ---- requests ------------------------------------------------------------------------------------------------------------

void SupervisorMachine::handle_start(Event& event) {
  const std::vector<ChildSpec> one{event.spec};
  SupervisorOptions options = options_;
  if (options.strategy == Strategy::kDynamic) options.strategy = Strategy::kOneForOne;
  if (check(options, one) != SpecError::kNone) {
    reply(event.ticket, RequestStatus::kBadSpec, 0);
    return;
  }
  if (options_.strategy != Strategy::kDynamic) {
    if (const auto found = ids_.find(event.spec.id); found != ids_.end()) {
      const bool runs = child_at(found->second)->state != ChildState::kStopped;
      reply(event.ticket, runs ? RequestStatus::kAlreadyStarted : RequestStatus::kAlreadyPresent, found->second);
      return;
    }
  }
  const ChildKey key = next_key_++;
  if (options_.strategy != Strategy::kDynamic) ids_.emplace(event.spec.id, key);
  children_[key].spec = std::move(event.spec);
  op_ = Op{.kind = Op::Kind::kStartChild, .cause = key, .ticket = event.ticket, .start = {key}, .fresh = true};
}

void SupervisorMachine::handle_terminate(const Event& event) {
  if (child_at(event.child) == nullptr) {
    // A dynamic child that has ended is as terminated as can be; it was forgotten, not unknown.
    const bool ended = options_.strategy == Strategy::kDynamic && event.child != 0 && event.child < next_key_;
    reply(event.ticket, ended ? RequestStatus::kOk : RequestStatus::kNotFound, event.child);
    return;
  }
  op_ = Op{.kind = Op::Kind::kTerminateChild, .cause = event.child, .ticket = event.ticket, .stop = {event.child}};
}

void SupervisorMachine::handle_restart_child(const Event& event) {
  if (options_.strategy == Strategy::kDynamic) {
    reply(event.ticket, RequestStatus::kWrongStrategy, event.child);
    return;
  }
  const Child* const child = child_at(event.child);
  if (child == nullptr) {
    reply(event.ticket, RequestStatus::kNotFound, event.child);
  } else if (child->state == ChildState::kRestarting) {
    reply(event.ticket, RequestStatus::kRestarting, event.child);
  } else if (child->state != ChildState::kStopped) {
    reply(event.ticket, RequestStatus::kRunning, event.child);
  } else {
    op_ = Op{.kind = Op::Kind::kStartChild, .cause = event.child, .ticket = event.ticket, .start = {event.child}};
  }
}

void SupervisorMachine::handle_delete(const Event& event) {
  if (options_.strategy == Strategy::kDynamic) {
    reply(event.ticket, RequestStatus::kWrongStrategy, event.child);
    return;
  }
  const Child* const child = child_at(event.child);
  if (child == nullptr) {
    reply(event.ticket, RequestStatus::kNotFound, event.child);
  } else if (child->state == ChildState::kRestarting) {
    reply(event.ticket, RequestStatus::kRestarting, event.child);
  } else if (child->state != ChildState::kStopped) {
    reply(event.ticket, RequestStatus::kRunning, event.child);
  } else {
    ids_.erase(child->spec.id);
    children_.erase(event.child);
    reply(event.ticket, RequestStatus::kOk, event.child);
  }
}

// ---- operations ------------------------------------------------------------------------------------------------------------

void SupervisorMachine::step() {
  Op& op = *op_;
  if (op.stop_at < op.stop.size()) {
    do {
      stop_next();
    } while (op.all_at_once && op.stop_at < op.stop.size());
    return;
  }
  if (op.kind == Op::Kind::kExit) {
    finish_exit();
    return;
  }
  if (op.kind == Op::Kind::kTerminateChild) {
    const Op over = *std::exchange(op_, std::nullopt);
    reply(over.ticket, RequestStatus::kOk, over.cause);
    return;
  }
  if (op.kind == Op::Kind::kRestart && !op.start_listed) {
    Child& cause = *child_at(op.cause);
    if (op.pause != 0) {
      cause.state = ChildState::kRestarting;
      cause.already_counted = true;
      set_due(op.cause, cause, after(now_, std::chrono::nanoseconds(op.pause)));
      op_.reset();
      return;
    }
    op.start_listed = true;
    const bool group = options_.strategy == Strategy::kOneForAll || options_.strategy == Strategy::kRestForOne;
    const ChildKey first = options_.strategy == Strategy::kOneForAll ? 0 : op.cause;
    for (auto it = children_.lower_bound(first); it != children_.end(); ++it) {
      if (!group && it->first != op.cause) break;
      op.start.push_back(it->first);
    }
  }
  if (op.start_at < op.start.size()) {
    start_next();
    return;
  }
  const Op over = *std::exchange(op_, std::nullopt);
  if (over.kind == Op::Kind::kInit) act(SupervisorAction::Kind::kReady, 0);
}

void SupervisorMachine::stop_next() {
  const ChildKey key = op_->stop[op_->stop_at++];
  Child& child = *child_at(key);
  if (child.state != ChildState::kRunning) {
    set_due(key, child, kNever);  // a restart that was due is not wanted any more
    child.already_counted = false;
    child.state = ChildState::kStopped;
    forget_or_stop(key);
    return;
  }
  if (child.exit_seen) {
    child.exit_seen = false;
    ++stops_awaited_;
    child.state = ChildState::kStopping;
    stopped(key, child.exit);
    return;
  }
  child.state = ChildState::kStopping;
  ++stops_awaited_;
  if (child.spec.stop.kind == StopPolicy::Kind::kBrutalKill) {
    act(SupervisorAction::Kind::kKill, key);
    return;
  }
  act(SupervisorAction::Kind::kStop, key);
  if (child.spec.stop.kind == StopPolicy::Kind::kTimeout) set_due(key, child, after(now_, child.spec.stop.timeout));
}

// The child that was asked to stop has ended.
void SupervisorMachine::stopped(ChildKey key, ExitReason reason) {
  Child& child = *child_at(key);
  --stops_awaited_;
  set_due(key, child, kNever);
  child.state = ChildState::kStopped;
  if (!stopped_as_asked(child.spec, reason)) report(ReportKind::kShutdownError, key, std::move(reason));
  forget_or_stop(key);
}

void SupervisorMachine::start_next() {
  const ChildKey key = op_->start[op_->start_at++];
  Child& child = *child_at(key);
  child.state = ChildState::kStarting;
  child.run = next_run_++;
  starting_ = key;
  act(SupervisorAction::Kind::kStart, key).ticket = op_->ticket;
}

void SupervisorMachine::start_ended(RequestStatus status, ExitReason reason) {
  const ChildKey key = std::exchange(starting_, 0);
  Child& child = *child_at(key);
  Op& op = *op_;
  if (op.kind == Op::Kind::kStartChild) {
    const Ticket ticket = op.ticket;
    const bool fresh = op.fresh;
    op_.reset();
    if (status == RequestStatus::kIgnored) forget_or_stop(key);
    if (status == RequestStatus::kStartFailed && fresh) {
      ids_.erase(child.spec.id);
      children_.erase(key);
    }
    reply(ticket, status, key, std::move(reason));
    return;
  }
  if (status == RequestStatus::kIgnored) {
    forget_or_stop(key);
    return;
  }
  if (status == RequestStatus::kOk) return;
  report(ReportKind::kStartError, key, reason);
  if (op.kind == Op::Kind::kInit) {
    begin_exit({ExitKind::kShutdown,
                "failed to start " + child.spec.id + (reason.detail.empty() ? "" : ": ") + reason.detail});
    return;
  }
  // A restart: leave it for another try, behind what is queued already or after its pause.
  child.state = ChildState::kRestarting;
  op_.reset();
  const Time pause = next_pause(child);
  if (pause == 0) {
    push({.kind = Event::Kind::kTryAgain, .child = key});
  } else {
    set_due(key, child, after(now_, std::chrono::nanoseconds(pause)));
  }
}

void SupervisorMachine::finish_exit() {
  SupervisorAction& exit = act(SupervisorAction::Kind::kExit, 0);
  exit.reason = std::move(op_->reason);
  op_.reset();
  done_ = true;
}

// ---- small parts -------------------------------------------------------------------------------------------------------------

// A child that does not run is kept for restart_child, unless it is one that is forgotten. Not while the supervisor ends:
// its list of children is being walked, and nobody will ask again.
void SupervisorMachine::forget_or_stop(ChildKey key) {
  const auto found = children_.find(key);
  const bool forget = found->second.spec.restart == Restart::kTemporary || options_.strategy == Strategy::kDynamic;
  if (!forget) return;
  ids_.erase(found->second.spec.id);
  children_.erase(found);
}

void SupervisorMachine::set_due(ChildKey key, Child& child, Time due) {
  if (child.due != kNever) due_.erase({child.due, key});
  child.due = due;
  if (due != kNever) due_.emplace(due, key);
}

SupervisorMachine::Child* SupervisorMachine::child_at(ChildKey key) {
  const auto found = children_.find(key);
  return found == children_.end() ? nullptr : &found->second;
}

SupervisorAction& SupervisorMachine::act(SupervisorAction::Kind kind, ChildKey child) {
  SupervisorAction& action = actions_.emplace_back();
  action.kind = kind;
  action.child = child;
  if (const Child* const c = child_at(child); c != nullptr) action.run = c->run;
  return action;
}

void SupervisorMachine::report(ReportKind kind, ChildKey child, ExitReason reason) {
  SupervisorAction& action = act(SupervisorAction::Kind::kReport, child);
  action.report = kind;
  action.reason = std::move(reason);
}

void SupervisorMachine::reply(Ticket ticket, RequestStatus status, ChildKey child, ExitReason reason) {
  SupervisorAction& action = act(SupervisorAction::Kind::kReply, child);
  action.ticket = ticket;
  action.status = status;
  action.reason = std::move(reason);
}

SupervisorMachine::Time SupervisorMachine::deadline() const {
  return done_ || due_.empty() ? kNever : due_.begin()->first;
}

SupervisorMachine::Counts SupervisorMachine::counts() const {
  Counts counts;
  for (const auto& [key, child] : children_) {
    ++counts.specs;
    counts.active += child.state == ChildState::kRunning;
    (child.spec.supervisor ? counts.supervisors : counts.workers)++;
  }
  return counts;
}

std::vector<SupervisorMachine::ChildView> SupervisorMachine::children() const {
  std::vector<ChildView> views;
  views.reserve(children_.size());
  for (const auto& [key, c] : children_) views.push_back({key, c.spec, c.state, c.run, c.starts});
  return views;
}

std::optional<SupervisorMachine::ChildView> SupervisorMachine::find(ChildKey child) const {
  const auto found = children_.find(child);
  if (found == children_.end()) return std::nullopt;
  const Child& c = found->second;
  return ChildView{child, c.spec, c.state, c.run, c.starts};
}

ChildKey SupervisorMachine::find_id(const std::string& id) const {
  const auto found = ids_.find(id);
  return found == ids_.end() ? 0 : found->second;
}

}  // namespace neovm::worker
