// Inline caches of call sites: which quickened form a call takes, and when.
//
// A site `call_global` looks its function up. When what it finds has a form of its own, the site remembers the symbol, the
// symbol's cell and the version of the function in it, and becomes that form (in this isolate's copy of the words). The
// form compares symbol and version; when either has moved, the site is a `call_global` again and learns anew. A site that
// has failed often is restless: it tries again at every 256th call only, until things calm down.
#pragma once

#include "eval/machine.hpp"
#include "eval/tiers.hpp"

namespace neovm::elisp {

// A call site whose cache failed so often is restless.
inline constexpr std::uint32_t kRestlessMisses = 64;

// The call at SITE goes through SYMBOL, whose cell holds FN now. Fills its cache and returns the opcode that uses it;
// call_global when there is none.
core::bytecode::Op fill_cache(Context& cx, Machine& m, CallCache* c, Value symbol, Value fn,
                              const core::bytecode::Word* site);

// SYMBOL is an alias of TARGET, another symbol whose cell holds FN now: the same.
core::bytecode::Op fill_alias(Context& cx, Tiers& tiers, CallCache* c, Value symbol, Value target, Value fn);

// Versions only grow: while their sum stays, both do.
inline bool alias_holds(const CallCache& c) {
  return c.cell->function_version + c.target->function_version == c.version;
}
// What marks the key of an alias in the cache of a call from source, which has no opcode to tell it. No symbol has this bit.
inline constexpr std::uint64_t kAliasKey = std::uint64_t{1} << 63;
inline bool knows_alias(const CallCache& c, Value symbol) {
  return c.key == (symbol.bits() | kAliasKey) && alias_holds(c);
}

// What the cache of a call from source says in `misses`: a primitive of one, two or three parameters, or
enum CallKind : std::uint32_t {
  kCalledDirectly = 4,  // … of others
  kCalledGenerally,     // anything else
  // Primitives that are done in line when both arguments are fixnums, or floats.
  kCalledAdd,
  kCalledSub,
  kCalledMul,
  kCalledEqual,
  kCalledGreater,
  kCalledLess,
  kCalledLessOrEqual,
  kCalledGreaterOrEqual,
};
// … that FUNCTION, a subr, is for N arguments.
std::uint32_t kind_of_primitive(const Machine& m, Value function, std::uint32_t n);

// The function of SYMBOL, when the interpreter of forms would now evaluate N arguments for it and call it; nil when it would
// do something else: expand a macro, load a file, signal an error.
Value callable_now(Context& cx, Tiers& tiers, CallCache* c, FunctionState* caller, Value symbol, std::uint32_t n);

}  // namespace neovm::elisp
