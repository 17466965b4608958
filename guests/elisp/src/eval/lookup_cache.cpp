#include "eval/lookup_cache.hpp"

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

Value look_up_further(Context& cx, LookupHints& hints, CallCache* c, Value table, Value key, bool* missed) {
  const Value entries = slot_raw(table, core::kHashEntries);
  const bool mega = c->places[0] == kMegamorphic;
  const HashTest test = core::hash_test_raw(table);
  const bool decides = identity_decides(test, key);
  std::uint16_t* hint = nullptr;
  if (decides && !mega) {
    for (int i = 1; i < kPlaces && c->places[i] != kNoPlace; ++i) {
      const std::int64_t at = 2 * std::int64_t{c->places[i]};
      if (at < slot_count_raw(entries) && slot_raw(entries, at) == key) return slot_raw(entries, at + 1);
    }
  } else if (decides) {
    hint = &hints.place_for(table, key);
    const std::int64_t at = 2 * std::int64_t{*hint};
    if (at < slot_count_raw(entries) && slot_raw(entries, at) == key) {
      *missed = true;  // a probe that is found is one that a site of few shapes would not have made
      return slot_raw(entries, at + 1);
    }
  }
  *missed = true;
  const std::int64_t i = TRY(core::find_entry(cx, table, key, core::hash_for_test(cx, test, key)));
  if (i < 0) return kUnbound;
  if (decides && i < kMegamorphic) {
    const auto place = static_cast<std::uint16_t>(i);
    if (hint != nullptr) {
      *hint = place;
    } else if (!mega) {
      int free = 0;
      while (free < kPlaces && c->places[free] != kNoPlace) ++free;
      if (free < kPlaces) {
        c->places[free] = place;
      } else {
        c->places[0] = kMegamorphic;
      }
    }
  }
  return core::hash_value_raw(table, i);
}

}  // namespace neovm::elisp
