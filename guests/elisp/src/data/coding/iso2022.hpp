// ISO-2022: charsets designated to the registers G0..G3 by escape sequences and invoked to the left or right half.
#pragma once

#include "coding.hpp"

namespace neovm::elisp {

Maybe<bool> decode_iso2022(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out);
Maybe<bool> encode_iso2022(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out);

}  // namespace neovm::elisp
