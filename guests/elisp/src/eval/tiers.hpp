// What an isolate knows about the functions it runs: how warm they are, their register code, their caches.
//
// A byte-code object carries the number of its FunctionState in its header (flags and aux). make-closure copies the
// number, so all closures of one source function share state; 0 means not verified, 1 verified without state.
// A state goes when a major collection finds no object with its number, which is then given to another function. While all
// numbers are taken, further functions stay in the stack executor.
// The instructions themselves (`Code`) are immutable and shared by the isolates that have one code store.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/bytecode/code.hpp"
#include "neovm/core/function_numbers.hpp"
#include "neovm/elisp/elisp.hpp"

namespace neovm::elisp {

struct Frame;
struct Machine;
struct FunctionState;
struct SourceMap;
struct StackFlow;

// Places of a table that a site of gethash remembers (lookup_cache.hpp).
inline constexpr int kPlaces = 4;
inline constexpr std::uint16_t kNoPlace = 0xFFFF;
inline constexpr std::uint16_t kMegamorphic = 0xFFFE;  // as the first: it has seen more than four

// What has come by a site: nothing yet; one shape; up to four; more, or what changes all the time.
enum class SiteState : std::uint8_t { kEmpty, kMono, kPoly, kMega };

// One call site's memory of what its function cell held (inline_cache.hpp). Valid while the constant is still that symbol
// and the cell's function_version has not moved.
struct CallCache {
  static constexpr std::uint64_t kEmpty = Value::kUnboundBits;  // no constant has this word
  std::uint64_t key = kEmpty;                                   // word of the symbol
  SymbolCells* cell = nullptr;
  std::uint32_t version = 0;
  std::uint32_t misses = 0;  // how often it did not fit; decays at collections that clear it
  union {
    FunctionState* code = nullptr;         // call_code
    const PrimitiveDescriptor* primitive;  // call_primitive
    SymbolCells* target;                   // of an alias: `version` is the sum of both cells' versions
    std::uint16_t places[kPlaces];         // call_gethash
  };
};

// What sites of gethash that have seen too much share: places by table and key.
class LookupHints {
 public:
  static constexpr std::uint32_t kLargestTable = 1024;  // in entries; larger ones would only push each other out
  std::uint16_t& place_for(Value table, Value key) {
    const std::uint64_t h = (table.bits() >> 4) * 0x9E3779B97F4A7C15u ^ (key.bits() >> 2) * 0xC2B2AE3D27D4EB4Fu;
    return places_[h >> 52];
  }

 private:
  std::array<std::uint16_t, 4096> places_{};
};

// With TierOptions::count: the first shapes that a site saw, as numbers other than 0.
struct SeenShapes {
  static constexpr unsigned kMost = 5;
  std::uint64_t seen[kMost] = {};
  unsigned count = 0;
  void note(std::uint64_t shape) {
    for (unsigned i = 0; i < count; ++i)
      if (seen[i] == shape) return;
    if (count < kMost) seen[count++] = shape;
  }
  [[nodiscard]] SiteState state() const {
    return count == 0      ? SiteState::kEmpty
           : count == 1    ? SiteState::kMono
           : count < kMost ? SiteState::kPoly
                           : SiteState::kMega;
  }
};

struct FunctionState {
  FunctionState();
  ~FunctionState();
  core::bytecode::Word* words = nullptr;  // this isolate's copy, quickened in place; null: not translated
  CallCache* caches = nullptr;
  std::uint32_t exact_arguments = 0xFFFFFFFF;  // a call with so many needs no adjusting
  std::uint16_t registers = 0;
  std::uint16_t parameters = 0;
  std::uint16_t mandatory = 0;
  bool rest = false;
  bool dynamic = false;  // parameters are a list, bound dynamically
  bool refused = false;  // stays in the stack executor: vetoed, or not translatable
  bool looping = false;  // one of its loops was met going round in the stack executor
  std::uint32_t calls = 0;
  std::unique_ptr<SourceMap> source;  // of an interpreted function (eval/source.hpp)
  std::shared_ptr<const core::bytecode::Code> code;
  std::unique_ptr<core::bytecode::Word[]> own_words;
  std::unique_ptr<CallCache[]> own_caches;
  // Only with TierOptions::count; by word: executions of the instruction; of a call without its cache.
  std::unique_ptr<std::uint64_t[]> executed;
  std::unique_ptr<std::uint64_t[]> missed;
  std::unique_ptr<SeenShapes[]> shapes;
  std::string name;                  // that it was first called by
  std::vector<std::string> callees;  // what its call sites call, by cache
};

struct TierStatistics {
  std::uint64_t functions = 0;        // with a state
  std::uint64_t functions_freed = 0;  // with their functions
  std::uint64_t translated = 0;
  std::uint64_t shared = 0;  // of these, whose code another translation had made
  std::uint64_t refused = 0;
  std::uint64_t loops_entered = 0;                             // of the stack executor, by register code
  std::uint64_t cache_fills = 0;                               // each quickens its site
  std::uint64_t caches_cleared = 0;                            // by the collector, because their symbol may have moved
  std::uint64_t cleared_calls = 0;                             // calls that found their cache cleared
  std::uint64_t invalidations[core::bytecode::kOpCount] = {};  // filled caches that did not fit, by quickened form
  std::uint64_t source_misses = 0;                             // calls from source that looked their function up
  std::uint64_t source_compiled = 0;                           // interpreted functions
  std::uint64_t source_dropped = 0;                            // … whose code did not hold any more
  std::map<std::string, std::uint64_t> source_refused;         // by reason
  // Only counted with TierOptions::count.
  std::map<std::string, std::uint64_t> form_owners;  // forms interpreted, by what they are part of
  std::uint64_t lookup_misses = 0;          // gethash: not where the site remembered, megamorphic probes included
  std::vector<std::uint64_t> instructions;  // of register code, by opcode; empty unless counted
  std::uint64_t stack_instructions = 0;
};

// How often cards that compiled functions lie on were found written to, by the card's address (source.hpp).
using RearmedCards = std::array<std::uint32_t, 256>;

class Tiers {
 public:
  Tiers();
  ~Tiers();
  FunctionState* state(std::uint32_t number) const { return table_[number]; }
  FunctionState* const* table() const { return table_.data(); }
  // A call enters OBJECT, which is verified. True: it has register code to run.
  bool enter(Context& cx, Value object);
  // A loop in the stack executor goes round once more. True: this one should go on in register code.
  bool count_round() { return --rounds_left_ == 0; }
  // Makes F, the newest frame, which is at position f->rest of its stack code, the start of a loop, one of register code, to be
  // continued (kRegisterContinue). False: nothing has changed.
  bool enter_loop(Context& cx, Frame* f);
  // Translates now; false when it cannot be.
  bool translate(Context& cx, Value object);
  // Gives OBJECT, whose shape has the parameters of CODE, this register code from its next call on, unless the verifier refuses
  // it: then the reason is returned and nothing is changed.
  std::string adopt(Context& cx, Value object, core::bytecode::Code code);
  // OBJECT stays in the stack executor from now on (what runs already goes on); nothing takes that back.
  bool veto(Context& cx, Value object);
  FunctionState* ensure_state(Value object);
  // One more closure of PROTOTYPE is made. When there are many they have one state.
  void note_closure(Value prototype);
  // May the `switch' at FROM in the stack code of OBJECT go on at TARGET, which TABLE has led to, with the values and handlers that
  // are there then?
  bool switch_is_sound(Context& cx, Value object, std::int64_t from, std::int64_t target, Value table);
  // The cache now depends on a symbol that the collector may move.
  void note_movable(CallCache* cache) { movable_.push_back(cache); }
  void clear_movable();
  // A major collection found functions of these numbers only.
  void functions_survived(const core::FunctionNumbers& alive);

  template <class Fn>
  void each_state(Fn&& fn) const {
    for (const auto& s : states_)
      if (s != nullptr) fn(*s);
  }

  // ---- interpreted functions: eval/source.cpp ----
  // FUNCTION, a lambda or closure, is called with N arguments. Its register code's object when there is some that takes
  // them, nil otherwise; it is compiled when it has become warm. CALLED, the symbol it is called by, names it in reports (nil:
  // the call's record on top knows).
  Value enter_source(Context& cx, Value function, std::uint32_t n, Value called = kNil);
  // What enter_source would answer, and the state of that code, when it can be told without looking far; nil otherwise.
  Value quick_source(Value function, std::uint32_t n, FunctionState** state);
  // The same for FORM, a cons, which is about to be evaluated in ENV: for one that was evaluated so often already, and with
  // `at_once` now.
  Value enter_form(Context& cx, Value form, Value env, bool at_once);
  // Is what OBJECT, with state S, was compiled from as it was then? Its frames ask in the middle of a call, too.
  bool body_holds(FunctionState& s, Value object);
  // The register code's object of an interpreted function, with `compile` made now; nil when there is none that holds.
  Value source_code(Context& cx, Value function, bool compile);
  // FUNCTION, and all closures of the same lambda form, stay interpreted from their next call on.
  bool veto_source(Context& cx, Value function);
  void trace(Tracer& t);

  void configure(const TierOptions& with) {
    options = with;
    rounds_left_ = options.rounds;
  }

  TierOptions options;
  TierStatistics statistics;
  LookupHints lookup_hints;

 private:
  using CodePtr = std::shared_ptr<const core::bytecode::Code>;
  // The register code of OBJECT, from the store or made now; null when it has none.
  CodePtr code_for(Context& cx, Value object);
  // Empty, or why CODE must not run.
  std::string verify_code(Context& cx, const core::bytecode::Code& code);
  void install(Context& cx, Value object, FunctionState* s, CodePtr code);

  // What is known of the interpreted function whose (ARGS . BODY), or of the form that, is `tail`; forgotten at each
  // collection.
  struct Warmth {
    std::uint64_t tail = 0;
    std::uint32_t calls = 0;
    Value code = kNil;  // nil: not compiled, t: refused
    // Of a function, once its code has been found to hold: for quick_source.
    SourceMap* map = nullptr;
    FunctionState* state = nullptr;
  };
  Warmth* warmth_of(Value tail) { return &warmth_[(tail.bits() >> 4 ^ tail.bits() >> 13) & (warmth_.size() - 1)]; }
  // Loads what is known of TAIL into its place.
  Warmth* known_source(Context& cx, Value tail);
  void compile_source_now(Context& cx, Warmth* w, Value tail, bool is_form, bool lexical);
  void remember_source(Context& cx, Value tail, Value code);
  void drop_source(Context& cx, Warmth* w, Value tail);
  // The code that W has for KEY; nil when it has none, or none that holds.
  Value valid_source(Context& cx, Warmth* w, Value key, bool is_form, bool lexical);

  // Calls of a function without a state, by the address it had then: some may be counted to another that lies there later.
  struct ColdCalls {
    std::uint64_t object : 48 = 0;
    std::uint64_t calls : 16 = 0;
  };
  std::array<ColdCalls, 512> cold_;
  // OBJECT has no state and needs none for this call. False: it needs one, and was called *calls times before.
  bool is_cold(Value object, std::uint32_t* calls);

  std::uint32_t rounds_left_ = TierOptions().rounds;
  std::uint32_t early_calls_ = 0;  // at most TierOptions::head_start
  std::array<Warmth, 512> warmth_{};
  RearmedCards rearmed_{};
  std::uint64_t collections_ = 1;                       // so far, and one
  Value sources_ = kNil;                                // weak table: tail -> object, or t
  std::vector<FunctionState*> table_;                   // by number; a free one has none_
  std::vector<std::unique_ptr<FunctionState>> states_;  // likewise; a free one is null
  std::vector<std::uint32_t> free_numbers_;
  std::vector<CallCache*> movable_;
  // For switch_is_sound: the flow of the last functions it was asked about, by the address of their code; forgotten at each
  // collection.
  struct KnownFlow {
    std::uint64_t code = 0;
    std::unique_ptr<StackFlow> flow;
  };
  std::array<KnownFlow, 8> flows_;
  unsigned next_flow_ = 0;
  FunctionState none_;
};

Tiers& tiers_of(Context& cx);
// Does an instruction that was compiled as this remember what a global name means?
inline bool has_call_cache(core::bytecode::Op op) {
  using core::bytecode::Op;
  return op == Op::call_global || op == Op::tail_call_global || op == Op::call_source || op == Op::resolve;
}
// … by looking it up, before it is quickened?
inline bool looks_up_calls(core::bytecode::Op op) {
  return op == core::bytecode::Op::call_global || op == core::bytecode::Op::tail_call_global;
}
// CLOSURE is a copy of PROTOTYPE with other constants: they warm up together.
void share_function_state(Context& cx, Value prototype, Value closure);

inline std::uint32_t state_number(Value byte_code) {
  const ObjectHeader* h = header_raw(byte_code);
  return static_cast<std::uint32_t>(h->flags) | static_cast<std::uint32_t>(h->aux) << 8;
}
inline void set_state_number(Value byte_code, std::uint32_t number) {
  ObjectHeader* h = header_raw(byte_code);
  h->flags = static_cast<std::uint8_t>(number);
  h->aux = static_cast<std::uint8_t>(number >> 8);
}
inline constexpr std::uint32_t kNotVerified = 0;
inline constexpr std::uint32_t kNoState = 1;
inline constexpr std::uint32_t kLastState = 0xFFFF;

}  // namespace neovm::elisp
