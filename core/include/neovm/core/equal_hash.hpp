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
// Hash of a number that often has near neighbours in the same table (integers, symbol ids, identity hashes): neighbours
// stay neighbours, so that a walk over such keys in order walks the buckets in order. `bucket_of` does the spreading.
constexpr std::uint32_t number_hash(std::uint64_t n) {
  return static_cast<std::uint32_t>(n) + static_cast<std::uint32_t>(n >> 32) * 0x9E3779B1U;
}
// Where a hash belongs in a table of 2^bits buckets (2 to 32 bits). Hashes that differ in their low `bits` keep their
// order; whatever is above moves them by a multiplicative hash of its own, so that no stride piles up.
constexpr std::uint32_t bucket_of(std::uint32_t hash, unsigned bits) {
  std::uint32_t above = static_cast<std::uint32_t>(std::uint64_t{hash} >> bits) * 0x9E3779B1U;
  above = (above ^ above >> 15) * 0x85EBCA6BU;
  return (hash + (above >> (32 - bits))) & static_cast<std::uint32_t>((std::uint64_t{1} << bits) - 1);
}
std::uint64_t hash_bytes(const std::uint8_t* p, std::size_t n);
std::uint64_t hash_eq(Context& cx, Value v);
std::uint64_t hash_eql(Context& cx, Value v);
std::uint64_t hash_equal(Context& cx, Value v);

}  // namespace neovm::core
