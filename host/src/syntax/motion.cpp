// Moving point over comments, expressions and words (syntax.c of GNU).
#include "syntax/buffer_syntax.hpp"

namespace neomacs::host {
namespace {

Value list_position(Context& cx, std::int64_t from, std::int64_t count, std::int64_t depth, bool expressions) {
  struct Found {
    text::ScanResult result;
    std::int64_t position = 0;
    std::int64_t last_good = 0;
    std::int64_t from = 0;
  };
  Found found = TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) -> Maybe<Found> {
    Buffer& b = syntax.buffer();
    Found f;
    f.result = syntax.scanner().scan_lists(clip(b, from).bytes - 1, count, depth, expressions);
    if (f.result.error == text::ScanError::kQuit) return kFailed;
    if (f.result.error != text::ScanError::kNone) {
      const std::int64_t start = clip(b, from).chars;
      f.last_good = syntax.charpos(f.result.last_good);
      if (f.last_good == start) f.last_good = from;  // told as it was asked for
      f.from = syntax.charpos(f.result.from) + (f.result.past_end ? 1 : 0);
    } else if (f.result.position >= 0) {
      f.position = syntax.charpos(f.result.position);
    }
    return f;
  }));
  if (found.result.error == text::ScanError::kNone)
    return found.result.position < 0 ? kNil : Value::fixnum(found.position);
  const char* message = found.result.error == text::ScanError::kUnbalanced ? "Unbalanced parentheses"
                                                                           : "Containing expression ends prematurely";
  return signal_error3(cx, Qscan_error, make_unibyte_string(cx, message), Value::fixnum(found.last_good),
                       Value::fixnum(found.from));
}

}  // namespace

NEOVM_PRIMITIVE(forward_comment, "forward-comment", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Move over COUNT comments, backwards when negative, and the whitespace between.\n"
                "Stops before anything else and returns nil then; returns t when all were passed.")
(Context& cx, Value count) {
  const std::int64_t n = TRY(fixnum_argument(cx, count));
  struct Moved {
    bool all;
    Pos to;
  };
  const Moved moved = TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) -> Maybe<Moved> {
    std::int64_t at = syntax.buffer().point.bytes - 1;
    const bool all = TRY(syntax.scanner().forward_comment(n, &at));
    return Moved{all, syntax.buffer().text->at_byte(at + 1)};
  }));
  set_point(current_buffer(cx), moved.to);
  return boolean(moved.all);
}

NEOVM_PRIMITIVE(
    scan_lists, "scan-lists", 3, 3, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
    "Return where scanning from FROM over COUNT lists and DEPTH levels up ends, nil at the end of the text.\n"
    "Signals scan-error when the parentheses do not allow it.")
(Context& cx, Value from, Value count, Value depth) {
  const std::int64_t f = TRY(fixnum_argument(cx, from));
  const std::int64_t c = TRY(fixnum_argument(cx, count));
  return list_position(cx, f, c, TRY(fixnum_argument(cx, depth)), false);
}

NEOVM_PRIMITIVE(scan_sexps, "scan-sexps", 2, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return where scanning from FROM over COUNT balanced expressions ends, nil at the end of the text.\n"
                "Signals scan-error when the parentheses do not allow it.")
(Context& cx, Value from, Value count) {
  const std::int64_t f = TRY(fixnum_argument(cx, from));
  return list_position(cx, f, TRY(fixnum_argument(cx, count)), 0, true);
}

NEOVM_PRIMITIVE(backward_prefix_chars, "backward-prefix-chars", 0, 0, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Move point backwards over expression prefixes.")
(Context& cx) {
  const Pos to = TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) -> Maybe<Pos> {
    const std::int64_t at = syntax.scanner().skip_prefix_backward(syntax.buffer().point.bytes - 1);
    return syntax.buffer().text->at_byte(at + 1);
  }));
  set_point(current_buffer(cx), to);
  return kNil;
}

}  // namespace neomacs::host
