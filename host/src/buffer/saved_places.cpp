// What save-excursion, save-restriction and save-current-buffer leave on the binding stack.
//
// Each saved place is a slot of a pool holding internal markers; its index travels as a fixnum, so the hot
// special forms allocate nothing on the Lisp heap.
#include "buffer/saved_places.hpp"

namespace neomacs::host {

namespace {

std::uint32_t take_slot(BufferState& s) {
  if (s.free_saved_places.empty()) {
    s.saved_places.push_back(std::make_unique<SavedPlace>());
    return static_cast<std::uint32_t>(s.saved_places.size() - 1);
  }
  const std::uint32_t i = s.free_saved_places.back();
  s.free_saved_places.pop_back();
  return i;
}

void release_slot(BufferState& s, std::uint32_t i) {
  SavedPlace& p = *s.saved_places[i];
  detach_marker(p.point);
  detach_marker(p.end);
  s.free_saved_places.push_back(i);
}

void restore_excursion(Context& cx, Value data) {
  BufferState& s = buffers(cx);
  const auto i = static_cast<std::uint32_t>(data.as_fixnum());
  const SavedPlace& p = *s.saved_places[i];
  if (Buffer* b = p.point.buffer) {
    set_current_buffer(cx, *b);
    set_point(*b, clip(*b, p.point.pos.chars));
  }
  release_slot(s, i);
}

void restore_restriction(Context& cx, Value data) {
  BufferState& s = buffers(cx);
  const auto i = static_cast<std::uint32_t>(data.as_fixnum());
  const SavedPlace& p = *s.saved_places[i];
  if (Buffer* b = p.point.buffer) {
    if (p.restriction) {
      b->begin = p.point.pos;
      b->end = p.end.pos;
      if (b->point.chars < b->begin.chars) b->point = b->begin;
      if (b->point.chars > b->end.chars) b->point = b->end;
    } else {
      b->begin = {};
      b->end = b->text->end();
    }
  }
  release_slot(s, i);
}

void restore_buffer(Context& cx, Value data) {
  Buffer& b = buffer_raw(data);
  if (b.live) set_current_buffer(cx, b);
}

}  // namespace

void record_save_excursion(Context& cx) {
  BufferState& s = buffers(cx);
  const std::uint32_t i = take_slot(s);
  attach_marker(s.saved_places[i]->point, *s.current, s.current->point, false);
  record_unwind(cx, restore_excursion, Value::fixnum(i));
}

void record_save_restriction(Context& cx) {
  BufferState& s = buffers(cx);
  const std::uint32_t i = take_slot(s);
  SavedPlace& p = *s.saved_places[i];
  Buffer& b = *s.current;
  p.restriction = b.narrowed();
  attach_marker(p.point, b, b.begin, false);
  if (p.restriction) attach_marker(p.end, b, b.end, true);
  record_unwind(cx, restore_restriction, Value::fixnum(i));
}

void record_save_current_buffer(Context& cx) { record_unwind(cx, restore_buffer, current_buffer(cx).self); }

}  // namespace neomacs::host
