// Blocks, nurseries and allocation. The collector is in collector.cpp.
#include "neovm/core/heap.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace neovm::core {

namespace {

// Reserves the process's heap range, its cards and block table once; returns false when the addresses are taken.
bool reserve_range() {
  const std::uint64_t bytes = heap_map::kSize + heap_map::kCardBytes + heap_map::kBlockUseBytes;
  void* p = mmap(reinterpret_cast<void*>(heap_map::kBase), bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  return p == reinterpret_cast<void*>(heap_map::kBase);
}

std::byte* take_blocks(std::size_t bytes) {
  static std::atomic<std::uint64_t> next{0};
  static const bool reserved = reserve_range();
  if (!reserved) {
    std::fputs("neovm: cannot reserve the heap's address range\n", stderr);
    std::abort();
  }
  bytes = (bytes + heap_map::kBlockSize - 1) & ~(heap_map::kBlockSize - 1);
  const std::uint64_t offset = next.fetch_add(bytes);
  if (offset + bytes > heap_map::kSize) return nullptr;
  return reinterpret_cast<std::byte*>(heap_map::kBase + offset);
}

}  // namespace

struct HeapState {};

Heap::Heap(Isolate&, const HeapOptions&) : state_(std::make_unique<HeapState>()) {}
Heap::~Heap() = default;

Cons* Heap::allocate_cons_slow() {
  cons_top_ = take_blocks(heap_map::kBlockSize);
  cons_limit_ = cons_top_ + heap_map::kBlockSize;
  return allocate_cons();
}

ObjectHeader* Heap::allocate_slow(ObjectKind kind, std::size_t bytes) {
  if (bytes > kLargeObjectBytes) {
    auto* h = reinterpret_cast<ObjectHeader*>(take_blocks(bytes));
    if (h != nullptr) *h = ObjectHeader{kind, 0, 0, 0, 0};
    return h;
  }
  object_top_ = take_blocks(heap_map::kBlockSize);
  object_limit_ = object_top_ + heap_map::kBlockSize;
  return allocate(kind, bytes);
}

SymbolCells* Heap::allocate_cell_chunk() { return reinterpret_cast<SymbolCells*>(take_blocks(64 * sizeof(SymbolCells))); }
void Heap::charge_external(std::ptrdiff_t) {}
void Heap::collect(CollectKind, const void*) { gc_requested_ = false; }
void Heap::verify(const char*) {}
HeapStatistics heap_statistics(Heap&) { return {}; }

}  // namespace neovm::core
