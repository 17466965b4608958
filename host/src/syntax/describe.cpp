// The buffer's syntax table, and entries in words.
#include <string>

#include "edit/edit.hpp"
#include "neovm/text/syntax.hpp"

namespace neomacs::host {
namespace {

constexpr const char* kCodeNames[] = {
    "whitespace", "punctuation", "word",      "symbol",  "open",       "close",   "prefix",        "string",
    "math",       "escape",      "charquote", "comment", "endcomment", "inherit", "comment fence", "string fence",
};
static_assert(std::size(kCodeNames) == text::kSyntaxCodeCount);

std::string utf8_of(int c) {
  std::uint8_t buffer[text::kMaxBytesPerChar];
  const int n = text::encode_char(c, buffer);
  return {reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(n)};
}

std::string describe(Value entry) {
  if (entry.is_nil()) return "default";
  if (is_char_table(entry)) return "deeper char-table ...";
  if (!entry.is_cons() || !car_raw(entry).is_fixnum()) return "invalid";
  const Value match = cdr_raw(entry);
  if (!match.is_nil() && !is_character(match)) return "invalid";
  const int flags = text::SyntaxReader::flags_of_entry(entry);
  if ((flags & 0xff) >= text::kSyntaxCodeCount) return "invalid";
  const auto has = [flags](text::SyntaxFlag f) { return (flags & static_cast<int>(f)) != 0; };
  std::string out(1, text::kSyntaxDesignators[flags & 0xff]);
  out += match.is_nil() ? " " : utf8_of(static_cast<int>(match.as_fixnum()));
  const struct {
    text::SyntaxFlag flag;
    char letter;
    const char* words;
  } letters[] = {
      {text::kFlagCommentStart1, '1', ",\n\t  is the first character of a comment-start sequence"},
      {text::kFlagCommentStart2, '2', ",\n\t  is the second character of a comment-start sequence"},
      {text::kFlagCommentEnd1, '3', ",\n\t  is the first character of a comment-end sequence"},
      {text::kFlagCommentEnd2, '4', ",\n\t  is the second character of a comment-end sequence"},
      {text::kFlagPrefix, 'p', nullptr},
      {text::kFlagStyleB, 'b', " (comment style b)"},
      {text::kFlagStyleC, 'c', " (comment style c)"},
      {text::kFlagNested, 'n', " (nestable)"},
  };
  for (const auto& l : letters)
    if (has(l.flag)) out.push_back(l.letter);
  out += std::string("\twhich means: ") + kCodeNames[flags & 0xff];
  if (!match.is_nil()) out += ", matches " + utf8_of(static_cast<int>(match.as_fixnum()));
  for (const auto& l : letters)
    if (l.words != nullptr && has(l.flag)) out += l.words;
  if (has(text::kFlagPrefix)) out += ",\n\t  is a prefix character for \u2018backward-prefix-chars\u2019";
  return out;
}

}  // namespace

NEOVM_PRIMITIVE(set_syntax_table, "set-syntax-table", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Make TABLE the syntax table of the current buffer, and return it.")
(Context& cx, Value table) {
  TRY(check_type(cx, is_char_table(table) && slot_raw(table, kCharTablePurpose) == Qsyntax_table, Qsyntax_table_p,
                 table));
  current_buffer(cx).tables.syntax = table;
  current_tables(cx).syntax = table;
  return table;
}

NEOVM_PRIMITIVE(describe_syntax_value, "internal-describe-syntax-value", 1, 1, kWorkerSafe, kStateWrite, kMayGc,
                kReenters, kDeterministic, "Insert a description of the syntax entry SYNTAX at point, and return it.")
(Context& cx, Value syntax) {
  TRY(insert_text_re(cx, describe(syntax)));
  return syntax;
}

}  // namespace neomacs::host
