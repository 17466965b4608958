// The command loop: read a key sequence, run its command between pre-command-hook and post-command-hook. Without a
// terminal it runs for keyboard macros, and in recursive edits until their macro ends or somebody throws to `exit'.
#include "buffer/buffer.hpp"
#include "display/display.hpp"
#include "edit/undo.hpp"
#include "keyboard/input.hpp"
#include "minibuffer/session.hpp"

namespace neomacs::host {

namespace {

NEOVM_VARIABLE(command_loop_level, "neovm--command-loop-level", kGlobalVar, kInt, Value::fixnum(0),
               "How many recursive edits are in progress.")
NEOVM_VARIABLE(command_keys, "neovm--command-keys", kGlobalVar, kAny, kInitNil,
               "Vector of the keys that called this command; nil before the first.")

NEOVM_VARIABLE(keyboard_macro, "neovm--keyboard-macro", kGlobalVar, kAny, kInitNil,
               "The keyboard macro being executed, whatever Lisp made of executing-kbd-macro.")

Value level_symbol(Context& cx) { return intern(cx, "neovm--command-loop-level"); }
Value keys_symbol(Context& cx) { return intern(cx, "neovm--command-keys"); }
std::int64_t level(Context& cx) { return variable_value(cx, level_symbol(cx)).as_fixnum(); }

Value run_hook_body(Context& cx, void* hook) { return run_hook_re(cx, *static_cast<Value*>(hook)); }

// Runs a command hook; an error is told, and takes the hook's functions out of use, so that it does not come back.
Value run_command_hook_re(Context& cx, Value hook) {
  Value error = kNil;
  const Value done = TRY(call_catching_errors_re(cx, Qt, run_hook_body, &hook, &error));
  if (!done.is_unbound()) return kNil;
  TRY(funcall_re(cx, intern(cx, "message"), {
    TRY(make_string(cx, "Error in %s: %S"))
    , hook, error
  }));
  return set_variable_re(cx, hook, kNil);
}

// The selected window's buffer is where commands run.
Value enter_window_buffer_re(Context& cx) {
  const Value buffer = TRY(funcall_re(cx, intern(cx, "window-buffer"), {}));
  return is_buffer(buffer) ? funcall_re(cx, intern(cx, "set-buffer"), {buffer}) : kNil;
}

// Commands until the keyboard macro ends.
Value run_commands_re(Context& cx) {
  TRY(set_variable_re(cx, intern(cx, "prefix-arg"), kNil));
  TRY(set_variable_re(cx, intern(cx, "last-prefix-arg"), kNil));
  TRY(run_command_hook_re(cx, Qpost_command_hook));  // of a command that ended by an error
  TRY(set_variable_re(cx, Qlast_command, variable_value(cx, Qthis_command)));
  TRY(set_variable_re(cx, Qreal_last_command, variable_value(cx, Qreal_this_command)));
  for (;;) {
    TRY(check_quit(cx));
    TRY(set_variable_re(cx, Qthis_command, kNil));
    TRY(set_variable_re(cx, Qreal_this_command, kNil));
    TRY(enter_window_buffer_re(cx));
    TRY(set_variable_re(cx, intern(cx, "deactivate-mark"), kNil));
    Value keys = kNil;
    Value command = kNil;
    // When there are no more, the keys of the last command are forgotten: whoever ran the macro was not called by them.
    if (TRY(read_keys_re(cx, kNil, &keys, &command)).is_nil()) return set_variable_re(cx, keys_symbol(cx), kNil);
    TRY(set_variable_re(cx, keys_symbol(cx), keys));
    TRY(set_variable_re(cx, Qlast_command_event, slot_raw(keys, slot_count_raw(keys) - 1)));
    TRY(set_variable_re(cx, intern(cx, "last-nonmenu-event"), slot_raw(keys, slot_count_raw(keys) - 1)));
    TRY(enter_window_buffer_re(cx));
    TRY(set_variable_re(cx, Qthis_command, command));
    TRY(set_variable_re(cx, Qreal_this_command, command));
    TRY(set_variable_re(cx, intern(cx, "this-original-command"), command));
    TRY(run_command_hook_re(cx, Qpre_command_hook));
    command = variable_value(cx, Qthis_command);
    if (command.is_nil()) {
      TRY(funcall_re(cx, intern(cx, "undefined"), {}));
    } else {
      // What the last command changed can be undone by itself.
      const Value boundary = intern(cx, "undo-auto--add-boundary");
      if (symbol_function(cx, boundary).truthy()) TRY(funcall_re(cx, boundary, {}));
      note_point_before_command(cx);
      TRY(funcall_re(cx, intern(cx, "command-execute"), {command}));
    }
    TRY(set_variable_re(cx, intern(cx, "last-prefix-arg"), variable_value(cx, intern(cx, "current-prefix-arg"))));
    TRY(run_command_hook_re(cx, Qpost_command_hook));
    if (variable_value(cx, intern(cx, "prefix-arg")).is_nil()) {
      TRY(set_variable_re(cx, Qlast_command, variable_value(cx, Qthis_command)));
      TRY(set_variable_re(cx, Qreal_last_command, variable_value(cx, Qreal_this_command)));
    }
  }
}

Value run_commands_body(Context& cx, void*) { return run_commands_re(cx); }

// The loop of a recursive edit: errors of commands are reported and end the macro; the edit goes on.
NEOVM_PRIMITIVE(edit_loop, "neovm--edit-loop", 0, 0, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Run commands until the keyboard macro ends.")
(Context& cx) {
  for (;;) {
    Value error = kNil;
    const Value done = TRY(call_catching_errors_re(cx, Qt, run_commands_body, nullptr, &error));
    if (!done.is_unbound()) return kNil;
    TRY(set_variable_re(cx, Qexecuting_kbd_macro, kNil));
    // Nobody can end this edit any more: a minibuffer gives up, where another edit's report ends the program.
    if (input_ended(cx) && active_minibuffers(cx).is_cons()) {
      return signal_error1(cx, Qend_of_file, TRY(make_string(cx, "Error reading from stdin")));
    }
    const Value report = variable_value(cx, intern(cx, "command-error-function"));
    TRY(funcall_re(cx, report, {error, make_string(cx, ""), kNil}));
  }
}

NEOVM_COMMAND(recursive_edit, "recursive-edit", 0, 0, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic, "",
              "Run commands until one exits the edit.")
(Context& cx) {
  const std::size_t depth = binding_depth(cx);
  host_hooks(cx).record_save_current_buffer(cx);
  const std::int64_t outer = level(cx);
  TRY(bind_variable_re(cx, level_symbol(cx), Value::fixnum(outer + 1)));
  TRY(bind_variable_re(cx, Qstandard_output, Qt));
  TRY(bind_variable_re(cx, Qstandard_input, Qt));
  // Commands in here put no boundary into buffers that were changed before.
  TRY(bind_variable_re(cx, intern(cx, "undo-auto--undoably-changed-buffers"), kNil));
  const Value form = list(cx, {Qcatch, list(cx, {Qquote, Qexit}), list(cx, {intern(cx, "neovm--edit-loop")})});
  Value answer = eval_form_re(cx, form, Qt);
  if (!answer.is_exit()) {
    TRY(set_variable_re(cx, Qexecuting_kbd_macro, kNil));
    if (answer == Qt) {
      answer = signal_error0(cx, Qquit);
    } else if (answer.is_string()) {
      answer = signal_error1(cx, Qerror, answer);
    }
  }
  return unbind_to_re(cx, depth, answer.is_exit() ? answer : kNil);
}

NEOVM_COMMAND(exit_recursive_edit, "exit-recursive-edit", 0, 0, kMainOnly, kStateWrite, kMayGc, kNoReentry,
              kDeterministic, "", "Leave the innermost recursive edit.")
(Context& cx) {
  if (level(cx) > 0) return throw_tag(cx, Qexit, kNil);
  return signal_error1(cx, Quser_error, make_string(cx, "No recursive edit is in progress"));
}

NEOVM_COMMAND(abort_recursive_edit, "abort-recursive-edit", 0, 0, kMainOnly, kStateWrite, kMayGc, kNoReentry,
              kDeterministic, "", "Abort the command that asked for this recursive edit.")
(Context& cx) {
  if (level(cx) > 0) return throw_tag(cx, Qexit, Qt);
  return signal_error1(cx, Quser_error, make_string(cx, "No recursive edit is in progress"));
}

NEOVM_PRIMITIVE(recursion_depth, "recursion-depth", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return how many recursive edits are in progress.")
(Context& cx) { return Value::fixnum(level(cx)); }

Value command_keys_vector(Context& cx) {
  const Value keys = variable_value(cx, keys_symbol(cx));
  return is_vector(keys) ? keys : make_vector(cx, 0, kNil);
}

NEOVM_PRIMITIVE(this_command_keys, "this-command-keys", 0, 0, kMainOnly, kStateRead, kMayGc, kReenters,
                kNondeterministic, "Return the keys that called this command.")
(Context& cx) {
  const Value keys = TRY(command_keys_vector(cx));
  for (std::int64_t i = 0; i < slot_count_raw(keys); ++i) {
    const Value v = slot_raw(keys, i);
    if (!v.is_fixnum() || v.as_fixnum() < 0 || v.as_fixnum() >= 1 << 22) return keys;
  }
  return funcall_re(cx, intern(cx, "concat"), {keys});
}

NEOVM_PRIMITIVE(this_command_keys_vector, "this-command-keys-vector", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return the keys that called this command, as a vector.")
(Context& cx) { return command_keys_vector(cx); }

NEOVM_PRIMITIVE(this_single_command_keys, "this-single-command-keys", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return the keys that called this command without its prefix arguments.")
(Context& cx) { return command_keys_vector(cx); }

NEOVM_PRIMITIVE(this_single_command_raw_keys, "this-single-command-raw-keys", 0, 0, kMainOnly, kStateRead, kMayGc,
                kNoReentry, kNondeterministic, "Return the events read for this command before translation.")
(Context& cx) { return command_keys_vector(cx); }

NEOVM_PRIMITIVE(clear_this_command_keys, "clear-this-command-keys", 0, 1, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "Forget the keys of this command.")
(Context& cx, Value) { return set_variable_re(cx, keys_symbol(cx), kNil); }

NEOVM_PRIMITIVE(set_this_command_keys, "set--this-command-keys", 1, 1, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "Make the string KEYS the keys that called this command.")
(Context& cx, Value keys) {
  TRY(check_type(cx, keys.is_string(), Qstringp, keys));
  Value events = TRY(funcall_re(cx, intern(cx, "vconcat"), {keys}));
  // M-x as the character that a keyboard macro has for it.
  if (slot_count_raw(events) > 0 && slot_raw(events, 0) == Value::fixnum(248)) {
    events = TRY(funcall_re(cx, intern(cx, "copy-sequence"), {events}));
    TRY(funcall_re(cx, intern(cx, "aset"), {events, Value::fixnum(0), Value::fixnum((1 << 27) | 'x')}));
  }
  TRY(set_variable_re(cx, keys_symbol(cx), events));
  return kNil;
}

// ---- keyboard macros ------------------------------------------------------------------------------------------------

struct Repeat {
  Value macro;
  Value loop_function;
  std::int64_t count;
};

Value run_macro_body_re(Context& cx, const Repeat& r) {
  for (std::int64_t n = r.count;;) {
    TRY(set_variable_re(cx, Qexecuting_kbd_macro, r.macro));
    TRY(set_variable_re(cx, Qexecuting_kbd_macro_index, Value::fixnum(0)));
    if (r.loop_function.truthy() && TRY(funcall_re(cx, r.loop_function, {})).is_nil()) return kNil;
    TRY(run_commands_re(cx));
    TRY(check_quit(cx));
    const Value now = variable_value(cx, Qexecuting_kbd_macro);
    if (--n == 0 || !(now.is_string() || is_vector(now))) return kNil;
  }
}

NEOVM_PRIMITIVE(execute_kbd_macro, "execute-kbd-macro", 1, 3, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic,
                "Execute MACRO, a string or vector of events, COUNT times (0: until an error); LOOPFUNC says go on.")
(Context& cx, Value macro, Value count, Value loop_function) {
  Repeat r {
    TRY(funcall_re(cx, Qindirect_function, {macro, kNil}))
    , loop_function, 1
  };
  if (!r.macro.is_string() && !is_vector(r.macro)) return error_text(cx, "Keyboard macros must be strings or vectors");
  if (count.truthy()) {
    const Value n = TRY(funcall_re(cx, intern(cx, "prefix-numeric-value"), {count}));
    r.count = n.is_fixnum() ? n.as_fixnum() : 0;
  }
  const Value command = variable_value(cx, Qreal_this_command);
  const std::size_t depth = binding_depth(cx);
  TRY(bind_variable_re(cx, Qexecuting_kbd_macro, r.macro));
  TRY(bind_variable_re(cx, intern(cx, "neovm--keyboard-macro"), r.macro));
  TRY(bind_variable_re(cx, Qexecuting_kbd_macro_index, Value::fixnum(0)));
  TRY(unbind_to_re(cx, depth, run_macro_body_re(cx, r)));
  TRY(set_variable_re(cx, Qreal_this_command, command));
  return run_hook_re(cx, intern(cx, "kbd-macro-termination-hook"));
}

NEOVM_COMMAND(call_last_kbd_macro, "call-last-kbd-macro", 0, 2, kMainOnly, kBlockingIo, kMayGc, kReenters,
              kNondeterministic, "p", "Execute the keyboard macro defined last, PREFIX times.")
(Context& cx, Value prefix, Value loop_function) {
  if (variable_true(cx, intern(cx, "defining-kbd-macro")))
    return error_text(cx, "Can’t execute anonymous macro while defining one");
  const Value macro = variable_value(cx, intern(cx, "last-kbd-macro"));
  if (macro.is_nil()) return error_text(cx, "No kbd macro has been defined");
  TRY(set_variable_re(cx, Qthis_command, variable_value(cx, Qlast_command)));
  TRY(funcall_re(cx, intern(cx, "execute-kbd-macro"), {macro, prefix, loop_function}));
  return set_variable_re(cx, Qthis_command, variable_value(cx, Qlast_command));
}

}  // namespace
}  // namespace neomacs::host
