// Comparing and searching strings, and their unibyte and multibyte forms (fns.c of GNU).
#include <algorithm>
#include <cstring>
#include <vector>

#include "case_tables.hpp"
#include "rows.hpp"
#include "sequences.hpp"
#include "version_order.hpp"

namespace neovm::elisp {
namespace {

// Steps through a string; unibyte bytes come out as 0..255, or as raw-byte characters.
class Reader {
 public:
  Reader(Value s, bool raw_bytes)
      : p_(string_data_raw(s)), end_(p_ + string_bytes(s)), multibyte_(string_multibyte(s)), raw_(raw_bytes) {}
  [[nodiscard]] bool at_end() const { return p_ == end_; }
  int next() {
    if (multibyte_) {
      const text::Decoded d = text::decode_char(p_);
      p_ += d.bytes;
      return d.c;
    }
    const int b = *p_++;
    return raw_ ? text::raw_byte_to_char(static_cast<unsigned>(b)) : b;
  }
  void skip(std::int64_t chars) {
    while (chars-- > 0) next();
  }

 private:
  const std::uint8_t* p_;
  const std::uint8_t* end_;
  bool multibyte_;
  bool raw_;
};

bool is_ascii(Value s) {
  for (const char c : string_view_of(s))
    if (static_cast<std::uint8_t>(c) >= 0x80) return false;
  return true;
}

}  // namespace

DATA_LOOKS(string_equal, "string-equal", 2, 2, "Return t if two strings (or symbols' names) have the same characters.")
(Context& cx, Value a, Value b) {
  a = TRY(string_designator(cx, a));
  b = TRY(string_designator(cx, b));
  return boolean(string_equal(a, b));
}
DATA_LOOKS(string_lessp, "string-lessp", 2, 2,
           "Return t if STRING1 comes before STRING2 in the order of character codes.")
(Context& cx, Value a, Value b) {
  a = TRY(string_designator(cx, a));
  b = TRY(string_designator(cx, b));
  Reader x(a, false);
  Reader y(b, false);
  while (!x.at_end() && !y.at_end()) {
    const int c = x.next();
    const int d = y.next();
    if (c != d) return boolean(c < d);
  }
  return boolean(!y.at_end());
}

DATA_READS_STATE(
    compare_strings, "compare-strings", 6, 7,
    "Compare parts of STR1 and STR2: t when equal, else +-(1 + characters that match); IGNORE-CASE folds case.")
(Context& cx, Value s1, Value start1, Value end1, Value s2, Value start2, Value end2, Value ignore_case) {
  if (!s1.is_string()) return wrong_type(cx, Qstringp, s1);
  if (!s2.is_string()) return wrong_type(cx, Qstringp, s2);
  // Ends past the end are allowed here, for the sake of old callers.
  const auto clamp = [](Value end, Value s) {
    return end.is_fixnum() && end.as_fixnum() > string_chars(s) ? Value::fixnum(string_chars(s)) : end;
  };
  const Range r1 = TRY(subarray_range(cx, s1, start1, clamp(end1, s1), string_chars(s1)));
  const Range r2 = TRY(subarray_range(cx, s2, start2, clamp(end2, s2), string_chars(s2)));
  Reader x(s1, true);
  Reader y(s2, true);
  x.skip(r1.from);
  y.skip(r2.from);
  const std::int64_t n1 = r1.to - r1.from;
  const std::int64_t n2 = r2.to - r2.from;
  for (std::int64_t i = 0; i < std::min(n1, n2); ++i) {
    int c = x.next();
    int d = y.next();
    if (c == d) continue;
    if (ignore_case.truthy()) {
      c = upcase_char(cx, c);
      d = upcase_char(cx, d);
      if (c == d) continue;
    }
    return Value::fixnum(c < d ? -(i + 1) : i + 1);
  }
  if (n1 == n2) return Qt;
  return Value::fixnum(n1 < n2 ? -(n1 + 1) : n2 + 1);
}

DATA_LOOKS(string_version_lessp, "string-version-lessp", 2, 2,
           "Like `string-lessp', but runs of digits compare as numbers.")
(Context& cx, Value a, Value b) {
  a = TRY(string_designator(cx, a));
  b = TRY(string_designator(cx, b));
  return boolean(compare_version_names(string_view_of(a), string_view_of(b)) < 0);
}

DATA_LOOKS(string_distance, "string-distance", 2, 3,
           "Return the Levenshtein distance of two strings, in characters or (BYTECOMPARE) bytes.")
(Context& cx, Value a, Value b, Value bytes) {
  if (!a.is_string()) return wrong_type(cx, Qstringp, a);
  if (!b.is_string()) return wrong_type(cx, Qstringp, b);
  const auto decode = [&](Value s) {
    std::vector<int> items;
    if (bytes.truthy()) {
      for (const char c : string_view_of(s)) items.push_back(static_cast<std::uint8_t>(c));
    } else {
      for (Reader r(s, true); !r.at_end();) items.push_back(r.next());
    }
    return items;
  };
  const std::vector<int> x = decode(a);
  const std::vector<int> y = decode(b);
  std::vector<std::int64_t> column(x.size() + 1);
  for (std::size_t i = 0; i <= x.size(); ++i) column[i] = static_cast<std::int64_t>(i);
  for (std::size_t j = 1; j <= y.size(); ++j) {
    std::int64_t diagonal = column[0];
    column[0] = static_cast<std::int64_t>(j);
    for (std::size_t i = 1; i <= x.size(); ++i) {
      const std::int64_t old = column[i];
      column[i] = std::min({column[i] + 1, column[i - 1] + 1, diagonal + (x[i - 1] == y[j - 1] ? 0 : 1)});
      diagonal = old;
    }
    TRY(check_quit(cx));
  }
  return Value::fixnum(column[x.size()]);
}

namespace {

// The same characters in the multibyte encoding.
std::string as_multibyte(Value s) {
  std::string out;
  for (Reader r(s, true); !r.at_end();) {
    std::uint8_t p[text::kMaxBytesPerChar];
    const int n = text::encode_char(r.next(), p);
    out.append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n));
  }
  return out;
}

}  // namespace

DATA_LOOKS(string_search, "string-search", 2, 3,
           "Return the index of the first NEEDLE in HAYSTACK at or after START-POS, or nil.")
(Context& cx, Value needle, Value haystack, Value start) {
  if (!needle.is_string()) return wrong_type(cx, Qstringp, needle);
  if (!haystack.is_string()) return wrong_type(cx, Qstringp, haystack);
  std::int64_t from = 0;
  if (start.truthy()) {
    if (!start.is_fixnum()) return wrong_type(cx, Qfixnump, start);
    from = start.as_fixnum();
    if (from < 0 || from > string_chars(haystack)) return signal_error1(cx, Qargs_out_of_range, start);
  }
  std::string_view hay = string_view_of(haystack);
  std::string_view pin = string_view_of(needle);
  std::string converted_hay;
  std::string converted_pin;
  std::int64_t from_byte = string_char_to_byte(haystack, from);
  if (string_multibyte(needle) != string_multibyte(haystack) && !is_ascii(needle)) {
    // Compare both as multibyte text: a byte above ASCII is a raw byte, never a Latin-1 character.
    if (string_multibyte(needle)) {
      if (is_ascii(haystack)) return kNil;
      converted_hay = as_multibyte(haystack);
      from_byte = 0;
      for (std::int64_t i = 0; i < from; ++i)
        from_byte += text::bytes_by_lead(static_cast<std::uint8_t>(converted_hay[static_cast<std::size_t>(from_byte)]));
      hay = converted_hay;
    } else {
      converted_pin = as_multibyte(needle);
      pin = converted_pin;
    }
  }
  const std::size_t at = hay.find(pin, static_cast<std::size_t>(from_byte));
  if (at == std::string_view::npos) return kNil;
  if (string_chars(haystack) == static_cast<std::int64_t>(hay.size()))
    return Value::fixnum(static_cast<std::int64_t>(at));
  return Value::fixnum(from + text::count_chars(reinterpret_cast<const std::uint8_t*>(hay.data()) + from_byte,
                                                static_cast<std::int64_t>(at) - from_byte));
}

DATA_LOOKS(string_bytes, "string-bytes", 1, 1, "Return the number of bytes in STRING's internal form.")
(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  return Value::fixnum(string_bytes(s));
}
DATA_WRITES(clear_string, "clear-string", 1, 1, "Zero STRING's contents and make it unibyte.")(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  if (string_bytes(s) == 0) return kNil;  // the empty strings are shared
  const std::string zeros(static_cast<std::size_t>(string_bytes(s)), '\0');
  std::uint8_t* p = string_data_for_write(cx, s);
  if (p == nullptr) return kFailed;
  std::memset(p, 0, zeros.size());
  StringObject* o = string_raw(s);
  o->chars = o->bytes;
  o->header.flags &= static_cast<std::uint8_t>(~kStringMultibyte);
  return kNil;
}

// ---- unibyte <-> multibyte -------------------------------------------------------------------------------

DATA_MAKES(string_to_multibyte, "string-to-multibyte", 1, 1,
           "Return STRING in multibyte form; bytes above ASCII become raw-byte characters.")
(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  if (string_multibyte(s)) return s;
  return make_multibyte_string(cx, as_multibyte(s), string_chars(s));
}
DATA_MAKES(string_to_unibyte, "string-to-unibyte", 1, 1,
           "Return STRING as bytes; signals an error for a character that is no byte.")
(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  if (!string_multibyte(s)) return s;
  std::string out;
  std::int64_t index = 0;
  for (Reader r(s, true); !r.at_end(); ++index) {
    const int c = r.next();
    if (c >= 0x80 && !text::is_raw_byte_char(c))
      return error_format(cx, "Can\u2019t convert the %ldth character to unibyte", static_cast<long>(index));
    out.push_back(static_cast<char>(text::is_raw_byte_char(c) ? text::char_to_raw_byte(c) : c));
  }
  return make_unibyte_string(cx, out);
}
DATA_MAKES(string_as_unibyte, "string-as-unibyte", 1, 1,
           "Return the bytes of STRING's internal form; raw-byte characters give their byte.")
(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  if (!string_multibyte(s)) return s;
  return make_unibyte_string(cx, to_std_string(s));
}
DATA_MAKES(string_as_multibyte, "string-as-multibyte", 1, 1,
           "Return STRING's bytes read as the internal form; stray bytes become raw-byte characters.")
(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  if (string_multibyte(s)) return s;
  StringBuilder out;
  const std::uint8_t* p = string_data_raw(s);
  for (std::int64_t i = 0, n = string_bytes(s); i < n;) {
    const int length = text::valid_sequence_length(p + i, n - i, true);
    if (length > 0 && (p[i] < 0xC0 || p[i] >= 0xC2)) {
      out.add_valid(string_view_of(s).substr(static_cast<std::size_t>(i), static_cast<std::size_t>(length)), 1);
      i += length;
    } else {
      out.add_char(text::raw_byte_to_char(p[i++]));
    }
  }
  return out.finish(cx);
}
DATA_MAKES(string_make_multibyte, "string-make-multibyte", 1, 1,
           "Return STRING in multibyte form; ASCII-only strings stay as they are.")
(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  if (string_multibyte(s) || is_ascii(s)) return s;
  return make_multibyte_string(cx, as_multibyte(s), string_chars(s));
}
DATA_MAKES(string_make_unibyte, "string-make-unibyte", 1, 1,
           "Return STRING as bytes, keeping the low eight bits of each character.")
(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  if (!string_multibyte(s)) return s;
  std::string out;
  for (Reader r(s, true); !r.at_end();) {
    const int c = r.next();
    out.push_back(static_cast<char>(text::is_raw_byte_char(c) ? text::char_to_raw_byte(c) : c));
  }
  return make_unibyte_string(cx, out);
}

}  // namespace neovm::elisp
