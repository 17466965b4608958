// A real minibuffer: what reading does while a keyboard macro plays the user.
#pragma once

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

// Buffers of the active minibuffers, the innermost first; a list.
Value active_minibuffers(Context& cx);
// Reads in a minibuffer of its own; the text that was there when the edit was left. Quits and errors pass.
Value read_in_minibuffer_re(Context& cx, Value prompt, Value initial, Value keymap, Value history);

}  // namespace neomacs::host
