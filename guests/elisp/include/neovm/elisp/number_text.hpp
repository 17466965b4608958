// Numbers from text and back, as the reader, the printer and `format` need them.
#pragma once

#include <string>
#include <string_view>

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

// Reads the longest number at the start of `text` (ASCII): kUnbound when there is none, kExit on overflow-error.
// `*consumed` is the number of bytes that belong to it. With base 10 floats are read too.
Value parse_number(Context& cx, std::string_view text, int base, std::size_t* consumed);

// Shortest digits that read back as the same float, in Emacs's style ("1.0", "1e+20", "-1.0e+INF", "0.0e+NaN").
std::string shortest_float(double d);
// As the printer does: honours `float-output-format`.
std::string float_to_string(Context& cx, double d);
// Number as `number-to-string` shows it. Precondition: is_number(v).
std::string number_to_string(Context& cx, Value v);

}  // namespace neovm::elisp
