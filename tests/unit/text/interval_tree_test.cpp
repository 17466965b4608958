// The interval tree against a model that keeps one value a position.
#include "neovm/text/interval_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace neovm::text {
namespace {

void expect_same(const IntervalTree& tree, const std::vector<std::int64_t>& model) {
  ASSERT_EQ(tree.length(), static_cast<std::int64_t>(model.size()));
  ASSERT_TRUE(tree.consistent());
  for (std::size_t i = 0; i < model.size();) {
    const IntervalTree::Run r = tree.find(static_cast<std::int64_t>(i));
    ASSERT_EQ(r.start, static_cast<std::int64_t>(i));
    ASSERT_GT(r.end, r.start);
    for (std::int64_t k = r.start; k < r.end; ++k) {
      const std::int64_t expected = model[static_cast<std::size_t>(k)];
      ASSERT_EQ(r.value, expected == 0 ? kNil : Value::fixnum(expected)) << "at " << k;
    }
    i = static_cast<std::size_t>(r.end);
  }
}

TEST(IntervalTree, EmptyTextHasNoNodes) {
  IntervalTree tree(10);
  EXPECT_TRUE(tree.empty());
  tree.insert(5, 3, kNil);
  tree.erase(0, 2);
  EXPECT_TRUE(tree.empty());
  EXPECT_EQ(tree.length(), 11);
  tree.replace(2, 4, Value::fixnum(1));
  EXPECT_FALSE(tree.empty());
  tree.replace(0, 11, kNil);
  EXPECT_TRUE(tree.empty());
}

TEST(IntervalTree, EqualNeighboursStayApart) {
  IntervalTree tree(4);
  tree.replace(0, 2, Value::fixnum(7));
  tree.replace(2, 4, Value::fixnum(7));
  EXPECT_EQ(tree.find(1).end, 2);
  EXPECT_EQ(tree.find(2).start, 2);
}

TEST(IntervalTree, FollowsTheModel) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
    };
    IntervalTree tree(0);
    std::vector<std::int64_t> model;
    for (int step = 0; step < 800; ++step) {
      const auto n = static_cast<std::int64_t>(model.size());
      const std::int64_t value = below(4);  // 0 stands for nil
      const Value v = value == 0 ? kNil : Value::fixnum(value);
      switch (n == 0 ? 0 : below(3)) {
        case 0: {
          const std::int64_t at = below(n + 1);
          const std::int64_t count = 1 + below(5);
          tree.insert(at, count, v);
          model.insert(model.begin() + at, static_cast<std::size_t>(count), value);
          break;
        }
        case 1: {
          const std::int64_t from = below(n);
          const std::int64_t to = from + below(std::min<std::int64_t>(n - from, 4) + 1);
          tree.erase(from, to);
          model.erase(model.begin() + from, model.begin() + to);
          break;
        }
        default: {
          const std::int64_t from = below(n);
          const std::int64_t to = from + below(n - from + 1);
          tree.replace(from, to, v);
          std::fill(model.begin() + from, model.begin() + to, value);
        }
      }
      if (step % 16 == 0) expect_same(tree, model);
      if (HasFatalFailure()) return;
    }
    expect_same(tree, model);
  }
}

}  // namespace
}  // namespace neovm::text
