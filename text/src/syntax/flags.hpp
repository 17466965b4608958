// What the flags of syntax entries say together.
#pragma once

#include "neovm/text/syntax_scan.hpp"

namespace neovm::text::syntax_flags {

constexpr int code(int flags) { return (flags & 0xff) < kSyntaxCodeCount ? flags & 0xff : 0; }
constexpr bool starts_comment_first(int flags) { return (flags & static_cast<int>(kFlagCommentStart1)) != 0; }
constexpr bool starts_comment_second(int flags) { return (flags & static_cast<int>(kFlagCommentStart2)) != 0; }
constexpr bool ends_comment_first(int flags) { return (flags & static_cast<int>(kFlagCommentEnd1)) != 0; }
constexpr bool ends_comment_second(int flags) { return (flags & static_cast<int>(kFlagCommentEnd2)) != 0; }
constexpr bool starts_or_ends_first(int flags) { return starts_comment_first(flags) || ends_comment_first(flags); }
constexpr bool prefix(int flags) { return (flags & static_cast<int>(kFlagPrefix)) != 0; }
constexpr bool nested(int flags) { return (flags & static_cast<int>(kFlagNested)) != 0; }
// Flag b counts on the character that decides (second of a starter, first of an ender), c on either.
constexpr int style(int deciding, int other) {
  return ((deciding & static_cast<int>(kFlagStyleB)) != 0 ? 1 : 0) +
         (((deciding | other) & static_cast<int>(kFlagStyleC)) != 0 ? 2 : 0);
}
constexpr bool escapes(int code) { return code == kSyntaxEscape || code == kSyntaxCharQuote; }

}  // namespace neovm::text::syntax_flags
