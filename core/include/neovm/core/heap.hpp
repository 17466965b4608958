// The heap of one isolate.
//
// Allocation is a bump in one of two nurseries: cons-only blocks (no headers, side mark bits) and object
// blocks. R1: the slow path never collects; it takes another block and, past the nursery's budget, raises
// `gc_requested`, which the VM's next safepoint answers by calling collect(). Large objects (above
// kLargeObjectBytes) live in runs of blocks of their own and may fail.
//
// Threads: everything here runs on the thread that currently runs the isolate. Blocks come from a
// process-wide pool (block_pool.hpp), the only part with a lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "neovm/abi/host.hpp"
#include "neovm/abi/layout.hpp"
#include "neovm/core/countdown.hpp"

namespace neovm::core {

inline constexpr std::size_t kLargeObjectBytes = 8 * 1024;

struct HeapOptions {
  std::size_t nursery_bytes = std::size_t{1} << 20;  // a collection of it all takes about a millisecond
  std::size_t limit_bytes = std::size_t{16} << 30;   // memory-full past this, after a major collection
  bool stress = false;                               // collect at safepoints, poison from-space
  unsigned stress_every = 1;                         // … at every so many of them
  unsigned stress_major_every = 16;                  // … of which every so many collections are major
  bool verify = false;                               // walk the heap before and after each collection
};

enum class CollectKind : std::uint8_t { kMinor, kMajor };

struct HeapState;  // spaces, mark bits, lists, statistics: private to the collector

class Heap {
 public:
  Heap(Isolate& isolate, const HeapOptions& options);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // Two uninitialized words. Never fails, never collects.
  Cons* allocate_cons() {
    std::byte* p = cons_top_;
    if (p + sizeof(Cons) > cons_limit_) [[unlikely]]
      return allocate_cons_slow();
    cons_top_ = p + sizeof(Cons);
    return reinterpret_cast<Cons*>(p);
  }
  // Up to `wanted` (at least one) adjacent uninitialized conses; *got says how many. Never fails, never collects.
  Cons* allocate_conses(std::size_t wanted, std::size_t* got) {
    Cons* first = allocate_cons();
    const std::size_t left = static_cast<std::size_t>(cons_limit_ - cons_top_) / sizeof(Cons);
    const std::size_t more = wanted - 1 < left ? wanted - 1 : left;
    cons_top_ += more * sizeof(Cons);
    *got = more + 1;
    return first;
  }
  // A headed object of `bytes` bytes (rounded up to 16), header set, the rest uninitialized: the caller
  // fills it before the next safepoint. Null only for a large object that does not fit the limit.
  ObjectHeader* allocate(ObjectKind kind, std::size_t bytes) {
    bytes = (bytes + 15) & ~std::size_t{15};
    std::byte* p = object_top_;
    if (bytes > kLargeObjectBytes || p + bytes > object_limit_) [[unlikely]]
      return allocate_slow(kind, bytes);
    object_top_ = p + bytes;
    auto* h = reinterpret_cast<ObjectHeader*>(p);
    *h = ObjectHeader{kind, 0, 0, 0, 0};
    return h;
  }
  // A chunk of symbol cells: 64 zeroed SymbolCells in the heap's range, immortal, found through cards.
  SymbolCells* allocate_cell_chunk();

  // Bytes kept outside the heap on behalf of its objects (external string bodies, buffer text);
  // charged to the trigger of major collections.
  void charge_external(std::ptrdiff_t bytes);
  // Room for BYTES more within the limit. Garbage gets the benefit of the doubt: what is known to live must fit together
  // with them, and the heap may overshoot by half until the next safepoint.
  [[nodiscard]] bool fits(std::size_t bytes) const;

  [[nodiscard]] bool gc_requested() const { return gc_requested_; }
  void request_gc() {
    gc_requested_ = true;
    countdown_.trip_here();
  }
  // What the loops of the isolate's contexts count down at safepoints.
  Countdown& countdown() { return countdown_; }
  // Only at a safepoint. `stack_top` is the lowest address of native frames to scan conservatively
  // (null: there are none under this safepoint).
  void collect(CollectKind kind, const void* stack_top);
  // True when growth since the last major collection calls for another (or somebody asked for one).
  [[nodiscard]] bool major_due() const { return major_due_within(1); }
  // The same for 1/FACTOR of the way.
  [[nodiscard]] bool major_due_within(std::uint64_t factor) const;
  struct Totals {
    std::uint64_t collections;
    double seconds;
  };
  [[nodiscard]] Totals totals() const;
  // Walks everything reachable and every block; aborts with a report on damage. Debugging.
  void verify(const char* when);

  // Must be told, right after allocation, of every finalizer object, and of every host object whose type has
  // finalize or trace.
  void watch(ObjectHeader* object);
  // `s` holds (and hands over) one reference of its external body. Charges the bytes.
  void note_external_string(StringObject* s);
  // Function of a finalizer that became unreachable; kUnbound when there is none. The caller runs it.
  Value take_ready_finalizer();
  [[nodiscard]] bool has_ready_finalizer() const;
  // Memory stayed above the limit after a major collection; cleared by reading. The safepoint's caller
  // signals memory-full.
  bool take_memory_full();
  // Finalizes every host object; the isolate calls it before it destroys extension states.
  void shut_down();
  // Writes the extents of the blocks being filled to their side tables. For walkers of the heap.
  void settle_extents();

  [[nodiscard]] HeapState& state() { return *state_; }

 private:
  Cons* allocate_cons_slow();
  ObjectHeader* allocate_slow(ObjectKind kind, std::size_t bytes);
  ObjectHeader* allocate_large(ObjectKind kind, std::size_t bytes);
  std::byte* take_young_block(bool conses);
  void count_nursery();

  std::byte* cons_top_ = nullptr;
  std::byte* cons_limit_ = nullptr;
  std::byte* object_top_ = nullptr;
  std::byte* object_limit_ = nullptr;
  bool gc_requested_ = false;
  Countdown countdown_;
  std::unique_ptr<HeapState> state_;
};

// Figures for garbage-collect, memory-use-counts, `neovm stats` and the benchmarks.
struct HeapStatistics {
  std::uint64_t minor_collections = 0;
  std::uint64_t major_collections = 0;
  std::uint64_t conses_allocated = 0;
  std::uint64_t objects_allocated = 0;  // estimated from one block a collection
  // By kind, likewise; large objects are exact. String bodies are kRawBytes.
  std::uint64_t allocated_count[static_cast<int>(ObjectKind::kCount)] = {};
  std::uint64_t allocated_kind_bytes[static_cast<int>(ObjectKind::kCount)] = {};
  std::uint64_t bytes_allocated = 0;
  std::uint64_t bytes_promoted = 0;
  std::uint64_t objects_moved = 0;
  std::uint64_t objects_pinned = 0;
  std::uint64_t live_bytes = 0;  // after the last major collection
  std::uint64_t external_bytes = 0;
  std::uint64_t pause_total_ns = 0;
  std::uint64_t pause_max_ns = 0;
  std::uint64_t pause_p50_ns = 0;
  std::uint64_t pause_p95_ns = 0;
  std::uint64_t pause_p99_ns = 0;
  std::uint64_t minor_pause_p50_ns = 0;
  std::uint64_t minor_pause_p99_ns = 0;
  std::uint64_t minor_pause_max_ns = 0;
  std::uint64_t major_pause_p50_ns = 0;
  std::uint64_t major_pause_max_ns = 0;
  std::uint64_t held_bytes = 0;  // blocks the heap owns
  // By shape, live after the last major collection.
  std::uint64_t live_count[static_cast<int>(ObjectKind::kCount)] = {};
  std::uint64_t live_kind_bytes[static_cast<int>(ObjectKind::kCount)] = {};
  std::uint64_t live_conses = 0;
};
HeapStatistics heap_statistics(Heap& heap);

}  // namespace neovm::core
