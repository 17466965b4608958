#include <bit>
#include <cstring>

#include "neovm/abi/api.hpp"
#include "neovm/core/array_list.hpp"
#include "neovm/core/op_families.hpp"

namespace neovm::core {

namespace {

bool as_int64(Value v, std::int64_t* n) {
  if (v.is_fixnum()) {
    *n = v.as_fixnum();
    return true;
  }
  if (!is_bignum(v) || raw_bytes_raw(v)->count != sizeof(std::uint64_t)) return false;
  std::uint64_t magnitude = 0;
  std::memcpy(&magnitude, raw_bytes_raw(v)->bytes, sizeof magnitude);
  const bool negative = header_raw(v)->aux != 0;
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 63;
  if (magnitude > kLeast || (magnitude == kLeast && !negative)) return false;
  *n = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

ExitTag not_int64(Context& cx, Value v) { return wrong_type(cx, intern(cx, "int64p"), v); }

std::int64_t wrapped(std::uint64_t n) { return static_cast<std::int64_t>(n); }

}  // namespace

bool int64_operands(Context& cx, Value a, Value b, std::int64_t* x, std::int64_t* y) {
  if (!as_int64(a, x)) {
    not_int64(cx, a);
    return false;
  }
  if (!as_int64(b, y)) {
    not_int64(cx, b);
    return false;
  }
  return true;
}

Value int64_arithmetic(Context& cx, IntOp op, Value a, Value b) {
  std::int64_t x = 0;
  std::int64_t y = 0;
  if (!int64_operands(cx, a, b, &x, &y)) return kExit;
  const auto u = static_cast<std::uint64_t>(x);
  const auto w = static_cast<std::uint64_t>(y);
  std::int64_t r = 0;
  bool overflows = false;
  switch (op) {
    case IntOp::kAdd: r = wrapped(u + w); break;
    case IntOp::kSub: r = wrapped(u - w); break;
    case IntOp::kMul: r = wrapped(u * w); break;
    case IntOp::kAddChecked: overflows = __builtin_add_overflow(x, y, &r); break;
    case IntOp::kSubChecked: overflows = __builtin_sub_overflow(x, y, &r); break;
    case IntOp::kMulChecked: overflows = __builtin_mul_overflow(x, y, &r); break;
    case IntOp::kDiv:
    case IntOp::kRem:
      if (y == 0) return signal_error0(cx, Qarith_error);
      overflows = x == INT64_MIN && y == -1;
      if (!overflows) r = op == IntOp::kDiv ? x / y : x % y;
      break;
  }
  if (overflows) return signal_error0(cx, Qoverflow_error);
  return make_integer(cx, r);
}

ExitTag not_floats(Context& cx, Value a, Value b) { return wrong_type(cx, Qfloatp, a.is_float() ? b : a); }

Value dynamic_arithmetic(Context& cx, DynamicOp op, Value a, Value b, bool in_place) {
  if (is_integer(a) && is_integer(b)) {
    constexpr IntOp kInts[] = {IntOp::kAdd, IntOp::kSub, IntOp::kMul};
    return int64_arithmetic(cx, kInts[static_cast<unsigned>(op)], a, b);
  }
  if (is_number(a)) {
    if (!is_number(b)) return wrong_type(cx, Qnumberp, b);
    double d[2] = {};
    const Value operands[2] = {a, b};
    for (int i = 0; i < 2; ++i) {
      std::int64_t n = 0;
      if (operands[i].is_float()) {
        d[i] = float_raw(operands[i]);
      } else if (as_int64(operands[i], &n)) {
        d[i] = static_cast<double>(n);
      } else {
        return not_int64(cx, operands[i]);
      }
    }
    switch (op) {
      case DynamicOp::kPlus: return make_float(cx, d[0] + d[1]);
      case DynamicOp::kMinus: return make_float(cx, d[0] - d[1]);
      case DynamicOp::kTimes: return make_float(cx, d[0] * d[1]);
    }
  }
  if (op != DynamicOp::kPlus) return wrong_type(cx, Qnumberp, a);
  if (a.is_string()) return b.is_string() ? concat_strings(cx, a, b, in_place) : wrong_type(cx, Qstringp, b);
  if (!is_array_list(a)) return wrong_type(cx, intern(cx, "addable-p"), a);
  if (!is_array_list(b)) return wrong_type(cx, intern(cx, "array-list-p"), b);
  return array_list_append_all(cx, a, b, in_place);
}

}  // namespace neovm::core
