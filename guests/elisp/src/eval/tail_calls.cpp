// Tail calls: the callee's frame takes the place of the caller's, so that a loop of calls runs in constant space.
#include <algorithm>

#include "eval/register_calls.hpp"

namespace neovm::elisp {

namespace {

// Where the stack of the caller's caller ends, when the register frame on top goes. Sets m.fp.
Value* drop_frame(Context& cx, Machine& m) {
  Value* base = nullptr;
  Frame* f = m.fp;
  do {
    if ((f->flags & kRecordAny) != 0) --cx.eval_depth;
    base = (f->flags & kRecordBelow) != 0 ? f->below() : reinterpret_cast<Value*>(f);
    f = f->previous();
  } while (f->op == FrameOp::kCalled);
  m.fp = f;
  return base;
}

}  // namespace

Action tail_apply(Context& cx, Machine& m, Value function, const core::bytecode::Word* args, unsigned n) {
  Value* const gathered = cx.sp;  // the registers may lie where the arguments go
  gather(gathered, m.fp->above(), args, n);
  Value* const base = drop_frame(cx, m);
  cx.sp = std::copy(gathered, gathered + n, base);
  m.val = function;
  m.argc = n;
  return Action::kApply;
}

Frame* tail_enter(Context& cx, Machine& m, Value called, Value function, FunctionState* state,
                  const core::bytecode::Word* args, unsigned n) {
  // From the old frame there is never more room than from where the new one begins; and it is no deeper, unless the limit
  // has become smaller.
  if (cx.sp + kFrameWords + state->registers + kHeadroom > cx.stack_limit) [[unlikely]] {
    stack_exceeded(cx);
    return nullptr;
  }
  if (cx.eval_depth > m.max_depth->value.as_fixnum() && depth_exceeded(cx, m)) [[unlikely]]
    return nullptr;
  Value* const gathered = cx.sp;
  gather(gathered, m.fp->above(), args, n);
  auto* const f = reinterpret_cast<Frame*>(drop_frame(cx, m));
  ++cx.eval_depth;
  Value* const to = f->above();
  std::copy(gathered, gathered + n, to);
  std::fill(to + n, to + state->registers, kNil);
  f->zero = 0;
  f->op = FrameOp::kRegister;
  f->flags = kRecordAbove;
  f->aux = 0;
  f->n = n;
  f->prev_bytes = static_cast<std::uint32_t>(reinterpret_cast<char*>(f) - reinterpret_cast<char*>(m.fp));
  f->bindings = static_cast<std::uint32_t>(cx.bindings.size());
  f->form = called;
  f->rest = Value::from_bits(reinterpret_cast<std::uint64_t>(state->words));
  f->env = Value::from_bits(reinterpret_cast<std::uint64_t>(state));
  f->fn = function;
  cx.sp = to + state->registers;
  m.fp = f;
  return f;
}

}  // namespace neovm::elisp
