// The compiler that docs/bytecode.md shows: a small language on the register bytecode.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "eval/tiers.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/bytecode/builder.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace {

using namespace neovm;
using namespace neovm::core::bytecode;

// [compiler]
struct SumCompiler {
  Value down;  // the symbol
  Builder b = {};
  std::vector<Value> constants = {};

  unsigned constant(Value v) {
    constants.push_back(v);
    return static_cast<unsigned>(constants.size() - 1);
  }
  // Writes code that leaves the value of FORM in register TO; those above it are free.
  void compile(Value form, unsigned to) {
    b.use(to);
    if (form.is_fixnum()) {
      b.emit_wide(Op::load_k, to, constant(form));
    } else if (form.is_symbol() && !form.is_nil()) {
      b.emit(Op::mov, to, 0);  // the argument
    } else if (form.is_cons() && car_raw(form) == down && cdr_raw(form).is_cons()) {
      const unsigned count = to + 1;
      compile(car_raw(cdr_raw(form)), count);
      b.emit_wide(Op::load_k, to, constant(Value::fixnum(0)));
      const Builder::Label again = b.make_label();
      const Builder::Label done = b.make_label();
      b.bind(again);
      b.branch(Op::jump_num_le_k, count, constant(Value::fixnum(0)), done);
      b.emit(Op::add, to, to, count);
      b.emit(Op::sub1, count, count);
      b.jump(again);  // backward: a `loop`, which is a safepoint
      b.bind(done);
    } else {
      b.emit_wide(Op::load_k, to, constant(Value::fixnum(0)));
      for (; form.is_cons(); form = cdr_raw(form)) {
        compile(car_raw(form), to + 1);
        b.emit(Op::add, to, to, to + 1);
      }
    }
  }
  Code finish(Value form) {
    compile(form, 1);
    b.emit(Op::return_, 1);
    Code code = b.finish();
    code.parameters = code.mandatory = 1;
    code.constants = static_cast<std::uint16_t>(constants.size());
    return code;
  }
};
// [compiler]

// [script]
struct ScriptCompiler {
  Context& cx;
  Builder b = {};
  std::vector<Value> constants = {};
  std::vector<Value> variables = {};               // parameters first; each has its register
  static constexpr unsigned kFirstTemporary = 16;  // registers above are free for values on their way

  unsigned constant(Value v) {
    constants.push_back(v);
    return static_cast<unsigned>(constants.size() - 1);
  }
  bool is(Value form, const char* head) { return form.is_cons() && car_raw(form) == intern(cx, head); }
  static Value part(Value form, int i) {
    while (i-- > 0) form = cdr_of_list(form);
    return car_of_list(form);
  }
  static bool is_variable(Value form) { return form.is_symbol() && !form.is_nil(); }
  unsigned place(Value variable) {
    const auto known = std::find(variables.begin(), variables.end(), variable);
    const auto i = static_cast<unsigned>(known - variables.begin());
    if (known == variables.end()) variables.push_back(variable);
    b.use(i);
    return i;
  }
  // The register that holds the value of FORM: a variable's own, or TO, which is free, as are those above.
  unsigned operand(Value form, unsigned to) {
    if (is_variable(form)) return place(form);
    compile(form, to, to);
    return to;
  }
  std::vector<std::uint8_t> arguments(Value forms, unsigned free) {
    std::vector<std::uint8_t> places;
    for (; forms.is_cons(); forms = cdr_raw(forms), ++free) {
      compile(car_raw(forms), free, free);
      places.push_back(static_cast<std::uint8_t>(free));
    }
    return places;
  }
  // The value of FORM goes to TO, a variable or FREE. What a variable holds gets a second holder when it is copied, and only
  // then.
  void compile(Value form, unsigned to, unsigned free) {
    b.use(std::max(to, free + 1));
    if (is_variable(form)) {
      b.emit(Op::share, place(form));
      b.emit(Op::mov, to, place(form));
    } else if (!form.is_cons()) {
      b.emit_wide(Op::load_k, to, constant(form));
    } else if (is(form, "list")) {
      b.emit_arguments(Op::make_list, to, 0, arguments(cdr_raw(form), free));
    } else if (is(form, "+") || is(form, "-") || is(form, "=") || is(form, "at")) {
      const unsigned left = operand(part(form, 1), free);
      const unsigned right = operand(part(form, 2), free + 1);
      // `x = x + …` names one register twice: in place, as long as nothing else holds the value.
      b.emit(is(form, "+")   ? Op::plus
             : is(form, "-") ? Op::minus
             : is(form, "=") ? Op::same
                             : Op::item_at,
             to, left, right);
    } else {
      // Anything may be called: Lisp may keep what it gets, and hand it out again later.
      const std::vector<std::uint8_t> places = arguments(cdr_raw(form), free);
      for (const std::uint8_t p : places) b.emit(Op::share, p);
      b.call_global(to, constant(car_raw(form)), places);
    }
  }
  void statements(Value forms) {
    for (; forms.is_cons(); forms = cdr_raw(forms)) statement(car_raw(forms));
  }
  void statement(Value form) {
    const unsigned free = kFirstTemporary;
    if (is(form, "set")) {
      compile(part(form, 2), place(part(form, 1)), free);
    } else if (is(form, "while") || is(form, "if")) {
      const Builder::Label again = b.make_label();
      const Builder::Label done = b.make_label();
      b.bind(again);
      // In this language nil, zero and what is empty are false.
      b.branch(Op::jump_empty, operand(part(form, 1), free), constant(kNil), done);
      statements(cdr_raw(cdr_raw(form)));
      if (is(form, "while")) b.jump(again);
      b.bind(done);
    } else if (is(form, "return") && is(part(form, 1), "call")) {
      const Value call = cdr_raw(part(form, 1));  // of a function of this language, which takes values as they are
      b.tail_call_global(constant(car_raw(call)), arguments(cdr_raw(call), free));
    } else {  // return
      b.emit(Op::return_, operand(part(form, 1), free));
    }
  }
  // (NAME (PARAMETER…) STATEMENT…)
  Code function(Value form) {
    for (Value l = part(form, 1); l.is_cons(); l = cdr_raw(l)) (void)place(car_raw(l));
    const auto parameters = static_cast<std::uint16_t>(variables.size());
    statements(cdr_raw(cdr_raw(form)));
    b.use(kFirstTemporary);
    b.emit_wide(Op::load_k, kFirstTemporary, constant(kNil));
    b.emit(Op::return_, kFirstTemporary);
    Code code = b.finish();
    code.parameters = code.mandatory = parameters;
    code.constants = static_cast<std::uint16_t>(constants.size());
    return code;
  }
};
// [script]

class Sums : public ::testing::Test {
 protected:
  static IsolateOptions options() {
    IsolateOptions o;
    o.building = true;
    return o;
  }
  Sums() : isolate_(options()), cx_(isolate_), kept_(cx_) {
    elisp::attach(cx_);
    neomacs::host::attach(cx_);
    kept_.values.resize(2);
  }
  // Compiles TEXT and calls it with ARGUMENT.
  std::string run(const std::string& text, std::int64_t argument) {
    const Value form = car_raw(funcall_re(cx_, Qread_from_string, {make_string(cx_, text)}));
    SumCompiler compiler{intern(cx_, "down")};
    Code code = compiler.finish(form);
    EXPECT_FALSE(compiler.b.failed());
    const Value constants = make_vector(cx_, static_cast<std::int64_t>(compiler.constants.size()), kNil);
    for (std::size_t i = 0; i < compiler.constants.size(); ++i)
      set_slot_raw(constants, static_cast<std::int64_t>(i), compiler.constants[i]);
    // The function object: one argument; its stack code is never run.
    const Value parts[] = {Value::fixnum(0x101), make_unibyte_string(cx_, "\211\207"), constants, Value::fixnum(2)};
    kept_.values[0] = funcall_re(cx_, intern(cx_, "make-byte-code"), parts);
    EXPECT_FALSE(funcall_re(cx_, intern(cx_, "neovm-register-code"), {kept_.values[0]}).is_exit());
    EXPECT_EQ(elisp::tiers_of(cx_).adopt(cx_, kept_.values[0], std::move(code)), "");
    const Value v = funcall_re(cx_, kept_.values[0], {Value::fixnum(argument)});
    EXPECT_FALSE(v.is_exit());
    return v.is_exit() ? "exit" : to_std_string(funcall_re(cx_, Qprin1_to_string, {v}));
  }
  // Compiles functions of the scripting language; returns what the call prints.
  std::string script(const std::vector<std::string>& functions, const std::string& call) {
    for (const std::string& text : functions) {
      const Value form = car_raw(funcall_re(cx_, Qread_from_string, {make_string(cx_, text)}));
      ScriptCompiler compiler{cx_};
      Code code = compiler.function(form);
      EXPECT_FALSE(compiler.b.failed());
      const Value constants = make_vector_from(cx_, compiler.constants);
      const Value parts[] = {Value::fixnum(0x101 * code.parameters), make_unibyte_string(cx_, "\300\207"), constants,
                             Value::fixnum(8)};
      kept_.values[0] = funcall_re(cx_, intern(cx_, "make-byte-code"), parts);
      EXPECT_FALSE(funcall_re(cx_, intern(cx_, "neovm-register-code"), {kept_.values[0]}).is_exit());
      EXPECT_EQ(elisp::tiers_of(cx_).adopt(cx_, kept_.values[0], std::move(code)), "") << text;
      EXPECT_FALSE(funcall_re(cx_, intern(cx_, "fset"), {car_raw(form), kept_.values[0]}).is_exit());
    }
    const Value form = car_raw(funcall_re(cx_, Qread_from_string, {make_string(cx_, call)}));
    const Value v = eval_form_re(cx_, form, Qt);
    EXPECT_FALSE(v.is_exit()) << call;
    return v.is_exit() ? "exit" : to_std_string(funcall_re(cx_, Qprin1_to_string, {v}));
  }
  Isolate isolate_;
  Context cx_;
  RootVector kept_;
};

TEST_F(Sums, CompileVerifyRun) {
  EXPECT_EQ(run("7", 0), "7");
  EXPECT_EQ(run("x", 41), "41");
  EXPECT_EQ(run("(1 2 (3 x) 4)", 10), "20");
  EXPECT_EQ(run("(down x)", 1000), "500500");
  EXPECT_EQ(run("((down (down x)) (down 3) -1)", 4), "60");
  EXPECT_EQ(run("(x x)", (std::int64_t{1} << 61) - 1), "4611686018427387902");
}

TEST_F(Sums, Scripts) {
  // A loop that builds a list in place; its truth is whether it has items.
  const std::string collect =
      "(collect (n) (set x (list)) (while n (set x (+ x (list n))) (set n (- n 1))) (return x))";
  EXPECT_EQ(script({collect}, "(collect 4)"), "#<array-list 4 3 2 1>");
  const std::string what = "(what (x) (if x (return \"some\")) (return \"none\"))";
  EXPECT_EQ(script({collect, what, "(try () (return (what (collect 0))))"}, "(try)"), "\"none\"");
  EXPECT_EQ(script({"(try () (return (what (collect 2))))"}, "(try)"), "\"some\"");
  // Another holder keeps what it had: a variable, an argument, a list.
  EXPECT_EQ(script({"(alias () (set x (list 1)) (set y x) (set x (+ x (list 2))) (return (list x y)))"}, "(alias)"),
            "#<array-list #<array-list 1 2> #<array-list 1>>");
  EXPECT_EQ(script({"(grown (p) (set p (+ p \"!\")) (return p))",
                    "(use () (set s (+ \"a\" \"b\")) (set r (grown s)) (set s (+ s \"?\")) (return (list s r)))"},
                   "(use)"),
            "#<array-list \"ab?\" \"ab!\">");
  // What Lisp has kept does not change, though it was on its way to nobody else.
  EXPECT_EQ(
      script({"(kept () (set v (vector (+ \"a\" \"b\"))) (set s (aref v 0)) (set s (+ s \"c\")) (return (list s v)))"},
             "(kept)"),
      "#<array-list \"abc\" [\"ab\"]>");
  // A million turns of tail calls.
  EXPECT_EQ(
      script({"(count (n sum) (if n (return (call count (- n 1) (+ sum n)))) (return sum))"}, "(count 1000000 0)"),
      "500000500000");
  // Equality of contents, whatever the numbers are.
  EXPECT_EQ(script({"(try () (return (= (+ (list 1) (list (list 2.0))) (list 1.0 (list 2)))))"}, "(try)"), "t");
}

// What the verifier refuses changes nothing.
TEST_F(Sums, RefusedCodeIsNotTaken) {
  EXPECT_EQ(run("x", 5), "5");
  Code wrong;
  wrong.registers = 1;
  wrong.words = {encode(Op::mov, 0, 9), encode(Op::return_, 0)};
  EXPECT_EQ(elisp::tiers_of(cx_).adopt(cx_, kept_.values[0], wrong), "word 0: register out of range");
  EXPECT_EQ(to_std_string(funcall_re(cx_, Qprin1_to_string, {funcall_re(cx_, kept_.values[0], {Value::fixnum(6)})})),
            "6");
}

}  // namespace
