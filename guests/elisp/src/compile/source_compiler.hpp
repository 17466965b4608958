// The compiler of interpreted functions: its state, and what its parts share. source_code.cpp says how it works.
#pragma once

#include <unordered_map>
#include <vector>

#include "eval/source.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/bytecode/builder.hpp"

namespace neovm::elisp {

class SourceCompiler {
  using Builder = core::bytecode::Builder;
  using Op = core::bytecode::Op;
  using Node = SourceMap::Node;
  using Kind = SourceMap::Kind;
  static constexpr std::size_t kMostConses = 12000;
  static constexpr unsigned kMostNesting = 200;

 public:
  // `code`: (ARGS . BODY), or with is_form a form that is evaluated as it stands. With `hold` every variable is bound in the
  // alist.
  SourceCompiler(Context& cx, Value code, bool is_form, bool lexical, bool hold) : cx_(cx), tail_(code), hold_(hold) {
    map_.lexical = lexical;
    map_.is_form = is_form;
  }

  bool run();
  Value finish(const char** why);
  const char* why() const { return why_; }
  // There is a form that only the interpreter knows what to do with, or the call of what has no definition yet and may
  // become a macro: it may hold any binding.
  bool met_unknown() const { return unknown_; }

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
  bool local_special(Value symbol, unsigned to);
  bool interpreted(Value f, unsigned to);
  // The form F is left to the interpreter: once every variable is in the alist.
  bool unknown(Value f, unsigned to, const char* why) {
    unknown_ = true;
    return hold_ ? interpreted(f, to) : refuse(why);
  }
  // FORM, in register `with` when it is not the constant f, evaluated by the interpreter with registers in its environment.
  void escape(Value f, int with, unsigned to);
  bool bind_parameters();
  void enter_root();
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
    // Of a body that was written to while it ran: a cons of it, of which the car, the forms in its cdr, or the forms from it on are to
    // be interpreted as they are then; and what is interpreted after that.
    enum class Rewritten : std::uint8_t { kNo, kCar, kCdr, kForms } rewritten = Rewritten::kNo;
    Value written = kNil;
    Value after = kNil;
  };
  void write_stub(const Stub& s);
  void write_rewritten(const Stub& s);
  // Goes on at `end`, with the value in `to`, by the interpreter, when the code was written to. CONS: see Stub::rewritten.
  void guard(Stub::Rewritten what, Value cons, Builder::Label end, unsigned k, unsigned to, Value after = kNil);
  // May evaluating F write to conses?
  bool may_write(Value f, unsigned nesting = 0);

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
  bool unknown_ = false;
  const char* why_ = nullptr;
};

}  // namespace neovm::elisp
