// Blocks for coroutine frames, task headers, groups and channels: free lists by size, one set a worker, no lock and no fresh page
// on the usual path.
//
// A block goes to the pool of the worker that frees it, so a worker that only frees (the consumer of a pipeline of
// tasks) hands full batches to the runtime's shared lists and one that only allocates fetches them there. Pages are mapped
// populated, a slab at a time, and stay with the runtime; when blocks outlive it (a handle held somewhere) the shared part
// lives until the last of them is freed.
//
// Each block has 16 bytes before it: its owner (null: from the C++ heap) and its class. They are written once, when the block is
// cut out of its slab; free lists are linked behind them. With AddressSanitizer everything comes from the C++ heap, so that it
// sees every early or double free.
//
// Free blocks are seldom in a cache. Each knows the one that lies kAhead deeper in its list, which is fetched when it goes out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "neovm/worker/sync.hpp"

namespace neovm::worker {

class SharedPool;

struct PoolState;  // the part of a SharedPool that may outlive it

struct BlockPrefix {
  PoolState* owner;
  std::size_t cls;
};

struct FreeBlock {
  BlockPrefix prefix;
  FreeBlock* next;
  FreeBlock* ahead;       // to be fetched only: it may be anywhere by now
  FreeBlock* next_batch;  // in the first block of a batch on a shared list
  std::uint32_t count;    // in the same: blocks in the batch
};

class FramePool {
 public:
  static constexpr std::size_t kPrefix = sizeof(BlockPrefix);
  static constexpr std::size_t kGrain = 64;
  static constexpr std::size_t kClasses = 64;  // up to 4096 bytes, prefix included
  static constexpr std::size_t kAhead = 4;

  explicit FramePool(SharedPool& shared);
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  FreeBlock* allocate(std::size_t cls) {  // nullptr without memory
    List& list = lists_[cls];
    FreeBlock* const b = list.head;
    if (b == nullptr) [[unlikely]]
      return refill(cls);
    list.head = b->next;
    fetch(b->ahead, cls);
    --list.count;
    ++out_;
    return b;
  }
  void free(FreeBlock* b) {
    List& list = lists_[b->prefix.cls];
    --out_;
    b->next = list.head;
    b->ahead = std::exchange(list.recent[list.count % kAhead], b);
    list.head = b;
    if (++list.count >= list.limit) [[unlikely]]
      hand_on(b->prefix.cls);
  }

  static std::size_t class_of(std::size_t bytes) { return (bytes + kPrefix + kGrain - 1) / kGrain; }
  static std::uint32_t batch_of(std::size_t cls) {
    const std::size_t n = 16384 / (cls * kGrain);
    return static_cast<std::uint32_t>(n < 8 ? 8 : n);
  }
  [[nodiscard]] const PoolState* state() const { return state_; }

 private:
  static void fetch(const FreeBlock* b, std::size_t cls) {
    const auto line = reinterpret_cast<std::uintptr_t>(b);
    __builtin_prefetch(reinterpret_cast<const void*>(line), 1);
    if (cls > 1) __builtin_prefetch(reinterpret_cast<const void*>(line + kGrain), 1);
    if (cls > 2) __builtin_prefetch(reinterpret_cast<const void*>(line + 2 * kGrain), 1);
  }
  FreeBlock* refill(std::size_t cls);
  void hand_on(std::size_t cls);
  struct List {
    FreeBlock* head = nullptr;
    std::uint32_t count = 0;
    std::uint32_t limit = 0;  // of `count`: a batch
    FreeBlock* recent[kAhead] = {};
    FreeBlock* kept = nullptr;  // one full batch in reserve, so that the border does not thrash
  };
  SharedPool& shared_;
  PoolState* const state_;
  std::int64_t out_ = 0;  // blocks allocated here less those freed here
  std::array<List, kClasses + 1> lists_{};
  std::byte* slab_ = nullptr;
  std::byte* slab_end_ = nullptr;
};

class SharedPool {
 public:
  SharedPool();
  ~SharedPool();  // keeps the memory while blocks are out
  SharedPool(const SharedPool&) = delete;
  SharedPool& operator=(const SharedPool&) = delete;

  FreeBlock* take_batch(std::size_t cls);
  void give_batch(FreeBlock* batch, std::size_t cls);
  std::byte* new_slab(std::size_t* bytes);
  [[nodiscard]] PoolState* state() const { return state_; }

 private:
  PoolState* state_;
};

}  // namespace neovm::worker
