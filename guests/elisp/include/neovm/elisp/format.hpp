// `format`, quoting style, and documentation, for C++.
#pragma once

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

// (format ARGS…) / (format-message ARGS…): args[0] is the format string.
Value format_re(Context& cx, std::span<const Value> args, bool message);

enum class QuotingStyle : std::uint8_t { kGrave, kStraight, kCurve };
QuotingStyle quoting_style(Context& cx);

// Text at FILEPOS: a position in the DOC file or (FILE . POSITION) in a compiled file; nil when there is none. With
// `definition`, the text is read as a Lisp object (lazily loaded code).
Value read_doc_string_re(Context& cx, Value filepos, bool definition);

// Brings in the code and the constants of a byte-code object whose code slot says where they are (FILE . POSITION);
// anything else stays as it is. Returns OBJECT.
Value fetch_byte_code_re(Context& cx, Value object);

}  // namespace neovm::elisp
