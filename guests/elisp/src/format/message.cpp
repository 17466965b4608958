// `message` and its relatives in a machine without a screen: a line on standard error, and the log.
#include <cstdio>

#include "../print/printer.hpp"
#include "neovm/elisp/format.hpp"

namespace neovm::elisp {

namespace {

// Appends a line to *Messages*, when there are buffers and `message-log-max` allows it.
Value log_re(Context& cx, Value text) {
  const Value limit = variable_value(cx, Qmessage_log_max);
  if (limit.is_nil() || limit.is_unbound() || host_hooks(cx).record_save_current_buffer == nullptr) return kNil;
  const Value getter = intern(cx, "get-buffer-create");
  const Value insert = intern(cx, "insert");
  if (symbol_function(cx, getter).is_nil() || symbol_function(cx, insert).is_nil()) return kNil;
  Value name = variable_value(cx, intern(cx, "messages-buffer-name"));
  if (!name.is_string()) name = make_unibyte_string(cx, "*Messages*");
  const std::size_t depth = binding_depth(cx);
  const Value buffer = TRY(funcall_re(cx, getter, {name}));
  host_hooks(cx).record_save_current_buffer(cx);
  TRY(funcall_re(cx, Qset_buffer, {buffer}));
  TRY(bind_variable_re(cx, intern(cx, "inhibit-read-only"), Qt));
  TRY(bind_variable_re(cx, intern(cx, "buffer-undo-list"), Qt));
  TRY(bind_variable_re(cx, intern(cx, "inhibit-modification-hooks"), Qt));
  TRY(funcall_re(cx, Qgoto_char, { TRY(funcall_re(cx, Qpoint_max, {})) }));
  TRY(funcall_re(cx, insert, {text, make_unibyte_string(cx, "\n")}));
  return unbind_to_re(cx, depth, kNil);
}

Value show_re(Context& cx, Arguments args) {
  PrintState& state = print_state(cx);
  const bool clear = args[0].is_nil() || (args[0].is_string() && string_bytes(args[0]) == 0);
  Value text = args[0];
  if (!clear) {
    text = TRY(format_re(cx, args, true));
    TRY(log_re(cx, text));
  }
  if (variable_true(cx, Qinhibit_message)) return text;
  std::string line;
  if (state.needs_newline) line.push_back('\n');
  state.needs_newline = false;
  if (!clear) line.append(string_view_of(text));
  line.push_back('\n');
  std::fwrite(line.data(), 1, line.size(), stderr);
  return text;
}

}  // namespace

NEOVM_PRIMITIVE(message, "message", 1, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Show a message made from FORMAT-STRING and ARGS; nil clears it.")
(Context& cx, Arguments args) { return show_re(cx, args); }

NEOVM_PRIMITIVE(message_box, "message-box", 1, kMany, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic,
                "As `message`, in a dialog where there is a screen.")
(Context& cx, Arguments args) { return show_re(cx, args); }

NEOVM_PRIMITIVE(message_or_box, "message-or-box", 1, kMany, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic,
                "As `message`, or in a dialog after use of the mouse.")
(Context& cx, Arguments args) { return show_re(cx, args); }

NEOVM_PRIMITIVE(current_message, "current-message", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the message in the echo area; nil without a screen.")
(Context&) { return kNil; }

}  // namespace neovm::elisp
