// CCL programs are registered and named, not run (ccl.c of GNU); compositions are remembered nowhere (composite.c).
#include "neovm/core/context.hpp"
#include "rows.hpp"

namespace neovm::elisp {

// clang-format off
NEOVM_VARIABLE(code_conversion_map_vector, "code-conversion-map-vector", kGlobalVar, kAny, InitialValue([](Context& cx) { return make_vector(cx, 16, kNil); }), "Vector of code conversion maps.")
NEOVM_VARIABLE(font_ccl_encoder_alist, "font-ccl-encoder-alist", kGlobalVar, kAny, kInitNil, "Alist of font name patterns and CCL programs.")
NEOVM_VARIABLE(translation_hash_table_vector, "translation-hash-table-vector", kGlobalVar, kAny, kInitNil, "Vector of (NAME . TABLE) of all translation hash tables.")
NEOVM_VARIABLE(ccl_programs_state, " ccl-programs", kGlobalVar, kAny, kInitNil, "List of registered CCL programs, newest first; for the machine only.")
NEOVM_VARIABLE(composition_function_table, "composition-function-table", kGlobalVar, kAny, InitialValue([](Context& cx) { return make_char_table(cx, kNil, kNil); }), "Char-table of rules for composing characters.")
NEOVM_VARIABLE(compose_chars_after_function, "compose-chars-after-function", kGlobalVar, kAny, kInitNil, "Function that adjusts compositions after a change.")
NEOVM_VARIABLE(auto_composition_mode, "auto-composition-mode", kAutoLocalVar, kAny, kInitT, "Non-nil composes characters on display.")
NEOVM_VARIABLE(auto_composition_function, "auto-composition-function", kAutoLocalVar, kAny, kInitNil, "Function that composes characters on display.")
NEOVM_VARIABLE(auto_composition_emoji, "auto-composition-emoji-eligible-codepoints", kGlobalVar, kAny, kInitNil, "Characters that may start an emoji sequence.")
// clang-format on

namespace {

// [MAGNIFICATION END-OF-INPUT-CODE CODE…]; words of code are integers, or symbols and pairs that name maps and programs.
bool is_program(Value v) {
  const std::int64_t n = slot_count_raw(v);
  if (n < 3 || !slot_raw(v, 0).is_natnum_fixnum() || !slot_raw(v, 1).is_natnum_fixnum() ||
      slot_raw(v, 1).as_fixnum() > n)
    return false;
  for (std::int64_t i = 2; i < n; ++i)
    if (const Value word = slot_raw(v, i); !word.is_fixnum() && !word.is_symbol() && !word.is_cons()) return false;
  return true;
}

}  // namespace

DATA_WRITES(register_ccl_program, "register-ccl-program", 2, 2,
            "Register the CCL program CCL-PROG, a vector, as NAME; return its number.")
(Context& cx, Value name, Value program) {
  if (!name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  if (program.truthy() && !is_vector(program)) return wrong_type(cx, Qvectorp, program);
  if (program.truthy() && !is_program(program)) return error_text(cx, "Error in CCL program");
  std::int64_t index = 0;
  Value programs = variable_value(cx, Qccl_programs_state);
  for (Value tail = programs; tail.is_cons(); tail = cdr_raw(tail), ++index)
    if (car_raw(car_raw(tail)) == name) {
      set_cdr_raw(car_raw(tail), program);
      return symbol_get(cx, name, Qccl_program_idx);
    }
  TRY(set_variable_re(cx, Qccl_programs_state, cons(cx, cons(cx, name, program), programs)));
  symbol_put(cx, name, Qccl_program_idx, Value::fixnum(index));
  return Value::fixnum(index);
}
DATA_READS_STATE(ccl_program_p, "ccl-program-p", 1, 1, "Return t if OBJECT is a CCL program or the name of one.")
(Context& cx, Value v) {
  if (is_vector(v)) return boolean(slot_count_raw(v) > 2);
  return boolean(v.is_symbol() && symbol_get(cx, v, Qccl_program_idx).is_natnum_fixnum());
}
DATA_WRITES(register_code_conversion_map, "register-code-conversion-map", 2, 2,
            "Register SYMBOL as a code conversion map; return its number.")
(Context& cx, Value name, Value map) {
  if (!name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  if (!is_vector(map)) return wrong_type(cx, Qvectorp, map);
  Value table = variable_value(cx, Qcode_conversion_map_vector);
  if (!is_vector(table)) return error_text(cx, "Invalid code-conversion-map-vector");
  std::int64_t i = 0;
  const std::int64_t n = slot_count_raw(table);
  while (i < n && slot_raw(table, i).is_cons() && car_raw(slot_raw(table, i)) != name) ++i;
  if (i == n) {
    const Value grown = TRY(make_vector(cx, 2 * n + 1, kNil));
    for (std::int64_t k = 0; k < n; ++k) set_slot_raw(grown, k, slot_raw(table, k));
    TRY(set_variable_re(cx, Qcode_conversion_map_vector, grown));
    table = grown;
  }
  set_slot_raw(table, i, cons(cx, name, map));
  symbol_put(cx, name, Qcode_conversion_map, map);
  symbol_put(cx, name, Qcode_conversion_map_id, Value::fixnum(i));
  return Value::fixnum(i);
}
DATA_WRITES(clear_composition_cache, "clear-composition-cache", 0, 0,
            "Forget how characters were composed; nothing is remembered here.")
(Context&) { return kNil; }

}  // namespace neovm::elisp
