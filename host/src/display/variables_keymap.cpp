// Variables of keymaps.
// GNU's Lisp library reads and sets these; without a display most of them only hold their value.
#include "display/initial_values.hpp"
#include "neovm/abi/api.hpp"

namespace neomacs::host {
namespace {

using namespace neovm;  // NOLINT: a table of rows

NEOVM_VARIABLE(describe_bindings_check_shadowing_in_ranges, "describe-bindings-check-shadowing-in-ranges", kGlobalVar,
               kAny, kInitNil, "Whether shadowing inside ranges is checked.")
NEOVM_VARIABLE(emulation_mode_map_alists, "emulation-mode-map-alists", kGlobalVar, kAny, kInitNil,
               "Keymap alists of emulation modes.")
NEOVM_VARIABLE(minibuffer_local_map, "minibuffer-local-map", kGlobalVar, kAny, make_sparse_keymap,
               "Keymap of the minibuffer.")
NEOVM_VARIABLE(minor_mode_map_alist, "minor-mode-map-alist", kGlobalVar, kAny, kInitNil,
               "Alist of minor mode variables and keymaps.")
NEOVM_VARIABLE(minor_mode_overriding_map_alist, "minor-mode-overriding-map-alist", kAutoLocalVar, kAny, kInitNil,
               "Like minor-mode-map-alist, set by major modes.")
NEOVM_VARIABLE(where_is_preferred_modifier, "where-is-preferred-modifier", kGlobalVar, kAny, kInitNil,
               "Modifier that where-is prefers.")

}  // namespace
}  // namespace neomacs::host
