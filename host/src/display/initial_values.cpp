#include "display/initial_values.hpp"

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT: the abi is this layer's language

Value make_sparse_keymap(Context& cx) { return list(cx, {Qkeymap}); }
Value ignore_function(Context& cx) { return intern(cx, "ignore"); }
Value make_eq_table(Context& cx) { return make_hash_table(cx, HashTest::kEq); }
Value make_equal_table(Context& cx) { return make_hash_table(cx, HashTest::kEqual); }
Value make_arrow_list(Context& cx) { return list(cx, {Qoverlay_arrow_position}); }
Value make_persistent_parameters(Context& cx) { return list(cx, {cons(cx, Qclone_of, Qt)}); }
Value make_glyphless_table(Context& cx) {
  symbol_put(cx, Qglyphless_char_display, Qchar_table_extra_slots, Value::fixnum(1));
  return make_char_table(cx, Qglyphless_char_display, kNil);
}
Value make_inhibit_update_commands(Context& cx) { return list(cx, {Qhandle_switch_frame, Qhandle_select_window}); }

}  // namespace neomacs::host
