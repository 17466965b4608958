// Hash functions that agree with eq, eql and equal.
#pragma once

#include <cstddef>
#include <cstdint>

#include "neovm/abi/value.hpp"

namespace neovm::core {

// Finalizer of splitmix64: spreads every bit over the word.
constexpr std::uint64_t mix(std::uint64_t h) {
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9U;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBU;
  return h ^ (h >> 31);
}
// Hash of a number that often has near neighbours in the same table (integers, symbol ids, identity hashes): 64
// neighbours keep their order, so that walking such keys in order walks the buckets in order; beyond, all is spread.
constexpr std::uint64_t spread(std::uint64_t n) { return mix(n >> 6) + (n & 63); }
std::uint64_t hash_bytes(const std::uint8_t* p, std::size_t n);
std::uint64_t hash_eq(Context& cx, Value v);
std::uint64_t hash_eql(Context& cx, Value v);
std::uint64_t hash_equal(Context& cx, Value v);

}  // namespace neovm::core
