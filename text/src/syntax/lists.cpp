// Balanced expressions, forwards and backwards (scan-lists, scan-sexps).
#include "flags.hpp"
#include "neovm/abi/error.hpp"

namespace neovm::text {

using namespace syntax_flags;  // NOLINT: flag predicates

namespace {
ScanResult at(std::int64_t position) {
  ScanResult r;
  r.position = position;
  return r;
}
ScanResult failure(ScanError error, std::int64_t last_good, std::int64_t from) {
  ScanResult r;
  r.error = error;
  r.last_good = last_good;
  r.from = from;
  return r;
}
}  // namespace

ScanResult SyntaxScanner::scan_lists(std::int64_t from, std::int64_t count, std::int64_t depth, bool expressions) {
  if (count == 0) return at(from);
  return count > 0 ? scan_forward(from, count, depth, expressions) : scan_backward(from, count, depth, expressions);
}

ScanResult SyntaxScanner::scan_forward(std::int64_t from, std::int64_t count, std::int64_t depth, bool expressions) {
  const std::int64_t min_depth = depth < 0 ? depth : 0;
  std::int64_t last_good = from;
  bool in_math = false;
  const std::int64_t stop = end_;
  for (; count > 0; --count) {
    bool done = false;
    while (from < stop && !done) {
      if (quit_pending()) return failure(ScanError::kQuit, 0, 0);
      const std::int64_t start = from;
      const int c = char_at(from);
      const int flags = syntax_.flags(c, from);
      int kind = code_for_expressions(c, code(flags));
      int comment_style = style(flags, 0);
      bool is_nested = nested(flags);
      if (depth == min_depth) last_good = from;
      from = next(from);
      if (from < stop && starts_comment_first(flags) && options_.ignore_comments) {
        const int second = flags_at(from);
        if (starts_comment_second(second)) {
          kind = kSyntaxComment;
          comment_style = style(second, flags);
          is_nested = is_nested || nested(second);
          from = next(from);
        }
      }
      if (prefix(flags)) continue;

      switch (kind) {
        case kSyntaxEscape:
        case kSyntaxCharQuote:
          if (from >= stop) return failure(ScanError::kUnbalanced, last_good, from);
          from = next(from);
          [[fallthrough]];
        case kSyntaxWord:
        case kSyntaxSymbol:
          if (depth != 0 || !expressions) break;
          while (from < stop) {
            const int k = code_at(from);
            if (escapes(k)) {
              from = next(from);
              if (from >= stop) return failure(ScanError::kUnbalanced, last_good, from);
            } else if (k != kSyntaxWord && k != kSyntaxSymbol && k != kSyntaxQuote) {
              break;
            }
            from = next(from);
          }
          done = true;
          break;
        case kSyntaxCommentFence:
        case kSyntaxComment: {
          if (!options_.ignore_comments) break;
          if (kind == kSyntaxCommentFence) comment_style = kFenceComment;
          const Comment comment = finish_comment(from, stop, is_nested ? 1 : -1, comment_style, 0);
          from = comment.position;
          if (!comment.found) {
            if (depth == 0) {
              done = true;
              break;
            }
            return failure(ScanError::kUnbalanced, last_good, from);
          }
          break;
        }
        case kSyntaxMath:
          if (!expressions) break;
          if (from < stop && c == char_at(from)) from = next(from);
          if (in_math) {
            in_math = false;
            goto close;
          }
          in_math = true;
          [[fallthrough]];
        case kSyntaxOpen:
          ++depth;
          if (depth == 0) done = true;
          break;
        case kSyntaxClose:
        close:
          --depth;
          if (depth == 0) {
            done = true;
          } else if (depth < min_depth) {
            return failure(ScanError::kPremature, last_good, from);
          }
          break;
        case kSyntaxString:
        case kSyntaxStringFence: {
          const int terminator = char_at(start);
          bool beyond = false;  // an escape stood last
          for (;;) {
            if (from >= stop) {
              ScanResult r = failure(ScanError::kUnbalanced, last_good, from);
              r.past_end = beyond;
              return r;
            }
            const int k = code_at(from);
            if (kind == kSyntaxString ? k == kSyntaxString && char_at(from) == terminator : k == kSyntaxStringFence)
              break;
            if (escapes(k)) from = next(from);
            if (from < stop) {
              from = next(from);
            } else {
              beyond = true;
            }
          }
          from = next(from);
          if (depth == 0 && expressions) done = true;
          break;
        }
        default: break;
      }
    }
    if (!done) {
      if (depth != 0) return failure(ScanError::kUnbalanced, last_good, from);
      return at(-1);
    }
  }
  return at(from);
}

ScanResult SyntaxScanner::scan_backward(std::int64_t from, std::int64_t count, std::int64_t depth, bool expressions) {
  const std::int64_t min_depth = depth < 0 ? depth : 0;
  std::int64_t last_good = from;
  bool in_math = false;
  const std::int64_t stop = begin_;
  for (; count < 0; ++count) {
    bool done = false;
    while (from > stop && !done) {
      if (quit_pending()) return failure(ScanError::kQuit, 0, 0);
      from = previous(from);
      const int c = char_at(from);
      const int flags = syntax_.flags(c, from);
      int kind = code_for_expressions(c, code(flags));
      if (depth == min_depth) last_good = from;
      int comment_style = kind == kSyntaxEndComment ? style(flags, 0) : 0;
      bool is_nested = nested(flags);
      if (from > stop && ends_comment_second(flags) && previous_may_end_comment(from) && options_.ignore_comments) {
        from = previous(from);
        const int first = flags_at(from);
        kind = kSyntaxEndComment;
        comment_style = style(first, flags);
        is_nested = is_nested || nested(first);
      }
      if (kind != kSyntaxEndComment && quoted(from)) {
        from = previous(from);
        kind = kSyntaxWord;
      } else if (prefix(flags)) {
        continue;
      }

      switch (kind) {
        case kSyntaxWord:
        case kSyntaxSymbol:
        case kSyntaxEscape:
        case kSyntaxCharQuote:
          if (depth != 0 || !expressions) break;
          while (from > stop) {
            std::int64_t before = previous(from);
            if (code_at(before) == kSyntaxEndComment) break;
            const bool is_quoted = quoted(before);
            if (is_quoted) {
              from = previous(from);
              before = previous(before);
            } else {
              const int k = code_at(before);
              if (k != kSyntaxWord && k != kSyntaxSymbol && k != kSyntaxQuote) break;
            }
            from = previous(from);
          }
          done = true;
          break;
        case kSyntaxMath:
          if (!expressions) break;
          if (from > stop && c == char_at(previous(from))) from = previous(from);
          if (in_math) {
            in_math = false;
            goto open;
          }
          in_math = true;
          [[fallthrough]];
        case kSyntaxClose:
          ++depth;
          if (depth == 0) done = true;
          break;
        case kSyntaxOpen:
        open:
          --depth;
          if (depth == 0) {
            done = true;
          } else if (depth < min_depth) {
            return failure(ScanError::kPremature, last_good, from);
          }
          break;
        case kSyntaxEndComment: {
          if (!options_.ignore_comments) break;
          const Comment comment = find_comment_start(from, stop, is_nested, comment_style);
          if (comment.found) from = comment.position;
          break;
        }
        case kSyntaxCommentFence:
        case kSyntaxStringFence:
          for (;;) {
            if (from <= stop) return failure(ScanError::kUnbalanced, last_good, from);
            from = previous(from);
            if (!quoted(from) && code_at(from) == kind) break;
          }
          if (kind == kSyntaxStringFence && depth == 0 && expressions) done = true;
          break;
        case kSyntaxString: {
          const int terminator = char_at(from);
          for (;;) {
            if (from <= stop) return failure(ScanError::kUnbalanced, last_good, from);
            from = previous(from);
            if (!quoted(from) && char_at(from) == terminator && code_at(from) == kSyntaxString) break;
          }
          if (depth == 0 && expressions) done = true;
          break;
        }
        default: break;
      }
    }
    if (!done) {
      if (depth != 0) return failure(ScanError::kUnbalanced, last_good, from);
      return at(-1);
    }
  }
  return at(from);
}

std::int64_t SyntaxScanner::skip_prefix_backward(std::int64_t from) {
  std::int64_t best = from;
  while (from > begin_) {
    from = previous(from);
    if (quoted(from)) break;
    const int flags = flags_at(from);
    if (code(flags) != kSyntaxQuote && !prefix(flags)) break;
    best = from;
  }
  return best;
}

}  // namespace neovm::text
