#include <algorithm>

#include "gc/heap_state.hpp"

namespace neovm::core::gc {

namespace {

constexpr std::size_t kLineBytes = std::size_t{1} << heap_map::kLineShift;
constexpr std::size_t kGranulesPerLine = kLineBytes / kGranule;

// First index >= from whose bit equals `value`; `count` when there is none.
std::size_t next_bit(const std::uint64_t* words, std::size_t count, std::size_t from, bool value) {
  while (from < count) {
    std::uint64_t w = words[from >> 6];
    if (!value) w = ~w;
    w &= ~std::uint64_t{0} << (from & 63);
    if (w != 0) return (from & ~std::size_t{63}) + static_cast<unsigned>(__builtin_ctzll(w));
    from = (from | 63) + 1;
  }
  return count;
}

}  // namespace

void set_lines(BlockMeta& m, const void* object, std::size_t bytes) {
  const std::uint64_t offset = reinterpret_cast<std::uint64_t>(object) & (heap_map::kBlockSize - 1);
  const std::size_t last = (offset + bytes - 1) >> heap_map::kLineShift;
  for (std::size_t i = offset >> heap_map::kLineShift; i <= last; ++i) m.lines[i >> 6] |= std::uint64_t{1} << (i & 63);
}

void OldSpace::retire() {
  for (Region* r : {&cons_, &object_, &overflow_}) {
    r->top = r->limit = nullptr;
    r->meta = nullptr;
    r->block = kNoBlock;
    r->recyclable.clear();
  }
}

void OldSpace::fresh_block(HeapState& s, Region& r, BlockUse use) {
  std::uint32_t block = kNoBlock;
  if (!s.spare.empty()) {
    block = s.spare.back();
    s.spare.pop_back();
  } else {
    block = s.take_blocks(1);
  }
  BlockMeta& m = meta_of(block);
  m.starts.clear_all();
  m.marks.clear_all();
  std::fill(std::begin(m.lines), std::end(m.lines), 0);
  clear_cards(block);
  use_of(block) = use;
  (use == BlockUse::kOldCons ? s.old_conses : s.old_objects).push_back(block);
  r.block = block;
  r.meta = &m;
  r.top = block_start(block);
  r.limit = r.top + heap_map::kBlockSize;
}

void OldSpace::next_cons_hole(HeapState& s) {
  for (;;) {
    if (cons_.block != kNoBlock) {
      const std::uint64_t* starts = cons_.meta->starts.words;
      const std::size_t from = static_cast<std::size_t>(cons_.limit - block_start(cons_.block)) / kGranule;
      const std::size_t begin = next_bit(starts, kGranulesPerBlock, from, false);
      if (begin < kGranulesPerBlock) {
        cons_.top = block_start(cons_.block) + begin * kGranule;
        cons_.limit = block_start(cons_.block) + next_bit(starts, kGranulesPerBlock, begin, true) * kGranule;
        return;
      }
    }
    if (cons_.recyclable.empty()) {
      fresh_block(s, cons_, BlockUse::kOldCons);
      return;
    }
    cons_.block = cons_.recyclable.back();
    cons_.recyclable.pop_back();
    cons_.meta = &meta_of(cons_.block);
    cons_.top = cons_.limit = block_start(cons_.block);
  }
}

// Lines are marked when an object is placed, so a hole ends at the next marked line.
bool OldSpace::next_object_hole() {
  for (;;) {
    if (object_.block != kNoBlock) {
      const std::size_t from = static_cast<std::size_t>(object_.limit - block_start(object_.block)) / kLineBytes;
      const std::size_t begin = next_bit(object_.meta->lines, kLinesPerBlock, from, false);
      if (begin < kLinesPerBlock) {
        object_.top = block_start(object_.block) + begin * kLineBytes;
        object_.limit =
            block_start(object_.block) + next_bit(object_.meta->lines, kLinesPerBlock, begin, true) * kLineBytes;
        return true;
      }
    }
    if (object_.recyclable.empty()) return false;
    object_.block = object_.recyclable.back();
    object_.recyclable.pop_back();
    object_.meta = &meta_of(object_.block);
    object_.top = object_.limit = block_start(object_.block);
  }
}

std::byte* OldSpace::place(Region& r, std::size_t bytes) {
  std::byte* p = r.top;
  r.top += bytes;
  r.meta->starts.set(granule_of(p));
  set_lines(*r.meta, p, bytes);
  return p;
}

std::byte* OldSpace::allocate_object(HeapState& s, std::size_t bytes) {
  const auto fits = [bytes](const Region& r) { return r.top + bytes <= r.limit; };
  if (fits(object_)) return place(object_, bytes);
  // A long object goes to a block of its own kind rather than wasting the hole at hand.
  if (bytes > kLineBytes) {
    if (!fits(overflow_)) fresh_block(s, overflow_, BlockUse::kOldObject);
    return place(overflow_, bytes);
  }
  while (next_object_hole())
    if (fits(object_)) return place(object_, bytes);
  fresh_block(s, object_, BlockUse::kOldObject);
  return place(object_, bytes);
}

static_assert(kGranulesPerLine == 8);

}  // namespace neovm::core::gc
