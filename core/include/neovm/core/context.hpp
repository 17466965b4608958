// A context: one line of execution inside an isolate.
//
// It owns the VM stack, the binding stack (specpdl), the pending exit, and what Emacs calls "current":
// buffer locals, tables, match data. An isolate has one or more contexts; only one runs at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/isolate.hpp"

namespace neovm {

// What is on its way out of the running frames.
// kPark is how a primitive waits: only while Context::may_suspend(), it records this (park()) and returns kExit; the
// run returns kSuspended, and the value given to GuestHooks::resume becomes the value of the primitive's call.
enum class ExitKind : std::uint8_t { kNone, kSignal, kThrow, kKill, kPark };

// One entry of the binding stack.
struct Binding {
  enum class Kind : std::uint8_t {
    kLet,         // plain value cell: symbol, old value
    kLetDefault,  // localized or slot variable without a local value: old default; `where` the buffer
    kLetLocal,    // local value in the buffer `where`
    kUnwind,      // call fn(cx, value)
    kUnwindLisp,  // clean-up run by the guest: `value` is a function (where == Unbound) or a list of
                  // forms to evaluate in the lexical environment `where`
    kMarker,      // guest's own
  };
  Kind kind;
  std::uint8_t aux;
  Value symbol;
  Value value;
  Value where;
  void (*fn)(Context&, Value) = nullptr;
};

// The binding stack. Grows by doubling; entries are trivially copyable.
class BindingStack {
 public:
  BindingStack() = default;
  ~BindingStack();
  BindingStack(const BindingStack&) = delete;
  BindingStack& operator=(const BindingStack&) = delete;
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  Binding& operator[](std::size_t i) { return data_[i]; }
  Binding& back() { return data_[count_ - 1]; }
  void push_back(const Binding& b) {
    if (count_ == capacity_) [[unlikely]]
      grow();
    data_[count_++] = b;
  }
  void pop_back() { --count_; }
  Binding* begin() { return data_; }
  Binding* end() { return data_ + count_; }

 private:
  void grow();
  Binding* data_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t capacity_ = 0;
};

// One place that an exit may be caught at. The guest pushes and pops them; the newest is last.
struct Handler {
  enum class Kind : std::uint8_t {
    kCatch,       // throw to `tag`
    kConditions,  // signals whose conditions match the list `tag` (one clause)
    kClauses,     // signals that match one of the clauses ((CONDITION . BODY) …) in `tag`
    kCatchAll,    // any throw or signal
  };
  Kind kind;
  bool native;  // C++ code catches it; no frame of the guest is resumed
  Value tag;
  Value* sp;    // VM stack to restore
  void* frame;  // guest's frame to resume (native: the frame that was current)
  std::size_t bindings;
  std::int64_t eval_depth;
  std::uint32_t pc;
  int native_depth;  // run loop that resumes it
};

// Bits of Context::interrupts, set from any thread or a signal handler, polled at safepoints.
enum InterruptBit : std::uint32_t {
  kInterruptQuit = 1,    // Ctrl-C
  kInterruptCancel = 2,  // the task was cancelled
  kInterruptDeadline = 4,
  kInterruptFuel = 8,         // the slice is over
  kInterruptTerminate = 16,   // the process shall end: on_terminate, whatever is bound or caught
  kInterruptMemoryFull = 32,  // the heap is above its limit: signal_memory_full(), once
  kInterruptDebug = 64,       // debug-on-next-call was set
};

// What a run of a context returns when it stopped at a safepoint or in a primitive that parks, to be gone on
// with by GuestHooks::resume: everything it needs is on the VM stack. Never a value of Lisp.
inline constexpr Value kSuspended = kForward;

class Context {
 public:
  static constexpr std::size_t kStackReserve = 8192;
  static constexpr std::size_t kNativeReserve = std::size_t{256} << 10;

  explicit Context(Isolate& isolate, std::size_t stack_values = std::size_t{1} << 20);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Isolate& isolate() { return isolate_; }
  core::Heap& heap() { return isolate_.heap(); }
  SymbolCells& cells(Value symbol) { return isolate_.cells(symbol); }

  // ---- VM stack: Values only, grows upward, never moves (reserved lazily) ----
  Value* stack_base = nullptr;
  Value* stack_limit = nullptr;  // kStackReserve values of it are kept for open_reserve()
  Value* sp = nullptr;           // next free; everything below is a precise root

  // ---- binding stack ----
  BindingStack bindings;

  // ---- handlers ----
  std::vector<Handler> handlers;

  // ---- pending exit (valid while some function returns kExit) ----
  ExitKind exit_kind = ExitKind::kNone;
  Value exit_tag = kNil;          // error symbol or catch tag
  Value exit_data = kNil;         // error data or thrown value; for `(signal nil ERR)` forms see the guest
  bool exit_resolved = false;     // the boundary has found its handler already (hooks and debugger ran)
  std::int64_t exit_target = -1;  // resolved: index into handlers; -1: nothing catches it

  // ---- safepoints ----
  std::atomic<std::uint32_t> interrupts{0};
  // Raises interrupt bits and has the next safepoint look at them. From any thread, or a signal handler.
  void interrupt(std::uint32_t bits) {
    interrupts.fetch_or(bits, std::memory_order_relaxed);
    heap().countdown().trip();
  }
  // Safepoints left in the slice, counted down in steps of about Countdown::kInterval. When it is used up, or
  // kInterruptFuel is set, on_slice_end runs (if there is one): it gives new fuel and returns nil to go on, kExit with a
  // pending exit, or kSuspended to have the run stop here (only while may_suspend()). It may also block or
  // switch native stacks itself.
  std::int64_t fuel = 0;
  Value (*on_slice_end)(Context& cx) = nullptr;
  void* owner = nullptr;  // whoever set on_slice_end: the task
  // Ends the process in good order (kInterruptTerminate). Called at safepoints and wherever primitives ask for quits, so
  // it must not return to them.
  void (*on_terminate)(Context& cx) = nullptr;
  // Moves the limits of the VM stack and the native stack into what was kept back, so that the last words of a program
  // can run however deep it was. Once, and only on the way out.
  void open_reserve();
  // No native frame of this context would be lost: it was started by GuestHooks::start and nothing re-entered.
  [[nodiscard]] bool may_suspend() const { return suspendable_depth != 0 && native_depth == suspendable_depth; }

  // ---- current things ----
  Value locals = kNil;  // kInternalSlots of the current buffer
  CurrentTables tables;
  MatchData match;

  // ---- depth ----
  std::int64_t eval_depth = 0;
  const void* native_stack_limit = nullptr;  // C++ frames must stay above this address
  const void* native_stack_base = nullptr;   // where conservative scanning ends
  int native_depth = 0;                      // nested interpreter loops
  int suspendable_depth = 0;                 // native_depth of the loop that may return kSuspended; 0: none
  // Frames from this address up to native_stack_base lie under a re-entry and are scanned at safepoints; null: none
  // do. Whoever enters a loop sets it, with the callers' registers spilled above it. The frames below belong to the
  // running loop, which keeps what must survive a safepoint on the VM stack.
  const void* native_scan_from = nullptr;
  class RootVector* root_vectors = nullptr;  // live C++ containers, newest first

  // State of the guest's evaluator (frames, handlers): owned and traced by the guest.
  void* guest_state = nullptr;
  void (*guest_trace)(Context& cx, Tracer& t) = nullptr;
  void (*guest_destroy)(Context& cx) = nullptr;

  void trace(Tracer& t);

 private:
  Isolate& isolate_;
  std::size_t stack_bytes_ = 0;
  std::size_t native_reserve_ = 0;  // bytes below native_stack_limit
};

// Precise roots for C++ containers that live across re-entry: a vector of Values registered with the context.
class RootVector {
 public:
  explicit RootVector(Context& cx);
  ~RootVector();
  RootVector(const RootVector&) = delete;
  RootVector& operator=(const RootVector&) = delete;
  std::vector<Value> values;
  RootVector* next = nullptr;
  RootVector* previous = nullptr;

 private:
  Context& cx_;
};

// Remaining C++ stack is small: deep native recursion must stop with an error.
inline bool native_stack_low(const Context& cx) { return __builtin_frame_address(0) < cx.native_stack_limit; }

// The error code of a primitive that parks its context. Precondition: may_suspend().
inline ExitTag park(Context& cx) {
  cx.exit_kind = ExitKind::kPark;
  cx.exit_resolved = false;
  return kFailed;
}

// Collects if it was asked for (or in stress mode). A safepoint: only from a VM loop whose live values are all in
// frames; native frames below native_scan_from are not looked at.
void safepoint_re(Context& cx);
// Collects at once: `garbage-collect`. Registers and native frames are scanned.
void collect_now_re(Context& cx, core::CollectKind kind);
// The error of a full heap, with GNU's message.
ExitTag signal_memory_full(Context& cx);

}  // namespace neovm
