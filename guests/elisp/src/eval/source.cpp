// Warmth and lookup of interpreted functions; their environments seen from outside.
#include "eval/source.hpp"

#include <algorithm>

#include "neovm/abi/api.hpp"
#include "neovm/abi/heap_map.hpp"
#include "neovm/abi/tables.hpp"

namespace neovm::elisp {

namespace {

// Does FORM contain a `while`? Looks at so many conses at most.
bool has_loop(Context& cx, Value form, int* budget) {
  for (; form.is_cons() && *budget > 0; form = cdr_raw(form)) {
    --*budget;
    const Value head = car_raw(form);
    if (head == Qquote) return false;
    if (head == Qwhile) return true;
    if (head.is_cons() && has_loop(cx, head, budget)) return true;
  }
  return false;
}

// As extend_environment, inside of F; false: F has another environment at some place.
bool extend_in_registers(Frame* f, Value old, Value extended) {
  const SourceMap& map = *source_state(f)->source;
  for (std::uint32_t i = source_node(f);; i = map.nodes[i].parent) {
    const SourceMap::Node& n = map.nodes[i];
    if (n.kind == SourceMap::Kind::kEnvironment || n.kind == SourceMap::Kind::kRoot) {
      Value& env = f->above()[n.reg];
      if (env != old && env != extended) return false;
      env = extended;
    }
    if (n.kind == SourceMap::Kind::kRoot) return true;
  }
}

bool equal_to_what_was_seen(Value object) {
  if (!is_vector(slot_raw(object, 1))) return false;  // not made by compile_source
  const SlotsObject* seen = slots_raw(slot_raw(object, 1));
  const std::int64_t n = slot_count_raw(slot_raw(object, 1));
  for (std::int64_t i = 0; i + 2 < n; i += 3) {
    if (!seen->slots[i].is_cons()) return false;
    const auto* c = seen->slots[i].as_pointer<Cons>();
    if (c->car != seen->slots[i + 1] || c->cdr != seen->slots[i + 2]) return false;
  }
  return true;
}

void find_cards(SourceMap& map, Value object) {
  const SlotsObject* seen = slots_raw(slot_raw(object, 1));
  const std::int64_t n = slot_count_raw(slot_raw(object, 1));
  map.cards.clear();
  for (std::int64_t i = 0; i + 2 < n; i += 3) map.cards.push_back(heap_map::card_of(seen->slots[i].as_pointer<Cons>()));
  std::sort(map.cards.begin(), map.cards.end());
  map.cards.erase(std::unique(map.cards.begin(), map.cards.end()), map.cards.end());
}

// Is the body what was compiled? COLLECTION is the number of those so far, each of which may have moved the conses.
bool unchanged(SourceMap& map, Value object, std::uint64_t collection, RearmedCards& counts) {
  if (known_unchanged(map, collection, counts)) return true;
  for (const SourceMap::Head& h : map.heads)
    if (h.cells->function_version != h.version) return false;
  if (!equal_to_what_was_seen(object)) return false;
  if (map.checked != collection) find_cards(map, object);
  map.checked = collection;
  map.rearmed = 0;
  for (std::uint8_t* card : map.cards) {
    std::uint32_t& count = rearmed_count(counts, card);
    if ((*card & kUnwritten) == 0) {
      *card |= kUnwritten;
      ++count;
    }
  }
  for (const std::uint8_t* card : map.cards) map.rearmed += rearmed_count(counts, card);
  return true;
}

}  // namespace

void Tiers::trace(Tracer& t) {
  ++collections_;
  clear_movable();
  warmth_.fill(Warmth{});
  t.visit(&sources_);
}

Tiers::Warmth* Tiers::known_source(Context& cx, Value tail) {
  Warmth* const w = warmth_of(tail);
  if (w->tail != tail.bits()) {
    *w = Warmth{};
    w->tail = tail.bits();
    if (!sources_.is_nil()) w->code = hash_table_get(cx, sources_, tail);
    if (w->code.is_unbound()) w->code = kNil;
  }
  return w;
}

void Tiers::remember_source(Context& cx, Value tail, Value code) {
  if (sources_.is_nil()) sources_ = make_hash_table(cx, HashTest::kEq, WeakKind::kKey);
  if (sources_.is_exit()) sources_ = kNil;
  if (!sources_.is_nil()) hash_table_put(cx, sources_, tail, code);
}

void Tiers::compile_source_now(Context& cx, Warmth* w, Value tail, bool is_form, bool lexical) {
  const char* why = "";
  w->code = compile_source(cx, tail, is_form, lexical, &why);
  if (!w->code.is_nil()) {
    ++statistics.source_compiled;
  } else {
    ++statistics.source_refused[why];
    if (why == kTooManyFunctions) {
      w->calls = 0;  // a collection may find free numbers
      return;
    }
    w->code = Qt;
  }
  remember_source(cx, tail, w->code);
}

void Tiers::drop_source(Context& cx, Warmth* w, Value tail) {
  ++statistics.source_dropped;
  w->code = kNil;
  w->map = nullptr;
  w->calls = 0;
  hash_table_remove(cx, sources_, tail);
}

namespace {

// The (ARGS . BODY) of FUNCTION, a lambda or closure; nil when it has none.
Value source_tail(Value function, bool* lexical) {
  Value tail = cdr_raw(function);
  *lexical = false;
  if (car_raw(function) == Qclosure) {
    if (!tail.is_cons()) return kNil;
    *lexical = !car_raw(tail).is_nil();
    if (*lexical && !car_raw(tail).is_cons()) return kNil;
    tail = cdr_raw(tail);
  } else if (car_raw(function) != Qlambda) {
    return kNil;  // Lisp has written to the list since somebody saw a function in it
  }
  return tail.is_cons() ? tail : kNil;
}

}  // namespace

Value Tiers::enter_source(Context& cx, Value function, std::uint32_t n, Value called) {
  if (!options.enabled || !options.source) return kNil;
  bool lexical = false;
  const Value tail = source_tail(function, &lexical);
  if (tail.is_nil()) return kNil;
  Warmth* const w = known_source(cx, tail);
  if (w->code.is_nil()) {
    ++w->calls;
    if (w->calls == 1 && options.source_threshold > 1) {
      int budget = 2000;
      if (has_loop(cx, cdr_raw(tail), &budget)) w->calls = options.source_threshold;
    }
    if (w->calls < options.source_threshold) return kNil;
    compile_source_now(cx, w, tail, false, lexical);
    if (options.count && is_byte_code(w->code)) {
      const Frame* const f = machine(cx).fp;
      if (called.is_nil() && f != nullptr && f->fn == function) called = f->form;
      if (called.has_tag(Tag::kSymbol)) state(state_number(w->code))->name = to_std_string(symbol_name(cx, called));
    }
  }
  const Value object = valid_source(cx, w, tail, false, lexical);
  if (object.is_nil()) return kNil;
  FunctionState* const s = state(state_number(object));
  w->map = s->source.get();
  w->state = s;
  return n < s->mandatory || (!s->rest && n > s->parameters) ? kNil : object;
}

Value Tiers::enter_form(Context& cx, Value form, Value env, bool at_once) {
  if (!options.enabled || !options.source || !form.is_cons()) return kNil;
  const bool lexical = !env.is_nil();
  Warmth* const w = known_source(cx, form);
  if (w->code.is_nil()) {
    if (++w->calls < options.source_threshold && !at_once) return kNil;
    compile_source_now(cx, w, form, true, lexical);
  }
  return valid_source(cx, w, form, true, lexical);
}

Value Tiers::valid_source(Context& cx, Warmth* w, Value key, bool is_form, bool lexical) {
  const Value object = w->code;
  if (!is_byte_code(object)) return kNil;
  SourceMap& map = *state(state_number(object))->source;
  if (map.stale || !unchanged(map, object, collections_, rearmed_)) {
    drop_source(cx, w, key);
    return kNil;
  }
  return map.lexical == lexical && map.is_form == is_form ? object : kNil;
}

bool Tiers::body_holds(FunctionState& s, Value object) {
  SourceMap& map = *s.source;
  if (!map.stale && !unchanged(map, object, collections_, rearmed_)) map.stale = true;
  return !map.stale;
}

Value Tiers::source_code(Context& cx, Value function, bool compile) {
  bool lexical = false;
  const Value tail = source_tail(function, &lexical);
  if (!options.enabled || !options.source || tail.is_nil()) return kNil;
  Warmth* const w = known_source(cx, tail);
  if (is_byte_code(w->code)) {
    SourceMap& map = *state(state_number(w->code))->source;
    if (map.stale || !unchanged(map, w->code, collections_, rearmed_)) drop_source(cx, w, tail);
  }
  if (compile && w->code.is_nil()) compile_source_now(cx, w, tail, false, lexical);
  return is_byte_code(w->code) ? w->code : kNil;
}

bool Tiers::veto_source(Context& cx, Value function) {
  bool lexical = false;
  const Value tail = source_tail(function, &lexical);
  if (!options.enabled || tail.is_nil()) return false;
  // Frames of its register code go on in it; it is theirs alone from now on.
  Warmth* const w = known_source(cx, tail);
  w->code = Qt;
  w->map = nullptr;
  remember_source(cx, tail, Qt);
  return true;
}

std::uint32_t source_node(const Frame* f) {
  const FunctionState* const s = source_state(f);
  const auto* pc = reinterpret_cast<const core::bytecode::Word*>(f->rest.bits());
  const auto at = static_cast<std::uint32_t>(pc - s->own_words.get());
  const auto& origins = s->code->origins;
  // The last origin before `at`: that of the instruction that ends there.
  auto it = std::lower_bound(origins.begin(), origins.end(), at,
                             [](const core::bytecode::Code::Origin& o, std::uint32_t word) { return o.word < word; });
  return it == origins.begin() ? 0 : (it - 1)->position;
}

Value source_environment(Context& cx, Frame* f, std::uint32_t node) {
  const SourceMap& map = *source_state(f)->source;
  Value* const regs = f->above();
  const Value constants = slot_raw(f->fn, 2);
  std::vector<const SourceMap::Node*> variables;
  Value env = kNil;
  bool found = false;
  for (std::uint32_t i = node;; i = map.nodes[i].parent) {
    const SourceMap::Node& n = map.nodes[i];
    if (n.kind == SourceMap::Kind::kVariable) variables.push_back(&n);
    if ((n.kind == SourceMap::Kind::kEnvironment || n.kind == SourceMap::Kind::kRoot) && !found) {
      env = regs[n.reg];
      found = true;
    }
    if (n.kind == SourceMap::Kind::kRoot) break;
  }
  for (std::size_t i = variables.size(); i-- > 0;)
    env = cons(cx, cons(cx, slot_raw(constants, variables[i]->constant), regs[variables[i]->reg]), env);
  return env;
}

void store_source_environment(Frame* f, std::uint32_t node, Value env) {
  const SourceMap& map = *source_state(f)->source;
  Value* const regs = f->above();
  for (std::uint32_t i = node; map.nodes[i].kind != SourceMap::Kind::kRoot; i = map.nodes[i].parent) {
    const SourceMap::Node& n = map.nodes[i];
    if (n.kind != SourceMap::Kind::kVariable) continue;
    if (!env.is_cons() || !car_raw(env).is_cons()) return;
    regs[n.reg] = cdr_raw(car_raw(env));
    env = cdr_raw(env);
  }
}

void extend_environment(Frame* f, Value old, Value extended) {
  for (; f != nullptr && f->op != FrameOp::kByteCode; f = f->previous()) {
    if (f->op == FrameOp::kCalled) continue;
    if (f->op == FrameOp::kRegister) {
      if (!is_source_frame(f) || !extend_in_registers(f, old, extended)) return;
      continue;
    }
    if (f->env != old) return;
    f->env = extended;
    if (f->op == FrameOp::kEval || f->op == FrameOp::kEntry) return;
  }
}

}  // namespace neovm::elisp
