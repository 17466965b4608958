// Primitives on the cells of symbols: values, functions, property lists.
#include "machine.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

#define CHECK_SYMBOL(v)              \
  if (!(v).is_symbol()) [[unlikely]] \
  return wrong_type(cx, Qsymbolp, v)

NEOVM_PRIMITIVE(symbol_value, "symbol-value", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the value of SYMBOL as a variable.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  return variable_value_checked(cx, symbol);
}

NEOVM_PRIMITIVE(set, "set", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Set SYMBOL's value to NEWVAL, and return NEWVAL.")
(Context& cx, Value symbol, Value v) {
  CHECK_SYMBOL(symbol);
  TRY(set_variable_re(cx, symbol, v));
  return v;
}

NEOVM_PRIMITIVE(boundp, "boundp", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if SYMBOL has a value as a variable.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  return boolean(!variable_value(cx, symbol).is_unbound());
}

NEOVM_PRIMITIVE(makunbound, "makunbound", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Make SYMBOL void as a variable, and return it.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  if ((cx.cells(symbol).flags & (kSymbolConstant | kSymbolKeyword)) != 0)
    return signal_error1(cx, Qsetting_constant, symbol);
  TRY(core::set_in_re(cx, symbol, kUnbound, cx.locals, kNil, core::SetKind::kSet).is_exit() ? Value(kExit) : kNil);
  return symbol;
}

NEOVM_PRIMITIVE(fboundp, "fboundp", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if SYMBOL has a function definition.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  return boolean(symbol_function(cx, symbol).truthy());
}

NEOVM_PRIMITIVE(symbol_function, "symbol-function", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return SYMBOL's function definition, nil when void.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  return symbol_function(cx, symbol);
}

NEOVM_PRIMITIVE(symbol_plist, "symbol-plist", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return SYMBOL's property list.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  return cx.cells(symbol).plist;
}

NEOVM_PRIMITIVE(setplist, "setplist", 2, 2, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Set SYMBOL's property list to NEWPLIST, and return NEWPLIST.")
(Context& cx, Value symbol, Value plist) {
  CHECK_SYMBOL(symbol);
  store(&cx.cells(symbol).plist, plist);
  return plist;
}

NEOVM_PRIMITIVE(symbol_name, "symbol-name", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return SYMBOL's name, a string.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  return symbol_name(cx, symbol);
}

namespace {

// An autoload that is replaced by its real definition is remembered for `unload-feature`.
void remember_autoload(Context& cx, Value symbol, Value old) {
  if (old.is_cons() && car_raw(old) == Qautoload) symbol_put(cx, symbol, Qautoload, cdr_raw(old));
}

Value fset(Context& cx, Value symbol, Value definition) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  if (symbol.is_nil() && definition.truthy()) return signal_error1(cx, Qsetting_constant, symbol);
  const Value old = symbol_function(cx, symbol);
  const Value queue = variable_value(cx, Qautoload_queue);
  if (!queue.is_unbound() && queue.truthy() && old.truthy())
    TRY(set_variable_re(cx, Qautoload_queue, cons(cx, cons(cx, symbol, old), queue)));
  remember_autoload(cx, symbol, old);
  set_symbol_function(cx, symbol, definition);
  return definition;
}

}  // namespace

NEOVM_PRIMITIVE(fset, "fset", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Set SYMBOL's function definition to DEFINITION, and return DEFINITION.")
(Context& cx, Value symbol, Value definition) { return fset(cx, symbol, definition); }

NEOVM_PRIMITIVE(fmakunbound, "fmakunbound", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Make SYMBOL's function definition void, and return SYMBOL.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  if (symbol.is_nil() || symbol == Qt) return signal_error1(cx, Qsetting_constant, symbol);
  set_symbol_function(cx, symbol, kNil);
  return symbol;
}

NEOVM_PRIMITIVE(defalias, "defalias", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Set SYMBOL's function definition to DEFINITION, recording it in `load-history`.")
(Context& cx, Value symbol, Value definition, Value doc) {
  CHECK_SYMBOL(symbol);
  const Value old = symbol_function(cx, symbol);
  const bool was_autoload = old.is_cons() && car_raw(old) == Qautoload;
  const bool is_autoload = definition.is_cons() && car_raw(definition) == Qautoload;
  if (!is_autoload || !was_autoload) {
    // What `unload-feature` must restore.
    if (was_autoload) {
      loadhist_attach(cx, cons(cx, Qt, symbol));
    }
    loadhist_attach(cx, cons(cx, is_autoload ? Qautoload : Qdefun, symbol));
  }
  const Value hook = symbol_get(cx, symbol, Qdefalias_fset_function);
  if (hook.truthy()) {
    TRY(funcall_re(cx, hook, {symbol, definition}));
  } else {
    TRY(fset(cx, symbol, definition));
  }
  if (doc.truthy()) symbol_put(cx, symbol, Qfunction_documentation, doc);
  return symbol;
}

NEOVM_PRIMITIVE(indirect_function, "indirect-function", 1, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the function at the end of OBJECT's chain of symbols.")
(Context& cx, Value object, Value) { return indirect_function_re(cx, object); }

NEOVM_PRIMITIVE(indirect_variable, "indirect-variable", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the variable at the end of OBJECT's chain of aliases.")
(Context& cx, Value object) { return object.is_symbol() ? core::resolve_alias(cx, object) : object; }

NEOVM_PRIMITIVE(special_variable_p, "special-variable-p", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t if SYMBOL was declared special.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  return boolean((cx.cells(symbol).flags & kSymbolSpecial) != 0);
}

NEOVM_PRIMITIVE(internal_make_var_non_special, "internal-make-var-non-special", 1, 1, kWorkerSafe, kStateWrite, kNoGc,
                kNoReentry, kDeterministic, "Undo the declaration of SYMBOL as special.")
(Context& cx, Value symbol) {
  CHECK_SYMBOL(symbol);
  cx.cells(symbol).flags &= static_cast<std::uint16_t>(~kSymbolSpecial);
  return kNil;
}

NEOVM_PRIMITIVE(internal_define_uninitialized_variable, "internal--define-uninitialized-variable", 1, 2, kWorkerSafe,
                kStateWrite, kMayGc, kNoReentry, kDeterministic, "Declare SYMBOL special, without giving it a value.")
(Context& cx, Value symbol, Value doc) {
  CHECK_SYMBOL(symbol);
  return define_special(cx, symbol, doc);
}

}  // namespace neovm::elisp
