// From the forms of an interpreted function to register bytecode.
//
// What the interpreter of forms does is kept, to the order of its steps: a call's function is looked up before its arguments
// are evaluated, through the symbol, each time; nothing is inlined that Lisp could redefine. What changes is where the
// work is kept: which forms are in progress is known from the place in the code (SourceMap), how many of them count for
// max-lisp-eval-depth is set by `depth`, and a variable lies in a register when nobody can hold its binding.
//
// A variable's binding can be held by a closure, by unwind forms (which run with the environment), and by a form that is
// handed to the interpreter. When one of these stands in a variable's scope, the variable is bound in an alist, as ever.
// So is one that is special, because `bind_let` decides each time. For those in registers `guard_let` checks that the
// symbol has not become special since; otherwise the rest of the `let` is interpreted. A function that calls what is not
// defined yet keeps every variable in the alist: the definition may be a macro's.
//
// What the compiler does not know makes it refuse the whole function.
#include <unordered_map>

#include "eval/source.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/bytecode/builder.hpp"

namespace neovm::elisp {

namespace {

using core::bytecode::Builder;
using core::bytecode::Op;
using Node = SourceMap::Node;
using Kind = SourceMap::Kind;

constexpr std::size_t kMostConses = 12000;
constexpr unsigned kMostNesting = 200;

class Compiler {
 public:
  Compiler(Context& cx, Value tail, bool lexical, bool hold) : cx_(cx), tail_(tail), hold_(hold) {
    map_.lexical = lexical;
  }

  bool run();
  Value finish(const char** why);
  const char* why() const { return why_; }
  // A function that is called has no definition yet. It may become a macro, whose expansion may hold any binding.
  bool met_undefined() const { return undefined_; }

 private:
  struct Variable {
    Value symbol;
    unsigned reg;
    bool in_register;
  };

  bool refuse(const char* why) {
    if (why_ == nullptr) why_ = why;
    return false;
  }
  bool lexical() const { return map_.lexical; }

  // ---- what is read ----
  // Every cons of the code that is read is remembered with its contents.
  Value car(Value c) {
    remember(c);
    return car_raw(c);
  }
  Value cdr(Value c) {
    remember(c);
    return cdr_raw(c);
  }
  void remember(Value c) {
    if (seen_.emplace(c.bits(), true).second) {
      conses_.push_back(c);
      if (conses_.size() > kMostConses) refuse("size");
    }
  }
  // Number of elements; -1 when it is no proper list, or too long.
  int length(Value l) {
    int n = 0;
    for (; l.is_cons() && n < 4000; ++n) l = cdr(l);
    return l.is_nil() ? n : -1;
  }

  // ---- what is written ----
  unsigned constant(Value v) {
    const auto [it, fresh] = numbers_.emplace(v.bits(), static_cast<unsigned>(constants_.size()));
    if (fresh) constants_.push_back(v);
    return it->second;
  }
  unsigned fresh() {
    const unsigned r = next_++;
    b_.use(r);
    return r;
  }
  void load(unsigned to, Value v) { b_.emit_wide(Op::load_k, to, constant(v)); }
  void move(unsigned to, unsigned from) {
    if (to != from) b_.emit(Op::mov, to, from);
  }
  void depth(unsigned k) { b_.emit(Op::depth, base_, k > 255 ? 256 : k); }
  void enter(std::uint32_t node) {
    node_ = node;
    b_.origin(node);
  }
  std::uint32_t make_node(Kind kind, unsigned reg, unsigned constant) {
    map_.nodes.push_back({kind, static_cast<std::uint8_t>(reg), static_cast<std::uint16_t>(constant), node_});
    if (constant > 0xFFFF) b_.fail();
    return static_cast<std::uint32_t>(map_.nodes.size() - 1);
  }
  void nest(Kind kind, unsigned reg, unsigned constant) { enter(make_node(kind, reg, constant)); }
  // FORM is in progress from here on.
  void begin(Value form) { nest(Kind::kForm, 0, constant(form)); }

  // What a compiled stretch changes and its end puts back.
  struct Scope {
    std::uint32_t node;
    std::size_t variables;
    unsigned env;
    unsigned next;
  };
  Scope open() const { return {node_, variables_.size(), env_, next_}; }
  void close(const Scope& s) {
    variables_.resize(s.variables);
    env_ = s.env;
    next_ = s.next;
    enter(s.node);
  }

  const Variable* find(Value symbol) const {
    for (std::size_t i = variables_.size(); i-- > 0;)
      if (variables_[i].symbol == symbol) return &variables_[i];
    return nullptr;
  }
  // The variable's register when it lies in one.
  int register_of(Value symbol) const {
    const Variable* v = find(symbol);
    return v != nullptr && v->in_register ? static_cast<int>(v->reg) : -1;
  }
  static bool is_constant(Value v) { return !v.is_symbol() || v.is_nil() || v == Qt; }
  bool is_constant_atom(Value v) {
    if (v.is_cons()) return false;
    if (is_constant(v)) return v != Qt || find(v) == nullptr;
    return (cx_.cells(v).flags & kSymbolKeyword) != 0 && find(v) == nullptr;
  }

  // ---- questions about code ----
  // May something in FORM hold the bindings around it?
  bool captures(Value form, unsigned nesting = 0) {
    if (nesting > kMostNesting) return true;
    if (!form.is_cons()) return false;
    const Value head = car_raw(form);
    if (head == Qquote) return false;
    if (head == Qfunction) {
      const Value rest = cdr_raw(form);
      return rest.is_cons() && car_raw(rest).is_cons() && car_raw(car_raw(rest)) == Qlambda;
    }
    if (head == Qunwind_protect || head == Qdefvar || head == Qdefconst) return true;
    int left = 4000;
    for (; form.is_cons() && left > 0; form = cdr_raw(form), --left)
      if (captures(car_raw(form), nesting + 1)) return true;
    return left == 0;
  }
  bool any_captures(Value forms) {
    if (hold_) return true;
    int left = 4000;
    for (; forms.is_cons() && left > 0; forms = cdr_raw(forms), --left)
      if (captures(car_raw(forms))) return true;
    return left == 0;
  }
  bool assigns(Value form, unsigned nesting = 0) {
    if (nesting > kMostNesting) return true;
    if (!form.is_cons()) return false;
    if (car_raw(form) == Qsetq) return true;
    if (car_raw(form) == Qquote) return false;
    int left = 4000;
    for (; form.is_cons() && left > 0; form = cdr_raw(form), --left)
      if (assigns(car_raw(form), nesting + 1)) return true;
    return left == 0;
  }
  bool may_be_special(Value symbol) { return (cx_.cells(symbol).flags & kSymbolSpecial) != 0; }

  // ---- forms ----
  // Value of FORM into register `to`, with k forms in progress. False: refused.
  bool form(Value f, unsigned k, unsigned to);
  // … into whatever register it lies in: its variable's own, when nothing that comes before it is read (`rest`) assigns.
  int operand(Value f, unsigned k, Value rest);
  bool effect(Value f, unsigned k);
  bool body(Value forms, unsigned k, unsigned to);
  bool special_form(MachineId id, Value f, unsigned k, unsigned to);
  bool call(Value f, Value head, unsigned k, unsigned to);
  bool let(Value f, unsigned k, unsigned to, bool sequential);
  bool setq(Value f, unsigned k, unsigned to);
  bool cond(Value f, unsigned k, unsigned to);
  bool condition_case(Value f, unsigned k, unsigned to);
  bool unwind_protect(Value f, unsigned k, unsigned to);
  bool interpreted(Value f, unsigned to);
  // FORM, in register `with` when it is not the constant f, evaluated by the interpreter with registers in its environment.
  void escape(Value f, int with, unsigned to);
  bool bind_parameters();
  bool bind_value(Value symbol, unsigned value, Value body);
  // A `let` variable gets the value in `value`. `slow`: where a variable that has become special goes.
  bool bind_let(Value symbol, unsigned value, bool in_register, unsigned outer, Builder::Label slow);

  // Code that is seldom reached, after everything else.
  struct Stub {
    Builder::Label at, back;
    std::uint32_t node;
    unsigned env, next, to;
    Value form;      // to be interpreted
    Value let_body;  // or nil: of a `let` whose values are in `values` already
    Value let_rest;  // variables of a let* after the first of `symbols`
    bool sequential;
    std::vector<Value> symbols;
    std::vector<unsigned> values;
    unsigned depth;
  };
  void write_stub(const Stub& s);

  Context& cx_;
  Value tail_;
  SourceMap map_;
  Builder b_;
  std::vector<Value> conses_;
  std::unordered_map<std::uint64_t, bool> seen_;
  std::vector<Value> constants_;
  std::unordered_map<std::uint64_t, unsigned> numbers_;
  std::vector<Variable> variables_;
  std::vector<Stub> stubs_;
  std::uint32_t node_ = 0;
  unsigned env_ = 0;
  unsigned base_ = 0;
  unsigned next_ = 0;
  unsigned nesting_ = 0;
  unsigned parameters_ = 0;
  unsigned mandatory_ = 0;
  bool rest_ = false;
  bool hold_;
  bool undefined_ = false;
  const char* why_ = nullptr;
};

// ---- atoms and sequences -------------------------------------------------------------------------------------------

bool Compiler::form(Value f, unsigned k, unsigned to) {
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
  if (!head.is_symbol() || head.is_nil()) return refuse("head");
  Value fn = cx_.cells(head).function;
  if (fn.is_symbol() && !fn.is_nil()) fn = resolve_function(cx_, fn);
  bool ok = false;
  if (is_subr(fn) && fn.as_pointer<SubrObject>()->descriptor->is_special_form()) {
    const SymbolCells& cells = cx_.cells(head);
    if (cells.function != fn) return refuse("alias of a special form");
    bool known = false;
    for (const SourceMap::Head& h : map_.heads) known = known || h.cells == &cells;
    if (!known) map_.heads.push_back({&cells, cells.function_version});
    const auto* d = fn.as_pointer<SubrObject>()->descriptor;
    const int n = length(args);
    const std::uint8_t id = fn.as_pointer<SubrObject>()->header.aux;
    if (id == kNotMachine || id >= kSpecialFormEnd) return refuse("special form");
    if (n < d->min_args) return refuse("malformed");
    ok = special_form(static_cast<MachineId>(id), f, k, to);
  } else {
    Value definition = fn;
    if (definition.is_cons() && car_raw(definition) == Qmacro) return refuse("macro");
    if (definition.is_cons() && car_raw(definition) == Qautoload && !is_function(cx_, head))
      return refuse("autoloaded macro");
    undefined_ = undefined_ || fn.is_nil() || (fn.is_cons() && car_raw(fn) == Qautoload);
    ok = call(f, head, k, to);
  }
  --nesting_;
  return ok;
}

int Compiler::operand(Value f, unsigned k, Value rest) {
  if (!f.is_cons() && !is_constant_atom(f)) {
    const int r = register_of(f);
    if (r >= 0 && !assigns(rest)) return r;
  }
  const unsigned to = fresh();
  return form(f, k, to) ? static_cast<int>(to) : -1;
}

bool Compiler::effect(Value f, unsigned k) {
  if (!f.is_cons() && (is_constant_atom(f) || register_of(f) >= 0)) return true;
  const unsigned saved = next_;
  const unsigned to = fresh();
  const bool ok = form(f, k, to);
  next_ = saved;
  return ok;
}

bool Compiler::body(Value forms, unsigned k, unsigned to) {
  if (length(forms) < 0) return refuse("malformed");
  if (forms.is_nil()) load(to, kNil);
  for (; forms.is_cons(); forms = cdr(forms))
    if (!(cdr(forms).is_nil() ? form(car(forms), k, to) : effect(car(forms), k))) return false;
  return true;
}

// ---- calls -------------------------------------------------------------------------------------------------------------

bool Compiler::call(Value f, Value head, unsigned k, unsigned to) {
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

void Compiler::escape(Value f, int with, unsigned to) {
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

void Compiler::write_stub(const Stub& s) {
  b_.bind(s.at);
  env_ = s.env;
  next_ = s.next;
  enter(s.node);
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

bool Compiler::interpreted(Value f, unsigned to) {
  // Everything in scope is in the environment: captures() has said so.
  const unsigned saved = next_;
  const unsigned code = fresh();
  load(code, f);
  b_.emit(Op::interpret, to, env_, code);
  next_ = saved;
  return true;
}

// ---- special forms ----------------------------------------------------------------------------------------------------

bool Compiler::special_form(MachineId id, Value f, unsigned k, unsigned to) {
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
        if (first.is_cons() && car_raw(first) == QCdocumentation) return refuse("computed docstring");
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
      ok = form(car(cdr(args)), k + 1, to);
      b_.jump(end);
      b_.bind(otherwise);
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
      b_.bind(again);
      const int test = operand(car(args), k + 1, kNil);
      if (test < 0) return false;
      b_.branch(Op::jump_nil, static_cast<unsigned>(test), end);
      next_ = scope.next;
      for (Value l = cdr(args); ok && l.is_cons(); l = cdr(l)) ok = effect(car(l), k + 1);
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
      if (lexical() && n < 2) return refuse("local special variable");
      [[fallthrough]];
    case kForm_defconst: return interpreted(f, to);
    default: return refuse("special form");
  }
  if (!ok) return false;
  close(scope);
  depth(k);
  return true;
}

bool Compiler::cond(Value f, unsigned k, unsigned to) {
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

bool Compiler::setq(Value f, unsigned k, unsigned to) {
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

bool Compiler::bind_let(Value symbol, unsigned value, bool in_register, unsigned outer, Builder::Label slow) {
  if (in_register) {
    b_.emit_constant(Op::guard_let, outer, 0, 0, constant(symbol), slow);
    return true;
  }
  b_.emit_constant(Op::bind_let, env_, outer, value, constant(symbol));
  return true;
}

bool Compiler::let(Value f, unsigned k, unsigned to, bool sequential) {
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
bool Compiler::bind_value(Value symbol, unsigned value, Value forms) {
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

bool Compiler::condition_case(Value f, unsigned k, unsigned to) {
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

bool Compiler::unwind_protect(Value f, unsigned k, unsigned to) {
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

// ---- functions -----------------------------------------------------------------------------------------------------------

bool Compiler::bind_parameters() {
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
  env_ = fresh();
  base_ = fresh();
  map_.nodes.push_back({Kind::kRoot, static_cast<std::uint8_t>(env_), 0, 0});
  enter(0);
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

bool Compiler::run() {
  if (length(car(tail_)) < 0 || length(cdr(tail_)) < 0) return refuse("malformed");
  if (!bind_parameters()) return false;
  const unsigned value = fresh();
  if (!body(cdr(tail_), 0, value)) return false;
  b_.emit(Op::return_, value);
  // Stubs may not make further ones.
  for (std::size_t i = 0; i < stubs_.size(); ++i) write_stub(stubs_[i]);
  if (why_ != nullptr) return false;
  if (b_.failed()) return refuse("registers");
  return true;
}

Value Compiler::finish(const char** why) {
  core::bytecode::Code code = b_.finish();
  if (b_.failed() || constants_.size() > 0xFFFF) {
    *why = "jumps";
    return kNil;
  }
  code.parameters = static_cast<std::uint16_t>(parameters_);
  code.mandatory = static_cast<std::uint16_t>(mandatory_);
  code.rest = rest_;
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
    *why = refused == "too many functions" ? "too many functions" : "verifier";
    return kNil;
  }
  FunctionState* s = tiers.ensure_state(object);
  s->exact_arguments = 0xFFFFFFFF;
  s->source = std::make_unique<SourceMap>(std::move(map_));
  return object;
}

}  // namespace

Value compile_source(Context& cx, Value tail, bool lexical, const char** why) {
  for (const bool hold : {false, true}) {
    Compiler compiler(cx, tail, lexical, hold);
    if (!compiler.run()) {
      *why = compiler.why();
      return kNil;
    }
    if (hold || !compiler.met_undefined()) return compiler.finish(why);
  }
  return kNil;
}

}  // namespace neovm::elisp
