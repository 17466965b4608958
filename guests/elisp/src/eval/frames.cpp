// The interpreter of forms, and the part of the machine that applies functions and unwinds: one loop over the frames, whose
// labels, one for each state of a form or a call, share its registers. It is long because it is one function.
//
// Rules of this file:
//  1. `fp` and `sp` are locals; SYNC() stores them before anything that may re-enter, collect or signal.
//  2. A value that must survive a safepoint lives in a frame or on the VM stack, not only in a local.
//  3. A form's frame stays until its value is returned (no tail calls): backtraces and depth as in Emacs.
//  4. Whoever finishes a frame POPs it; a callee's POP leaves `sp` where it was before the call's arguments.
#include "higher_order.hpp"
#include "machine.hpp"
#include "source.hpp"
#include "tiers.hpp"

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

namespace {

// Number of conses of a form's argument list, -1 when it is dotted or circular.
std::int64_t proper_length(Value l) {
  std::int64_t n = 0;
  Value slow = l;
  while (l.is_cons()) {
    l = cdr_raw(l);
    if ((++n & 1) == 0) {
      slow = cdr_raw(slow);
      if (slow == l && l.is_cons()) return -1;
    }
  }
  return l.is_nil() ? n : -1;
}

}  // namespace

#define SYNC() (cx.sp = sp, m.fp = fp)

#define POP()                                                                                \
  do {                                                                                       \
    Frame* const old_ = fp;                                                                  \
    if ((old_->flags & kRecordAny) != 0) --cx.eval_depth;                                    \
    sp = (old_->flags & kRecordBelow) != 0 ? old_->below() : reinterpret_cast<Value*>(old_); \
    fp = old_->previous();                                                                   \
  } while (false)

// A frame at `sp`; fields that the op does not use still hold Values.
#define PUSH_FRAME(op_, flags_, n_, form_, rest_, env_, fn_)                                                        \
  do {                                                                                                              \
    auto* nf_ = reinterpret_cast<Frame*>(sp);                                                                       \
    nf_->zero = 0;                                                                                                  \
    nf_->op = FrameOp::op_;                                                                                         \
    nf_->flags = (flags_);                                                                                          \
    nf_->aux = 0;                                                                                                   \
    nf_->n = (n_);                                                                                                  \
    nf_->prev_bytes =                                                                                               \
        fp == nullptr ? 0 : static_cast<std::uint32_t>(reinterpret_cast<char*>(nf_) - reinterpret_cast<char*>(fp)); \
    nf_->bindings = static_cast<std::uint32_t>(cx.bindings.size());                                                 \
    nf_->form = (form_);                                                                                            \
    nf_->rest = (rest_);                                                                                            \
    nf_->env = (env_);                                                                                              \
    nf_->fn = (fn_);                                                                                                \
    fp = nf_;                                                                                                       \
    sp = nf_->above();                                                                                              \
  } while (false)

#define PUSH_FORM(op_, rest_) PUSH_FRAME(op_, kRecordForm, 0, form, rest_, env, kNil)

// A safepoint, at a place that a suspended context can go on from. No local but fp and sp is needed after it.
#define POLL(point_)                                  \
  do {                                                \
    if (countdown.tick()) [[unlikely]] {              \
      SYNC();                                         \
      const Value verdict_ = poll_slow(cx, m);        \
      if (verdict_.is_exit()) goto raise;             \
      if (verdict_ == kSuspended) {                   \
        m.resume_point = ResumePoint::point_;         \
        return leave_to_resume(m, Action::kContinue); \
      }                                               \
    }                                                 \
  } while (false)

// Value of a symbol or self-evaluating atom; leaves for `void_variable` when there is none.
#define ATOM_VALUE(form_, env_, out_)                                     \
  do {                                                                    \
    const Value f_ = (form_);                                             \
    if (!f_.has_tag(Tag::kSymbol)) {                                      \
      out_ = f_;                                                          \
    } else {                                                              \
      const Value cell_ = lexical_cell(env_, f_);                         \
      if (!cell_.is_nil()) {                                              \
        out_ = cell_.is_unbound() ? cell_ : cdr_raw(cell_);               \
      } else {                                                            \
        const SymbolCells& c_ = cx.cells(f_);                             \
        out_ = c_.redirect == kPlain ? c_.value : variable_value(cx, f_); \
      }                                                                   \
      if (out_.is_unbound()) [[unlikely]] {                               \
        form = f_;                                                        \
        env = env_;                                                       \
        goto void_variable;                                               \
      }                                                                   \
    }                                                                     \
  } while (false)

// Byte-code made by hand may pop values that were there when it set up handler `h`, and find their words again when it is
// resumed. Frames (`fp` is the innermost) and primitives have been using these words: they hold nil then.
static void clear_popped(Context& cx, Frame* fp, const Handler& h) {
  Value* first = cx.sp;
  for (; fp != nullptr && fp != h.frame; fp = fp->previous()) first = reinterpret_cast<Value*>(fp);
  for (; first < h.sp; ++first) *first = kNil;
}

Action run_frames(Context& cx, Machine& m, Action action) {
  core::Countdown& countdown = cx.heap().countdown();
  Frame* fp = m.fp;
  Value* sp = cx.sp;
  Value form = kNil;
  Value env = kNil;
  Value val = m.val;
  Value fn = kNil;         // for apply
  std::uint32_t argc = 0;  // for apply
  const int my_depth = cx.native_depth;

  switch (action) {
    case Action::kEval:
      form = m.val;
      env = m.env;
      goto eval;
    case Action::kApply:
      fn = m.val;
      argc = m.argc;
      goto apply;
    case Action::kRaise: goto raise;
    case Action::kContinue:
      switch (m.resume_point) {
        case ResumePoint::kWhile: goto while_again;
        case ResumePoint::kByteCodeCall: return Action::kByteCode;
        case ResumePoint::kClosure: goto closure_body;
        case ResumePoint::kHigherOrder: action = resume_higher_order(cx, m); goto higher_order;
      }
      __builtin_unreachable();
    default: goto ret;
  }

  // ---- evaluating ----------------------------------------------------------------------------------

eval:
  if (!form.is_cons()) {
    ATOM_VALUE(form, env, val);
    goto ret;
  }
eval_cons : {
  if ((++m.forms & m.quiet_forms) == 0) [[unlikely]]
    note_form(cx, m, fp, form);
  if (++cx.eval_depth > m.max_depth->value.as_fixnum()) [[unlikely]] {
    SYNC();
    if (depth_exceeded(cx, m)) {
      --cx.eval_depth;
      goto raise;
    }
  }
  if (sp + 64 > cx.stack_limit) [[unlikely]] {
    --cx.eval_depth;
    SYNC();
    stack_exceeded(cx);
    goto raise;
  }
  const Value head = car_raw(form);
  const Value args = cdr_raw(form);
  if (head.has_tag(Tag::kSymbol)) [[likely]] {
    fn = cx.cells(head).function;
    if (fn.is_symbol() && !fn.is_nil()) fn = resolve_function(cx, fn);
  } else if (head.is_cons() && car_raw(head) == Qlambda && !env.is_nil()) {
    fn = cons(cx, Qclosure, cons(cx, env, cdr_raw(head)));
  } else {
    fn = head;
  }
  if (is_subr(fn)) [[likely]] {
    const auto* subr = fn.as_pointer<SubrObject>();
    const PrimitiveDescriptor* d = subr->descriptor;
    const std::uint8_t id = subr->header.aux;
    std::int64_t count = 0;
    {
      Value l = args;
      Value seen = kNil;  // Brent: a circular list comes back to where it was at a power of two
      std::int64_t next = 64;
      while (l.is_cons()) {
        l = cdr_raw(l);
        ++count;
        if (l == seen) break;
        if (count == next) {
          seen = l;
          next *= 2;
        }
      }
      if (!l.is_nil()) [[unlikely]] {
        PUSH_FORM(kTail, kNil);
        SYNC();
        if (const auto n = list_length(cx, args); n.ok()) wrong_type(cx, Qlistp, l);
        goto raise;
      }
    }
    if (count < d->min_args || (d->max_args >= 0 && count > d->max_args)) [[unlikely]] {
      PUSH_FORM(kTail, kNil);
      SYNC();
      signal_error2(cx, Qwrong_number_of_arguments, head, Value::fixnum(count));
      goto raise;
    }
    if (id != kNotMachine && id < kSpecialFormEnd) {
      switch (id) {
        case kForm_quote:
          if (count != 1) {
            PUSH_FORM(kTail, kNil);
            SYNC();
            signal_error2(cx, Qwrong_number_of_arguments, Qquote, Value::fixnum(count));
            goto raise;
          }
          val = car_raw(args);
          --cx.eval_depth;
          goto ret;
        case kForm_function: {
          if (count != 1) {
            PUSH_FORM(kTail, kNil);
            SYNC();
            signal_error2(cx, Qwrong_number_of_arguments, Qfunction, Value::fixnum(count));
            goto raise;
          }
          val = car_raw(args);
          if (!env.is_nil() && val.is_cons() && car_raw(val) == Qlambda) {
            const Value tail = cdr_raw(val);
            if (tail.is_cons() && cdr_raw(tail).is_cons() && car_raw(cdr_raw(tail)).is_cons() &&
                car_raw(car_raw(cdr_raw(tail))) == QCdocumentation) {
              // (lambda ARGS (:documentation FORM) …): the docstring is computed.
              const Value doc = cdr_raw(car_raw(cdr_raw(tail)));
              PUSH_FORM(kFunctionDoc, tail);
              form = doc.is_cons() ? car_raw(doc) : kNil;
              goto eval;
            }
            val = cons(cx, Qclosure, cons(cx, env, tail));
          }
          --cx.eval_depth;
          goto ret;
        }
        case kForm_progn:
          PUSH_FORM(kBody, args);
          val = kNil;
          goto body_next;
        case kForm_prog1:
          PUSH_FORM(kProg1, cdr_raw(args));
          form = car_raw(args);
          goto eval;
        case kForm_if:
          PUSH_FORM(kIf, cdr_raw(args));
          form = car_raw(args);
          goto eval;
        case kForm_and:
          val = Qt;
          PUSH_FORM(kAnd, args);
          goto and_next;
        case kForm_or:
          val = kNil;
          PUSH_FORM(kOr, args);
          goto or_next;
        case kForm_cond: PUSH_FORM(kCond, args); goto cond_next;
        case kForm_while:
          PUSH_FORM(kWhileTest, cdr_raw(args));
          form = car_raw(args);
          goto eval;
        case kForm_let:
          PUSH_FORM(kLet, car_raw(args));
          if (car_raw(args).is_cons() && proper_length(car_raw(args)) < 0) [[unlikely]] {
            SYNC();
            static_cast<void>(list_length(cx, car_raw(args)));  // signals; before any value is computed
            goto raise;
          }
          goto let_next;
        case kForm_let_star: PUSH_FORM(kLetStar, car_raw(args)); goto let_star_next;
        case kForm_setq:
          val = kNil;
          PUSH_FORM(kSetq, args);
          goto setq_next;
        case kForm_defvar: goto do_defvar;
        case kForm_defconst: {
          PUSH_FORM(kDefconst, args);
          const Value symbol = car_raw(args);
          SYNC();
          if (!symbol.is_symbol()) {
            wrong_type(cx, Qsymbolp, symbol);
            goto raise;
          }
          if (count > 3) {
            error_text(cx, "Too many arguments");
            goto raise;
          }
          form = car_raw(cdr_raw(args));
          goto eval;
        }
        case kForm_condition_case: goto do_condition_case;
        case kForm_catch:
          PUSH_FORM(kCatchTag, cdr_raw(args));
          form = car_raw(args);
          goto eval;
        case kForm_unwind_protect:
          PUSH_FORM(kUnwindForm, cdr_raw(args));
          cx.bindings.push_back({Binding::Kind::kUnwindLisp, 0, kNil, cdr_raw(args), env});
          form = car_raw(args);
          goto eval;
        case kForm_save_excursion:
        case kForm_save_restriction:
        case kForm_save_current_buffer: {
          PUSH_FORM(kBody, args);
          const HostHooks& hooks = host_hooks(cx);
          const auto save = id == kForm_save_excursion     ? hooks.record_save_excursion
                            : id == kForm_save_restriction ? hooks.record_save_restriction
                                                           : hooks.record_save_current_buffer;
          if (save != nullptr) {
            SYNC();
            save(cx);
          }
          val = kNil;
          goto body_next;
        }
        case kForm_interactive:
          val = kNil;
          --cx.eval_depth;
          goto ret;
        default: break;
      }
      __builtin_unreachable();
    }
    // An ordinary primitive. Arguments are pushed above a gap that the frame will fill if it is needed:
    // when all arguments are atoms and the primitive cannot re-enter, it never is.
    Value* base = sp + kFrameWords;
    Value* top = base;
    Value rest = args;
    if (sp + kFrameWords + count + 64 > cx.stack_limit) [[unlikely]] {
      --cx.eval_depth;
      SYNC();
      stack_exceeded(cx);
      goto raise;
    }
    while (rest.is_cons()) {
      const Value a = car_raw(rest);
      Value v;
      if (a.has_tag(Tag::kSymbol)) {
        const Value cell = lexical_cell(env, a);
        if (!cell.is_nil()) {
          if (cell.is_unbound()) [[unlikely]]
            break;
          v = cdr_raw(cell);
        } else {
          const SymbolCells& c = cx.cells(a);
          v = c.redirect == kPlain ? c.value : variable_value(cx, a);
          if (v.is_unbound()) [[unlikely]]
            break;
        }
      } else if (a.is_cons()) {
        break;
      } else {
        v = a;
      }
      *top++ = v;
      rest = cdr_raw(rest);
    }
    if (rest.is_nil() && id == kNotMachine && d->reentry == Reentry::kNoReentry) [[likely]] {
      // sp stays below the arguments: nothing in there can collect.
      SYNC();
      const std::size_t depth = cx.bindings.size();
      val = call_subr(cx, d, base, static_cast<std::uint32_t>(count));
      if (val.is_exit() || cx.bindings.size() != depth) [[unlikely]] {
        PUSH_FRAME(kCalled, kRecordAbove, static_cast<std::uint32_t>(count), head, kNil, env, fn);
        sp = base + count;
        SYNC();
        val = unbind_to_re(cx, depth, val);
        if (val.is_exit()) goto raise;
        POP();
        goto ret;
      }
      --cx.eval_depth;
      goto ret;
    }
    PUSH_FORM(kArgs, rest);
    fp->fn = fn;
    sp = top;
    goto args_next;
  }
  // Not a primitive.
  PUSH_FORM(kArgs, args);
  if (fn.is_nil()) {
    SYNC();
    if (!args.is_list()) {
      wrong_type(cx, Qlistp, args);
    } else {
      signal_void_function(cx, head);
    }
    goto raise;
  }
  if (!args.is_nil()) {
    SYNC();
    if (!args.is_cons()) {
      wrong_type(cx, Qlistp, args);
      goto raise;
    }
  }
  if (fn.is_cons()) {
    const Value kind = car_raw(fn);
    if (kind == Qlambda || kind == Qclosure) {
      const std::int64_t count = proper_length(args);
      if (count < 0) goto bad_args;
      if (sp + count + 64 > cx.stack_limit) [[unlikely]] {
        SYNC();
        stack_exceeded(cx);
        goto raise;
      }
      fp->fn = fn;
      goto args_next;
    }
    if (kind == Qmacro) {
      fp->op = FrameOp::kMacro;
      SYNC();
      const std::int64_t count = proper_length(args);
      if (bind_variable_re(cx, Qlexical_binding, boolean(!env.is_nil())).is_exit()) goto raise;
      if (count < 0) goto bad_args;
      fn = cdr_raw(fn);
      argc = 0;
      if (sp + count + 64 > cx.stack_limit) [[unlikely]] {
        stack_exceeded(cx);
        goto raise;
      }
      for (Value l = args; l.is_cons(); l = cdr_raw(l)) {
        *sp++ = car_raw(l);
        ++argc;
      }
      goto apply;
    }
    if (kind == Qautoload) {
      SYNC();
      if (autoload_do_load_re(cx, fn, head, kNil).is_exit()) goto raise;
      form = fp->form;
      env = fp->env;
      POP();
      goto eval_cons;
    }
  } else if (is_byte_code(fn)) {
    const std::int64_t count = proper_length(args);
    if (count < 0) goto bad_args;
    if (sp + count + 64 > cx.stack_limit) [[unlikely]] {
      SYNC();
      stack_exceeded(cx);
      goto raise;
    }
    fp->fn = fn;
    goto args_next;
  }
  SYNC();
  signal_error1(cx, Qinvalid_function, head);
  goto raise;
}

bad_args : {  // dotted or circular argument list of fp->form
  SYNC();
  const Value args = cdr_raw(fp->form);
  if (const auto n = list_length(cx, args); n.ok()) wrong_type(cx, Qlistp, args);
  goto raise;
}

void_variable:
  SYNC();
  if (lexical_cell(env, form).is_unbound()) {
    signal_error1(cx, Qcircular_list, env);
  } else {
    signal_error1(cx, Qvoid_variable, form);
  }
  goto raise;

  // ---- arguments --------------------------------------------------------------------------------------

args_next : {
  env = fp->env;
  Value rest = fp->rest;
  while (rest.is_cons()) {
    form = car_raw(rest);
    rest = cdr_raw(rest);
    if (form.is_cons()) {
      fp->rest = rest;
      goto eval_cons;
    }
    ATOM_VALUE(form, env, val);
    *sp++ = val;
  }
  fn = fp->fn;
  argc = static_cast<std::uint32_t>(sp - fp->above());
  fp->form = car_raw(fp->form);
  fp->op = FrameOp::kCalled;
  fp->flags = kRecordAbove;
  fp->n = argc;
  if (is_subr(fn) && fn.as_pointer<SubrObject>()->header.aux == kNotMachine) {
    SYNC();
    val = call_subr(cx, fn.as_pointer<SubrObject>()->descriptor, sp - argc, argc);
    if (val.is_exit()) goto raise;
    if (cx.bindings.size() != fp->bindings) [[unlikely]] {
      val = unbind_to_re(cx, fp->bindings, val);
      if (val.is_exit()) goto raise;
    }
    POP();
    goto ret;
  }
  goto apply_resolved;
}

  // ---- applying -----------------------------------------------------------------------------------------
  // `argc` arguments end at sp. The call gets a backtrace entry of its own.

apply:
  if (++cx.eval_depth > m.max_depth->value.as_fixnum()) [[unlikely]] {
    SYNC();
    if (depth_exceeded(cx, m)) {
      --cx.eval_depth;
      goto raise;
    }
  }
apply_again : {
  const Value original = fn;
  if (fn.is_symbol()) fn = fn.is_nil() ? kNil : resolve_function(cx, fn);
  if (fn.is_nil()) {
    PUSH_FRAME(kCalled, kRecordBelow, argc, original, kNil, kNil, kNil);
    SYNC();
    signal_void_function(cx, original);
    goto raise;
  }
  if (is_subr(fn)) {
    const auto* subr = fn.as_pointer<SubrObject>();
    const PrimitiveDescriptor* d = subr->descriptor;
    if (argc < static_cast<std::uint32_t>(d->min_args) ||
        (d->max_args >= 0 && argc > static_cast<std::uint32_t>(d->max_args))) {
      PUSH_FRAME(kCalled, kRecordBelow, argc, original, kNil, kNil, fn);
      SYNC();
      signal_error2(cx, Qwrong_number_of_arguments, fn, Value::fixnum(argc));
      goto raise;
    }
    if (d->is_special_form()) {
      PUSH_FRAME(kCalled, kRecordBelow, argc, original, kNil, kNil, fn);
      SYNC();
      signal_error1(cx, Qinvalid_function, fn);
      goto raise;
    }
    if (subr->header.aux == kNotMachine) {
      if (d->reentry == Reentry::kNoReentry) {
        const std::size_t depth = cx.bindings.size();
        SYNC();
        val = call_subr(cx, d, sp - argc, argc);
        if (val.is_exit() || cx.bindings.size() != depth) [[unlikely]] {
          PUSH_FRAME(kCalled, kRecordBelow, argc, original, kNil, kNil, fn);
          SYNC();
          if (val.is_exit()) goto raise;
          val = unbind_to_re(cx, depth, val);
          if (val.is_exit()) goto raise;
          POP();
          goto ret;
        }
        sp -= argc;
        --cx.eval_depth;
        goto ret;
      }
      PUSH_FRAME(kCalled, kRecordBelow, argc, original, kNil, kNil, fn);
      SYNC();
      val = call_subr(cx, d, fp->below(), argc);
      if (val.is_exit()) goto raise;
      if (cx.bindings.size() != fp->bindings) [[unlikely]] {
        val = unbind_to_re(cx, fp->bindings, val);
        if (val.is_exit()) goto raise;
      }
      POP();
      goto ret;
    }
    // A call the machine makes itself: its record, then a copy of the arguments to consume.
    PUSH_FRAME(kCalled, kRecordBelow, argc, original, kNil, kNil, fn);
    if (sp + argc + 64 > cx.stack_limit) [[unlikely]] {
      SYNC();
      stack_exceeded(cx);
      goto raise;
    }
    for (std::uint32_t i = 0; i < argc; ++i) *sp++ = fp->below()[i];
    goto machine_call;
  }
  if (fn.is_cons()) {
    const Value kind = car_raw(fn);
    if (kind == Qlambda || kind == Qclosure) {
      PUSH_FRAME(kBody, kRecordBelow, argc, original, kNil, kNil, fn);
      goto enter_closure;
    }
    if (kind == Qautoload) {
      PUSH_FRAME(kCalled, kRecordBelow, argc, original, kNil, kNil, fn);
      SYNC();
      if (autoload_do_load_re(cx, fn, original, kNil).is_exit()) goto raise;
      fn = fp->form;
      sp = reinterpret_cast<Value*>(fp);  // keep the arguments: only the frame goes
      fp = fp->previous();
      goto apply_again;
    }
  } else if (is_byte_code(fn)) {
    PUSH_FRAME(kByteCode, kRecordBelow, argc, original, kNil, kNil, fn);
    POLL(kByteCodeCall);
    SYNC();
    return Action::kByteCode;
  }
  PUSH_FRAME(kCalled, kRecordBelow, argc, original, kNil, kNil, fn);
  SYNC();
  signal_error1(cx, Qinvalid_function, original);
  goto raise;
}

apply_resolved:  // from args_next: fn is a machine call, closure or byte-code; fp is the kCalled frame
  if (fn.is_cons()) {
    fp->op = FrameOp::kBody;
    goto enter_closure;
  }
  if (is_byte_code(fn)) {
    PUSH_FRAME(kByteCode, 0, argc, kNil, kNil, kNil, fn);
    POLL(kByteCodeCall);
    SYNC();
    return Action::kByteCode;
  }
  goto machine_call;

enter_closure:  // fp: kBody frame with its arguments above or below
  POLL(kClosure);
closure_body : {
  const Value function = fp->fn;
  if (m.tiers->options.source) {
    SYNC();
    const Value code = m.tiers->enter_source(cx, function, fp->n);
    if (!code.is_nil()) {
      const Value closed = car_raw(function) == Qclosure ? car_raw(cdr_raw(function)) : kNil;
      if ((fp->flags & kRecordBelow) != 0) {
        fp->env = closed;
        fp->fn = code;
      } else {
        fp->op = FrameOp::kCalled;
        const std::uint32_t n = fp->n;
        PUSH_FRAME(kByteCode, 0, n, kNil, kNil, closed, code);
      }
      SYNC();
      return Action::kRegister;
    }
  }
  Value lexenv = kNil;
  Value shape = function;  // what arity errors report
  Value rest = cdr_raw(function);
  if (car_raw(function) == Qclosure) {
    if (!rest.is_cons()) goto invalid_closure;
    lexenv = car_raw(rest);
    shape = rest;
    rest = cdr_raw(rest);
  }
  {
    Value params = kNil;
    Value body = kNil;
    if (rest.is_cons()) {
      params = car_raw(rest);
      body = cdr_raw(rest);
    } else {
      goto invalid_closure;
    }
    Value* const args = (fp->flags & kRecordBelow) != 0 ? fp->below() : fp->above();
    const std::uint32_t n = fp->n;
    std::uint32_t i = 0;
    bool optional = false;
    bool rest_seen = false;
    bool previous_rest = false;
    SYNC();
    for (; params.is_cons(); params = cdr_raw(params)) {
      const Value p = car_raw(params);
      if (!p.is_symbol()) goto invalid_closure;
      if (p == Qand_rest) {
        if (rest_seen || previous_rest) goto invalid_closure;
        rest_seen = previous_rest = true;
        continue;
      }
      if (p == Qand_optional) {
        if (optional || rest_seen || previous_rest) goto invalid_closure;
        optional = true;
        continue;
      }
      Value v = kNil;
      if (rest_seen && i < n + 1) {
        for (std::uint32_t k = n; k > i; --k) v = cons(cx, args[k - 1], v);
        i = n;
      } else if (i < n) {
        v = args[i++];
      } else if (!optional) {
        fp->env = kNil;
        signal_error2(cx, Qwrong_number_of_arguments, shape, Value::fixnum(n));
        goto raise;
      }
      if (!lexenv.is_nil()) {
        lexenv = cons(cx, cons(cx, p, v), lexenv);
      } else if (bind_variable_re(cx, p, v).is_exit()) {
        goto raise;
      }
      previous_rest = false;
    }
    if (!params.is_nil() || previous_rest) goto invalid_closure;
    if (i < n) {
      signal_error2(cx, Qwrong_number_of_arguments, shape, Value::fixnum(n));
      goto raise;
    }
    fp->env = lexenv;
    fp->rest = body;
    if (cx.bindings.size() + static_cast<std::size_t>(cx.eval_depth) >
        static_cast<std::size_t>(m.max_specpdl->value.as_fixnum())) [[unlikely]] {
      if (specpdl_exceeded(cx, m)) goto raise;
    }
    val = kNil;
    goto body_next;
  }
invalid_closure:
  SYNC();
  signal_error1(cx, Qinvalid_function, shape);
  goto raise;
}

run_form:  // fn: register code of a form, to be evaluated in `env`
  PUSH_FRAME(kByteCode, 0, 0, kNil, kNil, env, fn);
  SYNC();
  return Action::kRegister;

  // Consumes the `argc` values that end at sp, with a kCalled frame below them. Only pushes or pops above it.
machine_call : {
  Value* const args = sp - argc;
  const std::uint8_t id = fn.as_pointer<SubrObject>()->header.aux;
  if (is_higher_order(id)) {
    SYNC();
    action = begin_higher_order(cx, m, id, args, argc);
    goto higher_order;
  }
  switch (id) {
    case kRes_funcall:
    case kRes_funcall_interactively:
      fn = args[0];
      --argc;
      goto apply;
    case kRes_apply: {
      const Value spread = args[argc - 1];
      fn = args[0];
      SYNC();
      const auto length = list_length(cx, spread);
      if (!length.ok()) goto raise;
      const std::int64_t n = Maybe<std::int64_t>(length).get_raw();
      if (argc == 1) {
        // (apply '(F ARGS…)) calls F with ARGS.
        if (spread.is_nil()) {
          argc = 0;
          fn = kNil;
          goto apply;
        }
        fn = car_raw(spread);
        if (sp + n + 64 > cx.stack_limit) goto stack_full;
        argc = 0;
        for (Value l = cdr_raw(spread); l.is_cons(); l = cdr_raw(l), ++argc) *sp++ = car_raw(l);
        goto apply;
      }
      if (n == 1) {
        // One more argument: it takes the list's place, in the backtrace as well.
        args[argc - 1] = car_raw(spread);
        if ((fp->flags & kRecordBelow) != 0) fp->below()[argc - 1] = car_raw(spread);
        --argc;
        goto apply;
      }
      if (sp + argc + n + 64 > cx.stack_limit) goto stack_full;
      const std::uint32_t fixed = argc - 2;
      for (std::uint32_t i = 0; i < fixed; ++i) *sp++ = args[1 + i];
      argc = fixed;
      for (Value l = spread; l.is_cons(); l = cdr_raw(l), ++argc) *sp++ = car_raw(l);
      goto apply;
    }
    case kRes_eval: {
      form = args[0];
      Value lexical = argc > 1 ? args[1] : kNil;
      if (!lexical.is_cons() && !lexical.is_nil()) lexical = list(cx, {Qt});
      env = lexical;
      PUSH_FRAME(kEval, 0, 0, kNil, kNil, env, kNil);
      if (m.tiers->options.source) {
        fn = m.tiers->enter_form(cx, form, env, false);
        if (!fn.is_nil()) goto run_form;
      }
      goto eval;
    }
    case kRes_byte_code: {
      SYNC();
      if (!args[0].is_string() || !is_vector(args[1]) || !args[2].is_natnum_fixnum()) {
        error_text(cx, "Invalid byte-code");
        goto raise;
      }
      const Value object = make_slots(cx, ObjectKind::kByteCode, 4, kNil);
      if (object.is_exit()) goto raise;
      set_slot_raw(object, 0, Value::fixnum(0));
      for (int i = 0; i < 3; ++i) set_slot_raw(object, i + 1, args[i]);
      PUSH_FRAME(kByteCode, 0, 0, kNil, kNil, kNil, object);
      SYNC();
      return Action::kByteCode;
    }
    default: break;
  }
  SYNC();
  unimplemented(cx, fn.as_pointer<SubrObject>()->descriptor->name);
  goto raise;
}

stack_full:
  SYNC();
  stack_exceeded(cx);
  goto raise;

  // A step of a primitive that calls Lisp many times has said what comes next.
higher_order:
  fp = m.fp;
  sp = cx.sp;
  switch (action) {
    case Action::kApply:
      fn = m.val;
      argc = m.argc;
      goto apply;
    case Action::kReturn: val = m.val; goto ret;
    case Action::kRaise: goto raise;
    default: return action;
  }

  // ---- returning to a frame -------------------------------------------------------------------------------------

ret:
  switch (fp->op) {
    case FrameOp::kEntry:
      SYNC();
      m.val = val;
      return Action::kDone;
    case FrameOp::kByteCode:
      SYNC();
      m.val = val;
      return Action::kByteCodeResume;
    case FrameOp::kRegister:
      SYNC();
      m.val = val;
      return Action::kRegisterResume;
    case FrameOp::kCalled:
    case FrameOp::kTail:
    case FrameOp::kEval: POP(); goto ret;
    case FrameOp::kArgs: *sp++ = val; goto args_next;
    case FrameOp::kBody: goto body_next;
    case FrameOp::kIf: {
      env = fp->env;
      const Value rest = fp->rest;
      if (val.truthy()) {
        form = car_raw(rest);
        if (!form.is_cons()) {
          ATOM_VALUE(form, env, val);
          POP();
          goto ret;
        }
        fp->op = FrameOp::kTail;
        goto eval_cons;
      }
      fp->op = FrameOp::kBody;
      fp->rest = cdr_raw(rest);
      goto body_next;
    }
    case FrameOp::kAnd:
      if (val.is_nil()) {
        POP();
        goto ret;
      }
      goto and_next;
    case FrameOp::kOr:
      if (val.truthy()) {
        POP();
        goto ret;
      }
      goto or_next;
    case FrameOp::kCond:
      if (val.is_nil()) {
        fp->rest = cdr_raw(fp->rest);
        goto cond_next;
      }
      {
        const Value body = cdr_of_list(car_raw(fp->rest));
        if (body.is_nil()) {
          POP();
          goto ret;
        }
        fp->op = FrameOp::kBody;
        fp->rest = body;
        goto body_next;
      }
    case FrameOp::kWhileTest:
      if (val.is_nil()) {
        POP();
        goto ret;
      }
      fp->op = FrameOp::kWhileBody;
      goto while_next;
    case FrameOp::kWhileBody: goto while_next;
    case FrameOp::kLet: *sp++ = val; goto let_next;
    case FrameOp::kLetStar: goto let_star_bind;
    case FrameOp::kSetq: goto setq_assign;
    case FrameOp::kProg1:
      *sp++ = val;
      fp->op = FrameOp::kProg1Rest;
      goto prog1_next;
    case FrameOp::kProg1Rest: goto prog1_next;
    case FrameOp::kFunctionDoc: {
      SYNC();
      if (val.is_symbol() && !val.is_nil()) val = symbol_name(cx, val);
      if (!val.is_string()) {
        wrong_type(cx, Qstringp, val);
        goto raise;
      }
      const Value tail = fp->rest;  // (ARGS (:documentation FORM) . BODY)
      val = cons(cx, Qclosure, cons(cx, fp->env, cons(cx, car_raw(tail), cons(cx, val, cdr_raw(cdr_raw(tail))))));
      POP();
      goto ret;
    }
    case FrameOp::kCatchTag: {
      Handler h{};
      h.kind = Handler::Kind::kCatch;
      h.tag = val;
      h.sp = sp;
      h.frame = fp;
      h.bindings = cx.bindings.size();
      h.eval_depth = cx.eval_depth;
      h.native_depth = my_depth;
      cx.handlers.push_back(h);
      fp->op = FrameOp::kCatch;
      val = kNil;
      goto body_next;
    }
    case FrameOp::kCatch: goto body_next;
    case FrameOp::kConditionCase: {
      cx.handlers.pop_back();
      // A :success clause gets the value.
      Value success = kNil;
      for (Value l = fp->rest; l.is_cons(); l = cdr_raw(l)) {
        const Value clause = car_raw(l);
        if (clause.is_cons() && car_raw(clause) == QCsuccess) success = clause;
      }
      if (success.is_nil()) {
        POP();
        goto ret;
      }
      form = success;
      goto run_clause;
    }
    case FrameOp::kUnwindForm: {
      const Value forms = cx.bindings.back().value;
      cx.bindings.pop_back();
      *sp++ = val;
      fp->op = FrameOp::kProg1Rest;
      fp->rest = forms;
      goto prog1_next;
    }
    case FrameOp::kDefvar: {
      const Value symbol = car_raw(fp->rest);
      SYNC();
      if (set_default_re(cx, symbol, val).is_exit()) goto raise;
      val = symbol;
      POP();
      goto ret;
    }
    case FrameOp::kDefvarToplevel: {
      const Value symbol = car_raw(fp->rest);
      if (Binding* b = toplevel_binding(cx, symbol); b != nullptr) b->value = val;
      val = symbol;
      POP();
      goto ret;
    }
    case FrameOp::kDefconst: {
      const Value args = fp->rest;
      const Value symbol = car_raw(args);
      const Value rest = cdr_raw(cdr_raw(args));
      SYNC();
      if (define_special(cx, symbol, rest.is_cons() ? car_raw(rest) : kNil).is_exit()) goto raise;
      if (set_default_re(cx, symbol, val).is_exit()) goto raise;
      symbol_put(cx, symbol, Qrisky_local_variable, Qt);
      val = symbol;
      POP();
      goto ret;
    }
    case FrameOp::kMacro: {
      SYNC();
      val = unbind_to_re(cx, fp->bindings, val);
      if (val.is_exit()) goto raise;
      fp->op = FrameOp::kTail;
      form = val;
      env = fp->env;
      goto eval;
    }
    case FrameOp::kMapcar:
    case FrameOp::kMapc:
    case FrameOp::kMapcan:
    case FrameOp::kMapconcat:
    case FrameOp::kSort:
    case FrameOp::kMaphash:
    case FrameOp::kHook:
      SYNC();
      m.val = val;
      action = continue_higher_order(cx, m);
      goto higher_order;
  }
  __builtin_unreachable();

  // ---- special forms, continued ---------------------------------------------------------------------------------

body_next : {
  Value rest = fp->rest;
  env = fp->env;
  while (rest.is_cons()) {
    form = car_raw(rest);
    rest = cdr_raw(rest);
    if (form.is_cons()) {
      fp->rest = rest;
      goto eval_cons;
    }
    ATOM_VALUE(form, env, val);
  }
  if (!rest.is_nil()) [[unlikely]] {
    SYNC();
    wrong_type(cx, Qlistp, rest);
    goto raise;
  }
  if (fp->op == FrameOp::kCatch) cx.handlers.pop_back();
  if (cx.bindings.size() != fp->bindings) {
    SYNC();
    val = unbind_to_re(cx, fp->bindings, val);
    if (val.is_exit()) goto raise;
  }
  POP();
  goto ret;
}

and_next : {
  env = fp->env;
  Value rest = fp->rest;
  while (rest.is_cons()) {
    form = car_raw(rest);
    rest = cdr_raw(rest);
    if (form.is_cons()) {
      fp->rest = rest;
      if (rest.is_nil()) fp->op = FrameOp::kTail;
      goto eval_cons;
    }
    ATOM_VALUE(form, env, val);
    if (val.is_nil()) break;
  }
  POP();
  goto ret;
}

or_next : {
  env = fp->env;
  Value rest = fp->rest;
  while (rest.is_cons()) {
    form = car_raw(rest);
    rest = cdr_raw(rest);
    if (form.is_cons()) {
      fp->rest = rest;
      if (rest.is_nil()) fp->op = FrameOp::kTail;
      goto eval_cons;
    }
    ATOM_VALUE(form, env, val);
    if (val.truthy()) break;
  }
  POP();
  goto ret;
}

cond_next : {
  env = fp->env;
  const Value rest = fp->rest;
  if (!rest.is_cons()) {
    val = kNil;
    POP();
    goto ret;
  }
  const Value clause = car_raw(rest);
  if (!clause.is_list()) {
    SYNC();
    wrong_type(cx, Qlistp, clause);
    goto raise;
  }
  form = car_of_list(clause);
  goto eval;
}

while_next : {
  env = fp->env;
  Value rest = fp->rest;
  while (rest.is_cons()) {
    form = car_raw(rest);
    rest = cdr_raw(rest);
    if (form.is_cons()) {
      fp->rest = rest;
      goto eval_cons;
    }
    ATOM_VALUE(form, env, val);
  }
  POLL(kWhile);
}
while_again : {
  if (++fp->aux == m.tiers->options.source_threshold) [[unlikely]] {
    // The loop goes on as register code, which begins where it is: at its test.
    fn = m.tiers->enter_form(cx, fp->form, fp->env, true);
    if (!fn.is_nil()) {
      env = fp->env;
      POP();
      goto run_form;
    }
  }
  const Value args = cdr_raw(fp->form);
  fp->rest = cdr_raw(args);
  fp->op = FrameOp::kWhileTest;
  env = fp->env;
  form = car_raw(args);
  goto eval;
}

prog1_next : {
  env = fp->env;
  Value rest = fp->rest;
  while (rest.is_cons()) {
    form = car_raw(rest);
    rest = cdr_raw(rest);
    if (form.is_cons()) {
      fp->rest = rest;
      goto eval_cons;
    }
    ATOM_VALUE(form, env, val);
  }
  val = fp->above()[0];
  POP();
  goto ret;
}

setq_next : {  // fp->rest: (SYM FORM . MORE)
  const Value rest = fp->rest;
  if (!rest.is_cons()) {
    POP();
    goto ret;
  }
  const Value tail = cdr_raw(rest);
  if (!tail.is_cons()) {
    SYNC();
    signal_error2(cx, Qwrong_number_of_arguments, Qsetq, Value::fixnum(proper_length(cdr_raw(fp->form))));
    goto raise;
  }
  env = fp->env;
  form = car_raw(tail);
  if (form.is_cons()) goto eval_cons;
  ATOM_VALUE(form, env, val);
}
setq_assign : {
  const Value rest = fp->rest;
  const Value symbol = car_raw(rest);
  const Value cell = symbol.has_tag(Tag::kSymbol) ? lexical_cell(fp->env, symbol) : kNil;
  if (cell.is_unbound()) [[unlikely]] {
    SYNC();
    signal_error1(cx, Qcircular_list, fp->env);
    goto raise;
  }
  if (!cell.is_nil()) {
    set_cdr_raw(cell, val);
  } else {
    SYNC();
    if (!symbol.is_symbol()) {
      wrong_type(cx, Qsymbolp, symbol);
      goto raise;
    }
    *sp++ = val;  // watchers may collect
    cx.sp = sp;
    if (set_variable_re(cx, symbol, val).is_exit()) goto raise;
    val = *--sp;
  }
  fp->rest = cdr_raw(cdr_raw(fp->rest));
  goto setq_next;
}

let_next : {  // fp->rest: varlist left; values so far above the frame
  env = fp->env;
  Value rest = fp->rest;
  while (rest.is_cons()) {
    const Value item = car_raw(rest);
    rest = cdr_raw(rest);
    if (sp + 64 > cx.stack_limit) [[unlikely]]
      goto stack_full;
    if (item.is_symbol()) {
      *sp++ = kNil;
      continue;
    }
    if (!item.is_cons()) {
      SYNC();
      wrong_type(cx, Qlistp, item);
      goto raise;
    }
    const Value tail = cdr_raw(item);
    if (!tail.is_cons()) {
      if (!tail.is_nil()) {
        SYNC();
        wrong_type(cx, Qlistp, tail);
        goto raise;
      }
      *sp++ = kNil;
      continue;
    }
    if (!cdr_raw(tail).is_nil()) {
      SYNC();
      signal_error(cx, Qerror, cons(cx, make_string(cx, "`let' bindings can have only one value-form"), item));
      goto raise;
    }
    form = car_raw(tail);
    if (form.is_cons()) {
      fp->rest = rest;
      goto eval_cons;
    }
    ATOM_VALUE(form, env, val);
    *sp++ = val;
  }
  if (!rest.is_nil()) {
    SYNC();
    wrong_type(cx, Qlistp, rest);
    goto raise;
  }
  // All values are there: bind.
  Value* const values = fp->above();
  const auto count = static_cast<std::size_t>(sp - values);
  SYNC();
  Value new_env = env;
  const Value args = cdr_raw(fp->form);
  Value vars = car_raw(args);
  for (std::size_t i = 0; i < count && vars.is_cons(); ++i, vars = cdr_raw(vars)) {
    const Value item = car_raw(vars);
    const Value bound = let_bind(cx, item.is_cons() ? car_raw(item) : item, values[i], env, new_env);
    if (bound.is_exit()) goto raise;
    new_env = bound;
  }
  sp = values;
  fp->op = FrameOp::kBody;
  fp->rest = cdr_raw(args);
  fp->env = new_env;
  val = kNil;
  if (cx.bindings.size() + static_cast<std::size_t>(cx.eval_depth) >
      static_cast<std::size_t>(m.max_specpdl->value.as_fixnum())) [[unlikely]] {
    SYNC();
    if (specpdl_exceeded(cx, m)) goto raise;
  }
  goto body_next;
}

let_star_next : {
  env = fp->env;
  const Value rest = fp->rest;
  if (!rest.is_cons()) {
    if (!rest.is_nil()) {
      SYNC();
      wrong_type(cx, Qlistp, car_raw(cdr_raw(fp->form)));
      goto raise;
    }
    fp->op = FrameOp::kBody;
    fp->rest = cdr_raw(cdr_raw(fp->form));
    val = kNil;
    if (cx.bindings.size() + static_cast<std::size_t>(cx.eval_depth) >
        static_cast<std::size_t>(m.max_specpdl->value.as_fixnum())) [[unlikely]] {
      SYNC();
      if (specpdl_exceeded(cx, m)) goto raise;
    }
    goto body_next;
  }
  const Value item = car_raw(rest);
  val = kNil;
  if (item.is_symbol()) goto let_star_bind;
  SYNC();
  if (!item.is_cons()) {
    wrong_type(cx, Qlistp, item);
    goto raise;
  }
  const Value tail = cdr_raw(item);
  if (tail.is_nil()) goto let_star_bind;
  if (!tail.is_cons()) {
    wrong_type(cx, Qlistp, tail);
    goto raise;
  }
  if (!cdr_raw(tail).is_nil()) {
    signal_error(cx, Qerror, cons(cx, make_string(cx, "`let' bindings can have only one value-form"), item));
    goto raise;
  }
  form = car_raw(tail);
  if (form.is_cons()) goto eval_cons;
  ATOM_VALUE(form, env, val);
}
let_star_bind : {
  SYNC();
  const Value item = car_raw(fp->rest);
  const Value bound = let_bind(cx, item.is_cons() ? car_raw(item) : item, val, fp->env, fp->env);
  if (bound.is_exit()) goto raise;
  if (bound == fp->env && cx.bindings.size() + static_cast<std::size_t>(cx.eval_depth) >
                              static_cast<std::size_t>(m.max_specpdl->value.as_fixnum())) [[unlikely]] {
    // The list of variables may be circular: it does not end by itself.
    if (specpdl_exceeded(cx, m)) goto raise;
  }
  fp->env = bound;
  fp->rest = cdr_raw(fp->rest);
  goto let_star_next;
}

do_defvar : {
  const Value args = cdr_raw(form);
  const Value symbol = car_raw(args);
  const Value tail = cdr_raw(args);
  PUSH_FORM(kDefvar, args);
  SYNC();
  if (!symbol.is_symbol()) {
    wrong_type(cx, Qsymbolp, symbol);
    goto raise;
  }
  if (tail.is_cons()) {
    const Value doc = cdr_raw(tail);
    if (doc.is_cons() && !cdr_raw(doc).is_nil()) {
      error_text(cx, "Too many arguments");
      goto raise;
    }
    const bool bound = !default_value(cx, symbol).is_unbound();
    if (define_special(cx, symbol, doc.is_cons() ? car_raw(doc) : kNil).is_exit()) goto raise;
    form = car_raw(tail);
    if (!bound) goto eval;
    // Bound by a `let` while void outside of it: give the outer value.
    if (Binding* b = toplevel_binding(cx, symbol); b != nullptr && b->value.is_unbound()) {
      fp->op = FrameOp::kDefvarToplevel;
      goto eval;
    }
  } else if (!env.is_nil() && !is_declared_special(cx, symbol)) {
    // (defvar X) in a lexical scope: X is special in the rest of that scope, which is every frame that
    // still has this very environment.
    extend_environment(fp, env, cons(cx, symbol, env));
  }
  val = symbol;
  POP();
  goto ret;
}

do_condition_case : {
  const Value args = cdr_raw(form);
  const Value var = car_raw(args);
  const Value clauses = cdr_raw(cdr_raw(args));
  PUSH_FORM(kConditionCase, clauses);
  SYNC();
  if (!var.is_symbol()) {
    wrong_type(cx, Qsymbolp, var);
    goto raise;
  }
  for (Value l = clauses; l.is_cons(); l = cdr_raw(l)) {
    const Value c = car_raw(l);
    if (c.is_nil() || (c.is_cons() && (car_raw(c).is_symbol() || car_raw(c).is_cons()))) continue;
    invalid_handler_re(cx, c);
    goto raise;
  }
  Handler h{};
  h.kind = Handler::Kind::kClauses;
  h.tag = clauses;
  h.sp = sp;
  h.frame = fp;
  h.bindings = cx.bindings.size();
  h.eval_depth = cx.eval_depth;
  h.native_depth = my_depth;
  cx.handlers.push_back(h);
  form = car_raw(cdr_raw(args));
  goto eval;
}

run_clause : {  // form: the clause; val: what VAR gets; fp: the condition-case's frame
  const Value var = car_raw(cdr_raw(fp->form));
  SYNC();
  fp->op = FrameOp::kBody;
  fp->rest = cdr_raw(form);
  if (!var.is_nil()) {
    if (!fp->env.is_nil()) {
      fp->env = cons(cx, cons(cx, var, val), fp->env);
    } else if (bind_variable_re(cx, var, val).is_exit()) {
      goto raise;
    }
  }
  val = kNil;
  goto body_next;
}

  // ---- unwinding ------------------------------------------------------------------------------------------------
  // An exit is pending and the stack is synced. Its handler is found first (hooks and debugger run with
  // everything bound), then bindings are popped, then frames dropped.

raise : {
  if (cx.exit_kind == ExitKind::kPark) [[unlikely]]
    return leave_to_resume(m, Action::kReturn);
  if (!cx.exit_resolved) resolve_exit(cx);
  std::int64_t target = 0;
  do {
    target = cx.exit_target;
    const std::size_t depth = target >= 0 ? cx.handlers[static_cast<std::size_t>(target)].bindings : 0;
    (void)unbind_to_re(cx, depth, kExit);
  } while (cx.exit_target != target);
  if (target < 0) return Action::kFailed;
  const Handler h = cx.handlers[static_cast<std::size_t>(target)];
  if (h.native || h.native_depth < my_depth) {
    cx.handlers.resize(static_cast<std::size_t>(target) + 1);
    return Action::kFailed;
  }
  cx.handlers.resize(static_cast<std::size_t>(target));
  m.val = m.env = kNil;  // what was left there keeps nothing alive: memory may have run out
  if (static_cast<Frame*>(h.frame)->op == FrameOp::kByteCode) clear_popped(cx, fp, h);
  fp = static_cast<Frame*>(h.frame);
  sp = h.sp;
  cx.eval_depth = h.eval_depth;
  const ExitKind kind = cx.exit_kind;
  const Value tag = cx.exit_tag;
  const Value data = cx.exit_data;
  cx.exit_kind = ExitKind::kNone;
  cx.exit_tag = cx.exit_data = kNil;
  cx.exit_resolved = false;
  cx.exit_target = -1;
  val = kind == ExitKind::kThrow ? data : (tag.is_nil() ? data : cons(cx, tag, data));
  if (fp->op == FrameOp::kRegister) {
    land_in_register_frame(fp, h.pc);
    SYNC();
    m.val = val;
    return Action::kRegisterResume;
  }
  if (fp->op == FrameOp::kByteCode) {
    fp->rest = Value::fixnum(h.pc);
    *sp++ = kNil;  // the slot that the resumed code fills
    SYNC();
    m.val = val;
    return Action::kByteCodeResume;
  }
  if (fp->op == FrameOp::kCatch) {
    POP();
    goto ret;
  }
  const Value symbol = tag.is_nil() && data.is_cons() ? car_raw(data) : tag;
  form = find_clause(h.tag, error_conditions_of(cx, symbol, data));
  goto run_clause;
}
}

}  // namespace neovm::elisp
