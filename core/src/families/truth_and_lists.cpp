#include "neovm/abi/api.hpp"
#include "neovm/core/array_list.hpp"
#include "neovm/core/bool_vector.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/core/op_families.hpp"

namespace neovm::core {

bool is_empty_object(Value v) {
  if (v.is_float()) return float_raw(v) == 0;
  if (v.is_string()) return string_bytes(v) == 0;
  if (!v.is_object()) return false;
  switch (header_raw(v)->kind) {
    case ObjectKind::kVector: return slot_count_raw(v) == 0;
    case ObjectKind::kBoolVector: return bool_length_raw(v) == 0;
    case ObjectKind::kHashTable: return hash_count_raw(v) == 0;
    case ObjectKind::kArrayList: return array_list_length(v) == 0;
    default: return false;
  }
}

namespace {

ExitTag not_a_list(Context& cx, Value v) { return wrong_type(cx, intern(cx, "array-list-p"), v); }

}  // namespace

Value list_with_item(Context& cx, Value list, Value item, bool in_place) {
  return is_array_list(list) ? array_list_append(cx, list, item, in_place) : not_a_list(cx, list);
}

Value list_with_item_at(Context& cx, Value list, Value index, Value item) {
  return is_array_list(list) ? array_list_replace(cx, list, index, item, true) : not_a_list(cx, list);
}

Value list_item_at(Context& cx, Value list, Value index) {
  return is_array_list(list) ? array_list_at(cx, list, index) : not_a_list(cx, list);
}

Value length_of_contents(Context& cx, Value v) {
  if (v.is_string()) return Value::fixnum(string_chars(v));
  if (is_array_list(v)) return Value::fixnum(array_list_length(v));
  if (is_vector(v)) return Value::fixnum(slot_count_raw(v));
  if (is_hash_table(v)) return Value::fixnum(hash_count_raw(v));
  return wrong_type(cx, Qsequencep, v);
}

}  // namespace neovm::core
