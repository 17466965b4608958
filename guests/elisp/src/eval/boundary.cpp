// The error protocol: from a recorded error to the handler that takes it.
//
// A primitive only records its error. Before anything is unbound, resolve_exit runs signal-hook-function,
// finds the handler, and runs the debugger when it is wanted; the unwinding that follows only carries out
// what was decided here.
#include "machine.hpp"

#include "neovm/abi/api.hpp"
#include "neovm/core/list_walk.hpp"

namespace neovm::elisp {

bool condition_matches(Value condition, Value conditions) {
  if (condition.is_cons()) {
    core::CycleFinder cycle(condition);
    for (Value l = condition; l.is_cons();) {
      if (car_raw(l) == Qt || !memq(car_raw(l), conditions).is_nil()) return true;
      l = cdr_raw(l);
      if (cycle.step(l)) break;
    }
    return false;
  }
  if (condition.is_nil()) return false;
  return condition == Qt || !memq(condition, conditions).is_nil();
}

Value find_clause(Value clauses, Value conditions) {
  core::CycleFinder cycle(clauses);
  for (Value l = clauses; l.is_cons();) {
    const Value clause = car_raw(l);
    if (clause.is_cons() && car_raw(clause) != QCsuccess && condition_matches(car_raw(clause), conditions))
      return clause;
    l = cdr_raw(l);
    if (cycle.step(l)) break;
  }
  return kNil;
}

Value error_conditions_of(Context& cx, Value symbol, Value) {
  return symbol.is_symbol() ? symbol_get(cx, symbol, Qerror_conditions) : kNil;
}

namespace {

// debug-on-error and debug-on-signal hold t, nil or a list of conditions.
bool wants_debugger(Value setting, Value conditions) {
  if (setting.is_unbound() || setting.is_nil()) return false;
  if (!setting.is_cons()) return true;
  for (Value l = conditions; l.is_cons(); l = cdr_raw(l))
    if (!memq(car_raw(l), setting).is_nil()) return true;
  return false;
}

// debug-ignored-errors lists conditions and regular expressions for the message.
bool skip_debugger_re(Context& cx, Value conditions, Value error) {
  const Value ignored = variable_value(cx, Qdebug_ignored_errors);
  Value message = kUnbound;
  for (Value l = ignored; l.is_cons(); l = cdr_raw(l)) {
    const Value item = car_raw(l);
    if (item.is_string()) {
      if (message.is_unbound()) message = funcall_re(cx, Qerror_message_string, {error});
      if (message.is_exit()) return false;
      const Value hit = funcall_re(cx, Qstring_match, {item, message});
      if (hit.is_exit()) return false;
      if (hit.truthy()) return true;
    } else {
      for (Value c = conditions; c.is_cons(); c = cdr_raw(c))
        if (car_raw(c) == item) return true;
    }
  }
  return false;
}

void raise_limit(SymbolCells* cell, std::int64_t used, std::int64_t room) {
  if (cell->value.as_fixnum() < used + room) store(&cell->value, Value::fixnum(used + room));
}

void restore_limits(Context& cx, Value data) {
  Machine& m = machine(cx);
  store(&m.depth_limit->value, car_raw(data));
  store(&m.max_specpdl->value, cdr_raw(data));
}

// Runs `debugger` with ARGS, everything still bound. kExit when it left non-locally.
Value call_debugger_re(Context& cx, Value args) {
  Machine& m = machine(cx);
  const std::size_t depth = cx.bindings.size();
  record_unwind(cx, restore_limits, cons(cx, m.depth_limit->value, m.max_specpdl->value));
  raise_limit(m.depth_limit, cx.eval_depth, 100);
  raise_limit(m.max_specpdl, static_cast<std::int64_t>(depth) + cx.eval_depth, 200);
  store(&cx.cells(Qdebug_on_next_call).value, kNil);
  const Value events = variable_value(cx, Qnum_nonmacro_input_events);
  store(&cx.cells(Qinternal_when_entered_debugger).value, events.is_fixnum() ? events : Value::fixnum(0));
  Value r = bind_variable_re(cx, Qdebugger_may_continue, Qt);
  if (!r.is_exit()) r = bind_variable_re(cx, Qinhibit_redisplay, kNil);
  if (!r.is_exit()) r = bind_variable_re(cx, Qinhibit_debugger, Qt);
  if (!r.is_exit()) r = bind_variable_re(cx, Qinhibit_changing_match_data, kNil);
  if (!r.is_exit()) {
    Value function = variable_value(cx, Qdebugger);
    if (function.is_unbound()) function = kNil;
    const Value parts[2] = {car_raw(args), car_raw(cdr_raw(args))};
    r = funcall_re(cx, function, parts);
  }
  return unbind_to_re(cx, depth, r);
}

bool maybe_call_debugger_re(Context& cx, Value conditions, Value symbol, Value data, bool* left) {
  const Value when = cx.cells(Qinternal_when_entered_debugger).value;
  const Value events = variable_value(cx, Qnum_nonmacro_input_events);
  const std::int64_t now = events.is_fixnum() ? events.as_fixnum() : 0;
  if (variable_true(cx, Qinhibit_debugger)) return false;
  const bool wanted = symbol == Qquit ? variable_true(cx, Qdebug_on_quit)
                                      : wants_debugger(variable_value(cx, Qdebug_on_error), conditions);
  if (!wanted) return false;
  const Value error = cons(cx, symbol, data);
  if (skip_debugger_re(cx, conditions, error)) return false;
  if (when.is_fixnum() && when.as_fixnum() >= now) return false;
  *left = call_debugger_re(cx, list(cx, {Qerror, error})).is_exit();
  return true;
}

std::int64_t find_handler(Context& cx, Value conditions, Value* clause) {
  for (std::size_t i = cx.handlers.size(); i-- > 0;) {
    const Handler& h = cx.handlers[i];
    switch (h.kind) {
      case Handler::Kind::kCatch: break;
      case Handler::Kind::kCatchAll: *clause = Qt; return static_cast<std::int64_t>(i);
      case Handler::Kind::kConditions:
        if (h.tag == Qt || condition_matches(h.tag, conditions)) {
          *clause = h.tag;
          return static_cast<std::int64_t>(i);
        }
        break;
      case Handler::Kind::kClauses: {
        const Value c = find_clause(h.tag, conditions);
        if (!c.is_nil()) {
          *clause = car_raw(c);
          return static_cast<std::int64_t>(i);
        }
        break;
      }
    }
  }
  *clause = kNil;
  return -1;
}

}  // namespace

void resolve_exit(Context& cx) {
  Machine& m = machine(cx);
  if (cx.exit_kind == ExitKind::kThrow) {  // recorded by hand, without throw_tag
    cx.exit_resolved = true;
    return;
  }
  if (cx.exit_kind == ExitKind::kKill) {
    cx.exit_resolved = true;
    cx.exit_target = -1;
    return;
  }
  // The error waits on the VM stack while hooks run.
  Value* const saved = cx.sp;
  if (cx.sp + 64 >= cx.stack_limit) {
    // No room for hooks or the debugger; the handler is found all the same.
    const Value signaled = !cx.exit_tag.is_nil() || !cx.exit_data.is_cons() ? cx.exit_tag : car_raw(cx.exit_data);
    Value clause = kNil;
    cx.exit_resolved = true;
    cx.exit_target = find_handler(cx, error_conditions_of(cx, signaled, cx.exit_data), &clause);
    return;
  }
  saved[0] = cx.exit_tag;  // nil for (signal nil ERROR)
  saved[1] = cx.exit_data;
  saved[2] = kNil;
  cx.sp += 3;
  const bool fresh = !saved[0].is_nil();  // (signal nil …) re-raises: no hook, no debugger
  cx.exit_kind = ExitKind::kNone;
  const Value data0 = saved[1];
  const Value symbol = fresh ? saved[0] : (data0.is_cons() ? car_raw(data0) : kNil);

  const Value hook = variable_value(cx, Qsignal_hook_function);
  if (fresh && !hook.is_unbound() && hook.truthy()) {
    // Edebug restores these itself.
    cx.eval_depth += 20;
    raise_limit(m.depth_limit, cx.eval_depth, 0);
    const Value args[2] = {saved[0], saved[1]};
    if (funcall_re(cx, hook, args).is_exit()) {
      cx.sp = saved;
      return;  // another exit has taken over, resolved already
    }
  }
  const Value conditions = error_conditions_of(cx, symbol, saved[1]);
  saved[2] = conditions;
  Value clause = kNil;
  std::int64_t target = find_handler(cx, conditions, &clause);
  // Where somebody waits for the error (a task's starter), a debugger that Lisp has put there is called, and no other.
  const auto uncaught = target < 0 ? cx.isolate().guest_hooks().uncaught_re : nullptr;
  if (fresh && (uncaught == nullptr || variable_value(cx, Qdebugger) != Qdebug)) {
    const bool on_signal = variable_true(cx, Qdebug_on_signal);
    const bool wants = on_signal || target < 0 || (clause.is_cons() && !memq(Qdebug, clause).is_nil()) ||
                       (clause == Qerror && cx.handlers[static_cast<std::size_t>(target)].native);
    bool called = false;
    if (wants) {
      bool left = false;
      called = maybe_call_debugger_re(cx, saved[2], symbol, saved[1], &left);
      if (left) {
        cx.sp = saved;
        return;
      }
    }
    const bool toplevel = target < 0 || (cx.handlers[static_cast<std::size_t>(target)].native && clause == Qerror);
    if (!called && toplevel && uncaught == nullptr && variable_true(cx, Qnoninteractive) &&
        variable_true(cx, Qbacktrace_on_error_noninteractive) && !variable_true(cx, Qinhibit_debugger) &&
        symbol_function(cx, Qdebug).truthy()) {
      const std::size_t depth = cx.bindings.size();
      Value r = bind_variable_re(cx, Qdebugger, Qdebug);
      if (!r.is_exit()) r = call_debugger_re(cx, list(cx, {Qerror, cons(cx, saved[0], saved[1])}));
      if (unbind_to_re(cx, depth, r).is_exit()) {
        cx.sp = saved;
        return;
      }
    }
  }
  if (uncaught != nullptr) uncaught(cx, symbol, fresh ? saved[1] : (saved[1].is_cons() ? cdr_raw(saved[1]) : kNil));
  target = find_handler(cx, saved[2], &clause);
  cx.exit_kind = ExitKind::kSignal;
  cx.exit_tag = saved[0];
  cx.exit_data = saved[1];
  cx.exit_resolved = true;
  cx.exit_target = target;
  cx.sp = saved;
}

}  // namespace neovm::elisp
