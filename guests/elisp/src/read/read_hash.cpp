// Everything that starts with '#'.
#include <algorithm>
#include <cstring>

#include "reader.hpp"

namespace neovm::elisp {

Reader::Step Reader::hash_syntax_re(Value* out) {
  int c = in_.get_re();
  switch (c) {
    case ReadStream::kFailed: return Step::kFailed;
    case '\'': push_prefix(Qfunction); return Step::kPushed;
    case '#': return object(out, intern_in(cx_, "", obarray_));
    case 's':
      c = in_.get_re();
      if (c != '(') break;
      push(Kind::kRecord);
      return Step::kPushed;
    case '^':
      c = in_.get_re();
      if (c == '[') {
        push(Kind::kCharTable);
        return Step::kPushed;
      }
      if (c == '^') {
        c = in_.get_re();
        if (c != '[') return failed(invalid_syntax("#^^"));
        push(Kind::kSubCharTable);
        return Step::kPushed;
      }
      return failed(invalid_syntax("#^"));
    case '&': return object(out, read_bool_vector_re());
    case '[': push(Kind::kByteCode); return Step::kPushed;
    case '(': push(Kind::kPropertied); return Step::kPushed;
    case '@': {
      bool ended = false;
      const Maybe<bool> skipped = skip_doc_string_re(&ended);
      if (!skipped.ok()) return Step::kFailed;
      if (ended) return object(out, kNil);
      return next_token_re(out);
    }
    case '$': {
      const Value file = variable_value(cx_, Qload_file_name);
      return object(out, file.is_unbound() ? kNil : file);
    }
    case '!':
      if (!skip_comment_re()) return Step::kFailed;
      return next_token_re(out);
    case ':':
    case '_': {
      const bool uninterned = c == ':';
      c = in_.get_re();
      if (c == ReadStream::kFailed) return Step::kFailed;
      const bool empty =
          c <= ' ' || c == 0xA0 ||
          (c < 0x80 && std::string_view("\"';()[]#`,").find(static_cast<char>(c)) != std::string_view::npos);
      if (!empty)
        return object(out, read_symbol_re(c, uninterned ? SymbolMode::kUninterned : SymbolMode::kNoShorthand));
      in_.unget_re(c);
      if (!uninterned) return object(out, intern_in(cx_, "", obarray_));
      return object(out, make_symbol(cx_, make_unibyte_string(cx_, "")));
    }
    case 'x':
    case 'X': return object(out, read_radix_re(16));
    case 'o':
    case 'O': return object(out, read_radix_re(8));
    case 'b':
    case 'B': return object(out, read_radix_re(2));
    default: {
      if (c < '0' || c > '9') break;
      std::int64_t n = 0;
      bool overflow = false;
      for (; c >= '0' && c <= '9'; c = in_.get_re()) {
        overflow = overflow || n > (kMostPositiveFixnum - 9) / 10;
        if (!overflow) n = n * 10 + (c - '0');
      }
      if (c == ReadStream::kFailed) return Step::kFailed;
      if (overflow) break;
      if (c == 'r' || c == 'R') return object(out, read_radix_re(n));
      const Value circle = variable_value(cx_, Qread_circle);
      if (circle.is_nil()) break;
      if (c == '=') {
        // References inside the object get the placeholder; a cons becomes it, others are substituted.
        const Value placeholder = cons(cx_, kNil, kNil);
        push(Kind::kLabel, n);
        values_.values.push_back(placeholder);
        std::size_t i = 0;
        while (i < label_numbers_.size() && label_numbers_[i] != n) ++i;
        if (i == label_numbers_.size()) {
          label_numbers_.push_back(n);
          labels_.values.push_back(placeholder);
        } else {
          labels_.values[i] = placeholder;
        }
        return Step::kPushed;
      }
      if (c == '#') {
        const Value v = find_label(n);
        if (!v.is_unbound()) return object(out, v);
      }
      break;
    }
  }
  in_.unget_re(c);
  return failed(invalid_syntax("#"));
}

Value Reader::find_label(std::int64_t number) {
  for (std::size_t i = 0; i < label_numbers_.size(); ++i)
    if (label_numbers_[i] == number) return labels_.values[i];
  return kUnbound;
}

Value Reader::finish_label(const Frame& f, Value v) {
  const Value placeholder = values_.values[f.base];
  if (v.is_cons()) {
    set_car_raw(placeholder, car_raw(v));
    set_cdr_raw(placeholder, cdr_raw(v));
    return placeholder;
  }
  for (std::size_t i = 0; i < label_numbers_.size(); ++i)
    if (label_numbers_[i] == f.label) labels_.values[i] = v;
  if (v.is_object() || v.is_string()) substitute_object(cx_, v, v, placeholder);
  return v;
}

// #@N: N bytes of documentation follow, which the byte-compiler put there for `documentation` to seek. In text that is
// not a file the count means nothing, and the documentation ends with ^_. #@00 skips all the rest.
Maybe<bool> Reader::skip_doc_string_re(bool* ended) {
  std::int64_t n = 0;
  int digits = 0;
  int c = in_.get_re();
  for (; c >= '0' && c <= '9'; c = in_.get_re()) {
    if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, c - '0', &n))
      return error_text(cx_, "Maximum string size exceeded");
    ++digits;
    if (digits == 2 && n == 0) {
      while (c >= 0) c = in_.get_re();
      if (c == ReadStream::kFailed) return kFailed;
      *ended = true;
      return true;
    }
  }
  if (c == ReadStream::kFailed) return kFailed;
  if (in_.is_file()) {
    if (n > 0) --n;  // the blank after the digits, just read, counts
    const auto at = in_.byte_position();
    in_.set_byte_position(at + std::min(n, in_.size() - at));
    return true;
  }
  if (n > kMostPositiveFixnum - 102) return error_text(cx_, "Maximum string size exceeded");
  while (c >= 0 && c != 037) c = in_.get_re();
  if (c == ReadStream::kFailed) return kFailed;
  return true;
}

// #&LENGTH"BITS"
Value Reader::read_bool_vector_re() {
  std::int64_t length = 0;
  int c = in_.get_re();
  while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') c = in_.get_re();
  if (c == ReadStream::kEof) return end_of_file();
  const bool negative = c == '-';
  if (c == '-' || c == '+') c = in_.get_re();
  int digits = 0;
  for (; c >= '0' && c <= '9'; c = in_.get_re(), ++digits) {
    if (length > (std::int64_t{1} << 55)) return invalid_syntax("#&...");
    length = length * 10 + (c - '0');
  }
  if (c == ReadStream::kFailed) return kExit;
  if (digits == 0 || c != '"' || (negative && length != 0)) return invalid_syntax("#&...");
  const Value string = TRY(read_string_re());
  const std::int64_t bytes = (length + 7) / 8;
  // Earlier versions wrote one byte too many when the length was a multiple of eight.
  if (string_multibyte(string) || (bytes != string_chars(string) && length != (string_chars(string) - 1) * 8))
    return invalid_syntax("#&...");
  const Value v = TRY(make_raw(cx_, ObjectKind::kBoolVector, 8 + (bytes + 7) / 8 * 8));
  std::uint8_t* data = raw_bytes_raw(v)->bytes;
  std::memcpy(data, &length, sizeof length);
  std::memcpy(data + 8, string_data_raw(string), static_cast<std::size_t>(std::min(bytes, string_bytes(string))));
  if (length % 8 != 0) data[8 + bytes - 1] &= static_cast<std::uint8_t>((1U << (length % 8)) - 1);
  return v;
}

}  // namespace neovm::elisp
