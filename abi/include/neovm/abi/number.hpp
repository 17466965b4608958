// Numbers as arguments.
#pragma once

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"

namespace neovm {

// Value of an integer argument, fixnum or bignum clamped to the int64 range; signals
// (wrong-type-argument integerp V) otherwise.
Maybe<std::int64_t> integer_clamped(Context& cx, Value v);
// Fixnum or wrong-type-argument fixnump.
Maybe<std::int64_t> fixnum_argument(Context& cx, Value v);
// Integer or marker (integer-or-marker-p), as a position: a bignum counts as the fixnum nearest to it.
Maybe<std::int64_t> position_argument(Context& cx, Value v);
// Character 0..0x3FFFFF or wrong-type-argument characterp.
Maybe<int> character_argument(Context& cx, Value v);
inline constexpr int kMaxCharacter = 0x3FFFFF;
inline bool is_character(Value v) { return v.is_fixnum() && v.bits() <= Value::fixnum(kMaxCharacter).bits(); }
// Any number as a double (numberp).
Maybe<double> number_as_double(Context& cx, Value v);
// Numeric comparison of two numbers (no markers): -1, 0, 1, or 2 when unordered (NaN).
int compare_numbers_raw(Value a, Value b);

}  // namespace neovm
