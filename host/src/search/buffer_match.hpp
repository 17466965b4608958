// Regular expressions and plain text in the current buffer.
#pragma once

#include "neovm/text/regex.hpp"
#include "syntax/buffer_syntax.hpp"

namespace neomacs::host {

enum class SearchKind : std::uint8_t { kPlain, kRegexp, kPosix };

// Finds the COUNTth occurrence from point (backwards when negative), not past `limit`, and records the match.
// Returns where it ends (starts, backwards), or minus the number of occurrences that were missing.
Maybe<std::int64_t> search_buffer_re(Context& cx, Value pattern, SearchKind kind, std::int64_t count, Pos limit);

// Does the pattern match at point? Records the match.
Maybe<bool> looking_at_re(Context& cx, Value pattern, SearchKind kind);

}  // namespace neomacs::host
