// Variable watchers: functions in the `watchers` property, called before a variable changes.
#include "machine.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

// Called by the core before a write to a watched variable. The newest watcher runs first.
Value notify_watchers(Context& cx, Value symbol, Value newval, Value operation, Value where) {
  const std::size_t depth = cx.bindings.size();
  // While its watchers run the variable may be written freely.
  cx.cells(symbol).flags &= static_cast<std::uint16_t>(~kSymbolWatched);
  record_unwind(
      cx, [](Context& c, Value s) { c.cells(s).flags |= kSymbolWatched; }, symbol);
  if (operation == Qmakunbound) newval = kNil;
  Value result = kNil;
  for (Value l = symbol_get(cx, symbol, Qwatchers); l.is_cons(); l = cdr_raw(l)) {
    result = funcall_re(cx, car_raw(l), {symbol, newval, operation, where});
    if (result.is_exit()) break;
  }
  return unbind_to_re(cx, depth, result);
}

NEOVM_PRIMITIVE(add_variable_watcher, "add-variable-watcher", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Call WATCH-FUNCTION when SYMBOL is about to change.")
(Context& cx, Value symbol, Value function) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  symbol = core::resolve_alias(cx, symbol);
  if ((cx.cells(symbol).flags & (kSymbolConstant | kSymbolKeyword)) != 0)
    return signal_error1(cx, Qtrapping_constant, symbol);
  cx.cells(symbol).flags |= kSymbolWatched;
  const Value watchers = symbol_get(cx, symbol, Qwatchers);
  for (Value l = watchers; l.is_cons(); l = cdr_raw(l))
    if (TRY(equal(cx, car_raw(l), function))) return kNil;
  symbol_put(cx, symbol, Qwatchers, cons(cx, function, watchers));
  return kNil;
}

NEOVM_PRIMITIVE(remove_variable_watcher, "remove-variable-watcher", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Undo `add-variable-watcher` of WATCH-FUNCTION for SYMBOL.")
(Context& cx, Value symbol, Value function) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  symbol = core::resolve_alias(cx, symbol);
  if ((cx.cells(symbol).flags & (kSymbolConstant | kSymbolKeyword)) != 0)
    return signal_error1(cx, Qtrapping_constant, symbol);
  Value kept = kNil;
  for (Value l = symbol_get(cx, symbol, Qwatchers); l.is_cons(); l = cdr_raw(l))
    if (!TRY(equal(cx, car_raw(l), function))) kept = cons(cx, car_raw(l), kept);
  kept = nreverse_list(kept);
  if (kept.is_nil()) cx.cells(symbol).flags &= static_cast<std::uint16_t>(~kSymbolWatched);
  symbol_put(cx, symbol, Qwatchers, kept);
  return kNil;
}

NEOVM_PRIMITIVE(get_variable_watchers, "get-variable-watchers", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the list of SYMBOL's watchers.")
(Context& cx, Value symbol) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  symbol = core::resolve_alias(cx, symbol);
  return (cx.cells(symbol).flags & kSymbolWatched) != 0 ? symbol_get(cx, symbol, Qwatchers) : kNil;
}

}  // namespace neovm::elisp
