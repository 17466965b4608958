// Conses and arrays, one element at a time (data.c of GNU).
#include "neovm/core/bool_vector.hpp"
#include "neovm/core/char_table.hpp"
#include "neovm/text/characters.hpp"
#include "rows.hpp"

#include "unicode_tables.hpp"

namespace neovm::elisp {

DATA_LOOKS(car, "car", 1, 1, "Return the first element of LIST, or nil when LIST is nil.")(Context& cx, Value l) {
  if (!l.is_list()) return wrong_type(cx, Qlistp, l);
  return car_of_list(l);
}
DATA_LOOKS(cdr, "cdr", 1, 1, "Return what follows the first element of LIST, or nil when LIST is nil.")
(Context& cx, Value l) {
  if (!l.is_list()) return wrong_type(cx, Qlistp, l);
  return cdr_of_list(l);
}
DATA_LOOKS(car_safe, "car-safe", 1, 1, "Return the car of OBJECT if it is a cons cell, else nil.")(Context&, Value v) {
  return v.is_cons() ? car_raw(v) : kNil;
}
DATA_LOOKS(cdr_safe, "cdr-safe", 1, 1, "Return the cdr of OBJECT if it is a cons cell, else nil.")(Context&, Value v) {
  return v.is_cons() ? cdr_raw(v) : kNil;
}
DATA_WRITES(setcar, "setcar", 2, 2, "Make NEWCAR the car of CELL; return NEWCAR.")(Context& cx, Value c, Value v) {
  if (!c.is_cons()) return wrong_type(cx, Qconsp, c);
  set_car_raw(c, v);
  return v;
}
DATA_WRITES(setcdr, "setcdr", 2, 2, "Make NEWCDR the cdr of CELL; return NEWCDR.")(Context& cx, Value c, Value v) {
  if (!c.is_cons()) return wrong_type(cx, Qconsp, c);
  set_cdr_raw(c, v);
  return v;
}

DATA_MAKES(aref, "aref", 2, 2,
           "Return element INDEX, counted from 0, of ARRAY (for a char-table: the value of that character).")
(Context& cx, Value array, Value index) {
  if (!index.is_fixnum()) return wrong_type(cx, Qfixnump, index);
  const std::int64_t i = index.as_fixnum();
  if (array.is_string()) {
    if (i < 0 || i >= string_chars(array)) return args_out_of_range(cx, array, index);
    return Value::fixnum(string_char_raw(array, i));
  }
  if (!array.is_object()) return wrong_type(cx, Qarrayp, array);
  switch (header_raw(array)->kind) {
    case ObjectKind::kVector:
    case ObjectKind::kRecord:
    case ObjectKind::kByteCode:
      if (i < 0 || i >= slot_count_raw(array)) return args_out_of_range(cx, array, index);
      return slot_raw(array, i);
    case ObjectKind::kBoolVector:
      if (i < 0 || i >= core::bool_length_raw(array)) return args_out_of_range(cx, array, index);
      return boolean(core::bool_get_raw(array, i));
    case ObjectKind::kCharTable:
      if (!is_character(index)) return wrong_type(cx, Qcharacterp, index);
      return char_table_value(cx, array, static_cast<int>(i));
    default: return wrong_type(cx, Qarrayp, array);
  }
}

namespace {

Value aset_string(Context& cx, Value s, Value index, Value element) {
  const std::int64_t i = index.as_fixnum();
  if (i < 0 || i >= string_chars(s)) return args_out_of_range(cx, s, index);
  const int c = TRY(character_argument(cx, element));
  if (!string_multibyte(s)) {
    if (c < 0x100) {
      std::uint8_t* p = string_data_for_write(cx, s);
      if (p == nullptr) return kFailed;
      p[i] = static_cast<std::uint8_t>(c);
      return element;
    }
    // Only text that is ASCII so far may become multibyte in place.
    for (const char b : string_view_of(s))
      if (static_cast<std::uint8_t>(b) >= 0x80) return args_out_of_range(cx, s, element);
  }
  std::uint8_t encoded[text::kMaxBytesPerChar];
  const int new_bytes = text::encode_char(c, encoded);
  const std::int64_t at = string_char_to_byte(s, i);
  const int old_bytes = string_multibyte(s) ? text::bytes_by_lead(string_data_raw(s)[at]) : 1;
  if (old_bytes == new_bytes) {
    std::uint8_t* p = string_data_for_write(cx, s);
    if (p == nullptr) return kFailed;
    std::copy(encoded, encoded + new_bytes, p + at);
    return element;
  }
  std::string contents(string_view_of(s));
  contents.replace(static_cast<std::size_t>(at), static_cast<std::size_t>(old_bytes), reinterpret_cast<char*>(encoded),
                   static_cast<std::size_t>(new_bytes));
  TRY(string_set_contents(cx, s, contents, string_chars(s), true));
  return element;
}

}  // namespace

DATA_WRITES(aset, "aset", 3, 3, "Make NEWELT element INDEX of ARRAY; return NEWELT.")
(Context& cx, Value array, Value index, Value element) {
  if (!index.is_fixnum()) return wrong_type(cx, Qfixnump, index);
  const std::int64_t i = index.as_fixnum();
  if (array.is_string()) return aset_string(cx, array, index, element);
  if (!array.is_object()) return wrong_type(cx, Qarrayp, array);
  switch (header_raw(array)->kind) {
    case ObjectKind::kVector:
    case ObjectKind::kRecord:
      if (i < 0 || i >= slot_count_raw(array)) return args_out_of_range(cx, array, index);
      set_slot_raw(array, i, element);
      return element;
    case ObjectKind::kBoolVector:
      if (i < 0 || i >= core::bool_length_raw(array)) return args_out_of_range(cx, array, index);
      core::bool_set_raw(array, i, element.truthy());
      return element;
    case ObjectKind::kCharTable:
      if (!is_character(index)) return wrong_type(cx, Qcharacterp, index);
      TRY(expand_for_write(cx, array, static_cast<int>(i), static_cast<int>(i)));
      char_table_set(cx, array, static_cast<int>(i), element);
      return element;
    default: return wrong_type(cx, Qarrayp, array);
  }
}

DATA_LOOKS(identity, "identity", 1, 1, "Return ARGUMENT unchanged.")(Context&, Value v) { return v; }

}  // namespace neovm::elisp
