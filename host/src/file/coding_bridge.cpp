#include "file/coding_bridge.hpp"

#include <cstring>

#include "neovm/text/characters.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

std::string_view coding_base(std::string_view name, Eol* eol) {
  const auto ending = [&](std::string_view suffix, Eol e) {
    if (!name.ends_with(suffix)) return false;
    name.remove_suffix(suffix.size());
    *eol = e;
    return true;
  };
  *eol = Eol::kUndecided;
  (void)(ending("-unix", Eol::kUnix) || ending("-dos", Eol::kDos) || ending("-mac", Eol::kMac));
  return name;
}

namespace {

enum class Family : std::uint8_t { kUndecided, kUtf8, kRaw, kBinary, kOther };

Family family_of(std::string_view base) {
  if (base == "nil" || base == "undecided" || base == "prefer-utf-8") return Family::kUndecided;
  if (base == "utf-8" || base == "mule-utf-8") return Family::kUtf8;
  if (base == "raw-text") return Family::kRaw;
  if (base == "no-conversion" || base == "binary") return Family::kBinary;
  return Family::kOther;
}

// The first three line ends decide; when they differ the text has plain newlines.
Eol detect_eol(std::string_view bytes) {
  Eol found = Eol::kUndecided;
  int seen = 0;
  for (std::size_t i = 0; i < bytes.size() && seen < 3; ++i) {
    Eol here;
    if (bytes[i] == '\n') {
      here = Eol::kUnix;
    } else if (bytes[i] == '\r') {
      const bool pair = i + 1 < bytes.size() && bytes[i + 1] == '\n';
      here = pair ? Eol::kDos : Eol::kMac;
      if (pair) ++i;
    } else {
      continue;
    }
    ++seen;
    if (found == Eol::kUndecided) found = here;
    if (found != here) return Eol::kUnix;
  }
  return found;
}

void convert_eol(std::string* text, Eol eol) {
  if (eol == Eol::kMac) {
    for (char& c : *text)
      if (c == '\r') c = '\n';
    return;
  }
  if (eol != Eol::kDos) return;
  std::size_t out = 0;
  for (std::size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] == '\r' && i + 1 < text->size() && (*text)[i + 1] == '\n') continue;
    (*text)[out++] = (*text)[i];
  }
  text->resize(out);
}

struct Scan {
  bool ascii = true;
  bool valid = true;  // strict UTF-8
  bool nul = false;
};

Scan scan(std::string_view bytes) {
  Scan s;
  const auto* p = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto n = static_cast<std::int64_t>(bytes.size());
  s.nul = std::memchr(p, 0, bytes.size()) != nullptr;
  for (std::int64_t i = 0; i < n;) {
    if (p[i] < 0x80) {
      ++i;
      for (std::uint64_t eight; n - i >= 8; i += 8) {
        std::memcpy(&eight, p + i, sizeof eight);
        if ((eight & 0x8080808080808080U) != 0) break;
      }
      continue;
    }
    s.ascii = false;
    const int k = text::valid_sequence_length(p + i, n - i, false);
    if (k == 0) {
      s.valid = false;
      return s;
    }
    i += k;
  }
  return s;
}

std::string raw_bytes_internal(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | ((b >> 6) & 1));
      out += static_cast<char>(0x80 | (b & 0x3F));
    }
  }
  return out;
}

Value coding_symbol(Context& cx, std::string_view base, Eol eol) {
  std::string name(base);
  name += eol == Eol::kUnix ? "-unix" : eol == Eol::kDos ? "-dos" : eol == Eol::kMac ? "-mac" : "";
  return intern(cx, name);
}

}  // namespace

Maybe<Decoded> decode_bytes_re(Context& cx, std::string_view bytes, Value coding, bool multibyte) {
  std::string own(bytes);
  Decoded out = TRY(decode_in_place_re(cx, &own, coding, multibyte));
  if (out.text.is_unbound()) out.text = TRY(multibyte ? make_multibyte_string(cx, own) : make_unibyte_string(cx, own));
  return out;
}

Maybe<Decoded> decode_in_place_re(Context& cx, std::string* bytes_of_text, Value coding, bool multibyte) {
  const std::string_view bytes = *bytes_of_text;
  Eol eol = Eol::kUndecided;
  const std::string name(coding.is_symbol() ? symbol_name_view(cx, coding) : std::string_view("undecided"));
  std::string base(coding_base(name, &eol));
  Family family = family_of(base);
  if (!multibyte && family != Family::kBinary) {
    family = Family::kRaw;
    base = "raw-text";
  }
  const Scan s = scan(bytes);
  if (family == Family::kUndecided) {
    if (base == "nil") base = "undecided";
    const bool nul_is_binary = s.nul && !variable_true(cx, Qinhibit_null_byte_detection);
    if (nul_is_binary) {
      family = Family::kBinary;
    } else if (s.ascii && bytes.find('\033') == std::string_view::npos) {
      family = Family::kUtf8;
    } else if (s.valid && !s.ascii) {
      family = Family::kUtf8;
      base = "utf-8";
      if (bytes.starts_with("\357\273\277")) family = Family::kOther;
    } else {
      family = Family::kOther;
    }
    if (family == Family::kOther && bytes.starts_with("\357\273\277"))
      coding = coding_symbol(cx, "utf-8-with-signature", eol);
  }
  Decoded out{kUnbound, kNil};
  if (family == Family::kOther) {
    const Value raw = TRY(make_unibyte_string(cx, bytes));
    out.text = TRY(funcall_re(cx, Qdecode_coding_string, {raw, coding.is_nil() ? Qundecided : coding, Qt}));
    out.coding = variable_value(cx, Qlast_coding_system_used);
    return out;
  }
  if (family == Family::kBinary) {
    out.coding = Qno_conversion;
    if (multibyte && !s.ascii) *bytes_of_text = raw_bytes_internal(bytes);
    return out;
  }
  if (eol == Eol::kUndecided && !variable_true(cx, Qinhibit_eol_conversion)) eol = detect_eol(bytes);
  out.coding = coding_symbol(cx, base, eol);
  convert_eol(bytes_of_text, eol);
  if (!multibyte || s.ascii) return out;
  if (family == Family::kRaw) {
    *bytes_of_text = raw_bytes_internal(*bytes_of_text);
  } else if (!s.valid) {
    out.text = TRY(make_string(cx, *bytes_of_text));
  }
  return out;
}

Maybe<std::string> encode_string_re(Context& cx, Value string, Value coding) {
  Eol eol = Eol::kUndecided;
  const std::string name(coding.is_symbol() ? symbol_name_view(cx, coding) : std::string_view("undecided"));
  const std::string base(coding_base(name, &eol));
  const Family family = family_of(base);
  if (family == Family::kOther) {
    const Value encoded = TRY(funcall_re(cx, Qencode_coding_string, {string, coding, Qt}));
    if (!encoded.is_string()) return wrong_type(cx, Qstringp, encoded);
    return std::string(string_view_of(encoded));
  }
  std::string out = to_std_string(string);  // UTF-8; raw bytes as they are
  if (eol == Eol::kMac) {
    for (char& c : out)
      if (c == '\n') c = '\r';
  } else if (eol == Eol::kDos) {
    std::string dos;
    dos.reserve(out.size() + out.size() / 16);
    for (const char c : out) {
      if (c == '\n') dos += '\r';
      dos += c;
    }
    out = std::move(dos);
  }
  return out;
}

}  // namespace neomacs::host
