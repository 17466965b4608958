// A primitive is written once, with its metadata beside it:
//
//   NEOVM_PRIMITIVE(car, "car", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
//                   "Return the first element of LIST, or nil when LIST is nil.")
//   (Context& cx, Value list) {
//     …
//   }
//
// The macro needs every field, and the descriptor is checked at compile time (make_descriptor). The
// descriptor's address goes into a linker section; the table is that section, so there is no second
// place to register. Parameters: MAX Values for a fixed arity up to 8 (missing optional arguments
// arrive as nil), `Arguments args` for kMany, and `Arguments args` with unevaluated forms for
// kUnevalled, which only the evaluator may define.
#pragma once

#include <span>

#include "neovm/abi/value.hpp"

namespace neovm {

// Arguments lie on the VM stack: precise roots, stable across re-entry.
using Arguments = std::span<Value>;

inline constexpr int kMany = -1;
inline constexpr int kUnevalled = -2;
inline constexpr int kMaxFixedArity = 8;

enum class Affinity : std::uint8_t { kMainOnly, kWorkerSafe };
// What a call may observe or change. kPureRead: arguments only (allocation is not an effect);
// kStateRead: also variables, buffers, clock; kStateWrite: changes objects or state; kBlockingIo:
// may block in the kernel, so a worker runs it on the blocking pool.
enum class Effect : std::uint8_t { kPureRead, kStateRead, kStateWrite, kBlockingIo };
enum class GcEffect : std::uint8_t { kNoGc, kMayGc };         // allocates, so may raise the GC flag
enum class Reentry : std::uint8_t { kNoReentry, kReenters };  // may run guest code
enum class Determinism : std::uint8_t { kDeterministic, kNondeterministic };

template <int Max>
struct PrimitiveSignature;
// clang-format off
template <> struct PrimitiveSignature<0> { using Fn = Value(Context&); };
template <> struct PrimitiveSignature<1> { using Fn = Value(Context&, Value); };
template <> struct PrimitiveSignature<2> { using Fn = Value(Context&, Value, Value); };
template <> struct PrimitiveSignature<3> { using Fn = Value(Context&, Value, Value, Value); };
template <> struct PrimitiveSignature<4> { using Fn = Value(Context&, Value, Value, Value, Value); };
template <> struct PrimitiveSignature<5> { using Fn = Value(Context&, Value, Value, Value, Value, Value); };
template <> struct PrimitiveSignature<6> { using Fn = Value(Context&, Value, Value, Value, Value, Value, Value); };
template <> struct PrimitiveSignature<7> { using Fn = Value(Context&, Value, Value, Value, Value, Value, Value, Value); };
template <> struct PrimitiveSignature<8> { using Fn = Value(Context&, Value, Value, Value, Value, Value, Value, Value, Value); };
template <> struct PrimitiveSignature<kMany> { using Fn = Value(Context&, Arguments); };
template <> struct PrimitiveSignature<kUnevalled> { using Fn = Value(Context&, Value); };  // the form's cdr
union AnyPrimitive {
  PrimitiveSignature<0>::Fn* f0; PrimitiveSignature<1>::Fn* f1; PrimitiveSignature<2>::Fn* f2;
  PrimitiveSignature<3>::Fn* f3; PrimitiveSignature<4>::Fn* f4; PrimitiveSignature<5>::Fn* f5;
  PrimitiveSignature<6>::Fn* f6; PrimitiveSignature<7>::Fn* f7; PrimitiveSignature<8>::Fn* f8;
  PrimitiveSignature<kMany>::Fn* many;
  constexpr AnyPrimitive(PrimitiveSignature<0>::Fn* f) : f0(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<1>::Fn* f) : f1(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<2>::Fn* f) : f2(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<3>::Fn* f) : f3(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<4>::Fn* f) : f4(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<5>::Fn* f) : f5(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<6>::Fn* f) : f6(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<7>::Fn* f) : f7(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<8>::Fn* f) : f8(f) {}
  constexpr AnyPrimitive(PrimitiveSignature<kMany>::Fn* f) : many(f) {}
};
// clang-format on

struct PrimitiveDescriptor {
  const char* name;
  std::int16_t min_args;
  std::int16_t max_args;  // kMany, kUnevalled, or 0..8
  Affinity affinity;
  Effect effect;
  GcEffect gc;
  Reentry reentry;
  Determinism determinism;
  const char* doc;
  AnyPrimitive fn;
  const char* interactive;  // interactive spec of a command, null otherwise

  [[nodiscard]] constexpr bool is_many() const { return max_args == kMany; }
  [[nodiscard]] constexpr bool is_special_form() const { return max_args == kUnevalled; }
};

struct PrimitiveTraits {  // the enumerators may be written without their type
  using enum Affinity;
  using enum Effect;
  using enum GcEffect;
  using enum Reentry;
  using enum Determinism;
};

consteval PrimitiveDescriptor make_descriptor(const char* name, int min, int max, Affinity affinity, Effect effect,
                                              GcEffect gc, Reentry reentry, Determinism determinism, const char* doc,
                                              AnyPrimitive fn, const char* interactive = nullptr) {
  if (name[0] == '\0') throw "a primitive needs a name";
  if (min < 0 || max > kMaxFixedArity || max < kUnevalled || (max >= 0 && min > max)) throw "bad arity";
  if (doc[0] == '\0') throw "a primitive needs a line of documentation";
  if (effect == Effect::kPureRead && reentry == Reentry::kReenters) throw "code that re-enters is not a pure read";
  if (reentry == Reentry::kReenters && gc == GcEffect::kNoGc) throw "code that re-enters may collect";
  return {name,
          static_cast<std::int16_t>(min),
          static_cast<std::int16_t>(max),
          affinity,
          effect,
          gc,
          reentry,
          determinism,
          doc,
          fn,
          interactive};
}

#define NEOVM_DETAIL_PRIMITIVE(id, lisp_name, min, max, affinity, effect, gc, reentry, determinism, doc, inter)      \
  static ::neovm::PrimitiveSignature<max>::Fn prim_##id;                                                             \
  static constexpr ::neovm::PrimitiveDescriptor desc_##id = ::neovm::make_descriptor(                                \
      lisp_name, min, max, ::neovm::PrimitiveTraits::affinity, ::neovm::PrimitiveTraits::effect,                     \
      ::neovm::PrimitiveTraits::gc, ::neovm::PrimitiveTraits::reentry, ::neovm::PrimitiveTraits::determinism, doc,   \
      &prim_##id, inter);                                                                                            \
  [[gnu::used, gnu::section("neovm_prims")]] static const ::neovm::PrimitiveDescriptor* const row_##id = &desc_##id; \
  static ::neovm::Value prim_##id

#define NEOVM_PRIMITIVE(id, lisp_name, min, max, affinity, effect, gc, reentry, determinism, doc) \
  NEOVM_DETAIL_PRIMITIVE(id, lisp_name, min, max, affinity, effect, gc, reentry, determinism, doc, nullptr)
// A primitive that is also a command; `spec` is the string of its `interactive` form ("" for none).
#define NEOVM_COMMAND(id, lisp_name, min, max, affinity, effect, gc, reentry, determinism, spec, doc) \
  NEOVM_DETAIL_PRIMITIVE(id, lisp_name, min, max, affinity, effect, gc, reentry, determinism, doc, spec)

// ---- variables ------------------------------------------------------------------------------------
//
//   NEOVM_VARIABLE(case_fold_search, "case-fold-search", kBufferSlotVar, kAny, kInitT, "…")
//
// declares a special variable with its initial value. C++ reads it through its symbol like any other
// variable (variable.hpp); the row only describes it.

enum class VariableScope : std::uint8_t {
  kGlobalVar,
  kAutoLocalVar,        // becomes buffer-local when set
  kBufferSlotVar,       // fixed slot of each buffer with a default (DEFVAR_PER_BUFFER of GNU)
  kAlwaysLocalSlotVar,  // fixed slot, every buffer has its own value
};
enum class VariableType : std::uint8_t { kAny, kInt, kBool, kNumberOrNil, kStringOrNil, kSymbolOrNil };

// Initial value: a constant word (nil, t, a fixnum, a static symbol, unbound), a C string, a float,
// or a function that makes it.
struct InitialValue {
  enum class Kind : std::uint8_t { kWord, kString, kFloat, kMake } kind;
  union {
    Value word;
    const char* string;
    double number;
    Value (*make)(Context&);
  };
  constexpr InitialValue(Value v) : kind(Kind::kWord), word(v) {}
  constexpr InitialValue(const char* s) : kind(Kind::kString), string(s) {}
  constexpr InitialValue(double d) : kind(Kind::kFloat), number(d) {}
  constexpr InitialValue(Value (*f)(Context&)) : kind(Kind::kMake), make(f) {}
};
inline constexpr Value kInitNil = kNil;
inline constexpr Value kInitT = Value::symbol_id(1);
inline constexpr Value kInitUnbound = kUnbound;

struct VariableDescriptor {
  const char* name;
  VariableScope scope;
  VariableType type;
  InitialValue initial;
  const char* doc;
};
struct VariableTraits {
  using enum VariableScope;
  using enum VariableType;
};

#define NEOVM_VARIABLE(id, lisp_name, scope, type, initial, doc)                                         \
  static constexpr ::neovm::VariableDescriptor var_##id = {lisp_name, ::neovm::VariableTraits::scope,    \
                                                           ::neovm::VariableTraits::type, initial, doc}; \
  [[gnu::used, gnu::section("neovm_vars")]] static const ::neovm::VariableDescriptor* const varrow_##id = &var_##id;

// ---- start-up steps ---------------------------------------------------------------------------------
//
// What a row cannot express when a bare isolate is built (never run when an image is loaded unless
// `kEveryStart`): char-tables, keymaps, error symbols. Steps run by phase, then in no order.
enum class InitPhase : std::uint8_t { kTables = 0, kObjects = 1, kLate = 2, kEveryStart = 3 };
struct InitStep {
  InitPhase phase;
  const char* name;
  void (*run)(Context&);
};
#define NEOVM_INIT(id, phase)                                                                                 \
  static void init_##id(::neovm::Context&);                                                                   \
  static constexpr ::neovm::InitStep step_##id = {::neovm::InitPhase::phase, #id, &init_##id};                \
  [[gnu::used, gnu::section("neovm_inits")]] static const ::neovm::InitStep* const steprow_##id = &step_##id; \
  static void init_##id

// The tables that the linker gathered, in link order.
std::span<const PrimitiveDescriptor* const> all_primitives();
std::span<const VariableDescriptor* const> all_variables();
std::span<const InitStep* const> all_init_steps();

}  // namespace neovm
