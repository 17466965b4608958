// The interpreter of register bytecode (T1): one function with a label for each opcode, which share its registers.
//
// Rules of this file:
//  1. m.fp and cx.sp are right all the time: sp is the end of the frame's registers. Errors can be recorded and
//     primitives called without further ado.
//  2. Registers, arguments first, lie above the frame and all hold Values from the start, so that a collection at any
//     place sees a sound frame. Constants vectors move: RELOAD() follows everything that may have collected.
//  3. A suspended frame has its next word's address in `rest` (it looks like a fixnum), the register that waits for a
//     value in `aux`, and its FunctionState in `env`.
//  4. A call of a function that has register code stays in this loop, one of a plain primitive too; all else is run_frames'
//     business, which comes back with the value.
//  5. Only this isolate's copy of the words is written (quickening): the opcode byte of a call site.
// This file is the loop and nothing else: one function whose labels share its registers. What a call site remembers is
// inline_cache.cpp, how a frame gets its registers parameters.cpp, the rest of a call register_calls.hpp.
#include <algorithm>

#include "eval/higher_order.hpp"
#include "eval/inline_cache.hpp"
#include "eval/lookup_cache.hpp"
#include "eval/machine.hpp"
#include "eval/register_calls.hpp"
#include "eval/source.hpp"
#include "eval/tiers.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/array_list.hpp"
#include "neovm/core/hash_chains.hpp"
#include "neovm/core/op_families.hpp"

namespace neovm::elisp {

namespace {

using core::bytecode::a_of;
using core::bytecode::b_of;
using core::bytecode::c_of;
using core::bytecode::jump_of;
using core::bytecode::Op;
using core::bytecode::wide_of;
using core::bytecode::Word;

// Lists as long as this are walked in line.
constexpr int kShortList = 256;

inline Value pointer_word(const void* p) { return Value::from_bits(reinterpret_cast<std::uint64_t>(p)); }
inline const Word* word_address(Value v) { return reinterpret_cast<const Word*>(v.bits()); }
inline FunctionState* state_of_frame(const Frame* f) { return reinterpret_cast<FunctionState*>(f->env.bits()); }

}  // namespace

#define R(n)     regs[n]
#define A        R(a_of(w))
#define B        R(b_of(w))
#define C        R(c_of(w))
#define RELOAD() (consts = slots_raw(slot_raw(fp->fn, 2))->slots)
#define NEXT()                                                                  \
  do {                                                                          \
    w = *pc++;                                                                  \
    if constexpr (kCount) count_instruction(tiers, state_of_frame(fp), pc - 1); \
    goto* kLabels[w & 0xFF];                                                    \
  } while (false)
// The safepoint of loops.
#define POLL()                                                                          \
  do {                                                                                  \
    if (countdown.tick()) [[unlikely]] {                                                \
      fp->rest = pointer_word(pc);                                                      \
      const Value verdict_ = poll_slow(cx, m);                                          \
      if (verdict_.is_exit()) return Action::kRaise;                                    \
      if (verdict_ == kSuspended) return leave_to_resume(m, Action::kRegisterContinue); \
      RELOAD();                                                                         \
    }                                                                                   \
  } while (false)
#define RAISE(expr)        \
  do {                     \
    (void)(expr);          \
    return Action::kRaise; \
  } while (false)
// With TierOptions::count: the site at `pc_` sees this.
#define SHAPE(pc_, shape_)                                                  \
  do {                                                                      \
    if constexpr (kCount) count_shape(state_of_frame(fp), (pc_), (shape_)); \
  } while (false)
// … and what it does not do itself is done by a primitive.
#define COUNT_MISS()                                              \
  do {                                                            \
    if constexpr (kCount) count_miss(state_of_frame(fp), pc - 1); \
  } while (false)
#define SIGNED(v) static_cast<std::int64_t>((v).bits())
#define WORD(n)   Value::from_bits(static_cast<std::uint64_t>(n))

namespace {

template <bool kCount>
Action run_loop(Context& cx, Machine& m, Action action) {
  static const void* const kLabels[core::bytecode::kOpCount] = {
#define X(name, operands, effects) &&op_##name,
#include "neovm/core/bytecode/opcodes.def"
#undef X
  };
  core::Countdown& countdown = cx.heap().countdown();
  Tiers& tiers = *m.tiers;
  Frame* fp = m.fp;
  Value* regs = fp->above();
  const Value* consts = nullptr;
  const Word* pc = nullptr;
  Word w = 0;
  // Of a call being made.
  Value function = kNil;
  Value called = kNil;
  unsigned n = 0;
  const Word* args = nullptr;
  FunctionState* state = nullptr;
  const PrimitiveDescriptor* primitive = nullptr;
  std::uint32_t kind = 0;
  std::size_t bindings_before = 0;

  switch (action) {
    case Action::kRegister: goto enter_below;
    case Action::kRegisterResume: R(fp->aux) = m.val; break;
    default: break;
  }
  RELOAD();
  pc = word_address(fp->rest);
  NEXT();

  // ---- entering ----------------------------------------------------------------------------------------------------

enter_below : {  // fp: a fresh frame with its arguments below it
  state = tiers.state(state_number(fp->fn));
  const Value closed = fp->env;  // of an interpreted function
  fp->op = FrameOp::kRegister;
  fp->env = pointer_word(state);
  pc = state->words;
  fp->rest = pointer_word(pc);
  regs = fp->above();
  if (bind_registers(cx, fp, *state).is_exit()) return Action::kRaise;
  if (state->source != nullptr) {
    R(state->parameters) = closed;
    R(state->parameters + 1) = Value::fixnum(cx.eval_depth);
  }
  RELOAD();
  NEXT();
}

op_call:
  called = function = C;
  SHAPE(pc - 1, shape_of_function(function));
  n = b_of(w);
  args = pc;
  pc += (n + 3) / 4;
  goto call_value;

op_call_global:
  called = function = consts[*pc & 0xFFFF];
  n = b_of(w);
  args = pc + 1;
  pc = args + (n + 3) / 4;
call_value : {
  if (function.has_tag(Tag::kSymbol)) {
    function = cx.cells(function).function;
    if (function.is_symbol() && !function.is_nil()) {
      const Value target = function;
      function = resolve_function(cx, target);
      if ((w & 0xFF) == static_cast<unsigned>(Op::call_global)) {
        CallCache* const cache = state_of_frame(fp)->caches + (args[-1] >> 16);
        if constexpr (kCount) count_miss(state_of_frame(fp), args - 2);
        if (fill_alias(cx, tiers, cache, called, target, function) == Op::call_alias)
          const_cast<Word*>(args)[-2] = (w & ~Word{0xFF}) | static_cast<Word>(Op::call_alias);
      }
    } else if ((w & 0xFF) == static_cast<unsigned>(Op::call_global)) {
      // Through one cell: the site may remember what it holds.
      CallCache* const cache = state_of_frame(fp)->caches + (args[-1] >> 16);
      if constexpr (kCount) count_miss(state_of_frame(fp), args - 2);
      const Op op = fill_cache(cx, m, cache, called, function, args - 2);
      if (op != Op::call_global) {
        const_cast<Word*>(args)[-2] = (w & ~Word{0xFF}) | static_cast<Word>(op);
      }
    }
  }
}
call_function : {  // no symbol
  if (function.is_object()) {
    const ObjectKind kind = header_raw(function)->kind;
    if (kind == ObjectKind::kByteCode) {
      state = tiers.state(state_number(function));
      if (state->exact_arguments == n) goto enter_exact;
      if (state->words != nullptr && !state->refused) {
        goto adjust;
      }
    } else if (kind == ObjectKind::kSubr) {
      const auto* subr = function.as_pointer<SubrObject>();
      const PrimitiveDescriptor* d = subr->descriptor;
      if (subr->header.aux == kNotMachine && n >= static_cast<unsigned>(d->min_args) &&
          (d->max_args < 0 || n <= static_cast<unsigned>(d->max_args)) && !d->is_special_form()) [[likely]] {
        primitive = d;
        goto call_descriptor;
      }
      if (subr->header.aux == kRes_apply && n >= 2) goto spread;
    }
  } else if (function.is_cons() && (car_raw(function) == Qlambda || car_raw(function) == Qclosure)) {
    goto call_definition;
  }
apply_outside:
  fp->rest = pointer_word(pc);
  fp->aux = static_cast<std::uint8_t>(a_of(w));
  gather(cx.sp, regs, args, n);
  cx.sp += n;
  m.val = called;
  m.argc = n;
  return Action::kApply;
}

adjust : {  // optional, rest or dynamic parameters: the arguments go below the frame
  if (++cx.eval_depth > m.max_depth->value.as_fixnum()) [[unlikely]] {
    if (depth_exceeded(cx, m)) {
      --cx.eval_depth;
      return Action::kRaise;
    }
  }
  fp->rest = pointer_word(pc);
  fp->aux = static_cast<std::uint8_t>(a_of(w));
  gather(cx.sp, regs, args, n);
  cx.sp += n;
  goto push_below;
}

push_below : {  // the n arguments end at sp
  auto* f = reinterpret_cast<Frame*>(cx.sp);
  f->zero = 0;
  f->op = FrameOp::kByteCode;
  f->flags = kRecordBelow;
  f->aux = 0;
  f->n = n;
  f->prev_bytes = static_cast<std::uint32_t>(reinterpret_cast<char*>(f) - reinterpret_cast<char*>(fp));
  f->bindings = static_cast<std::uint32_t>(cx.bindings.size());
  f->form = called;
  f->rest = f->env = Value::fixnum(0);
  f->fn = function;
  cx.sp = f->above();
  m.fp = fp = f;
  if (countdown.tick()) [[unlikely]] {
    const Value verdict = poll_slow(cx, m);
    if (verdict.is_exit()) return Action::kRaise;
    if (verdict == kSuspended) return leave_to_resume(m, Action::kByteCode);
  }
  goto enter_below;
}

call_descriptor : {  // of a plain primitive that takes so many arguments
  if (++cx.eval_depth > m.max_depth->value.as_fixnum()) [[unlikely]] {
    if (depth_exceeded(cx, m)) {
      --cx.eval_depth;
      return Action::kRaise;
    }
  }
  Value* const area = cx.sp;
  gather(area, regs, args, n);
  cx.sp += n;
  fp->rest = pointer_word(pc);
  fp->aux = static_cast<std::uint8_t>(a_of(w));
  const std::size_t depth = cx.bindings.size();
  Value v = kNil;
  if (primitive->reentry == Reentry::kNoReentry) {
    v = call_subr(cx, primitive, area, n);
    if (v.is_exit() || cx.bindings.size() != depth) [[unlikely]] {
      push_called_frame(cx, m, called, n);
      if (v.is_exit() || unbind_to_re(cx, depth, v).is_exit()) return Action::kRaise;
      m.fp = fp;
    }
  } else {
    push_called_frame(cx, m, called, n);
    v = call_primitive_re(cx, primitive, area, n);
    if (v.is_exit()) return Action::kRaise;
    m.fp = fp;
    RELOAD();
  }
  --cx.eval_depth;
  cx.sp = area;
  A = v;
  NEXT();
}

#define CACHED_CALL()                                                                             \
  called = consts[*pc & 0xFFFF];                                                                  \
  CallCache& cache = state_of_frame(fp)->caches[*pc >> 16];                                       \
  if (cache.key != called.bits() || cache.cell->function_version != cache.version) [[unlikely]] { \
    goto forget;                                                                                  \
  }                                                                                               \
  n = b_of(w)
#define PAST_ARGUMENTS() (args = pc + 1, pc = args + (n + 3) / 4)

op_call_code_adjusted : {
  CACHED_CALL();
  state = cache.code;
  if (state->words == nullptr) [[unlikely]]
    goto forget;
  function = cache.cell->function;
  PAST_ARGUMENTS();
  goto adjust;
}
op_call_alias : {
  called = consts[*pc & 0xFFFF];
  CallCache& cache = state_of_frame(fp)->caches[*pc >> 16];
  if (cache.key != called.bits() || !alias_holds(cache)) [[unlikely]]
    goto forget;
  n = b_of(w);
  PAST_ARGUMENTS();
  function = cache.target->function;
  goto call_function;
}
op_call_reentrant : {
  CACHED_CALL();
  primitive = cache.primitive;
  PAST_ARGUMENTS();
  goto call_descriptor;
}
op_call_applied : {
  CACHED_CALL();
  PAST_ARGUMENTS();
  function = cache.cell->function;
  if (function.is_cons()) goto call_definition;
  if (function.as_pointer<SubrObject>()->header.aux == kRes_apply && n >= 2) goto spread;
  goto apply_outside;
}

  // `apply` of a function that has register code, to a list that is not long: what run_frames would do, but here.
spread : {
  const Value target = R(args[0] & 0xFF);
  Value code = target;
  if (code.has_tag(Tag::kSymbol)) code = cx.cells(code).function;
  if (!is_byte_code(code) || tiers.state(state_number(code))->words == nullptr) goto apply_outside;
  const Value elements = R(args[(n - 1) / 4] >> ((n - 1) % 4 * 8) & 0xFF);
  unsigned length = 0;
  Value l = elements;
  for (; l.is_cons() && length < kHeadroom / 4; l = cdr_raw(l)) ++length;
  if (!l.is_nil() || cx.eval_depth + 2 > m.max_depth->value.as_fixnum() ||
      cx.sp + 2 * n + length + kHeadroom > cx.stack_limit)
    goto apply_outside;
  fp->rest = pointer_word(pc);
  fp->aux = static_cast<std::uint8_t>(a_of(w));
  gather(cx.sp, regs, args, n);
  cx.sp += n;
  push_called_frame(cx, m, called, n);
  cx.eval_depth += 2;
  fp = m.fp;
  Value* const given = fp->below();
  if (length == 1) {  // it takes the list's place, in the backtrace as well
    given[n - 1] = car_raw(elements);
    for (unsigned i = 1; i < n; ++i) *cx.sp++ = given[i];
    --n;
  } else {
    for (unsigned i = 1; i < n - 1; ++i) *cx.sp++ = given[i];
    for (l = elements; l.is_cons(); l = cdr_raw(l)) *cx.sp++ = car_raw(l);
    n += length - 2;
  }
  called = target;
  function = code;
  goto push_below;
}

op_call_code : {
  CACHED_CALL();
  if (cache.code->exact_arguments != n) [[unlikely]]
    goto forget;
  function = cache.cell->function;
  state = cache.code;
  PAST_ARGUMENTS();
  goto enter_exact;
}

enter_exact : {  // `state` takes just these n arguments
  if (++cx.eval_depth > m.max_depth->value.as_fixnum()) [[unlikely]] {
    if (depth_exceeded(cx, m)) {
      --cx.eval_depth;
      return Action::kRaise;
    }
  }
  auto* const f = reinterpret_cast<Frame*>(cx.sp);
  Value* const to = f->above();
  Value* const end = to + state->registers;
  if (end + kHeadroom > cx.stack_limit) [[unlikely]] {
    --cx.eval_depth;
    RAISE(stack_exceeded(cx));
  }
  fp->rest = pointer_word(pc);
  fp->aux = static_cast<std::uint8_t>(a_of(w));
  f->zero = 0;
  f->op = FrameOp::kRegister;
  f->flags = kRecordAbove;
  f->aux = 0;
  f->n = n;
  f->prev_bytes = static_cast<std::uint32_t>(reinterpret_cast<char*>(f) - reinterpret_cast<char*>(fp));
  f->bindings = static_cast<std::uint32_t>(cx.bindings.size());
  f->form = called;
  pc = state->words;
  f->rest = pointer_word(pc);
  f->env = pointer_word(state);
  f->fn = function;
  gather(to, regs, args, n);
  for (Value* p = to + n; p < end; ++p) *p = kNil;
  cx.sp = end;
  m.fp = fp = f;
  regs = to;
}
entered : {  // calls can go on for ever: a safepoint
  if (countdown.tick()) [[unlikely]] {
    const Value verdict = poll_slow(cx, m);
    if (verdict.is_exit()) return Action::kRaise;
    if (verdict == kSuspended) return leave_to_resume(m, Action::kRegisterContinue);
  }
  RELOAD();
  NEXT();
}

  // A call whose cache does not fit any more is an ordinary one again.
forget:
  forget_call(tiers, state_of_frame(fp)->caches[*pc >> 16], w);
  const_cast<Word*>(pc)[-1] = w = (w & ~Word{0xFF}) | static_cast<Word>(Op::call_global);
  goto op_call_global;

#define CACHED_PRIMITIVE()                                             \
  CACHED_CALL();                                                       \
  if (cx.eval_depth + 1 > m.max_depth->value.as_fixnum()) [[unlikely]] \
    goto op_call_global;                                               \
  bindings_before = cx.bindings.size();                                \
  [[maybe_unused]] const PrimitiveDescriptor* const d = cache.primitive
  // The value is there: what is left of a call of a primitive of n arguments.
#define PRIMITIVE_DONE(v, n_, words)                                         \
  if ((v).is_exit() || cx.bindings.size() != bindings_before) [[unlikely]] { \
    n = (n_);                                                                \
    args = pc + 1;                                                           \
    pc += (words);                                                           \
    m.val = (v);                                                             \
    goto primitive_failed;                                                   \
  }                                                                          \
  A = (v);                                                                   \
  pc += (words);                                                             \
  NEXT()

op_call_primitive1 : {
  CACHED_PRIMITIVE();
  const Value v = d->fn.f1(cx, R(pc[1] & 0xFF));
  PRIMITIVE_DONE(v, 1, 2);
}
op_call_primitive2 : {
  CACHED_PRIMITIVE();
  const Word x = pc[1];
  const Value v = d->fn.f2(cx, R(x & 0xFF), R(x >> 8 & 0xFF));
  PRIMITIVE_DONE(v, 2, 2);
}
op_call_primitive3 : {
  CACHED_PRIMITIVE();
  const Word x = pc[1];
  const Value v = d->fn.f3(cx, R(x & 0xFF), R(x >> 8 & 0xFF), R(x >> 16 & 0xFF));
  PRIMITIVE_DONE(v, 3, 2);
}
op_call_primitive : {
  CACHED_PRIMITIVE();
  const unsigned count = b_of(w);
  gather(cx.sp, regs, pc + 1, count);
  const Value v = call_subr(cx, d, cx.sp, count);
  PRIMITIVE_DONE(v, count, 1 + (count + 3) / 4);
}
op_call_gethash : {
  CACHED_PRIMITIVE();
  const Word x = pc[1];
  const Value table = R(x >> 8 & 0xFF);
  if (!is_hash_table(table) || core::hash_test_raw(table) == HashTest::kUser) [[unlikely]] {
    if constexpr (kCount) count_lookup(tiers, state_of_frame(fp), pc - 1, true);
    primitive = m.gethash;
    PAST_ARGUMENTS();
    goto call_descriptor;
  }
  bool missed = false;
  Value v = look_up(cx, tiers.lookup_hints, &cache, table, R(x & 0xFF), &missed);
  if constexpr (kCount) count_lookup(tiers, state_of_frame(fp), pc - 1, missed);
  if (v.is_unbound()) v = b_of(w) == 3 ? R(x >> 16 & 0xFF) : kNil;
  PRIMITIVE_DONE(v, b_of(w), 2);
}
op_call_puthash : {
  CACHED_PRIMITIVE();
  const Word x = pc[1];
  const Value table = R(x >> 16 & 0xFF);
  if (!is_hash_table(table) || core::hash_test_raw(table) == HashTest::kUser) goto op_call_reentrant;
  const Value v = core::put_entry(cx, table, R(x & 0xFF), R(x >> 8 & 0xFF));
  PRIMITIVE_DONE(v, 3, 2);
}
op_call_assoc : {  // keys that are `equal` when they are the same object, or strings of the same characters
  CACHED_CALL();
  const Word x = pc[1];
  const Value key = R(x & 0xFF);
  const bool text = key.is_string();
  if (text || !key.is_heap() || key.has_tag(Tag::kSymbol)) [[likely]] {
    Value l = R(x >> 8 & 0xFF);
    for (int i = 0; l.is_cons() && i < kShortList; ++i, l = cdr_raw(l)) {
      const Value entry = car_raw(l);
      if (!entry.is_cons()) continue;
      const Value k = car_raw(entry);
      if (k == key || (text && k.is_string() && string_equal(k, key))) {
        A = entry;
        pc += 2;
        NEXT();
      }
    }
    if (l.is_nil()) {
      A = kNil;
      pc += 2;
      NEXT();
    }
  }
  primitive = cache.primitive;
  PAST_ARGUMENTS();
  goto call_descriptor;
}
op_call_type_of : {
  CACHED_PRIMITIVE();
  const Value type = type_of_record(R(pc[1] & 0xFF));
  if (type.is_unbound()) goto op_call_primitive1;
  SHAPE(pc - 1, type.bits());
  A = type;
  pc += 2;
  NEXT();
}
op_check_type : {  // type-of, varref, memq
  CACHED_PRIMITIVE();
  const Value type = type_of_record(R(pc[1] & 0xFF));
  const Value symbol = consts[wide_of(pc[2])];
  if (type.is_unbound() || !symbol.is_symbol()) goto op_call_primitive1;
  const SymbolCells& c = cx.cells(symbol);
  const Value types = c.value;
  if (c.redirect != kPlain || !types.is_list()) goto op_call_primitive1;
  Value l = types;
  for (int i = 0; l.is_cons() && car_raw(l) != type; l = cdr_raw(l))
    if (++i == kShortList) break;
  if (l.is_cons() ? car_raw(l) != type : !l.is_nil()) goto op_call_primitive1;
  SHAPE(pc - 1, type.bits());
  A = type;
  R(a_of(pc[2])) = types;
  R(a_of(pc[3])) = l;
  pc += 4;
  NEXT();
}
primitive_failed : {  // or it has left bindings: the call gets its record only now that somebody may look
  ++cx.eval_depth;
  Value* const area = cx.sp;
  gather(area, regs, args, n);
  cx.sp += n;
  fp->rest = pointer_word(pc);
  fp->aux = static_cast<std::uint8_t>(a_of(w));
  push_called_frame(cx, m, called, n);
  if (m.val.is_exit()) return Action::kRaise;
  const Value v = unbind_to_re(cx, bindings_before, m.val);
  if (v.is_exit()) return Action::kRaise;
  m.fp = fp;
  cx.sp = area;
  --cx.eval_depth;
  RELOAD();
  A = v;
  NEXT();
}

  // The callee's frame takes the place of this one: tail_calls.cpp.
op_tail_call:
op_tail_call_global : {
  const bool global = static_cast<Op>(w & 0xFF) != Op::tail_call;
  if (cx.bindings.size() != fp->bindings) [[unlikely]] {
    fp->rest = pointer_word(pc);
    if (unbind_to_re(cx, fp->bindings, kNil).is_exit()) return Action::kRaise;
    RELOAD();
  }
  called = function = global ? consts[*pc & 0xFFFF] : A;
  n = b_of(w);
  args = global ? pc + 1 : pc;
  if (!global) {
    SHAPE(pc - 1, shape_of_function(function));
  } else {
    COUNT_MISS();
  }
  if (function.has_tag(Tag::kSymbol)) {
    function = cx.cells(function).function;
    if (function.is_symbol() && !function.is_nil()) function = resolve_function(cx, function);
  }
  if (is_byte_code(function)) {
    state = tiers.state(state_number(function));
    if (state->exact_arguments == n) {
      CallCache* const cache = global ? state_of_frame(fp)->caches + (*pc >> 16) : nullptr;
      if (global && called.has_tag(Tag::kSymbol) && cx.cells(called).function == function &&
          fill_cache(cx, m, cache, called, function, pc - 1) == Op::call_code)
        const_cast<Word*>(pc)[-1] = (w & ~Word{0xFF}) | static_cast<Word>(Op::tail_code);
      goto tail_exact;
    }
  }
  fp->rest = pointer_word(pc);
  return tail_apply(cx, m, called, args, n);
}
op_tail_code : {
  CallCache& cache = state_of_frame(fp)->caches[*pc >> 16];
  called = consts[*pc & 0xFFFF];
  n = b_of(w);
  if (cx.bindings.size() != fp->bindings) goto op_tail_call_global;
  if (cache.key != called.bits() || cache.cell->function_version != cache.version || cache.code->exact_arguments != n)
      [[unlikely]] {
    forget_call(tiers, cache, w);
    const_cast<Word*>(pc)[-1] = w = (w & ~Word{0xFF}) | static_cast<Word>(Op::tail_call_global);
    goto op_tail_call_global;
  }
  function = cache.cell->function;
  state = cache.code;
  args = pc + 1;
  goto tail_exact;
}
tail_exact : {  // `state` takes just these n arguments
  fp->rest = pointer_word(pc);
  fp = tail_enter(cx, m, called, function, state, args, n);
  if (fp == nullptr) return Action::kRaise;
  regs = fp->above();
  pc = state->words;
  goto entered;
}

op_return_ : {
  Value v = A;
  if (cx.bindings.size() != fp->bindings) [[unlikely]] {
    fp->rest = pointer_word(pc);
    v = unbind_to_re(cx, fp->bindings, v);
    if (v.is_exit()) return Action::kRaise;
  }
  Frame* old = fp;
pop_frame:
  if ((old->flags & kRecordAny) != 0) --cx.eval_depth;
  cx.sp = (old->flags & kRecordBelow) != 0 ? old->below() : reinterpret_cast<Value*>(old);
  m.fp = fp = old->previous();
  if (fp->op == FrameOp::kRegister) [[likely]] {
    regs = fp->above();
    pc = word_address(fp->rest);
    R(fp->aux) = v;
    RELOAD();
    NEXT();
  }
  if (fp->op == FrameOp::kCalled) {  // of `apply`
    old = fp;
    goto pop_frame;
  }
  m.val = v;
  if (!is_higher_order(fp->op)) return Action::kReturn;
  // A function that mapcar, sort or the like calls: when the next call is of register code too, it begins here.
  const Action next = continue_higher_order(cx, m);
  if (next != Action::kApply) return next;
  fp = m.fp;
  called = function = m.val;
  if (function.has_tag(Tag::kSymbol)) function = cx.cells(function).function;
  if (!is_byte_code(function) || tiers.state(state_number(function))->words == nullptr) return next;
  n = m.argc;
  if (++cx.eval_depth > m.max_depth->value.as_fixnum()) [[unlikely]] {
    --cx.eval_depth;
    return next;
  }
  goto push_below;
}

  // ---- moves and jumps ---------------------------------------------------------------------------------------------

op_nop:
op_landing:
  NEXT();
op_mov:
  A = B;
  NEXT();
op_load_k:
  A = consts[wide_of(w)];
  NEXT();
op_jump:
  pc += jump_of(w);
  NEXT();
op_loop:
  pc += jump_of(w);
  POLL();
  NEXT();
op_jump_nil:
  if (A.is_nil()) pc += jump_of(w);
  NEXT();
op_jump_true:
  if (!A.is_nil()) pc += jump_of(w);
  NEXT();

#define FAR_JUMP(condition)                                        \
  do {                                                             \
    const std::int32_t distance_ = static_cast<std::int32_t>(*pc); \
    ++pc;                                                          \
    if (condition) pc += distance_;                                \
    NEXT();                                                        \
  } while (false)

op_eq:
  A = boolean(B == C);
  NEXT();
op_not_:
  A = boolean(B.is_nil());
  NEXT();
op_jump_eq:
  FAR_JUMP(A == B);
op_jump_ne:
  FAR_JUMP(A != B);
op_jump_eq_k:
  FAR_JUMP(A == consts[b_of(w)]);
op_jump_ne_k:
  FAR_JUMP(A != consts[b_of(w)]);

op_push_catch:
op_push_handler : {
  Handler h{};
  h.kind = static_cast<Op>(w & 0xFF) == Op::push_catch ? Handler::Kind::kCatch : Handler::Kind::kConditions;
  const std::int32_t distance = static_cast<std::int32_t>(*pc);
  ++pc;
  h.pc = static_cast<std::uint32_t>(pc + distance - state_of_frame(fp)->own_words.get());
  h.tag = A;
  h.sp = cx.sp;
  h.frame = fp;
  h.bindings = cx.bindings.size();
  h.eval_depth = cx.eval_depth;
  h.native_depth = cx.native_depth;
  cx.handlers.push_back(h);
  NEXT();
}
op_pop_handler:
  cx.handlers.pop_back();
  NEXT();

op_switch_ : {
  const Value table = B;
  if (!is_hash_table(table)) RAISE(wrong_type(cx, Qhash_table_p, table));
  const Value target = hash_table_get(cx, table, A);
  if (!target.is_natnum_fixnum() || target.as_fixnum() >= 1 << 24) NEXT();
  const auto key = static_cast<std::uint32_t>(c_of(w) << 24 | static_cast<std::uint32_t>(target.as_fixnum()));
  const auto& targets = state_of_frame(fp)->code->targets;
  const auto it = std::lower_bound(targets.begin(), targets.end(), key,
                                   [](const core::bytecode::Code::Target& t, std::uint32_t k) { return t.key < k; });
  if (it == targets.end() || it->key != key) RAISE(error_text(cx, "Invalid byte code"));
  const Word* const to = state_of_frame(fp)->own_words.get() + it->word;
  const bool back = to < pc;
  pc = to;
  if (back) POLL();
  NEXT();
}

  // ---- variables and dynamic state -------------------------------------------------------------------------------------

op_varref : {
  const Value symbol = consts[wide_of(w)];
  if (!symbol.is_symbol()) [[unlikely]]  // Lisp has written to the constants
    RAISE(wrong_type(cx, Qsymbolp, symbol));
  const SymbolCells& c = cx.cells(symbol);
  Value v = c.value;
  if (c.redirect != kPlain) v = variable_value(cx, symbol);
  if (v.is_unbound()) [[unlikely]]
    RAISE(signal_error1(cx, Qvoid_variable, symbol));
  A = v;
  NEXT();
}
op_varset : {
  const Value symbol = consts[wide_of(w)];
  if (!symbol.is_symbol()) [[unlikely]]  // Lisp has written to the constants
    RAISE(wrong_type(cx, Qsymbolp, symbol));
  SymbolCells& c = cx.cells(symbol);
  if (c.redirect == kPlain && (c.flags & ~kPlainFlags) == 0) [[likely]] {
    store(&c.value, A);
    NEXT();
  }
  if (set_variable_re(cx, symbol, A).is_exit()) return Action::kRaise;
  RELOAD();
  NEXT();
}
op_varbind : {
  const Value symbol = consts[wide_of(w)];
  if (!symbol.is_symbol()) [[unlikely]]  // Lisp has written to the constants
    RAISE(wrong_type(cx, Qsymbolp, symbol));
  SymbolCells& c = cx.cells(symbol);
  if (specpdl_full(cx, m)) [[unlikely]] {
    if (specpdl_exceeded(cx, m)) return Action::kRaise;
  }
  if (c.redirect == kPlain && (c.flags & ~kPlainFlags) == 0) [[likely]] {
    cx.bindings.push_back({Binding::Kind::kLet, 0, symbol, c.value, kNil});
    store(&c.value, A);
    NEXT();
  }
  if (bind_variable_re(cx, symbol, A).is_exit()) return Action::kRaise;
  RELOAD();
  NEXT();
}
op_unbind : {
  const unsigned count = a_of(w);
  if (cx.bindings.size() < fp->bindings + count) [[unlikely]]  // made by hand
    RAISE(error_text(cx, "Invalid byte code"));
  if (unbind_to_re(cx, cx.bindings.size() - count, kNil).is_exit()) return Action::kRaise;
  RELOAD();
  NEXT();
}
op_unbind_all:
  if (unbind_to_re(cx, fp->bindings, kNil).is_exit()) return Action::kRaise;
  RELOAD();
  NEXT();
op_save_state:
  if (specpdl_full(cx, m) && specpdl_exceeded(cx, m)) [[unlikely]]
    return Action::kRaise;
  save_state(cx, a_of(w));
  RELOAD();
  NEXT();
op_unwind_protect : {
  if (specpdl_full(cx, m)) [[unlikely]] {
    if (specpdl_exceeded(cx, m)) return Action::kRaise;
  }
  const Value handler = A;
  cx.bindings.push_back({Binding::Kind::kUnwindLisp, 0, kNil, handler, is_function(cx, handler) ? kUnbound : kNil});
  NEXT();
}
op_interactive_p:
  called = function = intern(cx, "interactive-p");
  n = 0;
  args = pc;
  goto call_value;

  // ---- types and lists --------------------------------------------------------------------------------------------------

#define PREDICATE(name, test) \
  op_##name : {               \
    const Value v = B;        \
    A = boolean(test);        \
    NEXT();                   \
  }
  PREDICATE(symbolp, v.is_symbol())
  PREDICATE(consp, v.is_cons())
  PREDICATE(stringp, v.is_string())
  PREDICATE(listp, v.is_list())
  PREDICATE(numberp, is_number(v))
  PREDICATE(integerp, is_integer(v))
#define JUMP_TYPE(name, test)                           \
  op_jump_##name : if (A.test()) pc += jump_of(w);      \
  NEXT();                                               \
  op_jump_not_##name : if (!A.test()) pc += jump_of(w); \
  NEXT();
  JUMP_TYPE(symbolp, is_symbol)
  JUMP_TYPE(consp, is_cons)
  JUMP_TYPE(stringp, is_string)

op_car : {
  const Value v = B;
  if (v.is_cons()) [[likely]] {
    A = car_raw(v);
  } else if (v.is_nil()) {
    A = kNil;
  } else {
    RAISE(wrong_type(cx, Qlistp, v));
  }
  NEXT();
}
op_cdr : {
  const Value v = B;
  if (v.is_cons()) [[likely]] {
    A = cdr_raw(v);
  } else if (v.is_nil()) {
    A = kNil;
  } else {
    RAISE(wrong_type(cx, Qlistp, v));
  }
  NEXT();
}
op_car_safe : {
  const Value v = B;
  A = v.is_cons() ? car_raw(v) : kNil;
  NEXT();
}
op_cdr_safe : {
  const Value v = B;
  A = v.is_cons() ? cdr_raw(v) : kNil;
  NEXT();
}
op_setcar:
  if (!A.is_cons()) RAISE(wrong_type(cx, Qconsp, A));
  set_car_raw(A, B);
  NEXT();
op_setcdr:
  if (!A.is_cons()) RAISE(wrong_type(cx, Qconsp, A));
  set_cdr_raw(A, B);
  NEXT();
op_cons:
  A = cons(cx, B, C);
  NEXT();
op_cons_k:
  A = cons(cx, B, consts[c_of(w)]);
  NEXT();
op_list : {
  n = b_of(w);
  Value l = kNil;
  for (unsigned i = n; i-- > 0;) l = cons(cx, R(pc[i / 4] >> (i % 4 * 8) & 0xFF), l);
  pc += (n + 3) / 4;
  A = l;
  NEXT();
}
// Long, dotted and circular lists are the primitive's.
#define BY_PRIMITIVE(opcode, ...)                                \
  do {                                                           \
    const Value v_ = call_opcode_re(cx, m, opcode, __VA_ARGS__); \
    if (v_.is_exit()) return Action::kRaise;                     \
    RELOAD();                                                    \
    A = v_;                                                      \
    NEXT();                                                      \
  } while (false)
op_memq : {
  const Value key = B;
  Value l = C;
  for (int i = 0; l.is_cons(); l = cdr_raw(l)) {
    if (car_raw(l) == key) {
      A = l;
      NEXT();
    }
    if (++i == kShortList) break;
  }
  if (l.is_nil()) {
    A = l;
    NEXT();
  }
  BY_PRIMITIVE(62, B, C);
}
op_assq : {
  const Value key = B;
  Value l = C;
  for (int i = 0; l.is_cons() && i < kShortList; ++i, l = cdr_raw(l)) {
    const Value entry = car_raw(l);
    if (entry.is_cons() && car_raw(entry) == key) {
      A = entry;
      NEXT();
    }
  }
  if (l.is_nil()) {
    A = kNil;
    NEXT();
  }
  BY_PRIMITIVE(158, B, C);
}
op_nth:
op_nthcdr : {
  const bool nth = static_cast<Op>(w & 0xFF) == Op::nth;
  if (B.is_natnum_fixnum()) {
    std::int64_t i = B.as_fixnum();
    Value l = C;
    for (; i > 0 && l.is_cons() && i < 1000; --i) l = cdr_raw(l);
    if (l.is_nil() || (i == 0 && l.is_cons())) {
      A = nth ? car_of_list(l) : l;
      NEXT();
    }
  }
  BY_PRIMITIVE(nth ? 56 : 155, B, C);
}

#define ELEMENT(index_, fallback_)                                                                                   \
  do {                                                                                                               \
    const Value array_ = B;                                                                                          \
    const Value i_ = (index_);                                                                                       \
    if (array_.is_object() && i_.is_natnum_fixnum()) {                                                               \
      const ObjectKind kind_ = header_raw(array_)->kind;                                                             \
      if ((kind_ == ObjectKind::kVector || kind_ == ObjectKind::kRecord) && i_.as_fixnum() < slot_count_raw(array_)) \
          [[likely]] {                                                                                               \
        SHAPE(pc - 1, kind_ == ObjectKind::kRecord ? slot_raw(array_, 0).bits() : 1);                                \
        A = slot_raw(array_, i_.as_fixnum());                                                                        \
        NEXT();                                                                                                      \
      }                                                                                                              \
    }                                                                                                                \
    fallback_;                                                                                                       \
  } while (false)
op_aref:
  ELEMENT(C, BY_PRIMITIVE(72, B, C));
op_aref_k:
  ELEMENT(consts[c_of(w)], BY_PRIMITIVE(72, B, consts[c_of(w)]));
#define SET_ELEMENT(index_)                                                              \
  do {                                                                                   \
    const Value array_ = A;                                                              \
    const Value i_ = (index_);                                                           \
    if (array_.is_object() && i_.is_natnum_fixnum()) {                                   \
      const ObjectHeader* h_ = header_raw(array_);                                       \
      if (((h_->kind == ObjectKind::kVector && (h_->flags & kVectorMainObarray) == 0) || \
           h_->kind == ObjectKind::kRecord) &&                                           \
          i_.as_fixnum() < slot_count_raw(array_)) [[likely]] {                          \
        set_slot_raw(array_, i_.as_fixnum(), C);                                         \
        NEXT();                                                                          \
      }                                                                                  \
    }                                                                                    \
    if (call_opcode_re(cx, m, 73, array_, i_, C).is_exit()) return Action::kRaise;       \
    RELOAD();                                                                            \
    NEXT();                                                                              \
  } while (false)
op_aset:
  SET_ELEMENT(B);
op_aset_k:
  SET_ELEMENT(consts[b_of(w)]);

  // ---- numbers -----------------------------------------------------------------------------------------------------------

#define STEP(name, builtin, x, y, opcode, float_)         \
  op_##name : {                                           \
    const Value v = B;                                    \
    std::int64_t r = 0;                                   \
    SHAPE(pc - 1, shape_of_numbers(v, v));                \
    if (v.is_fixnum() && !builtin(x, y, &r)) [[likely]] { \
      A = WORD(r);                                        \
      NEXT();                                             \
    }                                                     \
    if (v.is_float()) {                                   \
      const double d = float_raw(v);                      \
      A = make_float(cx, float_);                         \
      NEXT();                                             \
    }                                                     \
    COUNT_MISS();                                         \
    BY_PRIMITIVE(opcode, v);                              \
  }
  STEP(sub1, __builtin_sub_overflow, SIGNED(v), 4, 83, d - 1)
  STEP(add1, __builtin_add_overflow, SIGNED(v), 4, 84, d + 1)
  STEP(negate, __builtin_sub_overflow, std::int64_t{0}, SIGNED(v), 91, -d)

#define ARITHMETIC(y_of_, op_, fixnum_, opcode_)                     \
  do {                                                               \
    const Value a = B;                                               \
    const Value b = (y_of_);                                         \
    std::int64_t r = 0;                                              \
    SHAPE(pc - 1, shape_of_numbers(a, b));                           \
    if (((a.bits() | b.bits()) & 3) == 0 && !(fixnum_)) [[likely]] { \
      A = WORD(r);                                                   \
      NEXT();                                                        \
    }                                                                \
    double x_;                                                       \
    double y_;                                                       \
    if (as_floats(a, b, &x_, &y_)) {                                 \
      A = make_float(cx, x_ op_ y_);                                 \
      NEXT();                                                        \
    }                                                                \
    COUNT_MISS();                                                    \
    BY_PRIMITIVE(opcode_, a, b);                                     \
  } while (false)
op_add:
  ARITHMETIC(C, +, __builtin_add_overflow(SIGNED(a), SIGNED(b), &r), 92);
op_add_k:
  ARITHMETIC(consts[c_of(w)], +, __builtin_add_overflow(SIGNED(a), SIGNED(b), &r), 92);
op_sub:
  ARITHMETIC(C, -, __builtin_sub_overflow(SIGNED(a), SIGNED(b), &r), 90);
op_sub_k:
  ARITHMETIC(consts[c_of(w)], -, __builtin_sub_overflow(SIGNED(a), SIGNED(b), &r), 90);
op_mul:
  ARITHMETIC(C, *, __builtin_mul_overflow(a.as_fixnum(), SIGNED(b), &r), 95);
op_mul_k:
  ARITHMETIC(consts[c_of(w)], *, __builtin_mul_overflow(a.as_fixnum(), SIGNED(b), &r), 95);
op_div : {
  const Value a = B;
  const Value b = C;
  SHAPE(pc - 1, shape_of_numbers(a, b));
  double x = 0;
  double y = 0;
  if (as_floats(a, b, &x, &y)) {
    A = make_float(cx, x / y);
    NEXT();
  }
  if (a.is_fixnum() && b.is_fixnum() && SIGNED(b) > 0) {
    A = Value::fixnum(a.as_fixnum() / b.as_fixnum());
    NEXT();
  }
  COUNT_MISS();
  BY_PRIMITIVE(165, a, b);
}
op_rem : {
  const Value a = B;
  const Value b = C;
  if (a.is_fixnum() && b.is_fixnum() && SIGNED(b) > 0) {
    A = Value::fixnum(a.as_fixnum() % b.as_fixnum());
    NEXT();
  }
  BY_PRIMITIVE(166, a, b);
}

#define COMPARISON(name, op_, opcode_)                                      \
  op_num_##name : {                                                         \
    const Value a = B;                                                      \
    const Value b = C;                                                      \
    SHAPE(pc - 1, shape_of_numbers(a, b));                                  \
    if (((a.bits() | b.bits()) & 3) == 0) [[likely]] {                      \
      A = boolean(SIGNED(a) op_ SIGNED(b));                                 \
      NEXT();                                                               \
    }                                                                       \
    double x;                                                               \
    double y;                                                               \
    if (as_comparable_floats(a, b, &x, &y)) {                               \
      A = boolean(x op_ y);                                                 \
      NEXT();                                                               \
    }                                                                       \
    COUNT_MISS();                                                           \
    BY_PRIMITIVE(opcode_, a, b);                                            \
  }                                                                         \
  op_jump_num_##name : COMPARE_JUMP(B, op_, opcode_, ==);                   \
  op_jump_not_num_##name : COMPARE_JUMP(B, op_, opcode_, !=);               \
  op_jump_num_##name##_k : COMPARE_JUMP(consts[b_of(w)], op_, opcode_, ==); \
  op_jump_not_num_##name##_k : COMPARE_JUMP(consts[b_of(w)], op_, opcode_, !=);
#define COMPARE_JUMP(y_of_, op_, opcode_, sense_)                               \
  do {                                                                          \
    const Value a = A;                                                          \
    const Value b = (y_of_);                                                    \
    SHAPE(pc - 1, shape_of_numbers(a, b));                                      \
    if (((a.bits() | b.bits()) & 3) == 0) [[likely]]                            \
      FAR_JUMP((SIGNED(a) op_ SIGNED(b))sense_ true);                           \
    double x_;                                                                  \
    double y_;                                                                  \
    if (as_comparable_floats(a, b, &x_, &y_)) FAR_JUMP((x_ op_ y_)sense_ true); \
    COUNT_MISS();                                                               \
    const Value v_ = call_opcode_re(cx, m, opcode_, a, b);                      \
    if (v_.is_exit()) return Action::kRaise;                                    \
    RELOAD();                                                                   \
    FAR_JUMP(v_.truthy() sense_ true);                                          \
  } while (false)
  COMPARISON(eq, ==, 85)
  COMPARISON(gt, >, 86)
  COMPARISON(lt, <, 87)
  COMPARISON(le, <=, 88)
  COMPARISON(ge, >=, 89)

op_prim : {
  const PrimitiveDescriptor* const d = m.byte_primitives[c_of(w)].descriptor;
  n = b_of(w);
  if (d->reentry == Reentry::kNoReentry && static_cast<int>(n) == d->max_args && (n == 1 || n == 2)) [[likely]] {
    const Word x = *pc++;
    bindings_before = cx.bindings.size();
    Value v = n == 1 ? d->fn.f1(cx, R(x & 0xFF)) : d->fn.f2(cx, R(x & 0xFF), R(x >> 8 & 0xFF));
    if (cx.bindings.size() != bindings_before && !v.is_exit()) [[unlikely]] {
      v = unbind_to_re(cx, bindings_before, v);
      RELOAD();
    }
    if (v.is_exit()) return Action::kRaise;
    A = v;
    NEXT();
  }
  Value* const area = cx.sp;
  gather(area, regs, pc, n);
  pc += (n + 3) / 4;
  cx.sp += n;
  const Value v = call_primitive_re(cx, d, area, n);
  cx.sp = area;
  if (v.is_exit()) return Action::kRaise;
  if (d->reentry == Reentry::kReenters) RELOAD();
  A = v;
  NEXT();
}

#include "eval/family_ops.inc"
#include "eval/source_ops.inc"
}

}  // namespace

Action run_register(Context& cx, Machine& m, Action action) {
  return m.tiers->options.count ? run_loop<true>(cx, m, action) : run_loop<false>(cx, m, action);
}

// Where the frame's function goes on when the handler at PC (an index into its words) takes an exit; its register
// is told to run_register through `aux`.
void land_in_register_frame(Frame* f, std::uint32_t pc) {
  const FunctionState* const s = state_of_frame(f);
  const Word* const landing = s->own_words.get() + pc;
  f->aux = static_cast<std::uint8_t>(a_of(*landing));
  f->rest = pointer_word(landing + 1);
}

}  // namespace neovm::elisp
