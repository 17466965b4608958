// kill-emacs.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "buffer/buffer.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/abi/leak_check.hpp"
#include "neovm/host/host.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

Value run_kill_hook(Context& cx, void*) { return run_hook_re(cx, Qkill_emacs_hook); }

// An error in the hook is reported and does not stop the exit of a batch program.
NEOVM_COMMAND(kill_emacs, "kill-emacs", 0, 1, kMainOnly, kStateWrite, kMayGc, kReenters, kNondeterministic, "P",
              "Exit, running kill-emacs-hook first; an integer ARG is the exit code.")
(Context& cx, Value arg) {
  if (variable_true(cx, Qnoninteractive)) {
    Value error = kNil;
    const Value result = call_catching_errors_re(cx, Qt, run_kill_hook, nullptr, &error);
    if (result.is_unbound()) {
      const Value format = make_string(cx, "Error in %s (%S): %S");
      const Value message =
          funcall_re(cx, Qmessage, {format, Qkill_emacs_hook, variable_value(cx, Qkill_emacs_hook), error});
      (void)message;
    }
  } else {
    TRY(run_hook_re(cx, Qkill_emacs_hook));
  }
  const Value name = variable_value(cx, Qinvocation_name);
  const std::string program = name.is_string() ? to_std_string(name) : "neomacs";
  const int status = settle_output(program.c_str(), arg.is_fixnum() ? static_cast<int>(arg.as_fixnum()) : 0);
  check_leaks_at_exit(cx);
  std::_Exit(status);
}

}  // namespace

int settle_output(const char* program, int status) {
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  if (std::fflush(stdout) != 0 || failed_before) {
    std::fprintf(stderr, "%s: Write error to standard output%s%s\n", program, errno == 0 ? "" : ": ",
                 errno == 0 ? "" : std::strerror(errno));
    status = 1;
  }
  if (std::fflush(stderr) != 0 || std::ferror(stderr) != 0) status = 1;
  return status;
}

}  // namespace neomacs::host
