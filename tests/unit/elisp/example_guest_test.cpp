// The worked example of CONTRIBUTING.md, "A guest": the least that runs on an isolate, quoted there word for word.
#include <gtest/gtest.h>

#include "neovm/core/context.hpp"

namespace neovm {
namespace {

// [guest]
// A guest of sums: a fixnum is itself, a list is the sum of its elements. It keeps no state, so it needs no trace hook.
Value sum_eval(Context& cx, Value form, Value lexical) {
  if (form.is_fixnum()) return form;
  TRY(check_type(cx, form.is_list(), Qlistp, form));
  // A form can be as deep as memory allows, so native recursion asks how much stack is left.
  if (native_stack_low(cx)) return error_text(cx, "Sums are nested too deeply");
  std::int64_t total = 0;
  for (; form.is_cons(); form = cdr_raw(form)) {
    TRY(check_quit(cx));  // the list may be circular: Ctrl-C and deadlines must get through
    total += TRY(sum_eval(cx, car_raw(form), lexical))
    .as_fixnum();
  }
  return make_integer(cx, total);
}

Value sum_funcall(Context& cx, Value function, std::span<const Value> /*args*/) {
  return signal_error1(cx, Qinvalid_function, function);  // this language has no functions
}

void install_sum_guest(Isolate& isolate) {
  isolate.guest_hooks().eval = sum_eval;
  isolate.guest_hooks().funcall = sum_funcall;
}
// [guest]

TEST(ExampleGuest, RunsOnAnIsolate) {
  Isolate isolate{IsolateOptions{}};
  Context cx{isolate};
  install_sum_guest(isolate);
  const Value inner = list(cx, {Value::fixnum(20), Value::fixnum(2)});
  const Value form = list(cx, {Value::fixnum(20), inner});
  EXPECT_EQ(isolate.guest_hooks().eval(cx, form, kNil), Value::fixnum(42));
}

TEST(ExampleGuest, ErrorsArePendingInTheContext) {
  Isolate isolate{IsolateOptions{}};
  Context cx{isolate};
  install_sum_guest(isolate);
  EXPECT_TRUE(isolate.guest_hooks().eval(cx, list(cx, {kNil, make_float(cx, 1.5)}), kNil).is_exit());
  EXPECT_EQ(cx.exit_tag, Qwrong_type_argument);
}

}  // namespace
}  // namespace neovm
