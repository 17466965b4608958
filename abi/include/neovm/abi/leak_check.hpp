// Memory that nobody refers to any more, in builds with AddressSanitizer.
#pragma once

#include "neovm/abi/value.hpp"

namespace neovm {

// Reports C++ memory that is lost, and ends the process when there is some; for a program that exits without destroying its
// isolate, which is when LeakSanitizer would look by itself. LeakSanitizer does not know the heap, from which host objects refer
// to their memory: it is told of every block in use. Does nothing in other builds or when detect_leaks is off.
void check_leaks_at_exit(Context& cx);

}  // namespace neovm
