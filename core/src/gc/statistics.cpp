#include "gc/heap_state.hpp"

namespace neovm::core {

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
    for (const std::uint64_t w : gc::meta_of(b).starts.words)
      out.objects_allocated += static_cast<unsigned>(__builtin_popcountll(w));
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
