// Key sequences: strings and vectors as runs of events.
#include "keymap/keymap.hpp"

namespace neovm::elisp {

bool is_key_sequence(Value v) { return v.is_string() || is_vector(v); }

std::int64_t key_count(Value keys) { return keys.is_string() ? string_chars(keys) : slot_count_raw(keys); }

Value meta_prefix(Context& cx) {
  const Value v = variable_value(cx, Qmeta_prefix_char);
  return v.is_fixnum() ? v : Value::fixnum(27);
}

Value key_event(Context& cx, Value keys, std::int64_t i) {
  if (keys.is_string()) {
    const std::int64_t c = string_char_raw(keys, i);
    if (string_multibyte(keys) || c < 0x80) return Value::fixnum(c);
    return Value::fixnum((c & 0x7F) | kMetaModifier);
  }
  const Value event = slot_raw(keys, i);
  if (event.is_cons()) return is_event_description(event) ? convert_event_list(cx, event) : event;
  if (event.is_fixnum() || event.is_symbol() || event.is_string()) return event;
  return wrong_type(cx, Qstringp, event);
}

}  // namespace neovm::elisp
