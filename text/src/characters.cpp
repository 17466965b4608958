#include "neovm/text/characters.hpp"

namespace neovm::text {

int valid_sequence_length(const std::uint8_t* p, std::int64_t n, bool internal) {
  if (n <= 0) return 0;
  const unsigned a = p[0];
  if (a < 0x80) return 1;
  if (a < 0xC0) return 0;
  const int length = bytes_by_lead(p[0]);
  if (length > n) return 0;
  for (int i = 1; i < length; ++i)
    if (!is_continuation(p[i])) return 0;
  if (a < 0xC2) return internal ? 2 : 0;  // raw byte, or an overlong form in strict UTF-8
  if (a > 0xF8) return 0;
  const Decoded d = decode_char(p);
  if (char_bytes(d.c) != length) return 0;  // overlong
  if (!internal && (d.c > kMaxUnicode || (d.c >= 0xD800 && d.c < 0xE000))) return 0;
  return length;
}

}  // namespace neovm::text
