#include "neovm/core/char_table.hpp"

#include <algorithm>

#include "neovm/abi/api.hpp"
#include "neovm/text/characters.hpp"

namespace neovm {
namespace core {

namespace {

constexpr std::int64_t content_slot(int depth) { return depth == 0 ? kCharTableContents : kSubTableContents; }

Value* content(Value table, int depth, int first, int c) {
  return &slots_raw(table)->slots[content_slot(depth) + ((c - first) >> kCharTableShift[depth])];
}

// Sets [from, to] inside the table of `depth` that starts at `first`. Contents covered whole take the value;
// the others get a sub-table that starts out with what was there.
void set_range(Context& cx, Value table, int depth, int first, int from, int to, Value v) {
  const int span = 1 << kCharTableShift[depth];
  const int last = first + span * kCharTableSize[depth] - 1;
  from = std::max(from, first);
  to = std::min(to, last);
  for (int i = (from - first) / span; i <= (to - first) / span; ++i) {
    const int low = first + i * span;
    Value* place = content(table, depth, first, low);
    if (from <= low && low + span - 1 <= to) {
      store(place, v);
      continue;
    }
    Value sub = *place;
    if (!is_sub_char_table(sub)) {
      sub = make_sub_char_table(cx, depth + 1, low, sub);
      place = content(table, depth, first, low);
      store(place, sub);
    }
    set_range(cx, sub, depth + 1, low, from, to, v);
  }
}

// A character's value and the characters around it that certainly share it.
struct Run {
  Value value;
  int first;
  int last;
};

Run run_at(Value table, int c) {
  Value v = table;
  int first = 0;
  int span = 0;
  for (int depth = 0;; ++depth) {
    const Value next = *content(v, depth, first, c);
    span = 1 << kCharTableShift[depth];
    first += (c - first) & ~(span - 1);
    v = next;
    if (!is_sub_char_table(next)) break;
  }
  Run run = {v, first, first + span - 1};
  if (!v.is_nil()) return run;
  run.value = slot_raw(table, kCharTableDefault);
  const Value parent = slot_raw(table, kCharTableParent);
  if (!run.value.is_nil() || !is_char_table(parent)) return run;
  // Also split where the parent does, as nil here means the parent's value.
  const Run above = run_at(parent, c);
  return {above.value, std::max(run.first, above.first), std::min(run.last, above.last)};
}

}  // namespace

Value make_sub_char_table(Context& cx, int depth, int first, Value init) {
  const Value t = make_slots(cx, ObjectKind::kSubCharTable, kSubTableContents + kCharTableSize[depth], init);
  set_slot_raw(t, kSubTableDepth, Value::fixnum(depth));
  set_slot_raw(t, kSubTableFirst, Value::fixnum(first));
  return t;
}

void char_table_refresh_ascii(Value table) {
  Value v = slot_raw(table, kCharTableContents);
  for (int depth = 1; depth < 4 && is_sub_char_table(v); ++depth) {
    if (depth == 3) break;
    v = slot_raw(v, kSubTableContents);
  }
  set_slot_raw(table, kCharTableAscii, v);
}

Value char_table_own(Value table, int c) {
  if (c < 0x80) {
    const Value ascii = slot_raw(table, kCharTableAscii);
    return is_sub_char_table(ascii) ? slot_raw(ascii, kSubTableContents + c) : ascii;
  }
  Value v = slot_raw(table, kCharTableContents + (c >> 16));
  if (!is_sub_char_table(v)) return v;
  v = slot_raw(v, kSubTableContents + ((c >> 12) & 15));
  if (!is_sub_char_table(v)) return v;
  v = slot_raw(v, kSubTableContents + ((c >> 7) & 31));
  if (!is_sub_char_table(v)) return v;
  return slot_raw(v, kSubTableContents + (c & 127));
}

namespace {

Value copy_sub(Context& cx, Value t) {
  const std::int64_t n = slot_count_raw(t);
  const Value copy = make_slots(cx, ObjectKind::kSubCharTable, n, kNil);
  for (std::int64_t i = 0; i < n; ++i) {
    const Value v = slot_raw(t, i);
    set_slot_raw(copy, i, is_sub_char_table(v) ? copy_sub(cx, v) : v);
  }
  return copy;
}

}  // namespace

Value copy_char_table(Context& cx, Value table) {
  const std::int64_t n = slot_count_raw(table);
  const Value copy = make_slots(cx, ObjectKind::kCharTable, n, kNil);
  for (std::int64_t i = 0; i < n; ++i) {
    const Value v = slot_raw(table, i);
    const bool inside = i >= kCharTableContents && i < kCharTableExtras;
    set_slot_raw(copy, i, inside && is_sub_char_table(v) ? copy_sub(cx, v) : v);
  }
  char_table_refresh_ascii(copy);
  return copy;
}

Value char_table_get_range(Value table, int c, int* from, int* to) {
  const Run here = run_at(table, c);
  int low = here.first;
  int high = here.last;
  for (Run r; low > *from && (r = run_at(table, low - 1)).value == here.value;) low = r.first;
  for (Run r; high < *to && (r = run_at(table, high + 1)).value == here.value;) high = r.last;
  *from = std::max(*from, low);
  *to = std::min(*to, high);
  return here.value;
}

}  // namespace core

Value make_char_table(Context& cx, Value purpose, Value init) {
  std::int64_t extras = 0;
  const Value n = symbol_get(cx, purpose, Qchar_table_extra_slots);
  if (n.is_natnum_fixnum()) extras = std::min<std::int64_t>(n.as_fixnum(), 10);
  const Value table = make_slots(cx, ObjectKind::kCharTable, kCharTableExtras + extras, init);
  set_slot_raw(table, kCharTableParent, kNil);
  set_slot_raw(table, kCharTableDefault, kNil);
  set_slot_raw(table, kCharTablePurpose, purpose);
  core::char_table_refresh_ascii(table);
  return table;
}

Value char_table_get(Value table, int c) {
  for (;;) {
    Value v = core::char_table_own(table, c);
    if (!v.is_nil()) return v;
    v = slot_raw(table, kCharTableDefault);
    if (!v.is_nil()) return v;
    table = slot_raw(table, kCharTableParent);
    if (!is_char_table(table)) return kNil;
  }
}

void char_table_set(Context& cx, Value table, int c, Value v) {
  const Value ascii = slot_raw(table, kCharTableAscii);
  if (c < 0x80 && core::is_sub_char_table(ascii)) {
    set_slot_raw(ascii, core::kSubTableContents + c, v);
    return;
  }
  core::set_range(cx, table, 0, 0, c, c, v);
  if (c < 0x80) core::char_table_refresh_ascii(table);
}

void char_table_set_range(Context& cx, Value table, int from, int to, Value v) {
  if (from > to) return;
  core::set_range(cx, table, 0, 0, from, to, v);
  if (from < 0x80) core::char_table_refresh_ascii(table);
}

}  // namespace neovm
