// Conservative reading of native stacks (rule R2), and turning any address into the object that holds it.
#include "gc/heap_state.hpp"
#include "neovm/core/context.hpp"

namespace neovm::core::gc {

// Stack words may be anything, including what a sanitizer keeps there.
__attribute__((no_sanitize("address", "thread", "undefined"))) void each_native_word(
    Isolate& isolate, const void* stack_top, void (*fn)(void* data, std::uint64_t word), void* data) {
  if (stack_top == nullptr) return;
  // Stacks do not overlap: the one that STACK_TOP is on is the one whose base comes next. A primitive that collects
  // may be some frames below the limit, in the reserve that every stack has under it.
  const Context* on = nullptr;
  for (const Context* cx : isolate.contexts()) {
    if (stack_top >= cx->native_stack_base) continue;
    if (on == nullptr || cx->native_stack_base < on->native_stack_base) on = cx;
  }
  if (on == nullptr || stack_top < static_cast<const char*>(on->native_stack_limit) - Context::kNativeReserve) return;
  const auto* p =
      reinterpret_cast<const std::uint64_t*>(reinterpret_cast<std::uint64_t>(stack_top) & ~std::uint64_t{7});
  const auto* const end = static_cast<const std::uint64_t*>(on->native_stack_base);
  for (; p < end; ++p)
    if (heap_map::contains(*p)) fn(data, *p);
}

void fill_starts(std::uint32_t block) {
  BlockMeta& m = meta_of(block);
  m.starts.clear_all();
  std::byte* p = block_start(block);
  std::byte* const end = p + m.fill;
  while (p < end) {
    m.starts.set(granule_of(p));
    p += size_of(reinterpret_cast<ObjectHeader*>(p));
  }
}

ObjectHeader* find_object(HeapState& s, std::uint64_t address, bool* is_cons) {
  *is_cons = false;
  if (!heap_map::contains(address)) return nullptr;
  std::uint32_t block = block_of(reinterpret_cast<void*>(address));
  if (meta_of(block).owner.load(std::memory_order_relaxed) != &s) return nullptr;
  BlockUse use = use_of(block);
  if (use == BlockUse::kLargeTail) {
    block -= meta_of(block).run_blocks;
    use = use_of(block);
  }
  BlockMeta& m = meta_of(block);
  std::byte* const base = block_start(block);
  const std::uint64_t offset = address - reinterpret_cast<std::uint64_t>(base);
  const std::size_t granule = offset / kGranule;
  switch (use) {
    case BlockUse::kYoungCons:
    case BlockUse::kYoungConsPinned:
      *is_cons = true;
      return offset < m.fill ? reinterpret_cast<ObjectHeader*>(base + granule * kGranule) : nullptr;
    case BlockUse::kOldCons:
      *is_cons = true;
      return m.starts.test(granule) ? reinterpret_cast<ObjectHeader*>(base + granule * kGranule) : nullptr;
    case BlockUse::kYoungObject:
      if (m.fill == 0) return nullptr;
      fill_starts(block);
      // Not yet collected, so the walk above is current until the next allocation; pinned blocks keep it.
      [[fallthrough]];
    case BlockUse::kYoungObjectPinned:
    case BlockUse::kOldObject: {
      const bool young = use != BlockUse::kOldObject;
      if (young && offset >= m.fill) return nullptr;
      const int start = m.starts.at_or_below(granule);
      if (start < 0) return nullptr;
      auto* h = reinterpret_cast<ObjectHeader*>(base + static_cast<std::size_t>(start) * kGranule);
      return offset < static_cast<std::size_t>(start) * kGranule + size_of(h) ? h : nullptr;
    }
    case BlockUse::kYoungLarge:
    case BlockUse::kOldLarge: return offset < m.large_bytes ? reinterpret_cast<ObjectHeader*>(base) : nullptr;
    case BlockUse::kFree:
    case BlockUse::kLargeTail:
    case BlockUse::kCells:
    case BlockUse::kAside: break;
  }
  return nullptr;
}

}  // namespace neovm::core::gc
