// parse-partial-sexp (syntax.c of GNU).
#include "syntax/buffer_syntax.hpp"

namespace neomacs::host {
namespace {

// The state of an earlier parse as Lisp holds it. The list may be short or hold odd things.
Maybe<text::ParseState> read_state(Context& cx, Value old) {
  text::ParseState s;
  Value items[11];
  int n = 0;
  TRY(check_type(cx, old.is_list(), Qlistp, old));
  for (Value l = old; l.is_cons() && n < 11; l = cdr_raw(l)) items[n++] = car_raw(l);
  const auto item = [&](int i) { return i < n ? items[i] : kNil; };
  if (item(0).is_fixnum()) s.depth = item(0).as_fixnum();
  const Value string = item(3);
  if (string.truthy())
    s.string_terminator =
        is_character(string) ? static_cast<int>(string.as_fixnum()) : text::kFenceString + kMaxCharacter;
  const Value comment = item(4);
  if (comment.truthy()) s.comment_nesting = comment.is_fixnum() ? static_cast<int>(comment.as_fixnum()) : -1;
  s.quoted = item(5).truthy();
  const Value style = item(7);
  if (style.is_fixnum() && style.as_fixnum() >= 0 && style.as_fixnum() < 4) {
    s.comment_style = static_cast<int>(style.as_fixnum());
  } else if (style.truthy()) {
    s.comment_style = text::kFenceComment;
  }
  if (item(8).is_fixnum()) s.construct_start = item(8).as_fixnum();
  for (Value l = item(9); l.is_cons(); l = cdr_raw(l)) {
    if (car_raw(l).is_fixnum()) s.open_parens.push_back(car_raw(l).as_fixnum());
    TRY(check_quit(cx));
  }
  if (item(10).is_fixnum()) s.previous_syntax = static_cast<int>(item(10).as_fixnum());
  return s;
}

Value optional_position(std::int64_t charpos) { return charpos < 0 ? kNil : Value::fixnum(charpos); }

}  // namespace

NEOVM_PRIMITIVE(
    parse_partial_sexp, "parse-partial-sexp", 2, 6, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
    "Parse from FROM to TO by syntax, leave point where the parse stopped and return its state, a list:\n"
    "depth, start of the innermost list, start of the last complete expression, string terminator, comment\n"
    "nesting, quoted, minimum depth, comment style, start of the comment or string, open parentheses,\n"
    "syntax of a character that may start a two-character construct.\n"
    "Stops at TARGETDEPTH, with STOPBEFORE at the start of an expression, with COMMENTSTOP at a comment\n"
    "(`syntax-table': at the edge of a comment or string too). OLDSTATE is the state at FROM.")
(Context& cx, Value from, Value to, Value target_depth, Value stop_before, Value old_state, Value comment_stop) {
  std::int64_t target = INT64_MIN;
  if (target_depth.truthy()) target = TRY(fixnum_argument(cx, target_depth));
  std::int64_t end = TRY(position_argument(cx, to));
  std::int64_t start = TRY(position_argument(cx, from));
  if (end < start) return error_text(cx, "End position is smaller than start position");
  {
    const Region region = TRY(region_arguments(cx, from, to));
    start = region.start;
    end = region.end;
  }
  const text::ParseState old = TRY(read_state(cx, old_state));
  const text::CommentStop stop = comment_stop == Qsyntax_table ? text::CommentStop::kCommentOrString
                                 : comment_stop.truthy()       ? text::CommentStop::kComment
                                                               : text::CommentStop::kNever;
  struct Done {
    text::ParseState state;
    Pos location;
  };
  // Positions of the old state are characters, those found now are offsets: old ones travel as negatives.
  Done done = TRY(with_syntax_re(cx, [&](BufferSyntax& syntax) -> Maybe<Done> {
    Done d;
    d.state = old;
    const auto hide = [](std::int64_t& p) { p = -2 - p; };
    const auto show = [&](std::int64_t& p) { p = p >= 0 ? syntax.charpos(p) : p < -1 ? -2 - p : -1; };
    for (std::int64_t& p : d.state.open_parens) hide(p);
    if (d.state.construct_start >= 0) hide(d.state.construct_start);
    TRY(syntax.scanner().parse(&d.state, syntax.offset(start), syntax.offset(end), target, stop_before.truthy(), stop));
    d.location = syntax.buffer().text->at_byte(d.state.location + 1);
    for (std::int64_t& p : d.state.open_parens) show(p);
    show(d.state.containing_start);
    show(d.state.complete_start);
    show(d.state.construct_start);
    return d;
  }));
  const text::ParseState& s = done.state;
  set_point(current_buffer(cx), done.location);
  const bool in_string = s.string_terminator >= 0;
  Value string = kNil;
  if (in_string) string = s.string_terminator > kMaxCharacter ? Qt : Value::fixnum(s.string_terminator);
  Value comment = kNil;
  if (s.comment_nesting != 0) comment = s.comment_nesting < 0 ? Qt : Value::fixnum(s.comment_nesting);
  Value style = kNil;
  if (s.comment_style != 0)
    style = s.comment_style == text::kFenceComment ? Qsyntax_table : Value::fixnum(s.comment_style);
  Value parens = kNil;
  for (std::size_t i = s.open_parens.size(); i-- > 0;) parens = cons(cx, Value::fixnum(s.open_parens[i]), parens);
  return list(cx, {Value::fixnum(s.depth), optional_position(s.containing_start), optional_position(s.complete_start),
                   string, comment, boolean(s.quoted), Value::fixnum(s.min_depth), style,
                   in_string || s.comment_nesting != 0 ? optional_position(s.construct_start) : kNil, parens,
                   s.previous_syntax < 0 ? kNil : Value::fixnum(s.previous_syntax)});
}

}  // namespace neomacs::host
