#include "pool.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

#include "core.hpp"

namespace neovm::worker {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = !kChecked;  // the interleaving tests poison what is freed, see below
#endif

constexpr std::size_t kSlabBytes = 128 * 1024;
constexpr std::size_t kCutAtOnce = 8;

struct PoolState {
  SpinLock lock;
  std::int64_t out = 0;
  bool orphaned = false;
  std::array<FreeBlock*, FramePool::kClasses + 1> batches{};
  std::array<FreeBlock*, FramePool::kClasses + 1> loose{};  // freed one by one by threads without a pool
  std::array<std::uint32_t, FramePool::kClasses + 1> loose_count{};
  std::vector<void*> slabs;
};

namespace {

void delete_state(PoolState* s) {
  for (void* slab : s->slabs) munmap(slab, kSlabBytes);
  delete s;
}

}  // namespace

FramePool::FramePool(SharedPool& shared) : shared_(shared), state_(shared.state()) {
  for (std::size_t cls = 1; cls <= kClasses; ++cls) lists_[cls].limit = batch_of(cls);
}

FramePool::~FramePool() {
  const SpinGuard guard(state_->lock);
  state_->out += out_;
}

// The list is empty. What was freed (here, then anywhere) before what was never used.
FreeBlock* FramePool::refill(std::size_t cls) {
  List& list = lists_[cls];
  if (list.kept != nullptr) {
    list.head = std::exchange(list.kept, nullptr);
    list.count = list.limit;
    return allocate(cls);
  }
  if (FreeBlock* const batch = shared_.take_batch(cls)) {
    list.head = batch;
    list.count = batch->count;
    return allocate(cls);
  }
  const std::size_t bytes = cls * kGrain;
  if (static_cast<std::size_t>(slab_end_ - slab_) < bytes) {
    std::size_t got = 0;
    std::byte* const slab = shared_.new_slab(&got);
    if (slab == nullptr) return nullptr;
    slab_ = slab;
    slab_end_ = slab + got;
  }
  // Some at once; the last one is the first to go out, so they are cut from the far end.
  std::size_t n = static_cast<std::size_t>(slab_end_ - slab_) / bytes;
  if (n > kCutAtOnce) n = kCutAtOnce;
  for (std::size_t i = n; i-- > 0;) {
    auto* const b = reinterpret_cast<FreeBlock*>(slab_ + i * bytes);
    b->prefix = {state_, cls};
    b->ahead = reinterpret_cast<FreeBlock*>(slab_ + (i + kAhead) * bytes);  // cut next, as a rule
    b->next = list.head;
    list.head = b;
  }
  slab_ += n * bytes;
  list.count = static_cast<std::uint32_t>(n);
  return allocate(cls);
}

// A full batch: one is kept in reserve, further ones go to whoever allocates.
void FramePool::hand_on(std::size_t cls) {
  List& list = lists_[cls];
  if (list.kept == nullptr) {
    list.kept = list.head;
  } else {
    list.head->count = list.count;
    shared_.give_batch(list.head, cls);
  }
  list.head = nullptr;
  list.count = 0;
}

SharedPool::SharedPool() : state_(new PoolState) {}

SharedPool::~SharedPool() {
  state_->lock.lock();
  state_->orphaned = true;
  const bool gone = state_->out == 0;
  state_->lock.unlock();
  if (gone) delete_state(state_);
}

FreeBlock* SharedPool::take_batch(std::size_t cls) {
  const SpinGuard guard(state_->lock);
  FreeBlock* b = state_->batches[cls];
  if (b != nullptr) {
    state_->batches[cls] = b->next_batch;
    return b;
  }
  b = std::exchange(state_->loose[cls], nullptr);
  if (b != nullptr) b->count = std::exchange(state_->loose_count[cls], 0);
  return b;
}

void SharedPool::give_batch(FreeBlock* batch, std::size_t cls) {
  const SpinGuard guard(state_->lock);
  batch->next_batch = state_->batches[cls];
  state_->batches[cls] = batch;
}

std::byte* SharedPool::new_slab(std::size_t* bytes) {
  void* p = mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  state_->lock.lock();
  state_->slabs.push_back(p);
  state_->lock.unlock();
  *bytes = kSlabBytes;
  return static_cast<std::byte*>(p);
}

namespace detail {

void* pool_allocate(std::size_t bytes) noexcept {
  const std::size_t cls = FramePool::class_of(bytes);
  WorkerState* const w = current_worker();
  if (!kPooled || w == nullptr || cls > FramePool::kClasses) [[unlikely]] {
    auto* const p = static_cast<BlockPrefix*>(std::malloc(bytes + sizeof(BlockPrefix)));
    if (p == nullptr) return nullptr;
    *p = {nullptr, bytes};
    return p + 1;
  }
  FreeBlock* const b = w->pool.allocate(cls);
  return b == nullptr ? nullptr : &b->prefix + 1;
}

void pool_free(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* const b = reinterpret_cast<FreeBlock*>(static_cast<BlockPrefix*>(memory) - 1);
  PoolState* const owner = b->prefix.owner;
  if (owner == nullptr) [[unlikely]] {
    if constexpr (kChecked) {
      auto* bytes = static_cast<unsigned char*>(memory);
      // A use after this is seen by the tests' checks.
      for (std::size_t i = 0; i < b->prefix.cls; ++i) bytes[i] = 0xDD;
    }
    std::free(b);
    return;
  }
  WorkerState* const w = current_worker();
  if (w != nullptr && w->pool.state() == owner) [[likely]] {
    w->pool.free(b);
    return;
  }
  const std::size_t cls = b->prefix.cls;
  owner->lock.lock();
  b->next = owner->loose[cls];
  b->ahead = nullptr;
  owner->loose[cls] = b;
  ++owner->loose_count[cls];
  const bool last = --owner->out == 0 && owner->orphaned;
  owner->lock.unlock();
  if (last) delete_state(owner);
}

}  // namespace detail
}  // namespace neovm::worker
