// format-time-string: the conversions of strftime with GNU's flags, plus %N and %:z.
#include <string>

#include "time/time_value.hpp"
#include "time/zone.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

constexpr const char* kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                   "July",    "August",   "September", "October", "November", "December"};
constexpr std::size_t kMaxWidth = std::size_t{1} << 31;

struct Directive {
  char pad = 0;  // '_', '-', '0', '+', or 0 for the conversion's own
  bool upper = false;
  bool opposite = false;  // '#'
  std::size_t width = 0;
  bool has_width = false;
};

class Formatter {
 public:
  Formatter(const std::tm& tm, std::string zone, timespec t) : tm_(tm), zone_(std::move(zone)), t_(t) {}

  // False when a width asks for more than memory.
  bool format(std::string_view f, std::string* out) {
    out_ = out;
    for (std::size_t i = 0; i < f.size();) {
      if (f[i] != '%') {
        out->push_back(f[i++]);
        continue;
      }
      i = directive(f, i);
      if (too_wide_) return false;
    }
    return true;
  }

 private:
  // Handles the directive at f[start] and returns where it ends.
  std::size_t directive(std::string_view f, std::size_t start) {
    Directive d;
    std::size_t i = start + 1;
    for (; i < f.size(); ++i) {
      const char c = f[i];
      if (c == '_' || c == '-' || c == '0' || c == '+') {
        d.pad = c;
      } else if (c == '^') {
        d.upper = true;
      } else if (c == '#') {
        d.opposite = true;
      } else {
        break;
      }
    }
    for (; i < f.size() && f[i] >= '0' && f[i] <= '9'; ++i) {
      d.has_width = true;
      d.width = d.width * 10 + static_cast<std::size_t>(f[i] - '0');
      if (d.width > kMaxWidth) d.width = kMaxWidth;
    }
    if (d.width >= kMaxWidth) {
      too_wide_ = true;
      return f.size();
    }
    std::size_t colons = 0;
    char modifier = 0;
    if (i < f.size() && (f[i] == 'E' || f[i] == 'O')) modifier = f[i++];
    while (i < f.size() && f[i] == ':') ++colons, ++i;
    const bool known =
        i < f.size() && (colons == 0 || (f[i] == 'z' && colons <= 3)) && convert(f[i], modifier, colons, d);
    if (!known) {
      const std::size_t end = i < f.size() ? i + 1 : i;
      text(f.substr(start, end - start), d, d.has_width && end > start + 1 ? d.width : 0);
      return end;
    }
    return i + 1;
  }

  // Text conversions pad with spaces on the left, or zeros when asked.
  void text(std::string_view s, const Directive& d, std::size_t width) {
    if (d.pad != '-' && s.size() < width) out_->append(width - s.size(), d.pad == '0' || d.pad == '+' ? '0' : ' ');
    for (const char c : s) out_->push_back(d.upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
  }
  void name(std::string_view s, Directive d) {
    d.upper |= d.opposite;
    text(s, d, d.width);
  }
  // %Z and %p turn to lower case by '#'.
  void lowered(std::string_view s, const Directive& d) {
    std::string low(s);
    if (d.opposite) {
      for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      Directive plain = d;
      plain.upper = false;
      text(low, plain, d.width);
      return;
    }
    text(low, d, d.width);
  }
  // Digits with sign; `pad` is the conversion's own padding. The sign counts in the width.
  void signed_digits(bool negative, bool plus, const std::string& digits, std::size_t least, char pad,
                     const Directive& d) {
    if (d.pad == '_' || d.pad == '-' || d.pad == '0') pad = d.pad;
    if (d.pad == '+' && pad != '0') pad = '0';
    std::size_t width = d.has_width ? d.width : least;
    if (pad == '-') width = 0;
    const std::string sign = negative ? "-" : plus ? "+" : "";
    const std::size_t used = sign.size() + digits.size();
    const std::size_t fill = used < width ? width - used : 0;
    if (pad == '_') {
      out_->append(fill, ' ');
      *out_ += sign;
    } else {
      *out_ += sign;
      out_->append(fill, '0');
    }
    *out_ += digits;
  }
  void number(long long n, std::size_t least, char pad, const Directive& d, bool plus = false) {
    signed_digits(n < 0, plus, std::to_string(n < 0 ? -n : n), least, pad, d);
  }
  // Years: with the '+' flag a sign appears when there are more digits than the usual ones.
  void year(long long y, std::size_t least, const Directive& d) {
    const std::size_t digits = std::to_string(y < 0 ? -y : y).size();
    const bool plus = d.pad == '+' && y >= 0 && (digits > least || (d.has_width && d.width > least));
    number(y, least, '0', d, plus);
  }
  void composite(std::string_view format, const Directive& d) {
    std::string part;
    Formatter inner(tm_, zone_, t_);
    inner.format(format, &part);
    Directive own = d;
    own.opposite = false;
    text(part, own, d.width);
  }
  void date(const Directive& d) {
    Directive y = d;
    if (y.pad == 0 && !y.has_width) y.pad = '+';
    y.has_width = d.width > 6;
    y.width = d.width > 6 ? d.width - 6 : 0;
    year(1900LL + tm_.tm_year, 4, y);
    composite("-%m-%d", Directive{});
  }
  [[nodiscard]] int hour12() const { return tm_.tm_hour % 12 == 0 ? 12 : tm_.tm_hour % 12; }
  void nanoseconds(const Directive& d) {
    std::string digits = std::to_string(1'000'000'000LL + t_.tv_nsec).substr(1);
    const std::size_t width = d.has_width && d.width > 0 ? d.width : 9;
    digits.resize(width, '0');
    if (d.pad == '_' || d.pad == '-') {  // padding of a fraction is on its right
      std::size_t n = digits.size();
      while (n > 1 && digits[n - 1] == '0') --n;
      digits.resize(n);
      if (d.pad == '_') digits.resize(width, ' ');
    }
    *out_ += digits;
  }
  void offset(std::size_t colons, const Directive& d) {
    const long o = tm_.tm_gmtoff;
    const long a = o < 0 ? -o : o;
    const int h = static_cast<int>(a / 3600);
    const int m = static_cast<int>(a / 60 % 60);
    const int s = static_cast<int>(a % 60);
    char rest[16] = "";
    std::size_t least = 3;
    if (colons == 0) {
      signed_digits(o < 0, o >= 0, std::to_string(h * 100 + m), 5, '0', d);
      return;
    }
    if (colons == 3 && m == 0 && s == 0) {
    } else if (colons == 1 || (colons == 3 && s == 0)) {
      std::snprintf(rest, sizeof rest, ":%02d", m);
      least = 6;
    } else {
      std::snprintf(rest, sizeof rest, ":%02d:%02d", m, s);
      least = 9;
    }
    signed_digits(o < 0, o >= 0, std::to_string(h) + rest, least, '0', d);
  }
  // ISO 8601 week number and its year.
  void iso_week(int* week, long long* year) const {
    const int wday = (tm_.tm_wday + 6) % 7;  // Monday first
    *year = 1900LL + tm_.tm_year;
    *week = (tm_.tm_yday - wday + 10) / 7;
    if (*week < 1) {
      --*year;
      *week = weeks_in(*year);
    } else if (*week > weeks_in(*year)) {
      ++*year;
      *week = 1;
    }
  }
  static bool leap(long long y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }
  static int weeks_in(long long y) {
    const auto p = [](long long n) {
      const auto floor_div = [](long long a, long long b) { return a / b - (a % b < 0 ? 1 : 0); };
      const long long v = n + floor_div(n, 4) - floor_div(n, 100) + floor_div(n, 400);
      return ((v % 7) + 7) % 7;
    };
    return p(y) == 4 || p(y - 1) == 3 ? 53 : 52;
  }

  bool convert(char c, char modifier, std::size_t colons, const Directive& d) {
    if (modifier == 'E' && std::string_view("cCyYxX").find(c) == std::string_view::npos &&
        std::string_view("aAbBhdeHIjklmMnNpPrRsStTuUVwWzZDFgG").find(c) != std::string_view::npos &&
        std::string_view("deHIklmMSuUVwWjNsDFgG").find(c) != std::string_view::npos)
      return false;
    if (modifier == 'O' && std::string_view("YCcxXDFGj").find(c) != std::string_view::npos) return false;
    const long long y = 1900LL + tm_.tm_year;
    int week = 0;
    long long week_year = 0;
    switch (c) {
      case '%': text("%", d, d.width); return modifier == 0;
      case 'a': name(std::string_view(kDays[tm_.tm_wday]).substr(0, 3), d); return true;
      case 'A': name(kDays[tm_.tm_wday], d); return true;
      case 'b':
      case 'h': name(std::string_view(kMonths[tm_.tm_mon]).substr(0, 3), d); return true;
      case 'B': name(kMonths[tm_.tm_mon], d); return true;
      case 'c': composite("%a %b %e %H:%M:%S %Y", d); return true;
      case 'C': {
        const long long century = y / 100;  // of the year -31 it is "-0"
        const bool negative = y < 0;
        const long long a = century < 0 ? -century : century;
        const bool plus = d.pad == '+' && !negative && (a > 99 || (d.has_width && d.width > 2));
        signed_digits(negative, plus, std::to_string(a), 2, '0', d);
        return true;
      }
      case 'd': number(tm_.tm_mday, 2, '0', d); return true;
      case 'D':
      case 'x': composite("%m/%d/%y", d); return true;
      case 'e': number(tm_.tm_mday, 2, '_', d); return true;
      case 'F': date(d); return true;
      case 'g':
        iso_week(&week, &week_year);
        number((week_year % 100 + 100) % 100, 2, '0', d);
        return true;
      case 'G':
        iso_week(&week, &week_year);
        year(week_year, 4, d);
        return true;
      case 'H': number(tm_.tm_hour, 2, '0', d); return true;
      case 'I': number(hour12(), 2, '0', d); return true;
      case 'j': number(tm_.tm_yday + 1, 3, '0', d); return true;
      case 'k': number(tm_.tm_hour, 2, '_', d); return true;
      case 'l': number(hour12(), 2, '_', d); return true;
      case 'm': number(tm_.tm_mon + 1, 2, '0', d); return true;
      case 'M': number(tm_.tm_min, 2, '0', d); return true;
      case 'n': text("\n", d, d.width); return true;
      case 'N': nanoseconds(d); return true;
      case 'p': lowered(tm_.tm_hour < 12 ? "AM" : "PM", d); return true;
      case 'P': {
        Directive plain = d;
        plain.upper = false;
        text(tm_.tm_hour < 12 ? "am" : "pm", plain, d.width);
        return true;
      }
      case 'r': composite("%I:%M:%S %p", d); return true;
      case 'R': composite("%H:%M", d); return true;
      case 's': number(t_.tv_sec, 1, '0', d); return true;
      case 'S': number(tm_.tm_sec, 2, '0', d); return true;
      case 't': text("\t", d, d.width); return true;
      case 'T':
      case 'X': composite("%H:%M:%S", d); return true;
      case 'u': number(tm_.tm_wday == 0 ? 7 : tm_.tm_wday, 1, '0', d); return true;
      case 'U': number((tm_.tm_yday + 7 - tm_.tm_wday) / 7, 2, '0', d); return true;
      case 'V':
        iso_week(&week, &week_year);
        number(week, 2, '0', d);
        return true;
      case 'w': number(tm_.tm_wday, 1, '0', d); return true;
      case 'W': number((tm_.tm_yday + 7 - (tm_.tm_wday + 6) % 7) / 7, 2, '0', d); return true;
      case 'y': {
        const long long two = y < 0 ? -y % 100 : y % 100;
        number(two, 2, '0', d, d.pad == '+' && d.has_width && d.width > 2);
        return true;
      }
      case 'Y': year(y, 4, d); return true;
      case 'z': offset(colons, d); return true;
      case 'Z': lowered(zone_, d); return true;
      default: return false;
    }
  }

  const std::tm& tm_;
  std::string zone_;
  timespec t_;
  std::string* out_ = nullptr;
  bool too_wide_ = false;
};

NEOVM_PRIMITIVE(format_time_string, "format-time-string", 1, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Format TIME in ZONE by the conversions of FORMAT-STRING.")
(Context& cx, Value format, Value time, Value zone) {
  const timespec ts = TRY(timespec_argument(cx, time));
  TRY(check_type(cx, format.is_string(), Qstringp, format));
  const Zone z = TRY(zone_argument(cx, zone));
  std::tm tm{};
  std::string abbreviation;
  if (!break_down(ts.tv_sec, z, &tm, &abbreviation)) return time_not_representable(cx);
  std::string out;
  Formatter formatter(tm, abbreviation, ts);
  if (!formatter.format(to_std_string(format), &out)) return signal_error0(cx, Qmemory_full);
  const Value decoded = TRY(make_string(cx, out));
  return string_multibyte(decoded) ? decoded : make_multibyte_string(cx, string_view_of(decoded));
}

}  // namespace
}  // namespace neomacs::host
