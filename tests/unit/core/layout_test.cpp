// Pins the size and the place of everything that machine code, the image or the collector relies on.
#include <gtest/gtest.h>

#include "neovm/core/context.hpp"

namespace neovm {
namespace {

TEST(Layout, Sizes) {
  EXPECT_EQ(sizeof(Value), 8U);
  EXPECT_EQ(sizeof(Cons), 16U);
  EXPECT_EQ(sizeof(ObjectHeader), 8U);
  EXPECT_EQ(sizeof(FloatObject), 16U);
  EXPECT_EQ(sizeof(StringObject), 48U);
  EXPECT_EQ(sizeof(SymbolCells), 64U);
  EXPECT_EQ(offsetof(SlotsObject, slots), 16U);
  EXPECT_EQ(offsetof(RawObject, bytes), 16U);
  EXPECT_EQ(offsetof(SymbolCells, value), 8U);
  EXPECT_EQ(offsetof(SymbolCells, function), 16U);
}

TEST(Value, NilIsASymbolAndT) {
  EXPECT_TRUE(kNil.is_symbol());
  EXPECT_TRUE(kNil.is_list());
  EXPECT_FALSE(kNil.truthy());
  EXPECT_TRUE(Qt.is_id_symbol());
  EXPECT_EQ(Qt.as_symbol_id(), 1U);
}

TEST(Value, Fixnums) {
  for (const std::int64_t n :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, kMostPositiveFixnum, kMostNegativeFixnum}) {
    EXPECT_TRUE(Value::fixnum(n).is_fixnum());
    EXPECT_EQ(Value::fixnum(n).as_fixnum(), n);
  }
}

TEST(Isolate, InternsAndFinds) {
  Isolate isolate{IsolateOptions{}};
  Context cx(isolate);
  EXPECT_EQ(intern(cx, "car"), Qcar);
  EXPECT_EQ(intern(cx, "nil"), kNil);
  EXPECT_TRUE(intern_soft(cx, "no-such-symbol").is_unbound());
  const Value s = intern(cx, "no-such-symbol");
  EXPECT_FALSE(s.is_id_symbol());
  EXPECT_EQ(intern_soft(cx, "no-such-symbol"), s);
  EXPECT_EQ(symbol_name_view(cx, s), "no-such-symbol");
  EXPECT_TRUE(isolate.unintern(s));
  EXPECT_TRUE(intern_soft(cx, "no-such-symbol").is_unbound());
}

}  // namespace
}  // namespace neovm
