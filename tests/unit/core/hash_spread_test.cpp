// `spread` keeps neighbours together; keys with any stride must fill the buckets all the same.
#include <gtest/gtest.h>

#include <vector>

#include "neovm/core/equal_hash.hpp"

namespace neovm::core {
namespace {

TEST(HashSpread, NeighboursStayNeighbours) {
  for (std::uint64_t n = 0; n < 1 << 12; ++n) {
    if (n % 64 == 63) continue;
    EXPECT_EQ(spread(n) + 1, spread(n + 1));
  }
}

TEST(HashSpread, EveryStrideFillsTheBuckets) {
  constexpr std::uint64_t kKeys = 1 << 14;
  for (const std::uint64_t stride :
       {1ULL, 2ULL, 7ULL, 8ULL, 63ULL, 64ULL, 65ULL, 1000ULL, 1ULL << 14, 1ULL << 20, 1ULL << 40}) {
    std::vector<int> buckets(kKeys);
    for (std::uint64_t i = 0; i < kKeys; ++i) ++buckets[static_cast<std::uint32_t>(spread(i * stride)) & (kKeys - 1)];
    std::uint64_t probes = 0;  // looking every key up once
    for (const int n : buckets) probes += static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(n + 1) / 2;
    EXPECT_LT(probes, kKeys * 2) << "stride " << stride;
  }
}

}  // namespace
}  // namespace neovm::core
