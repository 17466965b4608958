// Defining variables and aliases, load-history, autoload, macroexpand.
#include <string>

#include "machine.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

void loadhist_attach(Context& cx, Value entry) {
  const Value list = variable_value(cx, Qcurrent_load_list);
  if (list.is_unbound()) return;
  (void)set_variable_re(cx, Qcurrent_load_list, cons(cx, entry, list));
}

Value define_special(Context& cx, Value symbol, Value doc) {
  cx.cells(symbol).flags |= kSymbolSpecial;
  if (doc.truthy()) symbol_put(cx, symbol, Qvariable_documentation, doc);
  loadhist_attach(cx, symbol);
  return kNil;
}

Binding* toplevel_binding(Context& cx, Value symbol) {
  symbol = core::resolve_alias(cx, symbol);
  for (Binding& b : cx.bindings)
    if ((b.kind == Binding::Kind::kLet || b.kind == Binding::Kind::kLetDefault) && b.symbol == symbol) return &b;
  return nullptr;
}

NEOVM_PRIMITIVE(default_toplevel_value, "default-toplevel-value", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return SYMBOL's default value outside of any `let`.")
(Context& cx, Value symbol) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  const Binding* b = toplevel_binding(cx, symbol);
  const Value v = b != nullptr ? b->value : default_value(cx, symbol);
  if (v.is_unbound()) return signal_error1(cx, Qvoid_variable, symbol);
  return v;
}

NEOVM_PRIMITIVE(set_default_toplevel_value, "set-default-toplevel-value", 2, 2, kWorkerSafe, kStateWrite, kMayGc,
                kReenters, kDeterministic, "Set SYMBOL's default value outside of any `let` to VALUE.")
(Context& cx, Value symbol, Value v) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  if (Binding* b = toplevel_binding(cx, symbol); b != nullptr) {
    b->value = v;
  } else {
    TRY(set_default_re(cx, symbol, v));
  }
  return kNil;
}

NEOVM_PRIMITIVE(defvaralias, "defvaralias", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Make NEW-ALIAS a variable alias for BASE-VARIABLE.")
(Context& cx, Value alias, Value base, Value doc) {
  if (!alias.is_symbol()) return wrong_type(cx, Qsymbolp, alias);
  if (!base.is_symbol()) return wrong_type(cx, Qsymbolp, base);
  SymbolCells* c = &cx.cells(alias);
  if ((c->flags & (kSymbolConstant | kSymbolKeyword)) != 0) return error_text(cx, "Cannot make a constant an alias");
  if (c->redirect == kBufferSlot || (c->flags & (kSymbolTypeInt | kSymbolTypeBool | kSymbolHooked)) != 0)
    return error_text(cx, "Cannot make an internal variable an alias");
  if (c->redirect == kLocalized) return error_text(cx, "Don’t know how to make a localized variable an alias");
  for (Value s = base;; s = cx.cells(s).value) {
    if (s == alias) return signal_error1(cx, Qcyclic_variable_indirection, base);
    if (cx.cells(s).redirect != kAlias) break;
  }
  if (const Value value = variable_value(cx, alias); !value.is_unbound()) {
    // The alias's value goes to a base that has none; a value the alias hides is worth a warning.
    const Value base_value = variable_value(cx, base);
    if (base_value.is_unbound()) {
      TRY(set_variable_re(cx, base, value));
    } else if (value != base_value) {
      const Value warn = intern(cx, "display-warning");
      if (symbol_function(cx, warn).truthy()) {
        const std::string text = "Overwriting value of ‘" + std::string(symbol_name_view(cx, alias)) +
                                 "’ by aliasing to ‘" + std::string(symbol_name_view(cx, base)) + "’";
        const Value message = TRY(make_string(cx, text));
        const Value group = list(cx, {intern(cx, "defvaralias"), intern(cx, "losing-value"), alias});
        TRY(funcall_re(cx, warn, {group, message}));
      }
    }
  }
  for (const Binding& b : cx.bindings)
    if (b.kind != Binding::Kind::kUnwind && b.kind != Binding::Kind::kUnwindLisp && b.symbol == alias)
      return error_text(cx, "Don’t know how to make a let-bound variable an alias");
  // An alias that becomes another's is watched by those who watch what it stood for.
  const Value before = core::resolve_alias(cx, alias);
  if (const SymbolCells& watched = cx.cells(before); (watched.flags & kSymbolWatched) != 0) {
    const bool local = watched.redirect != kPlain &&
                       ((watched.flags & kSymbolAutoLocal) != 0 || core::has_local_value(cx, before, cx.locals));
    const auto buffer = host_hooks(cx).current_buffer;
    TRY(cx.isolate().guest_hooks().notify_watchers(cx, before, base, Qdefvaralias,
                                                   local && buffer != nullptr ? buffer(cx) : kNil));
  }
  c = &cx.cells(alias);
  c->flags &= static_cast<std::uint16_t>(~kSymbolWatched);
  cx.cells(base).flags |= kSymbolSpecial;
  c->flags |= kSymbolSpecial;
  if ((cx.cells(base).flags & (kSymbolConstant | kSymbolKeyword)) != 0) c->flags |= kSymbolConstant;
  c->redirect = kAlias;
  ++c->value_version;
  // Watchers of the base see writes through the alias, because those resolve it first.
  store(&c->value, base);
  loadhist_attach(cx, alias);
  symbol_put(cx, alias, Qvariable_documentation, doc);
  return base;
}

// ---- autoload -----------------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(autoload, "autoload", 2, 5, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Define FUNCTION to be loaded from FILE when it is called.")
(Context& cx, Value function, Value file, Value doc, Value interactive, Value type) {
  if (!function.is_symbol()) return wrong_type(cx, Qsymbolp, function);
  if (!file.is_string()) return wrong_type(cx, Qstringp, file);
  const Value old = symbol_function(cx, function);
  if (old.truthy() && !(old.is_cons() && car_raw(old) == Qautoload)) return kNil;
  return funcall_re(cx, Qdefalias, {function, list(cx, {Qautoload, file, doc, interactive, type}), kNil});
}

namespace {

// Undoes what a failed autoload defined: entries (SYMBOL . OLD-FUNCTION) and (0 . FEATURES).
void undo_autoload(Context& cx, Value) {
  Value queue = variable_value(cx, Qautoload_queue);
  if (queue.is_unbound()) return;
  for (; queue.is_cons(); queue = cdr_raw(queue)) {
    const Value entry = car_raw(queue);
    if (!entry.is_cons()) continue;
    if (car_raw(entry).is_fixnum()) {
      (void)set_variable_re(cx, Qfeatures, cdr_raw(entry));
    } else if (car_raw(entry).is_symbol()) {
      set_symbol_function(cx, car_raw(entry), cdr_raw(entry));
    }
  }
}

}  // namespace

Value autoload_do_load_re(Context& cx, Value definition, Value name, Value macro_only) {
  if (!definition.is_cons() || car_raw(definition) != Qautoload) return definition;
  Value tail = definition;
  for (int i = 0; i < 4 && tail.is_cons(); ++i) tail = cdr_raw(tail);
  const Value type = tail.is_cons() ? car_raw(tail) : kNil;
  if (macro_only == Qmacro && type != Qt && type != Qmacro) return definition;
  if (!name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  const Value file = cdr_raw(definition).is_cons() ? car_raw(cdr_raw(definition)) : kNil;
  const std::size_t depth = cx.bindings.size();
  record_unwind(cx, undo_autoload, kNil);
  // Anything non-nil makes `fset` and `provide` record what they replace.
  TRY(bind_variable_re(cx, Qautoload_queue, Qt));
  // (The queue is undone before it is unbound only when the load fails: the entry below is dropped then.)
  const bool ignore_errors = macro_only.truthy() && macro_only != Qmacro;
  const Value loaded = funcall_re(cx, Qload, {file, ignore_errors ? Qt : kNil, Qt, kNil, Qt});
  if (loaded.is_exit()) {
    if (!cx.exit_resolved) resolve_exit(cx);
    undo_autoload(cx, kNil);
  }
  // Success keeps everything: the unwind entry must not run its undoing.
  for (std::size_t i = depth; i < cx.bindings.size(); ++i)
    if (cx.bindings[i].kind == Binding::Kind::kUnwind && cx.bindings[i].fn == undo_autoload)
      cx.bindings[i].kind = Binding::Kind::kMarker;
  TRY(unbind_to_re(cx, depth, loaded));
  if (name.is_nil() || ignore_errors) return kNil;
  const Value now = resolve_function(cx, name);
  const auto same = TRY(equal(cx, now, definition));
  if (same)
    return error_text(cx, "Autoloading file " + to_std_string(file.is_string() ? file : make_string(cx, "")) +
                              " failed to define function " + std::string(symbol_name_view(cx, name)));
  return now;
}

NEOVM_PRIMITIVE(autoload_do_load, "autoload-do-load", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Load FUNDEF, an autoload definition of FUNNAME, and return what it defines.")
(Context& cx, Value definition, Value name, Value macro_only) {
  return autoload_do_load_re(cx, definition, name, macro_only);
}

// ---- macros -----------------------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(macroexpand, "macroexpand", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Expand FORM at its head until it is no macro call; ENVIRONMENT lists local macros.")
(Context& cx, Value form, Value environment) {
  while (form.is_cons()) {
    Value head = car_raw(form);
    Value definition = head;
    Value local = kNil;
    Value expander = kNil;
    while (definition.is_symbol() && !definition.is_nil()) {
      TRY(check_quit(cx));
      head = definition;
      local = assq(head, environment);
      if (!local.is_nil()) break;
      if (!environment.is_list()) return wrong_type(cx, Qlistp, environment);
      definition = symbol_function(cx, head);
    }
    if (local.is_nil()) {
      // Not mentioned in ENVIRONMENT: a real macro, perhaps one to load.
      definition = TRY(autoload_do_load_re(cx, definition, head, Qmacro));
      if (!definition.is_cons() || car_raw(definition) != Qmacro) return form;
      expander = cdr_raw(definition);
    } else {
      expander = cdr_raw(local);
      if (expander.is_nil()) return form;
    }
    const Value expansion = TRY(funcall_re(cx, Qapply, {expander, cdr_raw(form)}));
    if (expansion == form) return form;
    form = expansion;
  }
  return form;
}

}  // namespace neovm::elisp
