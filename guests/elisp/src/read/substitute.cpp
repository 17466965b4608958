// Resolving #N# references to objects that were not complete yet (lread.c:lread--substitute-object-in-subtree).
//
// Walks with its own stack and a set of what it has seen, so cycles and depth are no matter. Nothing here reaches a
// safepoint, so plain addresses may serve as keys.
#include <unordered_set>
#include <vector>

#include "reader.hpp"

namespace neovm::elisp {

void substitute_object(Context& cx, Value tree, Value object, Value placeholder) {
  std::unordered_set<std::uint64_t> seen;
  std::vector<Value> pending{tree};
  const auto visit = [&](Value* slot) {
    if (*slot == placeholder) {
      store(slot, object);
    } else if (slot->is_cons() || slot->is_object() || (slot->is_string() && !string_raw(*slot)->properties.is_nil())) {
      pending.push_back(*slot);
    }
  };
  while (!pending.empty()) {
    const Value v = pending.back();
    pending.pop_back();
    if (!v.is_cons() && !v.is_string() && !v.is_object()) continue;
    if (!seen.insert(v.bits()).second) continue;
    if (v.is_cons()) {
      visit(&v.as_pointer<Cons>()->car);
      visit(&v.as_pointer<Cons>()->cdr);
      continue;
    }
    if (v.is_string()) {
      const HostHooks& hooks = host_hooks(cx);
      if (hooks.string_property_intervals == nullptr) continue;
      // The property lists are shared with the string, so writing into their conses is enough.
      for (Value l = hooks.string_property_intervals(cx, v); l.is_cons(); l = cdr_raw(l)) {
        const Value rest = cdr_of_list(cdr_of_list(car_raw(l)));
        if (rest.is_cons() && car_raw(rest).is_cons()) pending.push_back(car_raw(rest));
      }
      continue;
    }
    switch (header_raw(v)->kind) {
      case ObjectKind::kVector:
      case ObjectKind::kRecord:
      case ObjectKind::kByteCode:
      case ObjectKind::kCharTable:
      case ObjectKind::kSubCharTable: {
        SlotsObject* o = slots_raw(v);
        for (std::uint64_t i = 0; i < o->count; ++i) visit(&o->slots[i]);
        break;
      }
      default: break;
    }
  }
}

NEOVM_PRIMITIVE(substitute_object_in_subtree, "lread--substitute-object-in-subtree", 3, 3, kWorkerSafe, kStateWrite,
                kMayGc, kNoReentry, kDeterministic,
                "Replace every reference to PLACEHOLDER in the structure OBJECT is part of by OBJECT itself.")
(Context& cx, Value object, Value placeholder, Value completed) {
  (void)completed;  // t or a table of finished objects: only a shortcut
  substitute_object(cx, object, object, placeholder);
  return kNil;
}

}  // namespace neovm::elisp
