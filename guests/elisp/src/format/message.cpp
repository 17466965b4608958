// `message` and its relatives in a machine without a screen: a line on standard error, and the log.
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "../print/printer.hpp"
#include "neovm/elisp/format.hpp"

namespace neovm::elisp {

namespace {

// How many times the line before a new LINE has been said when it says the same ("LINE" or "LINE [3 times]"), 0
// when it differs, and -1 when it only is to be replaced: both agree up to some "...", as of progress.
std::int64_t repeats_of(std::string_view before, std::string_view line) {
  bool dots = false;
  std::size_t i = 0;
  for (; i < line.size() && i < before.size() && line[i] == before[i]; ++i)
    dots = dots || (i >= 2 && line.substr(i - 2, 3) == "...");
  if (i == line.size() && i == before.size()) return 1;
  if (i == line.size() && before.substr(i).starts_with(" [")) {
    std::int64_t n = 0;
    const char* end = before.data() + before.size();
    const auto number = std::from_chars(before.data() + i + 2, end, n);
    const std::string_view rest(number.ptr, static_cast<std::size_t>(end - number.ptr));
    if (number.ec == std::errc() && n > 0 && rest == " times]") return n;
  }
  return dots ? -1 : 0;
}

// Point's position once it has been moved to the start of the line LINES away from the one it is on.
Value line_start_re(Context& cx, std::int64_t lines) {
  TRY(funcall_re(cx, intern(cx, "forward-line"), {Value::fixnum(lines)}));
  return funcall_re(cx, intern(cx, "point"), {});
}

// After a line was added: joins it with an equal one before it and cuts the log to LIMIT lines.
Value tidy_log_re(Context& cx, Value limit) {
  const Value del = intern(cx, "delete-region");
  const Value substring = intern(cx, "buffer-substring-no-properties");
  const Value end = TRY(funcall_re(cx, Qpoint_max, {}));
  const Value line = TRY(line_start_re(cx, -1));
  const Value before = TRY(line_start_re(cx, -1));
  if (before != line) {
    const Value last = TRY(funcall_re(cx, substring, {line, Value::fixnum(end.as_fixnum() - 1)}));
    const Value previous = TRY(funcall_re(cx, substring, {before, Value::fixnum(line.as_fixnum() - 1)}));
    const std::int64_t times = repeats_of(string_view_of(previous), string_view_of(last));
    if (times != 0) TRY(funcall_re(cx, del, {before, line}));
    if (times > 0) {
      TRY(funcall_re(cx, Qgoto_char, { Value::fixnum(TRY(funcall_re(cx, Qpoint_max, {})).as_fixnum() - 1) }));
      const std::string count = " [" + std::to_string(times + 1) + " times]";
      TRY(funcall_re(cx, intern(cx, "insert"), {make_unibyte_string(cx, count)}));
    }
  }
  if (!limit.is_natnum_fixnum()) return kNil;
  TRY(funcall_re(cx, Qgoto_char, { TRY(funcall_re(cx, Qpoint_max, {})) }));
  const Value cut = TRY(line_start_re(cx, -limit.as_fixnum()));
  const Value start = TRY(funcall_re(cx, intern(cx, "point-min"), {}));
  return funcall_re(cx, del, {start, cut});
}

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
  if (symbol_function(cx, intern(cx, "forward-line")).truthy()) TRY(tidy_log_re(cx, limit));
  TRY(funcall_re(cx, Qgoto_char, { TRY(funcall_re(cx, Qpoint_max, {})) }));
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

NEOVM_PRIMITIVE(message_box, "message-box", 1, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "As `message`, in a dialog where there is a screen.")
(Context& cx, Arguments args) { return show_re(cx, args); }

NEOVM_PRIMITIVE(message_or_box, "message-or-box", 1, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "As `message`, or in a dialog after use of the mouse.")
(Context& cx, Arguments args) { return show_re(cx, args); }

NEOVM_PRIMITIVE(current_message, "current-message", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the message in the echo area; nil without a screen.")
(Context&) { return kNil; }

}  // namespace neovm::elisp
