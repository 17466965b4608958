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
enum class ExitKind : std::uint8_t { kNone, kSignal, kThrow, kKill };

// One entry of the binding stack.
struct Binding {
  enum class Kind : std::uint8_t {
    kLet,         // plain value cell: symbol, old value
    kLetDefault,  // localized or slot variable without a local value: old default
    kLetLocal,    // local value in the buffer `where`
    kUnwind,      // call fn(cx, value)
    kUnwindLisp,  // unwind-protect form or function, run by the guest
    kMarker,      // guest's own
  };
  Kind kind;
  std::uint8_t aux;
  Value symbol;
  Value value;
  Value where;
  void (*fn)(Context&, Value) = nullptr;
};

// Bits of Context::interrupts, set from any thread or a signal handler, polled at safepoints.
enum InterruptBit : std::uint32_t {
  kInterruptQuit = 1,      // Ctrl-C
  kInterruptCancel = 2,    // the task was cancelled
  kInterruptDeadline = 4,
  kInterruptFuel = 8,      // the slice is over
  kInterruptTerminate = 16,
  kInterruptMemoryFull = 32,  // the heap is above its limit: signal_memory_full(), once
};

class Context {
 public:
  explicit Context(Isolate& isolate, std::size_t stack_values = std::size_t{1} << 20);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Isolate& isolate() { return isolate_; }
  core::Heap& heap() { return isolate_.heap(); }
  SymbolCells& cells(Value symbol) { return isolate_.cells(symbol); }

  // ---- VM stack: Values only, grows upward, never moves (reserved lazily) ----
  Value* stack_base = nullptr;
  Value* stack_limit = nullptr;
  Value* sp = nullptr;  // next free; everything below is a precise root

  // ---- binding stack ----
  std::vector<Binding> bindings;

  // ---- pending exit (valid while some function returns kExit) ----
  ExitKind exit_kind = ExitKind::kNone;
  Value exit_tag = kNil;   // error symbol or catch tag
  Value exit_data = kNil;  // error data or thrown value; for `(signal nil ERR)` forms see the guest
  bool exit_resolved = false;  // the boundary has found its handler already (hooks and debugger ran)

  // ---- safepoints ----
  std::atomic<std::uint32_t> interrupts{0};
  std::int64_t fuel = 0;

  // ---- current things ----
  Value locals = kNil;  // kInternalSlots of the current buffer
  CurrentTables tables;
  MatchData match;

  // ---- depth ----
  std::int64_t eval_depth = 0;
  const void* native_stack_limit = nullptr;  // C++ frames must stay above this address
  const void* native_stack_base = nullptr;   // where conservative scanning ends
  int native_depth = 0;                      // nested interpreter loops
  class RootVector* root_vectors = nullptr;      // live C++ containers, newest first

  // State of the guest's evaluator (frames, handlers): owned and traced by the guest.
  void* guest_state = nullptr;
  void (*guest_trace)(Context& cx, Tracer& t) = nullptr;
  void (*guest_destroy)(Context& cx) = nullptr;

  void trace(Tracer& t);

 private:
  Isolate& isolate_;
  std::size_t stack_bytes_ = 0;
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
inline bool native_stack_low(const Context& cx) {
  return __builtin_frame_address(0) < cx.native_stack_limit;
}

// Collects if it was asked for (or in stress mode). A safepoint: only from the VM loop or re-entry code.
void safepoint_re(Context& cx);
// Collects at once: `garbage-collect`. Registers and native frames are scanned.
void collect_now_re(Context& cx, core::CollectKind kind);
// The error of a full heap, with GNU's message.
ExitTag signal_memory_full(Context& cx);

}  // namespace neovm
