// What the instructions mean by which guests differ: truth, equality, arithmetic. The register loop does what is frequent in
// line and leaves the rest to these functions. A guest's compiler picks the instructions; nothing is asked at run time.
//
// None of these runs Lisp or collects. Those that return a Value or a Maybe may record an error.
//
// Numbers: an integer of these guests has 64 bits. It is a fixnum, or a bignum of one limb in the range of int64; any other
// bignum, and everything else, is a type error (int64p).
#pragma once

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"
#include "neovm/core/bytecode/code.hpp"

namespace neovm::core {

// ---- truth ----

// nil, zero of any type, and strings, vectors, bool-vectors, hash tables and array lists with nothing in them. NaN is not.
bool is_empty_object(Value v);
inline bool is_empty(Value v) { return v.is_fixnum() ? v == Value::fixnum(0) : v.is_nil() || is_empty_object(v); }

// ---- equality ----

// Equality of contents. Numbers are compared by value, exactly, whatever their types; a NaN differs from everything, itself
// included, wherever it is. Strings by characters, conses, vectors, records, bool-vectors and array lists element by element,
// hash tables with a standard test by their keys and values. Anything else, functions among them, by identity. Whether two
// holders have one object or equal copies makes no difference. Structures that contain themselves are the same when no path
// leads to a difference. Takes memory outside the heap, no native stack; may fail with a quit.
Maybe<bool> same_contents(Context& cx, Value a, Value b);

// ---- integers of 64 bits ----

enum class IntOp : std::uint8_t { kAdd, kSub, kMul, kAddChecked, kSubChecked, kMulChecked, kDiv, kRem };
// kDiv and kRem truncate: arith-error for a divisor of zero, overflow-error for the least integer by -1, as for what is
// checked and does not fit.
Value int64_arithmetic(Context& cx, IntOp op, Value a, Value b);
// False: a type error is recorded.
bool int64_operands(Context& cx, Value a, Value b, std::int64_t* x, std::int64_t* y);

template <class T>
bool relation_holds(unsigned relation, T x, T y) {
  using bytecode::Relation;
  switch (static_cast<Relation>(relation)) {
    case Relation::kEqual: return x == y;
    case Relation::kNotEqual: return x != y;
    case Relation::kLess: return x < y;
    case Relation::kLessEqual: return x <= y;
    case Relation::kNotLess: return !(x < y);
    case Relation::kNotLessEqual: return !(x <= y);
  }
  __builtin_unreachable();
}

// ---- floats ----

// An operand of float arithmetic is none: signals (wrong-type-argument floatp V).
ExitTag not_floats(Context& cx, Value a, Value b);

// ---- dynamic types ----

enum class DynamicOp : std::uint8_t { kPlus, kMinus, kTimes };
// Integers (wrapping round at 64 bits), floats, or one of each, which makes a float. kPlus also takes two strings or two
// array lists, and may change A itself when `in_place` (array_list.hpp). Otherwise a type error, which names what would have
// fitted A; when A fits nothing, (wrong-type-argument addable-p A) or numberp.
Value dynamic_arithmetic(Context& cx, DynamicOp op, Value a, Value b, bool in_place);

// ---- lists ----

// Signal (wrong-type-argument array-list-p V) for anything but array lists.
Value list_with_item(Context& cx, Value list, Value item, bool in_place);
Value list_with_item_at(Context& cx, Value list, Value index, Value item);  // in place
Value list_item_at(Context& cx, Value list, Value index);
// Items of an array list or a vector, characters of a string, entries of a hash table.
Value length_of_contents(Context& cx, Value v);

}  // namespace neovm::core
