// From maps and commands to keys: accessible-keymaps, where-is-internal. (Emacs Lisp manual, "Scanning Keymaps".)
#include "keymap/keymap.hpp"

namespace neovm::elisp {

namespace {

// SEQUENCE (a vector) with EVENT at its end. After the meta prefix a character becomes its meta form, except where the
// prefix is all of a start that the caller gave.
Value extended(Context& cx, Value sequence, Value event, std::int64_t fixed) {
  const std::int64_t n = slot_count_raw(sequence);
  const bool meta = n > fixed && slot_raw(sequence, n - 1) == meta_prefix(cx) && event.is_fixnum();
  const std::int64_t kept = meta ? n - 1 : n;
  const Value out = TRY(make_vector(cx, kept + 1, kNil));
  for (std::int64_t i = 0; i < kept; ++i) set_slot_raw(out, i, slot_raw(sequence, i));
  set_slot_raw(out, kept, meta ? Value::fixnum(event.as_fixnum() | kMetaModifier) : event);
  return out;
}

// A vector of the events of KEYS.
Value events_vector(Context& cx, Value keys) {
  const Value out = TRY(make_vector(cx, key_count(keys), kNil));
  for (std::int64_t i = 0; i < key_count(keys); ++i) set_slot_raw(out, i, TRY(key_event(cx, keys, i)));
  return out;
}

// True if MAP was reached on the way to SEQUENCE already.
bool on_the_way(Value reachable, Value sequence, Value map) {
  for (; reachable.is_cons(); reachable = cdr_raw(reachable)) {
    if (cdr_raw(car_raw(reachable)) != map) continue;
    const Value start = car_raw(car_raw(reachable));
    const std::int64_t n = slot_count_raw(start);
    if (n > slot_count_raw(sequence)) continue;
    std::int64_t same = 0;
    while (same < n && slot_raw(start, same) == slot_raw(sequence, same)) ++same;
    if (same == n) return true;
  }
  return false;
}

// Commands are compared by identity, keyboard macros and lambda expressions by their parts.
Value same_definition(Context& cx, Value a, Value b) {
  if (a == b) return Qt;
  return a.is_cons() && b.is_cons() ? boolean(TRY(equal(cx, a, b))) : kNil;
}

// A map and every map that a sequence of its events leads to, shorter sequences first; a map that is reached in several ways
// is there several times, but not below itself. What the meta prefix leads to, under its meta character, comes right behind
// the prefix. The maps that a map leads to are found when it is looked into, so a search that ends early never sees the rest.
class Reachable final : public BindingVisitor {
 public:
  // START (a vector of events) leads to MAP.
  Reachable(Context& cx, Value start, Value map)
      : list_(neovm::list(cx, {cons(cx, start, map)})), at_(list_), last_(list_), fixed_(slot_count_raw(start)) {}

  [[nodiscard]] bool done() const { return !at_.is_cons(); }
  [[nodiscard]] Value sequence() const { return car_raw(car_raw(at_)); }
  // All of them as (SEQUENCE . MAP), once each has been looked into.
  [[nodiscard]] Value list() const { return list_; }

  // What to look for on the way: the events that are bound to DEFINITION, menu items and all when `no_indirect`.
  void look_for(Value definition, bool no_indirect) {
    definition_ = definition;
    no_indirect_ = no_indirect;
  }
  // Looks into the map at hand and goes on to the next. *EVENTS: those that were found, in order.
  Value look_into_re(Context& cx, Value* events) {
    found_ = kNil;
    if (cdr_raw(car_raw(at_)).is_cons())  // else its file is not loaded
      TRY(each_binding_re(cx, cdr_raw(car_raw(at_)), true, this));
    *events = nreverse_list(found_);
    return kNil;
  }
  void next() { at_ = cdr_raw(at_); }

  Value visit(Context& cx, Value event, Value binding) override {
    TRY(check_quit(cx));
    const Value definition = binding_without_filter(binding);
    if (!definition_.is_unbound() &&
        TRY(same_definition(cx, no_indirect_ ? binding : definition, definition_)).truthy())
      found_ = cons(cx, event, found_);
    if (event.is_cons()) return kNil;  // a range of characters is no prefix
    const Value map = TRY(get_keymap_re(cx, definition, OnMissing::kNil, Autoload::kNo));
    if (map.is_nil() || on_the_way(list_, sequence(), map)) return kNil;
    const Value longer = TRY(extended(cx, sequence(), event, fixed_));
    const bool at_end = slot_count_raw(longer) > slot_count_raw(sequence()) || at_ == last_;
    const Value behind = at_end ? last_ : at_;
    const Value cell = cons(cx, cons(cx, longer, map), cdr_raw(behind));
    set_cdr_raw(behind, cell);
    if (at_end) last_ = cell;
    return kNil;
  }

 private:
  Value list_;
  Value at_;
  Value last_;
  std::int64_t fixed_;
  Value definition_ = kUnbound;
  bool no_indirect_ = false;
  Value found_ = kNil;
};

Value reachable_maps_re(Context& cx, Value start, Value map) {
  Reachable reachable(cx, start, map);
  for (Value none; !reachable.done(); reachable.next()) TRY(reachable.look_into_re(cx, &none));
  return reachable.list();
}

}  // namespace

NEOVM_PRIMITIVE(accessible_keymaps, "accessible-keymaps", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return an alist (KEY . MAP) of all keymaps reachable from KEYMAP (below PREFIX).")
(Context& cx, Value keymap, Value prefix) {
  // PREFIX is measured before KEYMAP is looked at.
  TRY(funcall_re(cx, intern(cx, "length"), {prefix}));
  if (prefix.is_nil())
    return reachable_maps_re(cx, TRY(make_vector(cx, 0, kNil)),
                             TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kYes)));
  Value map = TRY(funcall_re(cx, intern(cx, "lookup-key"), {keymap, prefix}));
  map = TRY(get_keymap_re(cx, map, OnMissing::kNil, Autoload::kYes));
  return map.is_cons() ? reachable_maps_re(cx, TRY(events_vector(cx, prefix)), map) : kNil;
}

namespace {

struct Search {
  Value definition;
  Value maps;      // in order of precedence
  Value composed;  // the same as one map
  bool no_indirect;
  bool no_remap;
  Value first_only = kNil;  // as where-is-internal has it: no need to go on once there is what it would return
  Value found = kNil;       // the last one first
  bool over = false;
};

// Begins with a menu, a part of the frame or a mouse button, and goes on from there.
bool starts_in_a_menu(Context& cx, Value keys) {
  const Value first = slot_raw(keys, 0);
  if (slot_count_raw(keys) < 2 || !first.is_symbol() || first.is_nil()) return false;
  const Value base = parse_event_symbol(cx, first).base;
  for (const char* name : {"menu-bar", "tab-bar", "tool-bar", "header-line", "tab-line", "mode-line", "mouse-1",
                           "mouse-2", "mouse-3", "mouse-4", "mouse-5"})
    if (base == intern(cx, name)) return true;
  return false;
}

// Can be typed on a terminal without function keys: ASCII characters, with meta at most.
bool only_ascii(Value keys) {
  for (std::int64_t i = 0; i < slot_count_raw(keys); ++i) {
    const Value key = slot_raw(keys, i);
    if (!key.is_fixnum() || (key.as_fixnum() & ~kMetaModifier) >= 0x80) return false;
  }
  return true;
}

// Nothing found later can be better than these keys.
bool best_of_all(Context& cx, Value first_only, Value keys) {
  return first_only == Qnon_ascii || (only_ascii(keys) && !starts_in_a_menu(cx, keys));
}

Value add_found(Context& cx, Search* search, Value keys) {
  for (Value l = search->found; l.is_cons(); l = cdr_raw(l))
    if (TRY(equal(cx, car_raw(l), keys))) return kNil;
  search->found = cons(cx, keys, search->found);
  search->over = search->first_only.truthy() && best_of_all(cx, search->first_only, keys);
  return kNil;
}

Value find_keys_re(Context& cx, Search* search);

// A binding with the wanted definition was seen under KEYS: counts unless a map with precedence says otherwise.
Value consider_re(Context& cx, Search* search, Value keys) {
  Value looked_up = keys;
  const std::int64_t last = slot_count_raw(keys) - 1;
  if (slot_raw(keys, last).is_cons()) {  // the first character stands for a range
    looked_up = TRY(events_vector(cx, keys));
    set_slot_raw(looked_up, last, car_raw(slot_raw(keys, last)));
  }
  const Value binding = TRY(lookup_key_re(cx, search->composed, looked_up, false));
  if (TRY(same_definition(cx, binding, search->definition)).is_nil()) return kNil;
  const bool remaps = last == 1 && slot_raw(keys, 0) == Qremap;
  if (!remaps || search->no_remap) return add_found(cx, search, keys);
  // [remap COMMAND]: the keys of COMMAND lead here.
  Search inner{slot_raw(keys, 1), search->maps, search->composed, search->no_indirect, true};
  TRY(find_keys_re(cx, &inner));
  for (Value l = nreverse_list(inner.found); l.is_cons() && !search->over; l = cdr_raw(l))
    TRY(add_found(cx, search, car_raw(l)));
  return kNil;
}

Value find_keys_re(Context& cx, Search* search) {
  for (Value m = search->maps; m.is_cons(); m = cdr_raw(m)) {
    const Value map = TRY(get_keymap_re(cx, car_raw(m), OnMissing::kNil, Autoload::kYes));
    if (!map.is_cons()) continue;
    Reachable reachable(cx, TRY(make_vector(cx, 0, kNil)), map);
    reachable.look_for(search->definition, search->no_indirect);
    for (; !reachable.done(); reachable.next()) {
      Value events = kNil;
      TRY(reachable.look_into_re(cx, &events));
      for (; events.is_cons(); events = cdr_raw(events)) {
        TRY(consider_re(cx, search, TRY(extended(cx, reachable.sequence(), car_raw(events), 0))));
        if (search->over) return kNil;
      }
    }
  }
  return kNil;
}

}  // namespace

NEOVM_PRIMITIVE(where_is_internal, "where-is-internal", 1, 5, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the key sequences that invoke DEFINITION in KEYMAP (or the active maps).")
(Context& cx, Value definition, Value keymap, Value first_only, Value no_indirect, Value no_remap) {
  Value maps = keymap;
  if (keymap.is_nil()) {
    maps = TRY(current_active_maps_re(cx, true, kNil));
  } else if (keymap.is_cons() && TRY(get_keymap_re(cx, car_raw(keymap), OnMissing::kNil, Autoload::kNo)).is_cons()) {
    for (Value l = keymap; l.is_cons(); l = cdr_raw(l))
      TRY(get_keymap_re(cx, car_raw(l), OnMissing::kSignal, Autoload::kYes));
  } else {
    const Value map = TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kYes));
    const Value global = variable_value(cx, Qneovm__global_keymap);
    maps = map == global ? list(cx, {map}) : list(cx, {map, global});
  }
  Search search {
    definition, maps, TRY(compose_maps_re(cx, maps))
    , no_indirect.truthy(), no_remap.truthy(), first_only
  };
  if (!search.no_remap && definition.is_symbol() && definition.truthy()) {
    // The keys of a remapped command run what it is remapped to.
    const Value target = TRY(remapping_in_re(cx, definition, maps));
    if (target.truthy()) search.definition = target;
  }
  if (first_only.truthy() && search.definition.is_symbol()) {
    // The keys that the command's author wants to see, or a list of such, if they lead to it.
    Value wanted = symbol_get(cx, search.definition, intern(cx, ":advertised-binding"));
    const bool any = wanted.truthy();
    const auto leads_here = [&](Value keys) -> Value {
      return boolean(TRY(funcall_re(cx, Qlookup_key, {search.composed, keys, kNil})) == search.definition);
    };
    while (wanted.is_cons() && TRY(leads_here(car_raw(wanted))).is_nil()) wanted = cdr_raw(wanted);
    if (wanted.is_cons()) return car_raw(wanted);
    if (any && TRY(leads_here(wanted)).truthy()) return wanted;
  }
  TRY(find_keys_re(cx, &search));
  const Value found = nreverse_list(search.found);
  if (first_only.is_nil()) return found;
  Value best = kNil;
  for (Value l = found; l.is_cons(); l = cdr_raw(l)) {
    if (best_of_all(cx, first_only, car_raw(l))) return car_raw(l);
    if (best.is_nil() && !starts_in_a_menu(cx, car_raw(l))) best = car_raw(l);
  }
  return best;
}

}  // namespace neovm::elisp
