// Character categories (category.c of GNU): a category table maps characters to category sets, bool-vectors of
// 128 elements that are shared and never changed; extra slot 0 holds the docstrings of the 95 categories.
#include <algorithm>

#include "neovm/core/bool_vector.hpp"
#include "neovm/core/char_table.hpp"
#include "neovm/text/characters.hpp"
#include "rows.hpp"

namespace neovm::elisp {

NEOVM_VARIABLE(word_combining_categories, "word-combining-categories", kGlobalVar, kAny, kInitNil,
               "List of pairs of categories between which there is no word boundary.")
NEOVM_VARIABLE(word_separating_categories, "word-separating-categories", kGlobalVar, kAny, kInitNil,
               "List of pairs of categories between which there is a word boundary.")

namespace {

constexpr int kDocstrings = kCharTableExtras;
constexpr int kSets = kCharTableExtras + 1;  // hash table: a set equal to another is that one

bool is_category(Value v) { return v.is_fixnum() && v.as_fixnum() >= 0x20 && v.as_fixnum() <= 0x7E; }
bool is_category_table(Value v) { return is_char_table(v) && slot_raw(v, kCharTablePurpose) == Qcategory_table; }
bool is_category_set(Value v) { return is_bool_vector(v) && core::bool_length_raw(v) == 128; }

Value table_argument(Context& cx, Value table) {
  if (table.is_nil()) return current_tables(cx).category;
  if (!is_category_table(table)) return wrong_type(cx, Qcategory_table_p, table);
  return table;
}

Value new_table(Context& cx) {
  symbol_put(cx, Qcategory_table, Qchar_table_extra_slots, Value::fixnum(2));
  const Value table = make_char_table(cx, Qcategory_table, kNil);
  set_slot_raw(table, kCharTableDefault, TRY(core::make_bool_vector(cx, 128)));
  set_slot_raw(table, kDocstrings, make_vector(cx, 95, kNil));
  return table;
}

// The table's own copy of SET with CATEGORY switched on or off.
Value changed_set(Context& cx, Value table, Value set, int category, bool on) {
  if (is_hash_table(slot_raw(table, kSets)) == false) set_slot_raw(table, kSets, make_hash_table(cx, HashTest::kEqual));
  const Value copy = TRY(core::make_bool_vector(cx, 128));
  if (is_category_set(set)) std::copy_n(core::bool_words_raw(set), 2, core::bool_words_raw(copy));
  core::bool_set_raw(copy, category, on);
  const Value known = TRY(hash_table_get(cx, slot_raw(table, kSets), copy));
  if (!known.is_unbound()) return known;
  hash_table_put(cx, slot_raw(table, kSets), copy, copy);
  return copy;
}

}  // namespace

NEOVM_INIT(standard_category_table, kTables)(Context& cx) {
  standard_tables(cx).category = new_table(cx);
  if (!is_char_table(current_tables(cx).category)) current_tables(cx).category = standard_tables(cx).category;
}

DATA_MAKES(make_category_set, "make-category-set", 1, 1,
           "Return a category set of the categories in the string CATEGORIES.")
(Context& cx, Value s) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  const Value set = TRY(core::make_bool_vector(cx, 128));
  if (string_multibyte(s)) return error_text(cx, "Multibyte string in \u2018make-category-set\u2019");
  for (const char b : string_view_of(s)) {
    const Value c = Value::fixnum(static_cast<std::uint8_t>(b));
    if (!is_category(c)) return wrong_type(cx, Qcategoryp, c);
    core::bool_set_raw(set, static_cast<std::uint8_t>(b), true);
  }
  return set;
}
DATA_WRITES(define_category, "define-category", 2, 3, "Define the character CATEGORY with DOCSTRING in TABLE.")
(Context& cx, Value category, Value doc, Value table) {
  if (!is_category(category)) return wrong_type(cx, Qcategoryp, category);
  if (!doc.is_string()) return wrong_type(cx, Qstringp, doc);
  table = TRY(table_argument(cx, table));
  const Value docs = slot_raw(table, kDocstrings);
  if (slot_raw(docs, category.as_fixnum() - 0x20).truthy())
    return error_format(cx, "Category \u2018%c\u2019 is already defined", static_cast<int>(category.as_fixnum()));
  set_slot_raw(docs, category.as_fixnum() - 0x20, doc);
  return kNil;
}
DATA_READS_STATE(category_docstring, "category-docstring", 1, 2, "Return the docstring of CATEGORY in TABLE.")
(Context& cx, Value category, Value table) {
  if (!is_category(category)) return wrong_type(cx, Qcategoryp, category);
  table = TRY(table_argument(cx, table));
  return slot_raw(slot_raw(table, kDocstrings), category.as_fixnum() - 0x20);
}
DATA_READS_STATE(get_unused_category, "get-unused-category", 0, 1,
                 "Return a category that TABLE does not define, or nil.")
(Context& cx, Value table) {
  table = TRY(table_argument(cx, table));
  for (int c = 0x20; c <= 0x7E; ++c)
    if (slot_raw(slot_raw(table, kDocstrings), c - 0x20).is_nil()) return Value::fixnum(c);
  return kNil;
}
DATA_LOOKS(category_table_p, "category-table-p", 1, 1, "Return t if ARG is a category table.")(Context&, Value v) {
  return boolean(is_category_table(v));
}
DATA_READS_STATE(category_table, "category-table", 0, 0, "Return the category table of the current buffer.")
(Context& cx) { return current_tables(cx).category; }
DATA_READS_STATE(standard_category_table, "standard-category-table", 0, 0,
                 "Return the category table that new buffers get.")
(Context& cx) { return standard_tables(cx).category; }
DATA_READS_STATE(copy_category_table, "copy-category-table", 0, 1,
                 "Return a copy of TABLE, by default of the standard one.")
(Context& cx, Value table) {
  if (table.is_nil()) {
    table = standard_tables(cx).category;
  } else if (!is_category_table(table)) {
    return wrong_type(cx, Qcategory_table_p, table);
  }
  const Value copy = core::copy_char_table(cx, table);
  // A table from `make-char-table' has none.
  const Value given = slot_raw(table, kDocstrings);
  if (is_vector(given)) {
    const std::int64_t n = slot_count_raw(given);
    const Value docs = TRY(make_vector(cx, n, kNil));
    for (std::int64_t i = 0; i < n; ++i) set_slot_raw(docs, i, slot_raw(given, i));
    set_slot_raw(copy, kDocstrings, docs);
  }
  set_slot_raw(copy, kSets, kNil);
  return copy;
}
DATA_MAKES(make_category_table, "make-category-table", 0, 0, "Return a new, empty category table.")(Context& cx) {
  return new_table(cx);
}
DATA_WRITES(set_category_table, "set-category-table", 1, 1, "Make TABLE the category table of the current buffer.")
(Context& cx, Value table) {
  table = TRY(table_argument(cx, table));
  current_tables(cx).category = table;
  return table;
}
DATA_READS_STATE(char_category_set, "char-category-set", 1, 1, "Return the category set of CHAR.")
(Context& cx, Value ch) {
  const int c = TRY(character_argument(cx, ch));
  return char_table_get(current_tables(cx).category, c);
}
DATA_MAKES(category_set_mnemonics, "category-set-mnemonics", 1, 1, "Return a string of the categories in CATEGORY-SET.")
(Context& cx, Value set) {
  if (!is_category_set(set)) return wrong_type(cx, Qcategorysetp, set);
  std::string s;
  for (int c = 0x20; c < 0x7F; ++c)
    if (core::bool_get_raw(set, c)) s.push_back(static_cast<char>(c));
  return make_string(cx, s);
}
DATA_WRITES(modify_category_entry, "modify-category-entry", 2, 4,
            "Put CHARACTER, or the range (FROM . TO), into CATEGORY of TABLE; RESET takes it out.")
(Context& cx, Value ch, Value category, Value table, Value reset) {
  int from = 0;
  int to = 0;
  if (ch.is_fixnum()) {
    from = to = TRY(character_argument(cx, ch));
  } else {
    if (!ch.is_cons()) return wrong_type(cx, Qconsp, ch);
    from = TRY(character_argument(cx, car_raw(ch)));
    to = TRY(character_argument(cx, cdr_raw(ch)));
  }
  if (!is_category(category)) return wrong_type(cx, Qcategoryp, category);
  table = TRY(table_argument(cx, table));
  const auto c = static_cast<int>(category.as_fixnum());
  if (slot_raw(slot_raw(table, kDocstrings), c - 0x20).is_nil()) return error_format(cx, "Undefined category: %c", c);
  const bool on = reset.is_nil();
  while (from <= to) {
    int low = from;
    int high = to;
    const Value set = core::char_table_get_range(table, from, &low, &high);
    if (!is_category_set(set) || core::bool_get_raw(set, c) != on) {
      const Value changed = TRY(changed_set(cx, table, set, c, on));
      char_table_set_range(cx, table, from, high, changed);
    }
    from = high + 1;
  }
  return kNil;
}

}  // namespace neovm::elisp
