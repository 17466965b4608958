// Moving over text by syntax: comments, lists, expressions, and the state of a parse.
//
// Positions are byte offsets in the cursor. Nothing here runs Lisp; long scans poll for quit.
#pragma once

#include <cstdint>
#include <vector>

#include "neovm/text/cursor.hpp"
#include "neovm/text/syntax.hpp"

namespace neovm::text {

// Variables that steer the scan.
struct ScanOptions {
  bool ignore_comments = false;  // parse-sexp-ignore-comments
  bool comment_end_can_be_escaped = false;
  bool multibyte_as_symbol = false;       // multibyte-syntax-as-symbol
  bool column_zero_starts_defun = false;  // open-paren-in-column-0-is-defun-start, unless syntax-ppss is used
  // Where a parse that has to know the state at `end` may begin: at an offset that is in no list, string or comment. -1: it is
  // not known yet, the scan is told so and its result will not be used. Null: at the beginning of the accessible text.
  std::int64_t (*parse_start)(void* data, std::int64_t end) = nullptr;
  void* parse_start_data = nullptr;
};

// Comment styles: 0 to 3 by the flags b and c; fences have their own.
inline constexpr int kFenceComment = 256 + 1;
inline constexpr int kFenceString = 256 + 2;
inline constexpr int kNoPreviousSyntax = -1;

struct ParseState {
  std::int64_t depth = 0;
  std::int64_t min_depth = 0;
  std::int64_t containing_start = -1;  // innermost open parenthesis
  std::int64_t complete_start = -1;    // last complete expression at this depth
  int string_terminator = -1;          // -1: not in a string; kFenceString; or the character
  int comment_nesting = 0;             // 0: not in a comment; -1: in one that does not nest; else how deep
  int comment_style = 0;
  bool quoted = false;                      // just after a quote character
  std::int64_t construct_start = -1;        // of the comment or string
  std::vector<std::int64_t> open_parens;    // outermost first; offsets, or as given by the caller
  int previous_syntax = kNoPreviousSyntax;  // flags of the last character when it may start a two-character construct
  std::int64_t location = 0;                // where the parse stopped
};

enum class CommentStop : std::uint8_t { kNever, kComment, kCommentOrString };

enum class ScanError : std::uint8_t { kNone, kUnbalanced, kPremature, kQuit };
struct ScanResult {
  ScanError error = ScanError::kNone;
  std::int64_t position = -1;   // -1: ran into the end between expressions
  std::int64_t last_good = -1;  // with an error: the place to tell the user
  std::int64_t from = -1;       // with an error: where the scan was
  bool past_end = false;        // the scan stepped over the end with an escape: `from` counts one more
};

class SyntaxScanner {
 public:
  // `begin` and `end` bound the accessible text.
  SyntaxScanner(Context& cx, const Cursor& text, std::int64_t begin, std::int64_t end, const ScanOptions& options,
                SyntaxReader& syntax)
      : cx_(cx), text_(text), begin_(begin), end_(end), options_(options), syntax_(syntax) {}

  // Moves over COUNT comments (backwards when negative) and whitespace between. False when stopped by
  // something else; *position is where it stopped.
  Maybe<bool> forward_comment(std::int64_t count, std::int64_t* position);
  // scan-lists; `expressions` as scan-sexps.
  ScanResult scan_lists(std::int64_t from, std::int64_t count, std::int64_t depth, bool expressions);
  // parse-partial-sexp from `from` to `end`.
  Maybe<bool> parse(ParseState* state, std::int64_t from, std::int64_t end, std::int64_t target_depth, bool stop_before,
                    CommentStop comment_stop);
  // Is the character at `at` quoted by an odd number of escapes before it?
  bool quoted(std::int64_t at);
  std::int64_t skip_prefix_backward(std::int64_t from);

  [[nodiscard]] int char_at(std::int64_t i) const {
    const std::uint8_t byte = text_.byte(i);
    if (byte < 0x80) [[likely]]
      return byte;
    const Decoded d = text_.char_at(i);
    return text_.multibyte ? d.c : raw_byte_to_char(static_cast<unsigned>(d.c));
  }
  int flags_at(std::int64_t i) { return syntax_.flags(char_at(i), i); }
  int code_at(std::int64_t i) {
    const int c = char_at(i);
    return code_for_expressions(c, SyntaxReader::code_of(syntax_.flags(c, i)));
  }

 private:
  struct Comment {  // result of skipping one
    bool found = false;
    std::int64_t position = 0;
    int nesting = 0;
    int last_syntax = 0;
  };
  // Reads on inside a comment.
  Comment finish_comment(std::int64_t from, std::int64_t stop, int nesting, int style, int previous);
  // Finds the start of the comment whose end is at `from`.
  Comment find_comment_start(std::int64_t from, std::int64_t stop, bool nested, int style);
  Comment comment_start_by_parsing(std::int64_t end, bool nested, int style);
  // A comment that a parse met: [start, finish), its text from `inside` on.
  struct Span {
    std::int64_t start;
    std::int64_t inside;
    std::int64_t finish;  // INT64_MAX: the parse ended before
    int style;
    bool nested;
  };
  bool previous_may_end_comment(std::int64_t at);
  ScanResult scan_forward(std::int64_t from, std::int64_t count, std::int64_t depth, bool expressions);
  ScanResult scan_backward(std::int64_t from, std::int64_t count, std::int64_t depth, bool expressions);
  [[nodiscard]] int code_for_expressions(int c, int code) const {
    return options_.multibyte_as_symbol && c >= 0x80 ? static_cast<int>(kSyntaxSymbol) : code;
  }
  [[nodiscard]] std::int64_t next(std::int64_t i) const { return text_.next(i); }
  [[nodiscard]] std::int64_t previous(std::int64_t i) const { return text_.previous(i); }
  bool quit_pending() { return (++ticks_ & 0xffff) == 0 && !check_quit(cx_).ok(); }

  Context& cx_;
  Cursor text_;
  std::int64_t begin_;
  std::int64_t end_;
  ScanOptions options_;
  SyntaxReader& syntax_;
  unsigned ticks_ = 0;
  // The comments between two places that comment_start_by_parsing has parsed, so that going backwards over many costs one parse.
  std::vector<Span> spans_;
  bool recording_ = false;
  std::int64_t covered_from_ = -1;
  std::int64_t covered_to_ = -1;
};

}  // namespace neovm::text
