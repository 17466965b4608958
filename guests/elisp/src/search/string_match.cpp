// Searching in strings, and the match data in numbers (search.c of GNU).
#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/text/regex.hpp"

namespace neovm::elisp {
namespace {

// Positions in characters from positions in bytes that never lie before the match.
class CharCounter {
 public:
  CharCounter(Value s, std::int64_t from_byte)
      : string_(s), byte_(from_byte), char_(string_byte_to_char(s, from_byte)) {}
  std::int64_t operator()(std::int64_t byte) const {
    if (string_chars(string_) == string_bytes(string_)) return byte;
    if (byte < byte_) return string_byte_to_char(string_, byte);
    return char_ + text::count_chars(string_data_raw(string_) + byte_, byte - byte_);
  }

 private:
  Value string_;
  std::int64_t byte_;
  std::int64_t char_;
};

bool changes_match_data(Context& cx) { return !variable_true(cx, Qinhibit_changing_match_data); }

Value string_match(Context& cx, Value regexp, Value string, Value start, bool posix) {
  TRY(check_type(cx, regexp.is_string(), Qstringp, regexp));
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  std::int64_t from = 0;
  if (!start.is_nil()) {
    const std::int64_t length = string_chars(string);
    from = TRY(fixnum_argument(cx, start));
    if (from < 0 && -from <= length) {
      from += length;
    } else if (from < 0 || from > length) {
      return args_out_of_range(cx, string, start);
    }
  }
  text::RegexOptions options;
  options.target_multibyte = string_multibyte(string);
  options.posix = posix;
  options.fold = variable_true(cx, Qcase_fold_search);
  options.spaces = variable_value(cx, Qsearch_spaces_regexp);
  const text::Regex* regex = TRY(text::regex_compile(cx, regexp, options));
  text::RegexSubject subject;
  subject.text = {string_data_raw(string), string_bytes(string), nullptr, 0, string_multibyte(string)};
  subject.end = string_bytes(string);
  text::RegexRegisters registers;
  const std::int64_t found = TRY(
      text::regex_search(cx, *regex, subject, string_char_to_byte(string, from), subject.end, subject.end, &registers));
  MatchData& data = match_data(cx);
  const bool record = changes_match_data(cx);
  if (record) data.last = Qt;  // even when nothing was found
  if (found < 0) return kNil;
  const CharCounter chars(string, found);
  if (record) text::record_match(data, registers, chars);
  return Value::fixnum(chars(found));
}

Value match_edge(Context& cx, Value group, bool start) {
  const std::int64_t n = TRY(fixnum_argument(cx, group));
  if (n < 0) return args_out_of_range(cx, group, Value::fixnum(0));
  const MatchData& data = match_data(cx);
  if (n >= data.count || data.start[n] < 0) return kNil;
  return Value::fixnum(start ? data.start[n] : data.end[n]);
}

}  // namespace

NEOVM_PRIMITIVE(string_match, "string-match", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Return the index of the first match of REGEXP in STRING at or after START, or nil.\n"
                "Sets the match data. A negative START counts from the end.")
(Context& cx, Value regexp, Value string, Value start) { return string_match(cx, regexp, string, start, false); }

NEOVM_PRIMITIVE(posix_string_match, "posix-string-match", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Like `string-match', but find the longest match at the first place there is one.")
(Context& cx, Value regexp, Value string, Value start) { return string_match(cx, regexp, string, start, true); }

NEOVM_PRIMITIVE(
    match_beginning, "match-beginning", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
    "Return where group GROUP of the last match starts, nil when it did not match. Group 0 is the whole match.")
(Context& cx, Value group) { return match_edge(cx, group, true); }

NEOVM_PRIMITIVE(
    match_end, "match-end", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
    "Return where group GROUP of the last match ends, nil when it did not match. Group 0 is the whole match.")
(Context& cx, Value group) { return match_edge(cx, group, false); }

NEOVM_PRIMITIVE(match_data_translate, "match-data--translate", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Move every position of the match data by N characters, but not below 0.")
(Context& cx, Value n) {
  const std::int64_t by = TRY(fixnum_argument(cx, n));
  MatchData& data = match_data(cx);
  for (int i = 0; i < data.count; ++i) {
    if (data.start[i] < 0) continue;
    data.start[i] = std::max<std::int64_t>(0, data.start[i] + by);
    data.end[i] = std::max<std::int64_t>(0, data.end[i] + by);
  }
  return kNil;
}

NEOVM_PRIMITIVE(regexp_quote, "regexp-quote", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return a regular expression that matches exactly STRING and nothing else.")
(Context& cx, Value string) {
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  constexpr std::string_view kSpecial = "[*.\\?+^$";
  const std::string_view in = string_view_of(string);
  std::string out;
  out.reserve(in.size() + 8);
  for (const char c : in) {
    if (kSpecial.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  if (out.size() == in.size()) return string;
  if (!string_multibyte(string)) return make_unibyte_string(cx, out);
  return make_multibyte_string(cx, out, string_chars(string) + static_cast<std::int64_t>(out.size() - in.size()));
}

NEOVM_VARIABLE(search_spaces_regexp, "search-spaces-regexp", kGlobalVar, kAny, kInitNil,
               "A regular expression that stands for each run of spaces in a pattern, or nil.")
NEOVM_VARIABLE(inhibit_changing_match_data, "inhibit-changing-match-data", kGlobalVar, kAny, kInitNil,
               "Non-nil means searches leave the match data alone.")

}  // namespace neovm::elisp
