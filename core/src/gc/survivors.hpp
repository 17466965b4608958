// Helpers that minor and major collections share.
#pragma once

#include <cstring>

#include "gc/heap_state.hpp"

namespace neovm::core::gc {

inline ObjectHeader* forwarded_to(const ObjectHeader* h) {
  std::uint64_t to = 0;
  std::memcpy(&to, reinterpret_cast<const std::byte*>(h) + 8, sizeof(to));
  return reinterpret_cast<ObjectHeader*>(to);
}

inline void finalize_host(ObjectHeader* h) {
  auto* o = reinterpret_cast<HostObject*>(h);
  if (o->type->finalize != nullptr) o->type->finalize(static_cast<void*>(&o->slots[o->type->slot_count]));
}

// `now` is the string after the collection (null: dead). Keeps the reference while the string still uses the body.
inline void settle_external(HeapState& s, StringObject* now, ExternalBody* body) {
  if (now != nullptr && (now->header.flags & kStringExternalBody) != 0 && now->data == body->data()) {
    s.external_old.push_back({now, body});
    return;
  }
  s.external_bytes -= static_cast<std::ptrdiff_t>(body->bytes);
  release(body);
}

}  // namespace neovm::core::gc
