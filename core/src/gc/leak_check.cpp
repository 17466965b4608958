#include "neovm/abi/leak_check.hpp"

#include "gc/block_pool.hpp"
#include "neovm/core/context.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace neovm {

using namespace core;  // NOLINT: the heap's own names

void check_leaks_at_exit([[maybe_unused]] Context& cx) {
#if defined(__SANITIZE_ADDRESS__)
  std::uint32_t begin = 0;
  bool in_use = false;
  for (std::uint32_t block = 0; block <= gc::kBlockCount; ++block) {
    const bool used = block < gc::kBlockCount && gc::use_of(block) != gc::BlockUse::kFree;
    if (used && !in_use) begin = block;
    if (!used && in_use)
      __lsan_register_root_region(gc::block_start(begin), std::size_t{block - begin} << heap_map::kBlockShift);
    in_use = used;
  }
  for (const Context* one : cx.isolate().contexts())
    __lsan_register_root_region(one->stack_base,
                                static_cast<std::size_t>(one->sp - one->stack_base) * sizeof(*one->stack_base));
  __lsan_do_leak_check();
#endif
}

}  // namespace neovm
