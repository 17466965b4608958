// Blocks for coroutine frames, task headers, groups and channels: free lists by size, one set a worker, no lock and no fresh page
// on the usual path.
//
// A block goes to the pool of the worker that frees it, so a worker that only frees (the consumer of a pipeline of
// tasks) hands full batches to the runtime's shared lists and one that only allocates fetches them there. Pages are mapped
// populated, a slab at a time, and stay with the runtime; when blocks outlive it (a handle held somewhere) the shared part
// lives until the last of them is freed.
//
// Each block has 16 bytes before it: its owner (null: from the C++ heap) and its class. With AddressSanitizer everything
// comes from the C++ heap, so that it sees every early or double free.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "neovm/worker/sync.hpp"

namespace neovm::worker {

class SharedPool;

struct PoolState;  // the part of a SharedPool that may outlive it

struct FreeBlock {
  FreeBlock* next;
  FreeBlock* next_batch;  // first block of a batch on a shared list
};

class FramePool {
 public:
  static constexpr std::size_t kPrefix = 16;
  static constexpr std::size_t kGrain = 64;
  static constexpr std::size_t kClasses = 64;  // up to 4096 bytes, prefix included

  explicit FramePool(SharedPool& shared) : shared_(shared) {}
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  void* allocate(std::size_t cls);  // of the block with its prefix; nullptr without memory
  void free(void* block, std::size_t cls);

  static std::size_t class_of(std::size_t bytes) { return (bytes + kPrefix + kGrain - 1) / kGrain; }
  static std::uint32_t batch_of(std::size_t cls) {
    const std::size_t n = 16384 / (cls * kGrain);
    return static_cast<std::uint32_t>(n < 8 ? 8 : n);
  }
  SharedPool& shared() { return shared_; }

 private:
  struct List {
    FreeBlock* head = nullptr;
    std::uint32_t count = 0;
    FreeBlock* kept = nullptr;  // one full batch in reserve, so that the border does not thrash
  };
  SharedPool& shared_;
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
