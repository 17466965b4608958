// Guessing: kinds of line ends, and what `undecided' bytes may be.
#include <algorithm>
#include <cstring>

#include "coding.hpp"
#include "detect.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {
namespace {

Eol next_eol_kind(bool cr, bool lf_follows) { return !cr ? Eol::kUnix : lf_follows ? Eol::kDos : Eol::kMac; }

}  // namespace

Eol detect_eol(std::string_view s) {
  Eol seen = Eol::kUndecided;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (c != '\n' && c != '\r') continue;
    const bool crlf = c == '\r' && i + 1 < s.size() && s[i + 1] == '\n';
    const Eol kind = next_eol_kind(c == '\r', crlf);
    if (crlf) ++i;
    if (seen == Eol::kUndecided) {
      seen = kind;
    } else if (seen != kind) {
      return Eol::kUnix;  // mixed: leave the bytes alone
    }
  }
  return seen;
}

Eol detect_eol_utf16(std::string_view s, bool big) {
  Eol seen = Eol::kUndecided;
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<std::uint8_t>(s[i]);
    const auto b = static_cast<std::uint8_t>(s[i + 1]);
    return big ? (a << 8) | b : a | (b << 8);
  };
  for (std::size_t i = 0; i + 1 < s.size(); i += 2) {
    const int c = unit(i);
    if (c != '\n' && c != '\r') continue;
    const bool crlf = c == '\r' && i + 3 < s.size() && unit(i + 2) == '\n';
    const Eol kind = next_eol_kind(c == '\r', crlf);
    if (crlf) i += 2;
    if (seen == Eol::kUndecided) {
      seen = kind;
    } else if (seen != kind) {
      return Eol::kUnix;
    }
  }
  return seen;
}

ByteFacts survey(std::string_view s, bool null_matters, bool escape_matters) {
  ByteFacts f;
  const auto* p = reinterpret_cast<const std::uint8_t*>(s.data());
  const auto n = static_cast<std::int64_t>(s.size());
  f.utf8 = true;
  for (std::int64_t i = 0; i < n;) {
    const std::uint8_t b = p[i];
    if (b < 0x80) {
      if (b == 0 && null_matters) f.null = true;
      if (escape_matters && b == 0x1B && i + 2 < n) {
        const std::uint8_t a = p[i + 1];
        const std::uint8_t c = p[i + 2];
        // Designations of ISO-2022: ESC ( B, ESC $ B, ESC $ ( D …
        if ((a >= '(' && a <= '/' && c >= '0' && c <= '~') ||
            (a == '$' && ((c >= '@' && c <= 'B') || (c >= '(' && c <= '/'))))
          f.escape = true;
      }
      ++i;
      continue;
    }
    f.eight_bit = true;
    if (b < 0xA0) f.c1 = true;
    const int length = f.utf8 && b >= 0xC2 ? text::valid_sequence_length(p + i, n - i, false) : 0;
    if (length == 0) f.utf8 = false;
    i += length > 0 ? length : 1;
  }
  return f;
}

Maybe<CodingSystem> detect_coding(Context& cx, const CodingSystem& coding, std::string_view source) {
  const Value extra = coding.slot(kCoExtra);
  const auto extra_at = [&](int i) { return slot_count_raw(extra) > i ? slot_raw(extra, i) : kNil; };
  const bool null_off = variable_true(cx, Qinhibit_null_byte_detection) || extra_at(0) == Qt;
  const bool escape_off = variable_true(cx, Qinhibit_iso_escape_detection) || extra_at(1) == Qt;
  const bool prefer_utf8 = extra_at(2).truthy();
  const ByteFacts f = survey(source, !null_off, !escape_off);
  CodingSystem found = coding;
  const auto use = [&](Value name) -> Maybe<CodingSystem> {
    CodingSystem c = TRY(coding_argument_re(cx, name));
    if (coding.eol != Eol::kUndecided && c.eol == Eol::kUndecided)
      c = TRY(coding_argument_re(cx, coding_with_eol(cx, name, coding.eol)));
    return c;
  };
  if (f.null) return coding_argument_re(cx, Qno_conversion);
  // Escape sequences alone decide nothing: text may quote them.
  if (!f.eight_bit) return found;
  if (f.eight_bit && prefer_utf8 && f.utf8) return use(Qutf_8);
  for (Value tail = variable_value(cx, Qcoding_category_list); tail.is_cons(); tail = cdr_raw(tail)) {
    const Value name = variable_value(cx, car_raw(tail));
    if (name.is_nil() || name.is_unbound()) continue;
    const CodingSystem candidate = TRY(coding_argument_re(cx, name));
    if (TRY(may_be(cx, candidate, f, source))) return use(name);
  }
  return use(Qraw_text);
}

namespace {

bool is_iso_latin(Context& cx, const CodingSystem& c) {
  const std::string_view name = symbol_name_view(cx, c.slot(kCoName));
  return name.substr(0, 9) == "iso-8859-" || name.substr(0, 10) == "iso-latin-";
}

// Latin text has no bytes 0x80..0x9F but those that `latin-extra-code-table' lets through.
bool extra_bytes_allowed(Context& cx, std::string_view source) {
  const Value table = variable_value(cx, Qlatin_extra_code_table);
  for (const char b : source) {
    const auto byte = static_cast<std::uint8_t>(b);
    if (byte < 0x80 || byte >= 0xA0) continue;
    if (!is_vector(table) || byte >= slot_count_raw(table) || slot_raw(table, byte).is_nil()) return false;
  }
  return true;
}

}  // namespace

Maybe<bool> may_be(Context& cx, const CodingSystem& candidate, const ByteFacts& f, std::string_view source) {
  const std::string_view category = symbol_name_view(cx, candidate.slot(kCoCategory));
  const auto is = [&](std::string_view suffix) { return category.substr(std::strlen("coding-category-")) == suffix; };
  if (is("utf-8")) return f.eight_bit && f.utf8 && candidate.type() == Qutf_8;
  if (is("utf-8-auto")) return f.eight_bit && f.utf8;
  if (is("utf-8-sig")) return f.utf8 && source.substr(0, 3) == "\xEF\xBB\xBF";
  if (is("utf-16-be")) return source.substr(0, 2) == "\xFE\xFF";
  if (is("utf-16-le")) return source.substr(0, 2) == "\xFF\xFE";
  if (is("utf-16-auto")) return source.substr(0, 2) == "\xFF\xFE" || source.substr(0, 2) == "\xFE\xFF";
  if (is("iso-7") || is("iso-7-tight") || is("iso-7-else")) return f.escape && !f.eight_bit;
  if (is("charset")) {
    if (!f.eight_bit) return false;
    if (f.c1 && is_iso_latin(cx, candidate) && !extra_bytes_allowed(cx, source)) return false;
    // Every byte above ASCII must mean something in the charsets.
    const Decoded d = TRY(decode_text(cx, candidate, source, false));
    const auto* p = reinterpret_cast<const std::uint8_t*>(d.bytes.data());
    for (std::size_t i = 0; i < d.bytes.size(); i += static_cast<std::size_t>(text::bytes_by_lead(p[i])))
      if (p[i] == 0xC0 || p[i] == 0xC1) return false;
    return true;
  }
  return false;
}

}  // namespace neovm::elisp
