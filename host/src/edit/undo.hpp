// Records for buffer-undo-list (GNU's undo.c); `primitive-undo` itself is Lisp.
#pragma once

#include "buffer/buffer.hpp"

namespace neomacs::host {

// Each is called before the change it describes. They do nothing when undo is off (t).
Maybe<bool> record_insert_re(Context& cx, std::int64_t at, std::int64_t count);
Maybe<bool> record_delete_re(Context& cx, std::int64_t at, Value string, bool record_markers);
Maybe<bool> record_change_re(Context& cx, std::int64_t at, Value old_text);
Maybe<bool> record_property_change_re(Context& cx, std::int64_t from, std::int64_t to, Value property, Value value,
                                      Value object);
void record_first_change(Context& cx);
bool undo_enabled(Context& cx);
void undo_boundary(Context& cx);
// Remembers point, which the first record of the command that comes now may need.
void note_point_before_command(Context& cx);

}  // namespace neomacs::host
