// Looking at the calls in progress: mapbacktrace and its relatives.
//
// The frames that carry a record flag are Emacs's backtrace entries. A frame holds either a whole form
// whose arguments are not evaluated yet, or a function and where its arguments are.
#include <vector>

#include "machine.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

namespace {

Frame* next_record(Frame* f) {
  while (f != nullptr && (f->flags & kRecordAny) == 0) f = f->previous();
  return f;
}

Value record_function(Frame* f) {
  if ((f->flags & kRecordForm) != 0) return f->form.is_cons() ? car_raw(f->form) : f->form;
  return f->form;
}

// The first record whose function is BASE, or the newest one.
Frame* starting_record(Context& cx, Value base) {
  Frame* f = next_record(machine(cx).fp);
  if (base.is_nil()) return f;
  const Value target = base.is_symbol() ? resolve_function(cx, base) : base;
  while (f != nullptr) {
    const Value function = record_function(f);
    if ((function.is_symbol() ? resolve_function(cx, function) : function) == target) break;
    f = next_record(f->previous());
  }
  return f;
}

Maybe<Frame*> find_record(Context& cx, Value nframes, Value base) {
  if (!nframes.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, nframes);
  Frame* f = starting_record(cx, base);
  for (std::int64_t n = nframes.as_fixnum(); n > 0 && f != nullptr; --n) f = next_record(f->previous());
  return f;
}

// (funcall FUNCTION EVALD FUNC ARGS FLAGS)
Value call_with_record_re(Context& cx, Value function, Frame* f) {
  const Value flags = (f->flags & kDebugOnExit) != 0 ? list(cx, {QCdebug_on_exit, Qt}) : kNil;
  if ((f->flags & kRecordForm) != 0) {
    const Value args = f->form.is_cons() ? cdr_raw(f->form) : kNil;
    return funcall_re(cx, function, {kNil, record_function(f), args, flags});
  }
  const Value* const values = (f->flags & kRecordBelow) != 0 ? f->below() : f->above();
  const Value args = list_from(cx, std::span<const Value>(values, f->n));
  return funcall_re(cx, function, {Qt, record_function(f), args, flags});
}

}  // namespace

NEOVM_PRIMITIVE(mapbacktrace, "mapbacktrace", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Call FUNCTION with EVALD, FUNC, ARGS and FLAGS of each call in progress, from BASE outwards.")
(Context& cx, Value function, Value base) {
  for (Frame* f = starting_record(cx, base); f != nullptr; f = next_record(f->previous()))
    TRY(call_with_record_re(cx, function, f));
  return kNil;
}

NEOVM_PRIMITIVE(backtrace_frame_internal, "backtrace-frame--internal", 3, 3, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Call FUNCTION with the call NFRAMES outwards from BASE.")
(Context& cx, Value function, Value nframes, Value base) {
  Frame* f = TRY(find_record(cx, nframes, base));
  return f == nullptr ? kNil : call_with_record_re(cx, function, f);
}

NEOVM_PRIMITIVE(backtrace_debug, "backtrace-debug", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Set the debug-on-exit flag of the call LEVEL frames outwards to FLAG.")
(Context& cx, Value level, Value flag) {
  if (!level.is_fixnum()) return wrong_type(cx, Qfixnump, level);
  Frame* f = starting_record(cx, Qnil);
  for (std::int64_t n = level.as_fixnum(); n > 0 && f != nullptr; --n) f = next_record(f->previous());
  if (f != nullptr) {
    f->flags = static_cast<std::uint8_t>(flag.truthy() ? f->flags | kDebugOnExit : f->flags & ~kDebugOnExit);
  }
  return flag;
}

namespace {

// Exchanges the values of the `let` bindings above `depth` with their outer values. Doing it once, newest
// first, shows the world as it was at that depth; doing it again, oldest first, puts it back.
void exchange_binding(Context& cx, Binding& b) {
  switch (b.kind) {
    case Binding::Kind::kLet:
    case Binding::Kind::kLetDefault: {
      const Value now = default_value(cx, b.symbol);
      store(&cx.cells(core::resolve_alias(cx, b.symbol)).value, b.value);
      b.value = now;
      break;
    }
    case Binding::Kind::kLetLocal: {
      const auto& hooks = host_hooks(cx);
      const Value locals = hooks.buffer_locals != nullptr ? hooks.buffer_locals(cx, b.where) : cx.locals;
      if (locals.is_nil() || !core::has_local_value(cx, b.symbol, locals)) break;
      const Value now = variable_value_in(cx, b.symbol, locals);
      (void)core::set_in_re(cx, b.symbol, b.value, locals, b.where, core::SetKind::kThreadSwitch);
      b.value = now;
      break;
    }
    default: break;
  }
}

// The lexical environment that code of frame F runs in now; Unbound when F keeps none.
Value current_environment(Frame* f) {
  switch (f->op) {
    case FrameOp::kByteCode:
    case FrameOp::kRegister:
    case FrameOp::kMapcar:
    case FrameOp::kMapc:
    case FrameOp::kMapcan:
    case FrameOp::kMapconcat:
    case FrameOp::kSort:
    case FrameOp::kMaphash:
    case FrameOp::kHook: return kUnbound;
    case FrameOp::kCalled: return (f->flags & kRecordAbove) != 0 ? f->env : kUnbound;
    default: return f->env;
  }
}

// … and that F itself was called in: what F has bound since does not count.
Value calling_environment(Frame* f) {
  if (f->op == FrameOp::kArgs || (f->op == FrameOp::kCalled && (f->flags & kRecordAbove) != 0)) return f->env;
  for (Frame* g = f->previous(); g != nullptr; g = g->previous()) {
    const Value env = current_environment(g);
    if (!env.is_unbound()) return env;
  }
  return kNil;
}

}  // namespace

NEOVM_PRIMITIVE(backtrace_eval, "backtrace-eval", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Evaluate EXP in the context of the call NFRAMES outwards from BASE.")
(Context& cx, Value exp, Value nframes, Value base) {
  Frame* f = TRY(find_record(cx, nframes, base));
  if (f == nullptr) return error_text(cx, "Activation frame not found!");
  const std::size_t depth = f->bindings;
  const std::size_t top = cx.bindings.size();
  for (std::size_t i = top; i-- > depth;) exchange_binding(cx, cx.bindings[i]);
  // Back in place however EXP ends; an error's handler is looked for inside.
  record_unwind(
      cx,
      [](Context& c, Value range) {
        const auto from = static_cast<std::size_t>(car_raw(range).as_fixnum());
        const auto to = static_cast<std::size_t>(cdr_raw(range).as_fixnum());
        for (std::size_t i = from; i < to; ++i) exchange_binding(c, c.bindings[i]);
      },
      cons(cx, Value::fixnum(static_cast<std::int64_t>(depth)), Value::fixnum(static_cast<std::int64_t>(top))));
  Value env = calling_environment(f);
  const Value result = eval_in_environment_re(cx, exp, &env);
  return unbind_to_re(cx, top, result);
}

NEOVM_PRIMITIVE(backtrace_locals, "backtrace--locals", 1, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return an alist of the local variables of the call NFRAMES outwards from BASE.")
(Context& cx, Value nframes, Value base) {
  if (!nframes.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, nframes);
  Frame* f = TRY(find_record(cx, nframes, base));
  Frame* inner = TRY(find_record(cx, Value::fixnum(nframes.as_fixnum() - 1), base));
  if (f == nullptr || inner == nullptr) return error_text(cx, "Activation frame not found!");
  Value result = kNil;
  // Dynamic bindings made between this call and the next inner one, with the values they gave then: what a
  // later binding of the same variable saved, or else the current value.
  for (std::size_t i = inner->bindings; i-- > f->bindings;) {
    const Binding& b = cx.bindings[i];
    if (b.kind != Binding::Kind::kLet && b.kind != Binding::Kind::kLetDefault && b.kind != Binding::Kind::kLetLocal)
      continue;
    Value v = kUnbound;
    for (std::size_t j = i + 1; j < cx.bindings.size() && v.is_unbound(); ++j)
      if (cx.bindings[j].kind == b.kind && cx.bindings[j].symbol == b.symbol) v = cx.bindings[j].value;
    if (v.is_unbound()) v = variable_value(cx, b.symbol);
    result = cons(cx, cons(cx, b.symbol, v.is_unbound() ? kNil : v), result);
  }
  const Value env = current_environment(f);
  if (env.is_cons() && env != calling_environment(f)) {
    for (Value e = env; e.is_cons(); e = cdr_raw(e))
      if (car_raw(e).is_cons()) result = cons(cx, cons(cx, car_raw(car_raw(e)), cdr_raw(car_raw(e))), result);
  }
  return result;
}

}  // namespace neovm::elisp
