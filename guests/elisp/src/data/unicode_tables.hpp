// Char-tables of Unicode properties (char-code-property-table), whose leaves may be compressed strings.
#pragma once

#include "neovm/abi/api.hpp"
#include "neovm/core/char_table.hpp"

namespace neovm::elisp {

inline bool is_unicode_table(Value table) {
  return slot_raw(table, kCharTablePurpose) == Qchar_code_property_table &&
         slot_count_raw(table) == kCharTableExtras + 5;
}
// char_table_get, with the leaf of a Unicode property table expanded first.
Value char_table_value(Context& cx, Value table, int c);
// Expands the compressed leaves that lie in [from, to], before they are written.
Maybe<bool> expand_for_write(Context& cx, Value table, int from, int to);

}  // namespace neovm::elisp
