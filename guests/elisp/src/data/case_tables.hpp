// Case mappings of single characters, through the current buffer's case table.
//
// A case table is a char-table `down' of purpose case-table with three extras: `up', `canonicalize' and
// `equivalences', made on demand from `down'.
#pragma once

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

inline constexpr int kCaseUp = kCharTableExtras;
inline constexpr int kCaseCanonicalize = kCharTableExtras + 1;
inline constexpr int kCaseEquivalences = kCharTableExtras + 2;

int downcase_char(Context& cx, int c);
// The character whose lower case is `c` when `c` is lower case, else `c`.
int upcase_char(Context& cx, int c);
bool is_lowercase_char(Context& cx, int c);
bool is_uppercase_char(Context& cx, int c);

}  // namespace neovm::elisp
