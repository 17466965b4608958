// featurep, provide and require (fns.c of GNU).
#include "rows.hpp"
#include "sequences.hpp"

namespace neovm::elisp {
namespace {

// Lisp's `member': `equal', tolerant of anything.
bool has_member(Context& cx, Value x, Value list) {
  for (; list.is_cons(); list = cdr_raw(list)) {
    Maybe<bool> same = equal(cx, car_raw(list), x);
    if (same.ok() && same.get_raw()) return true;
  }
  return false;
}

}  // namespace

NEOVM_VARIABLE(
    features, "features", kGlobalVar, kAny, +[](Context& cx) { return list(cx, {Qemacs}); },
    "List of the symbols that are features of this machine.")

namespace {
Value features(Context& cx) {
  const Value v = variable_value(cx, Qfeatures);
  return v.is_unbound() ? kNil : v;
}
}  // namespace

DATA_READS_STATE(featurep, "featurep", 1, 2, "Return t if FEATURE (with SUBFEATURE) is present.")
(Context& cx, Value feature, Value subfeature) {
  if (!feature.is_symbol()) return wrong_type(cx, Qsymbolp, feature);
  if (!memq(feature, features(cx)).is_cons()) return kNil;
  if (subfeature.is_nil()) return Qt;
  return boolean(has_member(cx, subfeature, symbol_get(cx, feature, Qsubfeatures)));
}

DATA_REENTERS(provide, "provide", 1, 2,
              "Announce FEATURE (with SUBFEATURES); run what waits for it in `after-load-alist'.")
(Context& cx, Value feature, Value subfeatures) {
  if (!feature.is_symbol()) return wrong_type(cx, Qsymbolp, feature);
  if (!subfeatures.is_list()) return wrong_type(cx, Qlistp, subfeatures);
  if (!memq(feature, features(cx)).is_cons()) TRY(set_variable_re(cx, Qfeatures, cons(cx, feature, features(cx))));
  if (subfeatures.truthy()) symbol_put(cx, feature, Qsubfeatures, subfeatures);
  const Value history = variable_value(cx, Qcurrent_load_list);
  if (!history.is_unbound())
    TRY(set_variable_re(cx, Qcurrent_load_list, cons(cx, cons(cx, Qprovide, feature), history)));
  const Value waiting = variable_value(cx, Qafter_load_alist);
  if (!waiting.is_unbound()) {
    const Value entry = assq(feature, waiting);
    if (entry.is_cons()) {
      for (Value tail = cdr_raw(entry); tail.is_cons(); tail = cdr_raw(tail)) TRY(funcall_re(cx, car_raw(tail), {}));
    }
  }
  return feature;
}

namespace {

// Names of what is being required, innermost first: a file that requires itself over and over is stopped.
void pop_nesting(Context& cx, Value old) { (void)set_variable_re(cx, Qrequire_nesting_list, old); }

}  // namespace

NEOVM_VARIABLE(require_nesting_list, " require-nesting-list", kGlobalVar, kAny, kInitNil,
               "Features being required just now.")

DATA_REENTERS(
    require, "require", 1, 3,
    "Load FILENAME (default FEATURE's name) unless FEATURE is present; NOERROR returns nil when there is no file.")
(Context& cx, Value feature, Value filename, Value no_error) {
  if (!feature.is_symbol()) return wrong_type(cx, Qsymbolp, feature);
  const Value load_in_progress = variable_value(cx, Qload_in_progress);
  const bool in_load_history =
      variable_true(cx, Qcurrent_load_list) || (load_in_progress.truthy() && !load_in_progress.is_unbound());
  if (in_load_history) {
    // Recorded so that unload-feature knows who needs whom.
    const Value entry = cons(cx, Qrequire, feature);
    const Value history = variable_value(cx, Qcurrent_load_list);
    if (!history.is_unbound() && !has_member(cx, entry, history))
      TRY(set_variable_re(cx, Qcurrent_load_list, cons(cx, entry, history)));
  }
  if (memq(feature, features(cx)).is_cons()) return feature;

  const Value nesting = variable_value(cx, Qrequire_nesting_list);
  int depth = 0;
  for (Value tail = nesting; tail.is_cons(); tail = cdr_raw(tail)) depth += car_raw(tail) == feature;
  if (depth > 3)
    return error_format(cx, "Recursive `require' for feature `%s'", std::string(symbol_name_view(cx, feature)).c_str());

  const std::size_t bindings = binding_depth(cx);
  record_unwind(cx, pop_nesting, nesting.is_unbound() ? kNil : nesting);
  TRY(set_variable_re(cx, Qrequire_nesting_list, cons(cx, feature, nesting.is_unbound() ? kNil : nesting)));
  const Value name = filename.is_nil() ? symbol_name(cx, feature) : filename;
  const Value loaded = TRY(funcall_re(cx, Qload, {name, no_error, Qt, kNil, filename.is_nil() ? Qt : kNil}));
  if (loaded.is_nil()) return unbind_to_re(cx, bindings, kNil);
  if (!memq(feature, features(cx)).is_cons()) {
    const Value history = variable_value(cx, Qload_history);
    const Value file = history.is_cons() && car_raw(history).is_cons() ? car_raw(car_raw(history)) : kNil;
    const Value text = !file.is_string()
        ? TRY(funcall_re(cx, Qformat_message, {make_string(cx, "Required feature `%s' was not provided"), feature}))
            : TRY(funcall_re(cx, Qformat_message,
                             {make_string(cx, "Loading file %s failed to provide feature `%s'"), file, feature}));
            return signal_error1(cx, Qerror, text);
  }
  return unbind_to_re(cx, bindings, feature);
}

}  // namespace neovm::elisp
