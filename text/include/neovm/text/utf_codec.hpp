// UTF-8 and UTF-16 to the internal encoding and back. Pure functions over bytes: no isolate, no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace neovm::text {

// Appends `source` decoded as UTF-8 to `out`; bytes that are not UTF-8 (surrogates are not, code points up to
// 0x3FFF7F are, as the internal encoding extends UTF-8) become raw-byte characters. Returns the number of characters.
std::int64_t decode_utf8(std::string_view source, std::string* out);
// Appends internal text encoded as UTF-8: raw-byte characters give their byte, everything else its own encoding.
void encode_utf8(std::string_view internal, std::string* out);

// UTF-16 without signature. A lone surrogate, or a byte left over, gives one character for each byte.
std::int64_t decode_utf16(std::string_view source, bool big, std::string* out);
// Characters that UTF-16 cannot hold become `substitute`.
void encode_utf16(std::string_view internal, bool big, int substitute, std::string* out);

}  // namespace neovm::text
