// The structure of keymaps: what is one, parents, elements, copying, walking.
#include "keymap/keymap.hpp"
#include "neovm/core/char_table.hpp"

namespace neovm::elisp {

namespace {

constexpr int kMaxNesting = 100;       // of maps in maps, when copying
constexpr int kMaxIndirections = 100;  // of symbols whose function is a symbol

// True for (autoload FILE DOC INTERACTIVE keymap).
bool autoloads_keymap(Value f) {
  if (!f.is_cons() || car_raw(f) != Qautoload) return false;
  for (int i = 0; i < 4 && f.is_cons(); ++i) f = cdr_raw(f);
  return f.is_cons() && car_raw(f) == Qkeymap;
}

Value function_of(Context& cx, Value v) {
  for (int i = 0; v.is_symbol() && v.truthy() && i < kMaxIndirections; ++i) v = symbol_function(cx, v);
  return v;
}

// The runs of equal values in a char-table, as visit(FROM, TO, VALUE); stops at the first Exit.
template <class Visit>
Value each_run(Value table, Visit visit) {
  const Value ascii = slot_raw(table, kCharTableAscii);
  const bool plain = core::is_sub_char_table(ascii) && slot_raw(table, kCharTableDefault).is_nil() &&
                     !is_char_table(slot_raw(table, kCharTableParent));
  for (int c = 0; c <= kMaxCharacter;) {
    if (plain && c < 0x80) {  // a run that ends among these needs no search
      const Value v = slot_raw(ascii, core::kSubTableContents + c);
      int to = c;
      while (to < 0x7f && slot_raw(ascii, core::kSubTableContents + to + 1) == v) ++to;
      if (to < 0x7f) {
        if (v.truthy()) TRY(visit(c, to, v));
        c = to + 1;
        continue;
      }
    }
    int from = c;
    int to = kMaxCharacter;
    const Value v = core::char_table_get_range(table, c, &from, &to);
    if (v.truthy()) TRY(visit(c, to, v));
    c = to + 1;
  }
  return kNil;
}

}  // namespace

bool is_keymap_list(Value v) { return v.is_cons() && car_raw(v) == Qkeymap; }

Value get_keymap_re(Context& cx, Value object, OnMissing missing, Autoload autoload) {
  if (is_keymap_list(object)) return object;
  if (!object.is_symbol()) return missing == OnMissing::kNil ? kNil : wrong_type(cx, Qkeymapp, object);
  Value map = function_of(cx, object);
  if (autoload == Autoload::kYes && autoloads_keymap(map)) {
    TRY(funcall_re(cx, Qautoload_do_load, {map, object}));
    map = function_of(cx, object);
  }
  if (is_keymap_list(map)) return map;
  // A map that would be autoloaded is one, for whoever only asks.
  if (missing == OnMissing::kNil) return autoload == Autoload::kNo && autoloads_keymap(map) ? object : kNil;
  return wrong_type(cx, Qkeymapp, object);
}

Value keymap_parent_re(Context& cx, Value map, Autoload autoload) {
  Value rest = cdr_raw(TRY(get_keymap_re(cx, map, OnMissing::kSignal, autoload)));
  while (rest.is_cons() && car_raw(rest) != Qkeymap) rest = cdr_raw(rest);
  return rest.is_cons() ? rest : get_keymap_re(cx, rest, OnMissing::kNil, autoload);
}

namespace {

// The part of BINDING from the definition on that a menu item has before its properties; kUnbound when it is no menu item.
Value menu_item_rest(Value* binding) {
  // ("Item" "Help" . DEFINITION)
  while (binding->is_cons() && car_raw(*binding).is_string()) *binding = cdr_raw(*binding);
  if (!binding->is_cons() || car_raw(*binding) != Qmenu_item || !cdr_raw(*binding).is_cons()) return kUnbound;
  return cdr_raw(cdr_raw(*binding));  // (menu-item NAME DEFINITION . PROPERTIES)
}

}  // namespace

Value binding_without_filter(Value binding) {
  const Value rest = menu_item_rest(&binding);
  if (rest.is_unbound()) return binding;
  return rest.is_cons() ? car_raw(rest) : rest;
}

Value binding_definition_re(Context& cx, Value binding) {
  const Value rest = menu_item_rest(&binding);
  if (rest.is_unbound()) return binding;
  if (!rest.is_cons()) return rest;
  const Value definition = car_raw(rest);
  if (definition.is_nil()) return kNil;
  for (Value p = cdr_raw(rest); p.is_cons() && cdr_raw(p).is_cons(); p = cdr_raw(p))
    if (car_raw(p) == QCfilter)
      return eval_form_re(cx, list(cx, {car_raw(cdr_raw(p)), list(cx, {Qquote, definition})}), kNil);
  return definition;
}

Value embedded_keymap_re(Context& cx, Value element) {
  if (!element.is_cons() && (!element.is_symbol() || element == Qkeymap)) return kNil;
  return get_keymap_re(cx, element, OnMissing::kNil, Autoload::kNo);
}

Value each_binding_re(Context& cx, Value map, bool parents, BindingVisitor* visitor) {
  Value rest = cdr_raw(TRY(get_keymap_re(cx, map, OnMissing::kSignal, Autoload::kYes)));
  for (std::int64_t steps = 1;; ++steps) {
    if (!rest.is_cons()) {
      if (!parents || rest.is_nil()) return rest;
      rest = TRY(get_keymap_re(cx, rest, OnMissing::kNil, Autoload::kYes));
      if (!rest.is_cons()) return kNil;
    }
    if ((steps & 1023) == 0) TRY(check_quit(cx));
    const Value element = car_raw(rest);
    const bool embedded = TRY(embedded_keymap_re(cx, element))
    .truthy();
    if (!parents && (embedded || element == Qkeymap)) return rest;
    rest = cdr_raw(rest);
    if (embedded) {
      TRY(each_binding_re(cx, element, parents, visitor));
    } else if (element.is_cons()) {
      TRY(visitor->visit(cx, car_raw(element), cdr_raw(element)));
    } else if (is_vector(element)) {
      for (std::int64_t i = 0; i < slot_count_raw(element); ++i)
        TRY(visitor->visit(cx, Value::fixnum(i), slot_raw(element, i)));
    } else if (is_char_table(element)) {
      TRY(each_run(element, [&](int from, int to, Value v) {
        const Value key = from == to ? Value::fixnum(from) : cons(cx, Value::fixnum(from), Value::fixnum(to));
        return visitor->visit(cx, key, v == Qt ? kNil : v);
      }));
    }
  }
}

Value collect_bindings_re(Context& cx, Value map, bool parents, Value* out) {
  struct Collect final : BindingVisitor {
    explicit Collect(Value* to) : out(to) {}
    Value visit(Context& c, Value event, Value binding) override {
      *out = cons(c, cons(c, event, binding), *out);
      return kNil;
    }
    Value* out;
  } collect(out);
  return each_binding_re(cx, map, parents, &collect);
}

// ---- making and inspecting -------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(make_keymap, "make-keymap", 0, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return a new full keymap with PROMPT.")
(Context& cx, Value prompt) {
  const Value tail = prompt.truthy() ? list(cx, {prompt}) : kNil;
  return cons(cx, Qkeymap, cons(cx, make_char_table(cx, Qkeymap, kNil), tail));
}

NEOVM_PRIMITIVE(make_sparse_keymap, "make-sparse-keymap", 0, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Return a new sparse keymap with PROMPT.")
(Context& cx, Value prompt) { return prompt.truthy() ? list(cx, {Qkeymap, prompt}) : list(cx, {Qkeymap}); }

NEOVM_PRIMITIVE(keymapp, "keymapp", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return t when OBJECT is a keymap.")
(Context& cx, Value object) { return boolean(TRY(get_keymap_re(cx, object, OnMissing::kNil, Autoload::kNo)).truthy()); }

NEOVM_PRIMITIVE(keymap_parent, "keymap-parent", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the parent of KEYMAP, or nil.")
(Context& cx, Value keymap) { return keymap_parent_re(cx, keymap, Autoload::kYes); }

NEOVM_PRIMITIVE(set_keymap_parent, "set-keymap-parent", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Make KEYMAP inherit from PARENT, or from nothing.")
(Context& cx, Value keymap, Value parent) {
  const Value map = TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kYes));
  if (parent.truthy()) {
    parent = TRY(get_keymap_re(cx, parent, OnMissing::kSignal, Autoload::kYes));
    for (Value p = parent; p.truthy(); p = TRY(keymap_parent_re(cx, p, Autoload::kNo)))
      if (p == map) return error_text(cx, "Cyclic keymap inheritance");
  }
  Value last = map;  // the last cons of the map's own elements
  while (cdr_raw(last).is_cons() && car_raw(cdr_raw(last)) != Qkeymap) last = cdr_raw(last);
  set_cdr_raw(last, parent);
  return parent;
}

NEOVM_PRIMITIVE(keymap_prompt, "keymap-prompt", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the prompt string of KEYMAP or of what it inherits from.")
(Context& cx, Value keymap) {
  Value rest = TRY(get_keymap_re(cx, keymap, OnMissing::kNil, Autoload::kNo));
  while (rest.is_cons()) {
    const Value element = car_raw(rest);
    if (element.is_string()) return element;
    if (is_keymap_list(element)) {
      const Value inner = TRY(prim_keymap_prompt(cx, element));
      if (inner.truthy()) return inner;
    }
    rest = cdr_raw(rest);
    if (!rest.is_cons()) rest = TRY(get_keymap_re(cx, rest, OnMissing::kNil, Autoload::kNo));
  }
  return kNil;
}

NEOVM_PRIMITIVE(
    get_keyelt, "keymap--get-keyelt", 2, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
    "Return the definition inside OBJECT, an element of a keymap; FILTER: with the :filter of a menu item run.")
(Context& cx, Value object, Value filter) {
  return filter.truthy() ? binding_definition_re(cx, object) : binding_without_filter(object);
}

// ---- walking ---------------------------------------------------------------------------------------------------

namespace {

// Calls FUNCTION with event and binding. The bindings are collected first, so FUNCTION may change the map. Returns what
// collect_bindings_re does.
Value call_with_bindings_re(Context& cx, Value function, Value map, bool parents) {
  Value bindings = kNil;
  const Value rest = TRY(collect_bindings_re(cx, map, parents, &bindings));
  for (Value l = nreverse_list(bindings); l.is_cons(); l = cdr_raw(l))
    TRY(funcall_re(cx, function, {car_raw(car_raw(l)), cdr_raw(car_raw(l))}));
  return rest;
}

}  // namespace

NEOVM_PRIMITIVE(map_keymap_internal, "map-keymap-internal", 2, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic,
                "Call FUNCTION for each binding of KEYMAP before its first inner map; return what is left of KEYMAP.")
(Context& cx, Value function, Value keymap) {
  return call_with_bindings_re(cx, function, TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kYes)), false);
}

NEOVM_PRIMITIVE(map_keymap, "map-keymap", 2, 3, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Call FUNCTION for each binding of KEYMAP and its parents; in the order of events when SORT-FIRST.")
(Context& cx, Value function, Value keymap, Value sort_first) {
  if (sort_first.truthy()) return funcall_re(cx, intern(cx, "map-keymap-sorted"), {function, keymap});
  return call_with_bindings_re(cx, function, keymap, true);
}

// ---- copying ---------------------------------------------------------------------------------------------------

namespace {

Value copy_map_re(Context& cx, Value map, int depth);

// Copies the map inside a binding, and the conses around it.
Value copy_binding_re(Context& cx, Value v, int depth) {
  if (is_keymap_list(v)) return copy_map_re(cx, v, depth + 1);
  if (!v.is_cons()) return v;
  if (car_raw(v).is_string()) return cons(cx, car_raw(v), TRY(copy_binding_re(cx, cdr_raw(v), depth)));
  if (car_raw(v) != Qmenu_item || !cdr_raw(v).is_cons() || !cdr_raw(cdr_raw(v)).is_cons()) return v;
  const Value name = car_raw(cdr_raw(v));
  const Value rest = cdr_raw(cdr_raw(v));
  const Value definition = TRY(copy_binding_re(cx, car_raw(rest), depth));
  return cons(cx, Qmenu_item, cons(cx, name, cons(cx, definition, cdr_raw(rest))));
}

Value copy_element_re(Context& cx, Value element, int depth) {
  if (is_keymap_list(element)) return copy_map_re(cx, element, depth + 1);
  if (element.is_cons()) return cons(cx, car_raw(element), TRY(copy_binding_re(cx, cdr_raw(element), depth)));
  if (is_vector(element)) {
    const Value copy = TRY(make_vector(cx, slot_count_raw(element), kNil));
    for (std::int64_t i = 0; i < slot_count_raw(element); ++i)
      set_slot_raw(copy, i, TRY(copy_binding_re(cx, slot_raw(element, i), depth)));
    return copy;
  }
  if (is_char_table(element)) {
    const Value copy = core::copy_char_table(cx, element);
    TRY(each_run(element, [&](int from, int to, Value v) -> Value {
      if (v.is_cons()) char_table_set_range(cx, copy, from, to, TRY(copy_binding_re(cx, v, depth)));
      return kNil;
    }));
    return copy;
  }
  return element;
}

Value copy_map_re(Context& cx, Value map, int depth) {
  if (depth > kMaxNesting) return error_text(cx, "Possible infinite recursion when copying keymap");
  const Value copy = list(cx, {Qkeymap});
  Value last = copy;
  Value rest = cdr_raw(map);
  for (; rest.is_cons() && car_raw(rest) != Qkeymap; rest = cdr_raw(rest)) {
    TRY(check_quit(cx));
    const Value cell = cons(cx, TRY(copy_element_re(cx, car_raw(rest), depth)), kNil);
    set_cdr_raw(last, cell);
    last = cell;
  }
  set_cdr_raw(last, rest);  // the parent is shared
  return copy;
}

}  // namespace

NEOVM_PRIMITIVE(copy_keymap, "copy-keymap", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return a copy of KEYMAP with its own sub-maps; the parent is shared.")
(Context& cx, Value keymap) {
  return copy_map_re(cx, TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kNo)), 0);
}

}  // namespace neovm::elisp
