// Neighbours stay together in a hash table; keys with any stride must fill the buckets all the same.
#include <gtest/gtest.h>

#include <vector>

#include "neovm/core/equal_hash.hpp"

namespace neovm::core {
namespace {

TEST(HashSpread, NeighboursStayNeighbours) {
  for (const unsigned bits : {2U, 6U, 20U, 32U}) {
    const std::uint64_t buckets = std::uint64_t{1} << bits;
    for (std::uint64_t n = 0; n < 1 << 12; ++n) {
      if (n % buckets == buckets - 1) continue;
      EXPECT_EQ((bucket_of(number_hash(n), bits) + 1) % buckets, bucket_of(number_hash(n + 1), bits));
    }
  }
}

TEST(HashSpread, EveryStrideFillsTheBuckets) {
  for (const unsigned bits : {6U, 14U}) {
    const std::uint64_t keys = std::uint64_t{1} << bits;
    for (const std::uint64_t stride : {1ULL, 2ULL, 7ULL, 8ULL, 63ULL, 64ULL, 65ULL, 1000ULL, 1ULL << 12, 1ULL << 14,
                                       (1ULL << 14) + 1, 1ULL << 20, 1ULL << 31, 1ULL << 40, 1ULL << 47}) {
      std::vector<int> buckets(keys);
      for (std::uint64_t i = 0; i < keys; ++i) ++buckets[bucket_of(number_hash(i * stride), bits)];
      std::uint64_t probes = 0;  // looking every key up once
      for (const int n : buckets) probes += static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(n + 1) / 2;
      EXPECT_LT(probes, keys * 2) << "stride " << stride << ", 2^" << bits << " buckets";
    }
  }
}

}  // namespace
}  // namespace neovm::core
