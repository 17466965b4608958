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

struct PoolState {
  SpinLock lock;
  std::int64_t out = 0;
  bool orphaned = false;
  std::array<FreeBlock*, FramePool::kClasses + 1> batches{};
  std::array<FreeBlock*, FramePool::kClasses + 1> loose{};  // freed one by one by threads without a pool
  std::vector<void*> slabs;
};

namespace {

struct Prefix {
  PoolState* owner;
  std::size_t cls;
};
static_assert(sizeof(Prefix) == FramePool::kPrefix);

void delete_state(PoolState* s) {
  for (void* slab : s->slabs) munmap(slab, kSlabBytes);
  delete s;
}

}  // namespace

FramePool::~FramePool() {
  PoolState* const s = shared_.state();
  const SpinGuard guard(s->lock);
  s->out += out_;
}

void* FramePool::allocate(std::size_t cls) {
  List& list = lists_[cls];
  FreeBlock* b = list.head;
  if (b == nullptr) {
    if (list.kept != nullptr) {
      b = std::exchange(list.kept, nullptr);
      list.count = batch_of(cls);
    } else {
      const std::size_t bytes = cls * kGrain;
      if (static_cast<std::size_t>(slab_end_ - slab_) < bytes) {
        b = shared_.take_batch(cls);
        if (b != nullptr) {
          list.count = 0;
          for (FreeBlock* x = b; x != nullptr; x = x->next) ++list.count;
        } else {
          std::size_t got = 0;
          std::byte* const slab = shared_.new_slab(&got);
          if (slab == nullptr) return nullptr;
          slab_ = slab;
          slab_end_ = slab + got;
        }
      }
      if (b == nullptr) {
        b = reinterpret_cast<FreeBlock*>(slab_);
        slab_ += bytes;
        ++out_;
        return b;
      }
    }
  }
  list.head = b->next;
  __builtin_prefetch(list.head, 1);  // the next one, seldom in a cache
  --list.count;
  ++out_;
  return b;
}

void FramePool::free(void* block, std::size_t cls) {
  List& list = lists_[cls];
  auto* const b = static_cast<FreeBlock*>(block);
  --out_;
  b->next = list.head;
  list.head = b;
  if (++list.count < batch_of(cls)) return;
  // A full batch: keep one in reserve, hand further ones to whoever allocates.
  if (list.kept == nullptr) {
    list.kept = list.head;
  } else {
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
  return std::exchange(state_->loose[cls], nullptr);
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
  if (!kPooled || w == nullptr || cls > FramePool::kClasses) {
    auto* const p = static_cast<Prefix*>(std::malloc(bytes + sizeof(Prefix)));
    if (p == nullptr) return nullptr;
    p->owner = nullptr;
    p->cls = bytes;
    return p + 1;
  }
  auto* const p = static_cast<Prefix*>(w->pool.allocate(cls));
  if (p == nullptr) return nullptr;
  p->owner = w->pool.shared().state();
  p->cls = cls;
  return p + 1;
}

void pool_free(void* memory) noexcept {
  if (memory == nullptr) return;
  Prefix* const p = static_cast<Prefix*>(memory) - 1;
  if (p->owner == nullptr) {
    if constexpr (kChecked) {
      auto* bytes = static_cast<unsigned char*>(memory);
      for (std::size_t i = 0; i < p->cls; ++i) bytes[i] = 0xDD;  // a use after this is seen by the tests' checks
    }
    std::free(p);
    return;
  }
  WorkerState* const w = current_worker();
  if (w != nullptr && w->pool.shared().state() == p->owner) {
    w->pool.free(p, p->cls);
    return;
  }
  PoolState* const s = p->owner;
  const std::size_t cls = p->cls;
  s->lock.lock();
  auto* const b = reinterpret_cast<FreeBlock*>(p);
  b->next = s->loose[cls];
  s->loose[cls] = b;
  const bool last = --s->out == 0 && s->orphaned;
  s->lock.unlock();
  if (last) delete_state(s);
}

}  // namespace detail
}  // namespace neovm::worker
