// The binding stack at its edges: what `unbind_to_re` owes its callers whatever state the VM stack is in.
#include <gtest/gtest.h>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace {

using namespace neovm;

class Bindings : public ::testing::Test {
 protected:
  Bindings() : isolate_(options()), cx_(isolate_) {
    elisp::attach(cx_);
    neomacs::host::attach(cx_);
  }
  static IsolateOptions options() {
    IsolateOptions o;
    o.building = true;
    o.heap.limit_bytes = std::size_t{128} << 20;
    return o;
  }
  // Leaves ROOM words of the VM stack free.
  void fill_stack(std::ptrdiff_t room) {
    Value* const end = cx_.stack_limit - room;
    while (cx_.sp < end) *cx_.sp++ = kNil;
  }
  Isolate isolate_;
  Context cx_;
};

TEST_F(Bindings, AreAllTakenOffWhenTheStackIsFull) {
  const Value x = intern(cx_, "bindings-test-x");
  for (const std::ptrdiff_t room : {5, 4, 3, 2, 1, 0}) {
    set_variable_re(cx_, x, Value::fixnum(1));
    Value* const sp = cx_.sp;
    const std::size_t depth = binding_depth(cx_);
    for (int i = 2; i < 6; ++i) bind_variable_re(cx_, x, Value::fixnum(i));
    fill_stack(room);
    Value* const full = cx_.sp;
    EXPECT_EQ(unbind_to_re(cx_, depth, Qt), Qt) << room;
    EXPECT_EQ(binding_depth(cx_), depth) << room;
    EXPECT_EQ(variable_value(cx_, x), Value::fixnum(1)) << room;
    EXPECT_EQ(cx_.sp, full) << room;
    cx_.sp = sp;
  }
}

// The result is a root while Lisp runs, and a clean-up that has no room for a frame fails without stopping the others.
TEST_F(Bindings, CleanUpsThatFailDoNotStopTheOthers) {
  const Value x = intern(cx_, "bindings-test-y");
  set_variable_re(cx_, x, Value::fixnum(1));
  const std::size_t depth = binding_depth(cx_);
  bind_variable_re(cx_, x, Value::fixnum(2));
  cx_.bindings.push_back({Binding::Kind::kUnwindLisp, 0, kNil, intern(cx_, "ignore"), kUnbound});
  bind_variable_re(cx_, x, Value::fixnum(3));
  Value* const sp = cx_.sp;
  fill_stack(2);
  EXPECT_TRUE(unbind_to_re(cx_, depth, make_string(cx_, "kept")).is_exit());
  EXPECT_EQ(cx_.exit_kind, ExitKind::kSignal);
  cx_.exit_kind = ExitKind::kNone;
  EXPECT_EQ(binding_depth(cx_), depth);
  EXPECT_EQ(variable_value(cx_, x), Value::fixnum(1));
  cx_.sp = sp;
}

TEST_F(Bindings, ThePendingExitIsKept) {
  const Value x = intern(cx_, "bindings-test-z");
  set_variable_re(cx_, x, Value::fixnum(1));
  const std::size_t depth = binding_depth(cx_);
  bind_variable_re(cx_, x, Value::fixnum(2));
  Value* const sp = cx_.sp;
  fill_stack(0);
  const Value failed = wrong_type(cx_, Qlistp, Value::fixnum(7));
  cx_.exit_resolved = true;  // nobody has to look for a handler
  EXPECT_TRUE(unbind_to_re(cx_, depth, failed).is_exit());
  EXPECT_EQ(cx_.exit_tag, Qwrong_type_argument);
  EXPECT_EQ(variable_value(cx_, x), Value::fixnum(1));
  cx_.exit_kind = ExitKind::kNone;
  cx_.sp = sp;
}

}  // namespace
