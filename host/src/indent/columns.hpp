// How many columns text takes.
#pragma once

#include "buffer/buffer.hpp"

namespace neomacs::host {

// What a buffer's text is measured with.
struct ColumnMeasure {
  std::int64_t tab;
  bool arrow;    // control characters take two columns instead of four
  Value widths;  // char-width-table
  bool multibyte;
  bool hides;  // some text may be invisible
};
ColumnMeasure column_measure(Context& cx, Buffer& b);
// Columns of a character that is neither a tab nor a newline.
std::int64_t char_columns(const ColumnMeasure& m, int c);
// Whether the character at `pos` is hidden by its property `invisible`.
bool is_hidden_at(Context& cx, Buffer& b, std::int64_t pos);

}  // namespace neomacs::host
