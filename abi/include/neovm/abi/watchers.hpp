// Watchers of variables, for changes that do not go through `set_variable_re`.
#pragma once

#include "neovm/abi/value.hpp"

namespace neovm {

// Tells the watchers of SYMBOL, if it has any, that OPERATION (`set`, `makunbound`...) is about to happen. Runs Lisp.
Value notify_watchers_re(Context& cx, Value symbol, Value newval, Value operation, Value where);

}  // namespace neovm
