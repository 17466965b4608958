// Char-table primitives (chartab.c of GNU).
#include <algorithm>

#include "neovm/text/characters.hpp"
#include "rows.hpp"
#include "unicode_tables.hpp"

namespace neovm::elisp {
namespace {

Maybe<bool> check_char_table(Context& cx, Value v) { return check_type(cx, is_char_table(v), Qchar_table_p, v); }

}  // namespace

DATA_READS_STATE(make_char_table, "make-char-table", 1, 2, "Return a new char-table of PURPOSE whose values are INIT.")
(Context& cx, Value purpose, Value init) {
  if (!purpose.is_symbol()) return wrong_type(cx, Qsymbolp, purpose);
  const Value extras = symbol_get(cx, purpose, Qchar_table_extra_slots);
  if (!extras.is_nil()) {
    if (!extras.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, extras);
    if (extras.as_fixnum() > 10) return args_out_of_range(cx, extras, kNil);
  }
  const Value table = make_char_table(cx, purpose, init);
  set_slot_raw(table, kCharTableDefault, init);
  for (std::int64_t i = kCharTableExtras; i < slot_count_raw(table); ++i) set_slot_raw(table, i, init);
  return table;
}
DATA_LOOKS(char_table_subtype, "char-table-subtype", 1, 1, "Return the purpose of CHAR-TABLE.")
(Context& cx, Value table) {
  TRY(check_char_table(cx, table));
  return slot_raw(table, kCharTablePurpose);
}
DATA_LOOKS(char_table_parent, "char-table-parent", 1, 1, "Return the parent of CHAR-TABLE.")(Context& cx, Value table) {
  TRY(check_char_table(cx, table));
  return slot_raw(table, kCharTableParent);
}
DATA_WRITES(set_char_table_parent, "set-char-table-parent", 2, 2,
            "Make PARENT (nil or a char-table) the parent of CHAR-TABLE.")
(Context& cx, Value table, Value parent) {
  TRY(check_char_table(cx, table));
  if (!parent.is_nil()) {
    TRY(check_char_table(cx, parent));
    for (Value p = parent; !p.is_nil(); p = slot_raw(p, kCharTableParent))
      if (p == table) return error_text(cx, "Loop in parent chain");
  }
  set_slot_raw(table, kCharTableParent, parent);
  return parent;
}

namespace {

Maybe<std::int64_t> extra_slot(Context& cx, Value table, Value n) {
  TRY(check_char_table(cx, table));
  if (!n.is_fixnum()) return wrong_type(cx, Qfixnump, n);
  if (n.as_fixnum() < 0 || n.as_fixnum() >= slot_count_raw(table) - kCharTableExtras)
    return args_out_of_range(cx, table, n);
  return kCharTableExtras + n.as_fixnum();
}

}  // namespace

DATA_LOOKS(char_table_extra_slot, "char-table-extra-slot", 2, 2, "Return extra slot N of CHAR-TABLE.")
(Context& cx, Value table, Value n) {
  const std::int64_t slot = TRY(extra_slot(cx, table, n));
  return slot_raw(table, slot);
}
DATA_WRITES(set_char_table_extra_slot, "set-char-table-extra-slot", 3, 3, "Set extra slot N of CHAR-TABLE to VALUE.")
(Context& cx, Value table, Value n, Value v) {
  const std::int64_t slot = TRY(extra_slot(cx, table, n));
  set_slot_raw(table, slot, v);
  return v;
}

DATA_MAKES(char_table_range, "char-table-range", 2, 2,
           "Return the value of RANGE: a character, (FROM . TO), or nil for the default.")
(Context& cx, Value table, Value range) {
  TRY(check_char_table(cx, table));
  if (range.is_nil()) return slot_raw(table, kCharTableDefault);
  if (is_character(range)) return char_table_value(cx, table, static_cast<int>(range.as_fixnum()));
  if (!range.is_cons()) return error_text(cx, "Invalid RANGE argument to \u2018char-table-range\u2019");
  const int from = TRY(character_argument(cx, car_raw(range)));
  TRY(character_argument(cx, cdr_raw(range)));
  // Of a range the table itself is asked, not its parents.
  const Value own = core::char_table_own(table, from);
  return own.is_nil() ? slot_raw(table, kCharTableDefault) : own;
}
DATA_WRITES(set_char_table_range, "set-char-table-range", 3, 3,
            "Set the value of RANGE (a character, (FROM . TO), nil for the default, t for all) to VALUE.")
(Context& cx, Value table, Value range, Value v) {
  TRY(check_char_table(cx, table));
  if (range == Qt) {
    for (int i = kCharTableContents; i < kCharTableExtras; ++i) set_slot_raw(table, i, v);
    set_slot_raw(table, kCharTableAscii, v);
  } else if (range.is_nil()) {
    set_slot_raw(table, kCharTableDefault, v);
  } else if (is_character(range)) {
    const auto c = static_cast<int>(range.as_fixnum());
    TRY(expand_for_write(cx, table, c, c));
    char_table_set(cx, table, c, v);
  } else if (range.is_cons()) {
    const int from = TRY(character_argument(cx, car_raw(range)));
    const int to = TRY(character_argument(cx, cdr_raw(range)));
    TRY(expand_for_write(cx, table, from, to));
    char_table_set_range(cx, table, from, to, v);
  } else {
    return error_text(cx, "Invalid RANGE argument to \u2018set-char-table-range\u2019");
  }
  return v;
}

// ---- optimizing: sub-tables of one value shrink to it ---------------------------------------------------------

namespace {

struct SameAs {
  Context& cx;
  Value test;
  Maybe<bool> operator()(Value a, Value b) const {
    if (test == Qeq) return a == b;
    if (test.is_nil() || test == Qequal) return equal(cx, a, b);
    return TRY(funcall_re(cx, test, {a, b}))
    .truthy();
  }
};

Value optimize_sub(Context& cx, Value table, const SameAs& same) {
  const std::int64_t n = slot_count_raw(table);
  bool uniform = true;
  Value first = slot_raw(table, core::kSubTableContents);
  if (core::is_sub_char_table(first)) {
    first = TRY(optimize_sub(cx, first, same));
    set_slot_raw(table, core::kSubTableContents, first);
  }
  uniform = !core::is_sub_char_table(first);
  for (std::int64_t i = core::kSubTableContents + 1; i < n; ++i) {
    Value v = slot_raw(table, i);
    if (core::is_sub_char_table(v)) {
      v = TRY(optimize_sub(cx, v, same));
      set_slot_raw(table, i, v);
    }
    if (!uniform) continue;
    uniform = !core::is_sub_char_table(v) && TRY(same(v, first));
  }
  return uniform ? first : table;
}

}  // namespace

DATA_REENTERS(optimize_char_table, "optimize-char-table", 1, 2,
              "Shrink the parts of CHAR-TABLE whose values are all the same by TEST (default `equal').")
(Context& cx, Value table, Value test) {
  TRY(check_char_table(cx, table));
  const SameAs same{cx, test};
  for (int i = kCharTableContents; i < kCharTableExtras; ++i) {
    const Value v = slot_raw(table, i);
    if (core::is_sub_char_table(v)) set_slot_raw(table, i, TRY(optimize_sub(cx, v, same)));
  }
  core::char_table_refresh_ascii(table);
  return kNil;
}

namespace {
// What Lisp sees for the number `v` that a table of a Unicode property holds.
Value decoded_property(Value table, Value v) {
  if (!slot_raw(table, kCharTableExtras + 1).is_fixnum()) return v;
  const Value names = slot_raw(table, kCharTableExtras + 4);
  return is_vector(names) && v.is_natnum_fixnum() && v.as_fixnum() < slot_count_raw(names)
             ? slot_raw(names, v.as_fixnum())
             : v;
}
}  // namespace

DATA_REENTERS(
    map_char_table, "map-char-table", 2, 2,
    "Call FUNCTION with each character or range (FROM . TO) of CHAR-TABLE that has a non-nil value, and the value.")
(Context& cx, Value function, Value table) {
  TRY(check_char_table(cx, table));
  if (is_unicode_table(table)) TRY(expand_for_write(cx, table, 0, kMaxCharacter));
  for (int c = 0; c <= kMaxCharacter;) {
    int from = c;
    int to = kMaxCharacter;
    Value v = core::char_table_get_range(table, c, &from, &to);
    if (is_unicode_table(table)) v = decoded_property(table, v);
    if (v.truthy()) {
      const Value key = from == to ? Value::fixnum(from) : cons(cx, Value::fixnum(from), Value::fixnum(to));
      TRY(funcall_re(cx, function, {key, v}));
    }
    c = to + 1;
    TRY(check_quit(cx));
  }
  return kNil;
}

// ---- tables of Unicode properties ------------------------------------------------------------------------------------
//
// Leaves are strings until they are looked at. The first character tells the form: 1 is followed by the
// number of the first character of the leaf that has a value, and a value for each from there on; 2 by runs, a
// value and perhaps its count + 128. Value 0 means nil in the first form.

namespace {

Value expand_leaf(Context& cx, Value string, int first) {
  const Value leaf = core::make_sub_char_table(cx, 3, first, kNil);
  const std::uint8_t* p = string_data_raw(string);
  const std::uint8_t* end = p + string_bytes(string);
  const bool multibyte = string_multibyte(string);
  const auto next = [&]() {
    const text::Decoded d = multibyte ? text::decode_char(p) : text::Decoded{*p, 1};
    p += d.bytes;
    return d.c;
  };
  if (p == end) return leaf;
  const int form = next();
  int i = 0;
  if (form == 1) {
    if (p < end) i = next();
    for (; p < end && i < 128; ++i) {
      const int v = next();
      set_slot_raw(leaf, core::kSubTableContents + i, v > 0 ? Value::fixnum(v) : kNil);
    }
  } else if (form == 2) {
    while (p < end && i < 128) {
      const int v = next();
      int count = 1;
      if (p < end) {
        const std::uint8_t* before = p;
        const int n = next();
        if (n < 128) {
          p = before;
        } else {
          count = n - 128;
        }
      }
      for (; count > 0 && i < 128; --count, ++i) set_slot_raw(leaf, core::kSubTableContents + i, Value::fixnum(v));
    }
  } else {
    set_slot_raw(leaf, core::kSubTableContents, string);
    return kNil;
  }
  return leaf;
}

// Replaces the compressed leaf that covers `c`, if there is one.
void expand_at(Context& cx, Value table, int c) {
  Value v = slot_raw(table, kCharTableContents + (c >> 16));
  if (!core::is_sub_char_table(v)) return;
  v = slot_raw(v, core::kSubTableContents + ((c >> 12) & 15));
  if (!core::is_sub_char_table(v)) return;
  const std::int64_t slot = core::kSubTableContents + ((c >> 7) & 31);
  const Value leaf = slot_raw(v, slot);
  if (!leaf.is_string()) return;
  const Value expanded = expand_leaf(cx, leaf, c & ~127);
  if (expanded.is_nil()) return;
  set_slot_raw(v, slot, expanded);
  if (c < 0x80) core::char_table_refresh_ascii(table);
}

}  // namespace

Value char_table_value(Context& cx, Value table, int c) {
  if (is_unicode_table(table)) expand_at(cx, table, c);
  return char_table_get(table, c);
}

Maybe<bool> expand_for_write(Context& cx, Value table, int from, int to) {
  if (is_unicode_table(table))
    for (int c = from & ~127; c <= to; c += 128) {
      // Skip whole contents that have no sub-table.
      if (!core::is_sub_char_table(slot_raw(table, kCharTableContents + (c >> 16)))) {
        c = (c | 0xFFFF) - 127;
        continue;
      }
      expand_at(cx, table, c);
    }
  return true;
}

DATA_REENTERS(unicode_property_table_internal, "unicode-property-table-internal", 1, 1,
              "Return the char-table of the Unicode property PROP, loading it first if need be.")
(Context& cx, Value property) {
  const Value alist = variable_value(cx, Qchar_code_property_alist);
  const Value entry = alist.is_unbound() ? kNil : assq(property, alist);
  if (!entry.is_cons()) return kNil;
  const Value table = cdr_raw(entry);
  if (!table.is_string()) return is_char_table(table) ? table : kNil;
  const std::string utf8 = to_std_string(table);
  const Value file = TRY(make_string(cx, "international/" + utf8));
  const Value loaded = TRY(funcall_re(cx, Qload, {file, Qt, Qt, Qt, Qt}));
  if (loaded.is_nil()) return kNil;
  const Value again = assq(property, variable_value(cx, Qchar_code_property_alist));
  return again.is_cons() && is_char_table(cdr_raw(again)) ? cdr_raw(again) : kNil;
}

namespace {

Maybe<bool> check_unicode_table(Context& cx, Value table) {
  TRY(check_char_table(cx, table));
  if (!is_unicode_table(table)) return error_text(cx, "Invalid Unicode property table");
  return true;
}

}  // namespace

DATA_MAKES(get_unicode_property_internal, "get-unicode-property-internal", 2, 2,
           "Return the value of CH in CHAR-TABLE, a table of a Unicode property, decoded.")
(Context& cx, Value table, Value ch) {
  TRY(check_char_table(cx, table));
  const int c = TRY(character_argument(cx, ch));
  TRY(check_unicode_table(cx, table));
  return decoded_property(table, char_table_value(cx, table, c));
}

DATA_WRITES(put_unicode_property_internal, "put-unicode-property-internal", 3, 3,
            "Set the value of CH in CHAR-TABLE, a table of a Unicode property, encoding VALUE.")
(Context& cx, Value table, Value ch, Value v) {
  TRY(check_unicode_table(cx, table));
  const int c = TRY(character_argument(cx, ch));
  const Value encoder = slot_raw(table, kCharTableExtras + 2);
  if (encoder == Value::fixnum(0)) {
    if (!v.is_nil() && !is_character(v)) return wrong_type(cx, Qcharacterp, v);
  } else if (encoder == Value::fixnum(1) || encoder == Value::fixnum(2)) {
    const Value names = slot_raw(table, kCharTableExtras + 4);
    if (encoder == Value::fixnum(2) && !v.is_nil() && !is_number(v)) return wrong_type(cx, Qnumberp, v);
    const std::int64_t n = is_vector(names) ? slot_count_raw(names) : 0;
    std::int64_t i = 0;
    while (i < n && !(encoder == Value::fixnum(1) ? slot_raw(names, i) == v : eql(slot_raw(names, i), v))) ++i;
    if (i == n) {
      if (encoder == Value::fixnum(1)) return wrong_type(cx, TRY(make_string(cx, "Unicode property value")), v);
      const Value grown = TRY(make_vector(cx, n + 1, v));
      for (std::int64_t k = 0; k < n; ++k) set_slot_raw(grown, k, slot_raw(names, k));
      set_slot_raw(table, kCharTableExtras + 4, grown);
    }
    v = Value::fixnum(i);
  }
  TRY(expand_for_write(cx, table, c, c));
  char_table_set(cx, table, c, v);
  return kNil;
}

NEOVM_VARIABLE(char_code_property_alist, "char-code-property-alist", kGlobalVar, kAny, kInitNil,
               "Alist of Unicode properties: (PROPERTY . CHAR-TABLE or name of the file that defines it).")

}  // namespace neovm::elisp
