// Which file defined what (lread.c:build_load_history).
#include "load_history.hpp"

namespace neovm::elisp {

namespace {

Maybe<bool> member(Context& cx, Value item, Value list) {
  for (; list.is_cons(); list = cdr_raw(list))
    if (TRY(equal(cx, item, car_raw(list)))) return true;
  return false;
}

}  // namespace

Maybe<bool> record_load_history(Context& cx, Value file, bool entire) {
  const Value current = variable_value(cx, Qcurrent_load_list);
  Value history = variable_value(cx, Qload_history);
  if (history.is_unbound()) history = kNil;
  Value previous = kNil;
  bool found = false;
  for (Value tail = history; tail.is_cons(); tail = cdr_raw(tail)) {
    const Value entry = car_raw(tail);
    if (!TRY(equal(cx, file, car_of_list(entry.is_list() ? entry : kNil)))) {
      previous = tail;
      continue;
    }
    found = true;
    if (entire) {  // what was known of the file is replaced
      if (previous.is_nil()) {
        history = cdr_raw(tail);
      } else {
        set_cdr_raw(previous, cdr_raw(tail));
      }
      continue;
    }
    for (Value l = current; l.is_cons(); l = cdr_raw(l)) {
      const Value known = car_raw(tail);
      if (TRY(member(cx, car_raw(l), known))) continue;
      set_car_raw(tail, cons(cx, car_of_list(known), cons(cx, car_raw(l), cdr_of_list(known))));
    }
  }
  if (entire || !found) {
    history = cons(cx, nreverse_list(current.is_cons() ? current : kNil), history);
    TRY(set_variable_re(cx, Qcurrent_load_list, Qt));
  }
  TRY(set_variable_re(cx, Qload_history, history));
  return true;
}

NEOVM_VARIABLE(load_history, "load-history", kGlobalVar, kAny, kInitNil,
               "Alist of what each loaded file defined: (FILE . DEFINITIONS).")
NEOVM_VARIABLE(current_load_list, "current-load-list", kGlobalVar, kAny, kInitNil,
               "Definitions of the file being loaded, latest first, ended by its name.")

}  // namespace neovm::elisp
