// The objects behind Lisp's tasks and channels, and the state that each isolate keeps for them.
//
//   TaskWorld   one for a main isolate and all tasks that descend from it: the runtime and the pool of message fragments
//   TaskState   one for each isolate: its side of transfers, and the task that runs in it
//   LispTask    what handles of a task share, in whatever isolates they are
//   LispChannel the same for a channel of messages
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/image.hpp"
#include "neovm/elisp/tasks.hpp"
#include "neovm/worker.hpp"
#include "neovm/worker/transfer.hpp"

namespace neovm::elisp {

using worker::Message;
using MessageChannel = worker::Channel<Message>;

enum class TaskOutcome : std::uint8_t {
  kNone,
  kValue,      // the message is the value
  kError,      // the message is (SYMBOL DATA BACKTRACE)
  kCancelled,  // no message from here on
  kDeadline,
};
enum class TaskPhase : std::uint8_t { kPending, kRunning, kEnded };

class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  virtual ~Counted() = default;
  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  std::atomic<std::uint64_t> references_{1};
};

// An owning pointer to something Counted.
template <class T>
class Ref {
 public:
  Ref() = default;
  static Ref adopt(T* p) { return Ref(p); }
  static Ref share(T* p) {
    p->retain();
    return Ref(p);
  }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref(const Ref& o) : p_(o.p_) {
    if (p_ != nullptr) p_->retain();
  }
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_ != nullptr) p_->release();
  }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  explicit Ref(T* p) : p_(p) {}
  T* p_ = nullptr;
};

class LispChannel : public Counted {
 public:
  LispChannel(std::size_t capacity, std::uint64_t number) : channel(capacity), id(number) {}
  MessageChannel channel;
  std::uint64_t id;
};

struct TaskWorld;
class LispTask;

// The tasks that one task (or the main program) has started, to say at its end which of them failed without anybody having looked.
class StartedTasks {
 public:
  void add(Ref<LispTask> task);
  // One line on standard error for each, once.
  void report_unseen();

 private:
  std::vector<Ref<LispTask>> tasks_;
  std::size_t look_at_ = 64;  // at so many, those that there is nothing to say about are forgotten
};

class LispTask : public Counted {
 public:
  LispTask(TaskWorld& w, std::string task_name, std::uint64_t number)
      : world(w), name(std::move(task_name)), id(number) {}
  ~LispTask() override;

  TaskWorld& world;
  const std::string name;
  const std::uint64_t id;
  Message start;             // what to run; taken by the task itself
  MessageChannel result{1};  // one message, or none, and closed
  worker::TaskRef ref;       // under TaskWorld::mutex
  worker::Instant deadline = worker::kNever;
  std::atomic<TaskPhase> phase{TaskPhase::kPending};
  TaskOutcome outcome = TaskOutcome::kNone;  // written before phase becomes kEnded
  std::string failure;                       // the error's message, for who never awaits it
  std::atomic<bool> seen{false};             // somebody awaited it
  LispTask* awaiting = nullptr;              // under TaskWorld::mutex

  // The one end of the task; later calls do nothing.
  void end(TaskOutcome how, Message message);
  // From any thread, also while the task is being started.
  void cancel();
};

struct TaskWorld {
  TaskSettings settings;
  worker::FragmentPool fragments;
  std::mutex mutex;
  bool cells_read = false;  // under mutex
  core::ImageCells
      image;  // written once, with cells_read: what the symbols of the image started with; read when the first task starts
  std::atomic<std::uint64_t> next_id{1};
  std::atomic<int> interrupt_fd{-1};
  MessageChannel interrupts{1};            // a message: the main context should look at its interrupts
  std::optional<worker::Runtime> runtime;  // made at the first task; ends first

  ~TaskWorld();
  // Null, with *why, when no thread can be had. Main thread.
  worker::Runtime* start_runtime(std::string* why);
  [[nodiscard]] unsigned workers() const;
};

class TaskBody;

struct TaskState {
  TaskState(TaskWorld& w, std::unique_ptr<TaskWorld> owned)
      : world(w), own_world(std::move(owned)), transfer(w.fragments) {}
  TaskWorld& world;
  std::unique_ptr<TaskWorld> own_world;  // the main isolate's
  worker::Transfer transfer;
  LispTask* self = nullptr;        // null in the main isolate
  TaskBody* body = nullptr;        // likewise
  worker::Scope* scope = nullptr;  // where its children belong
  StartedTasks started;
  std::string* backtrace = nullptr;  // being written by task--note-frame
  Slot handles;                      // weak table, number -> handle: a task or channel has one handle in an isolate
};

// Null where tasks are not allowed.
inline TaskState* task_state(Context& cx) {
  return static_cast<TaskState*>(extension_state(cx, ExtensionId::kGuestTasks));
}
// Fails with an error where tasks are not allowed.
Maybe<TaskState*> need_tasks(Context& cx);
void attach_task_state(Context& cx, TaskState* state);

// ---- handles ----
Value make_task_handle(Context& cx, Ref<LispTask> task);
Value make_channel_handle(Context& cx, Ref<LispChannel> channel);
LispTask* task_of(Value v);        // null when V is no task
LispChannel* channel_of(Value v);  // null when V is no channel
Maybe<LispTask*> check_task(Context& cx, Value v);
Maybe<LispChannel*> check_channel(Context& cx, Value v);
// The backtrace that came with a task's error, in its handle.
void set_task_backtrace(Value handle, Value backtrace);
Value task_backtrace(Value handle);

// ---- transfer with Lisp errors ----
Maybe<Message> pack(Context& cx, Value v, const char* root_name);
Value unpack(Context& cx, Message&& message);

// ---- waiting ----
struct WaitLimits {
  worker::Instant until = worker::kNever;
  bool or_default = false;
};
// Waits for one of the cases. Fails when the waiting task is cancelled (the pending exit is not an error that Lisp
// can handle) and when the main task is interrupted. kTimeout and kWouldBlock come back in `status`.
Maybe<worker::Selected> wait_for(Context& cx, std::span<worker::SelectCase* const> cases, const WaitLimits& limits);

// A wait together with what comes after it, for primitives that do nothing else: where the machine can suspend, the task
// parks without a native stack, and any worker goes on with it.
class PendingWait {
 public:
  explicit PendingWait(Context& cx) : kept(cx) {}
  PendingWait(const PendingWait&) = delete;
  PendingWait& operator=(const PendingWait&) = delete;
  virtual ~PendingWait() = default;
  // The primitive's value. Status is kOk, kClosed, kTimeout or kWouldBlock. Runs no Lisp.
  virtual Value finish(Context& cx, worker::Selected got) = 0;
  // The main task was interrupted while it waited.
  virtual void interrupted() {}

  std::vector<worker::SelectCase*> cases;
  WaitLimits limits;
  RootVector kept;
};
// The value of the primitive, which returns it at once.
Value wait_then_finish(Context& cx, std::unique_ptr<PendingWait> wait);
// The end of a wait of this kind: finishes it, or leaves Lisp when the task was asked to stop.
Value end_wait(Context& cx, PendingWait& wait, worker::Selected got);
// A timeout argument in milliseconds, nil for none.
Maybe<worker::Instant> timeout_argument(Context& cx, Value ms);
// Has the task park in the wait when the machine has suspended; the value that its primitive returns then.
Value park_task(Context& cx, TaskState& state, std::unique_ptr<PendingWait> wait);
// From here on what would block the thread of `cx`, a task's, parks the task (blocking.cpp).
void let_task_block(Context& cx);
// Leaves the running Lisp because its task was asked to stop.
ExitTag stop_task(Context& cx);

// ---- tasks ----
struct SpawnRequest {
  Value what = kNil;  // a function to call with args, or a form
  Value args = kNil;
  bool form = false;
  std::string name;
  std::optional<worker::Priority> priority;
  worker::Instant deadline = worker::kNever;
};
// Starts it; fails when something of it cannot travel or the runtime refuses.
Maybe<Ref<LispTask>> spawn_lisp_task(Context& cx, const SpawnRequest& request);
// Turns the end of a task into the value or error of an await. `message` is what its channel gave.
Value deliver_outcome(Context& cx, LispTask& task, Message&& message, Value handle);
// What the main task defined since it started, and settings that tasks share; to be transferred.
Value task_definitions(Context& cx);
Value install_definitions(Context& cx, Value definitions);

}  // namespace neovm::elisp
