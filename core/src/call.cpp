// Calling the guest from C++: everything goes to the hooks that the guest set when it attached.
#include "neovm/abi/call.hpp"

#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"

namespace neovm {

Value funcall_re(Context& cx, Value function, std::span<const Value> args) {
  const auto hook = cx.isolate().guest_hooks().funcall;
  if (hook == nullptr) return unimplemented(cx, "funcall without a guest");
  return hook(cx, function, args);
}

Value eval_form_re(Context& cx, Value form, Value lexical) {
  const auto hook = cx.isolate().guest_hooks().eval;
  if (hook == nullptr) return unimplemented(cx, "eval without a guest");
  return hook(cx, form, lexical);
}

Value run_hook_re(Context& cx, Value hook) { return run_hook_with_args_re(cx, hook, {}); }

Value run_hook_with_args_re(Context& cx, Value hook, std::span<const Value> args) {
  const auto run = cx.isolate().guest_hooks().run_hook;
  if (run == nullptr) return kNil;
  std::vector<Value> all;
  all.reserve(args.size() + 1);
  all.push_back(hook);
  all.insert(all.end(), args.begin(), args.end());
  return run(cx, all);  // copies its arguments to the VM stack before it runs anything
}

Value call_catching_errors_re(Context& cx, Value conditions, Value (*body)(Context&, void*), void* data, Value* error) {
  const std::size_t index = cx.handlers.size();
  const std::size_t depth = cx.bindings.size();
  Handler h{};
  h.kind = Handler::Kind::kConditions;
  h.native = true;
  h.tag = conditions;
  h.sp = cx.sp;
  h.bindings = depth;
  h.eval_depth = cx.eval_depth;
  h.native_depth = cx.native_depth;
  cx.handlers.push_back(h);
  Value result = body(cx, data);
  if (result.is_exit() && !cx.exit_resolved) {
    if (const auto resolve = cx.isolate().guest_hooks().resolve_exit; resolve != nullptr) resolve(cx);
  }
  result = unbind_to_re(cx, depth, result);
  if (!result.is_exit()) {
    cx.handlers.resize(index);
    return result;
  }
  if (!cx.exit_resolved || cx.exit_target != static_cast<std::int64_t>(index)) {
    if (cx.handlers.size() > index) cx.handlers.resize(index);
    return result;
  }
  cx.handlers.resize(index);
  cx.eval_depth = h.eval_depth;
  if (error != nullptr) *error = cx.exit_tag.is_nil() ? cx.exit_data : cons(cx, cx.exit_tag, cx.exit_data);
  cx.exit_kind = ExitKind::kNone;
  cx.exit_tag = cx.exit_data = kNil;
  cx.exit_resolved = false;
  return kUnbound;
}

}  // namespace neovm
