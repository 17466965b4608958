// The compiler that docs/bytecode.md shows: a small language on the register bytecode.
#include <gtest/gtest.h>

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
