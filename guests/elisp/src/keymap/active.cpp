// The active keymaps and what keys are bound to in them. (Emacs Lisp manual, "Searching Keymaps", "Remapping
// Commands".)
#include "keymap/keymap.hpp"

namespace neovm::elisp {

// The current buffer's local map and the global map are variables that no program names, so that they take part in
// buffers and images like any other variable.
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
  TRY(set_variable_re(cx, Qneovm__global_keymap, TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kYes))));
  return kNil;
}

NEOVM_PRIMITIVE(current_local_map, "current-local-map", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the current buffer's local keymap, or nil.")
(Context& cx) { return variable_value(cx, Qneovm__local_keymap); }

NEOVM_PRIMITIVE(use_local_map, "use-local-map", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Make KEYMAP the current buffer's local keymap; nil for none.")
(Context& cx, Value keymap) {
  const Value map = keymap.is_nil() ? kNil : TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kYes));
  TRY(set_variable_re(cx, Qneovm__local_keymap, map));
  return kNil;
}

namespace {

Value add_mode_maps_re(Context& cx, Value alist, Value except, ModeMaps* out) {
  for (; alist.is_cons(); alist = cdr_raw(alist)) {
    const Value entry = car_raw(alist);
    if (!entry.is_cons() || !car_raw(entry).is_symbol()) continue;
    const Value mode = car_raw(entry);
    const Value on = variable_value(cx, mode);
    if (on.is_nil() || on.is_unbound() || assq(mode, except).truthy()) continue;
    const Value map = TRY(get_keymap_re(cx, cdr_raw(entry), OnMissing::kNil, Autoload::kYes));
    if (!map.is_cons()) continue;
    out->maps = cons(cx, map, out->maps);
    out->modes = cons(cx, mode, out->modes);
  }
  return kNil;
}

}  // namespace

Value minor_mode_maps_re(Context& cx, ModeMaps* out) {
  for (Value l = variable_value(cx, Qemulation_mode_map_alists); l.is_cons(); l = cdr_raw(l)) {
    const Value alist = car_raw(l);
    TRY(add_mode_maps_re(cx, alist.is_symbol() ? variable_value(cx, alist) : alist, kNil, out));
  }
  const Value overriding = variable_value(cx, Qminor_mode_overriding_map_alist);
  TRY(add_mode_maps_re(cx, overriding, kNil, out));
  TRY(add_mode_maps_re(cx, variable_value(cx, Qminor_mode_map_alist), overriding, out));
  out->maps = nreverse_list(out->maps);
  out->modes = nreverse_list(out->modes);
  return kNil;
}

Value property_map_re(Context& cx, Value position, Value property) {
  Value v = TRY(funcall_re(cx, Qget_char_property, {position, property}));
  if (v.is_nil()) {
    const std::int64_t at = position.is_fixnum() ? position.as_fixnum() : 0;
    const Value begin = TRY(funcall_re(cx, intern(cx, "point-min"), {}));
    if (at <= begin.as_fixnum()) return kNil;
    const Value before = TRY(funcall_re(cx, intern(cx, "get-text-property"), {Value::fixnum(at - 1), property}));
    const Value inherited = TRY(funcall_re(cx, intern(cx, "get-pos-property"), {position, property}));
    if (before == inherited) v = before;
  }
  return v.is_nil() ? kNil : get_keymap_re(cx, v, OnMissing::kNil, Autoload::kYes);
}

namespace {

// POSITION as a buffer position; anything that is none means point.
Value place_in_buffer_re(Context& cx, Value position) {
  const Value is_marker = TRY(funcall_re(cx, intern(cx, "markerp"), {position}));
  if (!position.is_fixnum() && is_marker.is_nil()) return funcall_re(cx, Qpoint, {});
  const std::int64_t at = TRY(position_argument(cx, position));
  const Value low = TRY(funcall_re(cx, Qpoint_min, {}));
  const Value high = TRY(funcall_re(cx, Qpoint_max, {}));
  if (at < low.as_fixnum() || at > high.as_fixnum())
    return args_out_of_range(cx, host_hooks(cx).current_buffer(cx), Value::fixnum(at));
  return Value::fixnum(at);
}

}  // namespace

Value current_active_maps_re(Context& cx, bool overriding, Value position) {
  Value maps = kNil;  // the lowest precedence first
  const auto add = [&](Value map) {
    if (map.truthy()) maps = cons(cx, map, maps);
  };
  Value local_override = kNil;
  if (overriding) {
    // A transient map wins over the local maps but brings them back, even from behind overriding-local-map.
    add(variable_value(cx, Qoverriding_terminal_local_map));
    if (maps.is_nil()) local_override = variable_value(cx, Qoverriding_local_map);
  }
  if (local_override.truthy()) {
    add(local_override);
  } else {
    const Value place = TRY(place_in_buffer_re(cx, position));
    add(TRY(property_map_re(cx, place, Qkeymap)));
    ModeMaps modes;
    TRY(minor_mode_maps_re(cx, &modes));
    for (Value l = modes.maps; l.is_cons(); l = cdr_raw(l)) add(car_raw(l));
    const Value by_property = TRY(property_map_re(cx, place, Qlocal_map));
    add(by_property.truthy() ? by_property : variable_value(cx, Qneovm__local_keymap));
  }
  add(variable_value(cx, Qneovm__global_keymap));
  return nreverse_list(maps);
}

NEOVM_PRIMITIVE(current_active_maps, "current-active-maps", 0, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the active keymaps in order of precedence.")
(Context& cx, Value olp, Value position) { return current_active_maps_re(cx, olp.truthy(), position); }

NEOVM_PRIMITIVE(current_minor_mode_maps, "current-minor-mode-maps", 0, 0, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the keymaps of the minor modes that are on.")
(Context& cx) {
  ModeMaps modes;
  TRY(minor_mode_maps_re(cx, &modes));
  return modes.maps;
}

NEOVM_PRIMITIVE(minor_mode_key_binding, "minor-mode-key-binding", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return an alist (MODE . BINDING) of what minor modes bind KEY to.")
(Context& cx, Value key, Value accept_default) {
  ModeMaps all;
  TRY(minor_mode_maps_re(cx, &all));
  if (all.maps.is_cons() && !is_key_sequence(key)) return wrong_type(cx, Qarrayp, key);
  Value prefixes = kNil;
  for (Value maps = all.maps, modes = all.modes; maps.is_cons(); maps = cdr_raw(maps), modes = cdr_raw(modes)) {
    const Value binding = TRY(lookup_key_re(cx, car_raw(maps), key, accept_default.truthy()));
    if (binding.is_nil() || binding.is_fixnum()) continue;
    const Value pair = cons(cx, car_raw(modes), binding);
    if (TRY(get_keymap_re(cx, binding, OnMissing::kNil, Autoload::kNo)).truthy()) {
      prefixes = cons(cx, pair, prefixes);  // later modes may extend the prefix
    } else if (prefixes.is_nil()) {
      return list(cx, {pair});
    }
  }
  return nreverse_list(prefixes);
}

Value remapping_in_re(Context& cx, Value command, Value maps) {
  const Value key = TRY(make_vector(cx, 2, Qremap));
  set_slot_raw(key, 1, command);
  const Value binding = TRY(lookup_key_re(cx, TRY(compose_maps_re(cx, maps)), key, false));
  return binding.is_fixnum() ? kNil : binding;
}

NEOVM_PRIMITIVE(command_remapping, "command-remapping", 1, 3, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return what COMMAND is remapped to in the active keymaps, or in KEYMAPS.")
(Context& cx, Value command, Value position, Value keymaps) {
  if (!command.is_symbol()) return kNil;
  if (keymaps.is_nil()) {
    keymaps = TRY(current_active_maps_re(cx, true, position));
  } else if (!keymaps.is_cons() || is_keymap_list(keymaps)) {
    keymaps = list(cx, { TRY(get_keymap_re(cx, keymaps, OnMissing::kSignal, Autoload::kYes)) });
  }
  return remapping_in_re(cx, command, keymaps);
}

NEOVM_PRIMITIVE(key_binding, "key-binding", 1, 4, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the binding of KEY in the active keymaps.")
(Context& cx, Value key, Value accept_default, Value no_remap, Value position) {
  // A place outside of the buffer is found out before a KEY that is no key.
  const Value maps = TRY(current_active_maps_re(cx, true, position));
  if (!is_key_sequence(key)) return wrong_type(cx, Qarrayp, key);
  if (key_count(key) == 0) return key.is_string() || position.truthy() ? maps : kNil;
  Value binding = TRY(lookup_key_re(cx, TRY(compose_maps_re(cx, maps)), key, accept_default.truthy()));
  // Then map by map: a map that has a prefix of KEY but not KEY does not hide the maps behind it.
  for (Value l = maps; l.is_cons() && (binding.is_nil() || binding.is_fixnum()); l = cdr_raw(l))
    binding = TRY(lookup_key_re(cx, car_raw(l), key, accept_default.truthy()));
  if (binding.is_nil() || binding.is_fixnum()) return kNil;
  if (no_remap.is_nil() && binding.is_symbol()) {
    const Value remapped = TRY(remapping_in_re(cx, binding, maps));
    if (remapped.truthy()) return remapped;
  }
  return binding;
}

}  // namespace neovm::elisp
