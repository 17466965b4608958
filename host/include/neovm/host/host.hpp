// The editor host: what a main program calls.
#pragma once

#include "neovm/abi/api.hpp"

namespace neomacs::host {

// Gives the isolate of `cx` its buffers and fills the abi's HostHooks; makes *scratch* and selects it.
// Call once, after the guest has registered variables (fixed slots must exist).
void attach(neovm::Context& cx);

}  // namespace neomacs::host
