// Waiting: for time to pass, for output of processes, for their ends.
#pragma once

#include "neovm/abi/api.hpp"

namespace neomacs::host {

// Waits up to `seconds` (negative: for ever), reading from all processes (or, with `only`, from PROCESS
// alone) and running filters, sentinels and timers. True when PROCESS (nil: any) gave output.
// With `until_output` it returns as soon as there was some.
neovm::Maybe<bool> wait_for_output_re(neovm::Context& cx, double seconds, neovm::Value process, bool until_output,
                                      bool only = false);

// The next byte of standard input, EOF at its end. Fails when a task that waits for it was asked to stop.
neovm::Maybe<int> read_input_byte(neovm::Context& cx);

}  // namespace neomacs::host
