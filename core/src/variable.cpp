// Values of variables: plain cells, aliases, buffer-local values and fixed buffer slots.
//
// A symbol's `redirect` says where its value lives. kPlain: in the cell. kAlias: the cell names another
// symbol. kLocalized: the cell holds the default and the current locals' alist may hold a local value.
// kBufferSlot: the same with a fixed slot of the locals in place of the alist.
#include "neovm/abi/variable.hpp"

#include "neovm/abi/api.hpp"
#include "neovm/abi/watchers.hpp"
#include "neovm/core/context.hpp"
#include "variable_internal.hpp"

namespace neovm {

namespace core {

Value resolve_alias(Context& cx, Value symbol) {
  while (true) {
    const SymbolCells& c = cx.cells(symbol);
    if (c.redirect != kAlias) return symbol;
    symbol = c.value;
  }
}

Value local_entry(Context&, Value symbol, Value locals) {
  return locals.is_nil() ? kNil : assq(symbol, slot_raw(locals, kLocalsAlist));
}

bool has_local_value(Context& cx, Value symbol, Value locals) {
  const SymbolCells& c = cx.cells(symbol);
  if (locals.is_nil()) return false;
  if (c.redirect == kLocalized) return !local_entry(cx, symbol, locals).is_nil();
  if (c.redirect == kBufferSlot) return !slot_raw(locals, c.slot).is_unbound();
  return false;
}

// A binding made by `let` of SYMBOL hides the buffer-local value in the current buffer, so that `set`
// must change what `let` bound (the default) instead of making a local value.
static bool let_shadows_buffer_binding(Context& cx, Value symbol) {
  if (cx.bindings.empty()) return false;
  const Value buffer = host_hooks(cx).current_buffer != nullptr ? host_hooks(cx).current_buffer(cx) : kNil;
  for (std::size_t i = cx.bindings.size(); i-- > 0;) {
    const Binding& b = cx.bindings[i];
    if ((b.kind == Binding::Kind::kLetDefault || b.kind == Binding::Kind::kLetLocal) && b.symbol == symbol &&
        b.where == buffer)
      return true;
  }
  return false;
}

// Coerces or rejects NEWVAL as the variable's type demands; kExit after signalling.
static Value check_variable_type(Context& cx, const SymbolCells& c, Value v) {
  if (v.is_unbound()) return v;
  if ((c.flags & kSymbolTypeBool) != 0) return boolean(v.truthy());
  if ((c.flags & kSymbolTypeInt) != 0 && !v.is_fixnum()) {
    if (!is_bignum(v)) return wrong_type(cx, Qintegerp, v);
    return signal_error1(cx, Qoverflow_error, v);
  }
  if (v.is_nil()) return v;
  if ((c.flags & kSymbolTypeNumber) != 0 && !is_integer(v)) return wrong_type(cx, Qintegerp, v);
  if ((c.flags & kSymbolTypeString) != 0 && !v.is_string()) return wrong_type(cx, Qstringp, v);
  if ((c.flags & kSymbolTypeSymbol) != 0 && !v.is_symbol()) return wrong_type(cx, Qsymbolp, v);
  return v;
}

// Writing quit-flag or inhibit-quit may make a quit due: have the next safepoint look.
static void after_hooked_write(Context& cx, Value symbol) {
  if (symbol == Qquit_flag || symbol == Qinhibit_quit) {
    const Value flag = cx.cells(Qquit_flag).value;
    const bool wanted = flag.truthy() && !flag.is_unbound();
    const bool due = wanted && !variable_true(cx, Qinhibit_quit);
    // Loops without forms or calls find it when their countdown is over, like Emacs's, which look at each 256th round.
    if (due) cx.interrupts.fetch_or(kInterruptQuit, std::memory_order_relaxed);
    // Lisp takes back what it asked for, or what somebody typed.
    if (!wanted && symbol == Qquit_flag)
      cx.interrupts.fetch_and(~static_cast<std::uint32_t>(kInterruptQuit), std::memory_order_relaxed);
    if (const auto hook = cx.isolate().guest_hooks().quit_is_due; hook != nullptr) hook(cx, due);
  } else if (symbol == Qdebug_on_next_call) {
    if (cx.cells(symbol).value.truthy()) cx.interrupt(kInterruptDebug);
  }
}

static Value notify(Context& cx, Value symbol, Value v, Value operation, Value where) {
  const auto hook = cx.isolate().guest_hooks().notify_watchers;
  return hook == nullptr ? kNil : hook(cx, symbol, v.is_unbound() ? kNil : v, operation, where);
}

// May SYMBOL be set to V at all? Signals setting-constant otherwise.
static Value check_constant(Context& cx, const SymbolCells& c, Value symbol, Value v, SetKind kind) {
  if ((c.flags & kSymbolConstant) != 0 || ((c.flags & kSymbolKeyword) != 0 && v != symbol)) {
    if (kind == SetKind::kUnbind) return kNil;
    return signal_error1(cx, Qsetting_constant, symbol);
  }
  return kNil;
}

static Value operation_of(SetKind kind, Value v) {
  switch (kind) {
    case SetKind::kSet: return v.is_unbound() ? Qmakunbound : Qset;
    case SetKind::kBind: return Qlet;
    case SetKind::kUnbind: return Qunlet;
    case SetKind::kThreadSwitch: break;
  }
  return Qset;
}

static constexpr std::uint16_t kGuarded = kSymbolConstant | kSymbolKeyword | kSymbolWatched | kSymbolTypeInt |
                                          kSymbolTypeBool | kSymbolTypeNumber | kSymbolTypeString | kSymbolTypeSymbol |
                                          kSymbolHooked;

static Value current_buffer_or_nil(Context& cx) {
  const auto f = host_hooks(cx).current_buffer;
  return f == nullptr ? kNil : f(cx);
}

// Would setting the variable give the current buffer a value of its own, as local-variable-if-set-p asks?
static bool local_if_set(Context& cx, const SymbolCells& c, Value symbol, Value locals) {
  return c.redirect == kBufferSlot ||
         (c.redirect == kLocalized && ((c.flags & kSymbolAutoLocal) != 0 || has_local_value(cx, symbol, locals)));
}

// The plain path of everything below; `locals` is the buffer's whose value is meant.
Value set_in_re(Context& cx, Value symbol, Value v, Value locals, Value where, SetKind kind) {
  symbol = resolve_alias(cx, symbol);
  SymbolCells* c = &cx.cells(symbol);
  if ((c->flags & kGuarded) != 0) [[unlikely]] {
    TRY(check_constant(cx, *c, symbol, v, kind));
    if (kind != SetKind::kUnbind || !v.is_unbound()) v = TRY(check_variable_type(cx, *c, v));
    if ((c->flags & kSymbolWatched) != 0 && kind != SetKind::kThreadSwitch) {
      const Value operation = operation_of(kind, v);
      Value place = where;
      if (place.is_nil() && operation != Qmakunbound && local_if_set(cx, *c, symbol, locals))
        place = current_buffer_or_nil(cx);
      TRY(notify(cx, symbol, v, operation, place));
      c = &cx.cells(symbol);
    }
  }
  switch (c->redirect) {
    case kPlain: store(&c->value, v); break;
    case kLocalized: {
      const Value entry = local_entry(cx, symbol, locals);
      if (!entry.is_nil()) {
        set_cdr_raw(entry, v);
      } else if (kind == SetKind::kSet && (c->flags & kSymbolAutoLocal) != 0 && !locals.is_nil() &&
                 !let_shadows_buffer_binding(cx, symbol)) {
        set_slot_raw(locals, kLocalsAlist, cons(cx, cons(cx, symbol, v), slot_raw(locals, kLocalsAlist)));
      } else {
        store(&c->value, v);
      }
      break;
    }
    case kBufferSlot:
      if (!locals.is_nil() && (!slot_raw(locals, c->slot).is_unbound() ||
                               (kind == SetKind::kSet && !let_shadows_buffer_binding(cx, symbol)))) {
        set_slot_raw(locals, c->slot, v);
      } else {
        // The default of a slot that `let` bound: watchers hear of it once more.
        if ((c->flags & kSymbolWatched) != 0 && kind == SetKind::kSet) TRY(notify(cx, symbol, v, Qset, kNil));
        c = &cx.cells(symbol);
        store(&c->value, v);
      }
      break;
    default: break;
  }
  if ((c->flags & kSymbolHooked) != 0) [[unlikely]]
    after_hooked_write(cx, symbol);
  return v;
}

Value set_default_kind_re(Context& cx, Value symbol, Value v, SetKind kind) {
  symbol = resolve_alias(cx, symbol);
  SymbolCells* c = &cx.cells(symbol);
  if ((c->flags & kGuarded) != 0) {
    TRY(check_constant(cx, *c, symbol, v, kind));
    // (The defaults of buffer slots are not checked: `set-default` accepts anything.)
    if (c->redirect != kBufferSlot) v = TRY(check_variable_type(cx, *c, v));
    if ((c->flags & kSymbolWatched) != 0) {
      // To watchers, binding the default of a localized variable is a `let`; all else here sets a default.
      const bool let = kind == SetKind::kBind && c->redirect == kLocalized;
      const bool here = let && local_if_set(cx, *c, symbol, cx.locals);
      const Value operation = let || kind == SetKind::kSet ? operation_of(kind, v) : Value(Qset);
      TRY(notify(cx, symbol, v, operation, here ? current_buffer_or_nil(cx) : kNil));
      c = &cx.cells(symbol);
    }
  }
  store(&c->value, v);
  if ((c->flags & kSymbolHooked) != 0) after_hooked_write(cx, symbol);
  return v;
}

}  // namespace core

Value variable_value_in(Context& cx, Value symbol, Value locals) {
  symbol = core::resolve_alias(cx, symbol);
  const SymbolCells& c = cx.cells(symbol);
  switch (c.redirect) {
    case kLocalized: {
      const Value entry = core::local_entry(cx, symbol, locals);
      return entry.is_nil() ? c.value : cdr_raw(entry);
    }
    case kBufferSlot: {
      if (locals.is_nil()) return c.value;
      const Value v = slot_raw(locals, c.slot);
      return v.is_unbound() ? c.value : v;
    }
    default: return c.value;
  }
}

Value variable_value(Context& cx, Value symbol) {
  const SymbolCells& c = cx.cells(symbol);
  if (c.redirect == kPlain) [[likely]]
    return c.value;
  return variable_value_in(cx, symbol, cx.locals);
}

Value variable_value_checked(Context& cx, Value symbol) {
  const Value v = variable_value(cx, symbol);
  if (v.is_unbound()) [[unlikely]]
    return signal_error1(cx, Qvoid_variable, symbol);
  return v;
}

Value set_variable_re(Context& cx, Value symbol, Value v) {
  SymbolCells& c = cx.cells(symbol);
  if (c.redirect == kPlain && (c.flags & core::kGuarded) == 0) [[likely]] {
    store(&c.value, v);
    return v;
  }
  return core::set_in_re(cx, symbol, v, cx.locals, kNil, core::SetKind::kSet);
}

Value default_value(Context& cx, Value symbol) { return cx.cells(core::resolve_alias(cx, symbol)).value; }

Value set_default_re(Context& cx, Value symbol, Value v) {
  return core::set_default_kind_re(cx, symbol, v, core::SetKind::kSet);
}

Value symbol_function(Context& cx, Value symbol) { return cx.cells(symbol).function; }

void set_symbol_function(Context& cx, Value symbol, Value definition) {
  SymbolCells& c = cx.cells(symbol);
  store(&c.function, definition);
  ++c.function_version;
}

// Properties end silently at anything malformed, as `get` does.
Value symbol_get(Context& cx, Value symbol, Value property) { return plist_get(cx.cells(symbol).plist, property); }

void symbol_put(Context& cx, Value symbol, Value property, Value v) {
  SymbolCells& c = cx.cells(symbol);
  Value last = kNil;
  for (Value tail = c.plist; tail.is_cons() && cdr_raw(tail).is_cons(); tail = cdr_raw(cdr_raw(tail))) {
    if (car_raw(tail) == property) {
      set_car_raw(cdr_raw(tail), v);
      return;
    }
    last = tail;
  }
  const Value cell = list(cx, {property, v});
  if (last.is_nil()) {
    store(&c.plist, cell);
  } else {
    set_cdr_raw(cell, kNil);
    set_cdr_raw(cell, cons(cx, v, cdr_raw(cdr_raw(last))));
    set_cdr_raw(cdr_raw(last), cell);
  }
}

int buffer_slot_index(Context& cx, Value symbol) { return cx.cells(symbol).slot; }

Value make_locals(Context& cx) {
  const auto& symbols = cx.isolate().buffer_slot_symbols;
  const Value locals = make_slots(cx, ObjectKind::kInternalSlots, static_cast<std::int64_t>(symbols.size()), kUnbound);
  if (locals.is_exit()) return locals;
  set_slot_raw(locals, kLocalsAlist, kNil);
  for (std::size_t i = 1; i < symbols.size(); ++i)
    if ((cx.cells(symbols[i]).flags & kSymbolAlwaysLocal) != 0)
      set_slot_raw(locals, static_cast<std::int64_t>(i), cx.cells(symbols[i]).value);
  return locals;
}

Value notify_watchers_re(Context& cx, Value symbol, Value newval, Value operation, Value where) {
  if ((cx.cells(symbol).flags & kSymbolWatched) == 0) return kNil;
  return core::notify(cx, symbol, newval, operation, where);
}

}  // namespace neovm
