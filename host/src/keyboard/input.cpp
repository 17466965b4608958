// Reading events and key sequences. Events stand in unread-command-events, in the keyboard macro that is being executed
// (executing-kbd-macro and its index), or come from standard input, a character for each byte.
#include "keyboard/input.hpp"

#include "process/wait.hpp"

namespace neomacs::host {

namespace {

// The first element of the list in VARIABLE, taken off; (t . EVENT) stands for EVENT.
Value take_unread_re(Context& cx, Value variable) {
  const Value l = variable_value(cx, variable);
  TRY(set_variable_re(cx, variable, cdr_raw(l)));
  const Value event = car_raw(l);
  return event.is_cons() && car_raw(event) == Qt ? cdr_raw(event) : event;
}

// In strings the eighth bit of a unibyte character means Meta.
Value macro_event(Value macro, std::int64_t i) {
  constexpr std::int64_t kMeta = std::int64_t{1} << 27;
  if (is_vector(macro)) return slot_raw(macro, i);
  const std::int64_t c = string_char_raw(macro, i);
  return Value::fixnum(!string_multibyte(macro) && c >= 0x80 ? (c & 0x7f) | kMeta : c);
}

bool is_prefix(Context& cx, Value binding) {
  if (binding.is_symbol() && binding.truthy()) {
    const Value function = funcall_re(cx, Qindirect_function, {binding, Qt});
    if (function.is_exit()) return false;
    binding = function;
  }
  return binding.is_cons() && car_raw(binding) == Qkeymap;
}

// KEYS with one event more.
Value with_event(Context& cx, Value keys, Value event) {
  const std::int64_t n = slot_count_raw(keys);
  const Value longer = TRY(make_vector(cx, n + 1, event));
  for (std::int64_t i = 0; i < n; ++i) set_slot_raw(longer, i, slot_raw(keys, i));
  return longer;
}

// EVENT without Shift when it has it: what an unbound upper-case letter or shifted function key stands for.
Value unshifted_re(Context& cx, Value event) {
  constexpr std::int64_t kModifiers = ~((std::int64_t{1} << 22) - 1);
  if (event.is_symbol() && event.truthy()) {
    const Value modifiers = TRY(funcall_re(cx, intern(cx, "event-modifiers"), {event}));
    const Value basic = TRY(funcall_re(cx, intern(cx, "event-basic-type"), {event}));
    if (memq(Qshift, modifiers).is_nil()) return event;
    const Value others = TRY(funcall_re(cx, intern(cx, "remq"), {Qshift, modifiers}));
    return funcall_re(cx, intern(cx, "event-convert-list"), {
      TRY(funcall_re(cx, Qappend, {others, list(cx, {basic})}))
    });
  }
  if (!event.is_fixnum() || event.as_fixnum() < 0) return event;
  constexpr std::int64_t kShift = std::int64_t{1} << 25;
  if ((event.as_fixnum() & kShift) != 0) return Value::fixnum(event.as_fixnum() & ~kShift);
  const std::int64_t base = event.as_fixnum() & ~kModifiers;
  const Value lower = TRY(funcall_re(cx, intern(cx, "downcase"), {Value::fixnum(base)}));
  return lower.is_fixnum() ? Value::fixnum(lower.as_fixnum() | (event.as_fixnum() & kModifiers)) : event;
}

// One of the maps that replace events by others while a sequence is read. (Emacs Lisp manual, "Translation Keymaps".)
struct Translation {
  explicit Translation(Value keymap) : map(keymap) {}
  Value map;
  std::int64_t start = 0;  // the events before it are settled
  bool pending = false;    // those from there on may be the beginning of something that the map knows

  // Replaces the end of *keys by what the map says; t when it did.
  Value apply_re(Context& cx, Value* keys, Value prompt) {
    pending = false;
    for (; start < slot_count_raw(*keys); ++start) {
      const Value rest = TRY(part(cx, *keys, start));
      Value found = TRY(funcall_re(cx, Qlookup_key, {map, rest, kNil}));
      if (found.is_nil() || found.is_fixnum()) continue;
      pending = is_prefix(cx, found);
      if (pending) return kNil;
      const bool literal = found.is_string() || is_vector(found);
      if (!literal && TRY(funcall_re(cx, Qfunctionp, {found})).truthy()) found = TRY(funcall_re(cx, found, {prompt}));
      if (!found.is_string() && !is_vector(found)) continue;
      const Value head = TRY(funcall_re(cx, intern(cx, "substring"), {*keys, Value::fixnum(0), Value::fixnum(start)}));
      *keys = TRY(funcall_re(cx, intern(cx, "vconcat"), {head, found}));
      start = slot_count_raw(*keys);
      return Qt;
    }
    return kNil;
  }

 private:
  static Value part(Context& cx, Value keys, std::int64_t from) {
    const std::int64_t n = slot_count_raw(keys) - from;
    const Value out = TRY(make_vector(cx, n, kNil));
    for (std::int64_t i = 0; i < n; ++i) set_slot_raw(out, i, slot_raw(keys, from + i));
    return out;
  }
};

}  // namespace

Value read_event_re(Context& cx) {
  Value event = kUnbound;
  for (const Value v : {Qunread_post_input_method_events, Qunread_command_events, Qunread_input_method_events})
    if (event.is_unbound() && variable_value(cx, v).is_cons()) event = TRY(take_unread_re(cx, v));
  Value macro = variable_value(cx, Qexecuting_kbd_macro);
  if (macro == Qt) {  // Lisp says: go on with it; without one, this is the end of a macro
    macro = variable_value(cx, intern(cx, "neovm--keyboard-macro"));
    if (event.is_unbound() && macro.is_nil()) return kUnbound;
  }
  if (event.is_unbound() && macro.truthy()) {
    const bool array = macro.is_string() || is_vector(macro);
    const Value index = variable_value(cx, Qexecuting_kbd_macro_index);
    const std::int64_t length = !array ? 0 : macro.is_string() ? string_chars(macro) : slot_count_raw(macro);
    if (!index.is_fixnum() || index.as_fixnum() < 0 || index.as_fixnum() >= length) return kUnbound;
    event = macro_event(macro, index.as_fixnum());
    TRY(set_variable_re(cx, Qexecuting_kbd_macro_index, Value::fixnum(index.as_fixnum() + 1)));
  }
  if (event.is_unbound()) {
    TRY(wait_for_output_re(cx, 0, kNil, false));  // timers that are due run before anybody waits for input
    const int c = TRY(read_input_byte(cx));
    if (c == EOF) return signal_error1(cx, Qend_of_file, TRY(make_string(cx, "Error reading from stdin")));
    event = Value::fixnum(c);
  }
  TRY(set_variable_re(cx, intern(cx, "last-input-event"), event));
  return event;
}

Value read_keys_re(Context& cx, Value prompt, Value* keys, Value* binding) {
  Value sequence = TRY(make_vector(cx, 0, kNil));
  Translation decode(variable_value(cx, intern(cx, "input-decode-map")));
  Translation function_keys(variable_value(cx, intern(cx, "local-function-key-map")));
  Translation translation(variable_value(cx, intern(cx, "key-translation-map")));
  for (;;) {
    const Value event = TRY(read_event_re(cx));
    if (event.is_unbound()) return kNil;
    sequence = TRY(with_event(cx, sequence, event));
    if (decode.map.is_cons()) TRY(decode.apply_re(cx, &sequence, prompt));
    Value found = TRY(funcall_re(cx, Qkey_binding, {sequence, Qt}));
    if (found.truthy() && !is_prefix(cx, found)) {
      function_keys.start = slot_count_raw(sequence);  // what is bound by itself stays as it is
      function_keys.pending = false;
    } else if (function_keys.map.is_cons() && TRY(function_keys.apply_re(cx, &sequence, prompt)).truthy()) {
      found = TRY(funcall_re(cx, Qkey_binding, {sequence, Qt}));
    }
    if (translation.map.is_cons() && TRY(translation.apply_re(cx, &sequence, prompt)).truthy())
      found = TRY(funcall_re(cx, Qkey_binding, {sequence, Qt}));
    if (is_prefix(cx, found)) continue;
    if (found.is_nil()) {
      if (decode.pending || function_keys.pending || translation.pending) continue;
      const std::int64_t last = slot_count_raw(sequence) - 1;
      const Value other = TRY(funcall_re(cx, intern(cx, "copy-sequence"), {sequence}));
      set_slot_raw(other, last, TRY(unshifted_re(cx, slot_raw(sequence, last))));
      found = TRY(funcall_re(cx, Qkey_binding, {other, Qt}));
      if (found.truthy()) sequence = other;
      if (is_prefix(cx, found)) continue;
    }
    *keys = sequence;
    *binding = found;
    return Qt;
  }
}

bool input_ended(Context& cx) {
  for (const Value v : {Qunread_post_input_method_events, Qunread_command_events, Qunread_input_method_events})
    if (variable_value(cx, v).is_cons()) return false;
  return std::feof(stdin) != 0;
}

namespace {

// PROMPT is shown nowhere, but must be one.
Maybe<bool> check_prompt(Context& cx, Value prompt) {
  TRY(check_type(cx, prompt.is_nil() || prompt.is_string(), Qstringp, prompt));
  return true;
}

// Whether an event is there without a look at standard input.
bool event_waits(Context& cx) {
  for (const Value v : {Qunread_post_input_method_events, Qunread_command_events, Qunread_input_method_events})
    if (variable_value(cx, v).is_cons()) return true;
  return variable_true(cx, Qexecuting_kbd_macro);
}

Value read_one_re(Context& cx, Value prompt, Value seconds, bool characters, bool others_are_errors) {
  TRY(check_prompt(cx, prompt));
  // With a limit, standard input is not read: a batch program gets nil when the time is over.
  if (is_number(seconds) && !event_waits(cx)) {
    const double duration = TRY(number_as_double(cx, seconds));
    TRY(wait_for_output_re(cx, duration, kNil, false));
    return kNil;
  }
  for (;;) {
    const Value event = TRY(read_event_re(cx));
    if (event.is_unbound()) return Value::fixnum(-1);
    if (!characters || event.is_fixnum()) return event;
    if (others_are_errors) return error_text(cx, "Non-character input-event");
  }
}

NEOVM_PRIMITIVE(read_event, "read-event", 0, 3, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Read an event; without a terminal, from a keyboard macro or standard input.")
(Context& cx, Value prompt, Value, Value seconds) { return read_one_re(cx, prompt, seconds, false, false); }

NEOVM_PRIMITIVE(read_char, "read-char", 0, 3, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Read a character; any other event is an error.")
(Context& cx, Value prompt, Value, Value seconds) { return read_one_re(cx, prompt, seconds, true, true); }

NEOVM_PRIMITIVE(read_char_exclusive, "read-char-exclusive", 0, 3, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Read a character; other events are passed over.")
(Context& cx, Value prompt, Value, Value seconds) { return read_one_re(cx, prompt, seconds, true, false); }

NEOVM_PRIMITIVE(read_key_sequence_vector, "read-key-sequence-vector", 1, 5, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Read a key sequence and return it as a vector.")
(Context& cx, Value prompt, Value, Value, Value, Value) {
  TRY(check_prompt(cx, prompt));
  Value keys = kNil;
  Value binding = kNil;
  if (TRY(read_keys_re(cx, prompt, &keys, &binding)).is_nil()) return make_vector(cx, 0, kNil);
  TRY(set_variable_re(cx, intern(cx, "neovm--command-keys"), keys));
  return keys;
}

NEOVM_PRIMITIVE(read_key_sequence, "read-key-sequence", 1, 5, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Read a key sequence and return it, as a string when it is all plain characters.")
(Context& cx, Value prompt, Value, Value, Value, Value) {
  TRY(check_prompt(cx, prompt));
  Value keys = kNil;
  Value binding = kNil;
  if (TRY(read_keys_re(cx, prompt, &keys, &binding)).is_nil()) return make_unibyte_string(cx, "");
  TRY(set_variable_re(cx, intern(cx, "neovm--command-keys"), keys));
  for (std::int64_t i = 0; i < slot_count_raw(keys); ++i) {
    const Value v = slot_raw(keys, i);
    if (!v.is_fixnum() || v.as_fixnum() < 0 || v.as_fixnum() >= 1 << 22) return keys;
  }
  return funcall_re(cx, intern(cx, "concat"), {keys});
}

}  // namespace
}  // namespace neomacs::host
