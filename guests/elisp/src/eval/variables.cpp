// Builtin variables of the evaluator.
#include "machine.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

NEOVM_VARIABLE(backtrace_on_error_noninteractive, "backtrace-on-error-noninteractive", kGlobalVar, kBool, kInitT,
               "Non-nil means print a backtrace when an error ends a batch run.")
NEOVM_VARIABLE(debug_ignored_errors, "debug-ignored-errors", kGlobalVar, kAny, kInitNil,
               "Error conditions, or regexps for messages, that never start the debugger.")
NEOVM_VARIABLE(debug_on_error, "debug-on-error", kGlobalVar, kAny, kInitNil,
               "Non-nil means start the debugger when an error is not handled.")
NEOVM_VARIABLE(debug_on_next_call, "debug-on-next-call", kGlobalVar, kBool, kInitNil,
               "Non-nil means start the debugger before the next call.")
NEOVM_VARIABLE(debug_on_quit, "debug-on-quit", kGlobalVar, kBool, kInitNil, "Non-nil means start the debugger on quit.")
NEOVM_VARIABLE(debug_on_signal, "debug-on-signal", kGlobalVar, kBool, kInitNil,
               "Non-nil means start the debugger on errors even when they are handled.")
NEOVM_VARIABLE(debugger, "debugger", kGlobalVar, kAny, Qdebug, "Function that serves as the debugger.")
NEOVM_VARIABLE(debugger_may_continue, "debugger-may-continue", kGlobalVar, kBool, kInitT,
               "Non-nil means the debugger may continue execution.")
NEOVM_VARIABLE(debugger_stack_frame_as_list, "debugger-stack-frame-as-list", kGlobalVar, kBool, kInitNil,
               "Non-nil means show calls as lists in backtraces.")
NEOVM_VARIABLE(inhibit_debugger, "inhibit-debugger", kGlobalVar, kAny, kInitNil,
               "Non-nil means never start the debugger.")
NEOVM_VARIABLE(inhibit_quit, "inhibit-quit", kGlobalVar, kAny, kInitNil,
               "Non-nil delays quitting until it is nil again.")
NEOVM_VARIABLE(quit_flag, "quit-flag", kGlobalVar, kAny, kInitNil,
               "Non-nil makes evaluation quit as soon as that is allowed.")
NEOVM_VARIABLE(internal_when_entered_debugger, "internal-when-entered-debugger", kGlobalVar, kInt, Value::fixnum(-1),
               "Count of input events when the debugger was last entered.")
NEOVM_VARIABLE(max_lisp_eval_depth, "max-lisp-eval-depth", kGlobalVar, kInt, Value::fixnum(1600),
               "Limit on the depth of nested evaluation.")
NEOVM_VARIABLE(max_specpdl_size, "max-specpdl-size", kGlobalVar, kInt, Value::fixnum(2500),
               "Limit on the number of variable bindings and unwind-protects.")
NEOVM_VARIABLE(signal_hook_function, "signal-hook-function", kGlobalVar, kAny, kInitNil,
               "Function called by `signal` before any handler is looked for.")

NEOVM_INIT(eval_variables, kObjects)(Context& cx) {
  for (const Value s : {Qquit_flag, Qinhibit_quit, Qdebug_on_next_call}) cx.cells(s).flags |= kSymbolHooked;
  // Changed by set-buffer-multibyte only.
  cx.cells(Qenable_multibyte_characters).flags |= kSymbolConstant;
}

}  // namespace neovm::elisp
