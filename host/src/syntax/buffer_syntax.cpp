#include "syntax/buffer_syntax.hpp"

#include <algorithm>
#include <utility>

namespace neomacs::host {

BufferSyntax::BufferSyntax(Context& cx, ParseStarts& starts)
    : cx_(cx),
      buffer_(current_buffer(cx)),
      starts_(starts),
      use_properties_(variable_true(cx, Qparse_sexp_lookup_properties)) {
  if (!use_properties_) return;
  properties_.data = this;
  properties_.run_at = &run_at;
  const Value done = variable_value(cx, Qsyntax_propertize__done);
  ready_ = done.is_fixnum() ? done.as_fixnum() : 0;
}

text::ScanOptions BufferSyntax::options() {
  text::ScanOptions o;
  o.ignore_comments = variable_true(cx_, Qparse_sexp_ignore_comments);
  o.comment_end_can_be_escaped = variable_true(cx_, Qcomment_end_can_be_escaped);
  o.multibyte_as_symbol = variable_true(cx_, Qmultibyte_syntax_as_symbol);
  o.column_zero_starts_defun =
      variable_true(cx_, Qopen_paren_in_column_0_is_defun_start) && !variable_true(cx_, Qcomment_use_syntax_ppss);
  if (variable_true(cx_, Qcomment_use_syntax_ppss)) {
    o.parse_start = &parse_start;
    o.parse_start_data = this;
  }
  return o;
}

std::int64_t BufferSyntax::parse_start(void* data, std::int64_t end) {
  auto& self = *static_cast<BufferSyntax*>(data);
  ParseStarts& starts = self.starts_;
  const std::int64_t pos = self.charpos(end);
  std::int64_t best = -1;
  for (const auto& [start, reach] : starts.known)
    if (start <= pos && pos <= reach) best = std::max(best, start);
  if (best >= 0) return self.offset(std::max(best, self.buffer_.begin.chars));
  if (!symbol_function(self.cx_, intern(self.cx_, "syntax-ppss")).truthy()) return 0;  // Lisp's library is not there
  // A scan that goes backwards will ask for places before this one, and starts again each time: ask ever further ahead.
  const std::int64_t ahead = std::int64_t{1000} << std::min<std::size_t>(2 * starts.known.size(), 20);
  starts.wanted = std::max(self.buffer_.begin.chars, pos - ahead);
  starts.wanted_reach = pos + ahead;
  return -1;
}

void BufferSyntax::run_at(void* data, std::int64_t at, text::SyntaxRun* run) {
  auto& self = *static_cast<BufferSyntax*>(data);
  Buffer& b = self.buffer_;
  const std::int64_t pos = self.charpos(at);
  const text::Cursor text = b.cursor();
  if (b.text->properties.empty()) {
    *run = {0, text.size(), kNil};
  } else {
    const text::IntervalTree::Run found = b.text->properties.find(pos - 1);
    run->from = self.offset(found.start + 1);
    run->to = self.offset(found.end + 1);
    run->property = lookup_char_property(self.cx_, found.value, Qsyntax_table, true);
  }
  const std::int64_t limit = b.end.chars;
  if (self.ready_ >= limit) return;
  if (pos >= self.ready_) {
    // Ask for a stretch that grows with the distance, so that a long scan restarts seldom.
    self.wanted_ =
        std::max(self.wanted_, std::min(limit, pos + 1 + (pos - std::max<std::int64_t>(self.ready_, 1)) / 2 + 500));
  } else {
    run->to = std::min(run->to, self.offset(self.ready_));
  }
}

Maybe<bool> propertize_syntax_re(Context& cx, std::int64_t charpos) {
  Buffer& b = current_buffer(cx);
  const std::int64_t before = b.text->chars_modified;
  const Value was = variable_value(cx, Qsyntax_propertize__done);
  TRY(funcall_re(cx, intern(cx, "internal--syntax-propertize"), {Value::fixnum(std::min(charpos, b.end.chars))}));
  if (b.text->chars_modified != before) return error_text(cx, "internal--syntax-propertize modified the buffer!");
  const Value now = variable_value(cx, Qsyntax_propertize__done);
  if (now == was && now.is_fixnum() && now.as_fixnum() < charpos && now.as_fixnum() < current_buffer(cx).end.chars)
    return error_text(cx, "internal--syntax-propertize did not move syntax-propertize--done");
  return true;
}

Maybe<bool> find_parse_start_re(Context& cx, ParseStarts& starts) {
  const std::int64_t pos = std::exchange(starts.wanted, -1);
  Buffer& b = current_buffer(cx);
  const std::int64_t before = b.text->chars_modified;
  const std::int64_t point = b.point.chars;
  const Value state = TRY(funcall_re(cx, intern(cx, "syntax-ppss"), {Value::fixnum(pos)}));
  if (&current_buffer(cx) != &b || b.text->chars_modified != before)
    return error_text(cx, "syntax-ppss modified the buffer!");
  const Value start = TRY(funcall_re(cx, intern(cx, "syntax-ppss-toplevel-pos"), {state}));
  set_point(b, b.text->at_char(point));
  starts.known.push_back({start.is_fixnum() ? std::min(start.as_fixnum(), pos) : pos, starts.wanted_reach});
  return true;
}

NEOVM_VARIABLE(comment_end_can_be_escaped, "comment-end-can-be-escaped", kAutoLocalVar, kBool, kInitNil,
               "Non-nil means an escape character before a comment ender makes it part of the comment.")
NEOVM_VARIABLE(comment_use_syntax_ppss, "comment-use-syntax-ppss", kGlobalVar, kAny, kInitT,
               "Non-nil means scanning backwards over comments may rely on `syntax-ppss'.")
NEOVM_VARIABLE(
    find_word_boundary_function_table, "find-word-boundary-function-table", kGlobalVar, kAny,
    +[](Context& cx) { return make_char_table(cx, kNil, kNil); },
    "Char-table of functions that find the end of a word which starts with the character.")
NEOVM_VARIABLE(multibyte_syntax_as_symbol, "multibyte-syntax-as-symbol", kGlobalVar, kAny, kInitNil,
               "Non-nil means `scan-sexps' takes all non-ASCII characters for symbol constituents.")
NEOVM_VARIABLE(open_paren_in_column_0, "open-paren-in-column-0-is-defun-start", kGlobalVar, kBool, kInitT,
               "Non-nil means an open parenthesis in column 0 starts a defun.")
NEOVM_VARIABLE(parse_sexp_ignore_comments, "parse-sexp-ignore-comments", kGlobalVar, kAny, kInitNil,
               "Non-nil means `forward-sexp' and friends skip comments.")
NEOVM_VARIABLE(parse_sexp_lookup_properties, "parse-sexp-lookup-properties", kGlobalVar, kBool, kInitNil,
               "Non-nil means `syntax-table' text properties override the syntax table.")
NEOVM_VARIABLE(syntax_propertize_done, "syntax-propertize--done", kAutoLocalVar, kInt, Value::fixnum(-1),
               "Position up to which syntax properties have been set.")
NEOVM_VARIABLE(words_include_escapes, "words-include-escapes", kGlobalVar, kBool, kInitNil,
               "Non-nil means `forward-word' and friends take escape characters for parts of words.")

}  // namespace neomacs::host
