// How the arguments of a call of byte-code become its parameters.
#include "eval/machine.hpp"
#include "eval/register_calls.hpp"
#include "eval/tiers.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

Value stack_code_arity_error(Context& cx, std::int64_t shape, std::uint32_t n) {
  // The maximum is that of the named parameters, even with a rest parameter.
  const Value range = cons(cx, Value::fixnum(shape & 127), Value::fixnum(shape >> 8));
  return signal_error2(cx, Qwrong_number_of_arguments, range, Value::fixnum(n));
}

Value bind_dynamic_parameters(Context& cx, Value function, Value params, Value* args, std::uint32_t n) {
  std::uint32_t i = 0;
  bool optional = false;
  bool rest = false;
  for (; params.is_cons(); params = cdr_raw(params)) {
    const Value p = car_raw(params);
    if (!p.is_symbol()) return signal_error1(cx, Qinvalid_function, function);
    if (p == Qand_rest) {
      rest = true;
    } else if (p == Qand_optional) {
      optional = true;
    } else if (rest) {
      Value l = kNil;
      for (std::uint32_t k = n; k > i; --k) l = cons(cx, args[k - 1], l);
      i = n;
      TRY(bind_variable_re(cx, p, l));
    } else if (i < n) {
      TRY(bind_variable_re(cx, p, args[i++]));
    } else if (optional) {
      TRY(bind_variable_re(cx, p, kNil));
    } else {
      return signal_error2(cx, Qwrong_number_of_arguments, function, Value::fixnum(n));
    }
  }
  if (i < n) return signal_error2(cx, Qwrong_number_of_arguments, function, Value::fixnum(n));
  return kNil;
}

Value bind_registers(Context& cx, Frame* f, const FunctionState& s) {
  Value* const regs = f->above();
  Value* const args = f->below();
  const std::uint32_t n = f->n;
  if (regs + s.registers + n + kHeadroom > cx.stack_limit) {
    stack_exceeded(cx);
    return kExit;
  }
  const std::uint32_t named = s.parameters - (s.rest ? 1 : 0);
  if (!s.dynamic && (n < s.mandatory || (!s.rest && n > s.parameters)))
    return stack_code_arity_error(cx, slot_raw(f->fn, 0).as_fixnum(), n);
  std::fill(regs, regs + s.registers, kNil);
  cx.sp = regs + s.registers;
  if (s.dynamic) return bind_dynamic_parameters(cx, f->fn, slot_raw(f->fn, 0), args, n);
  for (std::uint32_t i = 0; i < named && i < n; ++i) regs[i] = args[i];
  if (s.rest) {
    Value rest = kNil;
    for (std::uint32_t k = n; k > named; --k) rest = cons(cx, args[k - 1], rest);
    regs[named] = rest;
  }
  return kNil;
}

}  // namespace neovm::elisp
