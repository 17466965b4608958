#include "gc/block_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace neovm::core::gc {

namespace {

// Free single blocks whose pages are kept: this many, and half as many as are in use, or as many as were in use at the
// (decaying) peak. Beyond that pages go back to the kernel.
constexpr std::size_t kResidentBlocks = (std::size_t{32} << 20) / heap_map::kBlockSize;
// Free runs of at least this many blocks lose their pages at once.
constexpr std::uint32_t kReleaseRun = 8;

constexpr std::uint32_t kFirstBatch = 18;  // what a start needs
constexpr std::uint32_t kBatch = 8;        // later, at most; a process that has taken little gets less
constexpr int kPopulate = 23;  // MADV_POPULATE_WRITE; older kernels and headers lack it, which costs only time

void release_pages(std::uint32_t first, std::uint32_t count) {
  madvise(block_start(first), std::size_t{count} << heap_map::kBlockShift, MADV_DONTNEED);
}

}  // namespace

BlockPool::BlockPool() {
  const std::uint64_t bytes = heap_map::kSize + heap_map::kCardBytes + heap_map::kBlockUseBytes + kMetaBytes;
  void* p = mmap(reinterpret_cast<void*>(heap_map::kBase), bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (p != reinterpret_cast<void*>(heap_map::kBase)) {
    std::fputs("neovm: cannot reserve the heap's address range (a limit on virtual memory?)\n", stderr);
    std::abort();
  }
#ifdef MADV_DONTDUMP
  madvise(reinterpret_cast<void*>(kMetaBase), kMetaBytes, MADV_DONTDUMP);
#endif
}

BlockPool& BlockPool::instance() {
  static BlockPool* const pool = new BlockPool;  // heaps of static storage may outlive any destructor
  return *pool;
}

void BlockPool::own(std::uint32_t first, std::uint32_t count, HeapState* owner) {
  for (std::uint32_t i = 0; i < count; ++i) meta_of(first + i).owner.store(owner, std::memory_order_relaxed);
  taken_ += count;
  peak_ = std::max(peak_, taken_);
}

void BlockPool::settle() {
  std::vector<std::uint32_t> surplus;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    peak_ = std::max(taken_, peak_ - peak_ / 8);
    const std::size_t keep = kResidentBlocks + std::max<std::uint64_t>(peak_ - taken_, taken_ / 2);
    if (resident_.size() <= keep) return;
    surplus.assign(resident_.begin() + static_cast<std::ptrdiff_t>(keep), resident_.end());
    resident_.resize(keep);
  }
  for (const std::uint32_t block : surplus) release_pages(block, 1);
  const std::lock_guard<std::mutex> lock(mutex_);
  absent_.insert(absent_.end(), surplus.begin(), surplus.end());
}

std::uint32_t BlockPool::take_run(std::uint32_t count) {
  auto best = runs_.end();
  for (auto it = runs_.begin(); it != runs_.end(); ++it)
    if (it->second >= count && (best == runs_.end() || it->second < best->second)) best = it;
  if (best != runs_.end()) {
    const std::uint32_t first = best->first;
    const std::uint32_t length = best->second;
    runs_.erase(best);
    if (length > count) runs_.emplace(first + count, length - count);
    return first;
  }
  if (count > kImageWindowFirst - frontier_) return kNoBlock;
  const std::uint32_t first = frontier_;
  frontier_ += count;
  return first;
}

std::uint32_t BlockPool::take(std::uint32_t count, HeapState* owner) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::uint32_t first = kNoBlock;
  if (count == 1) {
    auto& from = resident_.empty() ? absent_ : resident_;
    if (!from.empty()) {
      first = from.back();
      from.pop_back();
    }
  }
  if (first == kNoBlock && count == 1 && runs_.empty() && frontier_ + kFirstBatch <= kImageWindowFirst) {
    // Fresh pages by the batch: one call is much cheaper than a fault for each of them.
    const std::uint32_t batch = frontier_ == 0 ? kFirstBatch : std::clamp<std::uint32_t>(frontier_ / 8, 1, kBatch);
    first = take_run(batch);
    madvise(block_start(first), std::size_t{batch} << heap_map::kBlockShift, kPopulate);
    for (std::uint32_t i = batch - 1; i > 0; --i) resident_.push_back(first + i);
  }
  if (first == kNoBlock) first = take_run(count);
  if (first != kNoBlock) own(first, count, owner);
  return first;
}

bool BlockPool::take_image_window(std::uint32_t count, HeapState* owner) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (window_taken_ != 0 || count > kImageWindowBlocks) return false;
  window_taken_ = count;
  own(kImageWindowFirst, count, owner);
  return true;
}

void BlockPool::give(std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    use_of(first + i) = BlockUse::kFree;
    meta_of(first + i).owner.store(nullptr, std::memory_order_relaxed);
  }
  if (count >= kReleaseRun) release_pages(first, count);
  const std::lock_guard<std::mutex> lock(mutex_);
  taken_ -= count;
  if (first >= kImageWindowFirst) {  // used for nothing else; free again when all of it is back
    window_taken_ -= count;
    return;
  }
  if (count == 1) {
    if (resident_.size() < kResidentBlocks + std::max(peak_ - taken_, taken_ / 2)) {
      resident_.push_back(first);
    } else {
      release_pages(first, 1);
      absent_.push_back(first);
    }
    return;
  }
  auto next = runs_.lower_bound(first);
  if (next != runs_.end() && next->first == first + count) {
    count += next->second;
    next = runs_.erase(next);
  }
  if (next != runs_.begin()) {
    auto previous = std::prev(next);
    if (previous->first + previous->second == first) {
      previous->second += count;
      return;
    }
  }
  runs_.emplace_hint(next, first, count);
}

void BlockPool::drop_contents(std::uint32_t first, std::uint32_t count) { release_pages(first, count); }

std::uint64_t BlockPool::blocks_taken() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return taken_;
}

}  // namespace neovm::core::gc
