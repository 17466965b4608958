// Variables below the level of `set` and `let`, for the guest's primitives.
#pragma once

#include "neovm/core/context.hpp"

namespace neovm::core {

enum class SetKind { kSet, kBind, kUnbind, kThreadSwitch };

// The symbol at the end of a chain of aliases.
Value resolve_alias(Context& cx, Value symbol);
// (SYMBOL . VALUE) in the alist of `locals`, or nil. SYMBOL is no alias.
Value local_entry(Context& cx, Value symbol, Value locals);
// Does the buffer with these locals have a value of its own? SYMBOL is no alias.
bool has_local_value(Context& cx, Value symbol, Value locals);
// `set` as seen by the buffer with these locals; `where` goes to watchers. Runs watchers.
Value set_in_re(Context& cx, Value symbol, Value v, Value locals, Value where, SetKind kind);
Value set_default_kind_re(Context& cx, Value symbol, Value v, SetKind kind);
// Pops one entry of the binding stack. Lisp may run; kExit when a clean-up failed.
Value pop_binding_re(Context& cx);

}  // namespace neovm::core
