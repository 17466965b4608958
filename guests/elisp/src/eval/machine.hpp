// The evaluator's machine: frames on the VM stack and the two loops that run them.
//
// A frame is six words on the VM stack, every one of which looks like a Value to the collector, so the
// whole state of a computation is traced precisely by walking the stack. Lisp-to-Lisp calls never nest
// C++ frames; only primitives that re-enter do (run() is called again, with an kEntry frame as its floor).
//
//   run_frames    interprets forms, applies functions of every kind, unwinds
//   run_bytecode  executes GNU stack byte-code of the frame on top until it leaves that tier
//
// They hand over to each other by returning an Action to run().
#pragma once

#include <cstdint>

#include "neovm/core/context.hpp"
#include "neovm/core/variable.hpp"

namespace neovm::elisp {

enum class FrameOp : std::uint8_t {
#define X(name) name,
#include "frame_ops.def"
#undef X
};

enum FrameFlag : std::uint8_t {
  kRecordForm = 1,   // backtrace entry of the unevaluated `form`
  kRecordAbove = 2,  // backtrace entry of `form` called with the n values after the frame
  kRecordBelow = 4,  // … with the n values before the frame, which are popped with it
  kDebugOnExit = 8,
  kRecordAny = kRecordForm | kRecordAbove | kRecordBelow,
};

struct Frame {
  std::uint8_t zero;  // keeps word 0 a fixnum
  FrameOp op;
  std::uint8_t flags;
  std::uint8_t aux;
  std::uint32_t n;
  std::uint32_t prev_bytes;  // distance to the caller's frame, a multiple of 8; 0: none
  std::uint32_t bindings;    // depth of the binding stack when the frame was made
  Value form;                // form, or called function once its arguments are evaluated
  Value rest;                // what is still to be evaluated
  Value env;                 // lexical environment for it
  Value fn;                  // function being called; byte-code object

  Value* above() { return reinterpret_cast<Value*>(this + 1); }
  Value* below() { return reinterpret_cast<Value*>(this) - n; }
  Frame* previous() {
    return prev_bytes == 0 ? nullptr : reinterpret_cast<Frame*>(reinterpret_cast<char*>(this) - prev_bytes);
  }
};
static_assert(sizeof(Frame) == 48);
inline constexpr std::size_t kFrameWords = sizeof(Frame) / sizeof(Value);

// A chain of function symbols longer than this is a loop.
inline constexpr int kMaxIndirections = 1 << 20;

enum class Action : std::uint8_t { kEval, kApply, kReturn, kRaise, kByteCode, kByteCodeResume, kDone, kFailed };

// The primitive behind a byte-code operation; null while it is not built.
struct BytePrimitive {
  const PrimitiveDescriptor* descriptor = nullptr;
  const char* name = "?";
  std::uint32_t arguments = 0;
};

struct Machine {
  Context* cx;
  Frame* fp = nullptr;  // newest frame, synced before anything that may look
  Value val = kNil;     // what goes from one loop to the other: value or form …
  Value env = kNil;     // … and environment
  std::uint32_t argc = 0;
  Frame* entry = nullptr;  // floor of the running loop
  SymbolCells* max_depth = nullptr;
  SymbolCells* max_specpdl = nullptr;
  Value signaling_function = kNil;  // for nested errors and `signal`
  std::int64_t when_entered_debugger = -1;
  bool stress = false;
  // Primitives of others that the machine calls itself, whatever Lisp makes of their names.
  const PrimitiveDescriptor* concat = nullptr;
  const PrimitiveDescriptor* nconc = nullptr;
  const PrimitiveDescriptor* length = nullptr;
  const PrimitiveDescriptor* aref = nullptr;
  BytePrimitive byte_primitives[256];
};

inline Machine& machine(Context& cx) { return *static_cast<Machine*>(cx.guest_state); }

// Ids of primitives that only the machine can run (header.aux of their subr). Special forms come first.
enum MachineId : std::uint8_t {
  kNotMachine,
#define X(id, name) kForm_##id,
#include "special_forms.def"
#undef X
  kFirstResumable,
#define X(id, name) kRes_##id,
#include "resumable.def"
#undef X
};
inline constexpr std::uint8_t kSpecialFormEnd = kFirstResumable;

Action run_frames(Context& cx, Machine& m, Action action);
Action run_bytecode(Context& cx, Machine& m, Action action);
// Runs until the kEntry frame `entry` (the newest frame) gets its value.
Value run(Context& cx, Machine& m, Frame* entry, Action action);
Frame* push_entry(Context& cx, Machine& m);

Value funcall_hook(Context& cx, Value function, std::span<const Value> args);
Value eval_hook(Context& cx, Value form, Value lexical);
// As eval_hook with the environment in *env, which a local (defvar x) may extend.
Value eval_in_environment_re(Context& cx, Value form, Value* env);
void resolve_exit(Context& cx);
Value run_cleanup(Context& cx, Value forms, Value env);
Value run_hook_hook(Context& cx, std::span<const Value> args);

// Safepoint of the loops: collects, looks at interrupts. kExit when one of them raised something.
Value poll_slow(Context& cx, Machine& m);
// Records "Lisp nesting exceeds …"; first repairs a limit that is too small. False: go on.
bool depth_exceeded(Context& cx, Machine& m);
bool stack_exceeded(Context& cx);
bool specpdl_exceeded(Context& cx, Machine& m);
void invalid_handler_re(Context& cx, Value clause);
// `length` and `elt` of a sequence that is no list.
Value array_length(Context& cx, Value sequence);
Value array_element(Context& cx, Value sequence, std::int64_t i);
// What mapcan and mapconcat make of the list of results.
Value nconc_results(Context& cx, Value results);
Value concat_results(Context& cx, Value results, Value separator);
// `functionp`.
bool is_function(Context& cx, Value v);
Value call_subr(Context& cx, const PrimitiveDescriptor* d, Value* args, std::uint32_t n);
// Function value behind a chain of symbols, nil when void or circular.
Value resolve_function(Context& cx, Value f);
// FUNCTION has no definition: void-function, or cyclic-function-indirection.
void signal_void_function(Context& cx, Value function);
Value autoload_do_load_re(Context& cx, Value definition, Value name, Value macro_only);
Value define_special(Context& cx, Value symbol, Value doc);
// Clause of a condition-case whose condition covers CONDITIONS; nil when none.
Value find_clause(Value clauses, Value conditions);
bool condition_matches(Value condition, Value conditions);
Value error_conditions_of(Context& cx, Value symbol, Value data);
Binding* toplevel_binding(Context& cx, Value symbol);
void loadhist_attach(Context& cx, Value entry);
Value func_arity_of(Context& cx, Value function);

// Backtrace entry for a call whose N arguments end at cx.sp, made when the call has failed already.
void push_called_frame(Context& cx, Machine& m, Value function, std::uint32_t n);

inline Value lexical_cell(Value env, Value symbol) {
  for (; env.is_cons(); env = cdr_raw(env)) {
    const Value b = car_raw(env);
    if (b.is_cons() && car_raw(b) == symbol) return b;
  }
  return kNil;
}

}  // namespace neovm::elisp
