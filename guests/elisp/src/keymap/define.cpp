// Changing keymaps: define-key and prefix commands. (Emacs Lisp manual, "Changing Key Bindings".)
#include <array>
#include <string>
#include <utility>

#include "keymap/keymap.hpp"

namespace neovm::elisp {

namespace {

bool is_character_range(Value event) {
  return event.is_cons() && is_character(car_raw(event)) && is_character(cdr_raw(event));
}

// Characters that a table covers, as a range of one or more; false for other events.
bool table_range(Value event, int* from, int* to) {
  if (event.is_natnum_fixnum() && event.as_fixnum() <= kMaxCharacter) {
    *from = *to = static_cast<int>(event.as_fixnum());
    return true;
  }
  if (!is_character_range(event)) return false;
  *from = static_cast<int>(car_raw(event).as_fixnum());
  *to = static_cast<int>(cdr_raw(event).as_fixnum());
  return true;
}

}  // namespace

void store_binding(Context& cx, Value map, Value event, Value definition) {
  int from = 0;
  int to = 0;
  const bool in_tables = table_range(event, &from, &to);
  const bool range = is_character_range(event);
  if (!range) event = canonical_event(cx, event);
  // In a table nil means "nothing said", so that t stands for an explicit nil.
  const Value in_table = definition.is_nil() ? Qt : definition;
  Value place = map;  // new elements come first, but behind tables
  for (Value rest = cdr_raw(map); rest.is_cons() && car_raw(rest) != Qkeymap; rest = cdr_raw(rest)) {
    const Value element = car_raw(rest);
    if (is_char_table(element)) {
      if (in_tables) return char_table_set_range(cx, element, from, to, in_table);
      place = rest;
    } else if (is_vector(element)) {
      if (in_tables && !range && from < slot_count_raw(element)) return set_slot_raw(element, from, definition);
      place = rest;
    } else if (element.is_cons() && !is_keymap_list(element) && !range && car_raw(element) == event) {
      return set_cdr_raw(element, definition);
    }
  }
  Value added;
  if (range) {
    added = make_char_table(cx, Qkeymap, kNil);
    char_table_set_range(cx, added, from, to, in_table);
  } else {
    added = cons(cx, event, definition);
  }
  set_cdr_raw(place, cons(cx, added, cdr_raw(place)));
}

namespace {

// [DEL] and the like name a key instead of being one: the character is meant.
Value refuse_key_names(Context& cx, Value symbol) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames{
      {{"DEL", "\\d"}, {"RET", "\\r"}, {"TAB", "\\t"}, {"ESC", "\\e"}, {"SPC", " "}}};
  const std::string whole(symbol_name_view(cx, symbol));
  const std::string base(symbol_name_view(cx, parse_event_symbol(cx, symbol).base));
  for (const auto& [name, text] : kNames) {
    if (base != name) continue;
    std::string syntax = "?";
    for (std::size_t i = 0; i + base.size() < whole.size(); i += 2) syntax.append("\\").append(whole, i, 2);
    syntax += text;
    std::string message = "To bind the key ";
    message.append(whole).append(", use [").append(syntax).append("], not [").append(whole).append("]");
    return error_text(cx, message);
  }
  return kNil;
}

// The events of KEYS as a map holds them: meta characters in two, ranges as they are.
Value bound_events(Context& cx, Value keys) {
  Value events = kNil;
  for (std::int64_t i = 0; i < key_count(keys); ++i) {
    Value event = TRY(key_event(cx, keys, i));
    if (event.is_symbol() && event.truthy()) TRY(refuse_key_names(cx, event));
    if (event.is_fixnum() && (event.as_fixnum() & kMetaModifier) != 0) {
      events = cons(cx, meta_prefix(cx), events);
      event = Value::fixnum(event.as_fixnum() & ~kMetaModifier);
    }
    events = cons(cx, event, events);
  }
  return nreverse_list(events);
}

// A vector of event descriptions as a keyboard macro: [(control x)] becomes [24].
Value converted_macro(Context& cx, Value definition) {
  if (!is_vector(definition) || slot_count_raw(definition) == 0 || !slot_raw(definition, 0).is_cons())
    return definition;
  const Value copy = TRY(make_vector(cx, slot_count_raw(definition), kNil));
  for (std::int64_t i = 0; i < slot_count_raw(definition); ++i) {
    const Value e = slot_raw(definition, i);
    set_slot_raw(copy, i, is_event_description(e) ? TRY(convert_event_list(cx, e)) : e);
  }
  return copy;
}

Value not_a_prefix_re(Context& cx, Value keys, Value events, Value end) {
  Value before = kNil;
  for (; events != end; events = cdr_raw(events)) before = cons(cx, car_raw(events), before);
  const Value prefix = TRY(describe_events(cx, nreverse_list(before)));
  const Value whole = TRY(funcall_re(cx, Qkey_description, {keys}));
  return error_text(cx,
                    "Key sequence " + to_std_string(whole) + " starts with non-prefix key " + to_std_string(prefix));
}

}  // namespace

NEOVM_PRIMITIVE(define_key, "define-key", 3, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "In KEYMAP, bind the key sequence KEY to DEF.")
(Context& cx, Value keymap, Value key, Value definition) {
  Value map = TRY(get_keymap_re(cx, keymap, OnMissing::kSignal, Autoload::kYes));
  if (!is_key_sequence(key)) return wrong_type(cx, Qarrayp, key);
  if (key_count(key) == 0) return kNil;
  definition = TRY(converted_macro(cx, definition));
  const Value events = TRY(bound_events(cx, key));
  for (Value l = events;;) {
    const Value event = car_raw(l);
    l = cdr_raw(l);
    if (!l.is_cons()) {
      store_binding(cx, map, event, definition);
      return definition;
    }
    Value next = TRY(lookup_event_re(cx, map, event, {.inherit = false}));
    if (next.is_unbound() || next.is_nil()) {
      next = list(cx, {Qkeymap});
      store_binding(cx, map, event, next);
    }
    map = TRY(get_keymap_re(cx, next, OnMissing::kNil, Autoload::kYes));
    if (!map.is_cons()) return not_a_prefix_re(cx, key, events, l);
  }
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

}  // namespace neovm::elisp
