// spawn-task, task-await and the channels.
#include <algorithm>

#include "task/body.hpp"

namespace neovm::elisp {

namespace {

// ---- tasks ----

Maybe<bool> spawn_options(Context& cx, Value options, SpawnRequest* request) {
  for (Value l = options; l.is_cons(); l = cdr_of_list(cdr_raw(l))) {
    const std::string_view key = car_raw(l).is_symbol() ? symbol_name_view(cx, car_raw(l)) : "";
    if (!cdr_raw(l).is_cons()) return error_text(cx, "Missing value of the last option of `spawn-task'");
    const Value v = car_raw(cdr_raw(l));
    if (key == ":name") {
      if (!v.is_string()) return wrong_type(cx, Qstringp, v);
      request->name = to_std_string(v);
    } else if (key == ":priority") {
      const std::string_view name = v.is_symbol() ? symbol_name_view(cx, v) : "";
      if (name == "interactive") {
        request->priority = worker::Priority::kInteractive;
      } else if (name == "normal") {
        request->priority = worker::Priority::kNormal;
      } else if (name == "background") {
        request->priority = worker::Priority::kBackground;
      } else {
        return error_text(cx, "A task's priority is `interactive', `normal' or `background'");
      }
    } else if (key == ":deadline-ms") {
      request->deadline = TRY(timeout_argument(cx, v));
    } else {
      return signal_error2(cx, Qerror, make_string(cx, "Unknown option of `spawn-task'"), car_raw(l));
    }
  }
  return true;
}

NEOVM_PRIMITIVE(spawn_task, "spawn-task", 1, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Run WHAT in a task of its own and return the task: a function called with the list ARGS, or a form.")
(Context& cx, Arguments args) {
  SpawnRequest request;
  request.what = args[0];
  request.args = args.size() > 1 ? args[1] : kNil;
  TRY(list_length(cx, request.args));
  TRY(spawn_options(cx, list_from(cx, args.subspan(std::min<std::size_t>(args.size(), 2))), &request));
  const Value callable = TRY(funcall_re(cx, Qfunctionp, {args[0]}));
  request.form = callable.is_nil();
  if (request.form && args[0].is_symbol() && !args[0].is_nil() && args[0] != Qt) {
    if (variable_value(cx, args[0]).is_unbound()) return signal_error1(cx, Qvoid_function, args[0]);
  }
  return make_task_handle(cx, TRY(spawn_lisp_task(cx, request)));
}

// Awaiting in a circle would never end: the one who closes it gets an error.
Maybe<bool> begin_await(Context& cx, TaskState& state, LispTask& target) {
  if (state.self == nullptr) return true;
  const std::lock_guard lock(state.world.mutex);
  for (LispTask* t = &target; t != nullptr; t = t->awaiting)
    if (t == state.self)
      return signal_error1(cx, intern(cx, "task-error"), make_string(cx, "The task would wait for itself"));
  state.self->awaiting = &target;
  return true;
}
void end_await(TaskState& state) {
  if (state.self == nullptr) return;
  const std::lock_guard lock(state.world.mutex);
  state.self->awaiting = nullptr;
}

class AwaitWait : public PendingWait {
 public:
  AwaitWait(Context& cx, TaskState& state, Ref<LispTask> task, Value handle)
      : PendingWait(cx), state_(state), task_(std::move(task)), result_(task_->result) {
    kept.values = {handle};
    cases = {&result_};
  }
  ~AwaitWait() override { end_await(state_); }
  void interrupted() override { task_->cancel(); }  // Ctrl-C
  Value finish(Context& cx, worker::Selected got) override {
    const Value handle = kept.values[0];
    if (got.status == worker::Status::kTimeout) return signal_error1(cx, intern(cx, "task-timeout"), handle);
    Message message;
    if (got.status == worker::Status::kOk) message = result_.take();
    return deliver_outcome(cx, *task_, std::move(message), handle);
  }

 private:
  TaskState& state_;
  Ref<LispTask> task_;
  worker::RecvCase<Message> result_;
};

NEOVM_PRIMITIVE(task_await, "task-await", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Wait for TASK to end, at most TIMEOUT-MS, and return its value or signal its error.")
(Context& cx, Value handle, Value timeout) {
  LispTask* const task = TRY(check_task(cx, handle));
  const worker::Instant until = TRY(timeout_argument(cx, timeout));
  TaskState& state = *TRY(need_tasks(cx));
  TRY(begin_await(cx, state, *task));
  auto wait = std::make_unique<AwaitWait>(cx, state, Ref<LispTask>::share(task), handle);
  wait->limits.until = until;
  return wait_then_finish(cx, std::move(wait));
}

NEOVM_PRIMITIVE(task_cancel, "task-cancel", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kNondeterministic,
                "Ask TASK and its children to stop; nil when it has ended.")
(Context& cx, Value handle) {
  LispTask* const task = TRY(check_task(cx, handle));
  if (task->phase.load(std::memory_order_acquire) == TaskPhase::kEnded) return kNil;
  task->cancel();
  return Qt;
}

NEOVM_PRIMITIVE(task_status, "task-status", 1, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return how far TASK is: pending, running, done, failed, cancelled or deadline.")
(Context& cx, Value handle) {
  const LispTask* const task = TRY(check_task(cx, handle));
  switch (task->phase.load(std::memory_order_acquire)) {
    case TaskPhase::kPending: return intern(cx, "pending");
    case TaskPhase::kRunning: return intern(cx, "running");
    case TaskPhase::kEnded: break;
  }
  switch (task->outcome) {
    case TaskOutcome::kError: return intern(cx, "failed");
    case TaskOutcome::kCancelled: return intern(cx, "cancelled");
    case TaskOutcome::kDeadline: return intern(cx, "deadline");
    default: return intern(cx, "done");
  }
}

NEOVM_PRIMITIVE(task_backtrace_text, "task-backtrace", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the calls in progress where TASK failed, as text; nil before its error was awaited.")
(Context& cx, Value handle) {
  TRY(check_task(cx, handle));
  return task_backtrace(handle);
}

NEOVM_PRIMITIVE(taskp, "taskp", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when OBJECT is a task.")
(Context&, Value v) { return boolean(task_of(v) != nullptr); }

NEOVM_PRIMITIVE(task_self, "task-self", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the running task; nil in the main one.")
(Context& cx) {
  TaskState* const state = task_state(cx);
  return state == nullptr || state->self == nullptr ? kNil : make_task_handle(cx, Ref<LispTask>::share(state->self));
}

NEOVM_PRIMITIVE(task_workers, "task-workers", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kNondeterministic,
                "Return how many tasks can run at the same moment.")
(Context& cx) {
  TaskState* const state = TRY(need_tasks(cx));
  return Value::fixnum(state->world.workers());
}

// ---- channels ----

NEOVM_PRIMITIVE(make_channel, "make-channel", 0, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kNondeterministic,
                "Return a new channel that holds up to CAPACITY messages: a number (default 64), or t for any number.")
(Context& cx, Value capacity) {
  TaskState& state = *TRY(need_tasks(cx));
  std::size_t slots = worker::kDefaultCapacity;
  if (capacity == Qt) {
    slots = worker::kUnbounded;
  } else if (capacity.is_natnum_fixnum()) {
    slots = static_cast<std::size_t>(capacity.as_fixnum());
  } else if (!capacity.is_nil()) {
    return wrong_type(cx, Qwholenump, capacity);
  }
  auto channel = Ref<LispChannel>::adopt(new LispChannel(slots, state.world.next_id.fetch_add(1)));
  if (!channel->channel) return args_out_of_range(cx, capacity, kNil);
  return make_channel_handle(cx, std::move(channel));
}

NEOVM_PRIMITIVE(channelp, "channelp", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when OBJECT is a channel.")
(Context&, Value v) { return boolean(channel_of(v) != nullptr); }

ExitTag closed(Context& cx, Value handle) { return signal_error1(cx, intern(cx, "channel-closed"), handle); }

class ChannelWait : public PendingWait {
 public:
  ChannelWait(Context& cx, LispChannel* channel, Value handle)
      : PendingWait(cx), channel_(Ref<LispChannel>::share(channel)) {
    kept.values = {handle};
  }
  void receive() { cases = {&recv_.emplace(channel_->channel)}; }
  void send(Message&& m) {
    message_ = std::move(m);
    cases = {&send_.emplace(channel_->channel, message_)};
  }
  Value finish(Context& cx, worker::Selected got) override {
    switch (got.status) {
      case worker::Status::kOk: return recv_ ? unpack(cx, recv_->take()) : Qt;
      case worker::Status::kClosed: return closed(cx, kept.values[0]);
      default: return signal_error1(cx, intern(cx, "task-timeout"), kept.values[0]);
    }
  }

 private:
  Ref<LispChannel> channel_;
  Message message_;
  std::optional<worker::RecvCase<Message>> recv_;
  std::optional<worker::SendCase<Message>> send_;
};

NEOVM_PRIMITIVE(channel_send, "channel-send", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Send a copy of VALUE into CHANNEL, waiting for room at most TIMEOUT-MS; return t.")
(Context& cx, Value handle, Value value, Value timeout) {
  LispChannel* const channel = TRY(check_channel(cx, handle));
  const worker::Instant until = TRY(timeout_argument(cx, timeout));
  Message message = TRY(pack(cx, value, "value"));
  switch (channel->channel.try_send(message)) {
    case worker::Status::kOk: return Qt;
    case worker::Status::kClosed: return closed(cx, handle);
    default: break;
  }
  auto wait = std::make_unique<ChannelWait>(cx, channel, handle);
  wait->send(std::move(message));
  wait->limits.until = until;
  return wait_then_finish(cx, std::move(wait));
}

NEOVM_PRIMITIVE(channel_recv, "channel-recv", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Return the next message of CHANNEL, waiting for it at most TIMEOUT-MS.")
(Context& cx, Value handle, Value timeout) {
  LispChannel* const channel = TRY(check_channel(cx, handle));
  const worker::Instant until = TRY(timeout_argument(cx, timeout));
  worker::Received<Message> ready = channel->channel.try_recv();
  if (ready.ok()) return unpack(cx, std::move(*ready));
  auto wait = std::make_unique<ChannelWait>(cx, channel, handle);
  wait->receive();
  wait->limits.until = until;
  return wait_then_finish(cx, std::move(wait));
}

NEOVM_PRIMITIVE(channel_close, "channel-close", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kNondeterministic,
                "Close CHANNEL: what it holds can still be received, nothing more can be sent. Return nil.")
(Context& cx, Value handle) {
  LispChannel* const channel = TRY(check_channel(cx, handle));
  channel->channel.close();
  return kNil;
}

}  // namespace

}  // namespace neovm::elisp
