// Characters and their internal encoding.
//
// A character is 0..0x3FFFFF: Unicode up to 0x10FFFF, Emacs's extension up to 0x3FFF7F, and raw bytes
// 0x80..0xFF as 0x3FFF80..0x3FFFFF. Multibyte text is UTF-8 extended to five bytes (lead F8), except
// that raw bytes take two: C0/C1 followed by a continuation byte. Surrogates are ordinary characters.
#pragma once

#include <cstdint>

namespace neovm::text {

inline constexpr int kMaxUnicode = 0x10FFFF;
inline constexpr int kMax5Byte = 0x3FFF7F;
inline constexpr int kMaxChar = 0x3FFFFF;
inline constexpr int kMaxBytesPerChar = 5;

constexpr bool is_raw_byte_char(int c) { return c > kMax5Byte; }
constexpr int raw_byte_to_char(unsigned b) { return b < 0x80 ? static_cast<int>(b) : static_cast<int>(b) + 0x3FFF00; }
constexpr int char_to_raw_byte(int c) { return c - 0x3FFF00; }

constexpr int char_bytes(int c) {
  if (c < 0x80) return 1;
  if (c < 0x800) return 2;
  if (c < 0x10000) return 3;
  if (c < 0x200000) return 4;
  return c <= kMax5Byte ? 5 : 2;
}

// Writes the encoding of `c` to `p` (room for 5) and returns its length.
inline int encode_char(int c, std::uint8_t* p) {
  const auto u = static_cast<unsigned>(c);
  if (u < 0x80) {
    p[0] = static_cast<std::uint8_t>(u);
    return 1;
  }
  if (is_raw_byte_char(c)) {
    const unsigned b = static_cast<unsigned>(char_to_raw_byte(c));
    p[0] = static_cast<std::uint8_t>(0xC0 | ((b >> 6) & 1));
    p[1] = static_cast<std::uint8_t>(0x80 | (b & 0x3F));
    return 2;
  }
  if (u < 0x800) {
    p[0] = static_cast<std::uint8_t>(0xC0 | (u >> 6));
    p[1] = static_cast<std::uint8_t>(0x80 | (u & 0x3F));
    return 2;
  }
  if (u < 0x10000) {
    p[0] = static_cast<std::uint8_t>(0xE0 | (u >> 12));
    p[1] = static_cast<std::uint8_t>(0x80 | ((u >> 6) & 0x3F));
    p[2] = static_cast<std::uint8_t>(0x80 | (u & 0x3F));
    return 3;
  }
  if (u < 0x200000) {
    p[0] = static_cast<std::uint8_t>(0xF0 | (u >> 18));
    p[1] = static_cast<std::uint8_t>(0x80 | ((u >> 12) & 0x3F));
    p[2] = static_cast<std::uint8_t>(0x80 | ((u >> 6) & 0x3F));
    p[3] = static_cast<std::uint8_t>(0x80 | (u & 0x3F));
    return 4;
  }
  p[0] = 0xF8;
  p[1] = static_cast<std::uint8_t>(0x80 | ((u >> 18) & 0x0F));
  p[2] = static_cast<std::uint8_t>(0x80 | ((u >> 12) & 0x3F));
  p[3] = static_cast<std::uint8_t>(0x80 | ((u >> 6) & 0x3F));
  p[4] = static_cast<std::uint8_t>(0x80 | (u & 0x3F));
  return 5;
}

// Length of the character that starts with `lead` in valid internal text.
constexpr int bytes_by_lead(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF8 ? 4 : 5;
}

struct Decoded {
  int c;
  int bytes;
};
// Precondition: `p` is at the start of a character of valid internal text.
inline Decoded decode_char(const std::uint8_t* p) {
  const unsigned a = p[0];
  if (a < 0x80) return {static_cast<int>(a), 1};
  if (a < 0xE0) {
    if (a < 0xC2) return {raw_byte_to_char(0x80U | ((a & 1) << 6) | (p[1] & 0x3FU)), 2};
    return {static_cast<int>(((a & 0x1F) << 6) | (p[1] & 0x3FU)), 2};
  }
  if (a < 0xF0) return {static_cast<int>(((a & 0x0F) << 12) | ((p[1] & 0x3FU) << 6) | (p[2] & 0x3FU)), 3};
  if (a < 0xF8)
    return {static_cast<int>(((a & 0x07) << 18) | ((p[1] & 0x3FU) << 12) | ((p[2] & 0x3FU) << 6) | (p[3] & 0x3FU)), 4};
  return {static_cast<int>(((p[1] & 0x3FU) << 18) | ((p[2] & 0x3FU) << 12) | ((p[3] & 0x3FU) << 6) | (p[4] & 0x3FU)),
          5};
}

constexpr bool is_continuation(std::uint8_t b) { return (b & 0xC0) == 0x80; }

// Characters in `n` bytes of valid internal text.
inline std::int64_t count_chars(const std::uint8_t* p, std::int64_t n) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += !is_continuation(p[i]);
  return count;
}

// Length of the valid internal (`internal` = true) or strict Unicode UTF-8 sequence at p[0..n); 0 when invalid.
int valid_sequence_length(const std::uint8_t* p, std::int64_t n, bool internal);

}  // namespace neovm::text
