#include "search/buffer_match.hpp"

namespace neomacs::host {
namespace {

Maybe<const text::Regex*> compile(Context& cx, Value pattern, SearchKind kind) {
  text::RegexOptions options;
  options.target_multibyte = current_buffer(cx).multibyte();
  options.posix = kind == SearchKind::kPosix;
  options.fold = variable_true(cx, Qcase_fold_search);
  options.literal = kind == SearchKind::kPlain;
  if (!options.literal) options.spaces = variable_value(cx, Qsearch_spaces_regexp);
  return text::regex_compile(cx, pattern, options);
}

text::RegexSubject subject_of(BufferSyntax& syntax) {
  Buffer& b = syntax.buffer();
  text::RegexSubject s;
  s.text = b.cursor();
  s.begin = b.begin.bytes - 1;
  s.end = b.end.bytes - 1;
  s.point = b.point.bytes - 1;
  s.properties = syntax.properties();
  return s;
}

bool records(Context& cx) { return !variable_true(cx, Qinhibit_changing_match_data); }

void record(Context& cx, Buffer& b, const text::RegexRegisters& r) {
  MatchData& data = match_data(cx);
  text::record_match(data, r, [&b](std::int64_t at) { return b.text->char_of(at + 1); });
  data.last = b.self;
}

// A multibyte string against unibyte text means its low bytes.
Value pattern_for(Context& cx, Value pattern, const Buffer& b) {
  if (b.multibyte() || !string_multibyte(pattern)) return pattern;
  std::string bytes;
  const std::uint8_t* p = string_data_raw(pattern);
  for (std::int64_t i = 0; i < string_bytes(pattern);) {
    const text::Decoded d = text::decode_char(p + i);
    bytes.push_back(static_cast<char>(d.c & 0xff));
    i += d.bytes;
  }
  return make_unibyte_string(cx, bytes);
}

}  // namespace

Maybe<std::int64_t> search_buffer_re(Context& cx, Value pattern, SearchKind kind, std::int64_t count, Pos limit) {
  Buffer& b = current_buffer(cx);
  if (count == 0 || string_bytes(pattern) == 0) {  // found where we are
    if (records(cx)) {
      MatchData& data = match_data(cx);
      text::RegexRegisters here;
      here.count = 1;
      here.start[0] = here.end[0] = b.point.chars;
      text::record_match(data, here, [](std::int64_t p) { return p; });
      data.last = b.self;
    }
    return b.point.chars;
  }
  if (kind == SearchKind::kPlain) pattern = TRY(pattern_for(cx, pattern, b));
  const bool forward = count > 0;
  std::int64_t missing = forward ? count : -count;
  std::int64_t at = b.point.bytes - 1;
  const std::int64_t bound = limit.bytes - 1;
  text::RegexRegisters registers;
  bool found_any = false;
  for (; missing > 0; --missing) {
    const std::int64_t found = TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) -> Maybe<std::int64_t> {
      const text::Regex* regex = TRY(compile(cx, pattern, kind));
      return text::regex_search(cx, *regex, subject_of(syntax), at, bound, forward ? bound : at, &registers);
    }));
    if (found < 0) break;
    found_any = true;
    at = forward ? registers.end[0] : registers.start[0];
  }
  if (found_any && records(cx)) record(cx, b, registers);
  if (missing > 0) return -missing;
  return b.text->char_of(at + 1);
}

Maybe<bool> looking_at_re(Context& cx, Value pattern, SearchKind kind) {
  text::RegexRegisters registers;
  const bool matched = TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) -> Maybe<bool> {
    const text::Regex* regex = TRY(compile(cx, pattern, kind));
    const text::RegexSubject subject = subject_of(syntax);
    return text::regex_match_at(cx, *regex, subject, subject.point, subject.end, &registers);
  }));
  if (matched && records(cx)) record(cx, current_buffer(cx), registers);
  return matched;
}

}  // namespace neomacs::host
