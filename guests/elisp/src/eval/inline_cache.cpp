#include "eval/inline_cache.hpp"

#include <algorithm>
#include <iterator>

#include "eval/source.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

using core::bytecode::a_of;
using core::bytecode::b_of;
using core::bytecode::c_of;
using core::bytecode::Op;
using core::bytecode::op_of;
using core::bytecode::Word;

namespace {

// Is the call of type-of at SITE followed by a varref and a memq of its value in that? Verified code does not end before:
// neither instruction ends a path.
bool checks_type(const Word* site) {
  const Word variable = site[3];
  if (op_of(variable) != Op::varref) return false;
  const Word search = site[4];
  return op_of(search) == Op::memq && b_of(search) == a_of(*site) && c_of(search) == a_of(variable) &&
         a_of(variable) != a_of(*site);
}

// Where definitions change all the time, only every 256th call tries again.
bool is_restless(CallCache* c) { return c->misses > kRestlessMisses && (++c->misses & 255) != 0; }

bool is_macro_or_unloaded(Value fn) {
  if (is_subr(fn)) return fn.as_pointer<SubrObject>()->descriptor->is_special_form();
  return fn.is_cons() ? car_raw(fn) != Qlambda && car_raw(fn) != Qclosure : !is_byte_code(fn);
}

// What both kinds of caches say of an alias. False when the alias is one of an alias.
bool note_alias(Context& cx, Tiers& tiers, CallCache* c, Value symbol, Value target, std::uint64_t mark) {
  SymbolCells& cell = cx.cells(symbol);
  SymbolCells& other = cx.cells(target);
  if (other.function.is_symbol()) return false;
  c->key = symbol.bits() | mark;
  c->cell = &cell;
  c->target = &other;
  c->version = cell.function_version + other.function_version;
  if (!symbol.is_id_symbol() || !target.is_id_symbol()) tiers.note_movable(c);
  ++tiers.statistics.cache_fills;
  return true;
}

}  // namespace

Op fill_alias(Context& cx, Tiers& tiers, CallCache* c, Value symbol, Value target, Value fn) {
  if (is_macro_or_unloaded(fn) || is_restless(c)) return Op::call_global;
  const bool again = c->key != CallCache::kEmpty;
  if (!note_alias(cx, tiers, c, symbol, target, 0)) return Op::call_global;
  if (again) ++c->misses;
  return Op::call_alias;
}

Op fill_cache(Context& cx, Machine& m, CallCache* c, Value symbol, Value fn, const Word* site) {
  Tiers& tiers = *m.tiers;
  const std::uint32_t n = b_of(*site);
  if (!symbol.has_tag(Tag::kSymbol)) return Op::call_global;
  if (is_restless(c)) return Op::call_global;
  Op op = Op::call_global;
  if (is_byte_code(fn)) {
    FunctionState* const s = tiers.state(state_number(fn));
    if (s->words == nullptr || s->refused) return Op::call_global;  // it may warm up
    c->code = s;
    op = s->exact_arguments == n ? Op::call_code : Op::call_code_adjusted;
  } else if (is_subr(fn)) {
    const auto* subr = fn.as_pointer<SubrObject>();
    const PrimitiveDescriptor* d = subr->descriptor;
    c->primitive = d;
    if (subr->header.aux != kNotMachine) {
      if (d->is_special_form()) return Op::call_global;
      op = Op::call_applied;
    } else if (n < static_cast<std::uint32_t>(d->min_args) ||
               (d->max_args >= 0 && n > static_cast<std::uint32_t>(d->max_args))) {
      return Op::call_global;
    } else if (d == m.gethash) {
      op = Op::call_gethash;
      std::fill_n(c->places, kPlaces, kNoPlace);
    } else if (d == m.assoc && n == 2) {
      op = Op::call_assoc;
    } else if (d == m.puthash) {
      op = Op::call_puthash;
    } else if (d == m.type_of) {
      op = checks_type(site) ? Op::check_type : Op::call_type_of;
    } else if (d->reentry == Reentry::kReenters) {
      op = Op::call_reentrant;
    } else if (static_cast<int>(n) != d->max_args || n == 0 || n > 3) {
      op = Op::call_primitive;
    } else {
      op = n == 1 ? Op::call_primitive1 : (n == 2 ? Op::call_primitive2 : Op::call_primitive3);
    }
  } else if (fn.is_cons() && (car_raw(fn) == Qlambda || car_raw(fn) == Qclosure)) {
    op = Op::call_applied;
  } else {
    return Op::call_global;
  }
  SymbolCells& cell = cx.cells(symbol);
  if (c->key != CallCache::kEmpty) ++c->misses;
  c->key = symbol.bits();
  c->cell = &cell;
  c->version = cell.function_version;
  if (!symbol.is_id_symbol()) tiers.note_movable(c);
  ++tiers.statistics.cache_fills;
  return op;
}

std::uint32_t kind_of_primitive(const Machine& m, Value function, std::uint32_t n) {
  const auto* subr = function.as_pointer<SubrObject>();
  const PrimitiveDescriptor* d = subr->descriptor;
  if (d->is_special_form() || subr->header.aux != kNotMachine || d->reentry != Reentry::kNoReentry ||
      n < static_cast<std::uint32_t>(d->min_args) || (d->max_args >= 0 && n > static_cast<std::uint32_t>(d->max_args)))
    return kCalledGenerally;
  // GNU's opcodes of the primitives in the order of CallKind.
  constexpr std::uint8_t kInLine[] = {92, 90, 95, 85, 86, 87, 88, 89};
  for (std::uint32_t i = 0; n == 2 && i < std::size(kInLine); ++i)
    if (d == m.byte_primitives[kInLine[i]].descriptor) return kCalledAdd + i;
  return static_cast<int>(n) == d->max_args && n >= 1 && n <= 3 ? n : static_cast<std::uint32_t>(kCalledDirectly);
}

Value callable_now(Context& cx, Tiers& tiers, CallCache* c, FunctionState* caller, Value symbol, std::uint32_t n) {
  ++tiers.statistics.source_misses;
  if (!symbol.is_symbol()) return kNil;
  SymbolCells& cell = cx.cells(symbol);
  const Value fn = cell.function.is_symbol() ? resolve_function(cx, cell.function) : cell.function;
  std::uint32_t kind = kCalledGenerally;
  const PrimitiveDescriptor* d = nullptr;
  if (is_subr(fn)) {
    const auto* subr = fn.as_pointer<SubrObject>();
    d = subr->descriptor;
    if (d->is_special_form() || n < static_cast<std::uint32_t>(d->min_args) ||
        (d->max_args >= 0 && n > static_cast<std::uint32_t>(d->max_args)))
      return kNil;
    kind = kind_of_primitive(machine(cx), fn, n);
  } else if (fn.is_cons()) {
    const Value head = car_raw(fn);
    if (head == Qmacro && caller->source != nullptr) caller->source->stale = true;
    if (head != Qlambda && head != Qclosure) return kNil;
  } else if (!is_byte_code(fn)) {
    return kNil;
  }
  const bool again = c->key != CallCache::kEmpty;
  if (fn != cell.function) {
    if (!note_alias(cx, tiers, c, symbol, cell.function, kAliasKey)) return fn;
    c->misses = kind;
    if (again) ++tiers.statistics.invalidations[static_cast<unsigned>(Op::call_source)];
    return fn;
  }
  if (again) ++tiers.statistics.invalidations[static_cast<unsigned>(Op::call_source)];
  c->key = symbol.bits();
  c->cell = &cell;
  c->version = cell.function_version;
  c->primitive = d;
  c->misses = kind;
  if (!symbol.is_id_symbol()) tiers.note_movable(c);
  ++tiers.statistics.cache_fills;
  return fn;
}

}  // namespace neovm::elisp
