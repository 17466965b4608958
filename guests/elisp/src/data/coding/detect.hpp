// What bytes look like, for detection.
#pragma once

#include <string_view>

#include "coding.hpp"

namespace neovm::elisp {

struct ByteFacts {
  bool eight_bit = false;  // some byte is above ASCII
  bool c1 = false;         // some byte is 0x80..0x9F
  bool utf8 = false;       // all of it is UTF-8
  bool null = false;       // there is a null byte (and it matters)
  bool escape = false;     // there is an escape sequence of ISO-2022 (and it matters)
};
ByteFacts survey(std::string_view source, bool null_matters, bool escape_matters);
// Can the bytes be text in this coding system?
Maybe<bool> may_be(Context& cx, const CodingSystem& candidate, const ByteFacts& facts, std::string_view source);

}  // namespace neovm::elisp
