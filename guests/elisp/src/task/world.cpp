// The runtime behind Lisp's tasks, the state of each isolate, transfers and waits.
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "task/task.hpp"

namespace neovm::elisp {

namespace {

// Re-entrant C++ under a task (the reader, `equal`, sorting with a Lisp predicate) runs on stacks of this size.
constexpr std::size_t kNativeStackBytes = std::size_t{4} << 20;

// Hands each interrupt of the main task to whatever wait it is in.
worker::Task<void> watch_interrupts(int fd, MessageChannel interrupts) {
  for (;;) {
    const worker::Status ready = co_await worker::readable(fd);
    std::uint64_t count = 0;
    if (ready != worker::Status::kOk || read(fd, &count, sizeof count) < 0) co_return;
    Message none;
    (void)interrupts.try_send(none);  // one in the channel is enough
  }
}

void destroy_state(void* state) { delete static_cast<TaskState*>(state); }
void trace_state(void* state, Tracer& t) { static_cast<TaskState*>(state)->handles.trace(t); }

}  // namespace

TaskWorld::~TaskWorld() {
  runtime.reset();
  const int fd = interrupt_fd.exchange(-1);
  if (fd >= 0) close(fd);
}

worker::Runtime* TaskWorld::start_runtime(std::string* why) {
  if (runtime) return &*runtime;
  worker::RuntimeConfig config;
  config.workers = settings.workers;
  config.native_stack_bytes = kNativeStackBytes;
  config.may_start_thread = settings.may_start_thread;
  config.thread_name = "neomacs";
  runtime.emplace(std::move(config));
  if (runtime->status() != worker::Status::kOk) {
    *why = "No threads for tasks: " + std::string(worker::status_name(runtime->status()));
    runtime.reset();
    return nullptr;
  }
  if (settings.record) runtime->trace().start();
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd >= 0) {
    worker::SpawnOptions options;
    options.name = "interrupts";
    (void)runtime->spawn(watch_interrupts(fd, interrupts), options);
    interrupt_fd.store(fd);
  }
  return &*runtime;
}

unsigned TaskWorld::workers() const {
  if (runtime) return runtime->workers();
  if (settings.workers != 0) return settings.workers;
  return std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
}

void attach_task_state(Context& cx, TaskState* state) {
  Extension e;
  e.state = state;
  e.trace = trace_state;
  e.destroy = destroy_state;
  set_extension(cx, ExtensionId::kGuestTasks, e);
}

void allow_tasks(Context& cx, TaskSettings settings) {
  auto world = std::make_unique<TaskWorld>();
  world->settings = std::move(settings);
  TaskWorld& w = *world;
  attach_task_state(cx, new TaskState(w, std::move(world)));
}

void wake_task_waits(Context& cx) {
  TaskState* state = task_state(cx);
  const int fd = state == nullptr ? -1 : state->world.interrupt_fd.load(std::memory_order_relaxed);
  const std::uint64_t one = 1;
  if (fd >= 0 && write(fd, &one, sizeof one) < 0) return;  // full: a wake-up is on its way already
}

Maybe<TaskState*> need_tasks(Context& cx) {
  TaskState* state = task_state(cx);
  if (state == nullptr) return error_text(cx, "This program cannot start tasks");
  return state;
}

// ---- transfer -----------------------------------------------------------------------------------------------------

Maybe<Message> pack(Context& cx, Value v, const char* root_name) {
  TaskState* state = TRY(need_tasks(cx));
  worker::TransferOptions options;
  options.root_name = root_name;
  Message m;
  worker::TransferResult r = state->transfer.send(cx, v, options, &m);
  if (!r.ok()) return signal_error1(cx, intern(cx, "task-transfer-error"), make_string(cx, r.why));
  return Maybe<Message>(std::move(m));
}

Value unpack(Context& cx, Message&& message) {
  TaskState* state = TRY(need_tasks(cx));
  return state->transfer.receive(cx, std::move(message));
}

// ---- waiting ------------------------------------------------------------------------------------------------------

Maybe<worker::Instant> timeout_argument(Context& cx, Value ms) {
  if (ms.is_nil()) return worker::kNever;
  double n = 0;
  if (ms.is_fixnum()) {
    n = static_cast<double>(ms.as_fixnum());
  } else if (ms.is_float()) {
    n = float_raw(ms);
  } else {
    return wrong_type(cx, Qnumberp, ms);
  }
  if (std::isnan(n)) return args_out_of_range(cx, ms, kNil);
  if (n >= 1e12) return worker::kNever;
  return worker::after(worker::Duration(static_cast<std::int64_t>(std::max(n, 0.0) * 1e6)));
}

namespace {

// What a wait may answer; everything else leaves Lisp or is an error.
Maybe<worker::Selected> checked(Context& cx, worker::Selected got) {
  switch (got.status) {
    case worker::Status::kOk:
    case worker::Status::kClosed:
    case worker::Status::kTimeout:
    case worker::Status::kWouldBlock: return got;
    case worker::Status::kCancelled:
    case worker::Status::kDeadline:
    case worker::Status::kShutdown: return stop_task(cx);
    default: return error_format(cx, "Cannot wait: %s", std::string(worker::status_name(got.status)).c_str());
  }
}

}  // namespace

Maybe<worker::Selected> wait_for(Context& cx, std::span<worker::SelectCase* const> cases, const WaitLimits& limits) {
  TaskState* state = TRY(need_tasks(cx));
  std::vector<worker::SelectCase*> all(cases.begin(), cases.end());
  std::optional<worker::RecvCase<Message>> interrupt;
  const bool main = state->self == nullptr;
  if (main) {
    std::string why;  // interrupts come by way of the runtime
    if (state->world.start_runtime(&why) == nullptr) return error_text(cx, why);
    all.push_back(&interrupt.emplace(state->world.interrupts));
  }
  for (;;) {
    if (all.empty() && limits.until == worker::kNever && !limits.or_default)
      return error_text(cx, "Waiting for nothing");
    auto op = worker::select(std::span<worker::SelectCase* const>(all));
    op.until(limits.until);
    if (limits.or_default) op.or_default();
    const std::optional<worker::Selected> got = worker::wait(op);
    if (!got) return error_text(cx, "Cannot wait here");
    if (main && got->index + 1 == all.size()) {
      if (got->status == worker::Status::kOk) (void)interrupt->take();
      TRY(check_quit(cx));
      continue;  // not for this wait
    }
    return checked(cx, *got);
  }
}

Value end_wait(Context& cx, PendingWait& wait, worker::Selected got) { return wait.finish(cx, TRY(checked(cx, got))); }

Value wait_then_finish(Context& cx, std::unique_ptr<PendingWait> wait) {
  TaskState* state = TRY(need_tasks(cx));
  {
    auto op = worker::select(std::span<worker::SelectCase* const>(wait->cases));
    op.until(wait->limits.until);
    if (wait->limits.or_default) op.or_default();
    if (op.ready()) return end_wait(cx, *wait, op.finish());
  }
  if (state->body != nullptr && cx.may_suspend()) return park_task(cx, *state, std::move(wait));
  Maybe<worker::Selected> got = wait_for(cx, wait->cases, wait->limits);
  if (got.ok()) return wait->finish(cx, got.get_raw());
  if (state->self == nullptr) wait->interrupted();
  return kExit;
}

}  // namespace neovm::elisp
