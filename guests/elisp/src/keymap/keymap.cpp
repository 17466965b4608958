// The structure of keymaps: parents, access, storing, walking.
#include "keymap/keymap.hpp"

#include "neovm/core/char_table.hpp"

namespace neovm::elisp {

namespace {

bool is_keymap_list(Value v) { return v.is_cons() && car_raw(v) == Qkeymap; }

// The function behind a symbol, aliases followed; bounded against cycles.
Value function_of(Context& cx, Value v) {
  for (int i = 0; v.is_symbol() && v.truthy() && i < 100; ++i) v = symbol_function(cx, v);
  return v;
}

Value event_head(Value event) { return event.is_cons() ? car_raw(event) : event; }

// Characters and symbols in the form under which maps hold them.
Value canonical_event(Context& cx, Value event) {
  event = event_head(event);
  if (event.is_symbol()) return reorder_modifiers(cx, event);
  if (event.is_fixnum()) return Value::fixnum(event.as_fixnum() & (kMetaModifier | (kMetaModifier - 1)));
  return event;
}

bool is_character_range(Value event) { return event.is_cons() && is_character(car_raw(event)); }

}  // namespace

Value get_keymap_re(Context& cx, Value object, bool error, bool autoload) {
  for (;;) {
    if (object.is_nil()) break;
    if (is_keymap_list(object)) return object;
    const Value f = function_of(cx, object);
    if (is_keymap_list(f)) return f;
    // An autoload of type keymap is loaded on demand.
    if ((autoload || !error) && f.is_cons() && car_raw(f) == Qautoload && object.is_symbol()) {
      Value type = f;
      for (int i = 0; i < 4 && type.is_cons(); ++i) type = cdr_raw(type);
      if (type.is_cons() && car_raw(type) == Qkeymap) {
        if (!autoload) return object;
        TRY(funcall_re(cx, Qautoload_do_load, {f, object}));
        continue;
      }
    }
    break;
  }
  if (error) return wrong_type(cx, Qkeymapp, object);
  return kNil;
}

Value keymap_parent_re(Context& cx, Value map, bool autoload) {
  const Value keymap = TRY(get_keymap_re(cx, map, true, autoload));
  Value l = cdr_raw(keymap);
  while (l.is_cons()) {
    if (car_raw(l) == Qkeymap) return l;  // the parent shares the list's tail
    l = cdr_raw(l);
  }
  return get_keymap_re(cx, l, false, autoload);
}

// Menu items: (STRING . DEFN), (menu-item NAME DEFN . PROPS), with an optional :filter.
Value binding_definition_re(Context& cx, Value binding, bool autoload) {
  (void)autoload;
  for (;;) {
    if (!binding.is_cons()) return binding;
    if (car_raw(binding) == Qmenu_item) {
      if (!cdr_raw(binding).is_cons()) return binding;
      Value rest = cdr_raw(cdr_raw(binding));
      if (!rest.is_cons()) return rest;
      Value definition = car_raw(rest);
      for (rest = cdr_raw(rest); rest.is_cons() && cdr_raw(rest).is_cons(); rest = cdr_raw(rest)) {
        if (car_raw(rest) != QCfilter) continue;
        const Value filter = car_raw(cdr_raw(rest));
        const Value form = list(cx, {filter, list(cx, {Qquote, definition})});
        definition = TRY(eval_form_re(cx, form, kNil));
        break;
      }
      return definition;
    }
    if (!car_raw(binding).is_string()) return binding;
    binding = cdr_raw(binding);
  }
}

Value access_keymap_re(Context& cx, Value map, Value event, bool t_ok, bool no_inherit, bool autoload) {
  event = canonical_event(cx, event);
  // A meta character is ESC and the rest.
  if (event.is_fixnum() && (event.as_fixnum() & kMetaModifier) != 0) {
    Value prefix = variable_value(cx, Qmeta_prefix_char);
    if (!prefix.is_fixnum()) prefix = Value::fixnum(27);
    const Value escape = TRY(access_keymap_re(cx, map, prefix, t_ok, no_inherit, autoload));
    const Value escape_map = escape.is_unbound() ? kNil : TRY(get_keymap_re(cx, escape, false, autoload));
    if (escape_map.is_cons()) {
      map = escape_map;
      event = Value::fixnum(event.as_fixnum() & ~kMetaModifier);
    } else if (t_ok) {
      event = Qt;
    } else {
      return kUnbound;
    }
  }
  Value found = kUnbound;
  Value default_binding = kUnbound;
  Value merged_tail = kNil;
  Value tail = map.is_cons() && car_raw(map) == Qkeymap ? cdr_raw(map) : map;
  for (;;) {
    if (!tail.is_cons()) {
      // A symbol may be the parent.
      tail = TRY(get_keymap_re(cx, tail, false, autoload));
      if (!tail.is_cons()) break;
    }
    TRY(check_quit(cx));
    const Value binding = car_raw(tail);
    Value value = kUnbound;
    if (binding == Qkeymap) {
      // The parent begins here. What it binds the event to becomes the tail of the merged map.
      if (no_inherit) break;
      if (!found.is_unbound()) {
        Value inherited = TRY(access_keymap_re(cx, tail, event, t_ok, false, autoload));
        inherited = inherited.is_unbound() ? kNil : TRY(get_keymap_re(cx, inherited, false, autoload));
        if (inherited.is_cons()) {
          if (merged_tail.is_nil()) {
            found = cons(cx, Qkeymap, cons(cx, found, inherited));
          } else {
            set_cdr_raw(merged_tail, inherited);
          }
        }
        break;
      }
    } else if (binding.is_cons() && is_keymap_list(binding)) {
      // A map inside a map: looked up like a parent that comes here.
      value = TRY(access_keymap_re(cx, binding, event, t_ok, no_inherit, autoload));
      if (value.is_nil()) value = Qt;
    } else if (binding.is_cons()) {
      const Value key = car_raw(binding);
      if (key == event) {
        value = cdr_raw(binding);
      } else if (t_ok && key == Qt) {
        default_binding = cdr_raw(binding);
        t_ok = false;
      } else if (key.is_cons() && is_character_range(key) && event.is_fixnum() && cdr_raw(key).is_fixnum() &&
                 event.as_fixnum() >= car_raw(key).as_fixnum() && event.as_fixnum() <= cdr_raw(key).as_fixnum()) {
        value = cdr_raw(binding);
      }
      if (value.is_nil()) value = Qt;
    } else if (is_vector(binding)) {
      if (event.is_natnum_fixnum() && event.as_fixnum() < slot_count_raw(binding)) {
        value = slot_raw(binding, event.as_fixnum());
        if (value.is_nil()) value = Qt;
      }
    } else if (is_char_table(binding)) {
      // Only characters without modifiers; nil means "not bound here", t "bound to nil".
      if (event.is_natnum_fixnum() && (event.as_fixnum() & kModifierMask) == 0 && event.as_fixnum() <= kMaxCharacter) {
        value = char_table_get(binding, static_cast<int>(event.as_fixnum()));
        if (value.is_nil()) value = kUnbound;
      }
    }
    if (!value.is_unbound()) {
      if (value == Qt) value = kNil;  // an explicit nil: shadows what comes later
      value = TRY(binding_definition_re(cx, value, autoload));
      const bool is_map = value.truthy() && TRY(get_keymap_re(cx, value, false, false))
      .is_cons();
      if (found.is_unbound()) {
        found = value;
        if (!is_map) break;
      } else if (is_map) {
        // Two maps under one prefix act as one.
        if (merged_tail.is_nil()) {
          merged_tail = list(cx, {value});
          found = cons(cx, Qkeymap, cons(cx, found, merged_tail));
        } else {
          set_cdr_raw(merged_tail, list(cx, {value}));
          merged_tail = cdr_raw(merged_tail);
        }
      }
    }
    tail = cdr_raw(tail);
  }
  if (found.is_unbound() && !default_binding.is_unbound())
    found = TRY(binding_definition_re(cx, default_binding, autoload));
  return found;
}

Value store_in_keymap(Context& cx, Value keymap, Value event, Value definition) {
  if (!is_keymap_list(keymap)) return error_text(cx, "attempt to define a key in a non-keymap");
  const bool range = is_character_range(event);
  if (!range) event = canonical_event(cx, event);
  Value insertion = keymap;
  for (Value tail = cdr_raw(keymap); tail.is_cons(); tail = cdr_raw(tail)) {
    const Value element = car_raw(tail);
    if (element == Qkeymap) break;  // the parent begins
    if (is_vector(element)) {
      if (event.is_natnum_fixnum() && event.as_fixnum() < slot_count_raw(element)) {
        set_slot_raw(element, event.as_fixnum(), definition);
        return definition;
      }
      insertion = tail;
    } else if (is_char_table(element)) {
      const Value stored = definition.is_nil() ? Qt : definition;
      if (event.is_natnum_fixnum() && (event.as_fixnum() & kModifierMask) == 0 && event.as_fixnum() <= kMaxCharacter) {
        char_table_set(cx, element, static_cast<int>(event.as_fixnum()), stored);
        return definition;
      }
      if (range && cdr_raw(event).is_fixnum()) {
        char_table_set_range(cx, element, static_cast<int>(car_raw(event).as_fixnum()),
                             static_cast<int>(cdr_raw(event).as_fixnum()), stored);
        return definition;
      }
      insertion = tail;
    } else if (element.is_cons()) {
      if (is_keymap_list(element)) {
        insertion = insertion;  // a sub-map does not move the place of insertion
      } else if (!range && car_raw(element) == event) {
        set_cdr_raw(element, definition);
        return definition;
      }
    }
  }
  if (range) {
    // A range needs a table; what single characters were bound stays before it in force.
    const Value table = make_char_table(cx, Qkeymap, kNil);
    char_table_set_range(cx, table, static_cast<int>(car_raw(event).as_fixnum()),
                         static_cast<int>(cdr_raw(event).as_fixnum()), definition.is_nil() ? Qt : definition);
    set_cdr_raw(insertion, cons(cx, table, cdr_raw(insertion)));
    return definition;
  }
  set_cdr_raw(insertion, cons(cx, cons(cx, event, definition), cdr_raw(insertion)));
  return definition;
}

Value collect_bindings_re(Context& cx, Value map, bool parents, Value* out) {
  Value tail = cdr_raw(TRY(get_keymap_re(cx, map, true, true)));
  std::int64_t steps = 0;
  for (;;) {
    if (!tail.is_cons()) {
      tail = parents ? TRY(get_keymap_re(cx, tail, false, true)) : kNil;
      if (!tail.is_cons()) return kNil;
    }
    if ((++steps & 1023) == 0) TRY(check_quit(cx));
    const Value e = car_raw(tail);
    if (e == Qkeymap) {
      if (!parents) return kNil;
    } else if (is_keymap_list(e)) {
      TRY(collect_bindings_re(cx, e, parents, out));
    } else if (e.is_cons()) {
      *out = cons(cx, cons(cx, car_raw(e), cdr_raw(e)), *out);
    } else if (is_vector(e)) {
      for (std::int64_t i = 0; i < slot_count_raw(e); ++i)
        if (slot_raw(e, i).truthy()) *out = cons(cx, cons(cx, Value::fixnum(i), slot_raw(e, i)), *out);
    } else if (is_char_table(e)) {
      for (int c = 0; c <= kMaxCharacter;) {
        int from = c;
        int to = kMaxCharacter;
        const Value v = core::char_table_get_range(e, c, &from, &to);
        if (v.truthy()) {
          const Value key = c == to ? Value::fixnum(c) : cons(cx, Value::fixnum(c), Value::fixnum(to));
          *out = cons(cx, cons(cx, key, v == Qt ? kNil : v), *out);
        }
        c = to + 1;
      }
    }
    tail = cdr_raw(tail);
  }
}

// ---- making and inspecting -----------------------------------------------------------------------------------

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
(Context& cx, Value object) {
  const Value map = TRY(get_keymap_re(cx, object, false, false));
  return boolean(map.truthy());
}

NEOVM_PRIMITIVE(keymap_parent, "keymap-parent", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the parent of KEYMAP, or nil.")
(Context& cx, Value keymap) { return keymap_parent_re(cx, keymap, true); }

NEOVM_PRIMITIVE(set_keymap_parent, "set-keymap-parent", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Make KEYMAP inherit from PARENT, or from nothing.")
(Context& cx, Value keymap, Value parent) {
  const Value map = TRY(get_keymap_re(cx, keymap, true, true));
  if (parent.truthy()) {
    parent = TRY(get_keymap_re(cx, parent, true, false));
    for (Value p = parent; p.truthy(); p = TRY(keymap_parent_re(cx, p, false)))
      if (p == map) return error_text(cx, "Cyclic keymap inheritance");
  }
  Value previous = map;
  for (;;) {
    const Value l = cdr_raw(previous);
    if (!l.is_cons() || car_raw(l) == Qkeymap) {
      set_cdr_raw(previous, parent);
      return parent;
    }
    previous = l;
  }
}

NEOVM_PRIMITIVE(keymap_prompt, "keymap-prompt", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the prompt string of KEYMAP or of what it inherits from.")
(Context& cx, Value keymap) {
  Value l = TRY(get_keymap_re(cx, keymap, false, false));
  while (l.is_cons()) {
    const Value e = car_raw(l);
    if (e.is_string()) return e;
    if (is_keymap_list(e)) {
      const Value inner = TRY(prim_keymap_prompt(cx, e));
      if (inner.truthy()) return inner;
    }
    l = cdr_raw(l);
    if (!l.is_cons()) l = TRY(get_keymap_re(cx, l, false, false));
  }
  return kNil;
}

NEOVM_PRIMITIVE(keymap_get_keyelt, "keymap--get-keyelt", 2, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the definition inside OBJECT, an element of a keymap.")
(Context& cx, Value object, Value autoload) { return binding_definition_re(cx, object, autoload.truthy()); }

NEOVM_PRIMITIVE(map_keymap_internal, "map-keymap-internal", 2, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Call FUNCTION for each binding of KEYMAP itself; return its parent.")
(Context& cx, Value function, Value keymap) {
  const Value map = TRY(get_keymap_re(cx, keymap, true, true));
  Value all = kNil;
  TRY(collect_bindings_re(cx, map, false, &all));
  for (Value l = nreverse_list(all); l.is_cons(); l = cdr_raw(l))
    TRY(funcall_re(cx, function, {car_raw(car_raw(l)), cdr_raw(car_raw(l))}));
  return keymap_parent_re(cx, map, false);
}

NEOVM_PRIMITIVE(map_keymap, "map-keymap", 2, 3, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Call FUNCTION for each binding of KEYMAP and its parents.")
(Context& cx, Value function, Value keymap, Value sort_first) {
  if (sort_first.truthy()) return funcall_re(cx, intern(cx, "map-keymap-sorted"), {keymap, function});
  Value all = kNil;
  TRY(collect_bindings_re(cx, keymap, true, &all));
  for (Value l = nreverse_list(all); l.is_cons(); l = cdr_raw(l))
    TRY(funcall_re(cx, function, {car_raw(car_raw(l)), cdr_raw(car_raw(l))}));
  return kNil;
}

namespace {

Value copy_map_re(Context& cx, Value map, int depth);

// Menu item wrappers are copied too, so that the copy's sub-maps can be changed alone.
Value copy_binding_re(Context& cx, Value v, int depth) {
  if (!v.is_cons()) return v;
  if (is_keymap_list(v)) return copy_map_re(cx, v, depth + 1);
  if (car_raw(v) == Qmenu_item && cdr_raw(v).is_cons() && cdr_raw(cdr_raw(v)).is_cons()) {
    const Value rest = cdr_raw(cdr_raw(v));
    const Value definition = TRY(copy_binding_re(cx, car_raw(rest), depth + 1));
    return cons(cx, Qmenu_item, cons(cx, car_raw(cdr_raw(v)), cons(cx, definition, cdr_raw(rest))));
  }
  if (car_raw(v).is_string()) return cons(cx, car_raw(v), TRY(copy_binding_re(cx, cdr_raw(v), depth + 1)));
  return v;
}

Value copy_map_re(Context& cx, Value map, int depth) {
  if (depth > 100) return error_text(cx, "Possible infinite recursion when copying keymap");
  Value out = list(cx, {Qkeymap});
  Value l = cdr_raw(map);
  for (; l.is_cons() && car_raw(l) != Qkeymap; l = cdr_raw(l)) {
    Value e = car_raw(l);
    if (is_char_table(e)) {
      e = core::copy_char_table(cx, e);
      for (int c = 0; c <= kMaxCharacter;) {
        int from = c;
        int to = kMaxCharacter;
        const Value v = core::char_table_get_range(e, c, &from, &to);
        if (v.is_cons()) char_table_set_range(cx, e, c, to, TRY(copy_binding_re(cx, v, depth)));
        c = to + 1;
      }
    } else if (is_vector(e)) {
      const Value copy = TRY(make_vector(cx, slot_count_raw(e), kNil));
      for (std::int64_t i = 0; i < slot_count_raw(e); ++i)
        set_slot_raw(copy, i, TRY(copy_binding_re(cx, slot_raw(e, i), depth)));
      e = copy;
    } else if (is_keymap_list(e)) {
      e = TRY(copy_map_re(cx, e, depth + 1));
    } else if (e.is_cons()) {
      e = cons(cx, car_raw(e), TRY(copy_binding_re(cx, cdr_raw(e), depth)));
    }
    out = cons(cx, e, out);
  }
  // `l` is the parent (or nil) and is shared.
  Value result = l;
  for (Value r = out; r.is_cons();) {
    const Value next = cdr_raw(r);
    set_cdr_raw(r, result);
    result = r;
    r = next;
  }
  return result;
}

}  // namespace

NEOVM_PRIMITIVE(copy_keymap, "copy-keymap", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return a copy of KEYMAP with its own sub-maps; the parent is shared.")
(Context& cx, Value keymap) {
  const Value map = TRY(get_keymap_re(cx, keymap, true, false));
  return copy_map_re(cx, map, 0);
}

}  // namespace neovm::elisp
