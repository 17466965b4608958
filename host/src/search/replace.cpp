// replace-match (search.c of GNU).
#include <optional>
#include <string>

#include "edit/edit.hpp"
#include "neovm/text/regex.hpp"
#include "neovm/text/syntax.hpp"

namespace neomacs::host {
namespace {

enum class CaseAction : std::uint8_t { kNone, kUpcase, kCapitalize };

constexpr char kBadBackslash[] = "Invalid use of \u2018\\\u2019 in replacement text";

// How the replaced text is cased says how the replacement should be.
class CaseWatcher {
 public:
  explicit CaseWatcher(Context& cx) : fold_(current_tables(cx).downcase), syntax_(current_tables(cx).syntax) {}
  void see(int c) {
    const bool word_start = syntax_.table_code(previous_) != text::kSyntaxWord;
    if (fold_.is_lower(c)) {
      lower_ = true;
      (word_start ? plain_initial_ : multiletter_) = true;
    } else if (fold_.is_upper(c)) {
      upper_ = true;
      if (!word_start) multiletter_ = true;
    } else if (word_start) {
      plain_initial_ = true;
    }
    previous_ = c;
  }
  [[nodiscard]] CaseAction action() const {
    if (!lower_ && multiletter_) return CaseAction::kUpcase;
    if (!plain_initial_ && multiletter_) return CaseAction::kCapitalize;
    return !plain_initial_ && upper_ ? CaseAction::kUpcase : CaseAction::kNone;
  }

 private:
  text::CaseFolder fold_;
  text::SyntaxReader syntax_;
  int previous_ = '\n';
  bool lower_ = false;
  bool upper_ = false;
  bool multiletter_ = false;
  bool plain_initial_ = false;
};

Value apply_case_re(Context& cx, CaseAction action, Value s) {
  if (action == CaseAction::kNone) return s;
  return funcall_re(cx, action == CaseAction::kUpcase ? Qupcase : Qupcase_initials, {s});
}

Value substring_re(Context& cx, Value s, std::int64_t from, std::int64_t to) {
  return funcall_re(cx, Qsubstring, {s, Value::fixnum(from), Value::fixnum(to)});
}

// One directive of a replacement text.
struct Directive {
  enum class Kind : std::uint8_t { kText, kGroup, kBackslash, kKeep } kind;
  std::int64_t from;  // characters of the replacement
  std::int64_t to;
  int group = 0;
};

// Cuts NEWTEXT into plain stretches and directives. `strings`: "\?" stands for itself. "\&" is the group that
// is being replaced.
Maybe<std::vector<Directive>> parse_replacement(Context& cx, Value newtext, bool strings, int replaced_group) {
  std::vector<Directive> out;
  const std::uint8_t* p = string_data_raw(newtext);
  const std::int64_t bytes = string_bytes(newtext);
  const bool multibyte = string_multibyte(newtext);
  std::int64_t chars = 0;
  std::int64_t text_from = 0;
  const auto step = [&](std::int64_t i) { return i + (multibyte ? text::bytes_by_lead(p[i]) : 1); };
  for (std::int64_t i = 0; i < bytes;) {
    const std::uint8_t c = p[i];
    i = step(i);
    ++chars;
    if (c != '\\') continue;
    if (i >= bytes) return error_text(cx, kBadBackslash);
    const std::uint8_t d = p[i];
    i = step(i);
    ++chars;
    Directive what{Directive::Kind::kKeep, chars - 2, chars};
    if (d == '&') {
      what.kind = Directive::Kind::kGroup;
      what.group = replaced_group;
    } else if (d >= '1' && d <= '9') {
      what.kind = Directive::Kind::kGroup;
      what.group = d - '0';
    } else if (d == '\\') {
      what.kind = Directive::Kind::kBackslash;
    } else if (!strings || d != '?') {
      return error_text(cx, kBadBackslash);
    } else {
      continue;
    }
    if (what.from > text_from) out.push_back({Directive::Kind::kText, text_from, what.from});
    out.push_back(what);
    text_from = chars;
  }
  if (chars > text_from) out.push_back({Directive::Kind::kText, text_from, chars});
  return out;
}

bool has_group(const MatchData& data, int group) { return group < data.count && data.start[group] >= 0; }

Value replace_in_string_re(Context& cx, Value newtext, bool literal, int group, Value string, std::int64_t from,
                           std::int64_t to, CaseAction action) {
  const Value before = TRY(substring_re(cx, string, 0, from));
  const Value after = TRY(substring_re(cx, string, to, string_chars(string)));
  if (!literal) {
    const MatchData saved = match_data(cx);
    const std::vector<Directive> directives = TRY(parse_replacement(cx, newtext, true, group));
    Value result = make_unibyte_string(cx, "");
    if (directives.size() == 1 && directives[0].kind == Directive::Kind::kText) {
      result = newtext;
    } else {
      for (const Directive& d : directives) {
        Value piece;
        if (d.kind == Directive::Kind::kText) {
          piece = TRY(substring_re(cx, newtext, d.from, d.to));
        } else if (d.kind == Directive::Kind::kBackslash) {
          piece = TRY(substring_re(cx, newtext, d.from, d.from + 1));
        } else if (has_group(saved, d.group)) {
          piece = TRY(substring_re(cx, string, saved.start[d.group], saved.end[d.group]));
        } else {
          continue;
        }
        result = TRY(funcall_re(cx, Qconcat, {result, piece}));
      }
    }
    newtext = result;
  }
  newtext = TRY(apply_case_re(cx, action, newtext));
  return funcall_re(cx, Qconcat, {before, newtext, after});
}

// The replacement with directives filled in from the buffer, without properties.
Value expand_for_buffer(Context& cx, Value newtext, int group) {
  const std::vector<Directive> directives = TRY(parse_replacement(cx, newtext, false, group));
  if (directives.size() == 1 && directives[0].kind == Directive::Kind::kText) return newtext;
  Buffer& b = current_buffer(cx);
  const bool multibyte = b.multibyte();
  const MatchData& data = match_data(cx);
  std::string out;
  for (const Directive& d : directives) {
    if (d.kind == Directive::Kind::kBackslash) {
      out.push_back('\\');
    } else if (d.kind == Directive::Kind::kText) {
      const std::int64_t from = string_char_to_byte(newtext, d.from);
      const std::int64_t to = string_char_to_byte(newtext, d.to);
      std::int64_t chars = 0;
      out += recode(string_view_of(newtext).substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)),
                    string_multibyte(newtext), multibyte, &chars);
    } else if (has_group(data, d.group)) {
      const std::int64_t from = data.start[d.group];
      const std::int64_t to = data.end[d.group];
      if (from < b.begin.chars || to > b.end.chars || to < from)
        return args_out_of_range(cx, Value::fixnum(from), Value::fixnum(to));
      const text::Cursor text = b.cursor();
      const std::int64_t end = b.text->byte_of(to) - 1;
      for (std::int64_t i = b.text->byte_of(from) - 1; i < end; ++i) out.push_back(static_cast<char>(text.byte(i)));
    }
  }
  return multibyte ? make_multibyte_string(cx, out) : make_unibyte_string(cx, out);
}

// The match data follow the text.
void shift_match_data(MatchData& data, std::int64_t old_start, std::int64_t old_end, std::int64_t new_end) {
  const std::int64_t change = new_end - old_end;
  const auto shift = [&](std::int64_t& p) {
    if (p >= old_end) {
      p += change;
    } else if (p > old_start) {
      p = old_start;
    }
  };
  for (int i = 0; i < data.count; ++i) {
    if (data.start[i] < 0) continue;
    shift(data.start[i]);
    shift(data.end[i]);
  }
}

}  // namespace

NEOVM_PRIMITIVE(
    replace_match, "replace-match", 1, 5, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
    "Replace the text of the last match by NEWTEXT, in STRING (returned anew) or in the buffer.\n"
    "In NEWTEXT \\& is the match, \\N its Nth group, \\\\ a backslash, unless LITERAL. The case of the old text\n"
    "is carried over unless FIXEDCASE. SUBEXP: replace only that group.")
(Context& cx, Value newtext, Value fixedcase, Value literal, Value string, Value subexp) {
  TRY(check_type(cx, newtext.is_string(), Qstringp, newtext));
  if (string.truthy()) TRY(check_type(cx, string.is_string(), Qstringp, string));
  MatchData& data = match_data(cx);
  if (data.count <= 0) return error_text(cx, "`replace-match' called before any match found");
  std::int64_t sub = 0;
  if (subexp.truthy()) {
    sub = TRY(fixnum_argument(cx, subexp));
    if (sub < 0 || sub >= data.count)
      return args_out_of_range(cx, subexp, Value::fixnum(0), Value::fixnum(data.count - 1));
  }
  const std::int64_t from = data.start[sub];
  const std::int64_t to = data.end[sub];
  const bool in_string = string.truthy();
  {
    const Buffer& b = current_buffer(cx);
    const std::int64_t low = in_string ? 0 : b.begin.chars;
    const std::int64_t high = in_string ? string_chars(string) : b.end.chars;
    if (from < low || to > high || to < from) {
      if (from < 0) {
        const Value message = make_unibyte_string(cx, "replace-match subexpression does not exist");
        return signal_error2(cx, Qerror, message, subexp);
      }
      return args_out_of_range(cx, Value::fixnum(from), Value::fixnum(to));
    }
  }
  CaseAction action = CaseAction::kNone;
  if (fixedcase.is_nil()) {
    CaseWatcher watcher(cx);
    if (in_string) {
      for (std::int64_t i = from; i < to; ++i) watcher.see(string_char_raw(string, i));
    } else {
      Buffer& b = current_buffer(cx);
      const Pos end = b.text->at_char(to);
      for (Pos p = b.text->at_char(from); !(p == end); p = b.text->next(p)) watcher.see(b.text->char_at(p));
    }
    action = watcher.action();
  }
  const bool plain = literal.truthy() || string_view_of(newtext).find('\\') == std::string_view::npos;
  if (in_string) return replace_in_string_re(cx, newtext, plain, static_cast<int>(sub), string, from, to, action);

  if (!plain) newtext = TRY(expand_for_buffer(cx, newtext, static_cast<int>(sub)));
  newtext = TRY(apply_case_re(cx, action, newtext));
  const std::int64_t length = string_chars(newtext);
  const int count = data.count;
  const std::int64_t start_before = data.start[sub];
  const std::int64_t end_before = data.end[sub];
  struct Place {  // NOLINT  // where the new text ends, whatever the hooks insert before it
    Marker marker;
    ~Place() { detach_marker(marker); }
  } end;
  TRY(replace_range_re(cx, from, to, newtext, false, &end.marker));
  if (data.count != count || data.start[sub] != start_before || data.end[sub] != end_before)
    return error_text(cx, "Match data clobbered by buffer modification hooks");
  shift_match_data(data, from, to, from + length);
  Buffer& b = current_buffer(cx);
  set_point(b, clip(b, end.marker.buffer == &b ? end.marker.pos.chars : from + length));
  return kNil;
}

}  // namespace neomacs::host
