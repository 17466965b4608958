// Buffer-local variables as Lisp sees them.
#include "machine.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

#define CHECK_SYMBOL(v)              \
  if (!(v).is_symbol()) [[unlikely]] \
  return wrong_type(cx, Qsymbolp, v)

NEOVM_PRIMITIVE(default_value, "default-value", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return SYMBOL's default value, seen where it has no local one.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  const Value v = default_value(cx, symbol);
  if (v.is_unbound()) return signal_error1(cx, Qvoid_variable, symbol);
  return v;
}

NEOVM_PRIMITIVE(default_boundp, "default-boundp", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if SYMBOL has a default value.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  return boolean(!default_value(cx, symbol).is_unbound());
}

NEOVM_PRIMITIVE(set_default, "set-default", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Set SYMBOL's default value to VALUE.")
(Context& cx, Value symbol, Value v) {
  CHECK_SYMBOL(symbol);
  TRY(set_default_re(cx, symbol, v));
  return v;
}

namespace {

// The buffer argument of the predicates: nil is the current buffer. Gives its locals.
Value locals_of(Context& cx, Value buffer) {
  if (buffer.is_nil()) return cx.locals;
  const HostHooks& hooks = host_hooks(cx);
  if (hooks.is_buffer == nullptr || !hooks.is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
  return hooks.buffer_locals(cx, buffer);
}

void make_localized(SymbolCells& c) {
  if (c.redirect != kPlain) return;
  c.redirect = kLocalized;
  ++c.value_version;
}

}  // namespace

NEOVM_COMMAND(make_local_variable, "make-local-variable", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters,
              kDeterministic, "vMake Local Variable: ", "Give VARIABLE a value of its own in the current buffer.")
(Context& cx, Value variable) {
  CHECK_SYMBOL(variable);
  const Value symbol = core::resolve_alias(cx, variable);
  SymbolCells& c = cx.cells(symbol);
  if ((c.flags & (kSymbolConstant | kSymbolKeyword)) != 0) return signal_error1(cx, Qsetting_constant, variable);
  if (cx.locals.is_nil()) return variable;
  if (c.redirect == kBufferSlot || (c.flags & kSymbolAutoLocal) != 0) {
    // Setting makes it local (if no `let` of the default is in the way): set it to what it is.
    (void)TRY(core::set_in_re(cx, symbol, variable_value(cx, symbol), cx.locals, kNil, core::SetKind::kSet).is_exit()
                  ? kExit
                  : kNil);
    return variable;
  }
  make_localized(c);
  if (!core::local_entry(cx, symbol, cx.locals).is_nil()) return variable;
  const Value alist = slot_raw(cx.locals, kLocalsAlist);
  set_slot_raw(cx.locals, kLocalsAlist, cons(cx, cons(cx, symbol, c.value), alist));
  return variable;
}

NEOVM_COMMAND(make_variable_buffer_local, "make-variable-buffer-local", 1, 1, kWorkerSafe, kStateWrite, kMayGc,
              kNoReentry, kDeterministic,
              "vMake Variable Buffer Local: ", "Make VARIABLE become buffer-local whenever it is set.")
(Context& cx, Value variable) {
  CHECK_SYMBOL(variable);
  const Value symbol = core::resolve_alias(cx, variable);
  SymbolCells& c = cx.cells(symbol);
  if ((c.flags & (kSymbolConstant | kSymbolKeyword)) != 0) return signal_error1(cx, Qsetting_constant, variable);
  if (c.redirect == kBufferSlot) return variable;
  if (c.redirect == kPlain && c.value.is_unbound()) store(&c.value, kNil);
  make_localized(c);
  c.flags |= kSymbolAutoLocal;
  return variable;
}

NEOVM_COMMAND(kill_local_variable, "kill-local-variable", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters,
              kDeterministic, "vKill Local Variable: ", "Take away VARIABLE's own value in the current buffer.")
(Context& cx, Value variable) {
  CHECK_SYMBOL(variable);
  const Value symbol = core::resolve_alias(cx, variable);
  SymbolCells* c = &cx.cells(symbol);
  if (cx.locals.is_nil() || c->redirect == kPlain) return variable;
  if (c->redirect == kBufferSlot) {
    if ((c->flags & kSymbolAlwaysLocal) == 0) set_slot_raw(cx.locals, c->slot, kUnbound);
    return variable;
  }
  if ((c->flags & kSymbolWatched) != 0) {
    const auto current = host_hooks(cx).current_buffer;
    TRY(cx.isolate().guest_hooks().notify_watchers(cx, symbol, kNil, Qmakunbound,
                                                   current != nullptr ? current(cx) : kNil));
  }
  Value previous = kNil;
  for (Value l = slot_raw(cx.locals, kLocalsAlist); l.is_cons(); previous = l, l = cdr_raw(l)) {
    if (!car_raw(l).is_cons() || car_raw(car_raw(l)) != symbol) continue;
    if (previous.is_nil()) {
      set_slot_raw(cx.locals, kLocalsAlist, cdr_raw(l));
    } else {
      set_cdr_raw(previous, cdr_raw(l));
    }
    break;
  }
  return variable;
}

NEOVM_PRIMITIVE(local_variable_p, "local-variable-p", 1, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if VARIABLE has a value of its own in BUFFER.")
(Context& cx, Value variable, Value buffer) {
  const Value locals = TRY(locals_of(cx, buffer));
  CHECK_SYMBOL(variable);
  return boolean(core::has_local_value(cx, core::resolve_alias(cx, variable), locals));
}

NEOVM_PRIMITIVE(local_variable_if_set_p, "local-variable-if-set-p", 1, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t if VARIABLE is local in BUFFER or would become so when set.")
(Context& cx, Value variable, Value buffer) {
  CHECK_SYMBOL(variable);
  const Value symbol = core::resolve_alias(cx, variable);
  const SymbolCells& c = cx.cells(symbol);
  if (c.redirect == kBufferSlot || (c.flags & kSymbolAutoLocal) != 0) return Qt;
  if (c.redirect == kPlain) return kNil;
  const Value locals = TRY(locals_of(cx, buffer));
  return boolean(core::has_local_value(cx, symbol, locals));
}

NEOVM_PRIMITIVE(variable_binding_locus, "variable-binding-locus", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the buffer whose value of VARIABLE is current, nil for the default.")
(Context& cx, Value variable) {
  CHECK_SYMBOL(variable);
  if (!core::has_local_value(cx, core::resolve_alias(cx, variable), cx.locals)) return kNil;
  const auto current = host_hooks(cx).current_buffer;
  return current != nullptr ? current(cx) : kNil;
}

}  // namespace neovm::elisp
