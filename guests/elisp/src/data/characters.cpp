// Characters: codes, widths, raw bytes (character.c of GNU).
#include "neovm/text/characters.hpp"

#include "rows.hpp"
#include "sequences.hpp"

namespace neovm::elisp {

// clang-format off
NEOVM_VARIABLE(translation_table_vector, "translation-table-vector", kGlobalVar, kAny, InitialValue([](Context& cx) { return make_vector(cx, 16, kNil); }), "Vector of (NAME . TABLE) of all translation tables.")
NEOVM_VARIABLE(auto_fill_chars, "auto-fill-chars", kGlobalVar, kAny, InitialValue([](Context& cx) {
  symbol_put(cx, Qauto_fill_chars, Qchar_table_extra_slots, Value::fixnum(0));
  const Value t = make_char_table(cx, Qauto_fill_chars, kNil);
  char_table_set(cx, t, ' ', Qt);
  char_table_set(cx, t, '\n', Qt);
  return t; }), "Char-table of the characters that start auto-filling.")
NEOVM_VARIABLE(char_width_table, "char-width-table", kGlobalVar, kAny, InitialValue([](Context& cx) {
  const Value t = make_char_table(cx, kNil, kNil);
  set_slot_raw(t, kCharTableDefault, Value::fixnum(1));
  char_table_set_range(cx, t, 0x80, 0x9F, Value::fixnum(4));
  char_table_set_range(cx, t, text::kMax5Byte + 1, text::kMaxChar, Value::fixnum(4));
  return t; }), "Char-table of the columns characters take.")
NEOVM_VARIABLE(ambiguous_width_chars, "ambiguous-width-chars", kGlobalVar, kAny, InitialValue([](Context& cx) { return make_char_table(cx, kNil, kNil); }), "Char-table of characters whose width depends on the font.")
NEOVM_VARIABLE(printable_chars, "printable-chars", kGlobalVar, kAny, InitialValue([](Context& cx) { return make_char_table(cx, kNil, Qt); }), "Char-table of the characters that are printed as they are.")
NEOVM_VARIABLE(char_script_table, "char-script-table", kGlobalVar, kAny, InitialValue([](Context& cx) {
  symbol_put(cx, Qchar_script_table, Qchar_table_extra_slots, Value::fixnum(1));
  return make_char_table(cx, Qchar_script_table, kNil); }), "Char-table of the scripts characters belong to.")
NEOVM_VARIABLE(script_representative_chars, "script-representative-chars", kGlobalVar, kAny, kInitNil, "Alist of scripts and characters that stand for them.")
NEOVM_VARIABLE(unicode_category_table, "unicode-category-table", kGlobalVar, kAny, kInitNil, "Char-table of Unicode's general categories.")
// clang-format on

// Purposes whose tables GNU's Lisp library makes: how many extra slots each has.
NEOVM_INIT(char_table_purposes, kTables)(Context& cx) {
  symbol_put(cx, Qtranslation_table, Qchar_table_extra_slots, Value::fixnum(2));
  for (const char* purpose :
       {"keymap", "keyboard-translate-table", "use-default-ascent", "ignore-relative-composition"})
    symbol_put(cx, intern(cx, purpose), Qchar_table_extra_slots, Value::fixnum(0));
}

DATA_LOOKS(characterp, "characterp", 1, 2, "Return t if OBJECT is a character.")(Context&, Value v, Value) {
  return boolean(is_character(v));
}
DATA_LOOKS(max_char, "max-char", 0, 0, "Return the largest character code.")(Context&) {
  return Value::fixnum(kMaxCharacter);
}
DATA_LOOKS(unibyte_char_to_multibyte, "unibyte-char-to-multibyte", 1, 1,
           "Return the character of the byte CH: ASCII or a raw byte.")
(Context& cx, Value ch) {
  const int c = TRY(character_argument(cx, ch));
  if (c >= 0x100) return error_format(cx, "Not a unibyte character: %d", c);
  return Value::fixnum(text::raw_byte_to_char(static_cast<unsigned>(c)));
}
DATA_LOOKS(multibyte_char_to_unibyte, "multibyte-char-to-unibyte", 1, 1, "Return the byte of CH, or -1 if it is none.")
(Context& cx, Value ch) {
  const int c = TRY(character_argument(cx, ch));
  if (c < 0x100) return ch;
  return Value::fixnum(text::is_raw_byte_char(c) ? text::char_to_raw_byte(c) : -1);
}
DATA_MAKES(string, "string", 0, kMany, "Return a new string of the CHARACTERS.")(Context& cx, Arguments args) {
  StringBuilder s;
  bool ascii = true;
  for (const Value v : args) {
    const int c = TRY(character_argument(cx, v));
    ascii = ascii && c < 0x80;
    s.add_char(c);
  }
  return ascii ? make_unibyte_string(cx, s.bytes()) : s.finish(cx);
}
DATA_MAKES(unibyte_string, "unibyte-string", 0, kMany, "Return a new unibyte string of the BYTES.")
(Context& cx, Arguments args) {
  std::string bytes;
  for (const Value v : args) {
    if (!is_integer(v)) return wrong_type(cx, Qintegerp, v);
    if (!v.is_fixnum() || v.as_fixnum() < 0 || v.as_fixnum() > 255)
      return args_out_of_range(cx, v, Value::fixnum(0), Value::fixnum(255));
    bytes.push_back(static_cast<char>(v.as_fixnum()));
  }
  return make_unibyte_string(cx, bytes);
}

namespace {

int tab_width(Context& cx) {
  const Value v = variable_value(cx, Qtab_width);
  return v.is_fixnum() && v.as_fixnum() > 0 && v.as_fixnum() <= 1000 ? static_cast<int>(v.as_fixnum()) : 8;
}

std::int64_t width_of(Context& cx, int c) {
  if (c == '\t') return tab_width(cx);
  if (c == '\n') return 0;
  if (c < 0x20 || c == 0x7F) return variable_true(cx, Qctl_arrow) ? 2 : 4;
  if (c < 0x7F) return 1;
  if (text::is_raw_byte_char(c)) return 4;
  const Value table = variable_value(cx, Qchar_width_table);
  const Value v = is_char_table(table) ? char_table_get(table, c) : kNil;
  return v.is_natnum_fixnum() ? v.as_fixnum() : 1;
}

}  // namespace

DATA_READS_STATE(char_width, "char-width", 1, 1, "Return how many columns CHAR takes.")(Context& cx, Value ch) {
  const int c = TRY(character_argument(cx, ch));
  return Value::fixnum(width_of(cx, c));
}
DATA_READS_STATE(string_width, "string-width", 1, 3, "Return how many columns STRING, or its part FROM to TO, takes.")
(Context& cx, Value s, Value from, Value to) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  const Range r = TRY(subarray_range(cx, s, from, to, string_chars(s)));
  std::int64_t width = 0;
  std::int64_t at = string_char_to_byte(s, r.from);
  for (std::int64_t i = r.from; i < r.to; ++i) {
    const std::uint8_t* p = string_data_raw(s) + at;
    const text::Decoded d = string_multibyte(s) ? text::decode_char(p) : text::Decoded{*p, 1};
    width += width_of(cx, d.c);
    at += d.bytes;
  }
  return Value::fixnum(width);
}

DATA_READS_STATE(get_byte, "get-byte", 0, 2, "Return the byte at POSITION of STRING, or of the buffer.")
(Context& cx, Value position, Value s) {
  int c = 0;
  if (s.is_nil()) {
    // The buffer's text is the host's: ask as Lisp would.
    const Value at = position.is_nil() ? TRY(funcall_re(cx, Qpoint, {})) : position;
    const Value low = TRY(funcall_re(cx, Qpoint_min, {}));
    const Value high = TRY(funcall_re(cx, Qpoint_max, {}));
    const std::int64_t pos = TRY(position_argument(cx, at));
    if (position.is_nil() && pos == high.as_fixnum()) return Value::fixnum(0);
    if (pos < low.as_fixnum() || pos >= high.as_fixnum()) return args_out_of_range(cx, at, low, high);
    const Value ch = TRY(funcall_re(cx, Qchar_after, {at}));
    if (!ch.is_fixnum()) return kNil;
    c = static_cast<int>(ch.as_fixnum());
    if (variable_value(cx, Qenable_multibyte_characters).is_nil()) return ch;
  } else {
    if (!s.is_string()) return wrong_type(cx, Qstringp, s);
    std::int64_t i = 0;
    if (!position.is_nil()) {
      if (!position.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, position);
      i = position.as_fixnum();
      if (i >= string_chars(s)) return args_out_of_range(cx, s, position);
    }
    if (i >= string_chars(s)) return Value::fixnum(0);
    c = string_char_raw(s, i);
    if (!string_multibyte(s)) return Value::fixnum(c);
  }
  if (text::is_raw_byte_char(c)) return Value::fixnum(text::char_to_raw_byte(c));
  if (c >= 0x80) return error_format(cx, "Not an ASCII nor an 8-bit character: %d", c);
  return Value::fixnum(c);
}

DATA_LOOKS(char_resolve_modifiers, "char-resolve-modifiers", 1, 1,
           "Return CHAR with its control, meta and shift bits worked into the code where ASCII has one.")
(Context& cx, Value ch) {
  if (!ch.is_fixnum()) return wrong_type(cx, Qfixnump, ch);
  constexpr std::int64_t kShift = 1 << 25;
  constexpr std::int64_t kControl = 1 << 26;
  constexpr std::int64_t kModifiers = 0xFC00000;
  std::int64_t code = ch.as_fixnum();
  std::int64_t base = code & ~kModifiers;
  if (base < 0 || base >= 0x80) return ch;
  if ((code & kShift) != 0) {
    if (base >= 'A' && base <= 'Z') {
      code &= ~kShift;
    } else if (base >= 'a' && base <= 'z') {
      code = (code & ~kShift) - 32;
    } else if (base <= 0x20) {
      code &= ~kShift;
    }
  }
  if ((code & kControl) != 0) {
    base = code & 0x7F;
    if (base == ' ') {
      code &= ~(std::int64_t{0x7F} | kControl);
    } else if (base == '?') {
      code = 0x7F | (code & ~(std::int64_t{0x7F} | kControl));
    } else if ((base & 0x5F) >= 0x41 && (base & 0x5F) <= 0x5A) {
      code &= 0x1F | (~std::int64_t{0x7F} & ~kControl);
    } else if (base >= 0x40 && base <= 0x5F) {
      code &= 0x1F | (~std::int64_t{0x7F} & ~kControl);
    }
  }
  return Value::fixnum(code);
}

}  // namespace neovm::elisp
