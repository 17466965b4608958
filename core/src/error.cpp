// Recording errors. What happens next is the guest's call boundary's business.
#include "neovm/abi/error.hpp"

#include <cstdarg>
#include <cstdio>
#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"

namespace neovm {

ExitTag signal_error(Context& cx, Value symbol, Value data) {
  cx.exit_kind = ExitKind::kSignal;
  cx.exit_tag = symbol;
  cx.exit_data = data;
  cx.exit_resolved = false;
  return kFailed;
}

ExitTag signal_error0(Context& cx, Value symbol) { return signal_error(cx, symbol, kNil); }
ExitTag signal_error1(Context& cx, Value symbol, Value a) { return signal_error(cx, symbol, list(cx, {a})); }
ExitTag signal_error2(Context& cx, Value symbol, Value a, Value b) {
  return signal_error(cx, symbol, list(cx, {a, b}));
}
ExitTag signal_error3(Context& cx, Value symbol, Value a, Value b, Value c) {
  return signal_error(cx, symbol, list(cx, {a, b, c}));
}
ExitTag wrong_type(Context& cx, Value predicate, Value v) {
  return signal_error2(cx, Qwrong_type_argument, predicate, v);
}
ExitTag args_out_of_range(Context& cx, Value a, Value b) { return signal_error2(cx, Qargs_out_of_range, a, b); }
ExitTag args_out_of_range(Context& cx, Value a, Value b, Value c) {
  return signal_error3(cx, Qargs_out_of_range, a, b, c);
}

ExitTag error_text(Context& cx, std::string_view text) {
  const Value message = make_string(cx, text);
  if (message.is_exit()) return kFailed;
  return signal_error1(cx, Qerror, message);
}

ExitTag error_format(Context& cx, const char* format, ...) {
  va_list args;
  va_start(args, format);
  va_list again;
  va_copy(again, args);
  const int n = std::vsnprintf(nullptr, 0, format, args);
  va_end(args);
  std::string text(static_cast<std::size_t>(n > 0 ? n : 0), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return error_text(cx, text);
}

ExitTag unimplemented(Context& cx, const char* what) {
  ++cx.isolate().unimplemented_count;
  return signal_error1(cx, Qneovm_unimplemented, make_string(cx, what));
}

}  // namespace neovm
