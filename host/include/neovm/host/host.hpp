// The editor host: what a main program calls.
#pragma once

#include "neovm/abi/api.hpp"

namespace neomacs::host {

// Gives the isolate of `cx` its buffers and fills the abi's HostHooks; makes *scratch* and selects it.
// Call once, after the guest has registered variables (fixed slots must exist).
void attach(neovm::Context& cx);

// Flushes standard output and standard error before a process ends with STATUS. When something could not be written,
// says so as Emacs does (PROGRAM: Write error to standard output: …) and returns 1; else STATUS.
int settle_output(const char* program, int status);

}  // namespace neomacs::host
