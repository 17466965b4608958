// Reading and printing numbers (lread.c:string_to_number and print.c:float_to_string of GNU, by behaviour).
#include "neovm/elisp/number_text.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "neovm/core/bignum.hpp"

namespace neovm::elisp {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int digit_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

Value parse_integer(Context& cx, std::string_view digits, int base, bool negative) {
  std::uint64_t n = 0;
  for (const char c : digits) {
    if (n > (std::uint64_t{1} << 58)) {
      core::Integer z;
      const std::string copy(digits);
      // Digits cost time squared below GMP's fast range; the width bounds them first.
      TRY(core::check_integer_width(
          cx, static_cast<std::uint64_t>(static_cast<double>(digits.size() - 1) * std::log2(base))));
      mpz_set_str(z.get(), copy.c_str(), base);
      if (negative) mpz_neg(z.get(), z.get());
      return core::integer_from_mpz(cx, z.get());
    }
    n = n * static_cast<unsigned>(base) + static_cast<unsigned>(digit_value(c));
  }
  return make_integer(cx, negative ? -static_cast<std::int64_t>(n) : static_cast<std::int64_t>(n));
}

double parse_double(std::string_view text) {
  double d = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), d);
  if (r.ec == std::errc{}) return d;
  return std::strtod(std::string(text).c_str(), nullptr);  // knows overflow from underflow
}

double make_nan(bool negative, std::uint64_t payload) {
  constexpr std::uint64_t kQuiet = std::uint64_t{0x7ff8} << 48;
  const std::uint64_t mask = (std::uint64_t{1} << 51) - 1;
  return std::bit_cast<double>(kQuiet | (payload & mask) | (negative ? std::uint64_t{1} << 63 : 0));
}

}  // namespace

Value parse_number(Context& cx, std::string_view text, int base, std::size_t* consumed) {
  const std::size_t n = text.size();
  std::size_t i = 0;
  bool negative = false;
  if (i < n && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';
  const std::size_t start = i;
  while (i < n && digit_value(text[i]) < base) ++i;
  const std::size_t lead_end = i;
  const bool lead = i > start;
  if (base == 10 && (lead || (i < n && text[i] == '.'))) {
    bool dot = false;
    bool trail = false;
    bool exponent = false;
    std::size_t end = i;
    if (i < n && text[i] == '.') {
      dot = true;
      end = ++i;
      while (i < n && is_digit(text[i])) ++i;
      trail = i > end;
      end = i;
    }
    if ((lead || trail) && i < n && (text[i] == 'e' || text[i] == 'E')) {
      std::size_t k = i + 1;
      bool plus = false;
      if (k < n && (text[k] == '+' || text[k] == '-')) plus = text[k++] == '+';
      if (k < n && is_digit(text[k])) {
        while (k < n && is_digit(text[k])) ++k;
        exponent = true;
        end = k;
      } else if (plus && text.substr(k, 3) == "INF") {
        *consumed = k + 3;
        return make_float(cx, negative ? -HUGE_VAL : HUGE_VAL);
      } else if (plus && text.substr(k, 3) == "NaN") {
        *consumed = k + 3;
        std::uint64_t payload = 0;
        for (std::size_t d = start; d < lead_end; ++d) payload = payload * 10 + static_cast<unsigned>(text[d] - '0');
        return make_float(cx, make_nan(negative, payload));
      }
    }
    if (trail || (lead && exponent)) {
      *consumed = end;
      // from_chars takes no '+'.
      const double d = parse_double(text.substr(start, end - start));
      return make_float(cx, negative ? -d : d);
    }
    if (lead && dot) i = end;
  }
  if (!lead) return kUnbound;
  *consumed = base == 10 ? i : lead_end;
  if (base == 10 && *consumed > lead_end + 1) *consumed = lead_end;
  return parse_integer(cx, text.substr(start, lead_end - start), base, negative);
}

std::string shortest_float(double d) {
  if (std::isinf(d)) return d < 0 ? "-1.0e+INF" : "1.0e+INF";
  if (std::isnan(d)) {
    const std::uint64_t payload = std::bit_cast<std::uint64_t>(d) & ((std::uint64_t{1} << 51) - 1);
    return (std::signbit(d) ? "-" : "") + std::to_string(payload) + ".0e+NaN";
  }
  char buffer[64];
  auto r = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(d), std::chars_format::scientific);
  // Below a power of two numbers lie closer together than above it: fewer digits may read back exactly than %g would try, when they
  // are not those of the number.
  if ((std::bit_cast<std::uint64_t>(d) & ((std::uint64_t{1} << 52) - 1)) == 0) {
    for (int after_point = std::max<int>(0, static_cast<int>(std::find(buffer, r.ptr, 'e') - buffer) - 2);;
         ++after_point) {
      double back = 0;
      r = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(d), std::chars_format::scientific, after_point);
      std::from_chars(buffer, r.ptr, back);
      if (back == std::fabs(d)) break;
    }
  }
  std::string digits;
  const char* p = buffer;
  for (; p != r.ptr && *p != 'e'; ++p)
    if (*p != '.') digits.push_back(*p);
  int exponent = 0;
  if (p != r.ptr) {
    ++p;
    if (*p == '+') ++p;
    std::from_chars(p, r.ptr, exponent);
  }
  // C's %g with the first precision, from 15 up, that reads back exactly.
  const int precision =
      std::max<int>(std::fabs(d) < std::numeric_limits<double>::min() ? 1 : 15, static_cast<int>(digits.size()));
  std::string out = std::signbit(d) ? "-" : "";
  const auto count = static_cast<int>(digits.size());
  if (d != 0 && (exponent < -4 || exponent >= precision)) {
    out.push_back(digits[0]);
    if (count > 1) out.append(".").append(digits, 1);
    char e[16];
    std::snprintf(e, sizeof e, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return out + e;
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  if (count <= exponent + 1)
    return out + digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
  return out + digits.substr(0, static_cast<std::size_t>(exponent) + 1) + "." +
         digits.substr(static_cast<std::size_t>(exponent) + 1);
}

namespace {

// `float-output-format` is "%.DIGITS[efg]" with at most 17 significant digits; anything else counts as unset.
bool valid_format(std::string_view f) {
  if (f.size() < 4 || f[0] != '%' || f[1] != '.') return false;
  std::size_t i = 2;
  int width = 0;
  while (i < f.size() && is_digit(f[i])) {
    width = width * 10 + (f[i++] - '0');
    if (width > 17) return false;
  }
  if (i == 2 || i + 1 != f.size()) return false;
  const char c = f[i];
  if (c != 'e' && c != 'f' && c != 'g') return false;
  return width > 0 || c == 'f';
}

// Makes what printf wrote read back as a float.
void ensure_float_syntax(std::string& s) {
  std::size_t i = !s.empty() && s[0] == '-' ? 1 : 0;
  while (i < s.size() && is_digit(s[i])) ++i;
  if (i < s.size() && s[i] == '.' && (i + 1 == s.size() || !is_digit(s[i + 1]))) {
    s.insert(i + 1, "0");
  } else if (i == s.size()) {
    s += ".0";
  }
}

}  // namespace

std::string float_to_string(Context& cx, double d) {
  const Value format = variable_value(cx, Qfloat_output_format);
  if (!format.is_string() || std::isinf(d) || std::isnan(d)) return shortest_float(d);
  const std::string f(string_view_of(format));
  if (!valid_format(f)) return shortest_float(d);
  char buffer[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  std::snprintf(buffer, sizeof buffer, f.c_str(), d);
#pragma GCC diagnostic pop
  std::string out = buffer;
  if (f != "%.0f") ensure_float_syntax(out);
  return out;
}

std::string number_to_string(Context& cx, Value v) {
  if (v.is_float()) return float_to_string(cx, float_raw(v));
  if (v.is_fixnum()) return std::to_string(v.as_fixnum());
  return core::integer_to_string(v, 10);
}

NEOVM_PRIMITIVE(number_to_string, "number-to-string", 1, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the decimal text of NUMBER.")
(Context& cx, Value number) {
  TRY(check_type(cx, is_number(number), Qnumberp, number));
  return make_unibyte_string(cx, number_to_string(cx, number));
}

NEOVM_PRIMITIVE(string_to_number, "string-to-number", 1, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Read the number that STRING starts with, in BASE 2 to 16 (default 10); 0 when there is none.")
(Context& cx, Value string, Value base) {
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  int radix = 10;
  if (!base.is_nil()) {
    const std::int64_t b = TRY(fixnum_argument(cx, base));
    if (b < 2 || b > 16) return signal_error1(cx, Qargs_out_of_range, base);
    radix = static_cast<int>(b);
  }
  std::string_view text = string_view_of(string);
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text.remove_prefix(1);
  std::size_t consumed = 0;
  const Value v = TRY(parse_number(cx, text, radix, &consumed));
  return v.is_unbound() ? Value::fixnum(0) : v;
}

}  // namespace neovm::elisp
