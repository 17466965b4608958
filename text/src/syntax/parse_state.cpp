// parse-partial-sexp: what a parse knows at a position.
//
// The machine reads character by character and may be entered in the middle of a string, a comment, a quoted
// character or a two-character comment starter, as the state handed in says.
#include "flags.hpp"
#include "neovm/abi/error.hpp"

namespace neovm::text {

using namespace syntax_flags;  // NOLINT: flag predicates

namespace {
struct Level {
  std::int64_t last = -1;      // start of the expression being read
  std::int64_t complete = -1;  // start of the last one read completely
};
}  // namespace

Maybe<bool> SyntaxScanner::parse(ParseState* state, std::int64_t from, std::int64_t end, std::int64_t target_depth,
                                 bool stop_before, CommentStop comment_stop) {
  const bool stop_at_boundary = comment_stop == CommentStop::kCommentOrString;
  const bool stop_at_comment = comment_stop != CommentStop::kNever;
  std::vector<Level> levels;
  for (const std::int64_t open : state->open_parens) {
    Level level;
    level.last = open;
    levels.push_back(level);
  }
  levels.emplace_back();
  std::int64_t depth = state->depth;
  state->min_depth = depth;
  int previous_flags = state->previous_syntax < 0 ? 0 : state->previous_syntax;
  int before_previous_flags = 0;
  std::int64_t previous_at = from;
  const bool quoted_at_entry = state->quoted;
  state->quoted = false;

  enum class Enter : std::uint8_t { kPlain, kComment, kString, kQuotedInString, kQuoted };
  Enter enter = Enter::kPlain;

  const auto advance = [&] {
    before_previous_flags = previous_flags;
    previous_at = from;
    previous_flags = flags_at(from);
    from = next(from);
  };
  // Does the character at `from` complete a comment starter with the one before? Notes the comment then.
  const auto starts_pair = [&](bool note) {
    if (from >= end || !starts_comment_first(previous_flags)) return false;
    const int second = flags_at(from);
    if (!starts_comment_second(second)) return false;
    if (note) {
      state->comment_style = style(second, previous_flags);
      state->comment_nesting = nested(previous_flags) || nested(second) ? 1 : -1;
      state->construct_start = previous_at;
    }
    return true;
  };
  // Undoes the last step: the parse stops before what it has just seen.
  const auto step_back = [&] {
    from = previous_at;
    previous_flags = before_previous_flags;
  };
  const auto finish = [&]() -> Maybe<bool> {
    state->depth = depth;
    state->complete_start = levels.back().complete;
    state->containing_start = levels.size() > 1 ? levels[levels.size() - 2].last : -1;
    state->location = from;
    state->open_parens.clear();
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) state->open_parens.push_back(levels[i].last);
    const bool may_pair = starts_or_ends_first(previous_flags) || (state->quoted && escapes(code(previous_flags)));
    state->previous_syntax = may_pair ? previous_flags : kNoPreviousSyntax;
    return true;
  };

  if (state->comment_nesting != 0) {
    enter = Enter::kComment;
  } else if (state->string_terminator >= 0) {
    enter = quoted_at_entry ? Enter::kQuotedInString : Enter::kString;
  } else if (quoted_at_entry) {
    enter = Enter::kQuoted;
  } else if (state->previous_syntax >= 0 && from < end) {
    if (from > begin_) previous_at = previous(from);
    if (starts_pair(true)) {
      advance();
      previous_flags = 0;
      enter = Enter::kComment;
      if (stop_at_comment) return finish();
    }
  }

  while (from < end || enter != Enter::kPlain) {
    if (quit_pending()) return kFailed;
    int kind = -1;
    if (enter == Enter::kPlain) {
      advance();
      kind = code(previous_flags);
      if (starts_pair(true)) {
        advance();
        previous_flags = 0;
        kind = kSyntaxComment;
      } else if (kind == kSyntaxCommentFence) {
        state->comment_style = kFenceComment;
        state->comment_nesting = -1;
        state->construct_start = previous_at;
        kind = kSyntaxComment;
      } else if (kind == kSyntaxComment) {
        state->comment_style = style(previous_flags, 0);
        state->comment_nesting = nested(previous_flags) ? 1 : -1;
        state->construct_start = previous_at;
      }
      if (prefix(previous_flags)) continue;
    } else {
      switch (enter) {
        case Enter::kComment: kind = kSyntaxComment; break;
        case Enter::kString:
        case Enter::kQuotedInString: kind = kSyntaxString; break;
        default: kind = kSyntaxEscape; break;
      }
    }
    const Enter entered = enter;
    enter = Enter::kPlain;

    switch (kind) {
      case kSyntaxEscape:
      case kSyntaxCharQuote:
      case kSyntaxWord:
      case kSyntaxSymbol: {
        if (entered == Enter::kPlain) {
          if (stop_before) {
            step_back();
            return finish();
          }
          levels.back().last = previous_at;
        }
        bool pending_quote = escapes(kind);
        for (;;) {
          if (pending_quote) {
            if (from >= end) {
              state->quoted = true;
              return finish();
            }
            advance();
            pending_quote = false;
          }
          if (from >= end || starts_pair(false)) break;
          const int k = code(flags_at(from));
          if (escapes(k)) {
            pending_quote = true;
          } else if (k != kSyntaxWord && k != kSyntaxSymbol && k != kSyntaxQuote) {
            break;
          }
          advance();
        }
        // The last character, even a quoted one, may be the first half of a comment starter; the
        // expression does not count as complete then.
        if (starts_pair(true)) {
          advance();
          previous_flags = 0;
          enter = Enter::kComment;
          if (stop_at_comment) return finish();
        } else {
          levels.back().complete = levels.back().last;
        }
        break;
      }
      case kSyntaxComment: {
        if (entered == Enter::kPlain && stop_at_comment) return finish();
        const Comment comment = finish_comment(from, end, state->comment_nesting, state->comment_style,
                                               from <= begin_ ? 0 : previous_flags);
        if (recording_)
          spans_.push_back({state->construct_start, from, comment.found ? comment.position : INT64_MAX,
                            state->comment_style, state->comment_nesting > 0});
        from = comment.position;
        if (!comment.found) {
          state->comment_nesting = comment.nesting;
          previous_flags = comment.last_syntax;
          return finish();
        }
        state->comment_nesting = 0;
        state->comment_style = 0;
        previous_flags = 0;
        if (stop_at_boundary) return finish();
        break;
      }
      case kSyntaxOpen:
        if (stop_before) {
          step_back();
          return finish();
        }
        ++depth;
        levels.back().last = previous_at;
        levels.emplace_back();
        if (target_depth == depth) return finish();
        break;
      case kSyntaxClose:
        --depth;
        if (depth < state->min_depth) state->min_depth = depth;
        if (levels.size() > 1) levels.pop_back();
        levels.back().complete = levels.back().last;
        if (target_depth == depth) return finish();
        break;
      case kSyntaxString:
      case kSyntaxStringFence: {
        if (entered == Enter::kPlain) {
          if (stop_before) {
            step_back();
            return finish();
          }
          state->string_terminator = kind == kSyntaxString ? char_at(previous_at) : kFenceString + kMaxChar;
          state->construct_start = previous_at;
          levels.back().last = previous_at;
          if (stop_at_boundary) return finish();
        }
        const bool fence = state->string_terminator > kMaxChar;
        bool pending_quote = entered == Enter::kQuotedInString;
        for (;;) {
          if (from >= end) {
            state->quoted = pending_quote;
            return finish();
          }
          if (!pending_quote) {
            const int k = code(flags_at(from));
            if (fence ? k == kSyntaxStringFence : k == kSyntaxString && char_at(from) == state->string_terminator)
              break;
            pending_quote = escapes(k);
          } else {
            pending_quote = false;
          }
          advance();
        }
        state->string_terminator = -1;
        levels.back().complete = levels.back().last;
        advance();
        if (stop_at_boundary) return finish();
        break;
      }
      default: break;
    }
  }
  return finish();
}

}  // namespace neovm::text
