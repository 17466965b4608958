// Overlays: the part that buffers and edits need.
//
// An overlay's ends are internal markers of the text, so they move with it; the two vectors of a buffer are
// kept ordered after each change (overlay_text_*).
#pragma once

#include "buffer/buffer.hpp"

namespace neomacs::host {

inline std::int64_t overlay_start(const Overlay& o) { return o.start.pos.chars; }
inline std::int64_t overlay_end(const Overlay& o) { return o.end.pos.chars; }
Overlay* overlay_raw(Value v);  // null when deleted. Precondition: is_overlay(v)
inline Value overlay_plist(Value v) { return host_slot_raw(v, 0); }

void overlay_text_inserted(Buffer& b, std::int64_t at, std::int64_t count);
void overlay_text_deleted(Buffer& b, std::int64_t at, std::int64_t count);
// Ends of overlays in [from, to] were moved one by one: turns inverted ones round and sorts the lists.
void fix_overlay_order(Buffer& b, std::int64_t from, std::int64_t to);
// Deletes empty overlays at `at` that have the evaporate property.
Maybe<bool> evaporate_overlays_re(Context& cx, Buffer& b, std::int64_t at);
// modification-hooks, insert-in-front-hooks, insert-behind-hooks of overlays touched by a change.
Maybe<bool> run_overlay_hooks_re(Context& cx, Buffer& b, std::int64_t from, std::int64_t to, bool after,
                                 std::int64_t old_length);
// A copy of `o` in another buffer with the same text.
void clone_overlay(Context& cx, Buffer& b, const Overlay& o);
void delete_overlay(Overlay* o);  // takes it out of its buffer
// Overlays containing the character at `pos` (or, with empty, also empty ones at it), in no particular order.
std::vector<Overlay*> overlays_covering(Buffer& b, std::int64_t pos);
// Overlays whose end is at `pos` (and that do not cover the character there).
std::vector<Overlay*> overlays_ending_at(Buffer& b, std::int64_t pos);
// Increasing priority as display sees it; window nil: overlays of any window are left out… only those that apply.
void sort_overlays(Context& cx, std::vector<Overlay*>& overlays, Value window);
std::int64_t next_overlay_change(const Buffer& b, std::int64_t pos);
std::int64_t previous_overlay_change(const Buffer& b, std::int64_t pos);

}  // namespace neomacs::host
