// What the register loop does at a call and need not do in line: parameters, primitives, counting.
#pragma once

#include "eval/machine.hpp"
#include "eval/tiers.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

// Room beyond the registers for what a frame pushes: records of failing calls, arguments of calls.
inline constexpr int kHeadroom = 320;

// Moves the arguments of a call, named by auxiliary words, to `to`.
inline void gather(Value* to, const Value* regs, const core::bytecode::Word* words, unsigned n) {
  for (unsigned i = 0; i < n; i += 4) {
    core::bytecode::Word w = words[i / 4];
    for (unsigned k = i; k < n && k < i + 4; ++k, w >>= 8) to[k] = regs[w & 0xFF];
  }
}

// What `type-of` says of a record; kUnbound for anything else, and for the records that describe classes.
inline Value type_of_record(Value v) {
  if (!v.is_object() || header_raw(v)->kind != ObjectKind::kRecord) return kUnbound;
  const Value type = slot_raw(v, 0);
  return type.is_object() ? kUnbound : type;
}

// Gives the frame on top, whose n arguments lie below it, its registers. kExit: an error is recorded.
Value bind_registers(Context& cx, Frame* f, const FunctionState& s);
// Calls a primitive that may leave bindings behind, and takes them off.
Value call_primitive_re(Context& cx, const PrimitiveDescriptor* d, Value* args, std::uint32_t n);
// The general case of an instruction, by the primitive of GNU's opcode: its arguments go to the end of the stack.
Value call_opcode_re(Context& cx, Machine& m, unsigned opcode, Value a, Value b = kNil, Value c = kNil);

// With TierOptions::count: the instruction at PC begins.
inline void count_instruction(Tiers& tiers, const FunctionState* s, const core::bytecode::Word* pc) {
  ++tiers.statistics.instructions[*pc & 0xFF];
  if (s->executed) ++s->executed[pc - s->own_words.get()];
}
// The call site at PC goes without its cache.
inline void count_miss(const FunctionState* s, const core::bytecode::Word* pc) {
  if (s->missed) ++s->missed[pc - s->own_words.get()];
}

}  // namespace neovm::elisp
