// Calling the guest from C++.
#pragma once

#include <initializer_list>
#include <span>

#include "neovm/abi/error.hpp"

namespace neovm {

// Calls any function value (or symbol). Runs a nested interpreter loop: use it for cold paths; hot
// higher-order primitives are resumable ops of the evaluator.
Value funcall_re(Context& cx, Value function, std::span<const Value> args);
inline Value funcall_re(Context& cx, Value function, std::initializer_list<Value> args) {
  return funcall_re(cx, function, std::span<const Value>(args.begin(), args.size()));
}
// Evaluates FORM as `eval` does; lexical nil or t (or an alist).
Value eval_form_re(Context& cx, Value form, Value lexical);
// (run-hooks HOOK) and (run-hook-with-args HOOK ARG…); nil when the hook is void or nil.
Value run_hook_re(Context& cx, Value hook);
Value run_hook_with_args_re(Context& cx, Value hook, std::span<const Value> args);

// Runs `body` and, when it signals an error whose conditions include one of `conditions` (t: any error),
// clears the pending exit, stores (SYMBOL . DATA) in *error and returns kUnbound.
Value call_catching_errors_re(Context& cx, Value conditions, Value (*body)(Context&, void*), void* data, Value* error);

// Takes over a pending exit in order to run clean-up Lisp, and puts it back. Values are traced.
struct PendingExit {
  std::uint8_t kind;
  Value tag;
  Value data;
};

}  // namespace neovm
