// Recording errors. What happens next is the guest's call boundary's business.
#include "neovm/abi/error.hpp"

#include <cstdarg>
#include <cstdio>
#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/text/characters.hpp"

namespace neovm {

ExitTag signal_error(Context& cx, Value symbol, Value data) {
  cx.exit_kind = ExitKind::kSignal;
  cx.exit_tag = symbol;
  cx.exit_data = data;
  cx.exit_resolved = false;
  cx.exit_target = -1;
  return kFailed;
}

ExitTag throw_tag(Context& cx, Value tag, Value value) {
  for (std::size_t i = cx.handlers.size(); i-- > 0;) {
    const Handler& h = cx.handlers[i];
    if (h.kind == Handler::Kind::kCatchAll || (h.kind == Handler::Kind::kCatch && h.tag == tag)) {
      cx.exit_kind = ExitKind::kThrow;
      cx.exit_tag = tag;
      cx.exit_data = value;
      cx.exit_resolved = true;
      cx.exit_target = static_cast<std::int64_t>(i);
      return kFailed;
    }
  }
  return signal_error2(cx, Qno_catch, tag, value);
}

Maybe<bool> check_quit(Context& cx) {
  const std::uint32_t bits = cx.interrupts.load(std::memory_order_relaxed);
  if (bits == 0) [[likely]]
    return true;
  if ((bits & kInterruptTerminate) != 0 && cx.on_terminate != nullptr) {
    cx.interrupts.fetch_and(~static_cast<std::uint32_t>(kInterruptTerminate), std::memory_order_relaxed);
    cx.on_terminate(cx);
  }
  if ((bits & kInterruptQuit) != 0) {
    cx.interrupts.fetch_and(~static_cast<std::uint32_t>(kInterruptQuit), std::memory_order_relaxed);
    if (variable_true(cx, Qinhibit_quit)) {
      // Kept for later: writing inhibit-quit or unbinding it raises the interrupt again.
      store(&cx.cells(Qquit_flag).value, Qt);
    } else {
      const Value flag = variable_value(cx, Qquit_flag);
      store(&cx.cells(Qquit_flag).value, kNil);
      const Value catcher = variable_value(cx, Qthrow_on_input);
      if (!catcher.is_unbound() && catcher.truthy() && flag == catcher) return throw_tag(cx, flag, Qt);
      return signal_error(cx, Qquit, kNil);
    }
  }
  return true;
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

// Bytes that are no text, as a name in an error can bring along, leave the whole message a unibyte string.
static Value message_string(Context& cx, std::string_view message) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(message.data());
  const auto size = static_cast<std::int64_t>(message.size());
  for (std::int64_t i = 0; i < size;) {
    const int length = text::valid_sequence_length(p + i, size - i, true);
    if (length == 0) return make_unibyte_string(cx, message);
    i += length;
  }
  return make_string(cx, message);
}

ExitTag error_text(Context& cx, std::string_view text) {
  const Value message = message_string(cx, text);
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
