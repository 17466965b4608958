// A view of text that may be split by a gap.
//
// Strings are one span, buffers two. Positions are byte offsets from the start of the view; every
// algorithm over text (regular expressions, syntax scanning, searches) is written once, against this.
// The view borrows: it is valid until the text is changed or a safepoint is passed.
#pragma once

#include <cstdint>

#include "neovm/text/characters.hpp"

namespace neovm::text {

struct Cursor {
  const std::uint8_t* first = nullptr;  // bytes [0, first_bytes)
  std::int64_t first_bytes = 0;
  const std::uint8_t* second = nullptr;  // bytes [first_bytes, first_bytes + second_bytes)
  std::int64_t second_bytes = 0;
  bool multibyte = false;

  [[nodiscard]] std::int64_t size() const { return first_bytes + second_bytes; }
  [[nodiscard]] const std::uint8_t* at(std::int64_t byte) const {
    return byte < first_bytes ? first + byte : second + (byte - first_bytes);
  }
  [[nodiscard]] std::uint8_t byte(std::int64_t i) const { return *at(i); }
  // Character that starts at byte `i` < size(). A gap never splits a character. Unibyte text gives bytes 0..255.
  [[nodiscard]] Decoded char_at(std::int64_t i) const {
    const std::uint8_t* p = at(i);
    if (!multibyte) return {*p, 1};
    return decode_char(p);
  }
  [[nodiscard]] std::int64_t next(std::int64_t i) const { return i + (multibyte ? bytes_by_lead(byte(i)) : 1); }
  // Start of the character before byte `i` > 0.
  [[nodiscard]] std::int64_t previous(std::int64_t i) const {
    --i;
    if (multibyte)
      while (i > 0 && is_continuation(byte(i))) --i;
    return i;
  }
  [[nodiscard]] Decoded char_before(std::int64_t i) const {
    const std::int64_t p = previous(i);
    return char_at(p);
  }
};

}  // namespace neovm::text
