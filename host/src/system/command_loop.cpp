// What surrounds the command loop (keyboard/) when there is no terminal: nothing is ever typed.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "buffer/buffer.hpp"
#include "neovm/abi/api.hpp"
#include "process/wait.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

NEOVM_COMMAND(top_level, "top-level", 0, 0, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic, "",
              "Leave all recursive editing levels.")
(Context& cx) { return throw_tag(cx, Qtop_level, kNil); }

NEOVM_PRIMITIVE(input_pending_p, "input-pending-p", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kNondeterministic,
                "Return t when input is waiting.")
(Context& cx, Value) {
  for (const Value v : {Qunread_command_events, Qunread_post_input_method_events, Qunread_input_method_events})
    if (variable_value(cx, v).is_cons()) return Qt;
  return kNil;
}

NEOVM_PRIMITIVE(discard_input, "discard-input", 0, 0, kMainOnly, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Throw away input that is waiting.")
(Context& cx) {
  TRY(set_variable_re(cx, Qunread_command_events, kNil));
  return kNil;
}

NEOVM_PRIMITIVE(current_idle_time, "current-idle-time", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kNondeterministic, "Return how long input has been waited for; nil when it is not waited for.")
(Context&) { return kNil; }

NEOVM_PRIMITIVE(recent_keys, "recent-keys", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the last keys typed, as a vector.")
(Context& cx, Value) { return make_vector(cx, 0, kNil); }

NEOVM_PRIMITIVE(current_input_mode, "current-input-mode", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return (INTERRUPT FLOW META QUIT) of terminal input.")
(Context& cx) { return list(cx, {Qt, kNil, Qt, Value::fixnum(7)}); }

NEOVM_PRIMITIVE(set_input_meta_mode, "set-input-meta-mode", 1, 2, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "Say how a terminal's eighth bit is to be taken; there is no terminal.")
(Context& cx, Value, Value terminal) {
  TRY(funcall_re(cx, intern(cx, "terminal-name"), {terminal}));  // checks it
  return kNil;
}

// The message of an uncaught error; ends a batch program.
NEOVM_PRIMITIVE(command_error_default, "command-error-default-function", 3, 3, kMainOnly, kStateWrite, kMayGc,
                kReenters, kNondeterministic, "Report an error of a command: DATA, CONTEXT and the function SIGNALED.")
(Context& cx, Value data, Value context, Value) {
  TRY(check_type(cx, context.is_string(), Qstringp, context));
  const Value text = TRY(funcall_re(cx, Qerror_message_string, {data}));
  std::fflush(stdout);
  std::fprintf(stderr, "%s%s\n", to_std_string(context).c_str(), text.is_string() ? to_std_string(text).c_str() : "");
  if (variable_true(cx, Qnoninteractive)) return funcall_re(cx, Qkill_emacs, {Value::fixnum(-1)});
  return kNil;
}

NEOVM_PRIMITIVE(sleep_for, "sleep-for", 1, 2, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Wait SECONDS, handling process output meanwhile.")
(Context& cx, Value seconds, Value milliseconds) {
  double duration = TRY(number_as_double(cx, seconds));
  if (milliseconds.truthy()) {
    TRY(check_type(cx, milliseconds.is_fixnum(), Qfixnump, milliseconds));
    duration += static_cast<double>(milliseconds.as_fixnum()) / 1000;
  }
  if (duration > 0) TRY(wait_for_output_re(cx, duration, kNil, false));
  return kNil;
}

// Writes every changed buffer that has an auto-save name. Its hook runs first, as in Emacs.
NEOVM_COMMAND(do_auto_save, "do-auto-save", 0, 2, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic, "",
              "Auto-save all buffers that need it.")
(Context& cx, Value, Value current_only) {
  TRY(run_hook_re(cx, intern(cx, "auto-save-hook")));
  Value all = kNil;
  if (current_only.truthy()) {
    all = list(cx, {current_buffer(cx).self});
  } else {
    for (const Buffer* b : buffers(cx).live) all = cons(cx, b->self, all);
  }
  for (; all.is_cons(); all = cdr_raw(all)) {
    Buffer& b = buffer_raw(car_raw(all));
    if (!b.live) continue;
    const Value name = buffer_variable(cx, b, Qbuffer_auto_save_file_name);
    const bool changed = b.text->modified > b.text->saved && b.text->modified > b.text->auto_saved;
    if (!name.is_string() || !changed) continue;
    const std::size_t depth = binding_depth(cx);
    host_hooks(cx).record_save_current_buffer(cx);
    set_current_buffer(cx, b);
    const Value args[] = {kNil, kNil, name, kNil, Qlambda};
    const Value done = unbind_to_re(cx, depth, funcall_re(cx, Qwrite_region, args));
    if (done.is_exit()) return done;
    b.text->auto_saved = b.text->modified;
  }
  return kNil;
}

NEOVM_PRIMITIVE(set_binary_mode, "set-binary-mode", 2, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry, kNondeterministic,
                "Switch a standard stream to bytes; there is no other mode here.")
(Context& cx, Value stream, Value) {
  TRY(check_type(cx, stream.is_symbol(), Qsymbolp, stream));
  if (stream != Qstdin && stream != Qstdout && stream != Qstderr)
    return signal_error2(cx, Qerror, make_string(cx, "unsupported stream"), stream);
  std::fflush(stdout);
  return Qt;
}

}  // namespace
}  // namespace neomacs::host
