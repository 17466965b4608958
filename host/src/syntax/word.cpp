// Words: forward-word and what it needs.
#include "syntax/buffer_syntax.hpp"

namespace neomacs::host {
namespace {

struct WordStep {
  bool ended = false;  // the text ended before there was a word
  Pos inside;          // one character into the word
  int first = 0;       // its first character in the direction of motion
};

bool word_part(int code, bool escapes) {
  return code == text::kSyntaxWord || (escapes && (code == text::kSyntaxEscape || code == text::kSyntaxCharQuote));
}

int char_of(BufferSyntax& syntax, Pos p) { return syntax.scanner().char_at(p.bytes - 1); }

bool divided(Context& cx, int a, int b) { return !(a < 0x80 && b < 0x80) && text::word_boundary_between(cx, a, b); }

// Finds the next word from `from` and takes its first character.
Maybe<WordStep> enter_word(Context& cx, BufferSyntax& syntax, Pos from, bool forward, bool escapes) {
  Buffer& b = syntax.buffer();
  WordStep step;
  unsigned ticks = 0;
  for (;;) {
    if ((++ticks & 0xffff) == 0) TRY(check_quit(cx));
    if (from == (forward ? b.end : b.begin)) {
      step.ended = true;
      return step;
    }
    const Pos at = forward ? from : b.text->previous(from);
    const int c = char_of(syntax, at);
    from = forward ? b.text->next(from) : at;
    if (word_part(syntax.reader().code(c, at.bytes - 1), escapes)) {
      step.first = c;
      step.inside = from;
      return step;
    }
  }
}

Maybe<Pos> leave_word(Context& cx, BufferSyntax& syntax, WordStep step, bool forward, bool escapes) {
  Buffer& b = syntax.buffer();
  Pos from = step.inside;
  int last = step.first;
  while (!(from == (forward ? b.end : b.begin))) {
    const Pos at = forward ? from : b.text->previous(from);
    const int c = char_of(syntax, at);
    if (!word_part(syntax.reader().code(c, at.bytes - 1), escapes)) break;
    if (forward ? divided(cx, last, c) : divided(cx, c, last)) break;
    from = forward ? b.text->next(from) : at;
    last = c;
  }
  return from;
}

// Position COUNT words from `from`; -1 when the text ends before.
Maybe<std::int64_t> scan_words_re(Context& cx, Pos from, std::int64_t count) {
  const bool forward = count > 0;
  const bool escapes = variable_true(cx, Qwords_include_escapes);
  for (; count != 0; count += forward ? -1 : 1) {
    const WordStep step =
        TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) { return enter_word(cx, syntax, from, forward, escapes); }));
    if (step.ended) return -1;
    const Value table = variable_value(cx, Qfind_word_boundary_function_table);
    const Value function = is_char_table(table) ? char_table_get(table, step.first) : kNil;
    if (function.truthy()) {
      Buffer& b = current_buffer(cx);
      const std::int64_t limit = forward ? b.end.chars : b.begin.chars;
      const std::int64_t start = forward ? step.inside.chars - 1 : step.inside.chars;
      const Value to = TRY(funcall_re(cx, function, {Value::fixnum(start), Value::fixnum(limit)}));
      const bool usable = to.is_fixnum() && (forward ? to.as_fixnum() > start && to.as_fixnum() <= limit
                                                     : to.as_fixnum() >= limit && to.as_fixnum() <= start);
      if (usable) {
        from = current_buffer(cx).text->at_char(to.as_fixnum());
        continue;
      }
    }
    from =
        TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) { return leave_word(cx, syntax, step, forward, escapes); }));
  }
  return from.chars;
}

}  // namespace

NEOVM_COMMAND(forward_word, "forward-word", 0, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, "^p",
              "Move point forward ARG words, backwards when negative; ARG defaults to 1.\n"
              "Stops at a field boundary. Returns t unless it ran into the edge of the text.")
(Context& cx, Value arg) {
  if (arg.is_nil()) arg = Value::fixnum(1);
  const std::int64_t count = TRY(fixnum_argument(cx, arg));
  const std::int64_t found = TRY(scan_words_re(cx, current_buffer(cx).point, count));
  Buffer& b = current_buffer(cx);
  const std::int64_t target = found >= 0 ? found : count > 0 ? b.end.chars : b.begin.chars;
  const Value to =
      TRY(funcall_re(cx, Qconstrain_to_field, {Value::fixnum(target), Value::fixnum(b.point.chars), kNil, kNil, kNil}));
  const std::int64_t place = TRY(fixnum_argument(cx, to));
  Buffer& now = current_buffer(cx);
  set_point(now, clip(now, place));
  return boolean(found >= 0 && place == target);
}

}  // namespace neomacs::host
