#include "multibyte_codecs.hpp"

#include <algorithm>

#include "neovm/text/characters.hpp"

namespace neovm::elisp {
namespace {

void append_char(std::string* out, int c) {
  std::uint8_t p[text::kMaxBytesPerChar];
  const int n = text::encode_char(c, p);
  out->append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n));
}
std::uint8_t byte_at(std::string_view s, std::size_t i) { return static_cast<std::uint8_t>(s[i]); }

int default_char(const CodingSystem& coding) {
  const Value v = coding.slot(kCoDefaultChar);
  return is_character(v) ? static_cast<int>(v.as_fixnum()) : ' ';
}

void put_code(std::string* out, std::uint32_t code, int dimension) {
  for (int i = dimension - 1; i >= 0; --i) out->push_back(static_cast<char>((code >> (8 * i)) & 0xFF));
}

// Calls f(character) for internal text.
template <class F>
Maybe<bool> each_char(std::string_view text, F f) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t i = 0; i < text.size();) {
    const text::Decoded d = text::decode_char(p + i);
    TRY(f(d.c));
    i += static_cast<std::size_t>(d.bytes);
  }
  return true;
}

}  // namespace

void DecodedSink::add(int c, int charset) {
  if (charset > kCharsetAscii && charset != kCharsetUnicode && charset != kCharsetEmacs) {
    if (!out_->runs.empty() && out_->runs.back().charset == charset && out_->runs.back().to == out_->chars) {
      out_->runs.back().to = out_->chars + 1;
    } else {
      out_->runs.push_back({out_->chars, out_->chars + 1, charset});
    }
  }
  append_char(&out_->bytes, c);
  ++out_->chars;
}
void DecodedSink::add_raw(std::uint8_t byte) { add(text::raw_byte_to_char(byte), -1); }

// ---- by charsets: the code of a character is written as the bytes of its code point ----------------------------

Maybe<bool> decode_by_charsets(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out) {
  std::vector<int> ids = TRY(coding_system_charsets(cx, coding.name));
  // Short codes are tried first.
  std::vector<Charset*> sets;
  sets.reserve(ids.size());
  for (const int id : ids) sets.push_back(charset_by_id(cx, id));
  std::stable_sort(sets.begin(), sets.end(),
                   [](const Charset* a, const Charset* b) { return a->dimension < b->dimension; });
  DecodedSink sink(out);
  const bool ascii = coding.slot(kCoAsciiCompatible).truthy();
  for (std::size_t i = 0; i < bytes.size();) {
    const std::uint8_t lead = byte_at(bytes, i);
    int c = -1;
    Charset* found = nullptr;
    std::size_t used = 1;
    for (Charset* cs : sets) {
      const auto d = static_cast<std::size_t>(cs->dimension);
      if (i + d > bytes.size()) continue;
      if (lead < cs->low[d - 1] || lead >= cs->low[d - 1] + cs->size[d - 1]) continue;
      std::uint32_t code = 0;
      for (std::size_t k = 0; k < d; ++k) code = (code << 8) | byte_at(bytes, i + k);
      c = TRY(decode_charset(cx, cs, code));
      // A superset also has codes shorter than its dimension; they are not written with leading zeros.
      if (c >= 0) {
        found = cs;
        used = d;
        break;
      }
    }
    if (c < 0 && ascii && lead < 0x80) {
      sink.add(lead, -1);
    } else if (c < 0) {
      sink.add_raw(lead);
    } else {
      sink.add(c, found->id);
    }
    i += used;
  }
  return true;
}

Maybe<bool> encode_by_charsets(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out) {
  const std::vector<int> ids = TRY(coding_system_charsets(cx, coding.name));
  const bool ascii = coding.slot(kCoAsciiCompatible).truthy();
  return each_char(text, [&](int c) -> Maybe<bool> {
    if (ascii && c < 0x80) {
      out->push_back(static_cast<char>(c));
      return true;
    }
    if (text::is_raw_byte_char(c)) {
      out->push_back(static_cast<char>(text::char_to_raw_byte(c)));
      return true;
    }
    std::uint32_t code = 0;
    int id = TRY(charset_of_char_in(cx, c, ids, &code));
    if (id < 0) {
      id = TRY(charset_of_char_in(cx, default_char(coding), ids, &code));
      if (id < 0) {
        out->push_back(static_cast<char>(default_char(coding)));
        return true;
      }
    }
    put_code(out, code, charset_by_id(cx, id)->dimension);
    return true;
  });
}

// ---- Shift_JIS: charsets (ROMAN KATAKANA KANJI …) ---------------------------------------------------------------

namespace {

std::uint32_t sjis_to_jis(unsigned s1, unsigned s2) {
  unsigned j1 = s1 >= 0xE0 ? s1 * 2 - 0x160 : s1 * 2 - 0xE0;
  if (s2 >= 0x9F) return ((j1 << 8) | (s2 - 0x7E)) & 0xFFFF;
  return (((j1 - 1) << 8) | (s2 - (s2 >= 0x7F ? 0x20U : 0x1FU))) & 0xFFFF;
}
std::uint32_t jis_to_sjis(std::uint32_t code) {
  const unsigned j1 = code >> 8;
  const unsigned j2 = code & 0xFF;
  const unsigned s1 = (j1 < 0x5F ? j1 / 2 + 0x70 : j1 / 2 + 0xB0) + (j1 & 1);
  if ((j1 & 1) != 0) return (s1 << 8) | (j2 >= 0x60 ? j2 + 0x20 : j2 + 0x1F);
  return (s1 << 8) | (j2 + 0x7E);
}

Maybe<std::vector<int>> charsets_of(Context& cx, const CodingSystem& coding, std::size_t least) {
  std::vector<int> ids = TRY(coding_system_charsets(cx, coding.name));
  if (ids.size() < least) return error_text(cx, "Invalid charset-list");
  return ids;
}

}  // namespace

Maybe<bool> decode_shift_jis(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out) {
  const std::vector<int> ids = TRY(charsets_of(cx, coding, 3));
  DecodedSink sink(out);
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned b = byte_at(bytes, i);
    int c = -1;
    int id = -1;
    std::size_t used = 1;
    if (b < 0x80) {
      id = ids[0];
      c = TRY(decode_charset(cx, charset_by_id(cx, id), b));
    } else if (b >= 0xA1 && b <= 0xDF) {
      id = ids[1];
      Charset* katakana = charset_by_id(cx, id);
      c = TRY(decode_charset(cx, katakana, b & 0x7F));
      if (c < 0) c = TRY(decode_charset(cx, katakana, b));
    } else if (b != 0x80 && b != 0xA0 && i + 1 < bytes.size()) {
      const unsigned b2 = byte_at(bytes, i + 1);
      if (b2 >= 0x40 && b2 <= 0xFC && b2 != 0x7F) {
        id = ids[2];
        std::uint32_t code = sjis_to_jis(b, b2);
        if (b >= 0xF0 && ids.size() > 3) {
          id = ids[3];
          const unsigned j1 = code >> 8;
          const unsigned first = j1 <= 0x80 ? (j1 == 0x7F ? 0x21 : j1 == 0x80 ? 0x28 : j1) : j1 - 0x5D;
          code = (first << 8) | (code & 0xFF);
        }
        c = TRY(decode_charset(cx, charset_by_id(cx, id), code));
        used = 2;
      }
    }
    if (c < 0) {
      sink.add_raw(static_cast<std::uint8_t>(b));
      used = 1;
    } else {
      sink.add(c, id);
    }
    i += used;
  }
  return true;
}

Maybe<bool> encode_shift_jis(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out) {
  const std::vector<int> ids = TRY(charsets_of(cx, coding, 3));
  return each_char(text, [&](int c) -> Maybe<bool> {
    if (c < 0x80) {
      out->push_back(static_cast<char>(c));
      return true;
    }
    if (text::is_raw_byte_char(c)) {
      out->push_back(static_cast<char>(text::char_to_raw_byte(c)));
      return true;
    }
    std::uint32_t code = 0;
    const int id = TRY(charset_of_char_in(cx, c, {ids[0], ids[1], ids[2]}, &code));
    if (id == ids[2]) {
      put_code(out, jis_to_sjis(code), 2);
    } else if (id == ids[1]) {
      out->push_back(static_cast<char>(code | 0x80));
    } else {
      out->push_back(static_cast<char>(id < 0 ? default_char(coding) : static_cast<int>(code)));
    }
    return true;
  });
}

Maybe<bool> decode_big5(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out) {
  const std::vector<int> ids = TRY(charsets_of(cx, coding, 2));
  DecodedSink sink(out);
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned b = byte_at(bytes, i);
    int c = -1;
    if (b < 0x80) {
      sink.add(static_cast<int>(b), -1);
      ++i;
      continue;
    }
    if (b >= 0xA1 && b <= 0xFE && i + 1 < bytes.size())
      c = TRY(decode_charset(cx, charset_by_id(cx, ids[1]), (b << 8) | byte_at(bytes, i + 1)));
    if (c < 0) {
      sink.add_raw(static_cast<std::uint8_t>(b));
      ++i;
    } else {
      sink.add(c, ids[1]);
      i += 2;
    }
  }
  return true;
}

Maybe<bool> encode_big5(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out) {
  const std::vector<int> ids = TRY(charsets_of(cx, coding, 2));
  return each_char(text, [&](int c) -> Maybe<bool> {
    if (c < 0x80) {
      out->push_back(static_cast<char>(c));
    } else if (text::is_raw_byte_char(c)) {
      out->push_back(static_cast<char>(text::char_to_raw_byte(c)));
    } else {
      const std::uint32_t code = TRY(encode_charset(cx, charset_by_id(cx, ids[1]), c));
      if (code == kNoCode) {
        out->push_back(static_cast<char>(default_char(coding)));
      } else {
        put_code(out, code, 2);
      }
    }
    return true;
  });
}

// ---- emacs-mule: the internal form of Emacs 20 and 21 --------------------------------------------------------------

namespace {

constexpr int kMulePrivate11 = 0x9A;  // leading byte of a one-column private charset of dimension 1 …
constexpr int kMulePrivate21 = 0x9C;  // … and of dimension 2; each is used up to the id given below

int charset_by_mule_id(Context& cx, int id) {
  const Value v = slot_raw(charset_state(cx, kStMule), id);
  return v.is_fixnum() ? static_cast<int>(v.as_fixnum()) : -1;
}

}  // namespace

Maybe<bool> decode_emacs_mule(Context& cx, const CodingSystem&, std::string_view bytes, Decoded* out) {
  DecodedSink sink(out);
  for (std::size_t i = 0; i < bytes.size();) {
    const int lead = byte_at(bytes, i);
    if (lead < 0x80) {
      sink.add(lead, -1);
      ++i;
      continue;
    }
    std::size_t at = i;
    int mule = lead;
    if (lead >= kMulePrivate11 && lead <= 0x9D && i + 1 < bytes.size()) mule = byte_at(bytes, ++at);
    const int id = charset_by_mule_id(cx, mule);
    int c = -1;
    std::size_t used = 1;
    if (id >= 0) {
      Charset* cs = charset_by_id(cx, id);
      const auto d = static_cast<std::size_t>(cs->dimension);
      if (at + d < bytes.size()) {
        std::uint32_t code = 0;
        bool good = true;
        for (std::size_t k = 1; k <= d; ++k) {
          good = good && byte_at(bytes, at + k) >= 0xA0;
          code = (code << 8) | (byte_at(bytes, at + k) & 0x7FU);
        }
        if (good) c = TRY(decode_charset(cx, cs, code));
        used = at + d + 1 - i;
      }
    }
    if (c < 0) {
      sink.add_raw(static_cast<std::uint8_t>(lead));
      used = 1;
    } else {
      sink.add(c, id);
    }
    i += used;
  }
  return true;
}

Maybe<bool> encode_emacs_mule(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out) {
  const std::vector<int> ids = TRY(coding_system_charsets(cx, coding.name));
  return each_char(text, [&](int c) -> Maybe<bool> {
    if (c < 0x80) {
      out->push_back(static_cast<char>(c));
      return true;
    }
    if (text::is_raw_byte_char(c)) {
      out->push_back(static_cast<char>(text::char_to_raw_byte(c)));
      return true;
    }
    std::uint32_t code = 0;
    const int id = TRY(charset_of_char_in(cx, c, ids, &code));
    if (id < 0) {
      out->push_back(static_cast<char>(default_char(coding)));
      return true;
    }
    const Charset* cs = charset_by_id(cx, id);
    const int mule = cs->mule_id;
    if (mule >= 0xA0)
      out->push_back(static_cast<char>((cs->dimension == 1 ? kMulePrivate11 : kMulePrivate21) +
                                       (mule >= (cs->dimension == 1 ? 0xE0 : 0xF5) ? 1 : 0)));
    out->push_back(static_cast<char>(mule));
    for (int k = cs->dimension - 1; k >= 0; --k) out->push_back(static_cast<char>(((code >> (8 * k)) & 0xFF) | 0x80));
    return true;
  });
}

// ---- translation tables ------------------------------------------------------------------------------------------------

namespace {

Value table_of(Context& cx, Value v) {
  if (v.is_symbol() && v.truthy()) v = symbol_get(cx, v, Qtranslation_table);
  return v;
}

// New characters for `c`: one, or several in *many.
int translate_one(Context& cx, Value tables, int c) {
  const auto apply = [&](Value t) {
    t = table_of(cx, t);
    if (!is_char_table(t)) return;
    const Value v = char_table_get(t, c);
    if (is_character(v)) c = static_cast<int>(v.as_fixnum());
  };
  if (tables.is_cons()) {
    for (; tables.is_cons(); tables = cdr_raw(tables)) apply(car_raw(tables));
  } else {
    apply(tables);
  }
  return c;
}

std::string translate_all(Context& cx, Value tables, std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto* p = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t i = 0; i < text.size();) {
    const text::Decoded d = text::decode_char(p + i);
    append_char(&out, translate_one(cx, tables, d.c));
    i += static_cast<std::size_t>(d.bytes);
  }
  return out;
}

}  // namespace

void translate_decoded(Context& cx, const CodingSystem& coding, Decoded* out) {
  if (!variable_true(cx, Qenable_character_translation)) return;
  for (const Value t : {coding.slot(kCoDecodeTable), variable_value(cx, Qstandard_translation_table_for_decode)})
    if (t.truthy() && !t.is_unbound()) out->bytes = translate_all(cx, t, out->bytes);
}

void translate_for_encoding(Context& cx, const CodingSystem& coding, std::string* text) {
  if (!variable_true(cx, Qenable_character_translation)) return;
  for (const Value t : {coding.slot(kCoEncodeTable), variable_value(cx, Qstandard_translation_table_for_encode)})
    if (t.truthy() && !t.is_unbound()) *text = translate_all(cx, t, *text);
}

}  // namespace neovm::elisp
