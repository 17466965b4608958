// Events: modifiers in symbols and characters, and their descriptions.
#include <string>

#include "keymap/keymap.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

namespace {

struct Prefix {
  std::string_view text;
  std::int64_t modifier;
  Value name;
};
// The canonical order of prefixes is that of this table.
constexpr Prefix kPrefixes[] = {
    {"A-", kAltModifier, Qalt},
    {"C-", kControlModifier, Qcontrol},
    {"H-", kHyperModifier, Qhyper},
    {"M-", kMetaModifier, Qmeta},
    {"S-", kShiftModifier, Qshift},
    {"s-", kSuperModifier, Qsuper},
    {"double-", kDoubleModifier, Qdouble},
    {"triple-", kTripleModifier, Qtriple},
    {"up-", kUpModifier, Qup},
    {"down-", kDownModifier, Qdown},
    {"drag-", kDragModifier, Qdrag},
};

bool ends_with_digit_of_mouse(std::string_view name) {
  return name.size() == 7 && name.starts_with("mouse-") && name[6] >= '0' && name[6] <= '9';
}

}  // namespace

ParsedEvent parse_event_symbol(Context& cx, Value symbol) {
  const std::string name(symbol_name_view(cx, symbol));
  std::string_view rest = name;
  std::int64_t modifiers = 0;
  for (bool more = true; more;) {
    more = false;
    for (const Prefix& p : kPrefixes) {
      if (rest.size() > p.text.size() && rest.starts_with(p.text)) {
        modifiers |= p.modifier;
        rest.remove_prefix(p.text.size());
        more = true;
        break;
      }
    }
  }
  // A mouse button without up, down, drag or a count is a click.
  if ((modifiers & (kDownModifier | kDragModifier | kDoubleModifier | kTripleModifier | kUpModifier)) == 0 &&
      ends_with_digit_of_mouse(rest))
    modifiers |= kClickModifier;
  if ((modifiers & (kDoubleModifier | kTripleModifier)) != 0 && (modifiers & (kDownModifier | kDragModifier)) == 0 &&
      ends_with_digit_of_mouse(rest))
    modifiers |= kClickModifier;
  return {rest.size() == name.size() ? symbol : intern(cx, rest), modifiers};
}

Value apply_modifiers(Context& cx, std::int64_t modifiers, Value base) {
  if (base.is_fixnum()) return Value::fixnum(base.as_fixnum() | (modifiers & kModifierMask));
  std::string name;
  for (const Prefix& p : kPrefixes)
    if ((modifiers & p.modifier) != 0) name += p.text;
  if (name.empty()) return base;
  name += symbol_name_view(cx, base);
  return intern(cx, name);
}

Value reorder_modifiers(Context& cx, Value symbol) {
  if (symbol_name_view(cx, symbol).find('-') == std::string_view::npos) return symbol;
  const ParsedEvent p = parse_event_symbol(cx, symbol);
  return p.base == symbol ? symbol : apply_modifiers(cx, p.modifiers & ~kClickModifier, p.base);
}

NEOVM_PRIMITIVE(event_symbol_parse_modifiers, "internal-event-symbol-parse-modifiers", 1, 1, kWorkerSafe, kStateRead,
                kMayGc, kNoReentry, kDeterministic, "Return (BASE MODIFIER…) for the event symbol SYMBOL.")
(Context& cx, Value symbol) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  const ParsedEvent p = parse_event_symbol(cx, symbol);
  // Low bits first, as the bits of the mask run.
  Value out = kNil;
  static constexpr std::pair<std::int64_t, Value> kOrder[] = {
      {kMetaModifier, Qmeta},   {kControlModifier, Qcontrol}, {kShiftModifier, Qshift},   {kHyperModifier, Qhyper},
      {kSuperModifier, Qsuper}, {kAltModifier, Qalt},         {kTripleModifier, Qtriple}, {kDoubleModifier, Qdouble},
      {kClickModifier, Qclick}, {kDragModifier, Qdrag},       {kDownModifier, Qdown},     {kUpModifier, Qup}};
  for (const auto& [bit, name] : kOrder)
    if ((p.modifiers & bit) != 0) out = cons(cx, name, out);
  return cons(cx, p.base, nreverse_list(out));
}

Value convert_event_list(Context& cx, Value description) {
  std::int64_t modifiers = 0;
  Value base = kNil;
  for (Value l = description; l.is_cons(); l = cdr_raw(l)) {
    const Value e = car_raw(l);
    std::int64_t bit = 0;
    if (e.is_symbol() && e.truthy() && cdr_raw(l).is_cons()) {
      for (const Prefix& p : kPrefixes)
        if (e == p.name) bit = p.modifier;
      if (e == Qclick) bit = kClickModifier;
      if (bit == 0 && symbol_name_view(cx, e).size() == 1)
        for (const Prefix& p : kPrefixes)
          if (p.text.size() == 2 && p.text[0] == symbol_name_view(cx, e)[0]) bit = p.modifier;
    }
    if (bit != 0) {
      modifiers |= bit;
    } else if (base.truthy()) {
      return error_text(cx, "Two bases given in one event");
    } else {
      base = e;
    }
  }
  // A symbol of one character stands for it.
  if (base.is_symbol() && base.truthy()) {
    const Value name = symbol_name(cx, base);
    if (string_chars(name) == 1) base = Value::fixnum(string_char_raw(name, 0));
  }
  if (base.is_fixnum()) {
    std::int64_t c = base.as_fixnum();
    if ((modifiers & kShiftModifier) != 0 && (c & 0x3FFFFF) >= 'a' && (c & 0x3FFFFF) <= 'z') {
      c -= 'a' - 'A';
      modifiers &= ~kShiftModifier;
    }
    if ((modifiers & kControlModifier) != 0) {
      // Where ASCII has a control character for it, that is the event.
      const std::int64_t high = c & kModifierMask;
      const std::int64_t low = c & ~kModifierMask;
      if (low == '?') {
        c = 127 | high;
        modifiers &= ~kControlModifier;
      } else if (low >= '@' && low <= '_') {
        c = (low & 31) | high;
        modifiers &= ~kControlModifier;
      } else if (low >= 'a' && low <= 'z') {
        c = (low & 31) | high;
        modifiers &= ~kControlModifier;
      }
    }
    return Value::fixnum(c | (modifiers & kModifierMask));
  }
  if (base.is_symbol() && base.truthy()) return apply_modifiers(cx, modifiers & ~kClickModifier, base);
  if (base.is_nil()) return kNil;
  return error_text(cx, "Invalid base event");
}

NEOVM_PRIMITIVE(event_convert_list, "event-convert-list", 1, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Convert (MODIFIER… BASE) into an event.")
(Context& cx, Value description) {
  if (!description.is_list()) return wrong_type(cx, Qlistp, description);
  return convert_event_list(cx, description);
}

std::string character_description(std::int64_t c) {
  std::string out;
  std::int64_t plain = c & ~kModifierMask;
  const bool tab_as_control = plain == 9 && (c & kModifierMask) != 0 && (c & kModifierMask) != kMetaModifier;
  if ((c & kAltModifier) != 0) out += "A-";
  if ((c & kControlModifier) != 0 || (plain < ' ' && plain >= 0 && plain != 27 && plain != 9 && plain != 13) ||
      tab_as_control) {
    out += "C-";
  }
  if ((c & kHyperModifier) != 0) out += "H-";
  if ((c & kMetaModifier) != 0) out += "M-";
  if ((c & kShiftModifier) != 0) out += "S-";
  if ((c & kSuperModifier) != 0) out += "s-";
  if (plain > kMaxCharacter || plain < 0) return out + "[" + std::to_string(plain) + "]";  // no character
  if (plain < 32) {
    if (plain == 27) return out + "ESC";
    if (tab_as_control) return out + "i";
    if (plain == 9) return out + "TAB";
    if (plain == 13) return out + "RET";
    out += static_cast<char>(plain > 0 && plain <= 26 ? plain + 0140 : plain + 0100);
    return out;
  }
  if (plain == 127) return out + "DEL";
  if (plain == ' ') return out + "SPC";
  std::uint8_t bytes[text::kMaxBytesPerChar];
  const int n = text::encode_char(static_cast<int>(plain), bytes);
  return out + std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
}

Value single_key_description(Context& cx, Value key, bool no_angles) {
  if (key.is_cons()) {
    // (FROM . TO), a range; or an event list, whose head says what it is; or modifiers with a base.
    if (is_character(car_raw(key)) && is_character(cdr_raw(key)))
      return make_multibyte_string(
          cx, character_description(car_raw(key).as_fixnum()) + ".." + character_description(cdr_raw(key).as_fixnum()));
    bool modifier_list = false;
    for (const Prefix& p : kPrefixes) modifier_list = modifier_list || car_raw(key) == p.name;
    key = modifier_list ? TRY(convert_event_list(cx, key)) : car_raw(key);
  }
  if (key.is_fixnum()) {
    const std::string s = character_description(key.as_fixnum());
    for (const char c : s)
      if (static_cast<std::uint8_t>(c) >= 0x80) return make_multibyte_string(cx, s);
    return make_unibyte_string(cx, s);
  }
  if (key.is_symbol()) {
    std::string name(symbol_name_view(cx, key));
    if (!no_angles) {
      // Modifiers stay outside: C-<f1>.
      std::size_t outside = 0;
      std::string_view rest = name;
      for (bool more = true; more;) {
        more = false;
        for (const Prefix& x : kPrefixes)
          if (x.text.size() == 2 && rest.size() > 2 && rest.starts_with(x.text)) {
            outside += 2;
            rest.remove_prefix(2);
            more = true;
            break;
          }
      }
      name = name.substr(0, outside) + "<" + std::string(rest) + ">";
    }
    return make_string(cx, name);
  }
  if (key.is_string()) return funcall_re(cx, Qcopy_sequence, {key});
  return error_text(cx, "KEY must be an integer, cons, symbol, or string");
}

NEOVM_PRIMITIVE(single_key, "single-key-description", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return a pretty description of the event KEY; NO-ANGLES leaves out angle brackets.")
(Context& cx, Value key, Value no_angles) { return single_key_description(cx, key, no_angles.truthy()); }

NEOVM_PRIMITIVE(text_char_description, "text-char-description", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Return the description of CHARACTER as text: ^X for controls.")
(Context& cx, Value character) {
  const int c = TRY(character_argument(cx, character));
  if (c < 32) return make_unibyte_string(cx, std::string("^") + static_cast<char>(c + 64));
  if (c == 127) return make_unibyte_string(cx, "^?");
  std::uint8_t bytes[text::kMaxBytesPerChar];
  const int n = text::encode_char(c, bytes);
  const std::string_view s(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
  return c < 128 ? make_unibyte_string(cx, s) : make_multibyte_string(cx, s);
}

// The events of KEYS as a list; a unibyte string's bytes above 127 are meta characters.
namespace {
Value append_events(Context& cx, Value keys, Value* out) {
  if (keys.is_string()) {
    for (std::int64_t i = 0; i < string_chars(keys); ++i) {
      std::int64_t c = string_char_raw(keys, i);
      if (!string_multibyte(keys) && c >= 0x80) c = (c ^ 0x80) | kMetaModifier;
      *out = cons(cx, Value::fixnum(c), *out);
    }
  } else if (is_vector(keys)) {
    for (std::int64_t i = 0; i < slot_count_raw(keys); ++i) *out = cons(cx, slot_raw(keys, i), *out);
  } else if (keys.is_list()) {
    for (Value l = keys; l.is_cons(); l = cdr_raw(l)) *out = cons(cx, car_raw(l), *out);
  } else {
    return wrong_type(cx, Qarrayp, keys);
  }
  return kNil;
}
}  // namespace

NEOVM_PRIMITIVE(key_description, "key-description", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return a pretty description of the key sequence KEYS, after PREFIX.")
(Context& cx, Value keys, Value prefix) {
  if (!keys.is_list() && !keys.is_string() && !is_vector(keys)) return wrong_type(cx, Qsequencep, keys);
  Value events = kNil;
  if (prefix.truthy()) TRY(append_events(cx, prefix, &events));
  TRY(append_events(cx, keys, &events));
  events = nreverse_list(events);
  const Value meta_prefix = variable_value(cx, Qmeta_prefix_char);
  std::string out;
  bool add_meta = false;
  for (; events.is_cons(); events = cdr_raw(events)) {
    Value key = car_raw(events);
    if (add_meta) {
      const bool plain = key.is_fixnum() && key != meta_prefix && (key.as_fixnum() & kMetaModifier) == 0;
      if (plain) {
        key = Value::fixnum(key.as_fixnum() | kMetaModifier);
      } else {
        out += (out.empty() ? "" : " ") + to_std_string(TRY(single_key_description(cx, meta_prefix, false)));
      }
      add_meta = false;
    } else if (key.is_fixnum() && key == meta_prefix && cdr_raw(events).is_cons()) {
      add_meta = true;
      continue;
    }
    const Value s = TRY(single_key_description(cx, key, false));
    out += (out.empty() ? "" : " ") + std::string(string_view_of(s));
  }
  bool ascii = true;
  for (const char c : out) ascii = ascii && static_cast<std::uint8_t>(c) < 0x80;
  return ascii ? make_unibyte_string(cx, out) : make_multibyte_string(cx, out);
}

}  // namespace neovm::elisp
