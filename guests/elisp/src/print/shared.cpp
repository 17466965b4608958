// What print-circle numbers: the objects met twice.
#include <algorithm>
#include <vector>

#include "neovm/core/array_list.hpp"
#include "neovm/core/hash_table.hpp"
#include "printer.hpp"

namespace neovm::elisp {

bool can_be_shared(Context& cx, Value v, bool gensym, bool deep) {
  if (v.is_cons()) return true;
  if (v.is_string()) return deep || !string_raw(v)->properties.is_nil();
  if (v.is_object()) {
    // Objects whose parts are printed.
    switch (header_raw(v)->kind) {
      case ObjectKind::kVector:
      case ObjectKind::kRecord:
      case ObjectKind::kByteCode:
      case ObjectKind::kCharTable:
      case ObjectKind::kSubCharTable:
      case ObjectKind::kHashTable:
      case ObjectKind::kArrayList: return true;
      case ObjectKind::kHost: return v.as_pointer<HostObject>()->type->prints_slots;
      default: return false;
    }
  }
  return gensym && v.is_symbol() && (cx.cells(v).flags & (kSymbolInterned | kSymbolInternedPrivate)) == 0;
}

namespace {

// The conses of property lists are not numbered: strings that were cut have tails of them in common here.
Value copy_of_list(Context& cx, Value list) {
  Value out = kNil;
  for (; list.is_cons(); list = cdr_raw(list)) out = cons(cx, car_raw(list), out);
  return nreverse_list(out);
}

}  // namespace

// Depth first, in printing order, so that numbers come out in the order of the second sightings.
void number_shared_objects(Context& cx, Value object) {
  const bool gensym = variable_true(cx, Qprint_gensym);
  const bool continuous = variable_true(cx, Qprint_continuous_numbering);
  struct Pending {
    Value v;
    int depth;  // of the printer's recursion, 1 for the object printed
  };
  std::vector<Pending> pending{{object, 1}};
  Value table = variable_value(cx, Qprint_number_table);
  while (!pending.empty()) {
    const auto [v, depth] = pending.back();
    pending.pop_back();
    if (!can_be_shared(cx, v, gensym, depth > 1 || continuous)) continue;
    if (!is_hash_table(table)) {
      table = make_hash_table(cx, HashTest::kEq);
      store(&cx.cells(Qprint_number_table).value, table);
    }
    const Value seen = hash_table_get(cx, table, v);
    const bool always = continuous && v.is_symbol();
    if ((!seen.is_unbound() && !seen.is_nil()) || always) {
      if (!seen.is_fixnum()) hash_table_put(cx, table, v, Value::fixnum(-++print_state(cx).number_index));
      continue;
    }
    hash_table_put(cx, table, v, Qt);
    if (v.is_cons()) {
      pending.push_back({cdr_raw(v), depth});
      pending.push_back({car_raw(v), depth + 1});
    } else if (v.is_string()) {
      const HostHooks& hooks = host_hooks(cx);
      if (hooks.string_property_intervals == nullptr || string_raw(v)->properties.is_nil()) continue;
      const std::size_t first = pending.size();
      for (Value l = hooks.string_property_intervals(cx, v); l.is_cons(); l = cdr_raw(l))
        pending.push_back({copy_of_list(cx, plist_of_interval(car_raw(l))), depth + 1});
      std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first), pending.end());
    } else if (v.is_object()) {
      const ObjectKind kind = header_raw(v)->kind;
      if (kind == ObjectKind::kHashTable) {
        for (std::int64_t i = core::hash_capacity_raw(v); i-- > 0;) {
          if (core::hash_key_raw(v, i).is_unbound()) continue;
          pending.push_back({core::hash_value_raw(v, i), depth + 1});
          pending.push_back({core::hash_key_raw(v, i), depth + 1});
        }
      } else if (kind == ObjectKind::kArrayList) {
        for (std::int64_t i = core::array_list_length(v); i-- > 0;)
          pending.push_back({core::array_list_item(v, i), depth + 1});
      } else if (kind == ObjectKind::kHost) {
        for (int i = v.as_pointer<HostObject>()->type->slot_count; i-- > 0;)
          pending.push_back({host_slot_raw(v, i), depth + 1});
      } else {
        for (std::int64_t i = slot_count_raw(v); i-- > 0;) pending.push_back({slot_raw(v, i), depth + 1});
      }
    }
  }
}

}  // namespace neovm::elisp
