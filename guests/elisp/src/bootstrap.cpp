// Builds an Emacs Lisp world in a bare isolate from the tables that the linker gathered.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>

#include "eval/machine.hpp"
#include "eval/tiers.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/elisp/elisp.hpp"

namespace neovm::elisp {

Value notify_watchers(Context& cx, Value symbol, Value newval, Value operation, Value where);

namespace {

std::uint8_t machine_id(std::string_view name) {
  static constexpr struct {
    std::string_view name;
    std::uint8_t id;
  } kIds[] = {
#define X(id, lisp_name) {lisp_name, kForm_##id},
#include "eval/special_forms.def"
#undef X
#define X(id, lisp_name) {lisp_name, kRes_##id},
#include "eval/resumable.def"
#undef X
  };
  for (const auto& row : kIds)
    if (row.name == name) return row.id;
  return kNotMachine;
}

void define_primitives(Context& cx) {
  for (const PrimitiveDescriptor* d : all_primitives()) {
    auto* subr = reinterpret_cast<SubrObject*>(cx.heap().allocate(ObjectKind::kSubr, sizeof(SubrObject)));
    subr->header.aux = machine_id(d->name);
    subr->descriptor = d;
    const Value symbol = intern(cx, d->name);
    if (!symbol_function(cx, symbol).is_nil()) {
      std::fprintf(stderr, "neovm: primitive `%s' is defined twice\n", d->name);
      std::abort();
    }
    set_symbol_function(cx, symbol, Value::pointer(subr, Tag::kObject));
  }
  set_symbol_function(cx, Qwholenump, symbol_function(cx, intern(cx, "natnump")));  // one function under two names
}

void define_errors(Context& cx) {
  static constexpr struct {
    const char* name;
    const char* message;
    const char* parents;
  } kErrors[] = {
#define X(name, message, parents) {name, message, parents},
#include "eval/errors.def"
#undef X
  };
  for (const auto& row : kErrors) {
    const Value symbol = intern(cx, row.name);
    Value conditions = kNil;
    std::string_view parents = row.parents;
    while (!parents.empty()) {  // from the last to the first
      const std::size_t space = parents.rfind(' ');
      const std::string_view name = space == std::string_view::npos ? parents : parents.substr(space + 1);
      conditions = cons(cx, intern(cx, name), conditions);
      parents = space == std::string_view::npos ? std::string_view{} : parents.substr(0, space);
    }
    symbol_put(cx, symbol, Qerror_conditions, cons(cx, symbol, conditions));
    symbol_put(cx, symbol, Qerror_message, make_string(cx, row.message));
  }
}

std::uint16_t type_flags(VariableType type) {
  switch (type) {
    case VariableType::kAny: return 0;
    case VariableType::kInt: return kSymbolTypeInt;
    case VariableType::kBool: return kSymbolTypeBool;
    case VariableType::kNumberOrNil: return kSymbolTypeNumber;
    case VariableType::kStringOrNil: return kSymbolTypeString;
    case VariableType::kSymbolOrNil: return kSymbolTypeSymbol;
  }
  return 0;
}

Value initial_value(Context& cx, const InitialValue& v) {
  switch (v.kind) {
    case InitialValue::Kind::kWord: return v.word;
    case InitialValue::Kind::kString: return make_string(cx, v.string);
    case InitialValue::Kind::kFloat: return make_float(cx, v.number);
    case InitialValue::Kind::kMake: return v.make(cx);
  }
  return kNil;
}

void define_variables(Context& cx) {
  auto& slots = cx.isolate().buffer_slot_symbols;
  for (const VariableDescriptor* d : all_variables()) {
    const Value symbol = intern(cx, d->name);
    SymbolCells& c = cx.cells(symbol);
    if ((c.flags & kSymbolSpecial) != 0 && (c.flags & kSymbolKeyword) == 0) {
      std::fprintf(stderr, "neovm: variable `%s' is defined twice\n", d->name);
      std::abort();
    }
    c.flags |= static_cast<std::uint16_t>(kSymbolSpecial | type_flags(d->type));
    switch (d->scope) {
      case VariableScope::kGlobalVar: break;
      case VariableScope::kAutoLocalVar:
        c.redirect = kLocalized;
        c.flags |= kSymbolAutoLocal;
        break;
      case VariableScope::kBufferSlotVar:
      case VariableScope::kAlwaysLocalSlotVar:
        if (!symbol.is_id_symbol() || slots.size() > 255) {
          std::fprintf(stderr, "neovm: buffer variable `%s' needs a static symbol\n", d->name);
          std::abort();
        }
        c.redirect = kBufferSlot;
        c.slot = static_cast<std::uint8_t>(slots.size());
        if (d->scope == VariableScope::kAlwaysLocalSlotVar) c.flags |= kSymbolAlwaysLocal;
        slots.push_back(symbol);
        break;
    }
    const Value v = initial_value(cx, d->initial);
    store(&cx.cells(symbol).value, v);
  }
  // Plain words that programs bind lexically; Emacs does not count these two as special.
  for (const char* name : {"values", "features"})
    cx.cells(intern(cx, name)).flags &= static_cast<std::uint16_t>(~kSymbolSpecial);
}

void run_steps(Context& cx, InitPhase phase) {
  for (const InitStep* step : all_init_steps())
    if (step->phase == phase) step->run(cx);
}

// The primitives that the machine calls itself, found in one pass over the table.
void find_machine_primitives(Machine& m) {
  static constexpr struct {
    int opcode;
    const char* name;
    std::uint32_t arguments;
  } kBytePrimitives[] = {
#define X(opcode, name, arguments) {opcode, name, arguments},
#include "eval/byte_prims.def"
#undef X
  };
  std::unordered_map<std::string_view, const PrimitiveDescriptor*> wanted;
  for (const auto& row : kBytePrimitives) wanted[row.name] = nullptr;
  for (const char* name : {"gethash", "puthash", "type-of", "assoc"}) wanted[name] = nullptr;
  for (const PrimitiveDescriptor* d : all_primitives())
    if (const auto it = wanted.find(d->name); it != wanted.end()) it->second = d;
  for (const auto& row : kBytePrimitives) m.byte_primitives[row.opcode] = {wanted[row.name], row.name, row.arguments};
  m.concat = wanted["concat"];
  m.nconc = wanted["nconc"];
  m.length = wanted["length"];
  m.aref = wanted["aref"];
  m.gethash = wanted["gethash"];
  m.assoc = wanted["assoc"];
  m.puthash = wanted["puthash"];
  m.type_of = wanted["type-of"];
}

void destroy_machine(Context& cx) {
  delete static_cast<Machine*>(cx.guest_state);
  cx.guest_state = nullptr;
}

void trace_machine(Context& cx, Tracer& t) {
  Machine& m = machine(cx);
  t.visit(&m.val);
  t.visit(&m.env);
  t.visit(&m.signaling_function);
}

}  // namespace

void attach_context(Context& cx, bool every_start) {
  if (cx.guest_state != nullptr) destroy_machine(cx);  // attached before its image was loaded
  auto* m = new Machine;
  m->cx = &cx;
  m->tiers = &tiers_of(cx);
  if (m->tiers->options.count) m->quiet_forms = 0;
  m->max_depth = m->depth_limit = &cx.cells(Qmax_lisp_eval_depth);
  m->quit_limit.value = Value::fixnum(-1);
  m->max_specpdl = &cx.cells(Qmax_specpdl_size);
  m->stress = cx.isolate().options().heap.stress;
  find_machine_primitives(*m);
  cx.guest_state = m;
  cx.guest_trace = trace_machine;
  cx.guest_destroy = destroy_machine;
  GuestHooks& hooks = cx.isolate().guest_hooks();
  hooks.funcall = funcall_hook;
  hooks.eval = eval_hook;
  hooks.start = start_hook;
  hooks.resume = resume_hook;
  hooks.notify_watchers = notify_watchers;
  hooks.quit_is_due = [](Context& cx, bool due) {
    Machine& m = machine(cx);
    m.max_depth = due ? &m.quit_limit : m.depth_limit;
  };
  hooks.resolve_exit = resolve_exit;
  hooks.run_cleanup = run_cleanup;
  hooks.run_hook = run_hook_hook;
  if (m->stress) cx.heap().request_gc();
  if (every_start) run_steps(cx, InitPhase::kEveryStart);
}

void attach(Context& cx) {
  cx.isolate().main_obarray.set(make_vector(cx, 1, Value::fixnum(0)));
  header_raw(cx.isolate().main_obarray.get())->flags |= kVectorMainObarray;
  define_primitives(cx);
  define_errors(cx);
  define_variables(cx);
  attach_context(cx, false);
  run_steps(cx, InitPhase::kTables);
  run_steps(cx, InitPhase::kObjects);
  run_steps(cx, InitPhase::kLate);
  run_steps(cx, InitPhase::kEveryStart);
}

}  // namespace neovm::elisp
