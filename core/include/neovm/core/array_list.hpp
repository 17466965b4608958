// Growable lists: what guests other than Emacs Lisp mean by a list.
//
// An array list is a kArrayList object of two slots: a kInternalSlots object with room for the items (nil while there is
// none) and the number of items. It is a value: `append` and `replace` give a list with the change and leave the one they
// were given as it was, unless that has the flag kOneHolder. Then only the variable that is being assigned to holds it
// and it is changed in place, at amortised constant cost. Strings have the same flag, see `concat_strings`.
//
// One bit instead of a count: it is set on what the functions here make, and lost for good at `share`, when a second
// holder may come to be. What is put in a list is shared in this sense, so whoever reads it there finds it without the flag.
//
// Threads: a list belongs to one isolate. No function here runs Lisp or collects; those that allocate may fail.
#pragma once

#include <span>

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"

namespace neovm::core {

enum ArrayListSlot : std::int64_t { kListItems, kListLength, kListSlotCount };

inline bool is_array_list(Value v) { return is_kind(v, ObjectKind::kArrayList); }
inline std::int64_t array_list_length(Value list) { return slot_raw(list, kListLength).as_fixnum(); }
// Precondition: 0 <= i < length.
inline Value array_list_item(Value list, std::int64_t i) { return slot_raw(slot_raw(list, kListItems), i); }

// V gets a second holder: what has the flag loses it.
inline void share(Value v) {
  if (!v.is_string() && !is_array_list(v)) return;
  ObjectHeader* h = header_raw(v);
  if ((h->flags & kOneHolder) != 0) h->flags &= static_cast<std::uint8_t>(~kOneHolder);
}
inline bool has_one_holder(Value v) { return (header_raw(v)->flags & kOneHolder) != 0; }

// With one holder. May fail when large.
Value make_array_list(Context& cx, std::span<const Value> items);
// LIST with ITEM, with the items of the list MORE (which may be LIST), with ITEM at INDEX. With `in_place` the result may
// be LIST itself, changed: then it has one holder, the variable that gets the result. On failure nothing has changed.
Value array_list_append(Context& cx, Value list, Value item, bool in_place);
Value array_list_append_all(Context& cx, Value list, Value more, bool in_place);
// Signals args-out-of-range unless INDEX, an integer, is one of an item.
Value array_list_replace(Context& cx, Value list, Value index, Value item, bool in_place);
Value array_list_at(Context& cx, Value list, Value index);

// The strings one after the other, without text properties; multibyte when one of them is. In place as above.
Value concat_strings(Context& cx, Value first, Value second, bool in_place);

}  // namespace neovm::core
