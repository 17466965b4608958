// Small primitives of editfns.c about characters.
#include "buffer/buffer.hpp"

namespace neomacs::host {

NEOVM_PRIMITIVE(char_to_string, "char-to-string", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return a string of the one character CHAR.")
(Context& cx, Value character) {
  const int c = TRY(character_argument(cx, character));
  std::uint8_t unit[text::kMaxBytesPerChar];
  const int n = text::encode_char(c, unit);
  const std::string_view bytes(reinterpret_cast<const char*>(unit), static_cast<std::size_t>(n));
  return n == 1 ? make_unibyte_string(cx, bytes) : make_multibyte_string(cx, bytes, 1);
}

NEOVM_PRIMITIVE(byte_to_string, "byte-to-string", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return a unibyte string of the one byte BYTE.")
(Context& cx, Value byte) {
  const std::int64_t b = TRY(fixnum_argument(cx, byte));
  if (b < 0 || b > 255) return error_text(cx, "Invalid byte");
  const char c = static_cast<char>(b);
  return make_unibyte_string(cx, std::string_view(&c, 1));
}

NEOVM_PRIMITIVE(string_to_char, "string-to-char", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return the first character of STRING, 0 when it is empty.")
(Context& cx, Value string) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  return Value::fixnum(string_chars(string) == 0 ? 0 : string_char_raw(string, 0));
}

// Lower case by the current buffer's table.
int downcase_char(Context& cx, int c) {
  const Value d = char_table_get(current_tables(cx).downcase, c);
  return d.is_fixnum() ? static_cast<int>(d.as_fixnum()) : c;
}

NEOVM_PRIMITIVE(char_equal, "char-equal", 2, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if two characters match, ignoring case when case-fold-search says so.")
(Context& cx, Value a, Value b) {
  // Both arguments are checked first, in order.
  const int x = TRY(character_argument(cx, a));
  const int y = TRY(character_argument(cx, b));
  if (x == y) return Qt;
  if (!variable_true(cx, Qcase_fold_search)) return kNil;
  return boolean(downcase_char(cx, x) == downcase_char(cx, y));
}

NEOVM_PRIMITIVE(ngettext, "ngettext", 3, 3, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return MSGID if N is 1, else MSGID-PLURAL.")
(Context& cx, Value msgid, Value msgid_plural, Value n) {
  if (!msgid.is_string()) return wrong_type(cx, Qstringp, msgid);
  if (!msgid_plural.is_string()) return wrong_type(cx, Qstringp, msgid_plural);
  if (!is_integer(n)) return wrong_type(cx, Qintegerp, n);
  return n == Value::fixnum(1) ? msgid : msgid_plural;
}

}  // namespace neomacs::host
