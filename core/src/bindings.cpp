// The binding stack: what `let` and unwinding push and pop.
#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "variable_internal.hpp"

namespace neovm {

std::size_t binding_depth(Context& cx) { return cx.bindings.size(); }

Value bind_variable_re(Context& cx, Value symbol, Value v) {
  symbol = core::resolve_alias(cx, symbol);
  const SymbolCells& c = cx.cells(symbol);
  if (c.redirect == kPlain) [[likely]] {
    if (c.flags == 0 || (c.flags & ~(kSymbolInterned | kSymbolInternedPrivate | kSymbolSpecial)) == 0) [[likely]] {
      cx.bindings.push_back({Binding::Kind::kLet, 0, symbol, c.value, kNil});
      store(&cx.cells(symbol).value, v);
      return v;
    }
    cx.bindings.push_back({Binding::Kind::kLet, 0, symbol, c.value, kNil});
    const Value r = core::set_in_re(cx, symbol, v, cx.locals, kNil, core::SetKind::kBind);
    if (r.is_exit()) {
      // Nothing was bound. (A watcher that signals leaves the old value in place as well.)
      cx.bindings.pop_back();
    }
    return r;
  }
  const auto& hooks = host_hooks(cx);
  const Value buffer = hooks.current_buffer != nullptr ? hooks.current_buffer(cx) : kNil;
  if (core::has_local_value(cx, symbol, cx.locals)) {
    const Value old = variable_value_in(cx, symbol, cx.locals);
    cx.bindings.push_back({Binding::Kind::kLetLocal, 0, symbol, old, buffer});
    const Value r = core::set_in_re(cx, symbol, v, cx.locals, buffer, core::SetKind::kBind);
    if (r.is_exit()) cx.bindings.pop_back();
    return r;
  }
  cx.bindings.push_back({Binding::Kind::kLetDefault, 0, symbol, c.value, buffer});
  const Value r = core::set_default_kind_re(cx, symbol, v, core::SetKind::kBind);
  if (r.is_exit()) cx.bindings.pop_back();
  return r;
}

void record_unwind(Context& cx, void (*fn)(Context&, Value data), Value data) {
  cx.bindings.push_back({Binding::Kind::kUnwind, 0, kNil, data, kNil, fn});
}

namespace core {

Value pop_binding_re(Context& cx) {
  const Binding b = cx.bindings.back();
  cx.bindings.pop_back();
  switch (b.kind) {
    case Binding::Kind::kLet: {
      SymbolCells& c = cx.cells(b.symbol);
      if (c.redirect == kPlain) [[likely]] {
        if ((c.flags & ~(kSymbolInterned | kSymbolInternedPrivate | kSymbolSpecial | kSymbolTypeInt |
                         kSymbolTypeBool)) == 0) [[likely]] {
          store(&c.value, b.value);
          return kNil;
        }
        return set_in_re(cx, b.symbol, b.value, cx.locals, kNil, SetKind::kUnbind);
      }
      return set_default_kind_re(cx, b.symbol, b.value, SetKind::kUnbind);
    }
    case Binding::Kind::kLetDefault: return set_default_kind_re(cx, b.symbol, b.value, SetKind::kUnbind);
    case Binding::Kind::kLetLocal: {
      // Only if that buffer lives and still has its own value.
      const auto& hooks = host_hooks(cx);
      const Value locals = hooks.buffer_locals != nullptr ? hooks.buffer_locals(cx, b.where) : cx.locals;
      if (locals.is_nil() || !has_local_value(cx, b.symbol, locals)) return kNil;
      return set_in_re(cx, b.symbol, b.value, locals, b.where, SetKind::kUnbind);
    }
    case Binding::Kind::kUnwind: b.fn(cx, b.value); return kNil;
    case Binding::Kind::kUnwindLisp: {
      const auto hook = cx.isolate().guest_hooks().run_cleanup;
      return hook == nullptr ? kNil : hook(cx, b.value, b.where);
    }
    case Binding::Kind::kMarker: return kNil;
  }
  return kNil;
}

}  // namespace core

namespace {

// The result, or the pending exit, waits in `held`, three words that are traced, while the clean-ups run above `floor`.
Value unbind_holding(Context& cx, std::size_t depth, Value result, Value* held, Value* floor) {
  ExitKind kind = cx.exit_kind;
  bool resolved = cx.exit_resolved;
  std::int64_t target = cx.exit_target;
  held[0] = result;
  held[1] = cx.exit_tag;
  held[2] = cx.exit_data;
  while (cx.bindings.size() > depth) {
    cx.sp = floor;
    const std::size_t index = cx.bindings.size() - 1;
    // Handlers set up inside the extent that ends here are gone while its clean-up runs.
    if (result.is_exit())
      while (!cx.handlers.empty() && cx.handlers.back().bindings > index) cx.handlers.pop_back();
    const std::int64_t eval_depth = cx.eval_depth;
    if (core::pop_binding_re(cx).is_exit()) {
      // A context that is being ended stays so, whatever its clean-ups come to; a handler would make it run on for ever.
      if (result.is_exit() && kind == ExitKind::kKill) {
        cx.eval_depth = eval_depth;
        continue;
      }
      if (!cx.exit_resolved)
        if (const auto resolve = cx.isolate().guest_hooks().resolve_exit; resolve != nullptr) resolve(cx);
      cx.eval_depth = eval_depth;  // of the calls that failed nothing is left
      // What is left belongs to whoever catches the new exit; go on popping for this extent. (In a loop: when the stack is
      // used up, each of very many clean-ups fails.)
      result = kExit;
      kind = cx.exit_kind;
      resolved = cx.exit_resolved;
      target = cx.exit_target;
      held[0] = result;
      held[1] = cx.exit_tag;
      held[2] = cx.exit_data;
    }
  }
  if (result.is_exit()) {
    cx.exit_kind = kind;
    cx.exit_tag = held[1];
    cx.exit_data = held[2];
    cx.exit_resolved = resolved;
    cx.exit_target = target;
  }
  return held[0];
}

// With the VM stack used up: what is held waits elsewhere, and clean-ups that need a frame fail one by one.
[[gnu::noinline]] Value unbind_on_full_stack(Context& cx, std::size_t depth, Value result) {
  RootVector roots(cx);
  roots.values.assign(3, kNil);
  return unbind_holding(cx, depth, result, roots.values.data(), cx.sp);
}

}  // namespace

Value unbind_to_re(Context& cx, std::size_t depth, Value result) {
  if (cx.bindings.size() <= depth) return result;
  if (result.is_exit() && !cx.exit_resolved) {
    // The error is on its way: its handler is found, and the debugger runs, before anything is unbound.
    if (const auto resolve = cx.isolate().guest_hooks().resolve_exit; resolve != nullptr) resolve(cx);
  }
  Value* const base = cx.sp;
  const Value v = base + 4 >= cx.stack_limit ? unbind_on_full_stack(cx, depth, result)
                                             : unbind_holding(cx, depth, result, base, base + 3);
  cx.sp = base;
  return v;
}

}  // namespace neovm
