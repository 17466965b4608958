// `format` (editfns.c:styled_format of GNU, by behaviour).
//
// The result is built as internal text plus a list of where each directive came out, which then maps the text properties
// of the format string and of the arguments onto the result.
#include "neovm/elisp/format.hpp"

#include <cmath>
#include <cstdio>
#include <vector>

#include "../print/printer.hpp"
#include "neovm/core/bignum.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

namespace {

struct Directive {
  std::int64_t format_start;  // characters of the format string that it took
  std::int64_t format_end;
  std::int64_t start;  // characters of the result it became
  std::int64_t end;
  std::int64_t text_start;  // … without padding on the left
  Value argument = kNil;    // a string whose properties carry over, or nil
};

struct Spec {
  bool minus = false;
  bool plus = false;
  bool space = false;
  bool sharp = false;
  bool zero = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char conversion = 0;
};

// Text in internal multibyte form.
std::string internal_text(Value s) {
  if (string_multibyte(s)) return std::string(string_view_of(s));
  std::string out;
  for (const char c : string_view_of(s)) {
    if (static_cast<std::uint8_t>(c) < 0x80) {
      out.push_back(c);
      continue;
    }
    std::uint8_t b[text::kMaxBytesPerChar];
    const int n = text::encode_char(text::raw_byte_to_char(static_cast<std::uint8_t>(c)), b);
    out.append(reinterpret_cast<const char*>(b), static_cast<std::size_t>(n));
  }
  return out;
}

// Columns a character takes, for padding.
int columns_of(Context& cx, int c) {
  if (c >= ' ' && c < 0x7f) return 1;
  if (c == '\n') return 0;
  if (c == '\t') {
    const Value w = variable_value(cx, Qtab_width);
    return w.is_fixnum() && w.as_fixnum() > 0 && w.as_fixnum() <= 1000 ? static_cast<int>(w.as_fixnum()) : 8;
  }
  if (c < ' ' || c == 0x7f) return variable_true(cx, Qctl_arrow) ? 2 : 4;
  if (text::is_raw_byte_char(c)) return 4;
  const Value table = variable_value(cx, Qchar_width_table);
  if (!is_char_table(table)) return 1;
  const Value w = char_table_get(table, c);
  return w.is_fixnum() && w.as_fixnum() >= 0 && w.as_fixnum() <= 1000 ? static_cast<int>(w.as_fixnum()) : 1;
}

class Formatter {
 public:
  Formatter(Context& cx, std::span<const Value> args, bool message) : cx_(cx), args_(args), message_(message) {}
  Value run_re();

 private:
  Maybe<bool> directive(const std::string& f, std::size_t* i, std::int64_t* format_chars);
  Maybe<bool> text_directive(const Spec& spec, Value arg, Directive* d);
  Maybe<bool> number_directive(const Spec& spec, Value arg, Directive* d);
  void append(std::string_view s, std::int64_t chars) {
    out_.append(s);
    chars_ += chars;
  }
  void pad(std::int64_t n, char c = ' ') {
    if (n <= 0) return;
    out_.append(static_cast<std::size_t>(n), c);
    chars_ += n;
  }
  ExitTag too_long() { return error_text(cx_, "Maximum string size exceeded"); }
  void quote(int c);
  void copy_properties(Value result);
  [[nodiscard]] std::int64_t map_position(std::int64_t position, bool end) const;

  Context& cx_;
  std::span<const Value> args_;
  bool message_;
  std::string out_;
  std::int64_t chars_ = 0;
  bool multibyte_ = false;
  bool changed_ = false;
  std::size_t next_argument_ = 1;
  std::vector<Directive> directives_;
};

std::int64_t parse_digits(const std::string& f, std::size_t* i) {
  std::int64_t n = 0;
  while (*i < f.size() && f[*i] >= '0' && f[*i] <= '9') {
    if (n < (std::int64_t{1} << 50)) n = n * 10 + (f[*i] - '0');
    ++*i;
  }
  return n;
}

constexpr std::int64_t kMaxField = std::int64_t{1} << 32;

Maybe<bool> Formatter::directive(const std::string& f, std::size_t* at, std::int64_t* format_chars) {
  const std::size_t start = *at;
  std::size_t i = start + 1;
  Spec spec;
  // %N$… names its argument; the next one without a number follows it.
  std::size_t digits = i;
  const std::int64_t number = parse_digits(f, &digits);
  if (digits > i && digits < f.size() && f[digits] == '$') {
    if (number > static_cast<std::int64_t>(args_.size()))
      return error_text(cx_, "Not enough arguments for format string");
    next_argument_ = static_cast<std::size_t>(number);
    i = digits + 1;
  }
  for (;; ++i) {
    const char c = i < f.size() ? f[i] : 0;
    if (c == '-') {
      spec.minus = true;
    } else if (c == '+') {
      spec.plus = true;
    } else if (c == ' ') {
      spec.space = true;
    } else if (c == '#') {
      spec.sharp = true;
    } else if (c == '0') {
      spec.zero = true;
    } else {
      break;
    }
  }
  spec.width = parse_digits(f, &i);
  if (i < f.size() && f[i] == '.') {
    ++i;
    spec.precision = parse_digits(f, &i);
  }
  if (spec.width > kMaxField || spec.precision > kMaxField) return too_long();
  if (i >= f.size()) return error_text(cx_, "Format string ends in middle of format specifier");
  const text::Decoded conversion = text::decode_char(reinterpret_cast<const std::uint8_t*>(f.data()) + i);
  spec.conversion = conversion.c < 0x80 ? static_cast<char>(conversion.c) : '?';
  i += static_cast<std::size_t>(conversion.bytes);
  *at = i;
  *format_chars =
      text::count_chars(reinterpret_cast<const std::uint8_t*>(f.data()) + start, static_cast<std::int64_t>(i - start));
  if (spec.minus) spec.zero = false;
  if (spec.plus) spec.space = false;
  Directive d;
  d.start = chars_;
  changed_ = true;
  if (spec.conversion == '%') {
    append("%", 1);
    d.text_start = d.start;
    d.end = chars_;
    directives_.push_back(d);
    return true;
  }
  if (next_argument_ >= args_.size()) return error_text(cx_, "Not enough arguments for format string");
  const Value arg = args_[next_argument_++];
  const char c = spec.conversion;
  if (c == 's' || c == 'S' || (c == 'c' && arg.is_symbol())) {
    TRY(text_directive(spec, arg, &d));
  } else if (c == 'c' || c == 'd' || c == 'i' || c == 'o' || c == 'x' || c == 'X' || c == 'e' || c == 'f' || c == 'g') {
    TRY(number_directive(spec, arg, &d));
  } else {
    std::uint8_t b[text::kMaxBytesPerChar];
    const int n = text::encode_char(conversion.c, b);
    return error_text(
        cx_, "Invalid format operation %" + std::string(reinterpret_cast<const char*>(b), static_cast<std::size_t>(n)));
  }
  d.end = chars_;
  directives_.push_back(d);
  return true;
}

Maybe<bool> Formatter::text_directive(const Spec& spec, Value arg, Directive* d) {
  std::string shown;
  const bool is_text = spec.conversion != 'S' && (arg.is_string() || arg.is_symbol());
  if (is_text) {
    const Value s = arg.is_string() ? arg : symbol_name(cx_, arg);
    multibyte_ = multibyte_ || string_multibyte(s);
    shown = internal_text(s);
    if (arg.is_string() && !string_raw(arg)->properties.is_nil()) d->argument = arg;
  } else {
    if (!print_to_text(cx_, arg, spec.conversion == 'S', &shown)) return kFailed;
    for (const char ch : shown) multibyte_ = multibyte_ || static_cast<std::uint8_t>(ch) >= 0x80;
  }
  std::int64_t chars = 0;
  std::size_t used = shown.size();
  if (spec.width == 0 && spec.precision < 0) {
    chars = text::count_chars(reinterpret_cast<const std::uint8_t*>(shown.data()), static_cast<std::int64_t>(used));
    d->text_start = chars_;
    append(shown, chars);
    return true;
  }
  std::int64_t columns = 0;
  const auto* p = reinterpret_cast<const std::uint8_t*>(shown.data());
  for (std::size_t i = 0; i < shown.size(); ++chars) {
    const text::Decoded ch = text::decode_char(p + i);
    const int w = columns_of(cx_, ch.c);
    if (spec.precision >= 0 && columns + w > spec.precision) {
      used = i;
      break;
    }
    columns += w;
    i += static_cast<std::size_t>(ch.bytes);
  }
  const std::int64_t padding = spec.width - columns;
  if (!spec.minus) pad(padding);
  d->text_start = chars_;
  append(std::string_view(shown).substr(0, used), chars);
  if (spec.minus) pad(padding);
  return true;
}

Maybe<bool> Formatter::number_directive(const Spec& spec, Value arg, Directive* d) {
  const char c = spec.conversion;
  if (!is_number(arg) || (c == 'c' && !arg.is_fixnum())) {
    const bool curve = quoting_style(cx_) == QuotingStyle::kCurve;
    return error_text(cx_, curve ? "Format specifier doesn\u2019t match argument type"
                                 : "Format specifier doesn't match argument type");
  }
  std::string sign;
  std::string digits;
  bool zero = spec.zero;
  if (c == 'c') {
    const int ch = TRY(character_argument(cx_, arg));
    if (ch >= 0x80) multibyte_ = true;
    std::uint8_t b[text::kMaxBytesPerChar];
    const int n = text::encode_char(ch, b);
    const std::int64_t padding = spec.width - columns_of(cx_, ch);
    if (!spec.minus) pad(padding);
    d->text_start = chars_;
    append({reinterpret_cast<const char*>(b), static_cast<std::size_t>(n)}, 1);
    if (spec.minus) pad(padding);
    return true;
  }
  const bool is_float = c == 'e' || c == 'f' || c == 'g';
  const bool special = arg.is_float() && !std::isfinite(float_raw(arg));
  if (is_float || special) {
    const double x = TRY(number_as_double(cx_, arg));
    // x86 gives NaNs a sign nobody asked for; printf shows it, and so does Emacs.
    if (std::signbit(x)) {
      sign = "-";
    } else if (spec.plus) {
      sign = "+";
    } else if (spec.space) {
      sign = " ";
    }
    const double magnitude = std::fabs(x);
    if (special) {
      digits = std::isnan(x) ? "nan" : "inf";
      zero = false;
    } else {
      const int precision = spec.precision < 0 ? 6 : static_cast<int>(std::min<std::int64_t>(spec.precision, 1 << 20));
      char format[] = {'%', '#', '.', '*', c, 0};
      if (!spec.sharp) {
        format[1] = '.';
        format[2] = '*';
        format[3] = c;
        format[4] = 0;
      }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      const int n = std::snprintf(nullptr, 0, format, precision, magnitude);
      digits.resize(static_cast<std::size_t>(n) + 1);
      std::snprintf(digits.data(), digits.size(), format, precision, magnitude);
#pragma GCC diagnostic pop
      digits.resize(static_cast<std::size_t>(n));
    }
  } else {
    Value n = arg;
    if (arg.is_float()) n = TRY(core::integer_from_double(cx_, float_raw(arg)));
    const int base = c == 'o' ? 8 : (c == 'x' || c == 'X' ? 16 : 10);
    digits = n.is_fixnum() && base == 10 ? std::to_string(n.as_fixnum()) : core::integer_to_string(n, base);
    if (digits[0] == '-') {
      sign = "-";
      digits.erase(0, 1);
    } else if (spec.plus) {
      sign = "+";
    } else if (spec.space) {
      sign = " ";
    }
    if (c == 'X')
      for (char& ch : digits)
        if (ch >= 'a' && ch <= 'z') ch = static_cast<char>(ch - 'a' + 'A');
    if (spec.precision >= 0) {
      zero = false;
      // The precision of a bignum counts its minus sign, too.
      const std::int64_t wanted = spec.precision - (is_bignum(n) && sign == "-" ? 1 : 0);
      if (wanted > static_cast<std::int64_t>(digits.size())) {
        if (spec.precision > kMaxField / 4) return too_long();
        digits.insert(0, static_cast<std::size_t>(wanted) - digits.size(), '0');
      }
      if (spec.precision == 0 && digits == "0") digits.clear();
    }
    if (spec.sharp) {
      if (c == 'o' && (digits.empty() || digits[0] != '0')) digits.insert(0, "0");
      if ((c == 'x' || c == 'X') && n != Value::fixnum(0)) sign += c == 'x' ? "0x" : "0X";
    }
  }
  const auto length = static_cast<std::int64_t>(sign.size() + digits.size());
  if (spec.width - length > kMaxField / 4) return too_long();
  const std::int64_t padding = spec.width - length;
  if (!spec.minus && !zero) pad(padding);
  d->text_start = chars_;
  append(sign, static_cast<std::int64_t>(sign.size()));
  if (zero) pad(padding, '0');
  append(digits, static_cast<std::int64_t>(digits.size()));
  if (spec.minus) pad(padding);
  return true;
}

void Formatter::quote(int c) {
  const QuotingStyle style = quoting_style(cx_);
  if (style == QuotingStyle::kCurve) {
    append(c == '`' ? "\u2018" : "\u2019", 1);
    multibyte_ = true;
    changed_ = true;
  } else if (style == QuotingStyle::kStraight) {
    append("'", 1);
    changed_ = changed_ || c == '`';
  } else {
    append(c == '`' ? "`" : "'", 1);
  }
}

// Where a position of the format string came out.
std::int64_t Formatter::map_position(std::int64_t position, bool end) const {
  std::int64_t shift = 0;
  for (const Directive& d : directives_) {
    if (position <= d.format_start) break;
    if (position < d.format_end) return end ? d.end : d.start;
    shift = d.end - d.format_end;
  }
  return position + shift;
}

void Formatter::copy_properties(Value result) {
  const HostHooks& hooks = host_hooks(cx_);
  if (hooks.string_property_intervals == nullptr || hooks.add_string_properties == nullptr) return;
  if (!string_raw(args_[0])->properties.is_nil()) {
    for (Value l = hooks.string_property_intervals(cx_, args_[0]); l.is_cons(); l = cdr_raw(l)) {
      const Value run = car_raw(l);
      const std::int64_t from = map_position(car_raw(run).as_fixnum(), false);
      const std::int64_t to = map_position(car_raw(cdr_raw(run)).as_fixnum(), true);
      if (from < to) hooks.add_string_properties(cx_, result, from, to, car_raw(cdr_raw(cdr_raw(run))));
    }
  }
  for (const Directive& d : directives_) {
    if (d.argument.is_nil()) continue;
    const std::int64_t old_length = string_chars(d.argument);
    const std::int64_t new_length = d.end - d.text_start;
    for (Value l = hooks.string_property_intervals(cx_, d.argument); l.is_cons(); l = cdr_raw(l)) {
      const Value run = car_raw(l);
      const std::int64_t from = car_raw(run).as_fixnum();
      std::int64_t to = car_raw(cdr_raw(run)).as_fixnum();
      // What reached the end of the argument reaches the end of the field.
      if (to == old_length || to > new_length) to = new_length;
      if (from < to)
        hooks.add_string_properties(cx_, result, d.text_start + from, d.text_start + to,
                                    car_raw(cdr_raw(cdr_raw(run))));
    }
  }
}

Value Formatter::run_re() {
  TRY(check_type(cx_, args_[0].is_string(), Qstringp, args_[0]));
  // A string handed through "%s" comes back itself.
  if (args_.size() == 2 && string_view_of(args_[0]) == "%s" && args_[1].is_string() &&
      string_raw(args_[0])->properties.is_nil())
    return args_[1];
  multibyte_ = string_multibyte(args_[0]);
  const std::string f = internal_text(args_[0]);
  std::int64_t position = 0;
  for (std::size_t i = 0; i < f.size();) {
    std::size_t end = i;
    while (end < f.size() && f[end] != '%' && !(message_ && (f[end] == '`' || f[end] == '\''))) ++end;
    if (end > i) {
      const std::int64_t n =
          text::count_chars(reinterpret_cast<const std::uint8_t*>(f.data()) + i, static_cast<std::int64_t>(end - i));
      append(std::string_view(f).substr(i, end - i), n);
      position += n;
      i = end;
      continue;
    }
    if (f[i] != '%') {
      quote(f[i++]);
      ++position;
      continue;
    }
    std::int64_t taken = 0;
    TRY(directive(f, &i, &taken));
    directives_.back().format_start = position;
    position += taken;
    directives_.back().format_end = position;
    if (out_.size() > (std::size_t{1} << 33)) return too_long();
  }
  if (!changed_) return args_[0];
  Value result = kNil;
  if (multibyte_) {
    result = TRY(make_multibyte_string(cx_, out_, chars_));
  } else {
    std::string bytes;
    const auto* p = reinterpret_cast<const std::uint8_t*>(out_.data());
    for (std::size_t i = 0; i < out_.size();) {
      const text::Decoded d = text::decode_char(p + i);
      bytes.push_back(static_cast<char>(d.c < 0x80 ? d.c : text::char_to_raw_byte(d.c)));
      i += static_cast<std::size_t>(d.bytes);
    }
    result = TRY(make_unibyte_string(cx_, bytes));
  }
  copy_properties(result);
  return result;
}

}  // namespace

Value format_re(Context& cx, std::span<const Value> args, bool message) {
  return Formatter(cx, args, message).run_re();
}

NEOVM_PRIMITIVE(format, "format", 1, kMany, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return STRING with its % directives replaced by the OBJECTS.")
(Context& cx, Arguments args) { return format_re(cx, args, false); }

NEOVM_PRIMITIVE(format_message, "format-message", 1, kMany, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "As `format`, with the grave accents and apostrophes of STRING shown in the quoting style.")
(Context& cx, Arguments args) { return format_re(cx, args, true); }

}  // namespace neovm::elisp
