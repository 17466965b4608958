// Blocks of the process's heap range, and what is known about each of them.
//
// The range (heap_map.hpp) is reserved once. Behind the published tables (cards, block use) lies one
// BlockMeta per block: side bits and ownership. Everything about a block except `owner` is touched only by
// the thread that runs the owning isolate; `owner` is atomic because a conservative scan may look at any
// word that happens to lie in the range.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "neovm/abi/heap_map.hpp"

namespace neovm::core {

struct HeapState;

namespace gc {

// The byte of a block in the block-use table. The young ones come first: one compare finds them.
enum class BlockUse : std::uint8_t {
  kFree,
  kYoungCons,
  kYoungObject,
  kYoungConsPinned,  // during a minor collection: some of its conses stay in place
  kYoungObjectPinned,
  kYoungLarge,  // first block of a large object made since the last collection
  kOldCons,
  kOldObject,
  kOldLarge,
  kLargeTail,  // the other blocks of a large object
  kCells,      // symbol cells
  kAside,      // owned by a heap, not in use (spare nursery blocks)
};
inline constexpr bool is_young(BlockUse u) { return u >= BlockUse::kYoungCons && u <= BlockUse::kYoungLarge; }

inline constexpr std::size_t kGranule = 16;  // alignment of everything
inline constexpr std::size_t kGranulesPerBlock = heap_map::kBlockSize / kGranule;
inline constexpr std::size_t kLinesPerBlock = heap_map::kBlockSize >> heap_map::kLineShift;
inline constexpr std::size_t kCardsPerBlock = heap_map::kBlockSize >> heap_map::kCardShift;
inline constexpr std::size_t kCardBytes = std::size_t{1} << heap_map::kCardShift;

// Bits over the granules of a block.
struct GranuleBits {
  std::uint64_t words[kGranulesPerBlock / 64];

  [[nodiscard]] bool test(std::size_t i) const { return ((words[i >> 6] >> (i & 63)) & 1) != 0; }
  void set(std::size_t i) { words[i >> 6] |= std::uint64_t{1} << (i & 63); }
  void clear_all() { std::memset(words, 0, sizeof(words)); }
  // Greatest set bit at or below `i`; -1 when there is none.
  [[nodiscard]] int at_or_below(std::size_t i) const {
    std::size_t w = i >> 6;
    std::uint64_t bits = words[w] & (~std::uint64_t{0} >> (63 - (i & 63)));
    while (bits == 0) {
      if (w == 0) return -1;
      bits = words[--w];
    }
    return static_cast<int>(w * 64 + 63 - static_cast<unsigned>(__builtin_clzll(bits)));
  }
};

struct alignas(64) BlockMeta {
  std::atomic<HeapState*> owner;
  std::uint32_t fill;        // young: bytes allocated from the start of the block
  std::uint32_t run_blocks;  // large: length of the run. A tail block: distance to the first one
  std::uint64_t large_bytes;
  GranuleBits starts;  // where an object begins (old blocks: always; young object blocks: on demand)
  GranuleBits marks;   // major: reached. Minor: pinned
  std::uint64_t lines[kLinesPerBlock / 64];  // old object blocks: occupied lines
};

inline constexpr std::uint64_t kMetaBase = heap_map::kBlockUseBase + heap_map::kBlockUseBytes;
inline constexpr std::uint32_t kBlockCount = heap_map::kSize >> heap_map::kBlockShift;
inline constexpr std::uint64_t kMetaBytes = std::uint64_t{kBlockCount} * sizeof(BlockMeta);

inline std::uint32_t block_of(const void* p) {
  return static_cast<std::uint32_t>((reinterpret_cast<std::uint64_t>(p) - heap_map::kBase) >> heap_map::kBlockShift);
}
inline std::byte* block_start(std::uint32_t block) {
  return reinterpret_cast<std::byte*>(heap_map::kBase + (std::uint64_t{block} << heap_map::kBlockShift));
}
inline BlockMeta& meta_of(std::uint32_t block) {
  return *reinterpret_cast<BlockMeta*>(kMetaBase + std::uint64_t{block} * sizeof(BlockMeta));
}
inline BlockUse& use_of(std::uint32_t block) { return *reinterpret_cast<BlockUse*>(heap_map::kBlockUseBase + block); }
inline BlockUse use_at(const void* p) { return use_of(block_of(p)); }
inline std::size_t granule_of(const void* p) {
  return (reinterpret_cast<std::uint64_t>(p) & (heap_map::kBlockSize - 1)) / kGranule;
}
inline std::uint8_t* cards_of(std::uint32_t block) { return heap_map::card_of(block_start(block)); }
inline void clear_cards(std::uint32_t block) { std::memset(cards_of(block), 0, kCardsPerBlock); }

inline constexpr std::uint32_t kNoBlock = ~std::uint32_t{0};

// The end of the range is a window for the image: the first one loaded in a process lies there at the
// address it was written for and needs no relocation.
inline constexpr std::uint32_t kImageWindowBlocks = std::uint32_t{1} << 15;  // 1 GiB
inline constexpr std::uint32_t kImageWindowFirst = kBlockCount - kImageWindowBlocks;

// Hands out and takes back blocks. Any thread.
class BlockPool {
 public:
  // The process's pool; made (and the range reserved) at first use, never destroyed.
  static BlockPool& instance();

  // First of `count` adjacent blocks owned by `owner`, or kNoBlock when the range is exhausted. The contents
  // are arbitrary; cards and side bits are not cleared.
  std::uint32_t take(std::uint32_t count, HeapState* owner);
  void give(std::uint32_t first, std::uint32_t count);
  // The pages of blocks that stay with their owner go back to the kernel.
  static void drop_contents(std::uint32_t first, std::uint32_t count);
  // The image window, when nobody has it.
  bool take_image_window(std::uint32_t count, HeapState* owner);
  // After a major collection of some heap: what was in use at most weighs a little less, and pages that are kept for
  // no good reason any more go back to the kernel. A program that builds and drops the same again finds its pages.
  void settle();
  // Blocks now in heaps.
  [[nodiscard]] std::uint64_t blocks_taken();

 private:
  BlockPool();
  void own(std::uint32_t first, std::uint32_t count, HeapState* owner);
  std::uint32_t take_run(std::uint32_t count);

  std::mutex mutex_;
  std::vector<std::uint32_t> resident_;          // single free blocks whose pages may be present
  std::vector<std::uint32_t> absent_;            // … whose pages were given back to the kernel
  std::map<std::uint32_t, std::uint32_t> runs_;  // free runs: first block -> length; never adjacent
  std::uint32_t frontier_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t peak_ = 0;          // most blocks in use, decaying (settle)
  std::uint32_t window_taken_ = 0;  // blocks of it in use
};

}  // namespace gc
}  // namespace neovm::core
