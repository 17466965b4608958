// Key lookup. (Emacs Lisp manual, "Key Lookup", "Inheritance and Keymaps", "Functions for Key Lookup".)
//
// Several elements of one map, and the map's parents, may all say something about an event. They are asked in order and
// their answers joined by these rules:
//  - a command (anything that is neither nil nor a keymap) ends the search, unless keymaps came before it;
//  - keymaps join: the result is a map composed of all of them, so that a prefix in a map and in its parent is one;
//  - nil is the weakest answer of a map itself, but hides everything that the parents say;
//  - a default binding counts only where nothing else was said.
#include "keymap/keymap.hpp"

namespace neovm::elisp {

namespace {

class Answers {
 public:
  [[nodiscard]] bool none() const { return first_.is_unbound(); }
  [[nodiscard]] bool explicit_nil() const { return first_.is_nil(); }
  [[nodiscard]] bool settled() const { return !none() && !explicit_nil() && !is_map_; }

  Value add_re(Context& cx, Value definition) {
    const bool is_map = definition.truthy() && TRY(get_keymap_re(cx, definition, OnMissing::kNil, Autoload::kNo))
    .truthy();
    if (none() || explicit_nil()) {
      first_ = definition;
      is_map_ = is_map;
    } else if (is_map && is_map_) {
      further_ = cons(cx, definition, further_);
    }
    return kNil;
  }

  void add_default(Value definition) {
    if (default_.is_unbound()) default_ = definition;
  }
  [[nodiscard]] Value default_binding() const { return default_; }

  // The joint answer. `inherited` is a keymap that the parents gave for the same event, or nil.
  [[nodiscard]] Value joined(Context& cx, Value inherited) const {
    if (further_.is_nil() && inherited.is_nil()) return first_;
    Value tail = inherited;
    for (Value l = further_; l.is_cons(); l = cdr_raw(l)) tail = cons(cx, car_raw(l), tail);
    return cons(cx, Qkeymap, cons(cx, first_, tail));
  }

 private:
  Value first_ = kUnbound;
  Value further_ = kNil;  // maps after the first, the last one first
  Value default_ = kUnbound;
  bool is_map_ = false;
};

// What tables hold: nil is "nothing said", t is "explicitly nil".
Value from_table(Value v) { return v.is_nil() ? kUnbound : (v == Qt ? kNil : v); }

bool is_plain_character(Value event) { return event.is_natnum_fixnum() && event.as_fixnum() <= kMaxCharacter; }

// What one element says about the event; kUnbound when nothing.
Value element_answer_re(Context& cx, Value element, Value event, LookupOptions options, Answers* answers) {
  if (is_keymap_list(element)) return lookup_event_re(cx, element, event, options);
  if (element.is_symbol() && TRY(embedded_keymap_re(cx, element)).truthy())
    return lookup_event_re(cx, TRY(get_keymap_re(cx, element, OnMissing::kSignal, Autoload::kYes)), event, options);
  if (is_char_table(element)) {
    if (!is_plain_character(event)) return kUnbound;
    return from_table(char_table_get(element, static_cast<int>(event.as_fixnum())));
  }
  if (is_vector(element)) {
    if (!event.is_natnum_fixnum() || event.as_fixnum() >= slot_count_raw(element)) return kUnbound;
    return from_table(slot_raw(element, event.as_fixnum()));
  }
  if (!element.is_cons()) return kUnbound;
  if (car_raw(element) == event) return cdr_raw(element) == Qt ? kNil : cdr_raw(element);
  if (options.accept_default && car_raw(element) == Qt) answers->add_default(cdr_raw(element));
  return kUnbound;
}

Value lookup_plain_re(Context& cx, Value map, Value event, LookupOptions options) {
  Answers answers;
  Value rest = is_keymap_list(map) ? cdr_raw(map) : map;
  for (;; rest = cdr_raw(rest)) {
    if (!rest.is_cons() && rest.truthy()) {
      const Value parent = TRY(get_keymap_re(cx, rest, OnMissing::kNil, Autoload::kYes));
      if (!parent.is_cons()) break;
      rest = parent;
    }
    if (!rest.is_cons()) break;
    TRY(check_quit(cx));
    const Value element = car_raw(rest);
    if (element == Qkeymap) {  // here the parent begins
      if (!options.inherit || answers.explicit_nil()) break;
      if (answers.none()) continue;
      Value inherited = TRY(lookup_event_re(cx, rest, event, options));
      inherited = inherited.is_unbound() ? kNil : TRY(get_keymap_re(cx, inherited, OnMissing::kNil, Autoload::kYes));
      return answers.joined(cx, inherited);
    }
    Value said = TRY(element_answer_re(cx, element, event, options, &answers));
    if (said.is_unbound()) continue;
    said = TRY(binding_definition_re(cx, said));
    TRY(answers.add_re(cx, said));
    if (answers.settled()) break;
  }
  if (!answers.none()) return answers.joined(cx, kNil);
  return answers.default_binding().is_unbound() ? kUnbound : binding_definition_re(cx, answers.default_binding());
}

}  // namespace

Value lookup_event_re(Context& cx, Value map, Value event, LookupOptions options) {
  event = canonical_event(cx, event);
  if (!event.is_fixnum() || (event.as_fixnum() & kMetaModifier) == 0) return lookup_plain_re(cx, map, event, options);
  // A meta character is the prefix and the character. Where the prefix is no map, only a default can be meant.
  Value prefix = TRY(lookup_plain_re(cx, map, meta_prefix(cx), options));
  if (!prefix.is_unbound()) prefix = TRY(get_keymap_re(cx, prefix, OnMissing::kNil, Autoload::kYes));
  if (prefix.is_cons()) return lookup_plain_re(cx, prefix, Value::fixnum(event.as_fixnum() & ~kMetaModifier), options);
  return options.accept_default ? lookup_plain_re(cx, map, Qt, options) : kUnbound;
}

namespace {

Value walk_sequence_re(Context& cx, Value map, Value keys, bool accept_default) {
  const std::int64_t n = key_count(keys);
  for (std::int64_t i = 0; i < n; ++i) {
    const Value event = TRY(key_event(cx, keys, i));
    Value binding = TRY(lookup_event_re(cx, map, event, {.accept_default = accept_default}));
    if (binding.is_unbound()) binding = kNil;
    if (i + 1 == n) return binding;
    map = TRY(get_keymap_re(cx, binding, OnMissing::kNil, Autoload::kYes));
    if (!map.is_cons()) return Value::fixnum(i + 1);
  }
  return map;
}

// A vector of menu bar events with its symbols in lower case.
Value lower_case_menu_keys_re(Context& cx, Value keys) {
  const Value copy = TRY(make_vector(cx, slot_count_raw(keys), kNil));
  for (std::int64_t i = 0; i < slot_count_raw(keys); ++i) {
    Value event = slot_raw(keys, i);
    if (event.is_symbol() && event.truthy())
      event = intern(cx, to_std_string(TRY(funcall_re(cx, Qdowncase, {symbol_name(cx, event)}))));
    set_slot_raw(copy, i, event);
  }
  return copy;
}

}  // namespace

Value lookup_key_re(Context& cx, Value map, Value keys, bool accept_default) {
  const auto is_binding = [](Value v) { return v.truthy() && !v.is_fixnum(); };
  const Value found = TRY(walk_sequence_re(cx, map, keys, accept_default));
  if (is_binding(found) || !is_vector(keys) || slot_count_raw(keys) == 0) return found;
  if (slot_raw(keys, 0) != intern(cx, "menu-bar")) return found;
  // Menu entries are found under their names in lower case too: [menu-bar File] is [menu-bar file].
  const Value again = TRY(walk_sequence_re(cx, map, TRY(lower_case_menu_keys_re(cx, keys)), accept_default));
  return is_binding(again) ? again : found;
}

Value compose_maps_re(Context& cx, Value maps) {
  Value elements = kNil;
  for (; maps.is_cons(); maps = cdr_raw(maps)) {
    const Value map = TRY(get_keymap_re(cx, car_raw(maps), OnMissing::kNil, Autoload::kYes));
    if (map.is_cons()) elements = cons(cx, map, elements);
  }
  return cons(cx, Qkeymap, nreverse_list(elements));
}

NEOVM_PRIMITIVE(lookup_key, "lookup-key", 2, 3, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Look up KEY in KEYMAP (or a list of keymaps); a number says how many events were a complete key.")
(Context& cx, Value keymap, Value key, Value accept_default) {
  const bool several = keymap.is_list() && !is_keymap_list(keymap);
  const Value map =
      several ? cons(cx, Qkeymap, keymap) : TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kYes));
  if (!is_key_sequence(key)) return wrong_type(cx, Qarrayp, key);
  if (several && key_count(key) == 0) return keymap;
  return lookup_key_re(cx, map, key, accept_default.truthy());
}

}  // namespace neovm::elisp
