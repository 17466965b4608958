// Property lists, of symbols and by themselves, and widgets (fns.c of GNU).
#include "equal_to.hpp"
#include "neovm/core/list_walk.hpp"
#include "rows.hpp"

namespace neovm::elisp {
namespace {

// Finds PROPERTY; `place` is the cons of its value, nil when absent; `last` the last value's cons.
struct Found {
  Value place = kNil;
  Value last = kNil;
};
enum class Strictness : std::uint8_t { kLenient, kCircular, kStrict };

template <class Same>
Maybe<Found> find(Context& cx, Value plist, Strictness strictness, Same same) {
  Found found;
  core::CycleFinder cycle(plist);
  Value tail = plist;
  while (tail.is_cons()) {
    const Value rest = cdr_raw(tail);
    if (!rest.is_cons()) break;
    if (TRY(same(car_raw(tail)))) {
      found.place = rest;
      return found;
    }
    found.last = rest;
    tail = cdr_raw(rest);
    if (cycle.step(tail)) {
      if (strictness == Strictness::kLenient) return found;
      return signal_error1(cx, Qcircular_list, plist);
    }
    if (cycle.at_poll()) TRY(check_quit(cx));
  }
  if (strictness == Strictness::kStrict && !tail.is_nil()) return wrong_type(cx, Qplistp, plist);
  return found;
}

Value put_at(Context& cx, Value plist, const Found& found, Value property, Value v) {
  if (found.place.is_cons()) {
    set_car_raw(found.place, v);
    return plist;
  }
  const Value addition = cons(cx, property, cons(cx, v, found.last.is_nil() ? plist : cdr_raw(found.last)));
  if (found.last.is_nil()) return addition;
  set_cdr_raw(found.last, addition);
  return plist;
}

}  // namespace

DATA_LOOKS(plist_get, "plist-get", 2, 2, "Return the value of PROP (compared by `eq') in PLIST, or nil; never fails.")
(Context&, Value plist, Value property) { return plist_get(plist, property); }
DATA_WRITES(plist_put, "plist-put", 3, 3, "Set PROP (compared by `eq') in PLIST to VAL; return the new list.")
(Context& cx, Value plist, Value property, Value v) {
  const Found f =
      TRY(find(cx, plist, Strictness::kStrict, [property](Value p) -> Maybe<bool> { return p == property; }));
  return put_at(cx, plist, f, property, v);
}
DATA_LOOKS(lax_plist_get, "lax-plist-get", 2, 2, "Return the value of PROP (compared by `equal') in PLIST, or nil.")
(Context& cx, Value plist, Value property) {
  const Found f = TRY(find(cx, plist, Strictness::kStrict, EqualTo(cx, property)));
  return car_of_list(f.place);
}
DATA_WRITES(lax_plist_put, "lax-plist-put", 3, 3,
            "Set PROP (compared by `equal') in PLIST to VAL; return the new list.")
(Context& cx, Value plist, Value property, Value v) {
  const Found f = TRY(find(cx, plist, Strictness::kStrict, EqualTo(cx, property)));
  return put_at(cx, plist, f, property, v);
}

namespace {

Value plist_member(Context& cx, Value plist, Value property) {
  core::CycleFinder cycle(plist);
  Value tail = plist;
  while (tail.is_cons()) {
    if (car_raw(tail) == property) return tail;
    tail = cdr_raw(tail);
    if (!tail.is_cons()) break;
    tail = cdr_raw(tail);
    if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, plist);
    if (cycle.at_poll()) TRY(check_quit(cx));
  }
  if (!tail.is_nil()) return wrong_type(cx, Qplistp, plist);
  return kNil;
}

}  // namespace

DATA_LOOKS(plist_member, "plist-member", 2, 2, "Return the tail of PLIST that starts with PROP, or nil.")
(Context& cx, Value plist, Value property) { return plist_member(cx, plist, property); }

DATA_READS_STATE(get, "get", 2, 2, "Return the value of SYMBOL's property PROPNAME, or nil.")
(Context& cx, Value symbol, Value property) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  const Value overriding = variable_value(cx, Qoverriding_plist_environment);
  if (overriding.is_cons()) {
    const Value v = plist_get(cdr_of_list(assq(symbol, overriding)), property);
    if (v.truthy()) return v;
  }
  return symbol_get(cx, symbol, property);
}
DATA_WRITES(put, "put", 3, 3, "Set SYMBOL's property PROPNAME to VALUE; return VALUE.")
(Context& cx, Value symbol, Value property, Value v) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  symbol_put(cx, symbol, property, v);
  return v;
}
NEOVM_VARIABLE(overriding_plist_environment, "overriding-plist-environment", kGlobalVar, kAny, kInitNil,
               "Alist of (SYMBOL . PLIST) that `get' looks at before the symbol's own property list.")

// ---- widgets: (TYPE . PLIST), inheriting through the type's `widget-type' property --------------------------

DATA_WRITES(widget_put, "widget-put", 3, 3, "Set PROPERTY of WIDGET to VALUE.")
(Context& cx, Value widget, Value property, Value v) {
  if (!widget.is_cons()) return wrong_type(cx, Qconsp, widget);
  const Value plist = cdr_raw(widget);
  const Found f =
      TRY(find(cx, plist, Strictness::kStrict, [property](Value p) -> Maybe<bool> { return p == property; }));
  set_cdr_raw(widget, put_at(cx, plist, f, property, v));
  return v;
}

namespace {

Value widget_value(Context& cx, Value widget, Value property) {
  for (;;) {
    if (widget.is_nil()) return kNil;
    if (!widget.is_cons()) return wrong_type(cx, Qconsp, widget);
    const Value tail = TRY(plist_member(cx, cdr_raw(widget), property));
    if (tail.is_cons()) return car_of_list(cdr_raw(tail));
    const Value type = car_raw(widget);
    if (type.is_nil()) return kNil;
    if (!type.is_symbol()) return wrong_type(cx, Qsymbolp, type);
    widget = symbol_get(cx, type, Qwidget_type);
    TRY(check_quit(cx));
  }
}

}  // namespace

DATA_READS_STATE(widget_get, "widget-get", 2, 2,
                 "Return the value of PROPERTY of WIDGET or of the types it is based on.")
(Context& cx, Value widget, Value property) { return widget_value(cx, widget, property); }
DATA_REENTERS(widget_apply, "widget-apply", 2, kMany,
              "Call the function that is the value of PROPERTY of WIDGET with WIDGET and ARGS.")
(Context& cx, Arguments args) {
  const Value function = TRY(widget_value(cx, args[0], args[1]));
  args[1] = args[0];
  return funcall_re(cx, function, args.subspan(1));
}

}  // namespace neovm::elisp
