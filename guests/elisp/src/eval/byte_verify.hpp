// Checks of byte-code objects before they run for the first time.
#pragma once

#include "neovm/abi/error.hpp"

namespace neovm::elisp {

// Makes sure that running OBJECT can only fail as Lisp: slots of the right type, operands and jumps in
// range, no overflow or underflow of the operand stack on any path. Marks the object (header aux) when it
// passes, signals otherwise.
Value verify_byte_code(Context& cx, Value object);

}  // namespace neovm::elisp
