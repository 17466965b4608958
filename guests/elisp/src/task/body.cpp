// Running a task: an isolate from the image, slices, the end.
#include "task/body.hpp"

#include <algorithm>
#include <cstdio>

#include "print/printer.hpp"

namespace neovm::elisp {

namespace {

// Safepoints between two looks at the clock and at requests: some tens of microseconds.
constexpr std::int64_t kFuel = 2048;
// What a native frame of the task may use before "stack exhausted" errors: the runtime's stack less a margin.
constexpr std::size_t kUsableStack = (std::size_t{4} << 20) - (std::size_t{256} << 10);

Value slice_end(Context& cx) {
  auto* body = static_cast<TaskBody*>(cx.owner);
  cx.fuel = kFuel;
  if (body->stopping) return kNil;
  if (worker::this_task::cancelled() != worker::Status::kOk) return stop_task(cx);
  if (worker::this_task::poll(kFuel / 64) && cx.may_suspend()) return kSuspended;
  return kNil;
}

// Everything is still bound: the calls in progress go into the task's backtrace.
void note_uncaught(Context& cx, Value, Value) {
  TaskState* state = task_state(cx);
  if (state == nullptr || state->body == nullptr) return;
  const std::size_t depth = cx.bindings.size();
  Value r = bind_variable_re(cx, Qprint_length, Value::fixnum(12));
  if (!r.is_exit()) r = bind_variable_re(cx, Qprint_level, Value::fixnum(5));
  if (!r.is_exit()) r = funcall_re(cx, Qmapbacktrace, {intern(cx, "task--note-frame")});
  if (unbind_to_re(cx, depth, r).is_exit()) cx.exit_kind = ExitKind::kNone;
}

void run_slice_of(void* body) { static_cast<TaskBody*>(body)->run_slice(); }

std::string error_message(Context& cx, Value symbol, Value data) {
  const Value text = funcall_re(cx, Qerror_message_string, {cons(cx, symbol, data)});
  if (text.is_exit()) {
    cx.exit_kind = ExitKind::kNone;
    return std::string(symbol.is_symbol() ? symbol_name_view(cx, symbol) : "error");
  }
  return to_std_string(text);
}

// Ends the task also when its coroutine is destroyed before it began.
struct TaskGuard {
  Ref<LispTask> task;
  explicit TaskGuard(Ref<LispTask> t) : task(std::move(t)) {}
  TaskGuard(TaskGuard&&) noexcept = default;
  TaskGuard& operator=(TaskGuard&&) = delete;
  ~TaskGuard() {
    if (task) task->end(worker::now() >= task->deadline ? TaskOutcome::kDeadline : TaskOutcome::kCancelled, {});
  }
};

worker::Task<void> run_task(TaskGuard guard) {
  worker::Scope scope;
  {
    TaskBody body(*guard.task, scope);
    guard.task->phase.store(TaskPhase::kRunning, std::memory_order_release);
    for (;;) {
      co_await worker::NativeCall(run_slice_of, &body);
      if (body.over()) break;
      if (body.pending != nullptr) {
        auto op = worker::select(std::span<worker::SelectCase* const>(body.pending->cases));
        op.until(body.pending->limits.until);
        body.selected = co_await op;
      } else {
        (void)co_await worker::yield();
      }
    }
    if (body.outcome() == TaskOutcome::kValue) {
      (void)co_await scope.join();
    } else {
      (void)co_await scope.cancel_and_join();
    }
    body.report_unseen();
    body.end();
  }
}

}  // namespace

// ---- the task's record --------------------------------------------------------------------------------------------

LispTask::~LispTask() = default;

void LispTask::end(TaskOutcome how, Message message) {
  TaskPhase now = phase.load(std::memory_order_relaxed);
  if (now == TaskPhase::kEnded) return;
  outcome = how;
  phase.store(TaskPhase::kEnded, std::memory_order_release);
  if (!message.empty()) (void)result.try_send(message);
  result.close();
}

void LispTask::cancel() {
  worker::TaskRef copy;
  {
    const std::lock_guard lock(world.mutex);
    copy = ref;
  }
  if (copy) (void)copy.cancel();
}

namespace {

// It has ended, and what there was to say is said.
bool nothing_to_say(const LispTask& t) {
  return t.phase.load(std::memory_order_acquire) == TaskPhase::kEnded &&
         (t.outcome != TaskOutcome::kError || t.seen.load(std::memory_order_relaxed));
}

}  // namespace

void StartedTasks::add(Ref<LispTask> task) {
  if (tasks_.size() >= look_at_) {
    std::erase_if(tasks_, [](const Ref<LispTask>& t) { return nothing_to_say(*t); });
    look_at_ = std::max<std::size_t>(64, 2 * tasks_.size());
  }
  tasks_.push_back(std::move(task));
}

void StartedTasks::report_unseen() {
  for (const Ref<LispTask>& t : tasks_) {
    if (t->phase.load(std::memory_order_acquire) != TaskPhase::kEnded || t->outcome != TaskOutcome::kError ||
        t->seen.exchange(true))
      continue;
    std::fprintf(stderr, "Task %s failed: %s\n", t->name.empty() ? std::to_string(t->id).c_str() : t->name.c_str(),
                 t->failure.c_str());
  }
}

// ---- slices -------------------------------------------------------------------------------------------------------

TaskBody::~TaskBody() { pending.reset(); }  // before its context

void TaskBody::run_slice() {
  // Native frames of this slice are scanned up to here.
  if (!begun_) {
    begun_ = true;
    boot();
    if (over_) return;
  }
  cx_->native_stack_base = __builtin_frame_address(0);
  cx_->native_stack_limit = static_cast<const char*>(cx_->native_stack_base) - kUsableStack;
  cx_->fuel = kFuel;
  if (cx_->suspendable_depth == 0) {
    run_first();
  } else if (pending != nullptr) {
    Value v;
    {
      const std::unique_ptr<PendingWait> wait = std::move(pending);
      v = end_wait(*cx_, *wait, selected);
    }  // it is over before Lisp goes on, which may begin the next one
    finish(cx_->isolate().guest_hooks().resume(*cx_, v));
  } else {
    finish(cx_->isolate().guest_hooks().resume(*cx_, kNil));
  }
}

void TaskBody::boot() {
  IsolateOptions options;
  options.heap = task_.world.settings.heap;
  options.main = false;
  isolate_ = std::make_unique<Isolate>(options);
  cx_ = std::make_unique<Context>(*isolate_);
  cx_->native_stack_base = __builtin_frame_address(0);
  cx_->native_stack_limit = static_cast<const char*>(cx_->native_stack_base) - kUsableStack;
  const std::string why = task_.world.settings.boot(*cx_);
  if (!why.empty()) {
    failure_ = why;
    outcome_ = TaskOutcome::kError;
    over_ = true;
    return;
  }
  auto* state = new TaskState(task_.world, nullptr);
  state->self = &task_;
  state->body = this;
  state->scope = &scope_;
  state->backtrace = &backtrace_;
  attach_task_state(*cx_, state);
  cx_->isolate().guest_hooks().uncaught_re = note_uncaught;
  cx_->owner = this;
  cx_->on_slice_end = slice_end;
  let_task_block(*cx_);
}

void TaskBody::run_first() {
  Context& cx = *cx_;
  const Value start = unpack(cx, std::move(task_.start));  // [WHAT ARGS FORM DEFINITIONS]
  if (start.is_exit()) {
    finish(kExit);
    return;
  }
  RootVector kept(cx);
  kept.values = {start};
  if (install_definitions(cx, slot_raw(start, 3)).is_exit()) {
    finish(kExit);
    return;
  }
  const Value what = slot_raw(kept.values[0], 0);
  std::vector<Value> args;
  if (slot_raw(kept.values[0], 2).truthy()) {
    args = {what, Qt};
    finish(cx.isolate().guest_hooks().start(cx, Qeval, args));
    return;
  }
  for (Value l = slot_raw(kept.values[0], 1); l.is_cons(); l = cdr_raw(l)) args.push_back(car_raw(l));
  finish(cx.isolate().guest_hooks().start(cx, what, args));  // copies its arguments to the VM stack first
}

void TaskBody::finish(Value v) {
  if (v == kSuspended) return;
  Context& cx = *cx_;
  over_ = true;
  cx.on_slice_end = nullptr;
  if (!v.is_exit()) {
    Maybe<Message> packed = pack(cx, v, "value");
    if (packed.ok()) {
      message_ = std::move(packed.get_raw());
      outcome_ = TaskOutcome::kValue;
      return;
    }
  }
  const ExitKind kind = cx.exit_kind;
  const Value tag = cx.exit_tag;
  const Value data = cx.exit_data;
  cx.exit_kind = ExitKind::kNone;
  cx.exit_tag = cx.exit_data = kNil;
  cx.exit_resolved = false;
  if (kind == ExitKind::kKill) {
    outcome_ = stop_reason;
    return;
  }
  if (tag.is_nil() && data.is_cons()) {  // (signal nil ERROR)
    fail(car_raw(data), cdr_raw(data));
  } else {
    fail(tag, data);
  }
}

void TaskBody::fail(Value symbol, Value data) {
  Context& cx = *cx_;
  outcome_ = TaskOutcome::kError;
  RootVector kept(cx);
  kept.values = {symbol, data};
  failure_ = error_message(cx, symbol, data);
  const auto report = [&](Value d) { return list(cx, {kept.values[0], d, make_string(cx, backtrace_)}); };
  Maybe<Message> packed = pack(cx, report(kept.values[1]), "error");
  if (!packed.ok()) {
    // Something in the data stays here: its printed form travels.
    cx.exit_kind = ExitKind::kNone;
    Printer printer(cx);
    if (!printer.print(kept.values[1], true)) cx.exit_kind = ExitKind::kNone;
    packed = pack(cx, report(list(cx, {make_multibyte_string(cx, printer.out)})), "error");
    if (!packed.ok()) cx.exit_kind = ExitKind::kNone;
  }
  if (packed.ok()) message_ = std::move(packed.get_raw());
}

void TaskBody::report_unseen() {
  TaskState* const state = cx_ == nullptr ? nullptr : task_state(*cx_);
  if (state != nullptr) state->started.report_unseen();
}

void TaskBody::end() {
  cx_.reset();
  isolate_.reset();
  task_.failure = failure_;
  task_.end(outcome_, std::move(message_));
}

Value park_task(Context& cx, TaskState& state, std::unique_ptr<PendingWait> wait) {
  state.body->pending = std::move(wait);
  return park(cx);
}

ExitTag stop_task(Context& cx) {
  TaskState* state = task_state(cx);
  if (state != nullptr && state->body != nullptr) {
    state->body->stopping = true;
    if (worker::this_task::cancelled() == worker::Status::kDeadline) state->body->stop_reason = TaskOutcome::kDeadline;
  }
  cx.exit_kind = ExitKind::kKill;
  cx.exit_tag = cx.exit_data = kNil;
  cx.exit_resolved = false;
  return kFailed;
}

// ---- starting and ending as Lisp sees them ------------------------------------------------------------------------

namespace {

// Puts task--report-unawaited at the end of kill-emacs-hook.
Value report_at_exit(Context& cx) {
  const Value hook = variable_value(cx, Qkill_emacs_hook);
  std::vector<Value> functions;
  if (hook.is_cons() && car_raw(hook) != Qlambda && car_raw(hook) != Qclosure) {
    for (Value l = hook; l.is_cons(); l = cdr_raw(l)) functions.push_back(car_raw(l));
  } else if (hook.truthy() && !hook.is_unbound()) {
    functions.push_back(hook);
  }
  functions.push_back(intern(cx, "task--report-unawaited"));
  return set_default_re(cx, Qkill_emacs_hook, list_from(cx, functions));
}

}  // namespace

Maybe<Ref<LispTask>> spawn_lisp_task(Context& cx, const SpawnRequest& request) {
  TaskState* state = TRY(need_tasks(cx));
  TaskWorld& world = state->world;
  RootVector kept(cx);
  kept.values = {request.what, request.args};
  // The definitions last, so that errors name what the caller gave.
  (void)TRY(pack(cx, list(cx, {request.what, request.args}), "task"));
  const Value definitions = TRY(task_definitions(cx));
  const Value parts[] = {kept.values[0], kept.values[1], boolean(request.form), definitions};
  Message start = TRY(pack(cx, make_vector_from(cx, parts), "task"));
  std::string why;
  const bool first = state->self == nullptr && !world.runtime;
  worker::Runtime* runtime = state->self == nullptr ? world.start_runtime(&why) : &*world.runtime;
  if (runtime == nullptr) return error_text(cx, why);
  // A task's end reports its children; the main program's end is an exit.
  if (first) TRY(report_at_exit(cx));

  auto task = Ref<LispTask>::adopt(new LispTask(world, request.name, world.next_id.fetch_add(1)));
  task->start = std::move(start);
  task->deadline = request.deadline;
  worker::SpawnOptions options;
  options.name = request.name;
  options.priority = request.priority;
  options.deadline = request.deadline;
  options.scope = state->scope;
  // Whoever gets hold of the task through the task itself finds its reference.
  std::unique_lock lock(world.mutex);
  worker::JoinHandle<void> handle = state->self == nullptr ? runtime->spawn(run_task(TaskGuard(task)), options)
                                                           : worker::spawn(run_task(TaskGuard(task)), options);
  if (!handle.ref()) return error_text(cx, "The task was refused");
  task->ref = handle.ref();
  lock.unlock();
  state->started.add(task);
  return task;
}

Value deliver_outcome(Context& cx, LispTask& task, Message&& message, Value handle) {
  const std::string name = task.name.empty() ? std::to_string(task.id) : task.name;
  if (task.outcome == TaskOutcome::kCancelled)
    return signal_error1(cx, intern(cx, "task-cancelled"), make_string(cx, name));
  if (task.outcome == TaskOutcome::kDeadline)
    return signal_error1(cx, intern(cx, "task-deadline"), make_string(cx, name));
  const bool again = task.seen.exchange(true);
  if (message.empty()) {
    if (again)
      return signal_error2(cx, intern(cx, "task-error"), make_string(cx, "The result was taken before"), handle);
    return signal_error1(cx, intern(cx, "task-error"), make_string(cx, task.failure));
  }
  const Value v = TRY(unpack(cx, std::move(message)));
  if (task.outcome == TaskOutcome::kValue) return v;
  const Value rest = cdr_raw(v);
  set_task_backtrace(handle, car_raw(cdr_raw(rest)));
  return signal_error(cx, car_raw(v), car_raw(rest));
}

namespace {

NEOVM_PRIMITIVE(task_report_unawaited, "task--report-unawaited", 0, 0, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kNondeterministic, "Say which of the tasks started here failed without having been awaited.")
(Context& cx) {
  TaskState* state = TRY(need_tasks(cx));
  state->started.report_unseen();
  return kNil;
}

NEOVM_PRIMITIVE(task_note_frame, "task--note-frame", 4, 4, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Add a call to the backtrace of the failing task; for `mapbacktrace'.")
(Context& cx, Value evald, Value function, Value args, Value) {
  TaskState* state = TRY(need_tasks(cx));
  constexpr std::size_t kMost = 64 * 1024;
  if (state->backtrace == nullptr || state->backtrace->size() > kMost) return kNil;
  Printer printer(cx);
  if (evald.is_nil()) {
    if (!printer.print(cons(cx, function, args), true)) return kExit;
  } else {
    if (!printer.print(function, true)) return kExit;
    printer.out += "(";
    for (Value l = args; l.is_cons(); l = cdr_raw(l)) {
      if (!printer.print(car_raw(l), true)) return kExit;
      if (cdr_raw(l).is_cons()) printer.out += " ";
    }
    printer.out += ")";
  }
  *state->backtrace += "  " + printer.out + "\n";
  return kNil;
}

}  // namespace

}  // namespace neovm::elisp
