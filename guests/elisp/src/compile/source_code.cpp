// From the forms of an interpreted function, or a form that is evaluated, to register bytecode.
//
// What the interpreter of forms does is kept, to the order of its steps: a call's function is looked up before its arguments
// are evaluated, through the symbol, each time; nothing is inlined that Lisp could redefine. What changes is where the
// work is kept: which forms are in progress is known from the place in the code (SourceMap), how many of them count for
// max-lisp-eval-depth is set by `depth`, and a variable lies in a register when nobody can hold its binding.
//
// A variable's binding can be held by a closure, by unwind forms (which run with the environment), and by a form that is
// handed to the interpreter. When one of these stands in a variable's scope, the variable is bound in an alist, as ever.
// So is one that is special, because `bind_let` decides each time. For those in registers `guard_let` checks that the
// symbol has not become special since; otherwise the rest of the `let` is interpreted. Code that calls a macro, or what is not
// defined yet and may become one, keeps every variable in the alist; the call of a macro is left to the interpreter.
//
// What the compiler does not know makes it refuse the whole function or form.
#include "compile/source_compiler.hpp"

namespace neovm::elisp {

using Kind = SourceMap::Kind;

// ---- atoms and sequences -------------------------------------------------------------------------------------------

bool SourceCompiler::form(Value f, unsigned k, unsigned to) {
  if (why_ != nullptr) return false;
  if (!f.is_cons()) {
    if (is_constant_atom(f)) {
      load(to, f);
    } else if (const int r = register_of(f); r >= 0) {
      move(to, static_cast<unsigned>(r));
    } else {
      b_.emit_constant(Op::env_ref, to, env_, 0, constant(f));
    }
    return true;
  }
  if (++nesting_ > kMostNesting) return refuse("nesting");
  const Value head = car(f);
  const Value args = cdr(f);
  if (!head.is_symbol() || head.is_nil()) {
    --nesting_;
    return unknown(f, to, "head");
  }
  Value fn = cx_.cells(head).function;
  if (fn.is_symbol() && !fn.is_nil()) fn = resolve_function(cx_, fn);
  bool ok = false;
  if (is_subr(fn) && fn.as_pointer<SubrObject>()->descriptor->is_special_form()) {
    const SymbolCells& cells = cx_.cells(head);
    bool known = false;
    for (const SourceMap::Head& h : map_.heads) known = known || h.cells == &cells;
    if (!known) map_.heads.push_back({&cells, cells.function_version});
    const auto* d = fn.as_pointer<SubrObject>()->descriptor;
    const int n = length(args);
    const std::uint8_t id = fn.as_pointer<SubrObject>()->header.aux;
    if (cells.function != fn) {
      ok = unknown(f, to, "alias of a special form");
    } else if (id == kNotMachine || id >= kSpecialFormEnd || n < d->min_args) {
      ok = unknown(f, to, "malformed");  // the interpreter has the error
    } else {
      ok = special_form(static_cast<MachineId>(id), f, k, to);
    }
  } else {
    const bool macro = fn.is_cons() && (car_raw(fn) == Qmacro || (car_raw(fn) == Qautoload && !is_function(cx_, head)));
    unknown_ = unknown_ || fn.is_nil() || (fn.is_cons() && car_raw(fn) == Qautoload);
    // A macro is expanded each time, as ever.
    ok = macro ? unknown(f, to, "macro") : call(f, head, k, to);
  }
  --nesting_;
  return ok;
}

int SourceCompiler::operand(Value f, unsigned k, Value rest) {
  if (!f.is_cons() && !is_constant_atom(f)) {
    const int r = register_of(f);
    if (r >= 0 && !assigns(rest)) return r;
  }
  const unsigned to = fresh();
  return form(f, k, to) ? static_cast<int>(to) : -1;
}

bool SourceCompiler::effect(Value f, unsigned k) {
  if (!f.is_cons() && (is_constant_atom(f) || register_of(f) >= 0)) return true;
  const unsigned saved = next_;
  const unsigned to = fresh();
  const bool ok = form(f, k, to);
  next_ = saved;
  return ok;
}

bool SourceCompiler::body(Value forms, unsigned k, unsigned to) {
  if (length(forms) < 0) return refuse("malformed");
  if (forms.is_nil()) load(to, kNil);
  const Builder::Label end = b_.make_label();
  for (; forms.is_cons(); forms = cdr(forms)) {
    if (cdr(forms).is_nil()) {
      if (!form(car(forms), k, to)) return false;
    } else {
      if (!effect(car(forms), k)) return false;
      if (may_write(car(forms))) guard(Stub::Rewritten::kForms, cdr(forms), end, k, to);
    }
  }
  b_.bind(end);
  return true;
}

bool SourceCompiler::may_write(Value f, unsigned nesting) {
  if (!f.is_cons() || car_raw(f) == Qquote || car_raw(f) == Qfunction) return false;
  if (nesting > kMostNesting) return true;
  const Value head = car_raw(f);
  const Value fn = head.is_symbol() ? cx_.cells(head).function : kNil;
  if (!is_subr(fn)) return true;
  const PrimitiveDescriptor& d = *fn.as_pointer<SubrObject>()->descriptor;
  if (!d.is_special_form() &&
      (d.reentry == Reentry::kReenters || d.effect == Effect::kStateWrite || d.effect == Effect::kBlockingIo))
    return true;
  // What is no call in a special form, is a list of some.
  const auto is_call = [this](Value a) { return car_raw(a).is_symbol() && !cx_.cells(car_raw(a)).function.is_nil(); };
  const auto any = [&](const auto& self, Value forms, unsigned level) -> bool {
    int left = 4000;
    for (; forms.is_cons() && left > 0; forms = cdr_raw(forms), --left) {
      const Value a = car_raw(forms);
      if (!a.is_cons()) continue;
      if (level < 3 && d.is_special_form() && !is_call(a) ? self(self, a, level + 1) : may_write(a, nesting + 1))
        return true;
    }
    return left == 0;
  };
  return any(any, cdr_raw(f), 0);
}

void SourceCompiler::guard(Stub::Rewritten what, Value cons, Builder::Label end, unsigned k, unsigned to, Value after) {
  Stub stub{b_.make_label(), end, node_, env_, next_, to, kNil, kNil, kNil, false, {}, {}, k, what, cons, after};
  b_.branch(Op::guard_body, 0, stub.at);
  stubs_.push_back(std::move(stub));
}

// ---- calls -------------------------------------------------------------------------------------------------------------

bool SourceCompiler::call(Value f, Value head, unsigned k, unsigned to) {
  const Value args = cdr(f);
  const int n = length(args);
  if (n < 0) return refuse("malformed");
  if (n > 120) return refuse("arguments");
  const Scope scope = open();
  Stub stub{b_.make_label(), b_.make_label(), node_, env_, next_, to, f, kNil, kNil, false, {}, {}, k};
  bool simple = true;
  bool code = false;
  for (Value l = args; l.is_cons(); l = cdr(l)) {
    const Value a = car(l);
    if (a.is_cons()) {
      if (car(a) == Qquote && length(a) == 2) continue;
      simple = false;
      code = true;
    } else if (!is_constant_atom(a) && register_of(a) < 0) {
      simple = false;
    }
  }
  std::vector<std::uint8_t> regs;
  if (simple) {
    for (Value l = args; l.is_cons(); l = cdr(l)) {
      const int r = operand(car(l), k, kNil);
      if (r < 0) return false;
      regs.push_back(static_cast<std::uint8_t>(r));
    }
    b_.emit_constant(Op::call_source, to, static_cast<unsigned>(n), 0, constant(head), stub.at);
    b_.arguments(regs);
  } else {
    const unsigned function = fresh();
    b_.emit_constant(Op::resolve, function, 0, static_cast<unsigned>(n), constant(head), stub.at);
    begin(f);
    if (code) depth(k + 1);
    for (Value l = args; l.is_cons(); l = cdr(l)) {
      const int r = operand(car(l), k + 1, cdr(l));
      if (r < 0) return false;
      regs.push_back(static_cast<std::uint8_t>(r));
    }
    enter(scope.node);
    if (code) depth(k);
    b_.emit_constant(Op::call_resolved, to, static_cast<unsigned>(n), function, constant(head));
    b_.arguments(regs);
  }
  close(scope);
  b_.bind(stub.back);
  stubs_.push_back(std::move(stub));
  return true;
}

void SourceCompiler::escape(Value f, int with, unsigned to) {
  const unsigned env = fresh();
  unsigned code = 0;
  if (with >= 0) {
    code = static_cast<unsigned>(with);
  } else {
    code = fresh();
    load(code, f);
  }
  const unsigned value = fresh();
  b_.emit(Op::materialize, env);
  b_.emit(Op::interpret, value, env, code);
  b_.emit(Op::write_back, env);
  move(to, value);
}

void SourceCompiler::write_stub(const Stub& s) {
  b_.bind(s.at);
  env_ = s.env;
  next_ = s.next;
  enter(s.node);
  if (s.rewritten != Stub::Rewritten::kNo) return write_rewritten(s);
  if (s.symbols.empty()) {
    escape(s.form, -1, s.to);
    b_.jump(s.back);
    return;
  }
  // (let ((SYMBOL 'VALUE)… REST…) . BODY)
  const unsigned varlist = fresh();
  const unsigned quote = fresh();
  const unsigned item = fresh();
  load(varlist, s.let_rest);
  load(quote, Qquote);
  const unsigned symbol = fresh();
  const auto list = [this](unsigned to, unsigned x, unsigned y) {
    const std::uint8_t regs[] = {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y)};
    b_.emit_arguments(Op::list, to, 0, regs);
  };
  for (std::size_t i = s.symbols.size(); i-- > 0;) {
    list(item, quote, s.values[i]);
    load(symbol, s.symbols[i]);
    list(item, symbol, item);
    b_.emit(Op::cons, varlist, item, varlist);
  }
  load(item, s.let_body);
  b_.emit(Op::cons, varlist, varlist, item);
  load(item, s.sequential ? Qlet_star : Qlet);
  b_.emit(Op::cons, varlist, item, varlist);
  depth(s.depth);
  escape(kNil, static_cast<int>(varlist), s.to);
  b_.jump(s.back);
}

void SourceCompiler::write_rewritten(const Stub& s) {
  depth(s.depth);
  if (!s.written.is_nil()) {
    const unsigned code = fresh();
    load(code, s.written);
    if (s.rewritten == Stub::Rewritten::kCar) {
      b_.emit(Op::car, code, code);
    } else {
      const unsigned progn = fresh();
      if (s.rewritten == Stub::Rewritten::kCdr) b_.emit(Op::cdr, code, code);
      load(progn, Qprogn);
      b_.emit(Op::cons, code, progn, code);
    }
    escape(kNil, static_cast<int>(code), s.to);
  }
  if (!s.after.is_nil()) escape(s.after, -1, s.to);
  b_.jump(s.back);
}

bool SourceCompiler::interpreted(Value f, unsigned to) {
  // Everything in scope is in the environment: captures() has said so.
  const unsigned saved = next_;
  const unsigned code = fresh();
  load(code, f);
  b_.emit(Op::interpret, to, env_, code);
  next_ = saved;
  return true;
}

// ---- functions -----------------------------------------------------------------------------------------------------------

void SourceCompiler::enter_root() {
  env_ = fresh();
  base_ = fresh();
  map_.nodes.push_back({Kind::kRoot, static_cast<std::uint8_t>(env_), 0, 0});
  enter(0);
}

bool SourceCompiler::bind_parameters() {
  bool optional = false;
  std::vector<Value> names;
  for (Value l = car(tail_); l.is_cons(); l = cdr(l)) {
    const Value p = car(l);
    if (!p.is_symbol() || p.is_nil() || p == Qt) return refuse("parameters");
    if (p == Qand_rest) {
      if (rest_ || !cdr(l).is_cons() || car(cdr(l)) == Qand_optional || car(cdr(l)) == Qand_rest ||
          !cdr(cdr(l)).is_nil())
        return refuse("parameters");
      rest_ = true;
    } else if (p == Qand_optional) {
      if (optional || rest_) return refuse("parameters");
      optional = true;
    } else {
      names.push_back(p);
      if (!optional && !rest_) ++mandatory_;
    }
  }
  parameters_ = static_cast<unsigned>(names.size());
  if (parameters_ > 120) return refuse("parameters");
  for (unsigned i = 0; i < parameters_; ++i) fresh();
  enter_root();
  const bool held = !lexical() || any_captures(cdr(tail_));
  for (unsigned i = 0; i < parameters_; ++i) {
    if (!held) {
      nest(Kind::kVariable, i, constant(names[i]));
    } else {
      b_.emit_constant(Op::bind_env, env_, i, 0, constant(names[i]));
    }
    variables_.push_back({names[i], i, !held});
  }
  return true;
}

bool SourceCompiler::run() {
  unsigned value = 0;
  if (map_.is_form) {
    enter_root();
    value = fresh();
    if (!form(tail_, 0, value)) return false;
  } else {
    if (length(car(tail_)) < 0 || length(cdr(tail_)) < 0) return refuse("malformed");
    if (!bind_parameters()) return false;
    value = fresh();
    map_.keeps_parameters = !assigns(cdr(tail_));
    if (!body(cdr(tail_), 0, value)) return false;
  }
  b_.emit(Op::return_, value);
  // Stubs may not make further ones.
  for (std::size_t i = 0; i < stubs_.size(); ++i) write_stub(stubs_[i]);
  if (why_ != nullptr) return false;
  if (b_.failed()) return refuse("registers");
  return true;
}

Value SourceCompiler::finish(const char** why) {
  core::bytecode::Code code = b_.finish();
  if (b_.failed() || constants_.size() > 0xFFFF) {
    *why = "jumps";
    return kNil;
  }
  code.parameters = static_cast<std::uint16_t>(parameters_);
  code.mandatory = static_cast<std::uint16_t>(mandatory_);
  code.rest = rest_;
  code.source = true;
  code.constants = static_cast<std::uint16_t>(constants_.size());
  std::vector<Value> seen;
  for (const Value c : conses_) {
    seen.push_back(c);
    seen.push_back(car_raw(c));
    seen.push_back(cdr_raw(c));
  }
  *why = "memory";
  const Value object = make_slots(cx_, ObjectKind::kByteCode, 4, kNil);
  const Value constants = make_vector_from(cx_, constants_);
  const Value shape = make_vector_from(cx_, seen);
  if (object.is_exit() || constants.is_exit() || shape.is_exit()) {
    cx_.exit_kind = ExitKind::kNone;
    return kNil;
  }
  set_slot_raw(object, 0, Value::fixnum(0));
  set_slot_raw(object, 1, shape);
  set_slot_raw(object, 2, constants);
  set_slot_raw(object, 3, Value::fixnum(0));
  Tiers& tiers = tiers_of(cx_);
  if (const std::string refused = tiers.adopt(cx_, object, std::move(code)); !refused.empty()) {
    *why = refused == kTooManyFunctions ? kTooManyFunctions : "verifier";
    return kNil;
  }
  FunctionState* s = tiers.ensure_state(object);
  s->exact_arguments = 0xFFFFFFFF;
  s->source = std::make_unique<SourceMap>(std::move(map_));
  return object;
}

Value compile_source(Context& cx, Value code, bool is_form, bool lexical, const char** why) {
  for (const bool hold : {false, true}) {
    SourceCompiler compiler(cx, code, is_form, lexical, hold);
    const bool done = compiler.run();
    if (compiler.met_unknown() && !hold) continue;
    if (done) return compiler.finish(why);
    *why = compiler.why();
    return kNil;
  }
  return kNil;
}

}  // namespace neovm::elisp
