// Comments, forwards and backwards.
//
// Forwards a comment ends where its ender is. Backwards it is a guess: the text before an ender is walked
// while the parity of string quotes is kept, and when quotes or other comments make the answer
// doubtful the text is parsed instead, from a place that is known to be outside of everything, which is always right.
#include <algorithm>

#include "flags.hpp"
#include "neovm/abi/error.hpp"

namespace neovm::text {

using namespace syntax_flags;  // NOLINT: flag predicates

namespace {
// Of the characters of a line, those that say something about where a comment may start.
constexpr bool decides(int kind) {
  return kind == kSyntaxOpen || kind == kSyntaxString || kind == kSyntaxComment || kind == kSyntaxEndComment ||
         kind == kSyntaxCommentFence || kind == kSyntaxStringFence;
}
}  // namespace

bool SyntaxScanner::quoted(std::int64_t at) {
  bool odd = false;
  while (at > begin_) {
    at = previous(at);
    if (!escapes(code(flags_at(at)))) break;
    odd = !odd;
  }
  return odd;
}

bool SyntaxScanner::previous_may_end_comment(std::int64_t at) { return ends_comment_first(flags_at(previous(at))); }

SyntaxScanner::Comment SyntaxScanner::finish_comment(std::int64_t from, std::int64_t stop, int nesting,
                                                     int style_wanted, int before) {
  Comment result;
  int flags = before;
  // The character before may be the first half of an ender or of a nested starter.
  bool pair_only = before != 0;
  for (;;) {
    if (!pair_only) {
      if (from >= stop) {
        result.position = from;
        result.nesting = nesting;
        const bool may_pair =
            escapes(code(flags)) || ends_comment_first(flags) || (nesting > 0 && starts_comment_first(flags));
        result.last_syntax = may_pair ? flags : 0;
        return result;
      }
      if (quit_pending()) break;
      flags = flags_at(from);
      const int kind = code(flags);
      const bool escapable = options_.comment_end_can_be_escaped;
      if (kind == kSyntaxEndComment && style(flags, 0) == style_wanted &&
          (nested(flags) ? nesting > 0 && --nesting == 0 : nesting < 0) && !(escapable && quoted(from))) {
        result.found = true;
        result.position = next(from);
        return result;
      }
      if (kind == kSyntaxCommentFence && style_wanted == kFenceComment) {
        result.found = true;
        result.position = next(from);
        return result;
      }
      if (nesting > 0 && kind == kSyntaxComment && nested(flags) && style(flags, 0) == style_wanted) ++nesting;
      from = next(from);
      if (escapable && escapes(kind)) {
        if (from >= stop) continue;
        from = next(from);
      }
    }
    pair_only = false;
    if (from >= stop) continue;
    const int second = flags_at(from);
    if (ends_comment_first(flags) && ends_comment_second(second) && style(flags, second) == style_wanted &&
        ((nested(flags) || nested(second)) ? nesting > 0 : nesting < 0)) {
      from = next(from);
      flags = 0;
      if (--nesting <= 0) {
        result.found = true;
        result.position = from;
        return result;
      }
    } else if (nesting > 0 && starts_comment_first(flags) && starts_comment_second(second) &&
               style(second, flags) == style_wanted && (nested(flags) || nested(second))) {
      from = next(from);
      flags = 0;
      ++nesting;
    }
  }
  result.position = from;
  return result;
}

SyntaxScanner::Comment SyntaxScanner::comment_start_by_parsing(std::int64_t end, bool is_nested, int style_wanted) {
  Comment result;
  result.position = end;
  std::int64_t from = begin_;
  if (covered_from_ >= 0 && end >= covered_from_ && end <= covered_to_) {
    const auto after = std::upper_bound(spans_.begin(), spans_.end(), end,
                                        [](std::int64_t at, const Span& s) { return at < s.inside; });
    if (after == spans_.begin() || (after - 1)->finish <= end) return result;
    const Span& span = *(after - 1);
    if (!is_nested && !span.nested && span.style == style_wanted) {
      result.found = true;
      result.position = span.start;
      return result;
    }
    from = span.start;
  } else if (options_.parse_start != nullptr) {
    const std::int64_t start = options_.parse_start(options_.parse_start_data, end);
    if (start < 0) return result;
    from = std::max(from, start);
  }
  recording_ = end > covered_to_ || end < covered_from_;
  // Our ender may be inside an outer comment of another kind: then parse again from inside that one.
  while (from < end) {
    ParseState state;
    if (recording_) {
      spans_.clear();
      covered_from_ = from;
      covered_to_ = end;
    }
    const Maybe<bool> parsed = parse(&state, from, end, INT64_MIN, false, CommentStop::kNever);
    if (!parsed.ok()) covered_from_ = covered_to_ = -1;
    recording_ = false;
    if (!parsed.ok()) return result;
    if (state.comment_nesting == (is_nested ? 1 : -1) && state.comment_style == style_wanted) {
      result.found = true;
      result.position = state.construct_start;
      return result;
    }
    if (state.comment_nesting == 0) return result;
    std::int64_t inside = state.construct_start;
    for (int i = 0; i < 2 && inside < end; ++i) inside = next(inside);
    if (inside <= from) return result;
    from = inside;
  }
  return result;
}

SyntaxScanner::Comment SyntaxScanner::find_comment_start(std::int64_t from, std::int64_t stop, bool is_nested,
                                                         int style_wanted) {
  Comment result;
  const std::int64_t ender = from;
  result.position = ender;
  int open_quote = -1;          // string delimiter with an odd count so far
  std::int64_t start = -1;      // best starter so far
  bool other_comments = false;  // an ender of another style went by
  bool mixed_quotes = false;
  int depth = 1;
  int flags = 0;

  while (from > stop) {
    if (quit_pending()) return result;
    const int after = flags;
    from = previous(from);
    int c = char_at(from);
    flags = syntax_.flags(c, from);
    int kind = code(flags);
    const bool pair_starts = starts_comment_first(flags) && starts_comment_second(after) &&
                             style(after, flags) == style_wanted && (nested(after) || nested(flags)) == is_nested;
    bool pair_ends = ends_comment_first(flags) && ends_comment_second(after);
    const bool starts = pair_starts || kind == kSyntaxComment;

    // Delimiters that overlap, like |*| or --c--: no guessing.
    if (from > stop && (pair_ends || starts)) {
      const int before = flags_at(previous(from));
      if (((starts || is_nested) && ends_comment_second(flags) && ends_comment_first(before)) ||
          ((pair_ends || is_nested) && starts_comment_second(flags) && style(flags, after) == style_wanted &&
           starts_comment_first(before)))
        return comment_start_by_parsing(ender, is_nested, style_wanted);
    }
    if (pair_starts && start < 0) pair_ends = false;  // may be both; the nearest one starts the comment
    if (pair_ends) {
      kind = kSyntaxEndComment;
    } else if (pair_starts) {
      kind = kSyntaxComment;
    } else if (kind == kSyntaxComment && (style(flags, 0) != style_wanted || nested(flags) != is_nested)) {
      continue;
    }
    if (!decides(kind)) continue;
    if ((options_.comment_end_can_be_escaped || kind != kSyntaxEndComment) && quoted(from)) continue;

    switch (kind) {
      case kSyntaxStringFence:
      case kSyntaxCommentFence:
        c = kind == kSyntaxStringFence ? kFenceString + kMaxChar : kFenceComment + kMaxChar;
        [[fallthrough]];
      case kSyntaxString:
        if (open_quote == -1) {
          open_quote = c;
        } else if (open_quote == c) {
          open_quote = -1;
        } else {
          mixed_quotes = true;
        }
        break;
      case kSyntaxComment:
        if (open_quote != -1 || other_comments || mixed_quotes)
          return comment_start_by_parsing(ender, is_nested, style_wanted);
        if (!is_nested) {
          start = from;
        } else if (--depth <= 0) {
          result.found = true;
          result.position = from;
          return result;
        }
        break;
      case kSyntaxEndComment:
        if (style(flags, pair_ends ? after : 0) == style_wanted &&
            ((pair_ends && nested(after)) || nested(flags)) == is_nested) {
          if (is_nested) {
            ++depth;
          } else {
            from = stop;  // whatever lies before belongs to that ender
          }
        } else if (start >= 0 || c != '\n') {
          other_comments = true;
        }
        break;
      case kSyntaxOpen:
        if (options_.column_zero_starts_defun && (from <= stop || char_at(previous(from)) == '\n')) from = stop;
        break;
      default: break;
    }
  }
  if (start < 0) return result;
  result.found = true;
  result.position = start;
  return result;
}

Maybe<bool> SyntaxScanner::forward_comment(std::int64_t count, std::int64_t* position) {
  std::int64_t from = *position;
  for (; count > 0; --count) {
    int c;
    int kind;
    int comment_style;
    bool is_nested;
    std::int64_t start;
    do {
      if (quit_pending()) return kFailed;
      if (from >= end_) {
        *position = end_;
        return false;
      }
      start = from;
      c = char_at(from);
      const int flags = syntax_.flags(c, from);
      kind = code(flags);
      is_nested = nested(flags);
      comment_style = style(flags, 0);
      from = next(from);
      if (from < end_ && starts_comment_first(flags)) {
        const int second = flags_at(from);
        if (starts_comment_second(second)) {
          kind = kSyntaxComment;
          comment_style = style(second, flags);
          is_nested = is_nested || nested(second);
          from = next(from);
        }
      }
    } while (kind == kSyntaxWhitespace || (kind == kSyntaxEndComment && c == '\n'));
    if (kind == kSyntaxCommentFence) {
      comment_style = kFenceComment;
    } else if (kind != kSyntaxComment) {
      *position = start;
      return false;
    }
    const Comment comment = finish_comment(from, end_, is_nested ? 1 : -1, comment_style, 0);
    from = comment.position;
    if (!comment.found) {
      *position = from;
      return false;
    }
  }

  for (; count < 0; ++count) {
    for (;;) {
      if (quit_pending()) return kFailed;
      if (from <= begin_) {
        *position = begin_;
        return false;
      }
      from = previous(from);
      const bool is_quoted = quoted(from);
      const int c = char_at(from);
      const int flags = syntax_.flags(c, from);
      int kind = code(flags);
      int comment_style = kind == kSyntaxEndComment ? style(flags, 0) : 0;
      bool is_nested = nested(flags);
      bool pair = false;
      if (from > begin_ && ends_comment_second(flags) && previous_may_end_comment(from) && !quoted(previous(from))) {
        from = previous(from);
        const int first = flags_at(from);
        pair = true;
        kind = kSyntaxEndComment;
        comment_style = style(first, flags);
        is_nested = is_nested || nested(first);
      }
      if (kind == kSyntaxCommentFence) {
        std::int64_t fence = from;
        bool found = false;
        while (fence > begin_ && !found) {
          if (quit_pending()) return kFailed;
          fence = previous(fence);
          found = code(flags_at(fence)) == kSyntaxCommentFence && !quoted(fence);
        }
        if (found) {
          from = fence;
          break;
        }
        *position = next(from);
        return false;
      }
      if (kind == kSyntaxEndComment) {
        Comment comment;
        const bool escaped = !pair && is_quoted && options_.comment_end_can_be_escaped;
        if (!escaped) comment = find_comment_start(from, begin_, is_nested, comment_style);
        if (comment.found) {
          from = comment.position;
          break;
        }
        if (c == '\n') continue;  // not an ender after all: whitespace
        if (pair) from = next(from);
        *position = next(from);
        return false;
      }
      if (kind != kSyntaxWhitespace || is_quoted) {
        *position = next(from);
        return false;
      }
    }
  }
  *position = from;
  return true;
}

}  // namespace neovm::text
