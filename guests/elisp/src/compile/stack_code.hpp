// From GNU's stack byte-code to register bytecode.
#pragma once

#include <optional>

#include "neovm/abi/value.hpp"
#include "neovm/core/bytecode/code.hpp"

namespace neovm::elisp {

struct Machine;

// Translates the verified byte-code OBJECT; empty when it uses something that only the stack executor does (the obsolete
// instructions that evaluate forms, invalid ones) or needs too many registers. Reads the object, allocates nothing
// in the heap.
std::optional<core::bytecode::Code> translate_stack_code(Context& cx, Value object);

}  // namespace neovm::elisp
