#include "eval/register_calls.hpp"

namespace neovm::elisp {

Value call_primitive_re(Context& cx, const PrimitiveDescriptor* d, Value* args, std::uint32_t n) {
  const std::size_t depth = cx.bindings.size();
  Value v = call_subr(cx, d, args, n);
  if (!v.is_exit() && cx.bindings.size() != depth) v = unbind_to_re(cx, depth, v);
  return v;
}

Value call_opcode_re(Context& cx, Machine& m, unsigned opcode, Value a, Value b, Value c) {
  const BytePrimitive& p = m.byte_primitives[opcode];
  if (p.descriptor == nullptr) return unimplemented(cx, p.name);
  Value* const args = cx.sp;
  args[0] = a;
  args[1] = b;
  args[2] = c;
  cx.sp += 3;
  const Value v = call_primitive_re(cx, p.descriptor, args, p.arguments);
  cx.sp = args;
  return v;
}

}  // namespace neovm::elisp
