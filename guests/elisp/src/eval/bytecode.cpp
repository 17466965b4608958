// The executor of GNU stack byte-code (Emacs 28.2's instruction set, with the obsolete instructions that
// 28 still runs).
//
// Rules of this file:
//  1. `pc`, `code`, `consts`, `sp` and `fp` are locals. Code strings and constants vectors move, so
//     RELOAD() follows everything that may have collected; SAVE() precedes it.
//  2. A byte-code to byte-code call stays in this loop; everything else but plain primitives is handed to
//     run_frames, which comes back with the value.
//  3. The operand stack lies above the frame. Objects made by hand are checked by verify_byte_code once, so
//     the loop itself checks neither stack depth nor jump targets.
// This file is that loop and nothing else: one function whose labels share its registers.
#include "byte_verify.hpp"
#include "machine.hpp"
#include "neovm/abi/api.hpp"
#include "tiers.hpp"

namespace neovm::elisp {

#define SAVE() (cx.sp = sp, m.fp = fp, fp->rest = Value::fixnum(pc - code))
#define RELOAD()                                     \
  do {                                               \
    const Value object_ = fp->fn;                    \
    code = string_data_raw(slot_raw(object_, 1));    \
    consts = slots_raw(slot_raw(object_, 2))->slots; \
    pc = code + fp->rest.as_fixnum();                \
  } while (false)
#define NEXT()   goto* labels[*pc++]
#define PUSH(v)  (*sp++ = (v))
#define TOP()    (sp[-1])
#define FETCH2() (pc += 2, static_cast<unsigned>(pc[-2]) | static_cast<unsigned>(pc[-1]) << 8)
#define POLL(action_)                                                         \
  do {                                                                        \
    if (countdown.tick()) [[unlikely]] {                                      \
      SAVE();                                                                 \
      const Value verdict_ = poll_slow(cx, m);                                \
      if (verdict_.is_exit()) return Action::kRaise;                          \
      if (verdict_ == kSuspended) return leave_to_resume(m, Action::action_); \
      RELOAD();                                                               \
    }                                                                         \
  } while (false)
// A jump; loops pass a safepoint.
#define JUMP(target_)                                                   \
  do {                                                                  \
    const unsigned target = (target_);                                  \
    const bool back = code + target < pc;                               \
    pc = code + target;                                                 \
    if (back) {                                                         \
      if (tiers.count_round()) [[unlikely]] {                           \
        SAVE();                                                         \
        if (tiers.enter_loop(cx, fp)) return Action::kRegisterContinue; \
      }                                                                 \
      POLL(kByteCodeContinue);                                          \
    }                                                                   \
  } while (false)

// What `with-output-to-temp-buffer` begins with. Compilers have not written this instruction for ten years: it is in Lisp.
static Value obsolete_temp_buffer_re(Context& cx, Value name) {
  static constexpr const char* kSetup =
      "(lambda (name) (let ((directory default-directory)) (with-current-buffer (get-buffer-create name)"
      " (kill-all-local-variables) (delete-all-overlays)"
      " (setq default-directory directory buffer-read-only nil buffer-file-name nil buffer-undo-list t)"
      " (let ((inhibit-read-only t) (inhibit-modification-hooks t)) (erase-buffer) (run-hooks 'temp-buffer-setup-hook))"
      " (current-buffer))))";
  const Value text = TRY(make_string(cx, kSetup));
  const Value setup = TRY(funcall_re(cx, Qread_from_string, {text}));
  return funcall_re(cx, car_raw(setup), {name});
}

Action run_bytecode(Context& cx, Machine& m, Action action) {
  static const void* const kLabels[256] = {
#define L(n)                       &&op_##n,
#define L8(a, b, c, d, e, f, g, h) L(a) L(b) L(c) L(d) L(e) L(f) L(g) L(h)
    // 0..55: eight operand forms each
    L8(ref0, ref1, ref2, ref3, ref4, ref5, ref6, ref7)
        L8(varref0, varref1, varref2, varref3, varref4, varref5, varref6, varref7)
            L8(varset0, varset1, varset2, varset3, varset4, varset5, varset6, varset7)
                L8(varbind0, varbind1, varbind2, varbind3, varbind4, varbind5, varbind6, varbind7)
                    L8(call0, call1, call2, call3, call4, call5, call6, call7)
                        L8(unbind0, unbind1, unbind2, unbind3, unbind4, unbind5, unbind6, unbind7)
                            L8(pophandler, pushconditioncase, pushcatch, bad, bad, bad, bad, bad)
    // 56
    L8(prim, symbolp, consp, stringp, listp, eq, memq, not ) L8(car, cdr, cons, list1, list2, list3, list4, prim)
    // 72
    L8(aref, aset, prim, prim, prim, prim, prim, prim) L8(prim, prim, prim, sub1, add1, eqlsign, gtr, lss)
    // 88
    L8(leq, geq, diff, negate, plus, prim, prim, mult) L8(prim, save_current_buffer, prim, prim, prim, prim, prim, prim)
    // 104
    L8(prim, prim, prim, bad, prim, prim, prim, prim)
        L8(prim, prim, save_current_buffer, bad, interactive_p, prim, prim, prim)
    // 120
    L8(prim, prim, prim, prim, prim, prim, prim, prim)
        L8(bad, constant2, goto, gotoifnil, gotoifnonnil, gotoifnilelsepop, gotoifnonnilelsepop, return )
    // 136
    L8(discard, dup, save_excursion, save_window_excursion, save_restriction, catch, unwind_protect, condition_case)
    // 144
    L8(temp_setup, temp_show, unbind_all, prim, prim, prim, prim, prim)
        L8(prim, prim, prim, prim, prim, prim, assq, prim)
    // 160
    L8(setcar, setcdr, car_safe, cdr_safe, prim, prim, prim, numberp)
        L8(integerp, bad, rgoto, rgotoifnil, rgotoifnonnil, rgotoifnilelsepop, rgotoifnonnilelsepop, listn)
    // 176
    L8(concatn, insertn, stack_set, stack_set2, bad, bad, discardn, switch) L8(bad, bad, bad, bad, bad, bad, bad, bad)
  // 192: constants
#define C8 L8(constant, constant, constant, constant, constant, constant, constant, constant)
        C8 C8 C8 C8 C8 C8 C8 C8
#undef C8
#undef L8
#undef L
  };
  static const void* const kCounting[256] = {
#define L8(a) &&count, &&count, &&count, &&count, &&count, &&count, &&count, &&count
#define L64   L8(0), L8(0), L8(0), L8(0), L8(0), L8(0), L8(0), L8(0)
      L64, L64, L64, L64
#undef L64
#undef L8
  };
  const void* const* const labels = m.tiers->options.count ? kCounting : kLabels;
  core::Countdown& countdown = cx.heap().countdown();
  Tiers& tiers = *m.tiers;
  Frame* fp = m.fp;
  Value* sp = cx.sp;
  const std::uint8_t* code = nullptr;
  const std::uint8_t* pc = nullptr;
  Value* consts = nullptr;
  unsigned operand = 0;

  if (action == Action::kByteCodeResume) {
    RELOAD();
    TOP() = m.val;
    POLL(kByteCodeContinue);  // a handler may lie before the code that it guards
    NEXT();
  }
  if (action == Action::kByteCodeContinue) {
    RELOAD();
    NEXT();
  }

enter : {  // fp: a fresh kByteCode frame with fp->n arguments below it
  const Value object = fp->fn;
  cx.sp = sp;
  m.fp = fp;
  if (state_number(object) == kNotVerified) [[unlikely]] {
    fp->rest = Value::fixnum(0);
    if (verify_byte_code(cx, object).is_exit()) return Action::kRaise;
  }
  if (m.tiers->enter(cx, object)) return Action::kRegister;
  const Value shape = slot_raw(object, 0);
  const std::int64_t depth = slot_raw(object, 3).as_fixnum();
  const std::uint32_t n = fp->n;
  Value* const args = fp->below();
  if (sp + depth + n + 300 > cx.stack_limit) [[unlikely]] {
    fp->rest = Value::fixnum(0);
    cx.sp = sp;
    m.fp = fp;
    stack_exceeded(cx);
    return Action::kRaise;
  }
  code = string_data_raw(slot_raw(object, 1));
  pc = code;
  consts = slots_raw(slot_raw(object, 2))->slots;
  if (shape.is_fixnum()) [[likely]] {
    const std::int64_t bits = shape.as_fixnum();
    const auto mandatory = static_cast<std::uint32_t>(bits & 127);
    const auto nonrest = static_cast<std::uint32_t>(bits >> 8);
    if (n == mandatory && n == nonrest && (bits & 128) == 0) [[likely]] {
      for (std::uint32_t i = 0; i < n; ++i) sp[i] = args[i];
      sp += n;
    } else {
      if (n < mandatory || ((bits & 128) == 0 && n > nonrest)) {
        SAVE();
        (void)stack_code_arity_error(cx, bits, n);
        return Action::kRaise;
      }
      for (std::uint32_t i = 0; i < nonrest; ++i) sp[i] = i < n ? args[i] : kNil;
      sp += nonrest;
      if ((bits & 128) != 0) {
        Value rest = kNil;
        for (std::uint32_t k = n; k > nonrest; --k) rest = cons(cx, args[k - 1], rest);
        PUSH(rest);
      }
    }
  } else {
    SAVE();
    if (bind_dynamic_parameters(cx, object, shape, args, n).is_exit()) return Action::kRaise;
    RELOAD();
  }
  NEXT();
}

#define OPERANDS(name, base)                                                                                           \
  op_##name##6 : operand = *pc++;                                                                                      \
  goto do_##name;                                                                                                      \
  op_##name##7 : operand = FETCH2();                                                                                   \
  goto do_##name;                                                                                                      \
  op_##name##0 : op_##name##1 : op_##name##2 : op_##name##3 : op_##name##4 : op_##name##5 : operand = pc[-1] - (base); \
  do_##name

op_ref1 : {
  const Value v = sp[-2];
  PUSH(v);
  NEXT();
}
op_ref2 : {
  const Value v = sp[-3];
  PUSH(v);
  NEXT();
}
op_ref3 : {
  const Value v = sp[-4];
  PUSH(v);
  NEXT();
}
op_ref4 : {
  const Value v = sp[-5];
  PUSH(v);
  NEXT();
}
op_ref5 : {
  const Value v = sp[-6];
  PUSH(v);
  NEXT();
}
op_ref0 : {
  const Value v = sp[-1];
  PUSH(v);
  NEXT();
}
op_ref6 : {
  const Value v = sp[-1 - static_cast<int>(*pc++)];
  PUSH(v);
  NEXT();
}
op_ref7 : {
  const unsigned n = FETCH2();
  const Value v = sp[-1 - static_cast<int>(n)];
  PUSH(v);
  NEXT();
}

  OPERANDS(varref, 8) : {
    const Value symbol = consts[operand];
    if (!symbol.is_symbol()) [[unlikely]] {  // Lisp has written to the constants
      SAVE();
      wrong_type(cx, Qsymbolp, symbol);
      return Action::kRaise;
    }
    const SymbolCells& c = cx.cells(symbol);
    Value v = c.value;
    if (c.redirect != kPlain) v = variable_value(cx, symbol);
    if (v.is_unbound()) [[unlikely]] {
      SAVE();
      signal_error1(cx, Qvoid_variable, symbol);
      return Action::kRaise;
    }
    PUSH(v);
    NEXT();
  }

  OPERANDS(varset, 16) : {
    const Value symbol = consts[operand];
    if (!symbol.is_symbol()) [[unlikely]] {  // Lisp has written to the constants
      SAVE();
      wrong_type(cx, Qsymbolp, symbol);
      return Action::kRaise;
    }
    SymbolCells& c = cx.cells(symbol);
    if (c.redirect == kPlain && (c.flags & ~kPlainFlags) == 0) [[likely]] {
      --sp;
      store(&c.value, *sp);
      NEXT();
    }
    SAVE();
    if (set_variable_re(cx, symbol, TOP()).is_exit()) return Action::kRaise;
    --sp;
    RELOAD();
    NEXT();
  }

  OPERANDS(varbind, 24) : {
    const Value symbol = consts[operand];
    if (!symbol.is_symbol()) [[unlikely]] {  // Lisp has written to the constants
      SAVE();
      wrong_type(cx, Qsymbolp, symbol);
      return Action::kRaise;
    }
    SymbolCells& c = cx.cells(symbol);
    if (specpdl_full(cx, m)) [[unlikely]] {
      SAVE();
      if (specpdl_exceeded(cx, m)) return Action::kRaise;
    }
    if (c.redirect == kPlain && (c.flags & ~kPlainFlags) == 0) [[likely]] {
      cx.bindings.push_back({Binding::Kind::kLet, 0, symbol, c.value, kNil});
      --sp;
      store(&c.value, *sp);
      NEXT();
    }
    SAVE();
    if (bind_variable_re(cx, symbol, TOP()).is_exit()) return Action::kRaise;
    --sp;
    RELOAD();
    NEXT();
  }

  OPERANDS(unbind, 40) : {
    SAVE();
    if (cx.bindings.size() < fp->bindings + operand) [[unlikely]] {  // made by hand
      error_text(cx, "Invalid byte code");
      return Action::kRaise;
    }
    if (unbind_to_re(cx, cx.bindings.size() - operand, kNil).is_exit()) return Action::kRaise;
    RELOAD();
    NEXT();
  }

  OPERANDS(call, 32) : {
    // sp: [… function arg1 … argn]
    Value fn = sp[-1 - static_cast<int>(operand)];
    const Value original = fn;
    if (++cx.eval_depth > m.max_depth->value.as_fixnum()) [[unlikely]] {
      SAVE();
      if (depth_exceeded(cx, m)) {
        --cx.eval_depth;
        return Action::kRaise;
      }
    }
    if (fn.has_tag(Tag::kSymbol)) {
      fn = cx.cells(fn).function;
      if (fn.is_symbol() && !fn.is_nil()) fn = resolve_function(cx, fn);
    }
    if (fn.is_object()) {
      const ObjectKind kind = header_raw(fn)->kind;
      if (kind == ObjectKind::kByteCode) {
        fp->rest = Value::fixnum(pc - code);
        auto* f = reinterpret_cast<Frame*>(sp);
        f->zero = 0;
        f->op = FrameOp::kByteCode;
        f->flags = kRecordBelow;
        f->aux = 0;
        f->n = operand;
        f->prev_bytes = static_cast<std::uint32_t>(reinterpret_cast<char*>(f) - reinterpret_cast<char*>(fp));
        f->bindings = static_cast<std::uint32_t>(cx.bindings.size());
        f->form = original;
        f->rest = Value::fixnum(0);
        f->env = kNil;
        f->fn = fn;
        fp = f;
        sp = f->above();
        if (countdown.tick()) [[unlikely]] {
          cx.sp = sp;
          m.fp = fp;
          const Value verdict = poll_slow(cx, m);
          if (verdict.is_exit()) return Action::kRaise;
          if (verdict == kSuspended) return leave_to_resume(m, Action::kByteCode);
        }
        goto enter;
      }
      if (kind == ObjectKind::kSubr) {
        const auto* subr = fn.as_pointer<SubrObject>();
        const PrimitiveDescriptor* d = subr->descriptor;
        if (subr->header.aux == kNotMachine && d->reentry == Reentry::kNoReentry &&
            operand >= static_cast<unsigned>(d->min_args) &&
            (d->max_args < 0 || operand <= static_cast<unsigned>(d->max_args))) [[likely]] {
          const std::size_t depth = cx.bindings.size();
          SAVE();
          const Value v = call_subr(cx, d, sp - operand, operand);
          if (v.is_exit() || cx.bindings.size() != depth) [[unlikely]] {
            // The call gets its backtrace entry only now that somebody may look.
            push_called_frame(cx, m, original, operand);
            if (v.is_exit() || unbind_to_re(cx, depth, v).is_exit()) return Action::kRaise;
            m.fp = fp;
          }
          --cx.eval_depth;
          sp -= operand;
          TOP() = v;
          NEXT();
        }
      }
    }
    --cx.eval_depth;
    SAVE();
    m.val = original;
    m.argc = operand;
    return Action::kApply;
  }

op_pophandler:
  cx.handlers.pop_back();
  NEXT();
op_pushconditioncase:
op_pushcatch : {
  Handler h{};
  h.kind = pc[-1] == 50 ? Handler::Kind::kCatch : Handler::Kind::kConditions;
  h.pc = FETCH2();
  --sp;
  h.tag = *sp;
  h.sp = sp;
  h.frame = fp;
  h.bindings = cx.bindings.size();
  h.eval_depth = cx.eval_depth;
  h.native_depth = cx.native_depth;
  cx.handlers.push_back(h);
  NEXT();
}

op_prim:
  operand = pc[-1];
do_prim : {
  const BytePrimitive& p = m.byte_primitives[operand];
  const PrimitiveDescriptor* d = p.descriptor;
  SAVE();
  if (d == nullptr) {
    unimplemented(cx, p.name);
    return Action::kRaise;
  }
  const std::size_t depth = cx.bindings.size();
  Value v = call_subr(cx, d, sp - p.arguments, p.arguments);
  if (v.is_exit()) return Action::kRaise;
  if (cx.bindings.size() != depth) {
    v = unbind_to_re(cx, depth, v);
    if (v.is_exit()) return Action::kRaise;
  }
  if (d->reentry == Reentry::kReenters) RELOAD();
  sp -= p.arguments;
  PUSH(v);
  NEXT();
}

op_symbolp:
  TOP() = boolean(TOP().is_symbol());
  NEXT();
op_consp:
  TOP() = boolean(TOP().is_cons());
  NEXT();
op_stringp:
  TOP() = boolean(TOP().is_string());
  NEXT();
op_listp:
  TOP() = boolean(TOP().is_list());
  NEXT();
op_numberp:
  TOP() = boolean(is_number(TOP()));
  NEXT();
op_integerp:
  TOP() = boolean(is_integer(TOP()));
  NEXT();
op_eq:
  --sp;
  TOP() = boolean(TOP() == *sp);
  NEXT();
op_not:
  TOP() = boolean(TOP().is_nil());
  NEXT();
op_memq : {
  const Value key = sp[-2];
  Value l = sp[-1];
  for (int i = 0; l.is_cons() && i < 256; ++i, l = cdr_raw(l))
    if (car_raw(l) == key) break;
  if (l.is_nil() || (l.is_cons() && car_raw(l) == key)) {
    --sp;
    TOP() = l;
    NEXT();
  }
  operand = 62;  // long, dotted or circular
  goto do_prim;
}
op_assq : {
  const Value key = sp[-2];
  Value l = sp[-1];
  for (int i = 0; l.is_cons() && i < 256; ++i, l = cdr_raw(l)) {
    const Value entry = car_raw(l);
    if (entry.is_cons() && car_raw(entry) == key) {
      --sp;
      TOP() = entry;
      NEXT();
    }
  }
  if (l.is_nil()) {
    --sp;
    TOP() = kNil;
    NEXT();
  }
  operand = 158;
  goto do_prim;
}
op_car : {
  const Value v = TOP();
  if (v.is_cons()) {
    TOP() = car_raw(v);
  } else if (!v.is_nil()) {
    SAVE();
    wrong_type(cx, Qlistp, v);
    return Action::kRaise;
  }
  NEXT();
}
op_cdr : {
  const Value v = TOP();
  if (v.is_cons()) {
    TOP() = cdr_raw(v);
  } else if (!v.is_nil()) {
    SAVE();
    wrong_type(cx, Qlistp, v);
    return Action::kRaise;
  }
  NEXT();
}
op_car_safe:
  TOP() = TOP().is_cons() ? car_raw(TOP()) : kNil;
  NEXT();
op_cdr_safe:
  TOP() = TOP().is_cons() ? cdr_raw(TOP()) : kNil;
  NEXT();
op_setcar : {
  const Value c = sp[-2];
  if (!c.is_cons()) {
    SAVE();
    wrong_type(cx, Qconsp, c);
    return Action::kRaise;
  }
  --sp;
  set_car_raw(c, *sp);
  TOP() = *sp;
  NEXT();
}
op_setcdr : {
  const Value c = sp[-2];
  if (!c.is_cons()) {
    SAVE();
    wrong_type(cx, Qconsp, c);
    return Action::kRaise;
  }
  --sp;
  set_cdr_raw(c, *sp);
  TOP() = *sp;
  NEXT();
}
op_cons:
  --sp;
  TOP() = cons(cx, TOP(), *sp);
  NEXT();
op_list1:
  TOP() = cons(cx, TOP(), kNil);
  NEXT();
op_list2:
  operand = 2;
  goto make_list;
op_list3:
  operand = 3;
  goto make_list;
op_list4:
  operand = 4;
  goto make_list;
op_listn:
  operand = *pc++;
make_list : {
  Value l = kNil;
  for (unsigned i = 0; i < operand; ++i) l = cons(cx, *--sp, l);
  PUSH(l);
  NEXT();
}

op_aref : {
  const Value a = sp[-2];
  const Value i = sp[-1];
  if (a.is_object() && i.is_natnum_fixnum()) {
    const ObjectKind kind = header_raw(a)->kind;
    if ((kind == ObjectKind::kVector || kind == ObjectKind::kRecord) && i.as_fixnum() < slot_count_raw(a)) [[likely]] {
      --sp;
      TOP() = slot_raw(a, i.as_fixnum());
      NEXT();
    }
  }
  operand = 72;
  goto do_prim;
}
op_aset : {
  const Value a = sp[-3];
  const Value i = sp[-2];
  if (a.is_object() && i.is_natnum_fixnum()) {
    const ObjectHeader* h = header_raw(a);
    if (((h->kind == ObjectKind::kVector && (h->flags & kVectorMainObarray) == 0) || h->kind == ObjectKind::kRecord) &&
        i.as_fixnum() < slot_count_raw(a)) [[likely]] {
      const Value v = sp[-1];
      set_slot_raw(a, i.as_fixnum(), v);
      sp -= 2;
      TOP() = v;
      NEXT();
    }
  }
  operand = 73;
  goto do_prim;
}

#define SIGNED(v) static_cast<std::int64_t>((v).bits())
#define WORD(n)   Value::from_bits(static_cast<std::uint64_t>(n))
op_sub1 : {
  std::int64_t r = 0;
  if (TOP().is_fixnum() && !__builtin_sub_overflow(SIGNED(TOP()), 4, &r)) {
    TOP() = WORD(r);
    NEXT();
  }
  operand = 83;
  goto do_prim;
}
op_add1 : {
  std::int64_t r = 0;
  if (TOP().is_fixnum() && !__builtin_add_overflow(SIGNED(TOP()), 4, &r)) {
    TOP() = WORD(r);
    NEXT();
  }
  operand = 84;
  goto do_prim;
}
op_negate : {
  std::int64_t r = 0;
  if (TOP().is_fixnum() && !__builtin_sub_overflow(std::int64_t{0}, SIGNED(TOP()), &r)) {
    TOP() = WORD(r);
    NEXT();
  }
  operand = 91;
  goto do_prim;
}
#define ARITH(name, op, builtin)                                                  \
  op_##name : {                                                                   \
    const Value a = sp[-2];                                                       \
    const Value b = sp[-1];                                                       \
    std::int64_t r = 0;                                                           \
    if (((a.bits() | b.bits()) & 3) == 0 && !builtin(SIGNED(a), SIGNED(b), &r)) { \
      --sp;                                                                       \
      TOP() = WORD(r);                                                            \
      NEXT();                                                                     \
    }                                                                             \
    if (a.is_float() && b.is_float()) {                                           \
      --sp;                                                                       \
      TOP() = make_float(cx, float_raw(a) op float_raw(b));                       \
      NEXT();                                                                     \
    }                                                                             \
    operand = pc[-1];                                                             \
    goto do_prim;                                                                 \
  }
  ARITH(plus, +, __builtin_add_overflow)
  ARITH(diff, -, __builtin_sub_overflow)
op_mult : {
  const Value a = sp[-2];
  const Value b = sp[-1];
  std::int64_t r = 0;
  if (((a.bits() | b.bits()) & 3) == 0 && !__builtin_mul_overflow(a.as_fixnum(), SIGNED(b), &r)) {
    --sp;
    TOP() = WORD(r);
    NEXT();
  }
  if (a.is_float() && b.is_float()) {
    --sp;
    TOP() = make_float(cx, float_raw(a) * float_raw(b));
    NEXT();
  }
  operand = 95;
  goto do_prim;
}
#define COMPARE(name, op)                            \
  op_##name : {                                      \
    const Value a = sp[-2];                          \
    const Value b = sp[-1];                          \
    if (((a.bits() | b.bits()) & 3) == 0) {          \
      --sp;                                          \
      TOP() = boolean(SIGNED(a) op SIGNED(b));       \
      NEXT();                                        \
    }                                                \
    if (a.is_float() && b.is_float()) {              \
      --sp;                                          \
      TOP() = boolean(float_raw(a) op float_raw(b)); \
      NEXT();                                        \
    }                                                \
    operand = pc[-1];                                \
    goto do_prim;                                    \
  }
  COMPARE(eqlsign, ==)
  COMPARE(gtr, >)
  COMPARE(lss, <)
  COMPARE(leq, <=)
  COMPARE(geq, >=)

op_save_current_buffer:
op_save_excursion:
op_save_restriction:
  SAVE();
  if (specpdl_full(cx, m) && specpdl_exceeded(cx, m)) [[unlikely]]
    return Action::kRaise;
  save_state(cx, pc[-1]);
  RELOAD();
  NEXT();
op_unwind_protect : {
  if (specpdl_full(cx, m)) [[unlikely]] {
    SAVE();
    if (specpdl_exceeded(cx, m)) return Action::kRaise;
  }
  --sp;
  const Value handler = *sp;
  const bool function = is_function(cx, handler);
  cx.bindings.push_back({Binding::Kind::kUnwindLisp, 0, kNil, handler, function ? kUnbound : kNil});
  NEXT();
}
op_unbind_all:
  SAVE();
  if (unbind_to_re(cx, fp->bindings, kNil).is_exit()) return Action::kRaise;
  RELOAD();
  NEXT();

op_interactive_p:
  PUSH(intern(cx, "interactive-p"));
  operand = 0;
  goto do_call;

  // Forms inside byte-code: not generated since Emacs 25, executed as the interpreter would.
op_save_window_excursion : {
  const Value form = list(cx, {intern(cx, "save-window-excursion"), cons(cx, Qprogn, TOP())});
  SAVE();
  const Value v = eval_hook(cx, form, kNil);
  if (v.is_exit()) return Action::kRaise;
  RELOAD();
  TOP() = v;
  NEXT();
}
op_catch : {  // [TAG FORM]
  --sp;
  const Value form = list(cx, {Qcatch, list(cx, {Qquote, TOP()}), *sp});
  SAVE();
  const Value v = eval_hook(cx, form, kNil);
  if (v.is_exit()) return Action::kRaise;
  RELOAD();
  TOP() = v;
  NEXT();
}
op_condition_case : {  // [VAR FORM HANDLERS]
  sp -= 2;
  const Value form = cons(cx, intern(cx, "condition-case"), cons(cx, TOP(), cons(cx, sp[0], sp[1])));
  SAVE();
  const Value v = eval_hook(cx, form, kNil);
  if (v.is_exit()) return Action::kRaise;
  RELOAD();
  TOP() = v;
  NEXT();
}
op_temp_setup : {  // NAME, and then the buffer; `standard-output` is bound to it
  SAVE();
  const Value buffer = obsolete_temp_buffer_re(cx, TOP());
  if (buffer.is_exit() || bind_variable_re(cx, Qstandard_output, buffer).is_exit()) return Action::kRaise;
  RELOAD();
  TOP() = buffer;
  NEXT();
}
op_temp_show : {  // BUFFER VALUE
  SAVE();
  const std::size_t depth = cx.bindings.size();
  if (funcall_re(cx, intern(cx, "internal-temp-output-buffer-show"), {sp[-2]}).is_exit() ||
      unbind_to_re(cx, depth > fp->bindings ? depth - 1 : depth, kNil).is_exit())
    return Action::kRaise;
  RELOAD();
  --sp;
  TOP() = *sp;
  NEXT();
}

op_constant:
  PUSH(consts[pc[-1] - 192]);
  NEXT();
op_constant2 : {
  const unsigned n = FETCH2();
  PUSH(consts[n]);
  NEXT();
}
op_goto : {
  const unsigned t = FETCH2();
  JUMP(t);
  NEXT();
}
op_gotoifnil : {
  const unsigned t = FETCH2();
  if ((--sp)->is_nil()) JUMP(t);
  NEXT();
}
op_gotoifnonnil : {
  const unsigned t = FETCH2();
  if (!(--sp)->is_nil()) JUMP(t);
  NEXT();
}
op_gotoifnilelsepop : {
  const unsigned t = FETCH2();
  if (TOP().is_nil()) {
    JUMP(t);
  } else {
    --sp;
  }
  NEXT();
}
op_gotoifnonnilelsepop : {
  const unsigned t = FETCH2();
  if (!TOP().is_nil()) {
    JUMP(t);
  } else {
    --sp;
  }
  NEXT();
}
#define RELATIVE() (++pc, static_cast<unsigned>(pc - code) + pc[-1] - 128)
op_rgoto : {
  const unsigned t = RELATIVE();
  JUMP(t);
  NEXT();
}
op_rgotoifnil : {
  const unsigned t = RELATIVE();
  if ((--sp)->is_nil()) JUMP(t);
  NEXT();
}
op_rgotoifnonnil : {
  const unsigned t = RELATIVE();
  if (!(--sp)->is_nil()) JUMP(t);
  NEXT();
}
op_rgotoifnilelsepop : {
  const unsigned t = RELATIVE();
  if (TOP().is_nil()) {
    JUMP(t);
  } else {
    --sp;
  }
  NEXT();
}
op_rgotoifnonnilelsepop : {
  const unsigned t = RELATIVE();
  if (!TOP().is_nil()) {
    JUMP(t);
  } else {
    --sp;
  }
  NEXT();
}

op_return : {
  Value v = TOP();
  if (cx.bindings.size() != fp->bindings) {
    SAVE();
    v = unbind_to_re(cx, fp->bindings, v);
    if (v.is_exit()) return Action::kRaise;
  }
  Frame* const old = fp;
  if ((old->flags & kRecordAny) != 0) --cx.eval_depth;
  sp = (old->flags & kRecordBelow) != 0 ? old->below() : reinterpret_cast<Value*>(old);
  fp = old->previous();
  if (fp->op == FrameOp::kByteCode) {
    RELOAD();
    TOP() = v;
    NEXT();
  }
  m.val = v;
  m.fp = fp;
  cx.sp = sp;
  return Action::kReturn;
}

op_discard:
  --sp;
  NEXT();
op_discardn : {
  unsigned n = *pc++;
  if ((n & 0x80) != 0) {
    n &= 0x7F;
    sp[-1 - static_cast<int>(n)] = TOP();
  }
  sp -= n;
  NEXT();
}
op_dup : {
  const Value v = TOP();
  PUSH(v);
  NEXT();
}
op_stack_set : {
  const unsigned n = *pc++;
  sp[-1 - static_cast<int>(n)] = TOP();
  --sp;
  NEXT();
}
op_stack_set2 : {
  const unsigned n = FETCH2();
  sp[-1 - static_cast<int>(n)] = TOP();
  --sp;
  NEXT();
}
op_concatn:
  operand = 80;
  goto many_prim;
op_insertn:
  operand = 99;
many_prim : {
  const unsigned n = *pc++;
  const BytePrimitive& p = m.byte_primitives[operand];
  SAVE();
  if (p.descriptor == nullptr) {
    unimplemented(cx, p.name);
    return Action::kRaise;
  }
  const std::size_t depth = cx.bindings.size();
  Value v = call_subr(cx, p.descriptor, sp - n, n);
  if (v.is_exit()) return Action::kRaise;
  if (cx.bindings.size() != depth) {
    v = unbind_to_re(cx, depth, v);
    if (v.is_exit()) return Action::kRaise;
  }
  RELOAD();
  sp -= n;
  PUSH(v);
  NEXT();
}
op_switch : {
  const Value table = sp[-1];
  const Value key = sp[-2];
  if (!is_hash_table(table)) {
    SAVE();
    wrong_type(cx, Qhash_table_p, table);
    return Action::kRaise;
  }
  const Value target = hash_table_get(cx, table, key);
  sp -= 2;
  if (target.is_natnum_fixnum() && target.as_fixnum() < string_bytes(slot_raw(fp->fn, 1))) {
    // Lisp may have changed the table since the code was checked.
    if (!m.tiers->switch_is_sound(cx, fp->fn, pc - 1 - code, target.as_fixnum(), table)) [[unlikely]] {
      SAVE();
      error_text(cx, "Invalid byte code");
      return Action::kRaise;
    }
    const auto place = static_cast<unsigned>(target.as_fixnum());
    JUMP(place);
  }
  NEXT();
}

count:
  ++m.tiers->statistics.stack_instructions;
  goto* kLabels[pc[-1]];

op_bad:
  SAVE();
  error_format(cx, "Invalid byte opcode: op=%d, ptr=%d", pc[-1], static_cast<int>(pc - code) - 1);
  return Action::kRaise;
}

}  // namespace neovm::elisp
