// Between bytes of files and processes and Lisp text.
//
// UTF-8 and raw text, which is nearly everything, are converted here without Lisp; other coding systems go
// through decode-coding-string and encode-coding-string.
#pragma once

#include <string>
#include <string_view>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

enum class Eol : std::uint8_t { kUndecided, kUnix, kDos, kMac };

struct Decoded {
  neovm::Value text;    // a Lisp string, multibyte unless `multibyte` was false
  neovm::Value coding;  // what was really used: last-coding-system-used
};

// Decodes by CODING (nil: undecided). With `multibyte` false the target is unibyte: only line ends change.
neovm::Maybe<Decoded> decode_bytes_re(neovm::Context& cx, std::string_view bytes, neovm::Value coding, bool multibyte);

// The same for a large text, which stays where it is when that takes no Lisp: then `text` is unbound, and *bytes hold the
// text as a buffer of that kind has it.
neovm::Maybe<Decoded> decode_in_place_re(neovm::Context& cx, std::string* bytes, neovm::Value coding, bool multibyte);

// Encodes a Lisp string by CODING (nil: as it is, internal UTF-8).
neovm::Maybe<std::string> encode_string_re(neovm::Context& cx, neovm::Value string, neovm::Value coding);

// NAME without -unix, -dos, -mac, and that ending.
std::string_view coding_base(std::string_view name, Eol* eol);

}  // namespace neomacs::host
