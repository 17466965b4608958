// Case tables (casetab.c of GNU). The first table knows ASCII; GNU's Lisp library fills in the rest.
//
// When only `down' is given the others follow. `up' and `equivalences' are then permutations: going along one visits
// the members of a family of letters one after the other, so that `up' of a capital letter leads back to a small one
// (and `upcase' says so). The standard table has an `up' of its own, where a capital letter stays what it is.
#include "case_tables.hpp"

#include "neovm/core/char_table.hpp"
#include "rows.hpp"

namespace neovm::elisp {
namespace {

bool is_case_table(Value v) {
  if (!is_char_table(v) || slot_raw(v, kCharTablePurpose) != Qcase_table || slot_count_raw(v) < kCharTableExtras + 3)
    return false;
  const Value up = slot_raw(v, kCaseUp);
  const Value canonicalize = slot_raw(v, kCaseCanonicalize);
  const Value equivalences = slot_raw(v, kCaseEquivalences);
  const auto table_or_nil = [](Value t) { return t.is_nil() || is_char_table(t); };
  return table_or_nil(up) && ((canonicalize.is_nil() && equivalences.is_nil()) ||
                              (is_char_table(canonicalize) && table_or_nil(equivalences)));
}

int mapped(Value table, int c) {
  if (!is_char_table(table)) return c;
  const Value v = char_table_get(table, c);
  return is_character(v) ? static_cast<int>(v.as_fixnum()) : c;
}

// Calls f(from, to, v) for the runs of TABLE whose value is a character.
template <class F>
void each_mapping(Value table, F f) {
  for (int c = 0; c <= kMaxCharacter;) {
    int from = c;
    int to = kMaxCharacter;
    const Value v = core::char_table_get_range(table, c, &from, &to);
    if (is_character(v)) f(from, to, static_cast<int>(v.as_fixnum()));
    c = to + 1;
  }
}

// A table whose cycles run through the characters that `table` maps to one another.
Value make_cycles(Context& cx, Value table) {
  const Value cycles = make_char_table(cx, Qcase_table, kNil);
  each_mapping(table, [&](int from, int to, int) {
    for (int c = from; c <= to; ++c) char_table_set(cx, cycles, c, Value::fixnum(c));
  });
  each_mapping(table, [&](int from, int to, int v) {
    for (int c = from; c <= to; ++c) {
      const Value next = Value::fixnum(mapped(cycles, v));
      char_table_set(cx, cycles, v, Value::fixnum(c));
      char_table_set(cx, cycles, c, next);
    }
  });
  return cycles;
}

void complete(Context& cx, Value down) {
  if (slot_raw(down, kCaseUp).is_nil()) set_slot_raw(down, kCaseUp, make_cycles(cx, down));
  const Value up = slot_raw(down, kCaseUp);
  if (slot_raw(down, kCaseCanonicalize).is_nil()) {
    const Value canonical = make_char_table(cx, Qcase_table, kNil);
    each_mapping(down, [&](int from, int to, int) {
      for (int c = from; c <= to; ++c)
        char_table_set(cx, canonical, c, Value::fixnum(mapped(down, mapped(up, mapped(down, c)))));
    });
    set_slot_raw(down, kCaseCanonicalize, canonical);
  }
  if (slot_raw(down, kCaseEquivalences).is_nil())
    set_slot_raw(down, kCaseEquivalences, make_cycles(cx, slot_raw(down, kCaseCanonicalize)));
  set_slot_raw(slot_raw(down, kCaseCanonicalize), kCaseEquivalences, slot_raw(down, kCaseEquivalences));
}

Value set_table(Context& cx, Value table, CurrentTables& where) {
  if (!is_case_table(table)) return wrong_type(cx, Qcase_table_p, table);
  complete(cx, table);
  where.downcase = table;
  return table;
}

}  // namespace

int downcase_char(Context& cx, int c) {
  if (c < 0x80 && !is_char_table(current_tables(cx).downcase)) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return mapped(current_tables(cx).downcase, c);
}
bool is_uppercase_char(Context& cx, int c) { return downcase_char(cx, c) != c; }
int upcase_char(Context& cx, int c) {
  const Value down = current_tables(cx).downcase;
  if (!is_char_table(down)) return c >= 'a' && c <= 'z' ? c - 32 : c;
  return mapped(slot_raw(down, kCaseUp), c);
}
bool is_lowercase_char(Context& cx, int c) { return !is_uppercase_char(cx, c) && upcase_char(cx, c) != c; }

NEOVM_INIT(ascii_case_table, kTables)(Context& cx) {
  symbol_put(cx, Qcase_table, Qchar_table_extra_slots, Value::fixnum(3));
  const Value down = make_char_table(cx, Qcase_table, kNil);
  const Value up = make_char_table(cx, Qcase_table, kNil);
  for (int c = 0; c < 128; ++c) {
    char_table_set(cx, down, c, Value::fixnum(c >= 'A' && c <= 'Z' ? c + 32 : c));
    char_table_set(cx, up, c, Value::fixnum(c >= 'a' && c <= 'z' ? c - 32 : c));
  }
  set_slot_raw(down, kCaseUp, up);
  complete(cx, down);
  standard_tables(cx).downcase = down;
  if (!is_char_table(current_tables(cx).downcase)) current_tables(cx).downcase = down;
}

DATA_LOOKS(case_table_p, "case-table-p", 1, 1, "Return t if OBJECT is a case table.")(Context&, Value v) {
  return boolean(is_case_table(v));
}
DATA_READS_STATE(current_case_table, "current-case-table", 0, 0, "Return the case table of the current buffer.")
(Context& cx) { return current_tables(cx).downcase; }
DATA_READS_STATE(standard_case_table, "standard-case-table", 0, 0, "Return the case table that new buffers get.")
(Context& cx) { return standard_tables(cx).downcase; }
DATA_WRITES(set_case_table, "set-case-table", 1, 1, "Make TABLE the case table of the current buffer.")
(Context& cx, Value table) { return set_table(cx, table, current_tables(cx)); }
DATA_WRITES(set_standard_case_table, "set-standard-case-table", 1, 1, "Make TABLE the case table of new buffers.")
(Context& cx, Value table) { return set_table(cx, table, standard_tables(cx)); }

}  // namespace neovm::elisp
