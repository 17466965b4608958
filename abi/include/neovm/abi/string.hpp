// Reading and writing strings.
//
// Encoding: unibyte strings hold bytes; multibyte ones hold characters 0..0x3FFFFF in UTF-8 extended to
// five bytes, raw bytes 0x3FFF80..0x3FFFFF as two bytes C0/C1 xx (text/characters.hpp has the codecs).
// Views and data pointers are valid until the next safepoint or re-entry, and until the string is written.
#pragma once

#include <string>
#include <string_view>

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"

namespace neovm {

inline bool string_multibyte(Value s) { return (string_raw(s)->header.flags & kStringMultibyte) != 0; }
inline std::int64_t string_chars(Value s) { return string_raw(s)->chars; }
inline std::int64_t string_bytes(Value s) { return string_raw(s)->bytes; }
inline std::string_view string_view_of(Value s) {
  const StringObject* o = string_raw(s);
  return {reinterpret_cast<const char*>(o->data), static_cast<std::size_t>(o->bytes)};
}
inline const std::uint8_t* string_data_raw(Value s) { return string_raw(s)->data; }
// For writing: makes the body private first. Precondition: byte length does not change.
std::uint8_t* string_data_for_write(Context& cx, Value s);
// Replaces the whole contents (aset that changes byte length, clear-string …). May fail when large.
Value string_set_contents(Context& cx, Value s, std::string_view bytes, std::int64_t chars, bool multibyte);

// Byte index of character `index`, and back. O(length) for multibyte non-ASCII strings.
std::int64_t string_char_to_byte(Value s, std::int64_t index);
std::int64_t string_byte_to_char(Value s, std::int64_t byte);
// Character at a character index (no bounds check); unibyte strings give the byte 0..255.
int string_char_raw(Value s, std::int64_t index);

// Content equality including multibyteness, as `string=`; text properties ignored.
bool string_equal(Value a, Value b);

// A copy in C++ memory; raw bytes of multibyte strings come out as single bytes, as when Emacs
// encodes for a system call.
std::string to_std_string(Value s);

// Name of a symbol, as a view / as a string object.
std::string_view symbol_name_view(Context& cx, Value symbol);
Value symbol_name(Context& cx, Value symbol);

// Interning in the isolate's symbol table. `name` in internal multibyte encoding.
Value intern(Context& cx, std::string_view name);
// kUnbound when there is none.
Value intern_soft(Context& cx, std::string_view name);

}  // namespace neovm
