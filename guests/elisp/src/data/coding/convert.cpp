// decode_text and encode_text: the way from bytes to characters and back, by type of coding system.
#include <algorithm>

#include "../charset/charset.hpp"
#include "coding.hpp"
#include "iso2022.hpp"
#include "multibyte_codecs.hpp"
#include "neovm/text/characters.hpp"
#include "neovm/text/utf_codec.hpp"

namespace neovm::elisp {

namespace {

using text::encode_utf8;

Value extra_argument(const CodingSystem& coding, int i) {
  const Value extra = coding.slot(kCoExtra);
  return slot_count_raw(extra) > i ? slot_raw(extra, i) : kNil;
}

void append_char(std::string* out, int c) {
  std::uint8_t p[text::kMaxBytesPerChar];
  const int n = text::encode_char(c, p);
  out->append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n));
}

// CRLF or CR to LF in decoded text; returns how many characters went away.
std::int64_t convert_eol(std::string* text, Eol eol) {
  if (eol == Eol::kMac) {
    std::replace(text->begin(), text->end(), '\r', '\n');
    return 0;
  }
  if (eol != Eol::kDos) return 0;
  std::size_t to = 0;
  for (std::size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] == '\r' && i + 1 < text->size() && (*text)[i + 1] == '\n') continue;
    (*text)[to++] = (*text)[i];
  }
  const auto removed = static_cast<std::int64_t>(text->size() - to);
  text->resize(to);
  return removed;
}

// Takes charset runs along when convert_eol removes characters before them.
void convert_decoded_eol(Decoded* d, Eol eol) {
  if (eol == Eol::kDos && !d->runs.empty()) {
    std::vector<std::int64_t> removed;  // positions of the characters that go away
    const auto* p = reinterpret_cast<const std::uint8_t*>(d->bytes.data());
    std::int64_t at = 0;
    for (std::size_t i = 0; i < d->bytes.size(); i += static_cast<std::size_t>(text::bytes_by_lead(p[i])), ++at)
      if (p[i] == '\r' && i + 1 < d->bytes.size() && p[i + 1] == '\n') removed.push_back(at);
    const auto shift = [&](std::int64_t pos) {
      return pos - (std::lower_bound(removed.begin(), removed.end(), pos) - removed.begin());
    };
    for (Decoded::Run& run : d->runs) {
      run.from = shift(run.from);
      run.to = shift(run.to);
    }
  }
  d->chars -= convert_eol(&d->bytes, eol);
}

void eol_to_bytes(std::string* text, Eol eol) {
  if (eol == Eol::kMac) std::replace(text->begin(), text->end(), '\n', '\r');
  if (eol != Eol::kDos) return;
  std::string out;
  out.reserve(text->size() + text->size() / 16);
  for (const char c : *text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  text->swap(out);
}

bool is_ascii(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
}

// Splits a multibyte source into runs of bytes (ASCII and raw bytes), given to `decode`, and runs of other
// characters, which are in the result already.
template <class F>
Maybe<bool> each_byte_run(std::string_view source, Decoded* out, F decode) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(source.data());
  std::string bytes;
  for (std::size_t i = 0; i < source.size();) {
    const text::Decoded d = text::decode_char(p + i);
    if (d.c < 0x80 || text::is_raw_byte_char(d.c)) {
      bytes.push_back(static_cast<char>(d.c < 0x80 ? d.c : text::char_to_raw_byte(d.c)));
    } else {
      if (!bytes.empty()) TRY(decode(std::string_view(bytes)));
      bytes.clear();
      append_char(&out->bytes, d.c);
      ++out->chars;
    }
    i += static_cast<std::size_t>(d.bytes);
  }
  if (!bytes.empty()) TRY(decode(std::string_view(bytes)));
  return true;
}

// What decoding by charsets leaves of its runs. A charset is only remembered where it says more than ASCII, and holds on
// over characters of a multibyte source that were there already.
void settle_charset_runs(Decoded* d) {
  if (is_ascii(d->bytes)) d->runs.clear();
  std::vector<Decoded::Run> settled;
  for (std::size_t i = 0; i < d->runs.size(); ++i) {
    const std::int64_t to = i + 1 < d->runs.size() ? d->runs[i + 1].from : d->chars;
    if (!settled.empty() && settled.back().charset == d->runs[i].charset) {
      settled.back().to = to;
    } else {
      settled.push_back({d->runs[i].from, to, d->runs[i].charset});
    }
  }
  d->runs.swap(settled);
}

std::string_view skip_signature(std::string_view s) { return s.substr(0, 3) == "\xEF\xBB\xBF" ? s.substr(3) : s; }

Maybe<bool> decode_bytes(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out) {
  const Value type = coding.type();
  if (type == Qutf_8) {
    if (extra_argument(coding, 0).truthy()) bytes = skip_signature(bytes);
    out->chars += text::decode_utf8(bytes, &out->bytes);
    return true;
  }
  if (type == Qcharset) return decode_by_charsets(cx, coding, bytes, out);
  if (type == Qiso_2022) return decode_iso2022(cx, coding, bytes, out);
  if (type == Qshift_jis) return decode_shift_jis(cx, coding, bytes, out);
  if (type == Qbig5) return decode_big5(cx, coding, bytes, out);
  if (type == Qemacs_mule) return decode_emacs_mule(cx, coding, bytes, out);
  if (type == Qundecided) {
    out->chars += text::decode_utf8(bytes, &out->bytes);
    return true;
  }
  return unimplemented(cx, "decoding by CCL program");
}

struct Utf16Form {
  bool big;
  bool signature_on_encoding;
};
Utf16Form utf16_form(const CodingSystem& coding) {
  return {extra_argument(coding, 1) != Qlittle, extra_argument(coding, 0).truthy()};
}

}  // namespace

Maybe<Decoded> decode_text(Context& cx, const CodingSystem& given, std::string_view source, bool multibyte) {
  Decoded out;
  CodingSystem coding = given;
  const bool eol_off = variable_true(cx, Qinhibit_eol_conversion);
  if (coding.type() == Qundecided) {
    std::string raw;
    if (multibyte) encode_utf8(source, &raw);
    coding = TRY(detect_coding(cx, coding, multibyte ? std::string_view(raw) : source));
  }
  const Value type = coding.type();
  if (type == Qraw_text) {
    // Bytes stay bytes; characters of a multibyte source that fit a byte become that byte.
    out.unibyte = true;
    if (multibyte) {
      const auto* p = reinterpret_cast<const std::uint8_t*>(source.data());
      for (std::size_t i = 0; i < source.size();) {
        const text::Decoded d = text::decode_char(p + i);
        out.bytes.push_back(static_cast<char>(text::is_raw_byte_char(d.c) ? text::char_to_raw_byte(d.c) : d.c));
        i += static_cast<std::size_t>(d.bytes);
      }
    } else {
      out.bytes = source;
    }
    Eol eol = coding.eol;
    if (eol == Eol::kUndecided && !eol_off) {
      eol = detect_eol(source);
      coding.name = coding_with_eol(cx, coding.name, eol);
    }
    if (!eol_off) convert_eol(&out.bytes, eol);
    out.chars = static_cast<std::int64_t>(out.bytes.size());
    out.used = coding.name;
    return out;
  }
  if (type == Qutf_16) {
    Utf16Form form = utf16_form(coding);
    std::string_view bytes = source;
    const bool be = bytes.substr(0, 2) == "\xFE\xFF";
    const bool le = bytes.substr(0, 2) == "\xFF\xFE";
    const Value signature = extra_argument(coding, 0);
    if (signature.is_cons() && (be || le)) {
      // (LITTLE . BIG): the coding systems that the signature decides between.
      coding.name = coding_with_eol(cx, le ? car_raw(signature) : cdr_raw(signature), coding.eol);
      form.big = be;
      bytes.remove_prefix(2);
    } else if (signature.truthy() && !signature.is_cons() && (form.big ? be : le)) {
      bytes.remove_prefix(2);
    }
    Eol eol = coding.eol;
    if (eol == Eol::kUndecided && !eol_off) {
      eol = detect_eol_utf16(bytes, form.big);
      coding.name = coding_with_eol(cx, coding.name, eol);
    }
    if (multibyte) {
      TRY(each_byte_run(bytes, &out, [&](std::string_view run) -> Maybe<bool> {
        out.chars += text::decode_utf16(run, form.big, &out.bytes);
        return true;
      }));
    } else {
      out.chars = text::decode_utf16(bytes, form.big, &out.bytes);
    }
    if (!eol_off) convert_decoded_eol(&out, eol);
    out.used = coding.name;
    return out;
  }
  Eol eol = coding.eol;
  if (eol == Eol::kUndecided && !eol_off) {
    eol = detect_eol(source);
    coding.name = coding_with_eol(cx, coding.name, eol);
  }
  if (is_ascii(source) && coding.slot(kCoAsciiCompatible).truthy() && coding.slot(kCoDecodeTable).is_nil()) {
    out.bytes = source;
    out.chars = static_cast<std::int64_t>(source.size());
  } else if (multibyte) {
    TRY(each_byte_run(source, &out, [&](std::string_view run) { return decode_bytes(cx, coding, run, &out); }));
    if (type == Qcharset) settle_charset_runs(&out);
  } else {
    TRY(decode_bytes(cx, coding, source, &out));
    if (type == Qcharset && is_ascii(out.bytes)) out.runs.clear();
  }
  translate_decoded(cx, coding, &out);
  if (!eol_off) convert_decoded_eol(&out, eol);
  out.used = coding.name;
  return out;
}

Maybe<std::string> encode_text(Context& cx, const CodingSystem& coding, std::string_view source, bool multibyte) {
  std::string text;
  if (multibyte) {
    text = source;
  } else {
    for (const char b : source) append_char(&text, text::raw_byte_to_char(static_cast<std::uint8_t>(b)));
  }
  if (coding.eol != Eol::kUndecided && !variable_true(cx, Qinhibit_eol_conversion)) eol_to_bytes(&text, coding.eol);
  translate_for_encoding(cx, coding, &text);
  std::string out;
  const Value type = coding.type();
  if (is_ascii(text) && coding.slot(kCoAsciiCompatible).truthy()) return text;
  if (type == Qutf_8) {
    if (extra_argument(coding, 0).truthy()) out = "\xEF\xBB\xBF";
    encode_utf8(text, &out);
    return out;
  }
  if (type == Qraw_text || type == Qundecided) {
    encode_utf8(text, &out);
    return out;
  }
  if (type == Qutf_16) {
    const Utf16Form form = utf16_form(coding);
    if (form.signature_on_encoding) out = form.big ? "\xFE\xFF" : "\xFF\xFE";
    const Value substitute = coding.slot(kCoDefaultChar);
    text::encode_utf16(text, form.big, is_character(substitute) ? static_cast<int>(substitute.as_fixnum()) : ' ', &out);
    return out;
  }
  if (type == Qcharset) {
    TRY(encode_by_charsets(cx, coding, text, &out));
  } else if (type == Qiso_2022) {
    TRY(encode_iso2022(cx, coding, text, &out));
  } else if (type == Qshift_jis) {
    TRY(encode_shift_jis(cx, coding, text, &out));
  } else if (type == Qbig5) {
    TRY(encode_big5(cx, coding, text, &out));
  } else if (type == Qemacs_mule) {
    TRY(encode_emacs_mule(cx, coding, text, &out));
  } else {
    return unimplemented(cx, "encoding by CCL program");
  }
  return out;
}

}  // namespace neovm::elisp
