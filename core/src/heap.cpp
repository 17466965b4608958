// Allocation and the doors of the collector. The collector's rooms are under gc/.
#include "neovm/core/heap.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "gc/heap_state.hpp"
#include "gc/survivors.hpp"
#include "image/lazy.hpp"
#include "neovm/core/isolate.hpp"

namespace neovm::core {

using gc::BlockMeta;
using gc::BlockUse;

namespace {

// A major collection waits for at least this much growth.
constexpr std::size_t kLeastGrowth = std::size_t{64} << 20;
// Large objects and external bytes ask for a collection after this many nurseries' worth.
constexpr std::size_t kLargeFactor = 8;

// The heap may double between major collections, but looks more often as it nears its limit.
void set_major_threshold(HeapState& s) {
  const std::size_t room = s.options.limit_bytes > s.live_after_major ? s.options.limit_bytes - s.live_after_major : 0;
  s.major_threshold =
      std::min(std::max(kLeastGrowth, s.live_after_major), std::max(room / 2, s.options.limit_bytes / 64));
}

}  // namespace

std::uint32_t HeapState::take_blocks(std::uint32_t count) {
  const std::uint32_t first = gc::BlockPool::instance().take(count, this);
  if (first == gc::kNoBlock) {
    // Hundreds of gigabytes of addresses are in use; limits should have stopped this long ago.
    std::fputs("neovm: the heap's address range is exhausted\n", stderr);
    std::abort();
  }
  blocks_held += count;
  return first;
}

HeapState::HeapState(Isolate& i, const HeapOptions& o) : isolate(i), options(o) {}

HeapState::~HeapState() {
  if (image_blocks == 0) return;
  lazy_image.reset();
  gc::BlockPool::instance().give(image_first, image_blocks);
}

void HeapState::give_blocks(std::uint32_t first, std::uint32_t count) {
  if (first - image_first < image_blocks) {
    for (std::uint32_t i = 0; i < count; ++i) gc::use_of(first + i) = BlockUse::kFree;
    gc::BlockPool::drop_contents(first, count);
    blocks_held -= count;
    return;
  }
  gc::BlockPool::instance().give(first, count);
  blocks_held -= count;
}

namespace gc {

void free_large(HeapState& s, std::uint32_t first) {
  const std::uint32_t count = meta_of(first).run_blocks;
  if (s.options.stress) poison(block_start(first), meta_of(first).large_bytes);
  s.give_blocks(first, count);
}

}  // namespace gc

Heap::Heap(Isolate& isolate, const HeapOptions& options) : state_(std::make_unique<HeapState>(isolate, options)) {
  set_major_threshold(*state_);
  if (options.stress) request_gc();
}

Heap::~Heap() {
  HeapState& s = *state_;
  for (const auto* list : {&s.external_young, &s.external_old})
    for (const gc::ExternalString& e : *list) release(e.body);
  for (const auto* list : {&s.young_conses, &s.young_objects, &s.spare, &s.old_conses, &s.old_objects, &s.cells})
    for (const std::uint32_t block : *list)
      if (block - s.image_first >= s.image_blocks) s.give_blocks(block, 1);
  for (const auto* list : {&s.young_large, &s.old_large})
    for (const std::uint32_t first : *list)
      if (first - s.image_first >= s.image_blocks) s.give_blocks(first, gc::meta_of(first).run_blocks);
}

void Heap::shut_down() {
  for (auto* list : {&state_->watched_young, &state_->watched_old}) {
    for (ObjectHeader* h : *list)
      if (h->kind == ObjectKind::kHost) gc::finalize_host(h);
    list->clear();
  }
}

void Heap::settle_extents() {
  HeapState& s = *state_;
  if (cons_top_ != nullptr && !s.young_conses.empty()) {
    const std::uint32_t b = s.young_conses.back();
    gc::meta_of(b).fill = static_cast<std::uint32_t>(cons_top_ - gc::block_start(b));
  }
  if (object_top_ != nullptr && !s.young_objects.empty()) {
    const std::uint32_t b = s.young_objects.back();
    gc::meta_of(b).fill = static_cast<std::uint32_t>(object_top_ - gc::block_start(b));
  }
}

std::byte* Heap::take_young_block(bool conses) {
  HeapState& s = *state_;
  settle_extents();
  std::uint32_t block = gc::kNoBlock;
  if (!s.spare.empty()) {
    block = s.spare.back();
    s.spare.pop_back();
  } else {
    block = s.take_blocks(1);
  }
  gc::use_of(block) = conses ? BlockUse::kYoungCons : BlockUse::kYoungObject;
  gc::meta_of(block).fill = 0;
  (conses ? s.young_conses : s.young_objects).push_back(block);
  if ((s.young_conses.size() + s.young_objects.size()) << heap_map::kBlockShift > s.options.nursery_bytes) request_gc();
  return gc::block_start(block);
}

Cons* Heap::allocate_cons_slow() {
  cons_top_ = take_young_block(true);
  cons_limit_ = cons_top_ + heap_map::kBlockSize;
  return allocate_cons();
}

ObjectHeader* Heap::allocate_slow(ObjectKind kind, std::size_t bytes) {
  if (bytes > kLargeObjectBytes) return allocate_large(kind, bytes);
  object_top_ = take_young_block(false);
  object_limit_ = object_top_ + heap_map::kBlockSize;
  return allocate(kind, bytes);
}

bool Heap::fits(std::size_t bytes) const {
  const HeapState& s = *state_;
  const std::size_t limit = s.options.limit_bytes;
  return bytes <= limit && s.live_after_major <= limit - bytes && s.bytes_accounted() + bytes <= limit + limit / 2;
}

ObjectHeader* Heap::allocate_large(ObjectKind kind, std::size_t bytes) {
  HeapState& s = *state_;
  const std::size_t blocks = (bytes + heap_map::kBlockSize - 1) >> heap_map::kBlockShift;
  const std::size_t held = s.bytes_accounted();
  const std::size_t run = blocks << heap_map::kBlockShift;
  if (!fits(run)) return nullptr;  // no collection may run here
  if (held + run > s.options.limit_bytes) {
    request_gc();
    s.major_wanted = true;
  }
  const std::uint32_t first = gc::BlockPool::instance().take(static_cast<std::uint32_t>(blocks), &s);
  if (first == gc::kNoBlock) return nullptr;
  s.blocks_held += blocks;
  for (std::uint32_t i = 0; i < blocks; ++i) {
    gc::use_of(first + i) = i == 0 ? BlockUse::kYoungLarge : BlockUse::kLargeTail;
    gc::meta_of(first + i).run_blocks = i;
  }
  BlockMeta& m = gc::meta_of(first);
  m.run_blocks = static_cast<std::uint32_t>(blocks);
  m.large_bytes = bytes;
  m.marks.clear_all();
  m.starts.clear_all();
  m.starts.set(0);
  s.young_large.push_back(first);
  s.young_large_bytes += run;
  s.totals.bytes_allocated += bytes;
  s.totals.objects_allocated += 1;
  s.totals.allocated_count[static_cast<int>(kind)] += 1;
  s.totals.allocated_kind_bytes[static_cast<int>(kind)] += bytes;
  if (s.young_large_bytes > s.options.nursery_bytes * kLargeFactor) request_gc();
  auto* h = reinterpret_cast<ObjectHeader*>(gc::block_start(first));
  *h = ObjectHeader{kind, 0, 0, 0, 0};
  return h;
}

SymbolCells* Heap::allocate_cell_chunk() {
  HeapState& s = *state_;
  constexpr std::size_t kBytes = 64 * sizeof(SymbolCells);
  if (s.cells_top == s.cells_limit) {
    const std::uint32_t block = s.take_blocks(1);
    gc::use_of(block) = BlockUse::kCells;
    gc::clear_cards(block);
    s.cells.push_back(block);
    s.cells_top = gc::block_start(block);
    s.cells_limit = s.cells_top + heap_map::kBlockSize;
    std::memset(static_cast<void*>(s.cells_top), 0, heap_map::kBlockSize);
  }
  auto* chunk = reinterpret_cast<SymbolCells*>(s.cells_top);
  s.cells_top += kBytes;
  return chunk;
}

void Heap::charge_external(std::ptrdiff_t bytes) {
  HeapState& s = *state_;
  s.external_bytes += bytes;
  const auto patience = static_cast<std::ptrdiff_t>(s.options.nursery_bytes * kLargeFactor);
  if (bytes > 0 && s.external_bytes - s.external_at_minor > patience) request_gc();
}

void Heap::watch(ObjectHeader* object) { state_->watched_young.push_back(object); }

void Heap::note_external_string(StringObject* s) {
  auto* body = reinterpret_cast<ExternalBody*>(s->data) - 1;
  charge_external(static_cast<std::ptrdiff_t>(body->bytes));
  state_->external_young.push_back({s, body});
}

bool Heap::has_ready_finalizer() const { return !state_->ready_finalizers.empty(); }

Value Heap::take_ready_finalizer() {
  auto& ready = state_->ready_finalizers;
  if (ready.empty()) return kUnbound;
  const Value function = ready.front();
  ready.erase(ready.begin());
  return function;
}

bool Heap::take_memory_full() { return std::exchange(state_->memory_full, false); }

bool Heap::major_due_within(std::uint64_t factor) const {
  const HeapState& s = *state_;
  const std::ptrdiff_t external = s.external_bytes - s.external_at_major;
  const std::size_t growth = s.old_since_major + (external > 0 ? static_cast<std::size_t>(external) : 0);
  return s.major_wanted || growth > s.major_threshold / factor;
}

Heap::Totals Heap::totals() const {
  return {state_->all_pauses.count(), static_cast<double>(state_->all_pauses.sum()) / 1e9};
}

void Heap::verify(const char* when) {
  settle_extents();
  gc::verify_heap(*state_, when);
}

void Heap::count_nursery() {
  HeapState& s = *state_;
  std::uint64_t bytes = 0;
  for (const std::uint32_t b : s.young_conses) bytes += gc::meta_of(b).fill;
  s.totals.conses_allocated += bytes / sizeof(Cons);
  s.totals.bytes_allocated += bytes;
  bytes = 0;
  for (const std::uint32_t b : s.young_objects) bytes += gc::meta_of(b).fill;
  s.totals.bytes_allocated += bytes;
  if (bytes == 0) return;
  const std::uint32_t sample = s.young_objects.front();
  gc::fill_starts(sample);
  gc::add_block_counts(sample, bytes, s.totals);
}

void Heap::collect(CollectKind kind, const void* stack_top) {
  using Clock = std::chrono::steady_clock;
  HeapState& s = *state_;
  settle_extents();
  if (s.options.verify) gc::verify_heap(s, "before a collection");
  bool look_again = false;
  const auto begin = Clock::now();
  count_nursery();
  gc::collect_minor(s, stack_top);
  cons_top_ = cons_limit_ = object_top_ = object_limit_ = nullptr;
  s.external_at_minor = s.external_bytes;
  if (kind == CollectKind::kMajor) {
    gc::mark_and_sweep(s, stack_top);
    const std::size_t limit = s.options.limit_bytes;
    set_major_threshold(s);
    s.major_wanted = false;
    const auto external = static_cast<std::size_t>(std::max<std::ptrdiff_t>(s.external_bytes, 0));
    const std::size_t live = s.live_after_major + external;
    // The handler may use a little more before it is told again.
    const bool full = live > limit && (s.full_at == 0 || live > s.full_at + limit / 16);
    if (live <= limit) s.full_at = 0;
    if (full) {
      s.memory_full = true;
      s.full_at = live;
      look_again = true;
    }
    ++s.totals.major_collections;
    gc::BlockPool::instance().settle();
  } else {
    ++s.totals.minor_collections;
  }
  gc_requested_ = s.options.stress;
  if (look_again) {  // what the error unwound is garbage by the next safepoint
    s.major_wanted = true;
    request_gc();
  }
  const auto pause =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
  (kind == CollectKind::kMajor ? s.major_pauses : s.minor_pauses).add(pause);
  s.all_pauses.add(pause);
  if (s.options.verify) gc::verify_heap(s, "after a collection");
}

}  // namespace neovm::core
