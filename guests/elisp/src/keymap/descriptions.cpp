// Key sequences as text for people: C-x C-f, <f1>, M-x. (Emacs Lisp manual, "Describing Characters".)
#include <string>

#include "keymap/keymap.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

namespace {

constexpr int kEscape = 27;
constexpr int kDelete = 127;

std::string encoded(int c) {
  std::uint8_t bytes[text::kMaxBytesPerChar];
  const int n = text::encode_char(c, bytes);
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n)};
}

Value as_string(Context& cx, const std::string& s) {
  for (const char c : s)
    if (static_cast<std::uint8_t>(c) >= 0x80) return make_multibyte_string(cx, s);
  return make_unibyte_string(cx, s);
}

// One character with its modifier bits. Bits above them are no part of an event.
std::string character_description(std::int64_t event) {
  std::int64_t c = event & kMaxCharacter;
  bool control = (event & kControlModifier) != 0;
  // TAB keeps its name only without other modifiers.
  const bool has_name = c == kEscape || c == '\r' || c == ' ' || c == kDelete ||
                        (c == '\t' && (event & kModifierMask) == 0) ||
                        (c == '\t' && (event & kModifierMask) == kControlModifier);
  if (c < ' ' && !has_name) {
    control = true;
    c += c == 0 || c > 26 ? '@' : '`';
  }
  std::string out;
  const auto add_modifier = [&](bool on, const char* text) {
    if (on) out += text;
  };
  add_modifier((event & kAltModifier) != 0, "A-");
  add_modifier(control, "C-");
  add_modifier((event & kHyperModifier) != 0, "H-");
  add_modifier((event & kMetaModifier) != 0, "M-");
  add_modifier((event & kShiftModifier) != 0, "S-");
  add_modifier((event & kSuperModifier) != 0, "s-");
  switch (c) {
    case '\t': return out + "TAB";
    case '\r': return out + "RET";
    case kEscape: return out + "ESC";
    case ' ': return out + "SPC";
    case kDelete: return out + "DEL";
    default: return out + encoded(static_cast<int>(c));
  }
}

// The name of a symbol in angle brackets, with modifiers of one letter outside: C-M-<f1>.
std::string symbol_description(std::string_view name) {
  static constexpr std::string_view kLetters = "ACHMSs";
  std::size_t outside = 0;
  // What is left inside has at least two characters.
  while (name.size() > outside + 3 && name[outside + 1] == '-' &&
         kLetters.find(name[outside]) != std::string_view::npos)
    outside += 2;
  return std::string(name.substr(0, outside)) + "<" + std::string(name.substr(outside)) + ">";
}

bool is_character_pair(Value v) { return is_character(car_raw(v)) && is_character(cdr_raw(v)); }

}  // namespace

Value single_key_description(Context& cx, Value key, bool no_angles) {
  if (key.is_cons() && is_character_pair(key))
    return make_multibyte_string(
        cx, character_description(car_raw(key).as_fixnum()) + ".." + character_description(cdr_raw(key).as_fixnum()));
  if (key.is_cons()) key = is_event_description(key) ? TRY(convert_event_list(cx, key)) : car_raw(key);
  if (key.is_fixnum()) return as_string(cx, character_description(key.as_fixnum()));
  if (key.is_symbol()) {
    const std::string name(symbol_name_view(cx, key));
    return make_string(cx, no_angles ? name : symbol_description(name));
  }
  if (key.is_string()) return funcall_re(cx, Qcopy_sequence, {key});
  return error_text(cx, "KEY must be an integer, cons, symbol, or string");
}

Value describe_events(Context& cx, Value events) {
  const Value prefix = meta_prefix(cx);
  std::string out;
  while (events.is_cons()) {
    Value event = car_raw(events);
    events = cdr_raw(events);
    // The prefix and a character without meta are one key.
    if (event == prefix && events.is_cons()) {
      const Value next = car_raw(events);
      if (next.is_fixnum() && next != prefix && (next.as_fixnum() & kMetaModifier) == 0) {
        event = Value::fixnum(next.as_fixnum() | kMetaModifier);
        events = cdr_raw(events);
      }
    }
    if (!out.empty()) out += ' ';
    out += string_view_of(TRY(single_key_description(cx, event, false)));
  }
  return as_string(cx, out);
}

NEOVM_PRIMITIVE(single_key, "single-key-description", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return a pretty description of the event KEY; NO-ANGLES leaves out angle brackets.")
(Context& cx, Value key, Value no_angles) { return single_key_description(cx, key, no_angles.truthy()); }

NEOVM_PRIMITIVE(text_char_description, "text-char-description", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Return the description of CHARACTER as text: ^X for controls.")
(Context& cx, Value character) {
  const int c = TRY(character_argument(cx, character));
  if (c < ' ') return make_unibyte_string(cx, std::string("^") + static_cast<char>(c + '@'));
  if (c == kDelete) return make_unibyte_string(cx, "^?");
  return as_string(cx, encoded(c));
}

namespace {

// Pushes the events of KEYS onto `*out`, the last one first. Bytes above 127 of a string are meta characters.
Value push_events(Context& cx, Value keys, Value* out) {
  if (keys.is_string()) {
    for (std::int64_t i = 0; i < string_chars(keys); ++i) {
      const std::int64_t c = string_char_raw(keys, i);
      const bool meta = c >= 0x80 && c <= 0xFF;
      *out = cons(cx, Value::fixnum(meta ? (c & 0x7F) | kMetaModifier : c), *out);
    }
    return kNil;
  }
  if (is_vector(keys)) {
    for (std::int64_t i = 0; i < slot_count_raw(keys); ++i) *out = cons(cx, slot_raw(keys, i), *out);
    return kNil;
  }
  TRY(list_length(cx, keys));  // a proper list
  for (; keys.is_cons(); keys = cdr_raw(keys)) *out = cons(cx, car_raw(keys), *out);
  return kNil;
}

}  // namespace

NEOVM_PRIMITIVE(key_description, "key-description", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return a pretty description of the key sequence KEYS, after PREFIX.")
(Context& cx, Value keys, Value prefix) {
  Value events = kNil;
  for (const Value part : {keys, prefix}) TRY(funcall_re(cx, intern(cx, "length"), {part}));
  for (const Value part : {prefix, keys}) {
    if (!part.is_list() && !is_key_sequence(part)) return wrong_type(cx, Qarrayp, part);
    TRY(push_events(cx, part, &events));
  }
  return describe_events(cx, nreverse_list(events));
}

}  // namespace neovm::elisp
