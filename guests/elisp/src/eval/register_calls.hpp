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
// Tail calls (tail_calls.cpp). The frame on top goes, and under it the records of `funcall` and `apply` that only wait to hand
// its value on; the caller has undone its bindings. The arguments are registers of it.
// What run_frames shall do then: apply FUNCTION.
Action tail_apply(Context& cx, Machine& m, Value function, const core::bytecode::Word* args, unsigned n);
// The frame of a call of FUNCTION instead, whose register code takes just these arguments. Null: an error is recorded, and
// the frame is still there.
Frame* tail_enter(Context& cx, Machine& m, Value called, Value function, FunctionState* state,
                  const core::bytecode::Word* args, unsigned n);
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

// The cache of the quickened call W does not fit any more.
inline void forget_call(Tiers& tiers, const CallCache& cache, core::bytecode::Word w) {
  if (cache.key != CallCache::kEmpty) {
    ++tiers.statistics.invalidations[w & 0xFF];
  } else {
    ++tiers.statistics.cleared_calls;
  }
}

// The lookup at PC was made; `missed`: not where its site remembered.
inline void count_lookup(Tiers& tiers, const FunctionState* s, const core::bytecode::Word* pc, bool missed) {
  if (!missed) return;
  ++tiers.statistics.lookup_misses;
  count_miss(s, pc);
}
// The site at PC sees SHAPE, a number other than 0.
inline void count_shape(const FunctionState* s, const core::bytecode::Word* pc, std::uint64_t shape) {
  if (s->shapes) s->shapes[pc - s->own_words.get()].note(shape);
}
// What a call of a value sees: the code of closures, whatever they hold; otherwise the value.
inline std::uint64_t shape_of_function(Value f) { return is_byte_code(f) ? state_number(f) : f.bits(); }

// Of arithmetic: fixnums, floats, one of each, anything else.
enum NumberShape : std::uint64_t { kFixnums = 1, kFloats, kMixed, kOtherNumbers };
inline NumberShape shape_of_numbers(Value a, Value b) {
  if (a.is_fixnum() && b.is_fixnum()) return kFixnums;
  if (a.is_float() && b.is_float()) return kFloats;
  return (a.is_float() || a.is_fixnum()) && (b.is_float() || b.is_fixnum()) ? kMixed : kOtherNumbers;
}

// Both as floats, when at least one is a float and the other one or a fixnum.
inline bool as_floats(Value a, Value b, double* x, double* y) {
  if (a.is_float()) {
    *x = float_raw(a);
    if (b.is_float()) {
      *y = float_raw(b);
    } else if (b.is_fixnum()) {
      *y = static_cast<double>(b.as_fixnum());
    } else {
      return false;
    }
    return true;
  }
  if (!b.is_float() || !a.is_fixnum()) return false;
  *x = static_cast<double>(a.as_fixnum());
  *y = float_raw(b);
  return true;
}
// The same for a comparison, which is exact: no fixnums that a float may not be able to tell from their neighbours.
inline bool as_comparable_floats(Value a, Value b, double* x, double* y) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  const Value n = a.is_fixnum() ? a : b;
  if (n.is_fixnum() && (n.as_fixnum() > kExact || n.as_fixnum() < -kExact)) return false;
  return as_floats(a, b, x, y);
}

}  // namespace neovm::elisp
