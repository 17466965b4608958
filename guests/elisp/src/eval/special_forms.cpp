// Rows of the primitives that exist only inside the machine: special forms and resumable calls. Their
// functions are never reached, because the machine recognises them by id before it would call them.
#include "machine.hpp"

namespace neovm::elisp {

#define MACHINE_FORM(id, name, min, doc)                                                                       \
  NEOVM_PRIMITIVE(id, name, min, kUnevalled, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, doc) \
  (Context & cx, Value) { return unimplemented(cx, name); }
#define MACHINE_CALL(id, name, min, doc)                                                                  \
  NEOVM_PRIMITIVE(id, name, min, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, doc) \
  (Context & cx, Arguments) { return unimplemented(cx, name); }
#define MACHINE_CALL2(id, name, doc)                                                                \
  NEOVM_PRIMITIVE(id, name, 2, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, doc) \
  (Context & cx, Value, Value) { return unimplemented(cx, name); }

MACHINE_FORM(quote, "quote", 1, "Return the argument unevaluated: (quote X) is 'X.")
MACHINE_FORM(function, "function", 1, "Like `quote`, but a lambda expression becomes a closure over the lexical scope.")
MACHINE_FORM(progn, "progn", 0, "Evaluate the forms in turn and return the value of the last.")
MACHINE_FORM(prog1, "prog1", 1, "Evaluate FIRST and BODY in turn; return the value of FIRST.")
MACHINE_FORM(if, "if", 2, "If COND yields non-nil, evaluate THEN, otherwise the ELSE forms.")
MACHINE_FORM(and, "and", 0, "Evaluate the forms until one yields nil; return the last value.")
MACHINE_FORM(or, "or", 0, "Evaluate the forms until one yields non-nil and return that value.")
MACHINE_FORM(cond, "cond", 0, "Try the clauses (TEST BODY…) until a TEST yields non-nil.")
MACHINE_FORM(while, "while", 1, "While TEST yields non-nil, evaluate the body again; return nil.")
MACHINE_FORM(let, "let", 1, "Bind the variables of VARLIST in parallel, then evaluate BODY.")
MACHINE_FORM(let_star, "let*", 1, "Bind the variables of VARLIST one after the other, then evaluate BODY.")
MACHINE_FORM(setq, "setq", 0, "Set each SYM to the value of the form that follows it.")
MACHINE_FORM(defvar, "defvar", 1, "Declare SYMBOL special, with an initial value that only applies if it is void.")
MACHINE_FORM(defconst, "defconst", 2, "Define SYMBOL as a special variable meant never to change.")
MACHINE_FORM(condition_case, "condition-case", 2, "Evaluate BODYFORM with handlers for errors; VAR gets the error.")
MACHINE_FORM(catch, "catch", 1, "Evaluate BODY while a `throw` to TAG may leave it with a value.")
MACHINE_FORM(unwind_protect, "unwind-protect", 1, "Evaluate BODYFORM, then the UNWINDFORMS however it was left.")
MACHINE_FORM(save_excursion, "save-excursion", 0, "Evaluate BODY, then restore the current buffer and point.")
MACHINE_FORM(save_restriction, "save-restriction", 0, "Evaluate BODY, then restore the buffer's narrowing.")
MACHINE_FORM(save_current_buffer, "save-current-buffer", 0, "Evaluate BODY, then restore the current buffer.")
MACHINE_FORM(interactive, "interactive", 0, "Mark a function as a command; evaluates to nil.")

MACHINE_CALL(funcall, "funcall", 1, "Call FUNCTION with the remaining arguments.")
MACHINE_CALL(apply, "apply", 1, "Call FUNCTION with arguments whose last one is a list of further arguments.")
MACHINE_CALL(run_hooks, "run-hooks", 0, "Run each of the hook variables HOOKS.")
MACHINE_CALL(run_hook_with_args, "run-hook-with-args", 1, "Run HOOK, passing ARGS to each function.")
MACHINE_CALL(run_hook_until_success, "run-hook-with-args-until-success", 1,
             "Run HOOK with ARGS until a function returns non-nil; return that.")
MACHINE_CALL(run_hook_until_failure, "run-hook-with-args-until-failure", 1,
             "Run HOOK with ARGS until a function returns nil; non-nil when none did.")
MACHINE_CALL(run_hook_wrapped, "run-hook-wrapped", 2, "Run HOOK, passing each function and ARGS to WRAP-FUNCTION.")
MACHINE_CALL(funcall_interactively, "funcall-interactively", 1,
             "Like `funcall`, but the called command sees that it was called interactively.")
MACHINE_CALL2(sort, "sort", "Sort SEQ, a list or vector, stably and in place by PREDICATE.")
MACHINE_CALL2(maphash, "maphash", "Call FUNCTION with each key and value of TABLE.")
NEOVM_PRIMITIVE(byte_code, "byte-code", 3, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Execute the byte-code string with its constants VECTOR and stack depth.")
(Context& cx, Value, Value, Value) { return unimplemented(cx, "byte-code"); }
MACHINE_CALL2(mapcar, "mapcar", "Apply FUNCTION to each element of SEQUENCE and return the list of results.")
MACHINE_CALL2(mapc, "mapc", "Apply FUNCTION to each element of SEQUENCE for side effects; return SEQUENCE.")
MACHINE_CALL2(mapcan, "mapcan", "Apply FUNCTION to each element of SEQUENCE and join the resulting lists with `nconc`.")
NEOVM_PRIMITIVE(mapconcat, "mapconcat", 3, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Apply FUNCTION to each element of SEQUENCE and join the results with SEPARATOR.")
(Context& cx, Value, Value, Value) { return unimplemented(cx, "mapconcat"); }
NEOVM_PRIMITIVE(eval, "eval", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Evaluate FORM; LEXICAL non-nil means with lexical scoping, or names the lexical environment.")
(Context& cx, Value, Value) { return unimplemented(cx, "eval"); }

}  // namespace neovm::elisp
