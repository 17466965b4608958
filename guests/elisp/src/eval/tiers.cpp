#include "eval/tiers.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "compile/code_store.hpp"
#include "compile/stack_code.hpp"
#include "eval/byte_verify.hpp"
#include "eval/machine.hpp"
#include "eval/register_calls.hpp"
#include "eval/source.hpp"
#include "neovm/core/hash_table.hpp"

namespace neovm::elisp {

FunctionState::FunctionState() = default;
FunctionState::~FunctionState() = default;

namespace {

// The symbol that OBJECT, whose frame is on top, was called by; empty when it was not.
std::string name_of_running(Context& cx, Value object) {
  Frame* f = machine(cx).fp;
  if (f == nullptr || f->fn != object) return "";
  Value called = f->form;
  // A call from a form has its record in the frame below.
  if (called.is_nil() && f->previous() != nullptr) called = f->previous()->form;
  return called.has_tag(Tag::kSymbol) ? to_std_string(symbol_name(cx, called)) : "";
}

// What the call sites of CODE, by cache, call.
std::vector<std::string> names_of_callees(Context& cx, Value object, const core::bytecode::Code& code) {
  std::vector<std::string> names(code.caches);
  for (std::size_t at = 0; at < code.words.size(); at += core::bytecode::length_at(code.words, at)) {
    if (!has_call_cache(core::bytecode::op_of(code.words[at]))) continue;
    const Value callee = slot_raw(slot_raw(object, 2), code.words[at + 1] & 0xFFFF);
    if (callee.has_tag(Tag::kSymbol)) names[code.words[at + 1] >> 16] = to_std_string(symbol_name(cx, callee));
  }
  return names;
}

}  // namespace

Tiers::Tiers() {
  none_.refused = true;
  table_ = {&none_, &none_};
  states_.resize(2);
}

Tiers::~Tiers() = default;

FunctionState* Tiers::ensure_state(Value object) {
  const std::uint32_t number = state_number(object);
  if (number > kNoState) return table_[number];
  std::uint32_t free = 0;
  if (!free_numbers_.empty()) {
    free = free_numbers_.back();
    free_numbers_.pop_back();
  } else {
    if (table_.size() > kLastState) return &none_;
    free = static_cast<std::uint32_t>(table_.size());
    table_.push_back(nullptr);
    states_.emplace_back();
  }
  states_[free] = std::make_unique<FunctionState>();
  table_[free] = states_[free].get();
  set_state_number(object, free);
  ++statistics.functions;
  return table_[free];
}

void Tiers::functions_survived(const core::FunctionNumbers& alive) {
  for (std::uint32_t i = kNoState + 1; i < states_.size(); ++i) {
    if (states_[i] == nullptr || alive[i]) continue;
    // No cache uses it: the cell that a cache looks at has got another function since, or was moved and the cache cleared.
    states_[i].reset();
    table_[i] = &none_;
    free_numbers_.push_back(i);
    ++statistics.functions_freed;
  }
}

// Most functions are called a few times. A state of their own would cost memory, and a page of the image where its number goes.
bool Tiers::is_cold(Value object, std::uint32_t* calls) {
  const std::uint64_t bits = object.bits();
  ColdCalls& cold = cold_[(bits >> 4 ^ bits >> 12) % cold_.size()];
  if (cold.object != bits) {
    if (cold.calls != 0) return false;  // another's place: this one has a state
    cold.object = bits;
  }
  const auto before = static_cast<std::uint32_t>(cold.calls);
  if (before + 1 < options.threshold && before < 0xFFFF) {
    ++cold.calls;
    return true;
  }
  *calls = before;
  cold.calls = 0;  // free
  return false;
}

void Tiers::note_closure(Value prototype) {
  std::uint32_t calls = 0;
  if (options.enabled && state_number(prototype) <= kNoState && !is_cold(prototype, &calls)) ensure_state(prototype);
}

bool Tiers::enter(Context& cx, Value object) {
  if (!options.enabled) return false;
  if (early_calls_ < options.head_start && state_number(object) <= kNoState) {
    ++early_calls_;
    return false;
  }
  std::uint32_t calls = 0;
  if (state_number(object) <= kNoState && is_cold(object, &calls)) return false;
  FunctionState* s = ensure_state(object);
  if (s->words != nullptr) return !s->refused;
  if (s->refused) return false;
  s->calls += calls + 1;
  return s->calls >= options.threshold && translate(cx, object);
}

// On-stack replacement: the values of the stack executor lie where the registers of the same function do, but for those of
// arguments that are assigned to, and at the start of a loop all of them are in their places.
bool Tiers::enter_loop(Context& cx, Frame* f) {
  rounds_left_ = options.rounds;
  if (!options.enabled || early_calls_ < options.head_start) return false;
  if (!cx.handlers.empty() && cx.handlers.back().frame == f) return false;  // it knows a place in stack code
  FunctionState& s = *ensure_state(f->fn);
  // Once may be chance: loops of a few rounds come by, too.
  if (s.refused || (s.words == nullptr && !std::exchange(s.looping, true)) || !translate(cx, f->fn)) return false;
  const auto& entries = s.code->entries;
  const auto position = static_cast<std::uint32_t>(f->rest.as_fixnum());
  const auto entry =
      std::lower_bound(entries.begin(), entries.end(), position,
                       [](const core::bytecode::Code::Entry& e, std::uint32_t p) { return e.position < p; });
  if (entry == entries.end() || entry->position != position) return false;
  Value* const regs = f->above();
  if (regs + s.registers + kHeadroom > cx.stack_limit) return false;
  std::fill(cx.sp, std::max(cx.sp, regs + s.registers), kNil);
  const auto& homes = s.code->value_homes;
  const Value* const arguments = f->below();
  for (std::size_t i = 0; i < homes.size(); ++i) {
    if (homes[i] == i) continue;
    regs[homes[i]] = regs[i];
    if (i < f->n && !(s.rest && i + 1 == s.parameters)) regs[i] = arguments[i];
  }
  cx.sp = regs + s.registers;
  f->op = FrameOp::kRegister;
  f->env = Value::from_bits(reinterpret_cast<std::uint64_t>(&s));
  f->rest = Value::from_bits(reinterpret_cast<std::uint64_t>(s.words + entry->word));
  ++statistics.loops_entered;
  return true;
}

bool Tiers::translate(Context& cx, Value object) {
  FunctionState* s = ensure_state(object);
  if (s->words != nullptr) return true;
  if (s->refused) return false;  // none_ is, too
  CodePtr code = code_for(cx, object);
  if (code == nullptr) {
    s->refused = true;
    ++statistics.refused;
    return false;
  }
  install(cx, object, s, std::move(code));
  return true;
}

std::string Tiers::adopt(Context& cx, Value object, core::bytecode::Code code) {
  FunctionState* s = ensure_state(object);
  std::string why = verify_code(cx, code);
  if (why.empty() && s == &none_) why = kTooManyFunctions;
  if (why.empty()) install(cx, object, s, std::make_shared<const core::bytecode::Code>(std::move(code)));
  return why;
}

std::string Tiers::verify_code(Context& cx, const core::bytecode::Code& code) {
  const Machine& m = machine(cx);
  return core::bytecode::verify(code, [&m](unsigned opcode, unsigned n) {
    const PrimitiveDescriptor* d = m.byte_primitives[opcode].descriptor;
    return d != nullptr && (d->max_args < 0 || n <= static_cast<unsigned>(d->max_args)) &&
           n >= static_cast<unsigned>(d->min_args);
  });
}

Tiers::CodePtr Tiers::code_for(Context& cx, Value object) {
  std::string key;
  if (options.store != nullptr && describe_stack_code(object, &key)) {
    if (CodePtr known = options.store->find(key)) {
      ++statistics.shared;
      return known;
    }
  }
  std::optional<core::bytecode::Code> code = translate_stack_code(cx, object);
  if (!code || !verify_code(cx, *code).empty()) return nullptr;
  auto made = std::make_shared<const core::bytecode::Code>(std::move(*code));
  return key.empty() ? made : options.store->publish(key, std::move(made));
}

void Tiers::install(Context& cx, Value object, FunctionState* s, CodePtr code) {
  s->code = std::move(code);
  const core::bytecode::Code& c = *s->code;
  s->own_words = std::make_unique<core::bytecode::Word[]>(c.words.size());
  std::copy(c.words.begin(), c.words.end(), s->own_words.get());
  s->own_caches = std::make_unique<CallCache[]>(c.caches);
  s->caches = s->own_caches.get();
  s->registers = c.registers;
  s->parameters = c.parameters;
  s->mandatory = c.mandatory;
  s->rest = c.rest;
  s->dynamic = !slot_raw(object, 0).is_fixnum();
  if (!s->rest && !s->dynamic && s->mandatory == s->parameters) s->exact_arguments = s->parameters;
  if (options.count) {
    s->executed = std::make_unique<std::uint64_t[]>(c.words.size());
    s->missed = std::make_unique<std::uint64_t[]>(c.words.size());
    s->shapes = std::make_unique<SeenShapes[]>(c.words.size());
    s->name = name_of_running(cx, object);
    s->callees = names_of_callees(cx, object, c);
  }
  s->words = s->own_words.get();
  ++statistics.translated;
}

namespace {

// Has nothing been stored to these words since they were made? To be asked before the first collection, which cleans cards.
bool never_written(const Value* begin, const Value* end) {
  const std::uint8_t* const last = heap_map::card_of(end - 1);
  for (const std::uint8_t* card = heap_map::card_of(begin); card <= last; ++card)
    if (*card != 0) return false;
  return true;
}

// The check of OBJECT's code has seen TABLE, which is not empty, as it is: the instruction before the one at FROM pushes it from a
// constant, and neither of them has changed.
bool is_table_as_checked(Value object, std::int64_t from, Value table) {
  const std::uint8_t* const code = string_data_raw(slot_raw(object, 1));
  std::int64_t constant = -1;
  if (from >= 1 && code[from - 1] >= 192) constant = code[from - 1] - 192;
  if (from >= 3 && code[from - 3] == 129) constant = code[from - 2] | code[from - 1] << 8;
  const Value constants = slot_raw(object, 2);
  if (constant < 0 || constant >= slot_count_raw(constants) || slot_raw(constants, constant) != table) return false;
  const SlotsObject* const entries = slots_raw(slot_raw(table, core::kHashEntries));
  const Value* const place = slots_raw(constants)->slots + constant;
  const Value* const slots = slots_raw(table)->slots;
  return never_written(place, place + 1) && never_written(slots, slots + slot_count_raw(table)) &&
         never_written(entries->slots, entries->slots + entries->count);
}

}  // namespace

bool Tiers::switch_is_sound(Context& cx, Value object, std::int64_t from, std::int64_t target, Value table) {
  if (collections_ == 1 && is_table_as_checked(object, from, table)) return true;
  const std::uint64_t code = slot_raw(object, 1).bits();
  auto known = std::find_if(flows_.begin(), flows_.end(), [code](const KnownFlow& k) { return k.code == code; });
  if (known == flows_.end()) {
    known = flows_.begin() + next_flow_++ % flows_.size();
    *known = {};
    known->flow = std::make_unique<StackFlow>();
    if (!follow_stack_code(cx, object, stack_arguments(object), known->flow.get())) return false;
    known->code = code;
  }
  const StackFlow& flow = *known->flow;
  const auto at = static_cast<std::size_t>(from);
  const auto to = static_cast<std::size_t>(target);
  return flow.depth_at[to] >= 0 && flow.depth_at[to] == flow.depth_at[at] - 2 &&
         flow.context_at[to] == flow.context_at[at];
}

bool Tiers::veto(Context&, Value object) {
  FunctionState* s = ensure_state(object);
  if (s == &none_) return false;
  // Its frames run on in the words, which stay; new calls find none.
  s->words = nullptr;
  s->exact_arguments = 0xFFFFFFFF;
  s->refused = true;
  return true;
}

void Tiers::clear_movable() {
  for (KnownFlow& k : flows_) k = {};
  for (CallCache* c : movable_) {
    c->key = CallCache::kEmpty;
    c->misses = 0;
  }
  statistics.caches_cleared += movable_.size();
  movable_.clear();
}

void share_function_state(Context& cx, Value prototype, Value closure) {
  if (state_number(prototype) == kNotVerified && verify_byte_code(cx, prototype).is_exit()) {
    cx.exit_kind = ExitKind::kNone;  // it is told when somebody calls it
    return;
  }
  machine(cx).tiers->note_closure(prototype);
  set_state_number(closure, state_number(prototype));
}

void note_form(Context& cx, Machine& m, Frame* f, Value form) {
  const auto name = [&cx](Value v) {
    return v.has_tag(Tag::kSymbol) ? to_std_string(symbol_name(cx, v)) : std::string(v.is_cons() ? "lambda" : "?");
  };
  std::string owner;
  for (; f != nullptr; f = f->previous()) {
    if (f->op == FrameOp::kEntry || f->op == FrameOp::kEval) {
      owner = (f->op == FrameOp::kEval ? "eval: " : "load: ") + name(car_raw(form));
      break;
    }
    if (f->op == FrameOp::kRegister || f->op == FrameOp::kByteCode) {
      owner = name(f->form.is_nil() && f->previous() != nullptr ? f->previous()->form : f->form) + " (a part of it)";
      break;
    }
    if ((f->flags & (kRecordAbove | kRecordBelow)) != 0 && f->fn.is_cons()) {
      owner = name(f->form);
      break;
    }
    if ((f->flags & kRecordForm) != 0) form = f->form;
  }
  ++m.tiers->statistics.form_owners[owner];
}

void configure_tiers(Context& cx, const TierOptions& options) {
  Tiers& tiers = tiers_of(cx);
  tiers.configure(options);
  if (options.count) tiers.statistics.instructions.resize(core::bytecode::kOpCount);
  if (cx.guest_state != nullptr) machine(cx).quiet_forms = options.count ? 0 : ~std::uint64_t{0};
}

const TierOptions& tier_options_of(Context& cx) { return tiers_of(cx).options; }

Tiers& tiers_of(Context& cx) {
  if (void* t = extension_state(cx, ExtensionId::kGuestEval)) return *static_cast<Tiers*>(t);
  auto* t = new Tiers;
  Extension e;
  e.state = t;
  e.trace = [](void* state, Tracer& t) { static_cast<Tiers*>(state)->trace(t); };
  e.destroy = [](void* state) { delete static_cast<Tiers*>(state); };
  set_extension(cx, ExtensionId::kGuestEval, e);
  core::watch_functions(cx, {t, [](void* data, const core::FunctionNumbers& alive) {
                               static_cast<Tiers*>(data)->functions_survived(alive);
                             }});
  return *t;
}

}  // namespace neovm::elisp
