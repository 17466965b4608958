// The outermost handler of a batch program.
#include <cstdio>
#include <string>

#include "machine.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/elisp/elisp.hpp"

namespace neovm::elisp {

namespace {

// The error's message as the command loop prints it; "peculiar error" is error-message-string's business.
void report(Context& cx, Value error) {
  const Value text = funcall_re(cx, Qerror_message_string, {error});
  if (!text.is_exit() && text.is_string()) {
    std::fprintf(stderr, "%s\n", to_std_string(text).c_str());
    return;
  }
  // No printer yet: name the condition at least.
  cx.exit_kind = ExitKind::kNone;
  const Value symbol = error.is_cons() ? car_raw(error) : kNil;
  const std::string name(symbol.is_symbol() ? symbol_name_view(cx, symbol) : "?");
  std::fprintf(stderr, "Error: %s\n", name.c_str());
  const Value data = error.is_cons() ? cdr_raw(error) : kNil;
  for (Value l = data; l.is_cons(); l = cdr_raw(l)) {
    const Value v = car_raw(l);
    if (v.is_symbol()) {
      std::fprintf(stderr, "  %s\n", std::string(symbol_name_view(cx, v)).c_str());
    } else if (v.is_string()) {
      std::fprintf(stderr, "  %s\n", to_std_string(v).c_str());
    } else if (v.is_fixnum()) {
      std::fprintf(stderr, "  %lld\n", static_cast<long long>(v.as_fixnum()));
    }
  }
}

}  // namespace

int run_toplevel_re(Context& cx, Value (*body)(Context&, void*), void* data) {
  Value error = kNil;
  // The command loop's own handler has the bare condition `error`, which is also what makes an error
  // that reaches it print its backtrace.
  const Value result = call_catching_errors_re(cx, Qerror, body, data, &error);
  if (result.is_unbound()) {
    std::fflush(stdout);
    // The debugger prints the backtrace and ends the program itself; coming here means that it could not.
    report(cx, error);
    return 255;
  }
  if (result.is_exit()) {  // quit, or a condition that is no error
    std::fflush(stdout);
    report(cx, cx.exit_tag.is_nil() ? cx.exit_data : cons(cx, cx.exit_tag, cx.exit_data));
    cx.exit_kind = ExitKind::kNone;
    cx.exit_resolved = false;
    return 255;
  }
  return 0;
}

}  // namespace neovm::elisp
