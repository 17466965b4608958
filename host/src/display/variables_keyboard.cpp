// Variables of the command loop and of input.
// GNU's Lisp library reads and sets these; without a display most of them only hold their value.
#include "display/initial_values.hpp"
#include "neovm/abi/api.hpp"

namespace neomacs::host {
namespace {

using namespace neovm;  // NOLINT: a table of rows

NEOVM_VARIABLE(attempt_orderly_shutdown_on_fatal_signal, "attempt-orderly-shutdown-on-fatal-signal", kGlobalVar, kBool,
               kInitT, "Non-nil means try to shut down in order when a fatal signal arrives.")
NEOVM_VARIABLE(attempt_stack_overflow_recovery, "attempt-stack-overflow-recovery", kGlobalVar, kBool, kInitT,
               "Non-nil means try to survive an overflow of the C stack.")
NEOVM_VARIABLE(auto_save_interval, "auto-save-interval", kGlobalVar, kInt, Value::fixnum(300),
               "Number of input events between automatic saves.")
NEOVM_VARIABLE(auto_save_no_message, "auto-save-no-message", kGlobalVar, kBool, kInitNil,
               "Non-nil suppresses the message of an automatic save.")
NEOVM_VARIABLE(auto_save_timeout, "auto-save-timeout", kGlobalVar, kAny, Value::fixnum(30),
               "Idle seconds before an automatic save.")
NEOVM_VARIABLE(cannot_suspend, "cannot-suspend", kGlobalVar, kBool, kInitNil,
               "Non-nil means the process can never be suspended.")
NEOVM_VARIABLE(command_error_function, "command-error-function", kGlobalVar, kAny, Qcommand_error_default_function,
               "Function that reports an error signaled by a command.")
NEOVM_VARIABLE(current_minibuffer_command, "current-minibuffer-command", kGlobalVar, kAny, kInitNil,
               "Command that entered the current minibuffer.")
NEOVM_VARIABLE(deactivate_mark, "deactivate-mark", kAutoLocalVar, kAny, kInitNil,
               "Set by an editing command to ask for the mark to be deactivated.")
NEOVM_VARIABLE(debug_on_event, "debug-on-event", kGlobalVar, kAny, Qsigusr2, "Event that enters the debugger.")
NEOVM_VARIABLE(deferred_action_function, "deferred-action-function", kGlobalVar, kAny, kInitNil,
               "Obsolete hook run after commands.")
NEOVM_VARIABLE(deferred_action_list, "deferred-action-list", kGlobalVar, kAny, kInitNil,
               "Obsolete list for deferred-action-function.")
NEOVM_VARIABLE(delayed_warnings_list, "delayed-warnings-list", kGlobalVar, kAny, kInitNil,
               "Warnings to show after the current command.")
NEOVM_VARIABLE(disable_point_adjustment, "disable-point-adjustment", kGlobalVar, kAny, kInitNil,
               "Non-nil keeps point where a command left it.")
NEOVM_VARIABLE(double_click_fuzz, "double-click-fuzz", kGlobalVar, kInt, Value::fixnum(3),
               "Pixels the mouse may move within a multiple click.")
NEOVM_VARIABLE(double_click_time, "double-click-time", kGlobalVar, kAny, Value::fixnum(500),
               "Milliseconds between the clicks of a multiple click.")
NEOVM_VARIABLE(echo_area_clear_hook, "echo-area-clear-hook", kGlobalVar, kAny, kInitNil,
               "Hook run when the echo area is cleared.")
NEOVM_VARIABLE(echo_keystrokes, "echo-keystrokes", kGlobalVar, kAny, Value::fixnum(1),
               "Seconds after which an unfinished key sequence is echoed.")
NEOVM_VARIABLE(enable_disabled_menus_and_buttons, "enable-disabled-menus-and-buttons", kGlobalVar, kAny, kInitNil,
               "Non-nil lets disabled menu items be chosen.")
NEOVM_VARIABLE(extra_keyboard_modifiers, "extra-keyboard-modifiers", kGlobalVar, kInt, Value::fixnum(0),
               "Mask of modifiers added to typed characters.")
// The map that local-function-key-map inherits from, whichever of the two variables gets its value first.
static Value make_function_key_map(Context& cx) {
  const Value known = variable_value(cx, intern(cx, "function-key-map"));
  if (known.is_cons()) return known;
  const Value local = variable_value(cx, intern(cx, "local-function-key-map"));
  return local.is_cons() ? cdr_raw(local) : make_sparse_keymap(cx);
}
NEOVM_VARIABLE(function_key_map, "function-key-map", kGlobalVar, kAny, make_function_key_map,
               "Parent of every terminal's local-function-key-map.")
NEOVM_VARIABLE(global_disable_point_adjustment, "global-disable-point-adjustment", kGlobalVar, kAny, kInitNil,
               "Non-nil turns point adjustment off everywhere.")
NEOVM_VARIABLE(help_char, "help-char", kGlobalVar, kAny, Value::fixnum(8), "Character that asks for help.")
NEOVM_VARIABLE(help_event_list, "help-event-list", kGlobalVar, kAny, kInitNil, "Further events that ask for help.")
NEOVM_VARIABLE(help_form, "help-form", kGlobalVar, kAny, kInitNil, "Form evaluated when help-char is typed.")
NEOVM_VARIABLE(input_method_function, "input-method-function", kGlobalVar, kAny, Qlist,
               "Function that turns a character into a list of events.")
NEOVM_VARIABLE(input_method_previous_message, "input-method-previous-message", kGlobalVar, kAny, kInitNil,
               "Echo-area text before the input method took over.")
NEOVM_VARIABLE(internal__top_level_message, "internal--top-level-message", kGlobalVar, kAny, "Back to top level",
               "Message shown on return to the top level.")
NEOVM_VARIABLE(key_translation_map, "key-translation-map", kGlobalVar, kAny, make_sparse_keymap,
               "Keymap of key sequence translations.")
NEOVM_VARIABLE(keyboard_translate_table, "keyboard-translate-table", kGlobalVar, kAny, kInitNil,
               "Translation of typed characters.")
NEOVM_VARIABLE(last_command, "last-command", kGlobalVar, kAny, kInitNil, "The command that ran last.")
NEOVM_VARIABLE(last_command_event, "last-command-event", kGlobalVar, kAny, kInitNil,
               "The last event that was part of a command's key sequence.")
NEOVM_VARIABLE(last_event_frame, "last-event-frame", kGlobalVar, kAny, kInitNil,
               "Frame of the most recent input event.")
NEOVM_VARIABLE(last_input_event, "last-input-event", kGlobalVar, kAny, kInitNil, "The last input event.")
NEOVM_VARIABLE(last_nonmenu_event, "last-nonmenu-event", kGlobalVar, kAny, kInitNil,
               "The last event that did not come from a menu.")
NEOVM_VARIABLE(last_repeatable_command, "last-repeatable-command", kGlobalVar, kAny, kInitNil,
               "The last command that `repeat' may repeat.")
static Value make_local_function_key_map(Context& cx) { return cons(cx, Qkeymap, make_function_key_map(cx)); }
NEOVM_VARIABLE(local_function_key_map, "local-function-key-map", kGlobalVar, kAny, make_local_function_key_map,
               "Keymap that translates function keys on this terminal.")
NEOVM_VARIABLE(input_decode_map, "input-decode-map", kGlobalVar, kAny, make_sparse_keymap,
               "Keymap that decodes raw input sequences.")
NEOVM_VARIABLE(lucid_menu_bar_dirty_flag, "lucid-menu-bar-dirty-flag", kGlobalVar, kAny, kInitNil,
               "Non-nil asks for the menu bar to be recomputed.")
NEOVM_VARIABLE(menu_bar_final_items, "menu-bar-final-items", kGlobalVar, kAny, kInitNil, "Menu bar items shown last.")
NEOVM_VARIABLE(menu_prompt_more_char, "menu-prompt-more-char", kGlobalVar, kAny, Value::fixnum(32),
               "Character that shows the next line of a menu prompt.")
NEOVM_VARIABLE(menu_prompting, "menu-prompting", kGlobalVar, kBool, kInitT,
               "Non-nil means a keymap with a menu prompts in the echo area.")
NEOVM_VARIABLE(meta_prefix_char, "meta-prefix-char", kGlobalVar, kAny, Value::fixnum(27),
               "Character that stands for the meta modifier in key sequences.")
NEOVM_VARIABLE(minibuffer_message_timeout, "minibuffer-message-timeout", kGlobalVar, kAny, Value::fixnum(2),
               "Seconds a minibuffer message stays.")
NEOVM_VARIABLE(num_input_keys, "num-input-keys", kGlobalVar, kInt, Value::fixnum(0),
               "Number of complete key sequences read.")
NEOVM_VARIABLE(num_nonmacro_input_events, "num-nonmacro-input-events", kGlobalVar, kInt, Value::fixnum(0),
               "Number of input events that did not come from keyboard macros.")
NEOVM_VARIABLE(overriding_local_map, "overriding-local-map", kGlobalVar, kAny, kInitNil,
               "Keymap that replaces every other local map.")
NEOVM_VARIABLE(overriding_local_map_menu_flag, "overriding-local-map-menu-flag", kGlobalVar, kAny, kInitNil,
               "Non-nil lets overriding-local-map change the menu bar.")
NEOVM_VARIABLE(overriding_terminal_local_map, "overriding-terminal-local-map", kGlobalVar, kAny, kInitNil,
               "Keymap of this terminal that precedes the local maps.")
NEOVM_VARIABLE(polling_period, "polling-period", kGlobalVar, kInt, Value::fixnum(2),
               "Seconds between polls for input during Lisp execution.")
NEOVM_VARIABLE(post_command_hook, "post-command-hook", kGlobalVar, kAny, kInitNil, "Hook run after each command.")
NEOVM_VARIABLE(pre_command_hook, "pre-command-hook", kGlobalVar, kAny, kInitNil, "Hook run before each command.")
NEOVM_VARIABLE(prefix_help_command, "prefix-help-command", kGlobalVar, kAny, kInitNil,
               "Command run when help-char follows a prefix key.")
NEOVM_VARIABLE(real_last_command, "real-last-command", kGlobalVar, kAny, kInitNil,
               "Like last-command, but never changed by Lisp.")
NEOVM_VARIABLE(real_this_command, "real-this-command", kGlobalVar, kAny, kInitNil,
               "The command being executed, never changed by Lisp.")
NEOVM_VARIABLE(saved_region_selection, "saved-region-selection", kGlobalVar, kAny, kInitNil,
               "Contents of the region before the last command.")
NEOVM_VARIABLE(select_active_regions, "select-active-regions", kGlobalVar, kAny, kInitT,
               "Non-nil makes an active region the primary selection.")
NEOVM_VARIABLE(selection_inhibit_update_commands, "selection-inhibit-update-commands", kGlobalVar, kAny,
               make_inhibit_update_commands, "Commands that do not update the primary selection.")
NEOVM_VARIABLE(show_help_function, "show-help-function", kGlobalVar, kAny, kInitNil,
               "Function that shows a help string.")
NEOVM_VARIABLE(special_event_map, "special-event-map", kGlobalVar, kAny, make_sparse_keymap,
               "Keymap of events handled at a low level.")
NEOVM_VARIABLE(system_key_alist, "system-key-alist", kGlobalVar, kAny, kInitNil,
               "Alist of system-specific key symbols.")
NEOVM_VARIABLE(tab_bar_separator_image_expression, "tab-bar-separator-image-expression", kGlobalVar, kAny, kInitNil,
               "Form that yields the tab bar's separator image.")
NEOVM_VARIABLE(this_command, "this-command", kGlobalVar, kAny, kInitNil,
               "The command being executed; Lisp may change it.")
NEOVM_VARIABLE(this_command_keys_shift_translated, "this-command-keys-shift-translated", kGlobalVar, kAny, kInitNil,
               "Non-nil when the keys of this command were found by shift translation.")
NEOVM_VARIABLE(this_original_command, "this-original-command", kGlobalVar, kAny, kInitNil,
               "The command before remapping.")
NEOVM_VARIABLE(throw_on_input, "throw-on-input", kGlobalVar, kAny, kInitNil,
               "Tag to throw to when input arrives, or nil.")
NEOVM_VARIABLE(timer_idle_list, "timer-idle-list", kGlobalVar, kAny, kInitNil, "Active idle timers in order.")
NEOVM_VARIABLE(timer_list, "timer-list", kGlobalVar, kAny, kInitNil, "Active timers in order.")
NEOVM_VARIABLE(tool_bar_separator_image_expression, "tool-bar-separator-image-expression", kGlobalVar, kAny, kInitNil,
               "Form that yields the tool bar's separator image.")
NEOVM_VARIABLE(top_level, "top-level", kGlobalVar, kAny, kInitNil, "Form evaluated when the program starts.")
NEOVM_VARIABLE(track_mouse, "track-mouse", kGlobalVar, kAny, kInitNil, "Non-nil generates mouse motion events.")
NEOVM_VARIABLE(tty_erase_char, "tty-erase-char", kGlobalVar, kAny, kInitNil,
               "Erase character of the terminal at start-up.")
NEOVM_VARIABLE(unread_command_events, "unread-command-events", kGlobalVar, kAny, kInitNil, "Events to be read next.")
NEOVM_VARIABLE(unread_input_method_events, "unread-input-method-events", kGlobalVar, kAny, kInitNil,
               "Events to be read next, without input method processing of commands.")
NEOVM_VARIABLE(unread_post_input_method_events, "unread-post-input-method-events", kGlobalVar, kAny, kInitNil,
               "Events to be read next, after input methods.")
NEOVM_VARIABLE(while_no_input_ignore_events, "while-no-input-ignore-events", kGlobalVar, kAny, kInitNil,
               "Events that while-no-input ignores.")

}  // namespace
}  // namespace neomacs::host
