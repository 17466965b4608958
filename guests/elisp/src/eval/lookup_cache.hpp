// Inline caches of `gethash`: where in its table a key was found.
//
// A site remembers up to four places (entry numbers) and looks there first; a fifth makes it megamorphic, and it asks the
// isolate's LookupHints, which are found by table and key. What is remembered is a hint and nothing more: a place is good when
// the key that lies there now is the very key that is looked for. So nothing has to be invalidated, whatever is done to
// the table, and one place serves any number of tables that were filled in the same order (the slot tables of classes,
// the method tables of generic functions).
//
// "The very key" decides where `eq` keys are the same to the test and a key's hash cannot change: any key of eq and eql
// tables; numbers and symbols in equal tables. Strings and lists go the whole way, and so do keys that are not there.
#pragma once

#include <array>
#include <cstdint>

#include "eval/tiers.hpp"
#include "neovm/core/hash_chains.hpp"

namespace neovm::elisp {

// Does finding this very key at a place of a table with TEST, not the user's own, say that `gethash` finds it?
inline bool identity_decides(HashTest test, Value key) {
  return test != HashTest::kEqual || !key.is_heap() || key.has_tag(Tag::kSymbol) || key.is_float();
}

// The rest of look_up.
Value look_up_further(Context& cx, LookupHints& hints, CallCache* c, Value table, Value key, bool* missed);

// The value of KEY in TABLE, which has a standard test; kUnbound when there is none, kExit when `equal` fails. *missed: the site's own
// places did not have it.
inline Value look_up(Context& cx, LookupHints& hints, CallCache* c, Value table, Value key, bool* missed) {
  *missed = false;
  const Value entries = slot_raw(table, core::kHashEntries);
  if (entries.is_nil()) return kUnbound;
  const std::int64_t at = 2 * std::int64_t{c->places[0]};
  if (at < slot_count_raw(entries) && slot_raw(entries, at) == key && identity_decides(core::hash_test_raw(table), key))
      [[likely]]
    return slot_raw(entries, at + 1);
  if (c->places[0] == kMegamorphic && slot_count_raw(entries) > 2 * std::int64_t{LookupHints::kLargestTable}) {
    *missed = true;
    return hash_table_get(cx, table, key);
  }
  return look_up_further(cx, hints, c, table, key, missed);
}

inline SiteState lookup_state(const CallCache& c) {
  if (c.places[0] == kNoPlace) return SiteState::kEmpty;
  if (c.places[0] == kMegamorphic) return SiteState::kMega;
  return c.places[1] == kNoPlace ? SiteState::kMono : SiteState::kPoly;
}

}  // namespace neovm::elisp
