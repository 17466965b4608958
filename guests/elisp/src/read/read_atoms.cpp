// Characters, strings, numbers and symbols.
#include <cstdio>
#include <cstring>

#include "neovm/elisp/number_text.hpp"
#include "reader.hpp"

namespace neovm::elisp {

namespace {

constexpr int kAlt = 0x0400000;
constexpr int kSuper = 0x0800000;
constexpr int kHyper = 0x1000000;
constexpr int kShift = 0x2000000;
constexpr int kCtrl = 0x4000000;
constexpr int kMeta = 0x8000000;
constexpr int kModifiers = kAlt | kSuper | kHyper | kShift | kCtrl | kMeta;
constexpr int kNoBreakSpace = 0xA0;

void append_char(std::string& s, int c) {
  std::uint8_t b[text::kMaxBytesPerChar];
  s.append(reinterpret_cast<const char*>(b), static_cast<std::size_t>(text::encode_char(c, b)));
}

// 1 for characters that end a symbol or number. Everything above ASCII but U+00A0 is part of it.
constexpr auto kDelimiter = [] {
  struct Table {
    bool at[256];
  } t{};
  for (int c = 0; c <= ' '; ++c) t.at[c] = true;
  for (const char c : {'"', '\'', ';', '(', ')', '[', ']', '#', '`', ','}) t.at[static_cast<unsigned char>(c)] = true;
  return t;
}();

bool ends_symbol(int c) { return c < 0x80 ? c < 0 || kDelimiter.at[c] : c == kNoBreakSpace; }

int hex_digit(int c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

// The character (or escape) behind a modifier.
Maybe<int> Reader::read_escape_start_re() {
  const int c = in_.get_re();
  if (c == ReadStream::kFailed) return kFailed;
  if (c == '\\') return read_escape_re(false);
  return c;
}

// What follows a backslash; -1 stands for "no character" (an escaped newline or blank in a string, or the end).
Maybe<int> Reader::read_escape_re(bool in_string) {
  int c = in_.get_re();
  switch (c) {
    case ReadStream::kFailed: return kFailed;
    case ReadStream::kEof: return end_of_file();
    case 'a': return 7;
    case 'b': return '\b';
    case 'd': return 127;
    case 'e': return 27;
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '\n': return -1;
    case ' ': return in_string ? -1 : ' ';
    case 'M':
    case 'S':
    case 'H':
    case 'A': {
      const int modifier = c == 'M' ? kMeta : (c == 'S' ? kShift : (c == 'H' ? kHyper : kAlt));
      c = in_.get_re();
      if (c != '-') return c == ReadStream::kFailed ? kFailed : error_text(cx_, "Invalid escape character syntax");
      return TRY(read_escape_start_re())
      | modifier;
    }
    case 's': {
      c = in_.get_re();
      if (c == ReadStream::kFailed) return kFailed;
      if (in_string || c != '-') {
        in_.unget_re(c);
        return ' ';
      }
      return TRY(read_escape_start_re())
      | kSuper;
    }
    case 'C':
      c = in_.get_re();
      if (c != '-') return c == ReadStream::kFailed ? kFailed : error_text(cx_, "Invalid escape character syntax");
      [[fallthrough]];
    case '^': {
      c = TRY(read_escape_start_re());
      if ((c & ~kModifiers) == '?') return 127 | (c & kModifiers);
      if ((c & 0137) >= 'A' && (c & 0137) <= 'Z') return c & (037 | ~0177);
      if ((c & 0177) >= '@' && (c & 0177) <= '_') return c & (037 | ~0177);
      return c | kCtrl;
    }
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7': {
      int n = c - '0';
      for (int count = 1; count < 3; ++count) {
        c = in_.get_re();
        if (c == ReadStream::kFailed) return kFailed;
        if (c < '0' || c > '7') {
          in_.unget_re(c);
          break;
        }
        n = n * 8 + (c - '0');
      }
      return n >= 0x80 && n < 0x100 ? text::raw_byte_to_char(static_cast<unsigned>(n)) : n;
    }
    case 'x': {
      unsigned n = 0;
      int count = 0;
      for (;; ++count) {
        c = in_.get_re();
        if (c == ReadStream::kFailed) return kFailed;
        const int d = hex_digit(c);
        if (d < 0) {
          in_.unget_re(c);
          break;
        }
        n = n * 16 + static_cast<unsigned>(d);
        if (n > (kMeta | (kMeta - 1))) return error_format(cx_, "Hex character out of range: \\x%x...", n);
      }
      if (count < 3 && n >= 0x80) return text::raw_byte_to_char(n);
      return static_cast<int>(n);
    }
    case 'u': return read_hex_escape_re(4);
    case 'U': return read_hex_escape_re(8);
    case 'N': return read_named_character_re();
    default: return c;
  }
}

Maybe<int> Reader::read_hex_escape_re(int count) {
  unsigned n = 0;
  for (int i = 0; i < count; ++i) {
    const int c = in_.get_re();
    if (c == ReadStream::kFailed) return kFailed;
    if (c < 0) {
      if (count > 4) return error_format(cx_, "Malformed Unicode escape: \\U%x", n);
      return error_format(cx_, "Malformed Unicode escape: \\u%x", n);
    }
    const int d = hex_digit(c);
    if (d < 0) {
      std::string message = "Non-hex character used for Unicode escape: ";
      append_char(message, c);
      return error_text(cx_, message + " (" + std::to_string(c) + ")");
    }
    n = (n << 4) + static_cast<unsigned>(d);
  }
  if (n > text::kMaxUnicode) return error_format(cx_, "Non-Unicode character: 0x%x", n);
  return static_cast<int>(n);
}

// \N{NAME}: a code point as U+HEX, or a name that Lisp's tables know (char-from-name).
Maybe<int> Reader::read_named_character_re() {
  int c = in_.get_re();
  if (c == ReadStream::kFailed) return kFailed;
  if (c != '{') return invalid_syntax("Expected opening brace after \\N");
  std::string name;
  bool blank = false;
  for (;;) {
    c = in_.get_re();
    if (c == ReadStream::kFailed) return kFailed;
    if (c < 0) return end_of_file();
    if (c == '}') break;
    if (c >= 0x80) {
      char message[64];
      std::snprintf(message, sizeof message, "Invalid character U+%04X in character name", static_cast<unsigned>(c));
      return invalid_syntax(message);
    }
    if (c == ' ' || (c >= '\t' && c <= '\r')) {  // a run of blanks counts as one
      if (blank) continue;
      blank = true;
      c = ' ';
    } else {
      blank = false;
    }
    name.push_back(static_cast<char>(c));
    if (name.size() >= 2000) return invalid_syntax("Character name too long");
  }
  if (name.empty()) return invalid_syntax("Empty character name");
  Value code = kNil;
  if (name.size() >= 2 && name[0] == 'U' && name[1] == '+') {
    std::size_t used = 0;
    const Value v = TRY(parse_number(cx_, std::string_view(name).substr(2), 16, &used));
    if (!v.is_unbound() && used == name.size() - 2 && name.size() > 2 && name[2] != '-' && name[2] != '+') code = v;
  } else {
    const Value text = TRY(make_unibyte_string(cx_, name));
    code = TRY(funcall_re(cx_, Qchar_from_name, {text, Qt}));
  }
  const bool valid = code.is_fixnum() && code.as_fixnum() >= 0 && code.as_fixnum() <= text::kMaxUnicode &&
                     (code.as_fixnum() < 0xD800 || code.as_fixnum() > 0xDFFF);
  if (!valid) return invalid_syntax("\\N{" + name + "}");
  return static_cast<int>(code.as_fixnum());
}

// After the question mark.
Value Reader::read_character_re() {
  int c = in_.get_re();
  if (c == ReadStream::kFailed) return kExit;
  if (c < 0) return end_of_file();
  // Two characters that may be given bare without complaint.
  if (c == ' ' || c == '\t') return Value::fixnum(c);
  if (c == '(' || c == ')' || c == '[' || c == ']' || c == '"' || c == ';') {
    const Value seen = variable_value(cx_, Qlread__unescaped_character_literals);
    const Value v = Value::fixnum(c);
    if (!seen.is_unbound() && memq(v, seen).is_nil())
      TRY(set_variable_re(cx_, Qlread__unescaped_character_literals, cons(cx_, v, seen)));
  }
  if (c == '\\') c = TRY(read_escape_re(false));
  const int modifiers = c & kModifiers;
  int base = c & ~kModifiers;
  if (base >= 0 && base <= text::kMaxChar && text::is_raw_byte_char(base)) base = text::char_to_raw_byte(base);
  c = base | modifiers;
  const int next = in_.get_re();
  if (next == ReadStream::kFailed) return kExit;
  in_.unget_re(next);
  if (next <= ' ' || (next < 0x80 && std::strchr("\"';()[]#?`,.", next) != nullptr)) return Value::fixnum(c);
  return invalid_syntax("?");
}

Value Reader::read_string_re() {
  token_.clear();
  std::int64_t chars = 0;
  bool force_single = false;
  bool force_multi = false;
  for (;;) {
    // Runs of plain ASCII are taken at once.
    const std::uint8_t* p = in_.cursor();
    const std::uint8_t* limit = in_.limit();
    const std::uint8_t* q = p;
    while (q < limit && *q < 0x80 && *q != '"' && *q != '\\') ++q;
    if (q != p) {
      token_.append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(q - p));
      chars += q - p;
      in_.set_cursor(q);
    }
    int c = in_.get_re();
    if (c == ReadStream::kFailed) return kExit;
    if (c < 0) return end_of_file();
    if (c == '"') break;
    if (c == '\\') {
      c = in_.get_re();
      if (c == ReadStream::kFailed) return kExit;
      if (c == ' ' || c == '\n') continue;
      if (c == 's') {
        c = ' ';
      } else {
        in_.unget_re(c);
        c = TRY(read_escape_re(true));
        if (c == -1) continue;
      }
      int modifiers = c & kModifiers;
      c &= ~kModifiers;
      if (c > text::kMaxChar) return invalid_syntax("Invalid modifier in string");
      if (text::is_raw_byte_char(c)) {
        force_single = true;
      } else if (c >= 0x80) {
        force_multi = true;
      } else {
        if (modifiers == kCtrl && c == ' ') {
          c = 0;
          modifiers = 0;
        }
        if ((modifiers & kShift) != 0) {
          if (c >= 'A' && c <= 'Z') {
            modifiers &= ~kShift;
          } else if (c >= 'a' && c <= 'z') {
            c -= 'a' - 'A';
            modifiers &= ~kShift;
          }
        }
        if ((modifiers & kMeta) != 0) {
          modifiers &= ~kMeta;
          c = text::raw_byte_to_char(static_cast<unsigned>(c) | 0x80);
          force_single = true;
        }
      }
      if (modifiers != 0) return invalid_syntax("Invalid modifier in string");
    } else if (text::is_raw_byte_char(c)) {
      force_single = true;
    } else if (c >= 0x80) {
      force_multi = true;
    }
    append_char(token_, c);
    ++chars;
  }
  if (force_multi) return make_multibyte_string(cx_, token_, chars);
  if (!force_single) return make_unibyte_string(cx_, token_);
  // Only ASCII and raw bytes: a unibyte string.
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(chars));
  const auto* p = reinterpret_cast<const std::uint8_t*>(token_.data());
  for (std::size_t i = 0; i < token_.size();) {
    const text::Decoded d = text::decode_char(p + i);
    bytes.push_back(static_cast<char>(d.c < 0x80 ? d.c : text::char_to_raw_byte(d.c)));
    i += static_cast<std::size_t>(d.bytes);
  }
  return make_unibyte_string(cx_, bytes);
}

// #x10 and the like: an integer in another base, which ends at the first character that is no digit or letter.
Value Reader::read_radix_re(std::int64_t radix) {
  const auto invalid = [&] { return invalid_syntax("integer, radix " + std::to_string(radix)); };
  if (radix < 2 || radix > 36) return invalid();
  token_.clear();
  int c = in_.get_re();
  if (c == '-' || c == '+') {
    token_.push_back(static_cast<char>(c));
    c = in_.get_re();
  }
  bool any = false;
  bool valid = true;
  for (;; c = in_.get_re()) {
    int d = -1;
    if (c >= '0' && c <= '9') d = c - '0';
    if (c >= 'a' && c <= 'z') d = c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') d = c - 'A' + 10;
    if (d < 0) break;
    any = true;
    if (d >= radix) valid = false;
    token_.push_back(static_cast<char>(c));
  }
  if (c == ReadStream::kFailed) return kExit;
  in_.unget_re(c);
  if (!any || !valid) return invalid();
  std::size_t used = 0;
  return parse_number(cx_, token_, static_cast<int>(radix), &used);
}

// A symbol or number that starts with `first` (kEof: it starts with the next character).
Value Reader::read_symbol_re(int first, SymbolMode mode) {
  const std::int64_t position = wants_positions_ ? in_.chars_read() - 1 : 0;
  token_.clear();
  bool quoted = false;
  bool ascii = true;
  int c = first;
  for (;;) {
    if (c == '\\') {
      c = in_.get_re();
      if (c == ReadStream::kFailed) return kExit;
      if (c < 0) return end_of_file();
      quoted = true;
    }
    if (c < 0x80) {
      token_.push_back(static_cast<char>(c));
      const std::uint8_t* p = in_.cursor();
      const std::uint8_t* limit = in_.limit();
      const std::uint8_t* q = p;
      while (q < limit && *q < 0x80 && !kDelimiter.at[*q] && *q != '\\') ++q;
      token_.append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(q - p));
      in_.set_cursor(q);
    } else {
      ascii = false;
      append_char(token_, c);
    }
    c = in_.get_re();
    if (c == ReadStream::kFailed) return kExit;
    if (ends_symbol(c)) break;
  }
  in_.unget_re(c);
  if (!quoted && mode != SymbolMode::kUninterned && ascii) {
    const char lead = token_[0];
    if ((lead >= '0' && lead <= '9') || lead == '-' || lead == '+' || lead == '.') {
      std::size_t used = 0;
      const Value v = TRY(parse_number(cx_, token_, 10, &used));
      if (!v.is_unbound() && used == token_.size()) return v;
    }
  }
  if (mode == SymbolMode::kUninterned)
    return make_symbol(cx_, TRY(ascii ? make_unibyte_string(cx_, token_) : make_multibyte_string(cx_, token_)));
  const Value symbol = TRY(intern_token(token_, ascii, mode == SymbolMode::kPlain));
  if (wants_positions_) note_symbol_position(symbol, position);
  return symbol;
}

// `read-symbol-shorthands` replaces prefixes; names made of operator characters only are left alone.
Value Reader::intern_token(std::string_view name, bool, bool shorthand) {
  if (shorthand && has_shorthands_ && name.find_first_not_of("^*+-/<=>_|") != std::string_view::npos) {
    std::string_view best;
    Value replacement = kNil;
    for (Value l = variable_value(cx_, Qread_symbol_shorthands); l.is_cons(); l = cdr_raw(l)) {
      const Value pair = car_raw(l);
      if (!pair.is_cons() || !car_raw(pair).is_string() || !cdr_raw(pair).is_string()) continue;
      const std::string_view prefix = string_view_of(car_raw(pair));
      if (prefix.size() <= name.size() && name.substr(0, prefix.size()) == prefix) {
        best = prefix;
        replacement = cdr_raw(pair);
        break;
      }
    }
    if (!replacement.is_nil()) {
      const std::string longhand = std::string(string_view_of(replacement)) + std::string(name.substr(best.size()));
      return intern_in(cx_, longhand, obarray_);
    }
  }
  return intern_in(cx_, name, obarray_);
}

void Reader::note_symbol_position(Value symbol, std::int64_t position) {
  SymbolCells& cell = cx_.cells(Qread_symbol_positions_list);
  const Value entry = cons(cx_, symbol, Value::fixnum(position));
  store(&cell.value, cons(cx_, entry, cell.value));
}

}  // namespace neovm::elisp
