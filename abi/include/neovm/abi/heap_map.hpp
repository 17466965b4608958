// Where heaps lie in the address space.
//
// All isolates of a process take their blocks from one reserved range at a fixed address. That makes
// "is this word a heap pointer" one subtract and compare (needed by conservative scanning), and lets
// the write barrier find the card of any field, also inside a large object, without loading anything.
// The range is reserved lazily and never returned; blocks inside it are pooled (core/heap).
#pragma once

#include <cstdint>

namespace neovm::heap_map {

// Sanitizers own different parts of the address space, so the base depends on the build.
#if defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t kBase = 0x0010'0000'0000;  // 64 GiB; TSan's low application range
inline constexpr std::uint64_t kSize = std::uint64_t{1} << 36;
#else
inline constexpr std::uint64_t kBase = 0x2000'0000'0000;
inline constexpr std::uint64_t kSize = std::uint64_t{1} << 38;  // 256 GiB of addresses
#endif
inline constexpr unsigned kBlockShift = 15;  // 32 KiB blocks
inline constexpr std::uint64_t kBlockSize = std::uint64_t{1} << kBlockShift;
inline constexpr unsigned kLineShift = 7;  // 128-byte lines inside a block
inline constexpr unsigned kCardShift = 9;  // 512-byte cards
// One byte a card, directly after the heap range: 0 clean, 1 dirty.
inline constexpr std::uint64_t kCardBase = kBase + kSize;
inline constexpr std::uint64_t kCardBytes = kSize >> kCardShift;
// One byte a block after the cards: what the block holds (core/heap's BlockUse); 0 is "not in use".
inline constexpr std::uint64_t kBlockUseBase = kCardBase + kCardBytes;
inline constexpr std::uint64_t kBlockUseBytes = kSize >> kBlockShift;

inline bool contains(std::uint64_t address) { return address - kBase < kSize; }
inline std::uint8_t* card_of(const void* field) {
  return reinterpret_cast<std::uint8_t*>(kCardBase + ((reinterpret_cast<std::uint64_t>(field) - kBase) >> kCardShift));
}
// Precondition: `field` lies in the heap range.
inline void mark_card(const void* field) { *card_of(field) = 1; }

}  // namespace neovm::heap_map
