// Reading with a minibuffer: in batch mode lines of standard input, but while a keyboard macro is executed there is a real
// one (session.cpp).
#include <cstdio>
#include <string>

#include "display/display.hpp"
#include "edit/edit.hpp"
#include "minibuffer/session.hpp"
#include "process/wait.hpp"

namespace neomacs::host {

namespace {

bool is_minibuffer(const Buffer& b) { return b.live && string_view_of(b.name).substr(0, 10) == " *Minibuf-"; }

// One line of standard input without its newline; end-of-file as an error when there is nothing.
Value read_line(Context& cx, Value prompt) {
  if (prompt.is_string()) {
    const std::string text = to_std_string(prompt);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
  std::string line;
  for (;;) {
    const int c = TRY(read_input_byte(cx));
    if (c == EOF) {
      if (line.empty()) return signal_error1(cx, Qend_of_file, TRY(make_string(cx, "Error reading from stdin")));
      break;
    }
    if (c == '\n') break;
    line.push_back(static_cast<char>(c));
  }
  return make_string(cx, line);
}

Value read_minibuffer_re(Context& cx, Value prompt, Value initial, Value keymap, Value read, Value history,
                         Value default_value_arg) {
  if (!prompt.is_string()) return wrong_type(cx, Qstringp, prompt);
  if (initial.is_cons()) initial = car_raw(initial);
  if (!initial.is_nil() && !initial.is_string()) return wrong_type(cx, Qstringp, initial);
  if (variable_true(cx, Qinhibit_interaction)) {
    return signal_error0(cx, Qinhibited_interaction);
  }
  const bool played = variable_true(cx, Qexecuting_kbd_macro);
  const Value line = played ? TRY(read_in_minibuffer_re(cx, prompt, initial, keymap, history)) : TRY(read_line(cx, prompt));
  if (read.is_nil()) return line;
  Value text = line;
  if (string_chars(text) == 0) {
    const Value d = default_value_arg.is_cons() ? car_raw(default_value_arg) : default_value_arg;
    if (d.is_string()) text = d;
  }
  const Value found = TRY(funcall_re(cx, Qread_from_string, {text}));
  return car_of_list(found);
}

}  // namespace

NEOVM_PRIMITIVE(read_from_minibuffer, "read-from-minibuffer", 1, 7, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic,
                "Read a string (or with READ an object) from the user; in batch mode a line of standard input.")
(Context& cx, Value prompt, Value initial, Value keymap, Value read, Value hist, Value default_arg, Value /*inherit*/) {
  return read_minibuffer_re(cx, prompt, initial, keymap, read, hist, default_arg);
}

NEOVM_VARIABLE(yes_or_no_p_history, "yes-or-no-p-history", kGlobalVar, kAny, kInitNil, "Answers given to yes-or-no-p.")

NEOVM_PRIMITIVE(yes_or_no_p, "yes-or-no-p", 1, 1, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Ask the user PROMPT until the answer is yes or no; return t for yes.")
(Context& cx, Value prompt) {
  if (!prompt.is_string()) return wrong_type(cx, Qstringp, prompt);
  if (variable_true(cx, Quse_short_answers)) return funcall_re(cx, intern(cx, "y-or-n-p"), {prompt});
  const Value question = TRY(funcall_re(cx, Qconcat, {prompt, make_unibyte_string(cx, "(yes or no) ")}));
  for (;;) {
    const Value answer = TRY(funcall_re(cx, Qread_from_minibuffer,
                                        {question, kNil, kNil, kNil, intern(cx, "yes-or-no-p-history"), kNil, kNil}));
    const Value lower = TRY(funcall_re(cx, Qdowncase, {answer}));
    if (string_view_of(lower) == "yes") return Qt;
    if (string_view_of(lower) == "no") return kNil;
    TRY(funcall_re(cx, Qding, {}));
    TRY(funcall_re(cx, intern(cx, "message"), {make_unibyte_string(cx, "Please answer yes or no.")}));
    TRY(funcall_re(cx, Qsleep_for, {Value::fixnum(2)}));
  }
}

NEOVM_PRIMITIVE(read_string, "read-string", 1, 5, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Read a string from the user; an empty answer gives DEFAULT-VALUE.")
(Context& cx, Value prompt, Value initial, Value history, Value default_arg, Value inherit) {
  const Value answer =
      TRY(funcall_re(cx, Qread_from_minibuffer, {prompt, initial, kNil, kNil, history, default_arg, inherit}));
  if (answer.is_string() && string_chars(answer) == 0 && !default_arg.is_nil()) {
    return default_arg.is_cons() ? car_raw(default_arg) : default_arg;
  }
  return answer;
}

NEOVM_PRIMITIVE(read_command, "read-command", 1, 2, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Read the name of a command and return its symbol.")
(Context& cx, Value prompt, Value default_arg) {
  Value d = default_arg.is_cons() ? car_raw(default_arg) : default_arg;
  if (d.is_symbol() && d.truthy()) d = symbol_name(cx, d);
  const Value name =
      TRY(funcall_re(cx, Qcompleting_read, {prompt, variable_value(cx, Qobarray), Qcommandp, Qt, kNil, kNil, d, kNil}));
  if (!name.is_string()) return name;
  return intern(cx, string_view_of(name));
}

NEOVM_PRIMITIVE(read_variable, "read-variable", 1, 2, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Read the name of a user option and return its symbol.")
(Context& cx, Value prompt, Value default_arg) {
  Value d = default_arg.is_cons() ? car_raw(default_arg) : default_arg;
  if (d.is_symbol() && d.truthy()) d = symbol_name(cx, d);
  const Value name = TRY(funcall_re(
      cx, Qcompleting_read, {prompt, variable_value(cx, Qobarray), Qcustom_variable_p, Qt, kNil, kNil, d, kNil}));
  if (!name.is_string()) return name;
  return intern(cx, string_view_of(name));
}

NEOVM_PRIMITIVE(read_buffer, "read-buffer", 1, 4, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Read the name of a buffer.")
(Context& cx, Value prompt, Value default_arg, Value require_match, Value predicate) {
  if (is_buffer(default_arg)) default_arg = buffer_raw(default_arg).name;
  const Value function = variable_value(cx, Qread_buffer_function);
  if (function.truthy() && !function.is_unbound()) {
    return predicate.is_nil() ? funcall_re(cx, function, {prompt, default_arg, require_match})
                              : funcall_re(cx, function, {prompt, default_arg, require_match, predicate});
  }
  const Value d = default_arg.is_cons() ? car_raw(default_arg) : default_arg;
  if (d.is_string() && symbol_function(cx, Qformat_prompt).truthy()) {
    std::string_view p = prompt.is_string() ? string_view_of(prompt) : std::string_view();
    if (p.size() >= 2 && p.substr(p.size() - 2) == ": ") {
      p.remove_suffix(2);
    } else if (!p.empty() && (p.back() == ':' || p.back() == ' ')) {
      p.remove_suffix(1);
    }
    const Value shortened = prompt.is_string() && string_multibyte(prompt) ? TRY(make_multibyte_string(cx, p)) : TRY(make_unibyte_string(cx, p));
    prompt = TRY(funcall_re(cx, Qformat_prompt, {shortened, d}));
  }
  const std::size_t depth = binding_depth(cx);
  TRY(bind_variable_re(cx, Qcompletion_ignore_case, boolean(variable_true(cx, Qread_buffer_completion_ignore_case))));
  const Value name = TRY(funcall_re(
      cx, Qcompleting_read,
      {prompt, Qinternal_complete_buffer, predicate, require_match, kNil, Qbuffer_name_history, default_arg, kNil}));
  return unbind_to_re(cx, depth, name);
}

NEOVM_PRIMITIVE(completing_read, "completing-read", 2, 8, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Read a string with completion, through completing-read-function.")
(Context& cx, Value prompt, Value collection, Value predicate, Value require_match, Value initial, Value hist,
 Value default_arg, Value inherit) {
  return funcall_re(cx, TRY(variable_value_checked(cx, Qcompleting_read_function)),
                    {prompt, collection, predicate, require_match, initial, hist, default_arg, inherit});
}

// ---- state ----------------------------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(minibufferp, "minibufferp", 0, 2, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if BUFFER is a minibuffer; LIVE: one that is active.")
(Context& cx, Value buffer, Value live) {
  Buffer* b = &current_buffer(cx);
  if (buffer.is_string()) {
    b = find_buffer(cx, buffer);
    if (b == nullptr) return kNil;
  } else if (!buffer.is_nil()) {
    if (!is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
    b = &buffer_raw(buffer);
  }
  return boolean(live.is_nil() && is_minibuffer(*b));
}

NEOVM_PRIMITIVE(minibuffer_depth, "minibuffer-depth", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return how many minibuffers are active.")
(Context& cx) {
  std::int64_t n = 0;
  for (Value l = active_minibuffers(cx); l.is_cons(); l = cdr_raw(l)) ++n;
  return Value::fixnum(n);
}

NEOVM_PRIMITIVE(minibuffer_prompt, "minibuffer-prompt", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the prompt of the active minibuffer, or nil.")
(Context& /*cx*/) { return kNil; }

NEOVM_PRIMITIVE(active_minibuffer_window, "active-minibuffer-window", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the window of the active minibuffer, or nil.")
(Context& /*cx*/) { return kNil; }

NEOVM_PRIMITIVE(set_minibuffer_window, "set-minibuffer-window", 1, 1, kMainOnly, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Use WINDOW for minibuffers from now on.")
(Context& cx, Value window) {
  if (!is_window(window)) return wrong_type(cx, Qwindowp, window);
  if (TRY(funcall_re(cx, Qwindow_minibuffer_p, {window})).is_nil())
    return error_text(cx, "Window is not a minibuffer window");
  return window;
}

static Value is_innermost(Context& cx, Value buffer) {
  if (buffer.is_nil()) buffer = current_buffer(cx).self;
  const Value active = active_minibuffers(cx);
  return boolean(active.is_cons() && car_raw(active) == buffer);
}

NEOVM_PRIMITIVE(innermost_minibuffer_p, "innermost-minibuffer-p", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t if BUFFER is the most recently entered minibuffer.")
(Context& cx, Value buffer) { return is_innermost(cx, buffer); }

NEOVM_PRIMITIVE(minibuffer_innermost_command_loop_p, "minibuffer-innermost-command-loop-p", 0, 1, kMainOnly, kStateRead,
                kNoGc, kNoReentry, kDeterministic, "Return t if BUFFER is a minibuffer of the current command loop.")
(Context& cx, Value buffer) { return is_innermost(cx, buffer); }

NEOVM_COMMAND(abort_minibuffers, "abort-minibuffers", 0, 0, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic,
              "", "Leave the minibuffer and what called it; an error when none is active.")
(Context& cx) { return error_text(cx, "Not in a minibuffer"); }

// The text behind the prompt: where the prompt's field ends.
static Value contents_start(Context& cx) {
  Buffer& b = current_buffer(cx);
  if (!is_minibuffer(b)) return Value::fixnum(b.begin.chars);
  const Value end = TRY(funcall_re(cx, Qfield_end, {Value::fixnum(1)}));
  // No prompt: everything is contents.
  if (end == Value::fixnum(b.end.chars) &&
      TRY(funcall_re(cx, Qget_char_property, {Value::fixnum(1), Qfield})).is_nil()) {
    return Value::fixnum(1);
  }
  return end;
}

NEOVM_PRIMITIVE(minibuffer_prompt_end, "minibuffer-prompt-end", 0, 0, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return where the prompt of the minibuffer ends; outside one, point-min.")
(Context& cx) { return contents_start(cx); }

NEOVM_PRIMITIVE(minibuffer_contents, "minibuffer-contents", 0, 0, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return what was typed in the minibuffer; outside one, the accessible text.")
(Context& cx) {
  const Value start = TRY(contents_start(cx));
  Buffer& b = current_buffer(cx);
  return buffer_substring(cx, b, start.as_fixnum(), b.end.chars, true);
}

NEOVM_PRIMITIVE(minibuffer_contents_no_properties, "minibuffer-contents-no-properties", 0, 0, kMainOnly, kStateRead,
                kMayGc, kReenters, kDeterministic, "Return what was typed in the minibuffer, without properties.")
(Context& cx) {
  const Value start = TRY(contents_start(cx));
  Buffer& b = current_buffer(cx);
  return buffer_substring(cx, b, start.as_fixnum(), b.end.chars, false);
}

// ---- variables ---------------------------------------------------------------------------------------------------------

static Value prompt_properties(Context& cx) { return list(cx, {Qread_only, Qt}); }

NEOVM_VARIABLE(enable_recursive_minibuffers, "enable-recursive-minibuffers", kGlobalVar, kBool, kInitNil,
               "Non-nil allows minibuffer commands in the minibuffer.")
NEOVM_VARIABLE(history_add_new_input, "history-add-new-input", kGlobalVar, kAny, kInitT,
               "Non-nil adds input to histories.")
NEOVM_VARIABLE(history_delete_duplicates, "history-delete-duplicates", kGlobalVar, kBool, kInitNil,
               "Non-nil keeps only the newest of equal history elements.")
NEOVM_VARIABLE(history_length, "history-length", kGlobalVar, kAny, Value::fixnum(100), "Length of histories.")
NEOVM_VARIABLE(inhibit_interaction, "inhibit-interaction", kGlobalVar, kAny, kInitNil,
               "Non-nil makes asking the user an error.")
NEOVM_VARIABLE(minibuffer_allow_text_properties, "minibuffer-allow-text-properties", kGlobalVar, kBool, kInitNil,
               "Non-nil returns input with its text properties.")
NEOVM_VARIABLE(minibuffer_auto_raise, "minibuffer-auto-raise", kGlobalVar, kBool, kInitNil,
               "Non-nil raises the frame of an activated minibuffer.")
NEOVM_VARIABLE(minibuffer_completing_file_name, "minibuffer-completing-file-name", kGlobalVar, kAny, kInitNil,
               "Non-nil while a file name is completed.")
NEOVM_VARIABLE(minibuffer_completion_confirm, "minibuffer-completion-confirm", kGlobalVar, kAny, kInitNil,
               "Whether unmatched input needs confirmation.")
NEOVM_VARIABLE(minibuffer_completion_predicate, "minibuffer-completion-predicate", kGlobalVar, kAny, kInitNil,
               "Predicate of the completion in progress.")
NEOVM_VARIABLE(minibuffer_completion_table, "minibuffer-completion-table", kGlobalVar, kAny, kInitNil,
               "Collection of the completion in progress.")
NEOVM_VARIABLE(minibuffer_exit_hook, "minibuffer-exit-hook", kGlobalVar, kAny, kInitNil,
               "Hook run when the minibuffer is left.")
NEOVM_VARIABLE(minibuffer_follows_selected_frame, "minibuffer-follows-selected-frame", kGlobalVar, kAny, kInitT,
               "Whether active minibuffers move to the selected frame.")
NEOVM_VARIABLE(minibuffer_help_form, "minibuffer-help-form", kGlobalVar, kAny, kInitNil,
               "Value of help-form in the minibuffer.")
NEOVM_VARIABLE(minibuffer_history_position, "minibuffer-history-position", kGlobalVar, kAny, kInitNil,
               "Position in the history while it is browsed.")
NEOVM_VARIABLE(minibuffer_history_variable, "minibuffer-history-variable", kGlobalVar, kAny, kInitNil,
               "History variable of the read in progress.")
NEOVM_VARIABLE(minibuffer_prompt_properties, "minibuffer-prompt-properties", kGlobalVar, kAny, prompt_properties,
               "Text properties of prompts.")
NEOVM_VARIABLE(minibuffer_setup_hook, "minibuffer-setup-hook", kGlobalVar, kAny, kInitNil,
               "Hook run when the minibuffer is entered.")
NEOVM_VARIABLE(read_buffer_completion_ignore_case, "read-buffer-completion-ignore-case", kGlobalVar, kBool, kInitNil,
               "Non-nil ignores case when a buffer name is completed.")
NEOVM_VARIABLE(read_buffer_function, "read-buffer-function", kGlobalVar, kAny, kInitNil,
               "Function that reads buffer names instead.")
NEOVM_VARIABLE(read_hide_char, "read-hide-char", kGlobalVar, kAny, kInitNil,
               "Character shown instead of typed ones when hidden.")
NEOVM_VARIABLE(read_minibuffer_restore_windows, "read-minibuffer-restore-windows", kGlobalVar, kAny, kInitT,
               "Non-nil restores windows when the minibuffer is left.")
NEOVM_VARIABLE(read_expression_history, "read-expression-history", kGlobalVar, kAny, kInitNil,
               "History of expressions read.")

}  // namespace neomacs::host
