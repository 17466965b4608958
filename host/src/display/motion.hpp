// Screen lines: where a window breaks the lines that are too long for it.
#pragma once

#include <vector>

#include "display/display.hpp"
#include "indent/columns.hpp"

namespace neomacs::host {

// The lines of a buffer, which must be current, as a window breaks them: after as many columns as its text area has, less one
// for the mark of a continued line, unless lines are truncated there. Invisible text takes no columns, and a newline in it ends
// no line. What a `display` property or an overlay's string would show instead is not measured.
class ScreenLines {
 public:
  ScreenLines(Context& cx, Buffer& b, Value window);
  // The start of the screen line COUNT below (negative: above) the one that FROM is in. When there are not so many: the end or
  // the beginning of the accessible text. *MOVED is how many lines that was, with COUNT's sign.
  Pos move(Pos from, std::int64_t count, std::int64_t* moved);

 private:
  // Where a screen line starts, and which columns its first character has.
  struct Start {
    Pos pos;
    std::int64_t column;   // on the screen: a tab may have gone over the edge
    std::int64_t skipped;  // columns of the line that stand on screen lines above
  };
  bool next(Start& at);  // false at the end of the text
  bool newline_hidden(Pos newline);
  Pos visible_line_start(Pos from);
  std::vector<Start> starts_until(Pos line, Pos last);  // of the line, up to the one that LAST is in

  Context& cx_;
  Buffer& b_;
  ColumnMeasure measure_;
  std::int64_t width_ = 0;      // 0: lines are not broken
  std::int64_t selective_ = 0;  // lines indented so far are hidden; 0: none are
  bool returns_end_ = false;    // a carriage return hides the rest of the line
};

}  // namespace neomacs::host
