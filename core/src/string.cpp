#include "neovm/abi/string.hpp"

#include <cstring>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/text/characters.hpp"

namespace neovm {

// A function's code that was checked before it ran: frames run in it, so nobody writes to it any more.
static bool string_is_checked_code(Value s) { return string_raw(s)->header.aux != 0; }

std::uint8_t* string_data_for_write(Context& cx, Value s) {
  StringObject* o = string_raw(s);
  if (string_is_checked_code(s)) {
    error_text(cx, "Attempt to modify the code of a function");
    return nullptr;
  }
  if ((o->header.flags & (kStringSharedBody | kStringExternalBody)) != 0) {
    const Value copy = make_string_raw(cx, o->chars, o->bytes, string_multibyte(s));
    if (copy.is_exit()) return nullptr;
    std::memcpy(string_raw(copy)->data, o->data, static_cast<std::size_t>(o->bytes));
    o->data = string_raw(copy)->data;
    store(&o->body, string_raw(copy)->body);
    o->header.flags &= static_cast<std::uint8_t>(~(kStringSharedBody | kStringExternalBody));
  }
  return o->data;
}

Value string_set_contents(Context& cx, Value s, std::string_view bytes, std::int64_t chars, bool multibyte) {
  if (string_is_checked_code(s)) return error_text(cx, "Attempt to modify the code of a function");
  const Value copy = TRY(make_string_raw(cx, chars, static_cast<std::int64_t>(bytes.size()), multibyte));
  std::memcpy(string_raw(copy)->data, bytes.data(), bytes.size());
  StringObject* o = string_raw(s);
  o->data = string_raw(copy)->data;
  o->chars = chars;
  o->bytes = static_cast<std::int64_t>(bytes.size());
  o->header.flags = multibyte ? kStringMultibyte : 0;
  store(&o->body, string_raw(copy)->body);
  return s;
}

std::int64_t string_char_to_byte(Value s, std::int64_t index) {
  const StringObject* o = string_raw(s);
  if (o->chars == o->bytes) return index;
  const std::uint8_t* p = o->data;
  if (index <= o->chars / 2) {
    std::int64_t b = 0;
    while (index-- > 0) b += text::bytes_by_lead(p[b]);
    return b;
  }
  std::int64_t b = o->bytes;
  for (std::int64_t i = o->chars; i > index; --i) {
    --b;
    while (text::is_continuation(p[b])) --b;
  }
  return b;
}

std::int64_t string_byte_to_char(Value s, std::int64_t byte) {
  const StringObject* o = string_raw(s);
  return o->chars == o->bytes ? byte : text::count_chars(o->data, byte);
}

int string_char_raw(Value s, std::int64_t index) {
  const StringObject* o = string_raw(s);
  if ((o->header.flags & kStringMultibyte) == 0) return o->data[index];
  return text::decode_char(o->data + string_char_to_byte(s, index)).c;
}

bool string_equal(Value a, Value b) {
  const StringObject* x = string_raw(a);
  const StringObject* y = string_raw(b);
  if (x->chars != y->chars || x->bytes != y->bytes) return false;
  if (x->chars != x->bytes && string_multibyte(a) != string_multibyte(b)) return false;
  if (std::memcmp(x->data, y->data, static_cast<std::size_t>(x->bytes)) != 0) return false;
  if (string_multibyte(a) == string_multibyte(b)) return true;
  // Same bytes, one a character each: equal unless a unibyte byte is above ASCII.
  for (std::int64_t i = 0; i < x->bytes; ++i)
    if (x->data[i] >= 0x80) return false;
  return true;
}

std::string to_std_string(Value s) {
  const StringObject* o = string_raw(s);
  if (!string_multibyte(s) || o->chars == o->bytes) return std::string(string_view_of(s));
  std::string out;
  out.reserve(static_cast<std::size_t>(o->bytes));
  for (std::int64_t i = 0; i < o->bytes;) {
    const text::Decoded d = text::decode_char(o->data + i);
    if (text::is_raw_byte_char(d.c)) {
      out.push_back(static_cast<char>(text::char_to_raw_byte(d.c)));
    } else {
      out.append(reinterpret_cast<const char*>(o->data + i), static_cast<std::size_t>(d.bytes));
    }
    i += d.bytes;
  }
  return out;
}

}  // namespace neovm
