// Key sequences: define-key, lookup-key, the active maps, finding keys of commands.
#include <algorithm>
#include <string>

#include "keymap/keymap.hpp"

namespace neovm::elisp {

namespace {

bool is_key_array(Value v) { return v.is_string() || is_vector(v); }
std::int64_t key_count(Value keys) { return keys.is_string() ? string_chars(keys) : slot_count_raw(keys); }
Value key_at(Value keys, std::int64_t i) {
  return keys.is_string() ? Value::fixnum(string_char_raw(keys, i)) : slot_raw(keys, i);
}

// (control a) and (MODIFIER… BASE) in a vector; a list with a non-symbol head is an event or a range.
bool is_modifier_list(Value v) {
  if (!v.is_cons()) return false;
  for (Value l = v;; l = cdr_raw(l)) {
    if (!l.is_cons()) return l.is_nil();
    if (!car_raw(l).is_fixnum() && !(car_raw(l).is_symbol() && car_raw(l).truthy())) return false;
  }
}

// The bit that means "meta" in an element of this sequence.
std::int64_t meta_bit_of(Value keys) {
  return is_vector(keys) || (keys.is_string() && string_multibyte(keys)) ? kMetaModifier : 0x80;
}

// Signals for [DEL] and the like, which name a key instead of being one.
Value check_event_symbol(Context& cx, Value symbol) {
  const ParsedEvent p = parse_event_symbol(cx, symbol);
  const std::string base(symbol_name_view(cx, p.base));
  static constexpr std::pair<std::string_view, const char*> kNames[] = {{"DEL", "\\d"}, {"RET", "\\r"}, {"LFD", "\\n"},
                                                                        {"TAB", "\\t"}, {"ESC", "\\e"}, {"SPC", "\\s"}};
  const std::string whole(symbol_name_view(cx, symbol));
  for (const auto& [name, text] : kNames) {
    if (base != name) continue;
    std::string prefix;
    for (const char c : whole.substr(0, whole.size() - base.size())) prefix += c;
    std::string modifiers;
    for (std::size_t i = 0; i + 1 < prefix.size(); i += 2) modifiers += "\\" + prefix.substr(i, 2);
    return error_text(cx, "To bind the key " + whole + ", use [?" + modifiers + text + "], not [" + whole + "]");
  }
  return kNil;
}

Value new_prefix_map(Context& cx, Value map, Value event) {
  const Value fresh = list(cx, {Qkeymap});
  TRY(store_in_keymap(cx, map, event, fresh));
  return fresh;
}

Value describe_keys_re(Context& cx, Value keys, std::int64_t n) {
  const Value part = TRY(funcall_re(cx, Qsubstring, {keys, Value::fixnum(0), Value::fixnum(n)}));
  return funcall_re(cx, Qkey_description, {part});
}

}  // namespace

NEOVM_PRIMITIVE(define_key, "define-key", 3, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "In KEYMAP, bind the key sequence KEY to DEF.")
(Context& cx, Value keymap, Value key, Value definition) {
  Value map = TRY(get_keymap_re(cx, keymap, true, true));
  if (!is_key_array(key)) return wrong_type(cx, Qarrayp, key);
  const std::int64_t n = key_count(key);
  if (n == 0) return kNil;
  const std::int64_t meta_bit = meta_bit_of(key);
  // A keyboard macro given as a vector of event lists is converted.
  if (is_vector(definition) && slot_count_raw(definition) > 0 && slot_raw(definition, 0).is_cons()) {
    const Value copy = TRY(make_vector(cx, slot_count_raw(definition), kNil));
    for (std::int64_t i = 0; i < slot_count_raw(definition); ++i) {
      const Value e = slot_raw(definition, i);
      set_slot_raw(copy, i, is_modifier_list(e) ? TRY(convert_event_list(cx, e)) : e);
    }
    definition = copy;
  }
  bool metized = false;
  for (std::int64_t i = 0;;) {
    Value c = key_at(key, i);
    if (c.is_cons()) {
      // A range keeps its list form, modifiers become one event, [(menu …)] stays.
      if (is_modifier_list(c)) {
        c = TRY(convert_event_list(cx, c));
      } else if (car_raw(c).is_fixnum() && !is_character(car_raw(c))) {
        return error_text(cx, "Invalid character range");
      }
    }
    if (c.is_symbol() && c.truthy()) TRY(check_event_symbol(cx, c));
    if (c.is_fixnum() && (c.as_fixnum() & meta_bit) != 0 && !metized) {
      c = variable_value(cx, Qmeta_prefix_char);
      metized = true;
    } else {
      if (c.is_fixnum()) c = Value::fixnum(c.as_fixnum() & ~meta_bit);
      metized = false;
      ++i;
    }
    if (!c.is_fixnum() && !c.is_symbol() && !c.is_string() && !(c.is_cons() && car_raw(c).is_fixnum())) {
      if (c.is_cons()) {
        c = car_raw(c);
      } else {
        return error_text(cx, "Key sequence contains invalid event");
      }
    }
    if (i == n) return store_in_keymap(cx, map, c, definition);
    Value next = TRY(access_keymap_re(cx, map, c, false, true, true));
    if (next.is_unbound() || next.is_nil()) next = TRY(new_prefix_map(cx, map, c));
    const Value next_map = TRY(get_keymap_re(cx, next, false, true));
    if (!next_map.is_cons()) {
      const Value whole = TRY(funcall_re(cx, Qkey_description, {key}));
      const Value prefix = TRY(describe_keys_re(cx, key, i));
      return error_text(cx, "Key sequence " + to_std_string(whole) + " starts with non-prefix key " +
                                to_std_string(prefix) + (metized ? " ESC" : ""));
    }
    map = next_map;
  }
}

namespace {

Value lookup_in_one_re(Context& cx, Value map, Value keys, bool accept_default) {
  const std::int64_t n = key_count(keys);
  const std::int64_t meta_bit = meta_bit_of(keys);
  if (n == 0) return map;
  for (std::int64_t i = 0;;) {
    Value c = key_at(keys, i++);
    if (c.is_cons() && is_modifier_list(c)) c = TRY(convert_event_list(cx, c));
    // Bytes with the top bit of a unibyte string are meta characters.
    if (keys.is_string() && c.is_fixnum() && meta_bit == 0x80 && (c.as_fixnum() & 0x80) != 0)
      c = Value::fixnum((c.as_fixnum() | kMetaModifier) & ~std::int64_t{0x80});
    if (!c.is_fixnum() && !c.is_symbol() && !c.is_cons() && !c.is_string())
      return error_text(cx, "Key sequence contains invalid event");
    Value binding = TRY(access_keymap_re(cx, map, c, accept_default, false, true));
    if (binding.is_unbound()) binding = kNil;
    if (i == n) return binding;
    const Value next = TRY(get_keymap_re(cx, binding, false, true));
    if (!next.is_cons()) return Value::fixnum(i);
    map = next;
  }
}

// Menu bar entries are found whatever their case: [menu-bar File] as [menu-bar file].
Value downcase_menu_key_re(Context& cx, Value keys, bool dashes) {
  const Value copy = TRY(funcall_re(cx, Qcopy_sequence, {keys}));
  for (std::int64_t i = 0; i < slot_count_raw(copy); ++i) {
    const Value e = slot_raw(copy, i);
    if (!e.is_symbol() || e.is_nil()) continue;
    Value name = TRY(funcall_re(cx, Qdowncase, {symbol_name(cx, e)}));
    if (dashes) {
      std::string s(string_view_of(name));
      for (char& c : s)
        if (c == ' ') c = '-';
      name = make_string(cx, s);
    }
    set_slot_raw(copy, i, intern(cx, string_view_of(name)));
  }
  return copy;
}

}  // namespace

Value lookup_key_re(Context& cx, Value map, Value keys, bool accept_default) {
  const Value found = TRY(lookup_in_one_re(cx, map, keys, accept_default));
  if ((found.truthy() && !found.is_fixnum()) || !is_vector(keys) || slot_count_raw(keys) == 0 ||
      slot_raw(keys, 0) != intern(cx, "menu-bar"))
    return found;
  for (const bool dashes : {false, true}) {
    const Value lower = TRY(downcase_menu_key_re(cx, keys, dashes));
    const Value again = TRY(lookup_in_one_re(cx, map, lower, accept_default));
    if (again.truthy() && !again.is_fixnum()) return again;
  }
  return found;
}

NEOVM_PRIMITIVE(lookup_key, "lookup-key", 2, 3, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Look up KEY in KEYMAP (or a list of keymaps); a number says how many events were a complete key.")
(Context& cx, Value keymap, Value key, Value accept_default) {
  // A list that is no keymap is a list of keymaps, tried in order.
  if (keymap.is_cons() && car_raw(keymap) != Qkeymap) {
    Value result = kNil;
    for (Value l = keymap; l.is_cons(); l = cdr_raw(l)) {
      const Value map = TRY(get_keymap_re(cx, car_raw(l), true, true));
      if (!is_key_array(key)) return wrong_type(cx, Qarrayp, key);
      result = TRY(lookup_key_re(cx, map, key, accept_default.truthy()));
      if (result.truthy() && !result.is_fixnum()) return result;
    }
    return result.is_fixnum() ? result : kNil;
  }
  const Value map = TRY(get_keymap_re(cx, keymap, true, true));
  if (!is_key_array(key)) return wrong_type(cx, Qarrayp, key);
  return lookup_key_re(cx, map, key, accept_default.truthy());
}

// ---- the current maps ---------------------------------------------------------------------------------------

// The current buffer's local map and the global map are variables that no program names, so that they take
// part in buffers and images like any other variable.
NEOVM_VARIABLE(local_keymap, "neovm--local-keymap", kAlwaysLocalSlotVar, kAny, kInitNil,
               "Local keymap of the current buffer; use current-local-map.")
namespace {
Value make_global_map(Context& cx) { return cons(cx, Qkeymap, cons(cx, make_char_table(cx, Qkeymap, kNil), kNil)); }
}  // namespace
NEOVM_VARIABLE(global_keymap, "neovm--global-keymap", kGlobalVar, kAny, make_global_map,
               "The global keymap; use current-global-map.")

NEOVM_PRIMITIVE(current_global_map, "current-global-map", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the global keymap.")
(Context& cx) { return variable_value(cx, Qneovm__global_keymap); }

NEOVM_PRIMITIVE(use_global_map, "use-global-map", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Make KEYMAP the global keymap.")
(Context& cx, Value keymap) {
  const Value map = TRY(get_keymap_re(cx, keymap, true, true));
  TRY(set_variable_re(cx, Qneovm__global_keymap, map));
  return kNil;
}

NEOVM_PRIMITIVE(current_local_map, "current-local-map", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the current buffer's local keymap, or nil.")
(Context& cx) { return variable_value(cx, Qneovm__local_keymap); }

NEOVM_PRIMITIVE(use_local_map, "use-local-map", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Make KEYMAP the current buffer's local keymap; nil for none.")
(Context& cx, Value keymap) {
  const Value map = keymap.is_nil() ? kNil : TRY(get_keymap_re(cx, keymap, true, true));
  TRY(set_variable_re(cx, Qneovm__local_keymap, map));
  return kNil;
}

namespace {

// Maps of the minor modes that are on, in order of precedence, onto `out` (newest first); modes onto `modes`.
Value minor_mode_maps_re(Context& cx, Value* out, Value* modes) {
  const auto from_alist = [&](Value alist, bool overriding) -> Value {
    (void)overriding;
    for (Value l = alist; l.is_cons(); l = cdr_raw(l)) {
      const Value entry = car_raw(l);
      if (!entry.is_cons() || !car_raw(entry).is_symbol()) continue;
      const Value mode = car_raw(entry);
      const Value on = variable_value(cx, mode);
      if (on.is_nil() || on.is_unbound()) continue;
      // A mode that the major mode overrides takes its map from the overriding list.
      if (alist == variable_value(cx, Qminor_mode_map_alist) &&
          assq(mode, variable_value(cx, Qminor_mode_overriding_map_alist)).truthy())
        continue;
      const Value map = TRY(get_keymap_re(cx, cdr_raw(entry), false, true));
      if (!map.is_cons()) continue;
      *out = cons(cx, map, *out);
      *modes = cons(cx, mode, *modes);
    }
    return kNil;
  };
  for (Value l = variable_value(cx, Qemulation_mode_map_alists); l.is_cons(); l = cdr_raw(l)) {
    Value alist = car_raw(l);
    if (alist.is_symbol()) alist = variable_value(cx, alist);
    TRY(from_alist(alist, false));
  }
  TRY(from_alist(variable_value(cx, Qminor_mode_overriding_map_alist), true));
  return from_alist(variable_value(cx, Qminor_mode_map_alist), false);
}

Value property_map_re(Context& cx, Value position, Value property) {
  const Value v = TRY(funcall_re(cx, Qget_char_property, {position, property}));
  return v.is_nil() ? kNil : get_keymap_re(cx, v, false, true);
}

}  // namespace

Value current_active_maps_re(Context& cx, bool olp, Value position) {
  Value maps = kNil;  // newest first, that is: lowest precedence first
  const Value terminal_local = olp ? variable_value(cx, Qoverriding_terminal_local_map) : kNil;
  const Value local_override = olp ? variable_value(cx, Qoverriding_local_map) : kNil;
  if (terminal_local.truthy()) maps = cons(cx, terminal_local, maps);
  if (local_override.truthy()) {
    maps = cons(cx, local_override, maps);
  } else {
    if (position.is_nil()) position = TRY(funcall_re(cx, Qpoint, {}));
    const Value by_keymap = TRY(property_map_re(cx, position, Qkeymap));
    if (by_keymap.is_cons()) maps = cons(cx, by_keymap, maps);
    Value modes = kNil;
    TRY(minor_mode_maps_re(cx, &maps, &modes));
    const Value by_local = TRY(property_map_re(cx, position, Qlocal_map));
    const Value local = by_local.is_cons() ? by_local : variable_value(cx, Qneovm__local_keymap);
    if (local.is_cons()) maps = cons(cx, local, maps);
  }
  maps = cons(cx, variable_value(cx, Qneovm__global_keymap), maps);
  return nreverse_list(maps);
}

NEOVM_PRIMITIVE(current_active_maps, "current-active-maps", 0, 2, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the active keymaps in order of precedence.")
(Context& cx, Value olp, Value position) { return current_active_maps_re(cx, olp.truthy(), position); }

NEOVM_PRIMITIVE(current_minor_mode_maps, "current-minor-mode-maps", 0, 0, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the keymaps of the minor modes that are on.")
(Context& cx) {
  Value maps = kNil;
  Value modes = kNil;
  TRY(minor_mode_maps_re(cx, &maps, &modes));
  return nreverse_list(maps);
}

NEOVM_PRIMITIVE(minor_mode_key_binding, "minor-mode-key-binding", 1, 2, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return an alist (MODE . BINDING) of what minor modes bind KEY to.")
(Context& cx, Value key, Value accept_default) {
  Value maps = kNil;
  Value modes = kNil;
  TRY(minor_mode_maps_re(cx, &maps, &modes));
  maps = nreverse_list(maps);
  modes = nreverse_list(modes);
  if (!is_key_array(key)) return wrong_type(cx, Qarrayp, key);
  Value out = kNil;
  for (; maps.is_cons(); maps = cdr_raw(maps), modes = cdr_raw(modes)) {
    const Value b = TRY(lookup_key_re(cx, car_raw(maps), key, accept_default.truthy()));
    if (b.is_nil() || b.is_fixnum()) continue;
    const bool prefix = TRY(get_keymap_re(cx, b, false, false))
    .truthy();
    if (prefix) {
      out = cons(cx, cons(cx, car_raw(modes), b), out);
    } else if (out.is_nil()) {
      return list(cx, {cons(cx, car_raw(modes), b)});
    }
  }
  return nreverse_list(out);
}

NEOVM_PRIMITIVE(command_remapping, "command-remapping", 1, 3, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return what COMMAND is remapped to in the active keymaps, or in KEYMAPS.")
(Context& cx, Value command, Value position, Value keymaps) {
  if (!command.is_symbol()) return kNil;
  const Value key = TRY(make_vector(cx, 2, Qremap));
  set_slot_raw(key, 1, command);
  Value maps = keymaps;
  if (maps.is_nil()) {
    maps = TRY(current_active_maps_re(cx, true, position));
  } else if (maps.is_cons() && car_raw(maps) == Qkeymap) {
    maps = list(cx, {maps});
  }
  for (; maps.is_cons(); maps = cdr_raw(maps)) {
    const Value map = TRY(get_keymap_re(cx, car_raw(maps), false, true));
    if (!map.is_cons()) continue;
    const Value b = TRY(lookup_key_re(cx, map, key, false));
    if (b.truthy() && !b.is_fixnum()) return b;
  }
  return kNil;
}

NEOVM_PRIMITIVE(key_binding, "key-binding", 1, 4, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the binding of KEY in the active keymaps.")
(Context& cx, Value key, Value accept_default, Value no_remap, Value position) {
  if (!is_key_array(key)) return wrong_type(cx, Qarrayp, key);
  Value maps = TRY(current_active_maps_re(cx, true, position));
  for (; maps.is_cons(); maps = cdr_raw(maps)) {
    const Value map = TRY(get_keymap_re(cx, car_raw(maps), false, true));
    if (!map.is_cons()) continue;
    const Value b = TRY(lookup_key_re(cx, map, key, accept_default.truthy()));
    if (b.is_nil() || b.is_fixnum()) continue;
    if (no_remap.is_nil() && b.is_symbol()) {
      const Value remapped = TRY(prim_command_remapping(cx, b, position, kNil));
      if (remapped.truthy()) return remapped;
    }
    return b;
  }
  return kNil;
}

NEOVM_PRIMITIVE(define_prefix_command, "define-prefix-command", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Make COMMAND a prefix command with a fresh keymap (in MAPVAR, prompt NAME).")
(Context& cx, Value command, Value map_variable, Value name) {
  if (!command.is_symbol()) return wrong_type(cx, Qsymbolp, command);
  const Value map = name.truthy() ? list(cx, {Qkeymap, name}) : list(cx, {Qkeymap});
  TRY(funcall_re(cx, Qfset, {command, map}));
  TRY(set_variable_re(cx, map_variable.truthy() ? map_variable : command, map));
  return command;
}

// ---- finding keys -----------------------------------------------------------------------------------------

namespace {

// SEQUENCE with EVENT at its end. Below ESC the event becomes the meta form of itself.
Value extend_re(Context& cx, Value sequence, Value event) {
  const std::int64_t n = slot_count_raw(sequence);
  const Value prefix = variable_value(cx, Qmeta_prefix_char);
  const bool metize =
      n > 0 && slot_raw(sequence, n - 1) == prefix && event.is_fixnum() && (event.as_fixnum() & kMetaModifier) == 0;
  const std::int64_t length = metize ? n : n + 1;
  const Value out = TRY(make_vector(cx, length, kNil));
  for (std::int64_t i = 0; i < length - 1; ++i) set_slot_raw(out, i, slot_raw(sequence, i));
  set_slot_raw(out, length - 1, metize ? Value::fixnum(event.as_fixnum() | kMetaModifier) : event);
  return out;
}

bool contains_map(Value maps, Value map) {
  for (; maps.is_cons(); maps = cdr_raw(maps))
    if (cdr_raw(car_raw(maps)) == map) return true;
  return false;
}

}  // namespace

NEOVM_PRIMITIVE(accessible_keymaps, "accessible-keymaps", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return an alist (KEY . MAP) of all keymaps reachable from KEYMAP (below PREFIX).")
(Context& cx, Value keymap, Value prefix) {
  Value start = TRY(get_keymap_re(cx, keymap, true, true));
  Value first_key = TRY(make_vector(cx, 0, kNil));
  if (prefix.truthy() && key_count(prefix) > 0) {
    start = TRY(lookup_key_re(cx, start, prefix, false));
    start = TRY(get_keymap_re(cx, start, false, true));
    if (!start.is_cons()) return kNil;
    first_key = TRY(funcall_re(cx, Qvconcat, {prefix}));
  }
  const Value result = list(cx, {cons(cx, first_key, start)});
  Value last = result;
  for (Value l = result; l.is_cons(); l = cdr_raw(l)) {
    const Value sequence = car_raw(car_raw(l));
    Value bindings = kNil;
    TRY(collect_bindings_re(cx, cdr_raw(car_raw(l)), true, &bindings));
    for (bindings = nreverse_list(bindings); bindings.is_cons(); bindings = cdr_raw(bindings)) {
      const Value event = car_raw(car_raw(bindings));
      if (event.is_cons()) continue;  // a range of characters is no prefix
      const Value definition = TRY(binding_definition_re(cx, cdr_raw(car_raw(bindings)), false));
      const Value map = TRY(get_keymap_re(cx, definition, false, false));
      if (!map.is_cons() || contains_map(result, map)) continue;
      const Value cell = list(cx, { cons(cx, TRY(extend_re(cx, sequence, event)), map) });
      set_cdr_raw(last, cell);
      last = cell;
    }
  }
  return result;
}

namespace {

// Ranking: key sequences that can be typed as plain characters come before menu entries.
bool has_menu_start(Context& cx, Value keys) {
  if (slot_count_raw(keys) == 0) return false;
  const Value k = slot_raw(keys, 0);
  return k == intern(cx, "menu-bar") || k == Qtool_bar || k == Qtab_bar;
}
bool ascii_keys(Value keys) {
  for (std::int64_t i = 0; i < slot_count_raw(keys); ++i)
    if (!slot_raw(keys, i).is_fixnum()) return false;
  return true;
}

// First binding of `keys` in the list of maps: is it still `definition`?
Value shadowed_re(Context& cx, Value maps, Value keys, Value definition) {
  for (; maps.is_cons(); maps = cdr_raw(maps)) {
    const Value map = TRY(get_keymap_re(cx, car_raw(maps), false, true));
    if (!map.is_cons()) continue;
    const Value b = TRY(lookup_key_re(cx, map, keys, false));
    if (b.is_nil() || b.is_fixnum()) continue;
    return boolean(b != definition);
  }
  return Qt;
}

}  // namespace

NEOVM_PRIMITIVE(where_is_internal, "where-is-internal", 1, 5, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the key sequences that invoke DEFINITION in KEYMAP (or the active maps).")
(Context& cx, Value definition, Value keymap, Value first_only, Value no_indirect, Value no_remap) {
  Value maps;
  if (keymap.is_cons() && car_raw(keymap) != Qkeymap) {
    maps = keymap;
  } else if (keymap.truthy()) {
    const Value map = TRY(get_keymap_re(cx, keymap, true, true));
    const Value global = variable_value(cx, Qneovm__global_keymap);
    maps = map == global ? list(cx, {map}) : list(cx, {map, global});
  } else {
    maps = TRY(current_active_maps_re(cx, true, kNil));
  }
  // A command that is itself remapped away has no keys of its own; remappings to it count as its keys.
  if (no_remap.is_nil() && definition.is_symbol() && definition.truthy()) {
    const Value other = TRY(prim_command_remapping(cx, definition, kNil, maps));
    if (other.truthy()) return kNil;
  }
  Value found = kNil;
  for (Value m = maps; m.is_cons(); m = cdr_raw(m)) {
    Value reachable = TRY(prim_accessible_keymaps(cx, car_raw(m), kNil));
    for (; reachable.is_cons(); reachable = cdr_raw(reachable)) {
      const Value sequence = car_raw(car_raw(reachable));
      Value bindings = kNil;
      TRY(collect_bindings_re(cx, cdr_raw(car_raw(reachable)), true, &bindings));
      for (bindings = nreverse_list(bindings); bindings.is_cons(); bindings = cdr_raw(bindings)) {
        Value b = cdr_raw(car_raw(bindings));
        if (no_indirect.is_nil()) b = TRY(binding_definition_re(cx, b, false));
        if (b != definition) {
          const bool same = definition.is_cons() && b.is_cons() && TRY(equal(cx, b, definition));
          if (!same) continue;
        }
        Value event = car_raw(car_raw(bindings));
        if (event.is_cons()) event = car_raw(event);  // the first of a range stands for it
        const Value keys = TRY(extend_re(cx, sequence, event));
        // [remap FROM]: the keys of FROM lead here.
        if (slot_count_raw(keys) == 2 && slot_raw(keys, 0) == Qremap && no_remap.is_nil()) {
          const Value from = slot_raw(keys, 1);
          const Value inner = TRY(prim_where_is_internal(cx, from, maps, kNil, no_indirect, Qt));
          for (Value l = inner; l.is_cons(); l = cdr_raw(l)) found = cons(cx, car_raw(l), found);
          continue;
        }
        const Value shadowed = TRY(shadowed_re(cx, maps, keys, definition));
        if (shadowed.truthy() && definition.is_symbol()) continue;
        bool known = false;
        for (Value l = found; l.is_cons() && !known; l = cdr_raw(l)) known = TRY(equal(cx, car_raw(l), keys));
        if (!known) found = cons(cx, keys, found);
      }
    }
  }
  found = nreverse_list(found);
  // Menu entries last; otherwise shorter sequences first, in the order found.
  Value keyed = kNil;
  Value menus = kNil;
  for (Value l = found; l.is_cons(); l = cdr_raw(l)) {
    if (has_menu_start(cx, car_raw(l))) {
      menus = cons(cx, car_raw(l), menus);
    } else {
      keyed = cons(cx, car_raw(l), keyed);
    }
  }
  keyed = nreverse_list(keyed);
  menus = nreverse_list(menus);
  Value tail = menus;
  {
    std::int64_t longest = 0;
    for (Value l = keyed; l.is_cons(); l = cdr_raw(l)) longest = std::max(longest, slot_count_raw(car_raw(l)));
    Value sorted = kNil;
    for (std::int64_t n = 1; n <= longest; ++n)
      for (Value l = keyed; l.is_cons(); l = cdr_raw(l))
        if (slot_count_raw(car_raw(l)) == n) sorted = cons(cx, car_raw(l), sorted);
    for (; sorted.is_cons(); sorted = cdr_raw(sorted)) tail = cons(cx, car_raw(sorted), tail);
  }
  if (first_only.is_nil()) return tail;
  if (first_only != Qnon_ascii)
    for (Value l = tail; l.is_cons(); l = cdr_raw(l))
      if (ascii_keys(car_raw(l))) return car_raw(l);
  return tail.is_cons() ? car_raw(tail) : kNil;
}

}  // namespace neovm::elisp
