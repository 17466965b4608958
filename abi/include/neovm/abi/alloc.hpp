// Making objects.
//
// Small allocations never collect and never fail (R1): a full nursery takes another block and raises
// the GC flag. Anything whose size the guest chooses may be large: those functions can fail with
// memory-full and return kExit, so TRY them (they are marked "may fail").
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "neovm/abi/layout.hpp"

namespace neovm {

Value cons(Context& cx, Value car, Value cdr);
Value make_float(Context& cx, double d);
// Lists; the span version may be any length.
Value list(Context& cx, std::initializer_list<Value> items);
Value list_from(Context& cx, std::span<const Value> items, Value tail = kNil);

// A fixnum when it fits, else a bignum.
Value make_integer(Context& cx, std::int64_t n);
Value make_unsigned(Context& cx, std::uint64_t n);

// Strings (string.hpp reads them). Contents are copied. May fail when large.
Value make_unibyte_string(Context& cx, std::string_view bytes);
// `bytes` is in the internal multibyte encoding (UTF-8 extended to 0x3FFFFF) with `chars` characters;
// chars < 0 counts them.
Value make_multibyte_string(Context& cx, std::string_view bytes, std::int64_t chars = -1);
// UTF-8 text: unibyte when it is ASCII only, multibyte otherwise. Invalid bytes become raw-byte characters.
Value make_string(Context& cx, std::string_view utf8);
// Uninitialized body of `bytes` bytes (zero-terminated); the caller fills string_data_raw() at once. Empty strings and
// vectors are shared (Isolate::empty_objects), whatever makes them: nothing may be written to them, flags included.
Value make_string_raw(Context& cx, std::int64_t chars, std::int64_t bytes, bool multibyte);

// Slots objects filled with `fill`. May fail when large.
Value make_slots(Context& cx, ObjectKind kind, std::int64_t count, Value fill);
Value make_vector(Context& cx, std::int64_t count, Value fill);
Value make_vector_from(Context& cx, std::span<const Value> items);
// Zeroed raw object of `bytes` bytes. May fail when large.
Value make_raw(Context& cx, ObjectKind kind, std::int64_t bytes);

// Signals memory-full when BYTES more would pass the isolate's memory limit: before building what is made of many small
// objects, or kept outside the heap.
[[nodiscard]] Value ensure_memory(Context& cx, std::uint64_t bytes);

// An uninterned symbol with void cells; `name` must be a string.
Value make_symbol(Context& cx, Value name);

}  // namespace neovm
