// Durations in buckets of at most 12.5 % width (eight per power of two), as HDR histograms do it.
#pragma once

#include <cstdint>

namespace neovm::core::gc {

class Histogram {
 public:
  void add(std::uint64_t v) {
    ++counts_[bucket(v)];
    ++total_;
    sum_ += v;
    if (v > max_) max_ = v;
  }
  // Upper edge of the bucket that holds quantile `q`; 0 when empty.
  [[nodiscard]] std::uint64_t quantile(double q) const {
    if (total_ == 0) return 0;
    auto rank = static_cast<std::uint64_t>(q * static_cast<double>(total_));
    if (rank >= total_) rank = total_ - 1;
    std::uint64_t seen = 0;
    for (unsigned i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen > rank) return upper(i) < max_ ? upper(i) : max_;
    }
    return max_;
  }
  [[nodiscard]] std::uint64_t count() const { return total_; }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }

  static constexpr unsigned kSub = 8;
  static constexpr unsigned kBuckets = 48 * kSub;
  static unsigned bucket(std::uint64_t v) {
    if (v < kSub) return static_cast<unsigned>(v);
    const unsigned power = 63 - static_cast<unsigned>(__builtin_clzll(v));  // >= 3
    const unsigned i = (power - 2) * kSub + static_cast<unsigned>((v >> (power - 3)) & (kSub - 1));
    return i < kBuckets ? i : kBuckets - 1;
  }
  static std::uint64_t upper(unsigned i) {
    if (i < kSub) return i;
    const unsigned power = i / kSub + 2;
    return ((std::uint64_t{kSub} + i % kSub + 1) << (power - 3)) - 1;
  }

 private:
  std::uint32_t counts_[kBuckets] = {};
  std::uint64_t total_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace neovm::core::gc
