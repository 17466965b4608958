// upcase, downcase, capitalize and upcase-initials of characters and strings (casefiddle.c of GNU).
#include "case_tables.hpp"
#include "casing.hpp"
#include "neovm/text/characters.hpp"
#include "rows.hpp"
#include "sequences.hpp"
#include "unicode_tables.hpp"

namespace neovm::elisp {
namespace {

constexpr int kCapitalSigma = 0x3A3;
constexpr int kFinalSigma = 0x3C2;
constexpr int kSyntaxWord = 2;

Value property_table_re(Context& cx, Value property) {
  const Value alist = variable_value(cx, Qchar_code_property_alist);
  if (alist.is_unbound() || !assq(property, alist).is_cons()) return kNil;
  return funcall_re(cx, Qunicode_property_table_internal, {property});
}

}  // namespace

Maybe<Caser> Caser::make_re(Context& cx, Casing casing, bool specials) {
  Caser caser;
  caser.cx_ = &cx;
  caser.casing_ = casing;
  if (casing >= Casing::kCapitalize) caser.titlecase_ = TRY(property_table_re(cx, Qtitlecase));
  if (specials) {
    if (casing == Casing::kUp) caser.special_up_ = TRY(property_table_re(cx, Qspecial_uppercase));
    if (casing == Casing::kDown || casing == Casing::kCapitalize)
      caser.special_down_ = TRY(property_table_re(cx, Qspecial_lowercase));
    if (casing >= Casing::kCapitalize) caser.special_title_ = TRY(property_table_re(cx, Qspecial_titlecase));
  }
  return caser;
}

bool Caser::is_word(int c) const {
  const Value table = current_tables(*cx_).syntax;
  if (!is_char_table(table))
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
  const Value entry = char_table_get(table, c);
  return entry.is_cons() && car_raw(entry).is_fixnum() && (car_raw(entry).as_fixnum() & 0xFFFF) == kSyntaxWord;
}

int Caser::simple(Casing how, int c) {
  if (how == Casing::kDown) return downcase_char(*cx_, c);
  if (how == Casing::kCapitalize && is_char_table(titlecase_)) {
    const Value title = char_table_value(*cx_, titlecase_, c);
    if (is_character(title)) return static_cast<int>(title.as_fixnum());
  }
  return upcase_char(*cx_, c);
}

bool Caser::cast(int c, int next, int* one, std::string* many) {
  Casing how = casing_;
  const bool was_in_word = in_word_;
  if (casing_ != Casing::kUp) in_word_ = is_word(c);
  if (casing_ >= Casing::kCapitalize) {
    if (was_in_word && casing_ == Casing::kUpInitials) {
      *one = c;
      return false;
    }
    how = was_in_word ? Casing::kDown : Casing::kCapitalize;
  }
  const Value specials = how == Casing::kUp ? special_up_ : how == Casing::kDown ? special_down_ : special_title_;
  if (is_char_table(specials)) {
    const Value v = char_table_value(*cx_, specials, c);
    if (v.is_string()) {
      for (std::int64_t i = 0; i < string_chars(v); ++i) {
        std::uint8_t p[text::kMaxBytesPerChar];
        const int n = text::encode_char(string_char_raw(v, i), p);
        many->append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n));
      }
      return true;
    }
  }
  *one = simple(how, c);
  // A sigma at the end of a word has a form of its own.
  if (was_in_word && c == kCapitalSigma && *one != c && !(next >= 0 && is_word(next))) *one = kFinalSigma;
  return false;
}

int Caser::cast_single(int c) {
  Casing how = casing_;
  if (casing_ >= Casing::kCapitalize) {
    const bool was_in_word = in_word_;
    in_word_ = is_word(c);
    if (was_in_word && casing_ == Casing::kUpInitials) return c;
    how = was_in_word ? Casing::kDown : Casing::kCapitalize;
  }
  return simple(how, c);
}

namespace {

// The byte that character C becomes in unibyte text.
int byte_of(int c) { return c & 0xFF; }

Value cast_character(Context& cx, Value v, Casing casing) {
  constexpr std::int64_t kModifiers = 0xFC00000;
  const std::int64_t code = v.as_fixnum();
  if (code < 0 || code > (kModifiers | kMaxCharacter)) return v;
  Caser caser = TRY(Caser::make_re(cx, casing, false));
  const auto c = static_cast<int>(code & ~kModifiers);
  if (c < 0x100 && !variable_true(cx, Qenable_multibyte_characters)) {  // a byte of the buffer's text
    const int byte = byte_of(caser.cast_single(text::raw_byte_to_char(static_cast<unsigned>(c))));
    return Value::fixnum(byte | (code & kModifiers));
  }
  const int cased = caser.cast_single(c);
  return cased == c ? v : Value::fixnum(cased | (code & kModifiers));
}

Value cast_unibyte(Context& cx, Value s, Casing casing) {
  Caser caser = TRY(Caser::make_re(cx, casing, false));
  const Value copy = TRY(substring_of(cx, s, 0, string_chars(s), true));
  std::uint8_t* p = string_raw(copy)->data;
  for (std::int64_t i = 0; i < string_bytes(copy); ++i) {
    p[i] = static_cast<std::uint8_t>(byte_of(caser.cast_single(text::raw_byte_to_char(p[i]))));
  }
  return copy;
}

Value cast_multibyte(Context& cx, Value s, Casing casing) {
  Caser caser = TRY(Caser::make_re(cx, casing, true));
  const std::uint8_t* p = string_data_raw(s);
  const std::int64_t n = string_bytes(s);
  std::string out;
  out.reserve(static_cast<std::size_t>(n) + 8);
  for (std::int64_t i = 0; i < n;) {
    const text::Decoded d = text::decode_char(p + i);
    i += d.bytes;
    int one = 0;
    if (caser.cast(d.c, i < n ? text::decode_char(p + i).c : -1, &one, &out)) continue;
    std::uint8_t encoded[text::kMaxBytesPerChar];
    const int length = text::encode_char(one, encoded);
    out.append(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length));
  }
  return make_multibyte_string(cx, out);
}

Value cast_object(Context& cx, Value v, Casing casing) {
  if (v.is_natnum_fixnum()) return cast_character(cx, v, casing);
  if (!v.is_string()) return wrong_type(cx, Qchar_or_string_p, v);
  if (string_bytes(v) == 0) return v;
  return string_multibyte(v) ? cast_multibyte(cx, v, casing) : cast_unibyte(cx, v, casing);
}

}  // namespace

DATA_REENTERS(upcase, "upcase", 1, 1, "Return OBJ (a character or string) in upper case.")(Context& cx, Value v) {
  return cast_object(cx, v, Casing::kUp);
}
DATA_REENTERS(downcase, "downcase", 1, 1, "Return OBJ (a character or string) in lower case.")(Context& cx, Value v) {
  return cast_object(cx, v, Casing::kDown);
}
DATA_REENTERS(capitalize, "capitalize", 1, 1, "Return OBJ with each word capitalized.")(Context& cx, Value v) {
  return cast_object(cx, v, Casing::kCapitalize);
}
DATA_REENTERS(upcase_initials, "upcase-initials", 1, 1, "Return OBJ with the first letter of each word in upper case.")
(Context& cx, Value v) { return cast_object(cx, v, Casing::kUpInitials); }

}  // namespace neovm::elisp
