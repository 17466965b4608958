// JSON to Lisp.
//
// The tokens are those of Jansson's scanner, so that an error names the same text at the same place: a token is "saved" while
// it is read, and errors quote it when it is at most twenty bytes long.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "json.hpp"
#include "neovm/core/context.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

namespace {

constexpr std::size_t kMaxDepth = 2048;  // of the text; Lisp nesting has a limit of its own

class Parser {
 public:
  Parser(Context& cx, std::string_view text, const char* source, const JsonOptions& options)
      : cx_(cx), text_(text), source_(source), options_(options), work_(cx) {}
  Value document_re(std::size_t* consumed);

 private:
  struct Level {        // a container that is still open
    std::size_t first;  // of its elements, or of its keys and values in turn, in work_
    bool object;
  };
  enum class Token : std::uint8_t { kEnd, kInvalid, kPunctuation, kString, kInteger, kReal, kTrue, kFalse, kNull };

  bool scan();  // false: an error is pending
  bool scan_string();
  bool scan_number();
  bool scan_key();
  bool member_key();
  Value scalar();
  Value value_re();
  Value close_re();
  void drop_repeated_keys(std::size_t first);
  ExitTag fail(const std::string& message, Value condition = Qjson_parse_error);
  [[nodiscard]] bool punctuation(char c) const { return token_ == Token::kPunctuation && saved()[0] == c; }
  [[nodiscard]] std::string_view saved() const { return text_.substr(start_, at_ - start_); }
  int hex4(std::size_t at) const;

  Context& cx_;
  std::string_view text_;
  const char* source_;
  const JsonOptions& options_;
  std::size_t start_ = 0;  // of the token
  std::size_t at_ = 0;     // after the token
  Token token_ = Token::kEnd;
  std::string string_;
  bool in_key_ = false;  // the next string is the key of a member
  std::int64_t integer_ = 0;
  double real_ = 0;
  std::vector<Level> levels_;
  RootVector work_;
  bool too_deep_ = false;  // deeper than Lisp may nest; an error once the whole text has been parsed
};

ExitTag Parser::fail(const std::string& message, Value condition) {
  std::string text = message;
  const std::string_view near = saved();
  if (near.empty()) {
    text += " near end of file";
    if (condition == Qjson_parse_error) condition = Qjson_end_of_file;
  } else if (near.size() <= 20) {
    text += " near '" + std::string(near) + "'";
  }
  // Line, column in characters, position in bytes; all of what was read.
  std::int64_t line = 1;
  std::int64_t column = 0;
  for (std::size_t i = 0; i < at_; ++i) {
    if (text_[i] == '\n') {
      ++line;
      column = 0;
    } else if (!text::is_continuation(static_cast<std::uint8_t>(text_[i]))) {
      ++column;
    }
  }
  return signal_error(cx_, condition,
                      list(cx_, {make_string(cx_, text), make_string(cx_, source_), Value::fixnum(line),
                                 Value::fixnum(column), Value::fixnum(static_cast<std::int64_t>(at_))}));
}

int Parser::hex4(std::size_t at) const {
  if (at + 4 > text_.size()) return -1;
  int n = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = text_[i];
    const int d = c >= '0' && c <= '9'
                      ? c - '0'
                      : (c >= 'a' && c <= 'f' ? c - 'a' + 10 : (c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1));
    if (d < 0) return -1;
    n = n * 16 + d;
  }
  return n;
}

bool Parser::scan() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
    ++at_;
  start_ = at_;
  if (at_ == text_.size()) {
    token_ = Token::kEnd;
    return true;
  }
  const char c = text_[at_];
  const auto alphabetic = [](char x) { return (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z'); };
  if (std::string_view("{}[]:,").find(c) != std::string_view::npos) {
    ++at_;
    token_ = Token::kPunctuation;
    return true;
  }
  if (c == '"') return scan_string();
  if ((c >= '0' && c <= '9') || c == '-') return scan_number();
  token_ = Token::kInvalid;
  if (alphabetic(c)) {
    while (at_ < text_.size() && alphabetic(text_[at_])) ++at_;
    if (saved() == "true") token_ = Token::kTrue;
    if (saved() == "false") token_ = Token::kFalse;
    if (saved() == "null") token_ = Token::kNull;
    return true;
  }
  const auto* p = reinterpret_cast<const std::uint8_t*>(text_.data()) + at_;
  const int length = text::valid_sequence_length(p, static_cast<std::int64_t>(text_.size() - at_), false);
  if (length == 0) {
    start_ = at_;
    const text::Decoded d = text::decode_char(p);
    char b[64];
    std::snprintf(b, sizeof b, "unable to decode byte 0x%x",
                  static_cast<unsigned>(text::is_raw_byte_char(d.c) ? text::char_to_raw_byte(d.c) : p[0]));
    signal_error(
        cx_, Qjson_parse_error,
        list(cx_, {make_string(cx_, b), make_string(cx_, source_), Value::fixnum(1),
                   Value::fixnum(static_cast<std::int64_t>(at_)), Value::fixnum(static_cast<std::int64_t>(at_))}));
    return false;
  }
  at_ += static_cast<std::size_t>(length);
  return true;
}

bool Parser::scan_string() {
  token_ = Token::kString;
  string_.clear();
  ++at_;
  const auto error = [&](const std::string& message, Value condition = Qjson_parse_error) {
    fail(message, condition);
    return false;
  };
  for (;;) {
    if (at_ == text_.size()) return error("premature end of input", Qjson_end_of_file);
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return true;
    }
    if (c == '\n') return error("unexpected newline");
    if (static_cast<unsigned char>(c) < 0x20) {
      char b[40];
      std::snprintf(b, sizeof b, "control character 0x%x", static_cast<unsigned>(c));
      return error(b);
    }
    if (c != '\\') {
      const auto* p = reinterpret_cast<const std::uint8_t*>(text_.data()) + at_;
      const int length = text::valid_sequence_length(p, static_cast<std::int64_t>(text_.size() - at_), false);
      if (length == 0) {
        const text::Decoded d = text::decode_char(p);
        char b[40];
        std::snprintf(b, sizeof b, "unable to decode byte 0x%x",
                      static_cast<unsigned>(text::is_raw_byte_char(d.c) ? text::char_to_raw_byte(d.c) : p[0]));
        return error(b);
      }
      string_.append(text_.substr(at_, static_cast<std::size_t>(length)));
      at_ += static_cast<std::size_t>(length);
      continue;
    }
    ++at_;
    if (at_ == text_.size()) return error("premature end of input", Qjson_end_of_file);
    const char e = text_[at_++];
    switch (e) {
      case '"':
      case '\\':
      case '/': string_.push_back(e); continue;
      case 'b': string_.push_back('\b'); continue;
      case 'f': string_.push_back('\f'); continue;
      case 'n': string_.push_back('\n'); continue;
      case 'r': string_.push_back('\r'); continue;
      case 't': string_.push_back('\t'); continue;
      case 'u': break;
      default: return error("invalid escape");
    }
    int code = hex4(at_);
    if (code < 0) return error("invalid escape");
    at_ += 4;
    // What is wrong with the value is found when the whole string has been read.
    const auto finish = [&] {
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n')
        at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 2 : 1;
      if (at_ < text_.size()) ++at_;
    };
    char b[80];
    if (code >= 0xD800 && code <= 0xDBFF) {
      const int low = at_ + 1 < text_.size() && text_[at_] == '\\' && text_[at_ + 1] == 'u' ? hex4(at_ + 2) : -1;
      if (low >= 0xDC00 && low <= 0xDFFF) {
        at_ += 6;
        code = ((code - 0xD800) << 10) + (low - 0xDC00) + 0x10000;
      } else {
        if (low >= 0) {
          std::snprintf(b, sizeof b, "invalid Unicode '\\u%04X\\u%04X'", static_cast<unsigned>(code),
                        static_cast<unsigned>(low));
        } else {
          std::snprintf(b, sizeof b, "invalid Unicode '\\u%04X'", static_cast<unsigned>(code));
        }
        finish();
        return error(b);
      }
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      std::snprintf(b, sizeof b, "invalid Unicode '\\u%04X'", static_cast<unsigned>(code));
      finish();
      return error(b);
    }
    if (code == 0) {
      finish();
      return error(in_key_ ? "NUL byte in object key not supported" : "\\u0000 is not allowed without JSON_ALLOW_NUL");
    }
    std::uint8_t out[text::kMaxBytesPerChar];
    string_.append(reinterpret_cast<const char*>(out), static_cast<std::size_t>(text::encode_char(code, out)));
  }
}

bool Parser::scan_number() {
  const auto digit = [&](std::size_t i) { return i < text_.size() && text_[i] >= '0' && text_[i] <= '9'; };
  token_ = Token::kInvalid;
  if (text_[at_] == '-') ++at_;
  if (!digit(at_)) return true;
  if (text_[at_] == '0') {
    ++at_;
    if (digit(at_)) return true;  // no leading zeros
  } else {
    while (digit(at_)) ++at_;
  }
  const bool point = at_ < text_.size() && text_[at_] == '.';
  const bool exponent = at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E');
  if (!point && !exponent) {
    const std::string_view s = saved();
    const auto r = std::from_chars(s.data(), s.data() + s.size(), integer_);
    if (r.ec != std::errc{}) {
      fail(s[0] == '-' ? "too big negative integer" : "too big integer");
      return false;
    }
    token_ = Token::kInteger;
    return true;
  }
  if (point) {
    ++at_;
    if (!digit(at_)) return true;
    while (digit(at_)) ++at_;
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (!digit(at_)) return true;
    while (digit(at_)) ++at_;
  }
  real_ = std::strtod(std::string(saved()).c_str(), nullptr);
  if (std::isinf(real_)) {
    fail("real number overflow");
    return false;
  }
  token_ = Token::kReal;
  return true;
}

Value Parser::scalar() {
  switch (token_) {
    case Token::kString: return make_multibyte_string(cx_, string_);
    case Token::kInteger: return make_integer(cx_, integer_);
    case Token::kReal: return make_float(cx_, real_);
    case Token::kTrue: return Qt;
    case Token::kFalse: return options_.false_object;
    case Token::kNull: return options_.null_object;
    case Token::kInvalid: return fail("invalid token");
    default: return fail("unexpected token");
  }
}

// The token after `{` or after the comma of an object: a key and its colon; the token after them is the value's first.
bool Parser::member_key() {
  if (token_ != Token::kString) {
    fail("string or '}' expected");
    return false;
  }
  const Value key = make_multibyte_string(cx_, string_);
  if (key.is_exit()) return false;
  work_.values.push_back(key);
  if (!scan()) return false;
  if (!punctuation(':')) {
    fail("':' expected");
    return false;
  }
  return scan();
}

bool Parser::scan_key() {
  in_key_ = true;
  const bool ok = scan();
  in_key_ = false;
  return ok;
}

// Keys and values in turn from work_.values[first]. A repeated key keeps its first place and its last value.
void Parser::drop_repeated_keys(std::size_t first) {
  std::vector<Value>& m = work_.values;
  std::unordered_map<std::string_view, std::size_t> places;
  std::size_t kept = first;
  for (std::size_t i = first; i < m.size(); i += 2) {
    const auto [place, fresh] = places.emplace(string_view_of(m[i]), kept);
    if (fresh) {
      m[kept] = m[i];
      m[kept + 1] = m[i + 1];
      kept += 2;
    } else {
      m[place->second + 1] = m[i + 1];
    }
  }
  m.resize(kept);
}

// The Lisp object of the innermost container, whose closing bracket has been read.
Value Parser::close_re() {
  const Level level = levels_.back();
  levels_.pop_back();
  if (level.object && work_.values.size() > level.first + 2) drop_repeated_keys(level.first);
  const std::span<const Value> m(work_.values.data() + level.first, work_.values.size() - level.first);
  Value result = kNil;
  if (!level.object) {
    result = options_.arrays_are_lists ? list_from(cx_, m) : make_vector_from(cx_, m);
  } else if (options_.objects == JsonOptions::Objects::kHashTable) {
    const auto count = static_cast<std::int64_t>(m.size() / 2);
    result = TRY(
        funcall_re(cx_, Qmake_hash_table, {QCtest, Qequal, QCsize, Value::fixnum(std::max<std::int64_t>(count, 1))}));
    for (std::size_t i = 0; i < m.size(); i += 2) hash_table_put(cx_, result, m[i], m[i + 1]);
  } else {
    for (std::size_t i = m.size(); i > 0; i -= 2) {
      const std::string name(string_view_of(m[i - 2]));
      if (options_.objects == JsonOptions::Objects::kAlist) {
        result = cons(cx_, cons(cx_, intern(cx_, name), m[i - 1]), result);
      } else {
        result = cons(cx_, intern(cx_, ":" + name), cons(cx_, m[i - 1], result));
      }
    }
  }
  work_.values.resize(level.first);
  return result;
}

// The value whose first token was just read. Containers that are still open are on levels_, not on the native stack.
Value Parser::value_re() {
  const std::int64_t room = json_depth_left(cx_);
  for (;;) {
    if (levels_.size() >= kMaxDepth) return fail("maximum parsing depth reached");
    Value v = kNil;
    if (punctuation('[') || punctuation('{')) {
      const bool object = punctuation('{');
      levels_.push_back({work_.values.size(), object});
      if (static_cast<std::int64_t>(levels_.size()) > room) too_deep_ = true;
      if (!(object ? scan_key() : scan())) return kExit;
      if (!punctuation(object ? '}' : ']')) {
        if (object && !member_key()) return kExit;
        continue;
      }
      v = TRY(close_re());
    } else {
      v = TRY(scalar());
    }
    // A finished value may finish the containers around it.
    for (;;) {
      if (levels_.empty()) return v;
      const bool object = levels_.back().object;
      work_.values.push_back(v);
      if (!scan()) return kExit;
      if (punctuation(',')) {
        if (!(object ? scan_key() && member_key() : scan())) return kExit;
        break;
      }
      if (!punctuation(object ? '}' : ']')) return fail(object ? "'}' expected" : "']' expected");
      v = TRY(close_re());
    }
  }
}

Value Parser::document_re(std::size_t* consumed) {
  if (!scan()) return kExit;
  const Value v = TRY(value_re());
  if (consumed != nullptr) {
    *consumed = at_;
  } else {
    work_.values.push_back(v);
    if (!scan()) return kExit;
    if (token_ != Token::kEnd) return fail("end of file expected", Qjson_trailing_content);
  }
  // GNU converts after parsing: every error of the text comes before this one.
  if (too_deep_) return signal_error0(cx_, Qjson_object_too_deep);
  return v;
}

}  // namespace

Value parse_json_re(Context& cx, std::string_view text, const char* source, const JsonOptions& options,
                    std::size_t* consumed) {
  return Parser(cx, text, source, options).document_re(consumed);
}

}  // namespace neovm::elisp
