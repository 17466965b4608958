#pragma once

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

// Files `current-load-list` under FILE in `load-history`; with `entire` it replaces what was there.
Maybe<bool> record_load_history(Context& cx, Value file, bool entire);

}  // namespace neovm::elisp
