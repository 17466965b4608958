#include "neovm/worker/ring.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace neovm::worker {
namespace {

struct Memory {
  explicit Memory(std::uint32_t slots)
      : bytes((SharedRing::bytes(slots) + kCacheLine - 1) / kCacheLine * kCacheLine),
        p(std::aligned_alloc(kCacheLine, bytes)) {}
  ~Memory() { std::free(p); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  std::size_t bytes;
  void* p;
};

TEST(SharedRing, FillsDrainsAndWraps) {
  Memory m(4);
  SharedRing ring(m.p, 4, true);
  std::uint32_t item = 0;
  EXPECT_FALSE(ring.try_pop(&item));
  for (std::uint32_t round = 0; round < 5; ++round) {
    for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(ring.try_push(round * 4 + i));
    EXPECT_FALSE(ring.try_push(99));
    for (std::uint32_t i = 0; i < 4; ++i) {
      ASSERT_TRUE(ring.try_pop(&item));
      EXPECT_EQ(item, round * 4 + i);
    }
    EXPECT_FALSE(ring.try_pop(&item));
  }
  EXPECT_EQ(ring.header().head.load(), 20U);
  EXPECT_EQ(ring.header().tail.load(), 20U);
}

TEST(SharedRing, IndicesWrapAt32Bits) {
  Memory m(2);
  SharedRing ring(m.p, 2, true);
  ring.header().head.store(0xFFFFFFFF);
  ring.header().tail.store(0xFFFFFFFF);
  std::uint32_t item = 0;
  EXPECT_TRUE(ring.try_push(1));
  EXPECT_TRUE(ring.try_push(2));
  EXPECT_FALSE(ring.try_push(3));
  ASSERT_TRUE(ring.try_pop(&item));
  EXPECT_EQ(item, 1U);
  ASSERT_TRUE(ring.try_pop(&item));
  EXPECT_EQ(item, 2U);
}

TEST(SharedRing, SlotsMustBeAPowerOfTwo) {
  EXPECT_TRUE(SharedRing::valid_slots(1024));
  EXPECT_FALSE(SharedRing::valid_slots(0));
  EXPECT_FALSE(SharedRing::valid_slots(3));
}

void run_shared(bool parking) {
  constexpr std::uint32_t kItems = 50'000;
  Memory m(64);
  SharedRing ring(m.p, 64, true);
  std::thread producer([&] {
    SharedRing side(m.p, 64, false);
    for (std::uint32_t i = 1; i <= kItems; ++i) parking ? side.push_parking(i) : side.push_spinning(i);
  });
  for (std::uint32_t i = 1; i <= kItems; ++i) {
    const std::uint32_t item = parking ? ring.pop_parking() : ring.pop_spinning();
    ASSERT_EQ(item, i);
    ring.add_to_sum(item);
  }
  producer.join();
  EXPECT_EQ(ring.header().sum.load(), std::uint64_t{kItems} * (kItems + 1) / 2);
}
TEST(SharedRing, OrderAcrossThreadsSpinning) { run_shared(false); }
TEST(SharedRing, OrderAcrossThreadsParking) { run_shared(true); }

TEST(SpscRing, OrderAcrossThreadsAndDrainAfterClose) {
  SpscRing<std::uint64_t> ring(8);
  constexpr std::uint64_t kItems = 50'000;
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < kItems; ++i) EXPECT_EQ(ring.push_parking(i), RingStatus::kOk);
    ring.close();
    ring.close();
  });
  std::uint64_t expected = 0;
  std::uint64_t item = 0;
  while (ring.pop_parking(&item) == RingStatus::kOk) ASSERT_EQ(item, expected++);
  EXPECT_EQ(expected, kItems);
  producer.join();
  EXPECT_EQ(ring.try_push(1), RingStatus::kClosed);
  EXPECT_EQ(ring.try_pop(&item), RingStatus::kClosed);
}

TEST(SpscRing, CloseWakesAParkedConsumer) {
  SpscRing<int> ring(2);
  std::thread closer([&] { ring.close(); });
  int item = 0;
  EXPECT_EQ(ring.pop_parking(&item), RingStatus::kClosed);
  closer.join();
}

TEST(SpscRing, Batches) {
  SpscRing<int> ring(8);
  const std::vector<int> in = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(ring.try_push_batch(in), 8U);
  EXPECT_EQ(ring.try_push(9), RingStatus::kFull);
  std::vector<int> out(5);
  EXPECT_EQ(ring.try_pop_batch(out), 5U);
  EXPECT_EQ(out, (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(ring.try_push_batch(in), 5U);
}

}  // namespace
}  // namespace neovm::worker
