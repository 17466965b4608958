// What the loops need besides themselves: calling primitives, limits, resolving functions, re-entry.
#include "machine.hpp"

#include <string>

#include "eval/tiers.hpp"
#include "memory/garbage.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/list_walk.hpp"

namespace neovm::elisp {

Value call_subr(Context& cx, const PrimitiveDescriptor* d, Value* a, std::uint32_t n) {
  if (d->affinity == Affinity::kMainOnly && d->effect == Effect::kStateWrite && !cx.isolate().options().main)
      [[unlikely]]
    return error_format(cx, "`%s' belongs to the main task", d->name);
  const auto arg = [a, n](std::uint32_t i) { return i < n ? a[i] : kNil; };
  switch (d->max_args) {
    case 0: return d->fn.f0(cx);
    case 1: return d->fn.f1(cx, arg(0));
    case 2: return d->fn.f2(cx, arg(0), arg(1));
    case 3: return d->fn.f3(cx, arg(0), arg(1), arg(2));
    case 4: return d->fn.f4(cx, arg(0), arg(1), arg(2), arg(3));
    case 5: return d->fn.f5(cx, arg(0), arg(1), arg(2), arg(3), arg(4));
    case 6: return d->fn.f6(cx, arg(0), arg(1), arg(2), arg(3), arg(4), arg(5));
    case 7: return d->fn.f7(cx, arg(0), arg(1), arg(2), arg(3), arg(4), arg(5), arg(6));
    case 8: return d->fn.f8(cx, arg(0), arg(1), arg(2), arg(3), arg(4), arg(5), arg(6), arg(7));
    default: return d->fn.many(cx, Arguments(a, n));
  }
}

Value resolve_function(Context& cx, Value f) {
  // A chain of symbols may be circular; a hare finds out.
  Value slow = f;
  for (int steps = 1; f.is_symbol() && !f.is_nil(); ++steps) {
    f = cx.cells(f).function;
    if ((steps & 1) == 0) {
      slow = cx.cells(slow).function;
      if (slow == f) return kNil;
    }
  }
  return f;
}

Value indirect_function_re(Context& cx, Value f, bool command) {
  const Value end = resolve_function(cx, f);
  if (!end.is_nil() || !f.is_symbol()) return end;
  Value s = f;
  Value slow = f;
  for (int steps = 1; !s.is_nil(); ++steps) {
    s = cx.cells(s).function;
    if ((steps & 1) == 0) slow = cx.cells(slow).function;
    if (s == slow && !s.is_nil())
      return signal_error1(cx, Qcyclic_function_indirection, command ? f : cx.cells(f).function);
  }
  return kNil;
}

void signal_void_function(Context& cx, Value function) {
  if (!indirect_function_re(cx, function).is_exit()) signal_error1(cx, Qvoid_function, function);
}

Value poll_slow(Context& cx, Machine& m) {
  if (cx.heap().gc_requested()) {
    safepoint_re(cx);
    if (m.stress) cx.heap().request_gc();
    note_collection(cx);
    if (cx.heap().has_ready_finalizer() || cx.cells(Qpost_gc_hook).value.truthy()) {
      // Lisp runs here as if between two instructions: what the loops hand each other must not be lost.
      RootVector kept(cx);
      kept.values = {m.val, m.env};
      run_after_collection_re(cx);
      m.val = kept.values[0];
      m.env = kept.values[1];
    }
  }
  cx.fuel -= cx.heap().countdown().rearm();
  if (cx.heap().gc_requested()) cx.heap().countdown().trip_here();
  const std::uint32_t bits = cx.interrupts.load(std::memory_order_relaxed);
  if (bits == 0 && (cx.fuel > 0 || cx.on_slice_end == nullptr)) [[likely]]
    return kNil;
  if ((bits & kInterruptMemoryFull) != 0) {
    cx.interrupts.fetch_and(~static_cast<std::uint32_t>(kInterruptMemoryFull), std::memory_order_relaxed);
    return signal_memory_full(cx);
  }
  if ((bits & kInterruptDebug) != 0)
    cx.interrupts.fetch_and(~static_cast<std::uint32_t>(kInterruptDebug), std::memory_order_relaxed);
  if (!check_quit(cx).ok()) return kExit;
  if (cx.on_slice_end != nullptr && (cx.fuel <= 0 || (bits & kInterruptFuel) != 0)) {
    cx.interrupts.fetch_and(~static_cast<std::uint32_t>(kInterruptFuel), std::memory_order_relaxed);
    return cx.on_slice_end(cx);
  }
  return kNil;
}

bool depth_exceeded(Context& cx, Machine& m) {
  if (m.max_depth == &m.quit_limit) {
    m.max_depth = m.depth_limit;
    if (!check_quit(cx).ok()) return true;
  }
  if (m.max_depth->value.as_fixnum() < 100) store(&m.max_depth->value, Value::fixnum(100));
  if (cx.eval_depth <= m.max_depth->value.as_fixnum()) return false;
  error_text(cx, "Lisp nesting exceeds ‘max-lisp-eval-depth’");
  return true;
}

bool stack_exceeded(Context& cx) {
  error_text(cx, "Lisp nesting exceeds ‘max-lisp-eval-depth’");
  return true;
}

void save_state(Context& cx, unsigned opcode) {
  const HostHooks& hooks = host_hooks(cx);
  void (*const save)(Context&) = opcode == 138   ? hooks.record_save_excursion
                                 : opcode == 140 ? hooks.record_save_restriction
                                                 : hooks.record_save_current_buffer;
  if (save != nullptr) save(cx);
}

bool specpdl_exceeded(Context& cx, Machine& m) {
  if (m.max_specpdl->value.as_fixnum() < 400) store(&m.max_specpdl->value, Value::fixnum(400));
  if (cx.bindings.size() + static_cast<std::size_t>(cx.eval_depth) <=
      static_cast<std::size_t>(m.max_specpdl->value.as_fixnum()))
    return false;
  signal_error1(cx, Qerror, make_string(cx, "Variable binding depth exceeds max-specpdl-size"));
  return true;
}

void invalid_handler_re(Context& cx, Value clause) {
  const Value text = funcall_re(cx, Qprin1_to_string, {clause, Qt});
  if (text.is_exit()) return;
  error_text(cx, "Invalid condition handler: " + to_std_string(text));
}

Value array_length(Context& cx, Value sequence) {
  if (is_vector(sequence)) return Value::fixnum(slot_count_raw(sequence));
  if (sequence.is_string()) return Value::fixnum(string_chars(sequence));
  if (machine(cx).length == nullptr) return wrong_type(cx, Qsequencep, sequence);
  return call_subr(cx, machine(cx).length, &sequence, 1);
}

Value array_element(Context& cx, Value sequence, std::int64_t i) {
  if (is_vector(sequence)) return i < slot_count_raw(sequence) ? slot_raw(sequence, i) : kNil;
  if (sequence.is_string()) {
    if (i >= string_chars(sequence)) return kNil;
    return Value::fixnum(string_char_raw(sequence, i));
  }
  if (machine(cx).aref == nullptr) return wrong_type(cx, Qsequencep, sequence);
  Value args[2] = {sequence, Value::fixnum(i)};
  return call_subr(cx, machine(cx).aref, args, 2);
}

bool is_declared_special(Context& cx, Value symbol) { return (cx.cells(symbol).flags & kSymbolSpecial) != 0; }

Value lexical_cell_far(Value env, Value symbol) {
  core::CycleFinder cycle(env);
  for (; env.is_cons(); env = cdr_raw(env)) {
    const Value b = car_raw(env);
    if (b.is_cons() && car_raw(b) == symbol) return b;
    if (cycle.step(cdr_raw(env))) return kUnbound;
  }
  return kNil;
}

bool binds_dynamically(Context& cx, Value symbol, Value outer, bool* circular) {
  if (outer.is_nil() || is_declared_special(cx, symbol)) return true;
  core::CycleFinder cycle(outer);
  for (Value e = outer; e.is_cons(); e = cdr_raw(e)) {
    if (car_raw(e) == symbol) return true;
    if (cycle.step(cdr_raw(e))) {
      if (circular != nullptr) *circular = true;
      return true;
    }
  }
  return false;
}

Value let_bind(Context& cx, Value symbol, Value v, Value outer, Value inner) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  bool circular = false;
  if (!binds_dynamically(cx, symbol, outer, &circular)) return cons(cx, cons(cx, symbol, v), inner);
  if (circular) return signal_error1(cx, Qcircular_list, outer);
  if (bind_variable_re(cx, symbol, v).is_exit()) return kExit;
  return inner;
}

namespace {

// Calls a kMany primitive with the elements of a list (plus separators), on the VM stack. What the stack cannot hold at once
// is done piece by piece: the result so far is the first argument of the next call.
Value call_spread(Context& cx, const PrimitiveDescriptor* d, Value items, Value separator, bool separate) {
  constexpr std::ptrdiff_t kSmallestPiece = 1024;
  Value* const base = cx.sp;
  for (Value l = items; l.is_cons(); l = cdr_raw(l)) {
    if (cx.sp + 8 >= cx.stack_limit) {
      const std::ptrdiff_t n = cx.sp - base;
      Value piece = kExit;
      if (n < kSmallestPiece) {
        stack_exceeded(cx);
      } else {
        piece = call_subr(cx, d, base, static_cast<std::uint32_t>(n));
      }
      cx.sp = base;
      if (piece.is_exit()) return kExit;
      *cx.sp++ = piece;
    }
    if (separate && cx.sp != base) *cx.sp++ = separator;
    *cx.sp++ = car_raw(l);
  }
  const Value result = call_subr(cx, d, base, static_cast<std::uint32_t>(cx.sp - base));
  cx.sp = base;
  return result;
}

}  // namespace

Value nconc_results(Context& cx, Value results) {
  if (machine(cx).nconc == nullptr) return unimplemented(cx, "nconc");
  return call_spread(cx, machine(cx).nconc, results, kNil, false);
}

Value concat_results(Context& cx, Value results, Value separator) {
  if (machine(cx).concat == nullptr) return unimplemented(cx, "concat");
  return call_spread(cx, machine(cx).concat, results, separator, true);
}

bool is_function(Context& cx, Value v) {
  if (v.is_symbol() && !v.is_nil()) {
    v = resolve_function(cx, v);
    if (v.is_cons() && car_raw(v) == Qautoload) {
      // Autoloaded macros and keymaps are no functions: (autoload FILE DOC INTERACTIVE TYPE).
      Value tail = cdr_raw(v);
      for (int i = 0; i < 3 && tail.is_cons(); ++i) tail = cdr_raw(tail);
      const Value type = tail.is_cons() ? car_raw(tail) : kNil;
      return type.is_nil() || !(type == Qt || type == Qmacro || type == Qkeymap)
                 ? type != Qkeymap && type != Qmacro && type != Qt
                 : false;
    }
  }
  if (is_subr(v)) return !v.as_pointer<SubrObject>()->descriptor->is_special_form();
  if (is_byte_code(v)) return true;
  return v.is_cons() && (car_raw(v) == Qlambda || car_raw(v) == Qclosure);
}

// ---- re-entry ---------------------------------------------------------------------------------------------

Frame* push_entry(Context& cx, Machine& m) {
  if (cx.sp + 256 >= cx.stack_limit || native_stack_low(cx)) {
    stack_exceeded(cx);
    return nullptr;
  }
  auto* f = reinterpret_cast<Frame*>(cx.sp);
  f->zero = 0;
  f->op = FrameOp::kEntry;
  f->flags = 0;
  f->aux = 0;
  f->n = 0;
  f->prev_bytes =
      m.fp == nullptr ? 0 : static_cast<std::uint32_t>(reinterpret_cast<char*>(f) - reinterpret_cast<char*>(m.fp));
  f->bindings = static_cast<std::uint32_t>(cx.bindings.size());
  f->form = f->rest = f->env = f->fn = kNil;
  m.fp = f;
  cx.sp = f->above();
  return f;
}

namespace {

// A frame for CODE, register code of a form that is evaluated in ENV.
void push_form(Context& cx, Machine& m, Value code, Value env) {
  push_called_frame(cx, m, kNil, 0);
  m.fp->op = FrameOp::kByteCode;
  m.fp->flags = 0;
  m.fp->env = env;
  m.fp->fn = code;
}

}  // namespace

void push_called_frame(Context& cx, Machine& m, Value function, std::uint32_t n) {
  auto* f = reinterpret_cast<Frame*>(cx.sp);
  f->zero = 0;
  f->op = FrameOp::kCalled;
  f->flags = kRecordBelow;
  f->aux = 0;
  f->n = n;
  f->prev_bytes = static_cast<std::uint32_t>(reinterpret_cast<char*>(f) - reinterpret_cast<char*>(m.fp));
  f->bindings = static_cast<std::uint32_t>(cx.bindings.size());
  f->form = function;
  f->rest = f->env = f->fn = kNil;
  m.fp = f;
  cx.sp = f->above();
}

namespace {

// The loop of loops, from an entry frame that is the floor of it. DEPTH is the eval_depth outside. The frames from here on
// are the loops' own, which keep what they need on the VM stack; safepoints look at those above only.
[[gnu::noinline]] Value run_loops(Context& cx, Machine& m, Frame* entry, Action action, std::int64_t depth) {
  Frame* const outer_entry = m.entry;
  const void* const outer_scan = cx.native_scan_from;
  m.entry = entry;
  cx.native_scan_from = __builtin_frame_address(0);
  ++cx.native_depth;
  while (true) {
    if (action == Action::kByteCode) {
      const FunctionState* const s = m.tiers->state(state_number(m.fp->fn));
      if (s->words != nullptr) action = Action::kRegister;
    }
    if (action < Action::kByteCode) {
      action = run_frames(cx, m, action);
    } else if (action < Action::kRegister) {
      action = run_bytecode(cx, m, action);
    } else {
      action = run_register(cx, m, action);
    }
    if (action >= Action::kDone) break;
  }
  --cx.native_depth;
  cx.native_scan_from = outer_scan;
  if (action == Action::kSuspended) {
    m.start_depth = depth;  // m.entry stays for resume_hook
    return kSuspended;
  }
  // Nobody caught it: the handlers of the frames that go now go with them.
  if (action == Action::kFailed)
    while (!cx.handlers.empty() && cx.handlers.back().native_depth > cx.native_depth) cx.handlers.pop_back();
  m.entry = outer_entry;
  m.fp = entry->previous();
  cx.sp = reinterpret_cast<Value*>(entry);
  cx.eval_depth = depth;
  return action == Action::kDone ? m.val : kExit;
}

[[gnu::noinline]] Value run_from(Context& cx, Machine& m, Frame* entry, Action action, std::int64_t depth) {
  __builtin_unwind_init();  // registers of the callers may hold values: they go into this frame, which is scanned
  const Value result = run_loops(cx, m, entry, action, depth);
  asm volatile("" : : : "memory");  // this frame stays: the call above is no jump
  return result;
}

// Pushes FUNCTION's call above an entry frame; null when the stack is full.
Frame* push_call(Context& cx, Machine& m, Value function, std::span<const Value> args) {
  if (cx.sp + args.size() + 512 >= cx.stack_limit) {
    stack_exceeded(cx);
    return nullptr;
  }
  Frame* entry = push_entry(cx, m);
  if (entry == nullptr) return nullptr;
  for (const Value v : args) *cx.sp++ = v;
  m.val = function;
  m.argc = static_cast<std::uint32_t>(args.size());
  return entry;
}

}  // namespace

Value run(Context& cx, Machine& m, Frame* entry, Action action) {
  return run_from(cx, m, entry, action, cx.eval_depth);
}

Value funcall_hook(Context& cx, Value function, std::span<const Value> args) {
  Machine& m = machine(cx);
  Frame* const entry = push_call(cx, m, function, args);
  return entry == nullptr ? kExit : run(cx, m, entry, Action::kApply);
}

Value start_hook(Context& cx, Value function, std::span<const Value> args) {
  Machine& m = machine(cx);
  Frame* const entry = push_call(cx, m, function, args);
  if (entry == nullptr) return kExit;
  cx.suspendable_depth = cx.native_depth + 1;
  const Value v = run(cx, m, entry, Action::kApply);
  if (v != kSuspended) cx.suspendable_depth = 0;
  return v;
}

Value resume_hook(Context& cx, Value value) {
  Machine& m = machine(cx);
  Frame* const entry = m.entry;
  m.entry = nullptr;
  Action action = m.resume_action;
  if (cx.exit_kind == ExitKind::kPark) {
    // A parked primitive: its frame, the newest, gets the value.
    cx.exit_kind = ExitKind::kNone;
    m.val = value;
  } else if (value.is_exit()) {
    action = Action::kRaise;
  }
  const Value v = run_from(cx, m, entry, action, m.start_depth);
  if (v != kSuspended) cx.suspendable_depth = 0;
  return v;
}

Value eval_in_environment_re(Context& cx, Value form, Value* env) {
  Machine& m = machine(cx);
  Frame* entry = push_entry(cx, m);
  if (entry == nullptr) return kExit;
  entry->env = *env;
  m.val = form;
  m.env = *env;
  Action action = Action::kEval;
  // Most forms that come here, from files, are evaluated once.
  if (m.tiers->options.source_threshold <= 1) {
    const Value code = m.tiers->enter_form(cx, form, *env, true);
    if (!code.is_nil()) {
      push_form(cx, m, code, *env);
      action = Action::kRegister;
    }
  }
  const Value result = run(cx, m, entry, action);
  *env = entry->env;  // still there: nothing has been pushed since
  return result;
}

Value eval_hook(Context& cx, Value form, Value lexical) {
  Value env = lexical.is_cons() || lexical.is_nil() ? lexical : list(cx, {Qt});
  return eval_in_environment_re(cx, form, &env);
}

Value run_cleanup(Context& cx, Value forms, Value env) {
  if (env.is_unbound()) return funcall_hook(cx, forms, {});
  return eval_hook(cx, cons(cx, Qprogn, forms), env);
}

Value run_hook_hook(Context& cx, std::span<const Value> args) { return funcall_hook(cx, Qrun_hook_with_args, args); }

}  // namespace neovm::elisp
