// Primitives that call Lisp many times without nesting C++ frames: mapping, sorting, walking tables, hooks.
//
// Each is a frame with its state above it, and a step that runs between two calls. Every tier shares them: a
// loop that returns a value to such a frame calls continue_higher_order and does what it says.
#pragma once

#include "machine.hpp"

namespace neovm::elisp {

inline bool is_higher_order(FrameOp op) { return op >= FrameOp::kMapcar && op <= FrameOp::kHook; }
inline bool is_higher_order(std::uint8_t machine_id) {
  switch (machine_id) {
    case kRes_mapcar:
    case kRes_mapc:
    case kRes_mapcan:
    case kRes_mapconcat:
    case kRes_sort:
    case kRes_maphash:
    case kRes_run_hooks:
    case kRes_run_hook_with_args:
    case kRes_run_hook_until_success:
    case kRes_run_hook_until_failure:
    case kRes_run_hook_wrapped: return true;
    default: return false;
  }
}

// What they say, with m.fp and cx.sp in step: kApply: call m.val with the m.argc values that end at cx.sp; kReturn: done,
// the frame is gone, m.val is the value; kRaise, kSuspended: as of a loop.

// The primitive with this id is called with `argc` values at ARGS, the end of the stack.
Action begin_higher_order(Context& cx, Machine& m, std::uint8_t machine_id, Value* args, std::uint32_t argc);
// The function called last gave m.val to the frame m.fp.
Action continue_higher_order(Context& cx, Machine& m);
// Goes on after a suspension.
Action resume_higher_order(Context& cx, Machine& m);

}  // namespace neovm::elisp
