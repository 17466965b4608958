// Skipping characters of a set or of syntax classes (syntax.c of GNU).
//
// The set is compiled as a bracket expression of the regular expression engine, so that classes, ranges and
// raw bytes mean the same in both.
#include <algorithm>
#include <array>

#include "neovm/text/regex.hpp"
#include "syntax/buffer_syntax.hpp"

namespace neomacs::host {
namespace {

struct Limits {
  Pos from;
  Pos limit;
};

// LIM clipped to the accessible text; equal to point when it lies behind.
Maybe<Limits> limits(Context& cx, Value lim, bool forward) {
  Buffer& b = current_buffer(cx);
  Limits l{b.point, forward ? b.end : b.begin};
  if (lim.truthy()) {
    const std::int64_t at = TRY(position_argument(cx, lim));
    l.limit = clip(b, at);
  }
  if (forward ? l.limit.chars < l.from.chars : l.limit.chars > l.from.chars) l.limit = l.from;
  return l;
}

Value finish(Context& cx, Pos to) {
  Buffer& b = current_buffer(cx);
  const std::int64_t moved = to.chars - b.point.chars;
  set_point(b, to);
  return Value::fixnum(moved);
}

Value skip_chars(Context& cx, Value string, Value lim, bool forward) {
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  const text::CharacterSet* set = TRY(text::skip_set_compile(cx, string, current_buffer(cx).multibyte()));
  const Limits l = TRY(limits(cx, lim, forward));
  Buffer& b = current_buffer(cx);
  const text::Cursor text = b.cursor();
  text::SyntaxReader reader(b.tables.syntax);
  Pos at = l.from;
  unsigned ticks = 0;
  while (forward ? at.bytes < l.limit.bytes : at.bytes > l.limit.bytes) {
    if ((++ticks & 0xfffff) == 0) TRY(check_quit(cx));
    const Pos there = forward ? at : b.text->previous(at);
    if (!text::character_set_holds(cx, *set, text, there.bytes - 1, reader)) break;
    at = forward ? b.text->next(at) : there;
  }
  return finish(cx, at);
}

Value skip_syntax(Context& cx, Value string, Value lim, bool forward) {
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  std::array<bool, text::kSyntaxCodeCount> wanted{};
  std::string_view names = string_view_of(string);
  const bool negated = !names.empty() && names[0] == '^';
  if (negated) names.remove_prefix(1);
  for (const char c : names) {
    const int code = text::syntax_code_of_designator(static_cast<unsigned char>(c));
    if (code >= 0 && c != '\0') wanted[static_cast<std::size_t>(code)] = true;
  }
  if (negated)
    for (bool& w : wanted) w = !w;
  const Limits l = TRY(limits(cx, lim, forward));
  const Pos to = TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) -> Maybe<Pos> {
    Buffer& b = syntax.buffer();
    Pos at = l.from;
    unsigned ticks = 0;
    while (forward ? at.bytes < l.limit.bytes : at.bytes > l.limit.bytes) {
      if ((++ticks & 0xfffff) == 0) TRY(check_quit(cx));
      const Pos there = forward ? at : b.text->previous(at);
      const int c = syntax.scanner().char_at(there.bytes - 1);
      if (!wanted[syntax.reader().code(c, there.bytes - 1)]) break;
      at = forward ? b.text->next(at) : there;
    }
    return at;
  }));
  return finish(cx, to);
}

}  // namespace

NEOVM_PRIMITIVE(skip_chars_forward, "skip-chars-forward", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic,
                "Move point forward over characters in STRING (the inside of a bracket expression), to LIM at most.\n"
                "Returns the distance.")
(Context& cx, Value string, Value lim) { return skip_chars(cx, string, lim, true); }

NEOVM_PRIMITIVE(skip_chars_backward, "skip-chars-backward", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic,
                "Move point backward over characters in STRING (the inside of a bracket expression), to LIM at most.\n"
                "Returns the distance, zero or negative.")
(Context& cx, Value string, Value lim) { return skip_chars(cx, string, lim, false); }

NEOVM_PRIMITIVE(skip_syntax_forward, "skip-syntax-forward", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Move point forward over characters of the syntax classes named in SYNTAX, to LIM at most.\n"
                "A leading ^ means all other classes. Returns the distance.")
(Context& cx, Value syntax, Value lim) { return skip_syntax(cx, syntax, lim, true); }

NEOVM_PRIMITIVE(skip_syntax_backward, "skip-syntax-backward", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Move point backward over characters of the syntax classes named in SYNTAX, to LIM at most.\n"
                "A leading ^ means all other classes. Returns the distance, zero or negative.")
(Context& cx, Value syntax, Value lim) { return skip_syntax(cx, syntax, lim, false); }

}  // namespace neomacs::host
