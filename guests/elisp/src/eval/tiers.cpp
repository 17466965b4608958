#include "eval/tiers.hpp"

#include <algorithm>
#include <optional>

#include "compile/stack_code.hpp"
#include "eval/byte_verify.hpp"
#include "eval/machine.hpp"
#include "eval/source.hpp"

namespace neovm::elisp {

FunctionState::FunctionState() = default;
FunctionState::~FunctionState() = default;

Tiers::Tiers() {
  none_.refused = true;
  table_ = {&none_, &none_};
}

FunctionState* Tiers::ensure_state(Value object) {
  const std::uint32_t number = state_number(object);
  if (number > kNoState) return table_[number];
  if (table_.size() > kLastState) return &none_;
  states_.push_back(std::make_unique<FunctionState>());
  table_.push_back(states_.back().get());
  set_state_number(object, static_cast<std::uint32_t>(table_.size() - 1));
  ++statistics.functions;
  return table_.back();
}

bool Tiers::enter(Context& cx, Value object) {
  if (!options.enabled) return false;
  FunctionState* s = ensure_state(object);
  if (s->words != nullptr) return !s->refused;
  if (s->refused) return false;
  ++s->calls;
  if (s->calls == 1) {
    StackFlow flow;
    if (!follow_stack_code(cx, object, stack_arguments(object), &flow)) return false;
    if (flow.urgent) return translate(cx, object);
  }
  return s->calls >= options.threshold && translate(cx, object);
}

bool Tiers::translate(Context& cx, Value object) {
  FunctionState* s = ensure_state(object);
  if (s->words != nullptr) return true;
  if (s == &none_) return false;
  std::optional<core::bytecode::Code> code = translate_stack_code(cx, object);
  if (!code || !adopt(cx, object, std::move(*code)).empty()) {
    s->refused = true;
    ++statistics.refused;
    return false;
  }
  return true;
}

std::string Tiers::adopt(Context& cx, Value object, core::bytecode::Code code) {
  const Machine& m = machine(cx);
  std::string why = core::bytecode::verify(code, [&m](unsigned opcode, unsigned n) {
    const PrimitiveDescriptor* d = m.byte_primitives[opcode].descriptor;
    return d != nullptr && (d->max_args < 0 || n <= static_cast<unsigned>(d->max_args)) &&
           n >= static_cast<unsigned>(d->min_args);
  });
  FunctionState* s = ensure_state(object);
  if (why.empty() && s == &none_) why = "too many functions";
  if (!why.empty()) return why;
  s->code = std::make_shared<const core::bytecode::Code>(std::move(code));
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
  s->words = s->own_words.get();
  ++statistics.translated;
  return "";
}

bool Tiers::switch_is_sound(Context& cx, Value object, std::int64_t from, std::int64_t target) {
  const std::uint64_t code = slot_raw(object, 1).bits();
  SwitchTarget& known = sound_switches_[(code >> 4 ^ static_cast<std::uint64_t>(from * 31 + target)) % 64];
  if (known.code == code && known.from == from && known.target == target) return true;
  StackFlow flow;
  if (!follow_stack_code(cx, object, stack_arguments(object), &flow)) return false;
  const auto at = static_cast<std::size_t>(from);
  const auto to = static_cast<std::size_t>(target);
  if (flow.depth_at[to] < 0 || flow.depth_at[to] != flow.depth_at[at] - 2 || flow.context_at[to] != flow.context_at[at])
    return false;
  known = {code, from, target};
  return true;
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
  for (SwitchTarget& s : sound_switches_) s = {};
  for (CallCache* c : movable_) c->key = 0;
  statistics.caches_cleared += movable_.size();
  movable_.clear();
}

void share_function_state(Context& cx, Value prototype, Value closure) {
  if (state_number(prototype) == kNotVerified && verify_byte_code(cx, prototype).is_exit()) {
    cx.exit_kind = ExitKind::kNone;  // it is told when somebody calls it
    return;
  }
  Tiers& tiers = *machine(cx).tiers;
  if (tiers.options.enabled) tiers.ensure_state(prototype);
  set_state_number(closure, state_number(prototype));
}

void configure_tiers(Context& cx, const TierOptions& options) {
  Tiers& tiers = tiers_of(cx);
  tiers.options = options;
  if (options.count) tiers.statistics.instructions.resize(core::bytecode::kOpCount);
}

Tiers& tiers_of(Context& cx) {
  if (void* t = extension_state(cx, ExtensionId::kGuestEval)) return *static_cast<Tiers*>(t);
  auto* t = new Tiers;
  Extension e;
  e.state = t;
  e.trace = [](void* state, Tracer& t) { static_cast<Tiers*>(state)->trace(t); };
  e.destroy = [](void* state) { delete static_cast<Tiers*>(state); };
  set_extension(cx, ExtensionId::kGuestEval, e);
  return *t;
}

}  // namespace neovm::elisp
