// Base 64 (RFC 4648) over strings and regions; order by the rules of a locale (fns.c of GNU).
#include <locale.h>

#include <algorithm>
#include <cstring>

#include "neovm/text/characters.hpp"
#include "rows.hpp"
#include "sequences.hpp"

namespace neovm::elisp {

namespace {

constexpr char kStandard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrl[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr int kLineLength = 76;

struct Style {
  bool break_lines;
  bool pad;
  bool url;
};

std::string encode(std::string_view in, Style style) {
  const char* digits = style.url ? kUrl : kStandard;
  std::string out;
  int column = 0;
  for (std::size_t i = 0; i < in.size(); i += 3) {
    if (style.break_lines && column == kLineLength) {
      out.push_back('\n');
      column = 0;
    }
    const std::size_t n = std::min<std::size_t>(3, in.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = (group << 8) | (k < n ? static_cast<std::uint8_t>(in[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      if (k <= n) {
        out.push_back(digits[(group >> (18 - 6 * k)) & 63]);
      } else if (style.pad) {
        out.push_back('=');
      }
    }
    column += 4;
  }
  return out;
}

int digit_value(char c, bool url) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == (url ? '-' : '+')) return 62;
  if (c == (url ? '_' : '/')) return 63;
  return -1;
}

// False for invalid input. Line ends and blanks between the digits do not count; with `url' padding may lack.
bool decode(std::string_view in, bool url, std::string* out) {
  std::uint32_t group = 0;
  int have = 0;
  std::size_t i = 0;
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; };
  for (; i < in.size(); ++i) {
    if (blank(in[i])) continue;
    if (in[i] == '=') break;
    const int v = digit_value(in[i], url);
    if (v < 0) return false;
    group = (group << 6) | static_cast<std::uint32_t>(v);
    if (++have < 4) continue;
    for (int k = 16; k >= 0; k -= 8) out->push_back(static_cast<char>(group >> k));
    group = 0;
    have = 0;
  }
  int pads = 0;
  for (; i < in.size(); ++i) {
    if (blank(in[i])) continue;
    if (in[i] != '=') return false;
    ++pads;
  }
  if (have == 0) return pads == 0;
  if (have == 1) return false;
  if (pads != 4 - have && !(url && pads == 0)) return false;
  group <<= 6 * (4 - have);
  out->push_back(static_cast<char>(group >> 16));
  if (have == 3) out->push_back(static_cast<char>(group >> 8));
  return true;
}

// The bytes of a string whose characters are all bytes (Latin-1 ones count).
Maybe<std::string> bytes_of(Context& cx, Value s) {
  if (!string_multibyte(s)) return std::string(string_view_of(s));
  std::string out;
  bool good = true;
  TRY(each_element(cx, s, [&](Value e) -> Maybe<bool> {
    const auto c = static_cast<int>(e.as_fixnum());
    good = good && (c < 0x100 || text::is_raw_byte_char(c));
    out.push_back(static_cast<char>(text::is_raw_byte_char(c) ? text::char_to_raw_byte(c) : c));
    return true;
  }));
  if (!good) return error_text(cx, "Multibyte character in data for base64 encoding");
  return out;
}

Value encode_string(Context& cx, Value s, Style style) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  const std::string bytes = TRY(bytes_of(cx, s));
  return make_unibyte_string(cx, encode(bytes, style));
}

// Replaces the region by what `convert` makes of its text; returns the new length.
template <class F>
Value replace_region_re(Context& cx, Value from, Value to, F convert) {
  const Value text = TRY(funcall_re(cx, Qbuffer_substring_no_properties, {from, to}));
  const Value made = TRY(convert(text));
  const std::int64_t a = TRY(position_argument(cx, from));
  const std::int64_t b = TRY(position_argument(cx, to));
  const Value start = Value::fixnum(std::min(a, b));
  const Value old_point = TRY(funcall_re(cx, Qpoint, {}));
  TRY(funcall_re(cx, Qgoto_char, {start}));
  TRY(funcall_re(cx, Qinsert, {made}));
  const std::int64_t length = string_chars(made);
  TRY(funcall_re(cx, Qdelete_region,
                 {Value::fixnum(start.as_fixnum() + length), Value::fixnum(std::max(a, b) + length)}));
  const std::int64_t p = old_point.as_fixnum();
  const std::int64_t moved =
      p >= std::max(a, b) ? p + length - (std::max(a, b) - std::min(a, b)) : std::min(p, start.as_fixnum() + length);
  TRY(funcall_re(cx, Qgoto_char, {Value::fixnum(moved)}));
  return Value::fixnum(length);
}

}  // namespace

DATA_MAKES(base64_encode_string, "base64-encode-string", 1, 2,
           "Return STRING's bytes in base 64; NO-LINE-BREAK keeps them on one line.")
(Context& cx, Value s, Value no_break) { return encode_string(cx, s, {no_break.is_nil(), true, false}); }
DATA_MAKES(base64url_encode_string, "base64url-encode-string", 1, 2,
           "Return STRING's bytes in the base 64 of URLs; NO-PAD leaves out the padding.")
(Context& cx, Value s, Value no_pad) { return encode_string(cx, s, {false, no_pad.is_nil(), true}); }
DATA_MAKES(base64_decode_string, "base64-decode-string", 1, 2,
           "Return the bytes that STRING holds in base 64 (BASE64URL: that of URLs).")
(Context& cx, Value s, Value url) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  std::string out;
  if (!decode(string_view_of(s), url.truthy(), &out)) return error_text(cx, "Invalid base64 data");
  return make_unibyte_string(cx, out);
}
DATA_REENTERS_COMMAND(base64_encode_region, "base64-encode-region", 2, 3, "r",
                      "Replace the bytes from BEG to END by their form in base 64; return its length.")
(Context& cx, Value from, Value to, Value no_break) {
  return replace_region_re(cx, from, to, [&](Value s) {
    return encode_string(cx, s, {no_break.is_nil(), true, false});
  });
}
DATA_REENTERS_COMMAND(base64url_encode_region, "base64url-encode-region", 2, 3, "r",
                      "Replace the bytes from BEG to END by their form in the base 64 of URLs.")
(Context& cx, Value from, Value to, Value no_pad) {
  return replace_region_re(cx, from, to, [&](Value s) { return encode_string(cx, s, {false, no_pad.is_nil(), true}); });
}
DATA_REENTERS_COMMAND(base64_decode_region, "base64-decode-region", 2, 3, "r",
                      "Replace base 64 from BEG to END by the bytes it stands for; return their number.")
(Context& cx, Value from, Value to, Value url) {
  return replace_region_re(cx, from, to, [&](Value s) -> Value {
    std::string out;
    if (!decode(string_view_of(s), url.truthy(), &out)) return error_text(cx, "Invalid base64 data");
    return make_unibyte_string(cx, out);
  });
}

// ---- order by the rules of a locale -------------------------------------------------------------------------------------------------------

namespace {

Maybe<int> collate(Context& cx, Value a, Value b, Value name, Value ignore_case) {
  a = TRY(string_designator(cx, a));
  b = TRY(string_designator(cx, b));
  if (!name.is_nil() && !name.is_string()) return wrong_type(cx, Qstringp, name);
  if (ignore_case.truthy()) {
    a = TRY(funcall_re(cx, Qdowncase, {a}));
    b = TRY(funcall_re(cx, Qdowncase, {b}));
  }
  locale_t locale = newlocale(LC_ALL_MASK, name.is_string() ? to_std_string(name).c_str() : "", nullptr);
  if (locale == nullptr) {
    if (name.is_string())
      return error_format(cx, "Invalid locale %s: No such file or directory", to_std_string(name).c_str());
    locale = newlocale(LC_ALL_MASK, "C", nullptr);
  }
  const int order = strcoll_l(to_std_string(a).c_str(), to_std_string(b).c_str(), locale);
  freelocale(locale);
  return order;
}

}  // namespace

DATA_REENTERS(string_collate_lessp, "string-collate-lessp", 2, 4,
              "Return t if S1 comes before S2 by the rules of LOCALE.")
(Context& cx, Value a, Value b, Value locale, Value ignore_case) {
  return boolean(TRY(collate(cx, a, b, locale, ignore_case)) < 0);
}
DATA_REENTERS(string_collate_equalp, "string-collate-equalp", 2, 4,
              "Return t if S1 and S2 are the same by the rules of LOCALE.")
(Context& cx, Value a, Value b, Value locale, Value ignore_case) {
  return boolean(TRY(collate(cx, a, b, locale, ignore_case)) == 0);
}

}  // namespace neovm::elisp
