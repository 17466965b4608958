#include "gc/heap_state.hpp"

namespace neovm::core {

namespace gc {

void add_block_counts(std::uint32_t block, std::uint64_t bytes, HeapStatistics& to) {
  const BlockMeta& m = meta_of(block);
  if (m.fill == 0) return;
  std::uint64_t count[static_cast<int>(ObjectKind::kCount)] = {};
  std::uint64_t kind_bytes[static_cast<int>(ObjectKind::kCount)] = {};
  for (std::size_t w = 0; w < kGranulesPerBlock / 64; ++w)
    for (std::uint64_t bits = m.starts.words[w]; bits != 0; bits &= bits - 1) {
      const std::size_t g = w * 64 + static_cast<unsigned>(__builtin_ctzll(bits));
      const auto* h = reinterpret_cast<const ObjectHeader*>(block_start(block) + g * kGranule);
      ++count[static_cast<int>(h->kind)];
      kind_bytes[static_cast<int>(h->kind)] += size_of(h);
    }
  for (int k = 0; k < static_cast<int>(ObjectKind::kCount); ++k) {
    to.allocated_count[k] += count[k] * bytes / m.fill;
    to.allocated_kind_bytes[k] += kind_bytes[k] * bytes / m.fill;
    to.objects_allocated += count[k] * bytes / m.fill;
  }
}

}  // namespace gc

HeapStatistics heap_statistics(Heap& heap) {
  heap.settle_extents();
  const HeapState& s = heap.state();
  HeapStatistics out = s.totals;
  // What lies in the nursery is counted when it is collected; add it here.
  for (const std::uint32_t b : s.young_conses) {
    out.conses_allocated += gc::meta_of(b).fill / sizeof(Cons);
    out.bytes_allocated += gc::meta_of(b).fill;
  }
  for (const std::uint32_t b : s.young_objects) {
    gc::fill_starts(b);
    gc::add_block_counts(b, gc::meta_of(b).fill, out);
    out.bytes_allocated += gc::meta_of(b).fill;
  }
  out.external_bytes = s.external_bytes > 0 ? static_cast<std::uint64_t>(s.external_bytes) : 0;
  out.pause_total_ns = s.all_pauses.sum();
  out.pause_max_ns = s.all_pauses.max();
  out.pause_p50_ns = s.all_pauses.quantile(0.50);
  out.pause_p95_ns = s.all_pauses.quantile(0.95);
  out.pause_p99_ns = s.all_pauses.quantile(0.99);
  out.minor_pause_p50_ns = s.minor_pauses.quantile(0.50);
  out.minor_pause_p99_ns = s.minor_pauses.quantile(0.99);
  out.minor_pause_max_ns = s.minor_pauses.max();
  out.major_pause_p50_ns = s.major_pauses.quantile(0.50);
  out.major_pause_max_ns = s.major_pauses.max();
  out.held_bytes = s.bytes_held();
  return out;
}

}  // namespace neovm::core
