// The evaluator's machine: frames on the VM stack and the two loops that run them.
//
// A frame is six words on the VM stack, every one of which looks like a Value to the collector, so the
// whole state of a computation is traced precisely by walking the stack. Lisp-to-Lisp calls never nest
// C++ frames; only primitives that re-enter do (run() is called again, with an kEntry frame as its floor).
//
//   run_frames    interprets forms, applies functions of every kind, unwinds
//   run_bytecode  executes GNU stack byte-code of the frame on top until it leaves that tier
//   run_register  the same for register code, made from stack byte-code that has become warm
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

// Flags of a variable that is read and written in its cell, with nobody to tell.
inline constexpr std::uint16_t kPlainFlags = kSymbolInterned | kSymbolInternedPrivate | kSymbolSpecial;

// What one loop asks of the others, or tells run(). kByteCodeContinue: go on at the frame's pc; kByteCodeResume: the
// same with a value for the top of its stack; likewise for register code, whose frame names the register.
enum class Action : std::uint8_t {
  kEval,
  kApply,
  kReturn,
  kRaise,
  kContinue,  // run_frames goes on at Machine::resume_point
  kByteCode,
  kByteCodeContinue,
  kByteCodeResume,
  kRegister,
  kRegisterContinue,
  kRegisterResume,
  kDone,
  kFailed,
  kSuspended,
};

// Safepoints of run_frames: where a suspended context goes on.
enum class ResumePoint : std::uint8_t { kWhile, kByteCodeCall, kClosure, kHigherOrder };

// The primitive behind a byte-code operation; null while it is not built.
struct BytePrimitive {
  const PrimitiveDescriptor* descriptor = nullptr;
  const char* name = "?";
  std::uint32_t arguments = 0;
};

class Tiers;

struct Machine {
  Context* cx;
  Tiers* tiers = nullptr;  // of the isolate
  Frame* fp = nullptr;     // newest frame, synced before anything that may look
  Value val = kNil;        // what goes from one loop to the other: value or form …
  Value env = kNil;        // … and environment
  std::uint32_t argc = 0;
  Frame* entry = nullptr;  // floor of the running loop
  // How to go on after a suspension.
  Action resume_action = Action::kContinue;
  ResumePoint resume_point = ResumePoint::kWhile;
  std::int64_t start_depth = 0;  // eval_depth outside of the suspended run
  // max-lisp-eval-depth; `quit_limit`, which everything exceeds, while a quit that Lisp asked for is due: so forms and calls look
  // for it at no cost.
  SymbolCells* max_depth = nullptr;
  SymbolCells* depth_limit = nullptr;  // always max-lisp-eval-depth
  SymbolCells quit_limit{};
  SymbolCells* max_specpdl = nullptr;
  Value signaling_function = kNil;  // for nested errors and `signal`
  std::int64_t when_entered_debugger = -1;
  bool stress = false;
  std::uint64_t forms = 0;  // evaluated, for the statistics of the tiers
  // Forms whose number has none of these bits are noted by the function they stand in: all of them while instructions
  // are counted, else none.
  std::uint64_t quiet_forms = ~std::uint64_t{0};
  // Primitives of others that the machine calls itself, whatever Lisp makes of their names.
  const PrimitiveDescriptor* concat = nullptr;
  const PrimitiveDescriptor* nconc = nullptr;
  const PrimitiveDescriptor* length = nullptr;
  const PrimitiveDescriptor* aref = nullptr;
  // Primitives that call sites have forms of their own for.
  const PrimitiveDescriptor* gethash = nullptr;
  const PrimitiveDescriptor* assoc = nullptr;
  const PrimitiveDescriptor* puthash = nullptr;
  const PrimitiveDescriptor* type_of = nullptr;
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
Action run_register(Context& cx, Machine& m, Action action);
// A register frame goes on at the handler PC, with the value that run_register(kRegisterResume) gets.
void land_in_register_frame(Frame* f, std::uint32_t pc);
// Runs until the kEntry frame `entry` (the newest frame) gets its value.
Value run(Context& cx, Machine& m, Frame* entry, Action action);
Frame* push_entry(Context& cx, Machine& m);

Value funcall_hook(Context& cx, Value function, std::span<const Value> args);
Value start_hook(Context& cx, Value function, std::span<const Value> args);
Value resume_hook(Context& cx, Value value);
Value eval_hook(Context& cx, Value form, Value lexical);
// As eval_hook with the environment in *env, which a local (defvar x) may extend.
Value eval_in_environment_re(Context& cx, Value form, Value* env);
void resolve_exit(Context& cx);
Value run_cleanup(Context& cx, Value forms, Value env);
Value run_hook_hook(Context& cx, std::span<const Value> args);

// FORM is about to be interpreted, above frame F: counts it for the function, or the form at top level, that it is part of.
void note_form(Context& cx, Machine& m, Frame* f, Value form);
// Slow path of a safepoint: collects, looks at interrupts and fuel. nil: go on; kExit: something was raised;
// kSuspended: set resume_action and return Action::kSuspended.
Value poll_slow(Context& cx, Machine& m);
inline Action leave_to_resume(Machine& m, Action action) {
  m.resume_action = action;
  return Action::kSuspended;
}
// Records "Lisp nesting exceeds …"; first repairs a limit that is too small. False: go on.
bool depth_exceeded(Context& cx, Machine& m);
bool stack_exceeded(Context& cx);
bool specpdl_exceeded(Context& cx, Machine& m);
// Would one more binding be more than max-specpdl-size allows? Then specpdl_exceeded says so, or repairs the limit.
inline bool specpdl_full(const Context& cx, const Machine& m) {
  return cx.bindings.size() + static_cast<std::size_t>(cx.eval_depth) >
         static_cast<std::size_t>(m.max_specpdl->value.as_fixnum());
}
// What `save-current-buffer` and its kin do, by GNU's opcode; the caller has made sure that the binding is allowed.
void save_state(Context& cx, unsigned opcode);
void invalid_handler_re(Context& cx, Value clause);
// `length` and `elt` of a sequence that is no list.
Value array_length(Context& cx, Value sequence);
Value array_element(Context& cx, Value sequence, std::int64_t i);
// What mapcan and mapconcat make of the list of results.
Value nconc_results(Context& cx, Value results);
Value concat_results(Context& cx, Value results, Value separator);
// A call of byte-code with the wrong number of arguments.
Value stack_code_arity_error(Context& cx, std::int64_t shape, std::uint32_t n);
// Binds like `let` in OUTER: lexically, in front of INNER, when that environment says so. Returns the new inner
// environment, kExit on error.
Value let_bind(Context& cx, Value symbol, Value v, Value outer, Value inner);
bool is_declared_special(Context& cx, Value symbol);
// Would let_bind bind SYMBOL dynamically?
bool binds_dynamically(Context& cx, Value symbol, Value outer, bool* circular = nullptr);
// Binds the parameters of an old-style function dynamically.
Value bind_dynamic_parameters(Context& cx, Value function, Value params, Value* args, std::uint32_t n);
// `functionp`.
bool is_function(Context& cx, Value v);
Value call_subr(Context& cx, const PrimitiveDescriptor* d, Value* args, std::uint32_t n);
// Function value behind a chain of symbols, nil when void or circular.
Value resolve_function(Context& cx, Value f);
// The same where Lisp asks, to whom a circle is an error. It names what F stands for; commands are named themselves.
Value indirect_function_re(Context& cx, Value f, bool command = false);
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

// The binding of SYMBOL in ENV; nil when there is none, kUnbound when the search has no end: Lisp can make any list the
// environment of a form.
Value lexical_cell_far(Value env, Value symbol);
inline Value lexical_cell(Value env, Value symbol) {
  constexpr int kNear = 4096;
  for (int left = kNear; env.is_cons(); env = cdr_raw(env)) {
    const Value b = car_raw(env);
    if (b.is_cons() && car_raw(b) == symbol) return b;
    if (--left == 0) [[unlikely]]
      return lexical_cell_far(env, symbol);
  }
  return kNil;
}

}  // namespace neovm::elisp
