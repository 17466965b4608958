// Makers of initial values that are not constants.
#pragma once

#include "neovm/abi/alloc.hpp"

namespace neomacs::host {

neovm::Value make_sparse_keymap(neovm::Context& cx);  // (keymap)
neovm::Value ignore_function(neovm::Context& cx);
neovm::Value make_eq_table(neovm::Context& cx);
neovm::Value make_equal_table(neovm::Context& cx);
neovm::Value make_arrow_list(neovm::Context& cx);             // (overlay-arrow-position)
neovm::Value make_persistent_parameters(neovm::Context& cx);  // ((clone-of . t))
neovm::Value make_glyphless_table(neovm::Context& cx);        // char-table with one extra slot
neovm::Value make_inhibit_update_commands(neovm::Context& cx);

}  // namespace neomacs::host
