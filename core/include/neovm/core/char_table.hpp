// Inside a char-table, for the collector-side printer, reader and the primitives.
//
// A kCharTable's 64 contents cover 65,536 characters each; a content is a value or a kSubCharTable of depth 1
// (16 x 4,096), whose contents are values or depth 2 (32 x 128), whose contents are values or depth 3 (128
// characters). Slots of a sub-table: depth and first character as fixnums, then the contents: the order in
// which Lisp prints `#^^[…]`. In a table of a Unicode property a depth-2 content may also be a string: a
// compressed leaf (chartab primitives expand it).
#pragma once

#include "neovm/abi/layout.hpp"
#include "neovm/abi/tables.hpp"

namespace neovm::core {

inline constexpr int kCharTableSize[4] = {64, 16, 32, 128};
inline constexpr int kCharTableShift[4] = {16, 12, 7, 0};  // log2 of the characters a content covers
inline constexpr std::int64_t kSubTableDepth = 0;
inline constexpr std::int64_t kSubTableFirst = 1;
inline constexpr std::int64_t kSubTableContents = 2;

inline bool is_sub_char_table(Value v) { return is_kind(v, ObjectKind::kSubCharTable); }
inline int sub_table_depth(Value t) { return static_cast<int>(slot_raw(t, kSubTableDepth).as_fixnum()); }
inline int sub_table_first(Value t) { return static_cast<int>(slot_raw(t, kSubTableFirst).as_fixnum()); }

Value make_sub_char_table(Context& cx, int depth, int first, Value init);
// Brings the ASCII cache up to date after contents were written behind char_table_set's back.
void char_table_refresh_ascii(Value table);
// Own value of the table for `c`: neither default nor parent.
Value char_table_own(Value table, int c);
Value copy_char_table(Context& cx, Value table);
// Like char_table_get, and tells the range around `c` with that value: on entry the limits that interest the
// caller, on exit *from..*to is the largest run inside them that holds `c` and has one value.
Value char_table_get_range(Value table, int c, int* from, int* to);

}  // namespace neovm::core
