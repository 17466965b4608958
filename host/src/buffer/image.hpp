// What the image keeps of buffers, markers and overlays.
#pragma once

#include "buffer/buffer.hpp"

namespace neomacs::host {

Value save_buffer_state(Context& cx, void* state);
void restore_buffer_state(Context& cx, void* state, Value saved);
Value save_buffer_object(Context& cx, Value self);
void restore_buffer_object(Context& cx, Value self, Value saved);
// Looks the fixed slots up again: an isolate has no variables before its image is loaded.
void find_buffer_slots(Context& cx, BufferState& s);
// Puts a restored overlay back into its buffer.
void restore_overlay(Buffer& b, Value overlay, std::int64_t from, std::int64_t to);

}  // namespace neomacs::host
