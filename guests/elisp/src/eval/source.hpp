// Interpreted functions that have register code.
//
// Lisp goes on seeing the list. The code hangs on the list's (ARGS . BODY), which all closures of one lambda form share,
// through a weak table; its object is a byte-code object that Lisp never meets, with the constants in slot 2 and in slot 1
// what the body looked like: CONS CAR CDR of every cons that was compiled. A call after a collection, or after a store on one of
// the cards (512 bytes) that these conses lie on, compares them, so that a body that was written to is compiled anew.
//
// A form that is evaluated as such (by `eval`, from a file, or as a loop that goes round and round) is treated alike, with the form
// itself in the place of (ARGS . BODY).
//
// What the interpreter of forms would have in frames, the SourceMap knows: which forms are in progress at an instruction, and
// which variables lie in which registers.
#pragma once

#include <vector>

#include "eval/machine.hpp"
#include "eval/tiers.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

struct SourceMap {
  enum class Kind : std::uint8_t {
    kRoot,         // `reg`: the closure's environment
    kForm,         // a form in progress; `constant`
    kVariable,     // lies in `reg`; its symbol is `constant`
    kMark,         // `reg` has the number of dynamic bindings outside
    kEnvironment,  // `reg` has the environment from here on
  };
  struct Node {
    Kind kind;
    std::uint8_t reg;
    std::uint16_t constant;
    std::uint32_t parent;  // of the root: itself
  };
  std::vector<Node> nodes;  // the instruction's node is the position that Code::origins gives
  // Symbols that were special forms when they were compiled.
  struct Head {
    const SymbolCells* cells;
    std::uint32_t version;
  };
  std::vector<Head> heads;
  // The cards of the heap that the compiled conses lie on, as of collection number `checked`, at which or after which the
  // conses were compared; no others need to be looked at while all these cards say that nobody has written since.
  std::vector<std::uint8_t*> cards;
  std::uint64_t checked = 0;
  std::uint64_t rearmed = 0;  // sum of RearmedCards of these cards, then
  bool lexical = true;
  bool is_form = false;           // not a function's: there are no parameters, the environment is the evaluator's
  bool keeps_parameters = false;  // nothing sets them: they are what the call's record shows
  bool stale = false;             // to be compiled anew: a variable has become special, a function a macro
};

// Set in a card, this bit tells that nobody has stored into its 512 bytes since: the write barrier makes the card a plain
// 1. For the collector any card but 0 is dirty, and it clears them all.
inline constexpr std::uint8_t kUnwritten = 2;

// Several functions may lie on one card. Who finds a card written to compares its own conses before it sets the bit again, and
// counts that here, so that the others do the same.
inline std::uint32_t& rearmed_count(RearmedCards& counts, const std::uint8_t* card) {
  return counts[reinterpret_cast<std::uintptr_t>(card) % std::tuple_size_v<RearmedCards>];
}

// Have the conses of MAP's code been compared since collection number COLLECTION, and has nobody stored near them since?
inline bool known_unchanged(const SourceMap& map, std::uint64_t collection, RearmedCards& counts) {
  for (const SourceMap::Head& h : map.heads)
    if (h.cells->function_version != h.version) return false;
  std::uint8_t all = kUnwritten;
  std::uint64_t rearmed = 0;
  for (const std::uint8_t* card : map.cards) {
    all &= *card;
    rearmed += rearmed_count(counts, card);
  }
  return all != 0 && map.checked == collection && map.rearmed == rearmed;
}

inline Value Tiers::quick_source(Value function, std::uint32_t n, FunctionState** state) {
  Value tail = cdr_raw(function);
  const bool lexical = car_raw(function) == Qclosure;
  if (lexical) {
    if (!tail.is_cons() || !car_raw(tail).is_cons()) return kNil;
    tail = cdr_raw(tail);
  } else if (car_raw(function) != Qlambda) {
    return kNil;
  }
  const Warmth* const w = warmth_of(tail);
  if (w->tail != tail.bits() || w->map == nullptr || !options.source || !options.enabled) return kNil;
  const SourceMap& map = *w->map;
  if (map.stale || map.lexical != lexical || !known_unchanged(map, collections_, rearmed_)) return kNil;
  if (n < w->state->mandatory || (n > w->state->parameters && !w->state->rest)) return kNil;
  *state = w->state;
  return w->code;
}

inline bool is_source_frame(const Frame* f) {
  return f->op == FrameOp::kRegister && reinterpret_cast<const FunctionState*>(f->env.bits())->source != nullptr;
}
inline const FunctionState* source_state(const Frame* f) {
  return reinterpret_cast<const FunctionState*>(f->env.bits());
}
// The node of the instruction before the frame's next one.
std::uint32_t source_node(const Frame* f);
// Environment of frame F at NODE: a copy of what lies in registers, above what is an alist already.
Value source_environment(Context& cx, Frame* f, std::uint32_t node);
// Stores the values of an environment that source_environment made back.
void store_source_environment(Frame* f, std::uint32_t node, Value env);

// Environment OLD, in F and the frames around it that have it, up to the first that has another, becomes EXTENDED.
void extend_environment(Frame* f, Value old, Value extended);

// Compiles CODE, (ARGS . BODY) of a closure (lexical) or of a lambda in dynamic scope, or a form evaluated in lexical or
// dynamic scope. Nil, with *why, when that cannot be. Nothing collects.
Value compile_source(Context& cx, Value code, bool is_form, bool lexical, const char** why);
// The one reason that may go away.
inline constexpr const char* kTooManyFunctions = "too many functions";

}  // namespace neovm::elisp
