// Special forms, as source_code.cpp compiles them.
#include "compile/source_compiler.hpp"

namespace neovm::elisp {

using Kind = SourceMap::Kind;

// ---- special forms ----------------------------------------------------------------------------------------------------

bool SourceCompiler::special_form(MachineId id, Value f, unsigned k, unsigned to) {
  const Value args = cdr(f);
  const int n = length(args);
  const Scope scope = open();
  bool ok = true;
  switch (id) {
    case kForm_quote:
      if (n != 1) return refuse("malformed");
      load(to, car(args));
      return true;
    case kForm_function: {
      if (n != 1) return refuse("malformed");
      const Value v = car(args);
      if (!v.is_cons() || car_raw(v) != Qlambda || !lexical()) {
        load(to, v);
        return true;
      }
      remember(v);
      const Value rest = cdr_raw(v);
      if (!rest.is_cons()) return refuse("malformed");
      remember(rest);
      if (cdr_raw(rest).is_cons()) {
        remember(cdr_raw(rest));
        const Value first = car_raw(cdr_raw(rest));
        if (first.is_cons() && car_raw(first) == QCdocumentation) return unknown(f, to, "computed docstring");
        if (first.is_cons()) remember(first);
      }
      b_.emit_constant(Op::close, to, env_, 0, constant(v));
      return true;
    }
    case kForm_interactive: load(to, kNil); return true;
    case kForm_progn:
      begin(f);
      depth(k + 1);
      ok = body(args, k + 1, to);
      break;
    case kForm_prog1: {
      begin(f);
      depth(k + 1);
      ok = form(car(args), k + 1, to);
      for (Value l = cdr(args); ok && l.is_cons(); l = cdr(l)) ok = effect(car(l), k + 1);
      break;
    }
    case kForm_if: {
      begin(f);
      depth(k + 1);
      const Builder::Label otherwise = b_.make_label();
      const Builder::Label end = b_.make_label();
      const int test = operand(car(args), k + 1, kNil);
      if (test < 0) return false;
      b_.branch(Op::jump_nil, static_cast<unsigned>(test), otherwise);
      next_ = scope.next;
      const bool written = may_write(car(args));
      if (written) guard(Stub::Rewritten::kCar, cdr(args), end, k + 1, to);
      ok = form(car(cdr(args)), k + 1, to);
      b_.jump(end);
      b_.bind(otherwise);
      if (written) guard(Stub::Rewritten::kCdr, cdr(args), end, k + 1, to);
      ok = ok && body(cdr(cdr(args)), k + 1, to);
      b_.bind(end);
      break;
    }
    case kForm_and:
    case kForm_or: {
      begin(f);
      depth(k + 1);
      const Builder::Label end = b_.make_label();
      if (n == 0) load(to, id == kForm_and ? Qt : kNil);
      for (Value l = args; ok && l.is_cons(); l = cdr(l)) {
        ok = form(car(l), k + 1, to);
        if (cdr(l).is_cons()) b_.branch(id == kForm_and ? Op::jump_nil : Op::jump_true, to, end);
      }
      b_.bind(end);
      break;
    }
    case kForm_cond: ok = cond(f, k, to); break;
    case kForm_while: {
      begin(f);
      depth(k + 1);
      const Builder::Label again = b_.make_label();
      const Builder::Label end = b_.make_label();
      const unsigned ignored = fresh();
      const unsigned saved = next_;
      b_.bind(again);
      const int test = operand(car(args), k + 1, kNil);
      if (test < 0) return false;
      b_.branch(Op::jump_nil, static_cast<unsigned>(test), end);
      next_ = saved;
      for (Value l = cdr(args); ok && l.is_cons(); l = cdr(l)) {
        ok = effect(car(l), k + 1);
        // The form itself goes on where the loop is to be tested next.
        if (may_write(car(l))) guard(Stub::Rewritten::kForms, cdr(l), end, k + 1, ignored, f);
      }
      b_.jump(again);
      b_.bind(end);
      load(to, kNil);
      break;
    }
    case kForm_let:
    case kForm_let_star: ok = let(f, k, to, id == kForm_let_star); break;
    case kForm_setq: ok = setq(f, k, to); break;
    case kForm_catch: {
      begin(f);
      depth(k + 1);
      const int tag = operand(car(args), k + 1, kNil);
      if (tag < 0) return false;
      const Builder::Label landing = b_.make_label();
      const Builder::Label end = b_.make_label();
      b_.push(Op::push_catch, static_cast<unsigned>(tag), landing);
      ok = body(cdr(args), k + 1, to);
      b_.emit(Op::pop_handler);
      b_.jump(end);
      b_.bind(landing);
      b_.emit(Op::landing, to);
      b_.bind(end);
      break;
    }
    case kForm_condition_case: ok = condition_case(f, k, to); break;
    case kForm_unwind_protect: ok = unwind_protect(f, k, to); break;
    case kForm_save_excursion:
    case kForm_save_restriction:
    case kForm_save_current_buffer: {
      begin(f);
      const unsigned mark = fresh();
      b_.emit(Op::mark, mark);
      nest(Kind::kMark, mark, 0);
      depth(k + 1);
      b_.emit(Op::save_state, id == kForm_save_excursion ? 138 : (id == kForm_save_restriction ? 140 : 114));
      ok = body(args, k + 1, to);
      b_.emit(Op::unbind_to, mark);
      break;
    }
    case kForm_defvar:
      if (lexical() && n < 2) return local_special(car(args), to);
      [[fallthrough]];
    case kForm_defconst: return interpreted(f, to);
    default: return refuse("special form");
  }
  if (!ok) return false;
  close(scope);
  depth(k);
  return true;
}

// (defvar SYMBOL): a mark in the environment, for all forms that share it.
bool SourceCompiler::local_special(Value symbol, unsigned to) {
  if (!symbol.is_symbol() || symbol.is_nil()) return refuse("malformed");
  b_.emit_constant(Op::declare_special, env_, 0, 0, constant(symbol));
  load(to, symbol);
  return true;
}

bool SourceCompiler::cond(Value f, unsigned k, unsigned to) {
  begin(f);
  depth(k + 1);
  const Builder::Label end = b_.make_label();
  for (Value l = cdr(f); l.is_cons(); l = cdr(l)) {
    const Value clause = car(l);
    if (!clause.is_cons() || length(clause) < 0) return refuse("malformed");
    const Builder::Label next = b_.make_label();
    const Value forms = cdr(clause);
    if (forms.is_nil()) {
      if (!form(car(clause), k + 1, to)) return false;
      b_.branch(Op::jump_true, to, end);
      continue;
    }
    const unsigned saved = next_;
    const int test = operand(car(clause), k + 1, kNil);
    if (test < 0) return false;
    b_.branch(Op::jump_nil, static_cast<unsigned>(test), next);
    next_ = saved;
    if (!body(forms, k + 1, to)) return false;
    b_.jump(end);
    b_.bind(next);
  }
  load(to, kNil);
  b_.bind(end);
  return true;
}

bool SourceCompiler::setq(Value f, unsigned k, unsigned to) {
  const Value args = cdr(f);
  if (length(args) % 2 != 0) return refuse("malformed");
  begin(f);
  depth(k + 1);
  const unsigned saved = next_;
  if (args.is_nil()) load(to, kNil);
  for (Value l = args; l.is_cons(); l = cdr(cdr(l))) {
    const Value symbol = car(l);
    if (!symbol.is_symbol() || symbol.is_nil()) return refuse("malformed");
    next_ = saved;
    const int value = operand(car(cdr(l)), k + 1, kNil);
    if (value < 0) return false;
    const bool last = cdr(cdr(l)).is_nil();
    if (const int r = register_of(symbol); r >= 0) {
      move(static_cast<unsigned>(r), static_cast<unsigned>(value));
      if (last) move(to, static_cast<unsigned>(r));
    } else {
      b_.emit_constant(Op::env_set, static_cast<unsigned>(value), env_, 0, constant(symbol));
      if (last) move(to, static_cast<unsigned>(value));
    }
  }
  return true;
}

bool SourceCompiler::bind_let(Value symbol, unsigned value, bool in_register, unsigned outer, Builder::Label slow) {
  if (in_register) {
    b_.emit_constant(Op::guard_let, outer, 0, 0, constant(symbol), slow);
    return true;
  }
  b_.emit_constant(Op::bind_let, env_, outer, value, constant(symbol));
  return true;
}

bool SourceCompiler::let(Value f, unsigned k, unsigned to, bool sequential) {
  const Value args = cdr(f);
  const Value varlist = car(args);
  const Value forms = cdr(args);
  if (length(varlist) < 0) return refuse("malformed");
  struct Item {
    Value symbol, form;
    unsigned value;
    bool in_register;
  };
  std::vector<Item> items;
  bool held = !lexical() || any_captures(forms);
  for (Value l = varlist; l.is_cons(); l = cdr(l)) {
    const Value v = car(l);
    Item item{v, kNil, 0, false};
    if (v.is_cons()) {
      const int n = length(v);
      if (n != 1 && n != 2) return refuse("malformed");
      item.symbol = car(v);
      if (n == 2) item.form = car(cdr(v));
    }
    if (!item.symbol.is_symbol() || item.symbol.is_nil() || item.symbol == Qt) return refuse("malformed");
    items.push_back(item);
  }
  if (sequential)
    for (const Item& item : items) held = held || captures(item.form);
  bool in_alist = false;
  for (Item& item : items) {
    item.in_register = !held && !may_be_special(item.symbol);
    in_alist = in_alist || !item.in_register;
  }
  const std::uint32_t outside = node_;
  begin(f);
  depth(k + 1);
  unsigned mark = 0;
  if (in_alist) {
    mark = fresh();
    b_.emit(Op::mark, mark);
    nest(Kind::kMark, mark, 0);
  }
  const unsigned outer = env_;
  unsigned inner = env_;
  if (in_alist) {
    inner = fresh();
    if (sequential) {
      b_.emit(Op::mov, inner, outer);
      env_ = inner;
      nest(Kind::kEnvironment, inner, 0);
    }
  }
  const Builder::Label end = b_.make_label();
  Stub all{b_.make_label(), end, outside, outer, 0, to, kNil, forms, kNil, false, {}, {}, k};
  Value rest = varlist;
  for (Item& item : items) {
    rest = rest.is_cons() ? cdr(rest) : kNil;
    item.value = fresh();
    const std::uint32_t before = node_;
    if (!form(item.form, k + 1, item.value)) return false;
    if (!sequential) continue;
    Stub one{b_.make_label(), end, 0, env_, 0, to, kNil, forms, rest, true, {item.symbol}, {item.value}, k};
    if (!bind_let(item.symbol, item.value, item.in_register, env_, one.at)) return false;
    if (item.in_register) {
      // The variables so far are there, in the environment that the rest is interpreted in.
      one.node = before;
      one.next = next_;
      stubs_.push_back(one);
      nest(Kind::kVariable, item.value, constant(item.symbol));
    }
    variables_.push_back({item.symbol, item.value, item.in_register});
  }
  if (!sequential) {
    for (const Item& item : items) {
      all.symbols.push_back(item.symbol);
      all.values.push_back(item.value);
    }
    all.next = next_;
    bool any = false;
    // All that lie in registers are checked before anything is bound: there is one way out.
    for (const Item& item : items)
      if (item.in_register) {
        any = true;
        bind_let(item.symbol, item.value, true, outer, all.at);
      }
    if (any) stubs_.push_back(all);
    if (in_alist) {
      b_.emit(Op::mov, inner, outer);
      env_ = inner;
      nest(Kind::kEnvironment, inner, 0);
      for (const Item& item : items)
        if (!item.in_register) bind_let(item.symbol, item.value, false, outer, all.at);
    }
    for (const Item& item : items) {
      if (item.in_register) nest(Kind::kVariable, item.value, constant(item.symbol));
      variables_.push_back({item.symbol, item.value, item.in_register});
    }
  }
  if (!body(forms, k + 1, to)) return false;
  b_.bind(end);
  if (in_alist) b_.emit(Op::unbind_to, mark);
  return true;
}

// VALUE is bound to SYMBOL around FORMS as a parameter would be: lexically whenever the function is.
bool SourceCompiler::bind_value(Value symbol, unsigned value, Value forms) {
  if (lexical() && !any_captures(forms)) {
    nest(Kind::kVariable, value, constant(symbol));
    variables_.push_back({symbol, value, true});
    return true;
  }
  const unsigned inner = fresh();
  b_.emit(Op::mov, inner, env_);
  env_ = inner;
  nest(Kind::kEnvironment, inner, 0);
  b_.emit_constant(Op::bind_env, inner, value, 0, constant(symbol));
  variables_.push_back({symbol, value, false});
  return true;
}

bool SourceCompiler::condition_case(Value f, unsigned k, unsigned to) {
  const Value args = cdr(f);
  const Value var = car(args);
  if (!var.is_symbol()) return refuse("malformed");
  std::vector<Value> clauses;
  Value success = kNil;
  for (Value l = cdr(cdr(args)); l.is_cons(); l = cdr(l)) {
    const Value c = car(l);
    if (c.is_nil()) continue;
    if (!c.is_cons() || length(c) < 0 || !(car(c).is_symbol() || car(c).is_cons())) return refuse("malformed");
    if (car(c) == QCsuccess) {
      success = c;
    } else {
      clauses.push_back(c);
    }
  }
  begin(f);
  const unsigned mark = fresh();
  b_.emit(Op::mark, mark);
  nest(Kind::kMark, mark, 0);
  depth(k + 1);
  const unsigned tag = fresh();
  const Builder::Label end = b_.make_label();
  std::vector<Builder::Label> landings;
  for (std::size_t i = 0; i < clauses.size(); ++i) landings.push_back(b_.make_label());
  for (std::size_t i = clauses.size(); i-- > 0;) {
    load(tag, car(clauses[i]));
    b_.push(Op::push_handler, tag, landings[i]);
  }
  if (!form(car(cdr(args)), k + 1, to)) return false;
  for (std::size_t i = 0; i < clauses.size(); ++i) b_.emit(Op::pop_handler);
  const auto run_clause = [&](Value clause, unsigned got) {
    const Scope scope = open();
    if (!var.is_nil() && !bind_value(var, got, cdr(clause))) return false;
    if (!body(cdr(clause), k + 1, to)) return false;
    if (!lexical() && !var.is_nil()) b_.emit(Op::unbind_to, mark);
    close(scope);
    return true;
  };
  if (!success.is_nil()) {
    const unsigned got = fresh();
    move(got, to);
    if (!run_clause(success, got)) return false;
  }
  b_.jump(end);
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    const unsigned got = fresh();
    b_.bind(landings[i]);
    b_.emit(Op::landing, got);
    for (std::size_t left = i + 1; left < clauses.size(); ++left) b_.emit(Op::pop_handler);
    if (!run_clause(clauses[i], got)) return false;
    b_.jump(end);
  }
  b_.bind(end);
  return true;
}

bool SourceCompiler::unwind_protect(Value f, unsigned k, unsigned to) {
  const Value args = cdr(f);
  begin(f);
  depth(k + 1);
  b_.emit_constant(Op::push_cleanup, env_, 0, 0, constant(cdr(args)));
  if (!form(car(args), k + 1, to)) return false;
  b_.emit(Op::pop_cleanup);
  for (Value l = cdr(args); l.is_cons(); l = cdr(l))
    if (!effect(car(l), k + 1)) return false;
  return true;
}

}  // namespace neovm::elisp
