// libFuzzer's entry, once for each target (NEOVM_FUZZ_TARGET is its function).
#include "world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  neovm::fuzz::NEOVM_FUZZ_TARGET({data, size});
  return 0;
}
