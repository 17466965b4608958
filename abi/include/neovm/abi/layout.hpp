// Published object layouts, and the inline accessors that read them.
//
// The collector must be able to size and trace every object without knowing what guest or host
// keeps in it, so every headed object has one of five shapes:
//   slots   header, count, Value[count]               (vector, record, byte-code, char-table, …)
//   raw     header, count, byte[count] (rounded up)   (bignum limbs, bool-vectors, string bodies)
//   float, string, symbol   fixed layouts below
//   subr    header, descriptor pointer
//   host    header, HostType*, Value[type->slot_count], byte[type->payload_bytes]   (host.hpp)
// Conses have no header: a forwarded cons holds kForward in its car and the new address in its cdr.
//
// Threads: an object belongs to one isolate and is touched only by the thread that runs it.
#pragma once

#include "neovm/abi/heap_map.hpp"
#include "neovm/abi/value.hpp"

namespace neovm {

enum class ObjectKind : std::uint8_t {
  kForwarded,  // the object moved; word 1 holds the new address
  kFloat,
  kString,
  kSymbol,
  kRawBytes,       // internal byte store: string bodies, hash indexes
  kBignum,         // raw: little-endian limbs; aux = 1 when negative
  kBoolVector,     // raw: word 0 = length in bits, then the bits, least significant first
  kInternalSlots,  // internal Value store, never seen by Lisp
  kVector,
  kRecord,
  kByteCode,
  kCharTable,
  kSubCharTable,
  kHashTable,
  kFinalizer,
  kSubr,
  kHost,
  kArrayList,  // slots: a growable list of guests other than Lisp (core/array_list.hpp)
  kCount,
};

// Flags of ObjectHeader::flags; the meaning belongs to the kind.
inline constexpr std::uint8_t kStringMultibyte = 1;
inline constexpr std::uint8_t kStringSharedBody = 2;    // copy the body before writing
inline constexpr std::uint8_t kStringExternalBody = 4;  // body is a reference-counted off-heap block
// Of strings and array lists: only one variable of a guest holds it, so `x = x + …` may grow it in place. Set by the
// instructions that make such values alone (docs/bytecode.md); without it the value never changes.
inline constexpr std::uint8_t kOneHolder = 8;
inline constexpr std::uint8_t kVectorMainObarray = 1;  // the vector that stands for the isolate's symbol table

struct ObjectHeader {
  ObjectKind kind;
  std::uint8_t flags;
  std::uint8_t aux;
  std::uint8_t gc;     // collector's own: mark, age, pinned
  std::uint32_t hash;  // identity hash, 0 until asked for
};
static_assert(sizeof(ObjectHeader) == 8);

struct Cons {
  Value car;
  Value cdr;
};
static_assert(sizeof(Cons) == 16);

struct FloatObject {
  ObjectHeader header;
  double value;
};

// Shape "slots".
struct SlotsObject {
  ObjectHeader header;
  std::uint64_t count;
  Value slots[1];  // NOLINT: trailing array
};

// Shape "raw".
struct RawObject {
  ObjectHeader header;
  std::uint64_t count;    // bytes
  std::uint8_t bytes[8];  // NOLINT: trailing array
};

// An off-heap string body, shared by isolates and never written while shared.
struct ExternalBody;

// A mutable header over a body. `data` points into `body` (a kRawBytes object) or, with
// kStringExternalBody, into an ExternalBody. The byte after the last is always 0.
struct StringObject {
  ObjectHeader header;
  std::uint8_t* data;
  std::int64_t chars;  // length in characters
  std::int64_t bytes;  // length in bytes
  Value body;          // kRawBytes object, or nil with an external body
  Value properties;    // nil, or the interval-tree object of textprop
};
static_assert(sizeof(StringObject) == 48);

// Cells of a symbol. For symbols with an id this lies in the isolate's cell chunks, otherwise it is
// the heap object itself; both are inside the heap's address range, so one barrier serves both.
struct SymbolCells {
  ObjectHeader header;
  Value value;     // redirect == kPlain: the value; kAlias: target symbol; kLocalized: default value;
                   // kBufferSlot: default value
  Value function;  // nil when void
  Value plist;
  Value name;                   // string
  Value next;                   // chain in a private obarray
  std::uint32_t value_version;  // bumped whenever the value's redirect, or a plain value under watch by a tier, changes
  std::uint32_t function_version;  // bumped by every write of the function cell
  // Bits: see SymbolFlag.
  std::uint16_t flags;
  std::uint8_t redirect;  // enum Redirect
  std::uint8_t slot;      // kBufferSlot: index into the buffer's fixed slots
  std::uint32_t name_hash;
};
static_assert(sizeof(SymbolCells) == 64);

enum Redirect : std::uint8_t { kPlain, kAlias, kLocalized, kBufferSlot };

enum SymbolFlag : std::uint16_t {
  kSymbolInterned = 1,         // in the isolate's symbol table
  kSymbolInternedPrivate = 2,  // in some other obarray
  kSymbolConstant = 4,         // nil, t: may never be set
  kSymbolKeyword = 8,          // may only be set to itself
  kSymbolSpecial = 16,         // declared special by defvar/defconst
  kSymbolWatched = 32,         // has variable watchers
  kSymbolTypeInt = 64,         // setting to a non-integer signals
  kSymbolTypeBool = 128,       // any non-nil value is stored as t
  kSymbolAutoLocal = 256,      // make-variable-buffer-local: setting makes local
  kSymbolPermanentLocal = 512,
  kSymbolTypeNumber = 1024,    // kBufferSlot type checks: integer or nil …
  kSymbolTypeString = 2048,    // … string or nil …
  kSymbolTypeSymbol = 4096,    // … symbol or nil
  kSymbolHooked = 8192,        // writes matter to the VM (quit-flag, inhibit-quit, …): see core/variable.cpp
  kSymbolAlwaysLocal = 16384,  // kBufferSlot: every buffer has its own value
};

struct SubrObject {
  ObjectHeader header;
  const struct PrimitiveDescriptor* descriptor;
};

// ---- predicates ---------------------------------------------------------------------------------

inline ObjectHeader* header_raw(Value v) { return v.as_pointer<ObjectHeader>(); }
inline bool is_kind(Value v, ObjectKind k) { return v.is_object() && header_raw(v)->kind == k; }
inline bool is_vector(Value v) { return is_kind(v, ObjectKind::kVector); }
inline bool is_record(Value v) { return is_kind(v, ObjectKind::kRecord); }
inline bool is_bignum(Value v) { return is_kind(v, ObjectKind::kBignum); }
inline bool is_bool_vector(Value v) { return is_kind(v, ObjectKind::kBoolVector); }
inline bool is_char_table(Value v) { return is_kind(v, ObjectKind::kCharTable); }
inline bool is_hash_table(Value v) { return is_kind(v, ObjectKind::kHashTable); }
inline bool is_byte_code(Value v) { return is_kind(v, ObjectKind::kByteCode); }
inline bool is_subr(Value v) { return is_kind(v, ObjectKind::kSubr); }
inline bool is_integer(Value v) { return v.is_fixnum() || is_bignum(v); }
inline bool is_number(Value v) { return is_integer(v) || v.is_float(); }

// ---- stores -------------------------------------------------------------------------------------

// Every store of a Value into heap memory goes through here (or SlotRef): it marks the card that
// holds `field`, so that a minor collection finds old objects pointing to young ones.
inline void store(Value* field, Value v) {
  *field = v;
  heap_map::mark_card(field);
}
// For freshly allocated objects that cannot be old yet, up to the next safepoint.
inline void store_init_raw(Value* field, Value v) { *field = v; }

// ---- accessors without checks ---------------------------------------------------------------------

inline Value car_raw(Value c) { return c.as_pointer<Cons>()->car; }
inline Value cdr_raw(Value c) { return c.as_pointer<Cons>()->cdr; }
inline void set_car_raw(Value c, Value v) { store(&c.as_pointer<Cons>()->car, v); }
inline void set_cdr_raw(Value c, Value v) { store(&c.as_pointer<Cons>()->cdr, v); }
inline double float_raw(Value v) { return v.as_pointer<FloatObject>()->value; }
inline SlotsObject* slots_raw(Value v) { return v.as_pointer<SlotsObject>(); }
inline RawObject* raw_bytes_raw(Value v) { return v.as_pointer<RawObject>(); }
inline std::int64_t slot_count_raw(Value v) { return static_cast<std::int64_t>(slots_raw(v)->count); }
inline Value slot_raw(Value v, std::int64_t i) { return slots_raw(v)->slots[i]; }
inline void set_slot_raw(Value v, std::int64_t i, Value x) { store(&slots_raw(v)->slots[i], x); }
inline StringObject* string_raw(Value v) { return v.as_pointer<StringObject>(); }

// car/cdr of a list: nil for nil. Precondition: is_list().
inline Value car_of_list(Value l) { return l.is_nil() ? kNil : car_raw(l); }
inline Value cdr_of_list(Value l) { return l.is_nil() ? kNil : cdr_raw(l); }

}  // namespace neovm
