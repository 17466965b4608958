// Where events come from when there is no terminal: unread events, the keyboard macro being executed, standard input.
#pragma once

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

// The next event; kUnbound at the end of the keyboard macro. Sets last-input-event. May fail: end-of-file.
Value read_event_re(Context& cx);
// No event waits and standard input is at its end.
bool input_ended(Context& cx);
// Reads events until they are no prefix of a binding: *keys is their vector, *binding what they are bound to (nil:
// nothing). Returns nil at the end of the keyboard macro, else t; may fail.
Value read_keys_re(Context& cx, Value prompt, Value* keys, Value* binding);

}  // namespace neomacs::host
