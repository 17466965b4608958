// The worked example of CONTRIBUTING.md, "A primitive": it is quoted there word for word and runs here.
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "neovm/core/context.hpp"

namespace neovm {
namespace {

// [primitive]
// (example-pair-sum PAIR): the sum of the two fixnums in a cons.
NEOVM_PRIMITIVE(example_pair_sum, "example-pair-sum", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the sum of the car and the cdr of PAIR, both fixnums.")
(Context& cx, Value pair) {
  TRY(check_type(cx, pair.is_cons(), Qconsp, pair));
  const Value a = car_raw(pair);
  const Value b = cdr_raw(pair);
  TRY(check_type(cx, a.is_fixnum(), Qfixnump, a));
  TRY(check_type(cx, b.is_fixnum(), Qfixnump, b));
  // 62-bit numbers cannot overflow a 64-bit sum; make_integer makes a bignum when 62 bits are too few.
  return make_integer(cx, a.as_fixnum() + b.as_fixnum());
}
// [primitive]

const PrimitiveDescriptor* find(std::string_view name) {
  const auto rows = all_primitives();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto* row) { return row->name == name; });
  return found == rows.end() ? nullptr : *found;
}

TEST(ExamplePrimitive, TheRowIsInTheTable) {
  const PrimitiveDescriptor* row = find("example-pair-sum");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->min_args, 1);
  EXPECT_EQ(row->max_args, 1);
  EXPECT_EQ(row->effect, Effect::kPureRead);
}

TEST(ExamplePrimitive, AnswersAndSignals) {
  Isolate isolate{IsolateOptions{}};
  Context cx{isolate};
  const PrimitiveDescriptor* row = find("example-pair-sum");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->fn.f1(cx, cons(cx, Value::fixnum(40), Value::fixnum(2))), Value::fixnum(42));

  EXPECT_TRUE(row->fn.f1(cx, cons(cx, Value::fixnum(40), kNil)).is_exit());
  EXPECT_EQ(cx.exit_kind, ExitKind::kSignal);
  EXPECT_EQ(cx.exit_tag, Qwrong_type_argument);
}

}  // namespace
}  // namespace neovm
