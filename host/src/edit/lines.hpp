// Lines: searching newlines in buffer text.
#pragma once

#include "buffer/buffer.hpp"

namespace neomacs::host {

// Going forward from `from` over `count` newlines, but not past `limit`: the position after the last one found, or
// `limit`. `*missing` is how many were not there.
Pos after_newlines(Buffer& b, Pos from, Pos limit, std::int64_t count, std::int64_t* missing);
// Going backward: the position of (before) the `count`th newline before `from`, or `limit`.
Pos before_newlines(Buffer& b, Pos from, Pos limit, std::int64_t count, std::int64_t* missing);
// Beginning of the line that `from` is in, within the accessible portion; and its end.
Pos line_start(Buffer& b, Pos from);
Pos line_end(Buffer& b, Pos from);
// forward-line from a place: where it ends up; `*shortage` as the primitive returns it.
Pos move_lines(Buffer& b, Pos from, std::int64_t lines, std::int64_t* shortage);
// How many newlines lie between two character positions, FIRST <= LAST.
std::int64_t newlines_between(const Buffer& b, std::int64_t first, std::int64_t last);
// The column of a place, from 0, as current-column counts.
std::int64_t column_of(Context& cx, Buffer& b, Pos place);

// constrain-to-field for C++ users: NEW for a motion that started at OLD.
Maybe<std::int64_t> constrain_to_field(Context& cx, std::int64_t target, std::int64_t origin, bool escape_from_edge,
                                       bool only_in_line, Value inhibit_capture);

}  // namespace neomacs::host
