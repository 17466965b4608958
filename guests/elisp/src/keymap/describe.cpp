// Descriptions of keymaps for people: what a char-table or vector of bindings says, and all bindings of a buffer. (Emacs Lisp
// manual, "Documentation of Commands"; the rest is in GNU's help.el, which calls these and is called.)
#include "keymap/keymap.hpp"
#include "neovm/core/char_table.hpp"

namespace neovm::elisp {

namespace {

Value insert_re(Context& cx, Value text) { return funcall_re(cx, intern(cx, "insert"), {text}); }
Value insert_re(Context& cx, std::string_view text) { return insert_re(cx, TRY(make_string(cx, text))); }

// A table of bindings, which may be a char-table or a vector, and what hides them.
class Description {
 public:
  Description(Context& cx, Value table, Value prefix, Value describer)
      : table_(table), prefix_(prefix), describer_(describer) {
    check_ranges_ = variable_value(cx, intern(cx, "describe-bindings-check-shadowing-in-ranges"));
  }
  bool princ = false;    // describer only prints the definition, on standard-output
  bool keymap = false;   // elements are bindings, keys are shown as such
  bool partial = false;  // leave out commands with the property suppress-keymap
  bool mention_shadow = false;
  Value shadow = kNil;
  Value entire_map = kNil;

  Value run_re(Context& cx) {
    const std::int64_t end = is_char_table(table_) ? kMaxCharacter + 1 : slot_count_raw(table_);
    for (std::int64_t i = 0; i < end;) {
      TRY(check_quit(cx));
      std::int64_t last = i;
      TRY(show_from_re(cx, i, &last));
      i = last + 1;
    }
    if (!is_char_table(table_)) return kNil;
    const Value rest = TRY(funcall_re(cx, intern(cx, "char-table-range"), {table_, kNil}));
    if (rest.is_nil()) return kNil;
    TRY(insert_re(cx, "default"));
    return tell_re(cx, rest);
  }

 private:
  static constexpr std::int64_t kFirstRawByte = 0x3FFF80;

  // The value at `i`; *last is the end of the run of characters that have it, too.
  Value at(std::int64_t i, std::int64_t* last) const {
    if (!is_char_table(table_)) return slot_raw(table_, *last = i);
    int from = 0;
    int to = kMaxCharacter;
    const Value v = core::char_table_get_range(table_, static_cast<int>(i), &from, &to);
    *last = i < kFirstRawByte ? std::min<std::int64_t>(to, kFirstRawByte - 1) : to;
    return v;
  }

  // The binding that hides KEY, or nil.
  Value shadowed_by_re(Context& cx, Value key) const {
    if (shadow.is_nil()) return kNil;
    return funcall_re(cx, intern(cx, "help--shadow-lookup"), {shadow, key, Qt, kNil});
  }

  // True if what hides character `i` is not what hides the range so far.
  Value ends_range_re(Context& cx, std::int64_t i, Value definition, Value hidden_by) const {
    if (shadow.is_nil() || check_ranges_.is_nil()) return kNil;
    if (check_ranges_ == intern(cx, "ignore-self-insert") && definition == intern(cx, "self-insert-command"))
      return kNil;
    const Value key = TRY(make_vector(cx, 1, Value::fixnum(i)));
    return boolean(TRY(shadowed_by_re(cx, key)) != hidden_by);
  }

  // Shows the run of equal definitions that begins at `first`, and stores its end.
  Value show_from_re(Context& cx, std::int64_t first, std::int64_t* last) {
    std::int64_t run_end = first;
    const Value element = at(first, &run_end);
    *last = run_end;
    if (element.is_nil()) return kNil;
    const Value definition = keymap ? binding_without_filter(element) : element;
    if (definition.is_nil()) return kNil;
    if (partial && definition.is_symbol() && symbol_get(cx, definition, intern(cx, "suppress-keymap")).truthy())
      return kNil;
    *last = first;
    const Value key = TRY(make_vector(cx, 1, Value::fixnum(first)));
    const Value hidden_by = TRY(shadowed_by_re(cx, key));
    if (hidden_by.truthy() && hidden_by != definition && !mention_shadow) return kNil;
    if (entire_map.truthy() && TRY(funcall_re(cx, Qlookup_key, {entire_map, key, Qt})) != definition) return kNil;
    TRY(extend_re(cx, element, definition, hidden_by, run_end, last));
    if (!any_) TRY(insert_re(cx, "\n"));
    any_ = true;
    TRY(insert_key_re(cx, first));
    if (*last != first) {
      TRY(insert_re(cx, " .. "));
      TRY(insert_key_re(cx, *last));
    }
    TRY(tell_re(cx, definition));
    return hidden_by.truthy() && hidden_by != definition ? note_shadow_re(cx, hidden_by) : kNil;
  }

  // Moves *last on over what is defined and hidden alike.
  Value extend_re(Context& cx, Value first, Value definition, Value hidden_by, std::int64_t run_end,
                  std::int64_t* last) const {
    const std::int64_t end = is_char_table(table_) ? kMaxCharacter + 1 : slot_count_raw(table_);
    const std::int64_t stop = *last < kFirstRawByte ? std::min(end, kFirstRawByte) : end;
    for (;;) {
      if (check_ranges_.is_nil() || shadow.is_nil()) {
        *last = run_end;
      } else {
        for (; *last < run_end; ++*last)
          if (TRY(ends_range_re(cx, *last + 1, definition, hidden_by)).truthy()) return kNil;
      }
      if (*last + 1 >= stop) return kNil;
      const std::int64_t next = *last + 1;
      const Value element = at(next, &run_end);
      if (element.is_nil()) return kNil;
      const bool same = element == first || (!is_char_table(table_) && TRY(equal(cx, element, first)));
      if (!same || TRY(ends_range_re(cx, next, definition, hidden_by)).truthy()) return kNil;
      *last = next;
    }
  }

  Value insert_key_re(Context& cx, std::int64_t i) const {
    const Value key = TRY(make_vector(cx, 1, Value::fixnum(i)));
    const Value text = TRY(funcall_re(cx, intern(cx, "key-description"), {key, prefix_}));
    if (!keymap) return insert_re(cx, text);
    return insert_re(cx, TRY(funcall_re(cx, intern(cx, "propertize"),
                                        {text, intern(cx, "font-lock-face"), intern(cx, "help-key-binding")})));
  }

  Value tell_re(Context& cx, Value definition) const {
    if (princ) TRY(funcall_re(cx, intern(cx, "indent-to"), {Value::fixnum(16), Value::fixnum(1)}));
    TRY(funcall_re(cx, describer_, {definition}));
    return princ ? funcall_re(cx, intern(cx, "terpri"), {}) : kNil;
  }

  // Behind the definition, before the newline that the describer ended with.
  static Value note_shadow_re(Context& cx, Value by) {
    const Value format = TRY(make_string(cx, "  (currently shadowed by `%s')"));
    const Value note = TRY(funcall_re(cx, intern(cx, "format-message"), {format, by}));
    TRY(funcall_re(cx, intern(cx, "forward-char"), {Value::fixnum(-1)}));
    TRY(insert_re(cx, note));
    return funcall_re(cx, intern(cx, "forward-char"), {Value::fixnum(1)});
  }

  Value table_;
  Value prefix_;
  Value describer_;
  Value check_ranges_;
  bool any_ = false;
};

Value check_table(Context& cx, Value table) {
  if (is_vector(table) || is_char_table(table)) return kNil;
  return wrong_type(cx, intern(cx, "vector-or-char-table-p"), table);
}

}  // namespace

NEOVM_PRIMITIVE(
    help_describe_vector, "help--describe-vector", 7, 7, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
    "Insert what VECTOR of a keymap binds after PREFIX, by DESCRIBER; PARTIAL, SHADOW, ENTIRE-MAP: what to leave out.")
(Context& cx, Value vector, Value prefix, Value describer, Value partial, Value shadow, Value entire_map,
 Value mention_shadow) {
  TRY(check_table(cx, vector));
  Description d(cx, vector, prefix, describer);
  d.keymap = true;
  d.partial = partial.truthy();
  d.shadow = shadow;
  d.entire_map = entire_map;
  d.mention_shadow = mention_shadow.truthy();
  const std::size_t depth = binding_depth(cx);
  TRY(bind_variable_re(cx, Qstandard_output, TRY(funcall_re(cx, Qcurrent_buffer, {}))));
  return unbind_to_re(cx, depth, d.run_re(cx));
}

NEOVM_PRIMITIVE(describe_vector, "describe-vector", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Insert a description of what is in VECTOR, by DESCRIBER (default: princ).")
(Context& cx, Value vector, Value describer) {
  TRY(check_table(cx, vector));
  Description d(cx, vector, kNil, describer.is_nil() ? intern(cx, "princ") : describer);
  d.princ = true;
  const std::size_t depth = binding_depth(cx);
  TRY(bind_variable_re(cx, Qstandard_output, TRY(funcall_re(cx, Qcurrent_buffer, {}))));
  return unbind_to_re(cx, depth, d.run_re(cx));
}

namespace {

// The maps that are active in a buffer, each with the heading that it is shown under; those of lower precedence later.
struct ActiveMaps {
  Value maps = kNil;  // of conses (TITLE . MAP)

  Value add_re(Context& cx, Value map, std::string_view title) {
    if (map.is_nil()) return kNil;
    maps = cons(cx, cons(cx, TRY(make_string(cx, title)), map), maps);
    return kNil;
  }
};

Value active_maps_re(Context& cx, ActiveMaps* out) {
  TRY(out->add_re(cx, variable_value(cx, Qoverriding_terminal_local_map), "\f\nOverriding Bindings"));
  const Value overriding = variable_value(cx, Qoverriding_local_map);
  if (overriding.truthy()) return out->add_re(cx, overriding, "\f\nOverriding Bindings");
  const Value point = TRY(funcall_re(cx, Qpoint, {}));
  TRY(out->add_re(cx, TRY(property_map_re(cx, point, Qkeymap)), "\f\n`keymap' Property Bindings"));
  ModeMaps modes;
  TRY(minor_mode_maps_re(cx, &modes));
  for (; modes.maps.is_cons(); modes.maps = cdr_raw(modes.maps), modes.modes = cdr_raw(modes.modes)) {
    const std::string name = to_std_string(symbol_name(cx, car_raw(modes.modes)));
    TRY(out->add_re(cx, car_raw(modes.maps), "\f\n`" + name + "' Minor Mode Bindings"));
  }
  const Value by_property = TRY(property_map_re(cx, point, Qlocal_map));
  if (by_property.truthy()) return out->add_re(cx, by_property, "\f\n`local-map' Property Bindings");
  return out->add_re(cx, variable_value(cx, Qneovm__local_keymap), "\f\nMajor Mode Bindings");
}

}  // namespace

NEOVM_PRIMITIVE(describe_buffer_bindings, "describe-buffer-bindings", 1, 3, kMainOnly, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Insert a description of all key bindings of BUFFER (below PREFIX; MENUS: and menus).")
(Context& cx, Value buffer, Value prefix, Value menus) {
  if (host_hooks(cx).is_buffer == nullptr || !host_hooks(cx).is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
  const Value no_menu = boolean(menus.is_nil());
  const auto tree = [&](Value map, Value partial, Value shadow, Value title, Value translations, Value always) {
    return funcall_re(cx, intern(cx, "describe-map-tree"),
                      {map, partial, shadow, prefix, title, no_menu, translations, always, kNil});
  };
  const auto translations_re = [&](const char* variable, const char* title) -> Value {
    const Value map = variable_value(cx, intern(cx, variable));
    if (map.is_nil() || map.is_unbound()) return kNil;
    return tree(map, kNil, kNil, TRY(make_string(cx, title)), Qt, kNil);
  };
  TRY(translations_re("key-translation-map", "Key translations"));
  const Value output = TRY(funcall_re(cx, Qcurrent_buffer, {}));
  TRY(funcall_re(cx, Qset_buffer, {buffer}));
  ActiveMaps active;
  const Value found = active_maps_re(cx, &active);
  TRY(funcall_re(cx, Qset_buffer, {output}));
  TRY(found);
  Value shadow = kNil;
  for (Value l = nreverse_list(active.maps); l.is_cons(); l = cdr_raw(l)) {
    TRY(tree(cdr_raw(car_raw(l)), Qt, shadow, car_raw(car_raw(l)), kNil, kNil));
    shadow = cons(cx, cdr_raw(car_raw(l)), shadow);
  }
  TRY(tree(variable_value(cx, Qneovm__global_keymap), Qt, shadow, TRY(make_string(cx, "\f\nGlobal Bindings")), kNil,
           Qt));
  TRY(translations_re("local-function-key-map", "\f\nFunction key map translations"));
  TRY(translations_re("input-decode-map", "\f\nInput decoding map translations"));
  return kNil;
}

}  // namespace neovm::elisp
