#include "higher_order.hpp"

#include "neovm/abi/api.hpp"
#include "neovm/core/hash_table.hpp"
#include "sorting.hpp"

namespace neovm::elisp {

namespace {

Frame* push_frame(Context& cx, Machine& m, FrameOp op, Value form, Value rest, Value env, Value fn) {
  auto* f = reinterpret_cast<Frame*>(cx.sp);
  f->zero = 0;
  f->op = op;
  f->flags = 0;
  f->aux = 0;
  f->n = 0;
  f->prev_bytes = static_cast<std::uint32_t>(reinterpret_cast<char*>(f) - reinterpret_cast<char*>(m.fp));
  f->bindings = static_cast<std::uint32_t>(cx.bindings.size());
  f->form = form;
  f->rest = rest;
  f->env = env;
  f->fn = fn;
  m.fp = f;
  cx.sp = f->above();
  return f;
}

Action finish(Context& cx, Machine& m, Value v) {
  if (v.is_exit()) return Action::kRaise;
  cx.sp = reinterpret_cast<Value*>(m.fp);
  m.fp = m.fp->previous();
  m.val = v;
  return Action::kReturn;
}

Action call(Machine& m, Value function, std::uint32_t argc) {
  m.val = function;
  m.argc = argc;
  return Action::kApply;
}

bool room(Context& cx, std::size_t values) {
  if (cx.sp + values + 64 <= cx.stack_limit) return true;
  stack_exceeded(cx);
  return false;
}

// ---- mapping -----------------------------------------------------------------------------------------------------
// Frame: fn = function, form = sequence, rest = tail of the list or the whole array, env = separator;
// above it: [index] [length] [first result] [last cons of the results].

Action begin_map(Context& cx, Machine& m, std::uint8_t id, const Value* args) {
  const Value function = args[0];
  const Value sequence = args[1];
  std::int64_t n = 0;
  if (sequence.is_list()) {
    auto length = list_length(cx, sequence);
    if (!length.ok()) return Action::kRaise;
    n = length.get_raw();
  } else if (is_char_table(sequence)) {
    if (id == kRes_mapconcat && array_length(cx, sequence).is_exit()) return Action::kRaise;
    wrong_type(cx, Qlistp, sequence);
    return Action::kRaise;
  } else {
    const Value length = array_length(cx, sequence);
    if (length.is_exit()) return Action::kRaise;
    n = length.as_fixnum();
  }
  const FrameOp op = id == kRes_mapcar   ? FrameOp::kMapcar
                     : id == kRes_mapc   ? FrameOp::kMapc
                     : id == kRes_mapcan ? FrameOp::kMapcan
                                         : FrameOp::kMapconcat;
  push_frame(cx, m, op, sequence, sequence, id == kRes_mapconcat ? args[2] : kNil, function);
  *cx.sp++ = Value::fixnum(0);
  *cx.sp++ = Value::fixnum(n);
  *cx.sp++ = kNil;
  *cx.sp++ = kNil;
  return Action::kContinue;
}

Action map_step(Context& cx, Machine& m) {
  Frame* const f = m.fp;
  Value* const state = f->above();
  const std::int64_t i = state[0].as_fixnum();
  const Value sequence = f->rest;
  // The function may have shortened the list.
  if (i < state[1].as_fixnum() && (!sequence.is_list() || sequence.is_cons())) {
    Value element = kNil;
    if (sequence.is_cons()) {
      element = car_raw(sequence);
      f->rest = cdr_raw(sequence);
    } else {
      element = array_element(cx, sequence, i);
      if (element.is_exit()) return Action::kRaise;
    }
    state[0] = Value::fixnum(i + 1);
    *cx.sp++ = element;
    return call(m, f->fn, 1);
  }
  switch (f->op) {
    case FrameOp::kMapcar: return finish(cx, m, state[2]);
    case FrameOp::kMapc: return finish(cx, m, f->form);
    case FrameOp::kMapcan: return finish(cx, m, nconc_results(cx, state[2]));
    default: return finish(cx, m, concat_results(cx, state[2], f->env));
  }
}

void map_take(Context& cx, Frame* f, Value result) {
  if (f->op == FrameOp::kMapc) return;
  Value* const state = f->above();
  const Value cell = cons(cx, result, kNil);
  if (state[2].is_nil()) {
    state[2] = cell;
  } else {
    set_cdr_raw(state[3], cell);
  }
  state[3] = cell;
}

// ---- sorting and walking tables ------------------------------------------------------------------------------------

Action begin_sort(Context& cx, Machine& m, const Value* args) {
  const Value work = sort_begin(cx, args[0]);
  if (work.is_exit()) return Action::kRaise;
  Frame* const f = push_frame(cx, m, FrameOp::kSort, args[0], work, kNil, args[1]);
  if (!room(cx, kSortState)) return Action::kRaise;
  cx.sp += kSortState;
  sort_start(f);
  return Action::kContinue;
}

Action sort_next(Context& cx, Machine& m) {
  if (sort_step(m.fp) == SortStep::kDone) return finish(cx, m, sort_finish(m.fp));
  Value left;
  Value right;
  sort_operands(m.fp, &left, &right);
  *cx.sp++ = right;
  *cx.sp++ = left;
  return call(m, m.fp->fn, 2);
}

// Frame: fn = function, rest = table; above it: [entry].
Action begin_maphash(Context& cx, Machine& m, const Value* args) {
  if (!is_hash_table(args[1])) {
    wrong_type(cx, Qhash_table_p, args[1]);
    return Action::kRaise;
  }
  push_frame(cx, m, FrameOp::kMaphash, kNil, args[1], kNil, args[0]);
  *cx.sp++ = Value::fixnum(0);
  return Action::kContinue;
}

Action maphash_step(Context& cx, Machine& m) {
  Frame* const f = m.fp;
  const Value table = f->rest;
  std::int64_t i = f->above()[0].as_fixnum();
  const std::int64_t capacity = core::hash_capacity_raw(table);
  while (i < capacity && core::hash_key_raw(table, i).is_unbound()) ++i;
  if (i >= capacity) return finish(cx, m, kNil);
  f->above()[0] = Value::fixnum(i + 1);
  *cx.sp++ = core::hash_key_raw(table, i);
  *cx.sp++ = core::hash_value_raw(table, i);
  return call(m, f->fn, 2);
}

// ---- hooks -----------------------------------------------------------------------------------------------------------
// Frame: aux = which primitive, n = values kept above it (hook, args…); rest = functions left, env = global functions
// left, form = hook symbol (run-hooks: fn = hooks left to run, as an index).

Action pick_hook(Context& cx, Machine& m, Frame* f, Value* function);

Action hook_call(Context& cx, Machine& m, Frame* f, Value function) {
  Value* const kept = f->above();
  std::uint32_t argc = 0;
  switch (f->aux) {
    case kRes_run_hooks: break;
    case kRes_run_hook_wrapped:
      *cx.sp++ = function;
      function = kept[1];
      argc = 1;
      for (std::uint32_t i = 2; i < f->n; ++i, ++argc) *cx.sp++ = kept[i];
      break;
    default:
      for (std::uint32_t i = 1; i < f->n; ++i, ++argc) *cx.sp++ = kept[i];
      break;
  }
  return call(m, function, argc);
}

Action hook_end(Context& cx, Machine& m, Frame* f) {
  if (f->aux != kRes_run_hooks) return finish(cx, m, boolean(f->aux == kRes_run_hook_until_failure));
  Value function = kNil;
  const Action action = pick_hook(cx, m, f, &function);
  return action == Action::kApply ? hook_call(cx, m, f, function) : action;
}

Action hook_step(Context& cx, Machine& m) {
  Frame* const f = m.fp;
  while (true) {
    if (f->env.is_cons()) {
      const Value function = car_raw(f->env);
      f->env = cdr_raw(f->env);
      if (function == Qt) continue;
      return hook_call(cx, m, f, function);
    }
    if (!f->rest.is_cons()) return hook_end(cx, m, f);
    const Value function = car_raw(f->rest);
    f->rest = cdr_raw(f->rest);
    if (function != Qt) return hook_call(cx, m, f, function);
    // `t` in a local value stands for the global one.
    const Value global = default_value(cx, f->form);
    if (global.is_nil()) continue;
    if (global.is_unbound()) {
      signal_error1(cx, Qvoid_variable, f->form);
      return Action::kRaise;
    }
    if (!global.is_cons() || car_raw(global) == Qlambda) return hook_call(cx, m, f, global);
    f->env = global;
  }
}

// Picks up hook variables until one has something to run: kApply with a function, kContinue with a list, kReturn at the
// end of run-hooks.
Action pick_hook(Context& cx, Machine& m, Frame* f, Value* function) {
  Value* const kept = f->above();
  while (true) {
    if (f->aux == kRes_run_hooks) {
      const std::int64_t index = f->fn.as_fixnum();
      if (index >= static_cast<std::int64_t>(f->n)) return finish(cx, m, kNil);
      f->form = kept[index];
      f->fn = Value::fixnum(index + 1);
    } else {
      f->form = kept[0];
    }
    if (!f->form.is_symbol()) {
      wrong_type(cx, Qsymbolp, f->form);
      return Action::kRaise;
    }
    const Value value = variable_value(cx, f->form);
    f->rest = f->env = kNil;
    if (value.is_unbound() || value.is_nil()) {
      if (f->aux == kRes_run_hooks) continue;
      return finish(cx, m, boolean(f->aux == kRes_run_hook_until_failure));
    }
    if (!value.is_cons() || is_function(cx, value)) {
      *function = value;
      return Action::kApply;
    }
    f->rest = value;
    return Action::kContinue;
  }
}

Action begin_hook(Context& cx, Machine& m, std::uint8_t id, const Value* args, std::uint32_t argc) {
  Frame* const f = push_frame(cx, m, FrameOp::kHook, kNil, kNil, kNil, Value::fixnum(0));
  f->aux = id;
  f->n = argc;
  if (!room(cx, argc)) return Action::kRaise;
  for (std::uint32_t i = 0; i < argc; ++i) *cx.sp++ = args[i];
  Value function = kNil;
  const Action action = pick_hook(cx, m, f, &function);
  return action == Action::kApply ? hook_call(cx, m, f, function) : action;
}

// True: the value ends the run.
bool hook_take(Frame* f, Value v) {
  switch (f->aux) {
    case kRes_run_hook_until_success:
    case kRes_run_hook_wrapped: return v.truthy();
    case kRes_run_hook_until_failure: return v.is_nil();
    default: return false;
  }
}

// A safepoint between two calls, then the next step.
Action next(Context& cx, Machine& m) {
  if (cx.heap().countdown().tick()) [[unlikely]] {
    const Value verdict = poll_slow(cx, m);
    if (verdict.is_exit()) return Action::kRaise;
    if (verdict == kSuspended) {
      m.resume_point = ResumePoint::kHigherOrder;
      return leave_to_resume(m, Action::kContinue);
    }
  }
  return resume_higher_order(cx, m);
}

}  // namespace

Action begin_higher_order(Context& cx, Machine& m, std::uint8_t id, Value* args, std::uint32_t argc) {
  Action action = Action::kContinue;
  switch (id) {
    case kRes_mapcar:
    case kRes_mapc:
    case kRes_mapcan:
    case kRes_mapconcat: action = begin_map(cx, m, id, args); break;
    case kRes_sort: action = begin_sort(cx, m, args); break;
    case kRes_maphash: action = begin_maphash(cx, m, args); break;
    default: action = begin_hook(cx, m, id, args, argc); break;
  }
  return action == Action::kContinue ? next(cx, m) : action;
}

Action continue_higher_order(Context& cx, Machine& m) {
  Frame* const f = m.fp;
  switch (f->op) {
    case FrameOp::kSort: sort_take(f, m.val.truthy()); break;
    case FrameOp::kMaphash: break;
    case FrameOp::kHook:
      if (hook_take(f, m.val)) return finish(cx, m, m.val);
      break;
    default: map_take(cx, f, m.val); break;
  }
  return next(cx, m);
}

Action resume_higher_order(Context& cx, Machine& m) {
  while (true) {
    Action action = Action::kContinue;
    switch (m.fp->op) {
      case FrameOp::kSort: return sort_next(cx, m);
      case FrameOp::kMaphash: return maphash_step(cx, m);
      case FrameOp::kHook: action = hook_step(cx, m); break;
      default: return map_step(cx, m);
    }
    if (action != Action::kContinue) return action;
  }
}

}  // namespace neovm::elisp
