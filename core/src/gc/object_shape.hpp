// Size and fields of every object: the one place where the collector knows layouts.
#pragma once

#include "neovm/abi/host.hpp"
#include "neovm/abi/layout.hpp"

namespace neovm::core::gc {

enum class Shape : std::uint8_t { kNone, kFloat, kString, kSymbol, kRaw, kSlots, kSubr, kHost };

inline constexpr Shape kShapes[] = {
    Shape::kNone,    // kForwarded
    Shape::kFloat,   // kFloat
    Shape::kString,  // kString
    Shape::kSymbol,  // kSymbol
    Shape::kRaw,     // kRawBytes
    Shape::kRaw,     // kBignum
    Shape::kRaw,     // kBoolVector
    Shape::kSlots,   // kInternalSlots
    Shape::kSlots,   // kVector
    Shape::kSlots,   // kRecord
    Shape::kSlots,   // kByteCode
    Shape::kSlots,   // kCharTable
    Shape::kSlots,   // kSubCharTable
    Shape::kSlots,   // kHashTable
    Shape::kSlots,   // kFinalizer
    Shape::kSubr,    // kSubr
    Shape::kHost,    // kHost
    Shape::kSlots,   // kArrayList
};
static_assert(sizeof(kShapes) == static_cast<std::size_t>(ObjectKind::kCount));

inline Shape shape_of(const ObjectHeader* h) { return kShapes[static_cast<std::size_t>(h->kind)]; }

inline std::size_t round_up(std::size_t bytes) { return (bytes + 15) & ~std::size_t{15}; }

// Bytes of a (not forwarded) object, rounded up to a granule.
inline std::size_t size_of(const ObjectHeader* h) {
  switch (shape_of(h)) {
    case Shape::kFloat: return sizeof(FloatObject);
    case Shape::kString: return sizeof(StringObject);
    case Shape::kSymbol: return sizeof(SymbolCells);
    case Shape::kRaw: return round_up(16 + reinterpret_cast<const RawObject*>(h)->count);
    case Shape::kSlots: return 16 + round_up(reinterpret_cast<const SlotsObject*>(h)->count * sizeof(Value));
    case Shape::kSubr: return sizeof(SubrObject);
    case Shape::kHost: {
      const HostType* type = reinterpret_cast<const HostObject*>(h)->type;
      return round_up(16 + type->slot_count * sizeof(Value) + type->payload_bytes);
    }
    case Shape::kNone: break;
  }
  return 0;
}
static_assert(sizeof(StringObject) % 16 == 0 && sizeof(SymbolCells) % 16 == 0 && sizeof(SubrObject) == 16);

// A word whose tag fits the object.
inline Value value_of(const ObjectHeader* h) {
  switch (h->kind) {
    case ObjectKind::kFloat: return Value::pointer(h, Tag::kFloat);
    case ObjectKind::kString: return Value::pointer(h, Tag::kString);
    case ObjectKind::kSymbol: return Value::pointer(h, Tag::kSymbol);
    default: return Value::pointer(h, Tag::kObject);
  }
}

// A string's `data` is an address inside its body; this keeps it right when the body moves.
template <class Visit>
void visit_string(StringObject* s, Visit&& visit) {
  if (s->body.is_heap()) {
    const std::uint64_t before = s->body.bits();
    visit(&s->body);
    s->data += s->body.bits() - before;
  }
  visit(&s->properties);
}

template <class Visit>
void visit_cells(SymbolCells* c, Visit&& visit) {
  visit(&c->value);
  visit(&c->function);
  visit(&c->plist);
  visit(&c->name);
  visit(&c->next);
}

// Calls visit(Value*) for each field in the heap. What a host object keeps elsewhere (HostType::trace) is
// the caller's business.
template <class Visit>
void visit_fields(ObjectHeader* h, Visit&& visit) {
  switch (shape_of(h)) {
    case Shape::kString: visit_string(reinterpret_cast<StringObject*>(h), visit); break;
    case Shape::kSymbol: visit_cells(reinterpret_cast<SymbolCells*>(h), visit); break;
    case Shape::kSlots: {
      auto* o = reinterpret_cast<SlotsObject*>(h);
      Value* const end = o->slots + o->count;
      for (Value* p = o->slots; p < end; ++p) visit(p);
      break;
    }
    case Shape::kHost: {
      auto* o = reinterpret_cast<HostObject*>(h);
      for (int i = 0; i < o->type->slot_count; ++i) visit(&o->slots[i]);
      break;
    }
    case Shape::kNone:
    case Shape::kFloat:
    case Shape::kRaw:
    case Shape::kSubr: break;
  }
}

}  // namespace neovm::core::gc
