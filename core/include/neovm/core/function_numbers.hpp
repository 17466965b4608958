// Which functions a guest may forget.
//
// A byte-code object carries a number in its header (flags: the low byte, aux: the high one) by which its guest finds
// what it knows about the function; copies of the object carry the same number. Each major collection counts the numbers
// of the objects that live, so that the guest can let go of the rest.
// Threads: the isolate's own. The watcher is called in the middle of a collection: it may free memory of its own, and
// neither allocate nor look into the heap.
#pragma once

#include <bitset>

#include "neovm/abi/value.hpp"

namespace neovm::core {

using FunctionNumbers = std::bitset<1 << 16>;

struct FunctionWatcher {
  void* data = nullptr;
  void (*survived)(void* data, const FunctionNumbers& alive) = nullptr;
};
void watch_functions(Context& cx, FunctionWatcher watcher);

}  // namespace neovm::core
