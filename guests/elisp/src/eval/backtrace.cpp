// Looking at the calls in progress: mapbacktrace and its relatives.
//
// The frames that carry a record flag are Emacs's backtrace entries. A frame holds either a whole form
// whose arguments are not evaluated yet, or a function and where its arguments are.
#include <vector>

#include "machine.hpp"
#include "neovm/abi/api.hpp"
#include "source.hpp"

namespace neovm::elisp {

namespace {

// An entry of the backtrace: a frame's, or that of a form in progress in a function that was compiled from its source,
// which has no frame of its own.
struct Record {
  Frame* frame = nullptr;
  std::uint32_t node = kNoNode;  // of the form
  std::size_t bindings = 0;      // depth of the binding stack when it began

  static constexpr std::uint32_t kNoNode = 0xFFFFFFFF;
  [[nodiscard]] bool any() const { return frame != nullptr; }
  [[nodiscard]] bool is_form() const { return node != kNoNode || (frame->flags & kRecordForm) != 0; }
  [[nodiscard]] Value form() const {
    if (node == kNoNode) return frame->form;
    return slot_raw(slot_raw(frame->fn, 2), source_state(frame)->source->nodes[node].constant);
  }
  // Where the search for the next one goes on: after this record. `at` walks the nodes of a source frame.
  std::uint32_t at = kNoNode;
};

// The next form from node `r.at` outwards; false when there is none in this function.
bool next_form(Record& r) {
  const SourceMap& map = *source_state(r.frame)->source;
  while (map.nodes[r.at].kind != SourceMap::Kind::kRoot) {
    const SourceMap::Node& n = map.nodes[r.at];
    const std::uint32_t here = r.at;
    r.at = n.parent;
    if (n.kind == SourceMap::Kind::kMark) {
      const Value depth = r.frame->above()[n.reg];
      if (depth.is_natnum_fixnum()) r.bindings = std::min(r.bindings, static_cast<std::size_t>(depth.as_fixnum()));
    } else if (n.kind == SourceMap::Kind::kForm) {
      r.node = here;
      return true;
    }
  }
  return false;
}

// The first record at or outside of frame F, inside of which the binding stack is `bindings` deep.
Record record_from(Frame* f, std::size_t bindings) {
  for (; f != nullptr; bindings = f->bindings, f = f->previous()) {
    Record r{f, Record::kNoNode, bindings, Record::kNoNode};
    if (is_source_frame(f)) {
      r.at = source_node(f);
      if (next_form(r)) return r;
    }
    r.bindings = f->bindings;
    r.node = Record::kNoNode;
    if ((f->flags & kRecordAny) != 0) return r;
  }
  return {};
}

Record next_record(Record r) {
  if (r.node != Record::kNoNode) {
    if (next_form(r)) return r;
    r.node = Record::kNoNode;
    r.bindings = r.frame->bindings;
    if ((r.frame->flags & kRecordAny) != 0) return r;
  }
  return record_from(r.frame->previous(), r.frame->bindings);
}

Value record_function(const Record& r) {
  const Value form = r.form();
  return r.is_form() && form.is_cons() ? car_raw(form) : form;
}

// The first record whose function is BASE, or the newest one.
Record starting_record(Context& cx, Value base) {
  Record r = record_from(machine(cx).fp, cx.bindings.size());
  if (base.is_nil()) return r;
  const Value target = base.is_symbol() ? resolve_function(cx, base) : base;
  while (r.any()) {
    const Value function = record_function(r);
    if ((function.is_symbol() ? resolve_function(cx, function) : function) == target) break;
    r = next_record(r);
  }
  return r;
}

// … and N further outwards; an error when N is no natural number.
Value find_record(Context& cx, Value nframes, Value base, Record* r) {
  if (!nframes.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, nframes);
  *r = starting_record(cx, base);
  for (std::int64_t n = nframes.as_fixnum(); n > 0 && r->any(); --n) *r = next_record(*r);
  return kNil;
}

// (funcall FUNCTION EVALD FUNC ARGS FLAGS)
Value call_with_record_re(Context& cx, Value function, const Record& r) {
  Frame* const f = r.frame;
  const bool on_exit = r.node == Record::kNoNode && (f->flags & kDebugOnExit) != 0;
  const Value flags = on_exit ? list(cx, {QCdebug_on_exit, Qt}) : kNil;
  if (r.is_form()) {
    const Value form = r.form();
    const Value args = form.is_cons() ? cdr_raw(form) : kNil;
    return funcall_re(cx, function, {kNil, record_function(r), args, flags});
  }
  const Value* const values = (f->flags & kRecordBelow) != 0 ? f->below() : f->above();
  const Value args = list_from(cx, std::span<const Value>(values, f->n));
  return funcall_re(cx, function, {Qt, record_function(r), args, flags});
}

}  // namespace

NEOVM_PRIMITIVE(mapbacktrace, "mapbacktrace", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Call FUNCTION with EVALD, FUNC, ARGS and FLAGS of each call in progress, from BASE outwards.")
(Context& cx, Value function, Value base) {
  for (Record r = starting_record(cx, base); r.any(); r = next_record(r)) TRY(call_with_record_re(cx, function, r));
  return kNil;
}

NEOVM_PRIMITIVE(backtrace_frame_internal, "backtrace-frame--internal", 3, 3, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Call FUNCTION with the call NFRAMES outwards from BASE.")
(Context& cx, Value function, Value nframes, Value base) {
  Record r;
  TRY(find_record(cx, nframes, base, &r));
  return r.any() ? call_with_record_re(cx, function, r) : kNil;
}

NEOVM_PRIMITIVE(backtrace_debug, "backtrace-debug", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Set the debug-on-exit flag of the call LEVEL frames outwards to FLAG.")
(Context& cx, Value level, Value flag) {
  if (!level.is_fixnum()) return wrong_type(cx, Qfixnump, level);
  Record r = starting_record(cx, kNil);
  for (std::int64_t n = level.as_fixnum(); n > 0 && r.any(); --n) r = next_record(r);
  // A form without a frame keeps no flag.
  if (Frame* const f = r.frame; f != nullptr && r.node == Record::kNoNode) {
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

// … and that the record itself was called in: what it has bound since does not count. For variables in registers that
// is a copy; *of and *node say whose.
Value calling_environment(Context& cx, const Record& r, Frame** of, std::uint32_t* node) {
  *of = nullptr;
  Frame* const f = r.frame;
  if (r.node != Record::kNoNode) {
    *of = f;
    *node = source_state(f)->source->nodes[r.node].parent;
    return source_environment(cx, f, *node);
  }
  if (f->op == FrameOp::kArgs || (f->op == FrameOp::kCalled && (f->flags & kRecordAbove) != 0)) return f->env;
  for (Frame* g = f->previous(); g != nullptr; g = g->previous()) {
    if (is_source_frame(g)) {
      *of = g;
      *node = source_node(g);
      return source_environment(cx, g, *node);
    }
    const Value env = current_environment(g);
    if (!env.is_unbound()) return env;
  }
  return kNil;
}

}  // namespace

NEOVM_PRIMITIVE(backtrace_eval, "backtrace-eval", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Evaluate EXP in the context of the call NFRAMES outwards from BASE.")
(Context& cx, Value exp, Value nframes, Value base) {
  Record r;
  TRY(find_record(cx, nframes, base, &r));
  if (!r.any()) return error_text(cx, "Activation frame not found!");
  const std::size_t depth = r.bindings;
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
  Frame* of = nullptr;
  std::uint32_t node = 0;
  RootVector roots(cx);
  roots.values = {calling_environment(cx, r, &of, &node)};
  Value env = roots.values[0];
  const Value result = eval_in_environment_re(cx, exp, &env);
  if (of != nullptr) store_source_environment(of, node, roots.values[0]);
  return unbind_to_re(cx, top, result);
}

namespace {

// The node of record R's function at which the next inner record was called.
std::uint32_t inside_node(const Record& r, const Record& inside) {
  if (inside.frame == r.frame && inside.node != Record::kNoNode)
    return source_state(r.frame)->source->nodes[inside.node].parent;
  return source_node(r.frame);
}

std::int64_t length_of(Value l) {
  std::int64_t n = 0;
  for (; l.is_cons() && n < 100000; l = cdr_raw(l)) ++n;
  return n;
}

}  // namespace

NEOVM_PRIMITIVE(backtrace_locals, "backtrace--locals", 1, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return an alist of the local variables of the call NFRAMES outwards from BASE.")
(Context& cx, Value nframes, Value base) {
  if (!nframes.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, nframes);
  Record r;
  Record inside;
  TRY(find_record(cx, nframes, base, &r));
  TRY(find_record(cx, Value::fixnum(nframes.as_fixnum() - 1), base, &inside));
  if (!r.any() || !inside.any()) return error_text(cx, "Activation frame not found!");
  Value result = kNil;
  // Dynamic bindings made between this call and the next inner one, with the values they gave then: what a
  // later binding of the same variable saved, or else the current value.
  for (std::size_t i = inside.bindings; i-- > r.bindings;) {
    const Binding& b = cx.bindings[i];
    if (b.kind != Binding::Kind::kLet && b.kind != Binding::Kind::kLetDefault && b.kind != Binding::Kind::kLetLocal)
      continue;
    Value v = kUnbound;
    for (std::size_t j = i + 1; j < cx.bindings.size() && v.is_unbound(); ++j)
      if (cx.bindings[j].kind == b.kind && cx.bindings[j].symbol == b.symbol) v = cx.bindings[j].value;
    if (v.is_unbound()) v = variable_value(cx, b.symbol);
    result = cons(cx, cons(cx, b.symbol, v.is_unbound() ? kNil : v), result);
  }
  Frame* of = nullptr;
  std::uint32_t node = 0;
  const Value outside = calling_environment(cx, r, &of, &node);
  Value env = r.node == Record::kNoNode && !is_source_frame(r.frame) ? current_environment(r.frame) : kUnbound;
  bool grown = env.is_cons() && env != outside;
  if (of != nullptr || r.node != Record::kNoNode || is_source_frame(r.frame)) {
    // Copies have no identity: there is something to show when there are more variables.
    Frame* g = r.node != Record::kNoNode || is_source_frame(r.frame) ? r.frame : nullptr;
    if (g != nullptr) env = source_environment(cx, g, inside_node(r, inside));
    grown = env.is_cons() && length_of(env) != length_of(outside);
  }
  if (grown) {
    for (Value e = env; e.is_cons(); e = cdr_raw(e))
      if (car_raw(e).is_cons()) result = cons(cx, cons(cx, car_raw(car_raw(e)), cdr_raw(car_raw(e))), result);
  }
  return result;
}

}  // namespace neovm::elisp
