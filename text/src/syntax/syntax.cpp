#include "neovm/text/syntax.hpp"

#include "../state.hpp"
#include "neovm/abi/alloc.hpp"
#include "neovm/abi/symbols.hpp"
#include "neovm/abi/variable.hpp"

namespace neovm::text {

int syntax_code_of_designator(int c) {
  if (c == '-') return kSyntaxWhitespace;
  if (c == 'W') return kSyntaxWord;
  for (int i = 0; i < kSyntaxCodeCount; ++i)
    if (kSyntaxDesignators[i] == c) return i;
  return -1;
}

void SyntaxReader::find_run(std::int64_t at) {
  properties_->run_at(properties_->data, at, &run_);
  overridden_ = run_.property.is_cons() || is_char_table(run_.property);
}

int SyntaxReader::look_up(int c) {
  const int flags = flags_of_entry(char_table_get(table_, c));
  if (static_cast<unsigned>(c) < 128) ascii_[c] = flags;
  return flags;
}

Value syntax_code_object(Context& cx, int code) {
  TextState& state = text_state(cx);
  if (state.syntax_codes.get().is_nil()) {
    const Value codes = make_vector(cx, kSyntaxCodeCount, kNil);
    for (int i = 0; i < kSyntaxCodeCount; ++i) set_slot_raw(codes, i, cons(cx, Value::fixnum(i), kNil));
    state.syntax_codes.set(codes);
  }
  return slot_raw(state.syntax_codes.get(), code);
}

bool category_in_set(Value set, int category) {
  if (!is_bool_vector(set) || category < 0) return false;
  const RawObject* raw = raw_bytes_raw(set);
  const auto* words = reinterpret_cast<const std::uint64_t*>(raw->bytes);
  if (static_cast<std::uint64_t>(category) >= words[0]) return false;
  return ((words[1 + category / 64] >> (category % 64)) & 1) != 0;
}

bool word_boundary_between(Context& cx, int before, int after) {
  const Value scripts = variable_value(cx, Qchar_script_table);
  bool same_script = true;
  if (is_char_table(scripts)) same_script = char_table_get(scripts, before) == char_table_get(scripts, after);
  const Value categories = current_tables(cx).category;
  if (!is_char_table(categories)) return !same_script;
  const Value set1 = char_table_get(categories, before);
  const Value set2 = char_table_get(categories, after);
  // Characters of one script hold together and others do not, unless a listed pair says otherwise.
  Value tail = variable_value(cx, same_script ? Qword_separating_categories : Qword_combining_categories);
  if (!is_bool_vector(set1) || !is_bool_vector(set2)) return !same_script;
  const auto category_of = [](Value v) {
    return v.is_fixnum() && v.as_fixnum() >= 0x20 && v.as_fixnum() <= 0x7e ? static_cast<int>(v.as_fixnum()) : -1;
  };
  for (; tail.is_cons(); tail = cdr_raw(tail)) {
    const Value pair = car_raw(tail);
    if (!pair.is_cons()) continue;
    const Value first = car_raw(pair);
    const Value second = cdr_raw(pair);
    const bool first_fits = first.is_nil() || (category_of(first) >= 0 && category_in_set(set1, category_of(first)) &&
                                               !category_in_set(set2, category_of(first)));
    if (!first_fits) continue;
    const bool second_fits =
        second.is_nil() || (category_of(second) >= 0 && !category_in_set(set1, category_of(second)) &&
                            category_in_set(set2, category_of(second)));
    if (second_fits) return same_script;
  }
  return !same_script;
}

}  // namespace neovm::text
