// Reading and binding variables from C++.
#pragma once

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"
#include "neovm/abi/symbols.hpp"

namespace neovm {

// Current value (dynamic binding, buffer-local value, alias followed); kUnbound when void.
Value variable_value(Context& cx, Value symbol);
// As `symbol-value`: signals void-variable.
Value variable_value_checked(Context& cx, Value symbol);
inline bool variable_true(Context& cx, Value symbol) {
  const Value v = variable_value(cx, symbol);
  return v.truthy() && !v.is_unbound();
}
// As `set`: honours constants, types, aliases, buffer-local rules and watchers. Watchers are Lisp, hence _re.
Value set_variable_re(Context& cx, Value symbol, Value v);
Value default_value(Context& cx, Value symbol);  // kUnbound when void
Value set_default_re(Context& cx, Value symbol, Value v);

// Dynamic binding as `let` does it (TRY it: constants and watchers may signal). C++ code may leave the
// binding to the call boundary, or pop it with unbind_to.
Value bind_variable_re(Context& cx, Value symbol, Value v);
std::size_t binding_depth(Context& cx);
// Pops to `depth`, running unwind handlers (Lisp, hence _re). Returns `result`, or kExit when a handler failed.
Value unbind_to_re(Context& cx, std::size_t depth, Value result);
// Calls `fn(cx, data)` when the binding stack is popped past here; `data` is traced.
void record_unwind(Context& cx, void (*fn)(Context&, Value data), Value data);

// Function cell (nil when void), property list.
Value symbol_function(Context& cx, Value symbol);
void set_symbol_function(Context& cx, Value symbol, Value definition);  // plain store; versions bumped
Value symbol_get(Context& cx, Value symbol, Value property);
void symbol_put(Context& cx, Value symbol, Value property, Value v);

}  // namespace neovm
