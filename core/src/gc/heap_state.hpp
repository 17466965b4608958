// The inside of a heap: its blocks by role, the allocators of old space, and what collections need to know.
//
// Rooms: block_pool (blocks and side tables), old_space (where survivors go), minor, major, weak (hash
// tables, finalizers, external bodies), native_stack (conservative scan), verify, statistics.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gc/block_pool.hpp"
#include "gc/cons_hashes.hpp"
#include "gc/histogram.hpp"
#include "gc/object_shape.hpp"
#include "neovm/core/external_body.hpp"
#include "neovm/core/function_numbers.hpp"
#include "neovm/core/heap.hpp"

namespace neovm::core {

namespace gc {

// Bump allocation into the holes of old blocks. Conses use single free granules (side bits make every
// granule accountable), objects use free lines.
class OldSpace {
 public:
  // Never null: the range is far larger than any machine. `bytes` is rounded to granules.
  std::byte* allocate_cons(HeapState& s) {
    if (cons_.top == cons_.limit) [[unlikely]]
      next_cons_hole(s);
    std::byte* p = cons_.top;
    cons_.top += sizeof(Cons);
    cons_.meta->starts.set(granule_of(p));
    return p;
  }
  std::byte* allocate_object(HeapState& s, std::size_t bytes);

  // Forgets the holes in hand; before marking.
  void retire();
  void add_block_with_holes(std::uint32_t block, bool conses) {
    (conses ? cons_ : object_).recyclable.push_back(block);
  }

 private:
  struct Region {
    std::byte* top = nullptr;
    std::byte* limit = nullptr;
    BlockMeta* meta = nullptr;
    std::uint32_t block = kNoBlock;
    std::vector<std::uint32_t> recyclable;
  };
  void next_cons_hole(HeapState& s);
  bool next_object_hole();
  std::byte* place(Region& r, std::size_t bytes);
  void fresh_block(HeapState& s, Region& r, BlockUse use);

  Region cons_;
  Region object_;
  Region overflow_;  // objects of several lines that did not fit the hole at hand
};

void set_lines(BlockMeta& m, const void* object, std::size_t bytes);

// An external body that a string holds; how the heap knows when to give the reference back.
struct ExternalString {
  StringObject* string;
  ExternalBody* body;
};

}  // namespace gc

class LazyImage;

struct HeapState {
  HeapState(Isolate& i, const HeapOptions& o);
  ~HeapState();
  HeapState(const HeapState&) = delete;
  HeapState& operator=(const HeapState&) = delete;

  Isolate& isolate;
  HeapOptions options;

  // ---- blocks ----
  std::vector<std::uint32_t> young_conses;   // the last one is being filled
  std::vector<std::uint32_t> young_objects;  // likewise
  std::vector<std::uint32_t> young_large;
  std::vector<std::uint32_t> spare;  // kept for the next nursery
  std::vector<std::uint32_t> old_conses;
  std::vector<std::uint32_t> old_objects;
  std::vector<std::uint32_t> old_large;
  std::vector<std::uint32_t> cells;
  std::byte* cells_top = nullptr;
  std::byte* cells_limit = nullptr;
  gc::OldSpace old;
  // The run of an image that does not lie in the window: kept together until the heap ends.
  std::uint32_t image_first = 0;
  std::uint32_t image_blocks = 0;
  std::unique_ptr<LazyImage> lazy_image;

  // ---- accounts, in bytes ----
  std::size_t blocks_held = 0;        // every block this heap owns, spare ones included
  std::size_t young_large_bytes = 0;  // since the last collection
  std::size_t old_since_major = 0;    // promoted since the last major collection
  std::size_t live_after_major = 0;
  std::size_t major_threshold = 0;  // of old_since_major + external growth
  std::ptrdiff_t external_bytes = 0;
  std::ptrdiff_t external_at_major = 0;
  std::ptrdiff_t external_at_minor = 0;
  bool major_wanted = false;
  bool memory_full = false;
  std::size_t full_at = 0;  // what lived when memory_full was set last; 0: what lives has fitted since

  // ---- objects that need care ----
  std::vector<ObjectHeader*> watched_young;  // finalizers, host objects with finalize or trace
  std::vector<ObjectHeader*> watched_old;
  std::vector<Value> ready_finalizers;
  std::vector<gc::ExternalString> external_young;
  std::vector<gc::ExternalString> external_old;
  gc::ConsHashes cons_hashes_young;
  gc::ConsHashes cons_hashes_old;
  std::uint64_t hash_state = 0;
  FunctionWatcher function_watcher;
  std::unique_ptr<FunctionNumbers> functions_alive;  // of the running major collection; null: nobody watches

  // ---- figures ----
  gc::Histogram minor_pauses;
  gc::Histogram major_pauses;
  gc::Histogram all_pauses;
  HeapStatistics totals;                // the counters; percentiles are filled in when asked for
  std::vector<std::uint64_t> worklist;  // kept so that a collection seldom allocates
  unsigned stress_count = 0;

  [[nodiscard]] std::size_t bytes_held() const { return blocks_held << heap_map::kBlockShift; }
  // … and what is kept outside on behalf of its objects.
  [[nodiscard]] std::size_t bytes_accounted() const {
    return bytes_held() + static_cast<std::size_t>(external_bytes > 0 ? external_bytes : 0);
  }
  std::uint32_t take_blocks(std::uint32_t count);
  void give_blocks(std::uint32_t first, std::uint32_t count);
};

namespace gc {

// ---- collections; the nurseries' extents are up to date (fill) ----
void collect_minor(HeapState& s, const void* stack_top);
void mark_and_sweep(HeapState& s, const void* stack_top);  // nursery empty
// Finds the object that holds `address` if this heap owns it: its first byte, else null.
ObjectHeader* find_object(HeapState& s, std::uint64_t address, bool* is_cons);
void fill_starts(std::uint32_t block);  // young object block: side bits of where its objects begin
// Calls fn(data, word) for each aligned word between stack_top and the end of the native stack that holds it.
void each_native_word(Isolate& isolate, const void* stack_top, void (*fn)(void* data, std::uint64_t word), void* data);
void free_large(HeapState& s, std::uint32_t first);
void verify_heap(HeapState& s, const char* when);
// Adds what a young object block holds (starts filled in) to the counts, as if `bytes` bytes were all like it.
void add_block_counts(std::uint32_t block, std::uint64_t bytes, HeapStatistics& to);
void poison(std::byte* from, std::size_t bytes);

}  // namespace gc
}  // namespace neovm::core
