// Hash tables and char-tables against plain models, and equality on deep and circular structures.
#include "neovm/core/hash_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "neovm/core/char_table.hpp"
#include "neovm/core/context.hpp"

namespace neovm {
namespace {

class Tables : public ::testing::Test {
 protected:
  Isolate isolate{IsolateOptions{}};
  Context cx{isolate};
};

TEST_F(Tables, HashTableAgreesWithAMap) {
  std::mt19937 random(7);
  const Value table = make_hash_table(cx, HashTest::kEql);
  std::map<std::int64_t, std::int64_t> model;
  for (int step = 0; step < 50'000; ++step) {
    const auto key = static_cast<std::int64_t>(random() % 997);
    switch (random() % 3) {
      case 0:
        hash_table_remove(cx, table, Value::fixnum(key));
        model.erase(key);
        break;
      default: hash_table_put(cx, table, Value::fixnum(key), Value::fixnum(step)); model[key] = step;
    }
    ASSERT_EQ(hash_table_count(table), static_cast<std::int64_t>(model.size()));
  }
  for (std::int64_t key = 0; key < 997; ++key) {
    const Value v = hash_table_get(cx, table, Value::fixnum(key));
    const auto it = model.find(key);
    if (it == model.end()) {
      EXPECT_TRUE(v.is_unbound());
    } else {
      EXPECT_EQ(v, Value::fixnum(it->second));
    }
  }
}

TEST_F(Tables, EntriesAreReusedLastInFirstOut) {
  const Value table = make_hash_table(cx, HashTest::kEq);
  for (int i = 0; i < 5; ++i) hash_table_put(cx, table, Value::fixnum(i), kNil);
  hash_table_remove(cx, table, Value::fixnum(1));
  hash_table_remove(cx, table, Value::fixnum(3));
  hash_table_put(cx, table, Value::fixnum(10), kNil);
  hash_table_put(cx, table, Value::fixnum(11), kNil);
  EXPECT_EQ(core::hash_key_raw(table, 3), Value::fixnum(10));
  EXPECT_EQ(core::hash_key_raw(table, 1), Value::fixnum(11));
}

TEST_F(Tables, CharTableAgreesWithAnArray) {
  std::mt19937 random(11);
  const Value table = make_char_table(cx, kNil, kNil);
  std::vector<int> model(0x400000, -1);
  for (int step = 0; step < 300; ++step) {
    const int from = static_cast<int>(random() % 0x20000);
    const int to = from + static_cast<int>(random() % (step % 3 == 0 ? 3 : 9000));
    char_table_set_range(cx, table, from, to, Value::fixnum(step));
    for (int c = from; c <= to; ++c) model[static_cast<std::size_t>(c)] = step;
  }
  for (int c = 0; c < 0x24000; ++c) {
    const int expected = model[static_cast<std::size_t>(c)];
    ASSERT_EQ(char_table_get(table, c), expected < 0 ? kNil : Value::fixnum(expected)) << c;
  }
  int from = 0;
  int to = 0x3FFFFF;
  core::char_table_get_range(table, 0x100, &from, &to);
  EXPECT_EQ(model[static_cast<std::size_t>(from)], model[0x100]);
  EXPECT_EQ(model[static_cast<std::size_t>(to)], model[0x100]);
  EXPECT_NE(model[static_cast<std::size_t>(to) + 1], model[0x100]);
}

TEST_F(Tables, EqualStopsAtDepthAndMeetsCycles) {
  Value a = kNil;
  Value b = kNil;
  for (int i = 0; i < 100'000; ++i) {
    a = cons(cx, a, kNil);
    b = cons(cx, b, kNil);
  }
  EXPECT_FALSE(equal(cx, a, b).ok());
  Value x = cons(cx, kNil, kNil);
  Value y = cons(cx, kNil, kNil);
  set_car_raw(x, x);
  set_car_raw(y, y);
  Maybe<bool> same = equal(cx, x, y);
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same.get_raw());
}

}  // namespace
}  // namespace neovm
