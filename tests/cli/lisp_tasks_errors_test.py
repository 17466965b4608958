"""Lisp that GNU Emacs has not got: tasks, channels, and what the machine says of itself; values, wrong types, wrong counts.

FORMS is the table: a form, and what it answers in the notation of the recorded answers, `OK value` or `ERR (symbol . data)`.
tests/cli/corpus_coverage_test.py counts its rows as the forms of these primitives.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402
from harness import check, neomacs  # noqa: E402

FORMS = [
    ("(task-await (spawn-task '(+ 1 2)))", "OK 3"),
    ("(task-await (spawn-task #'+ (list 1 2 3)))", "OK 6"),
    ("(spawn-task 0 0)", "ERR (wrong-type-argument listp 0)"),
    ("(spawn-task)", "ERR (wrong-number-of-arguments spawn-task 0)"),
    ("(taskp (spawn-task 7))", "OK t"),
    ("(task-await (spawn-task '(car 7)))", "ERR (wrong-type-argument listp 7)"),
    ("(task-await 7)", "ERR (wrong-type-argument taskp 7)"),
    ("(task-await)", "ERR (wrong-number-of-arguments task-await 0)"),
    ("(task-await 1 2 3)", "ERR (wrong-number-of-arguments task-await 3)"),
    ("(task-await (spawn-task '(progn 1)) 'soon)", "ERR (wrong-type-argument numberp soon)"),
    ("(let ((task (spawn-task '(list 1)))) (list (taskp task) (task-await task) (task-status task)))", "OK (t (1) done)"),
    ("(taskp 1)", "OK nil"),
    ("(taskp)", "ERR (wrong-number-of-arguments taskp 0)"),
    ("(taskp nil nil)", "ERR (wrong-number-of-arguments taskp 2)"),
    ("(task-status 1)", "ERR (wrong-type-argument taskp 1)"),
    ("(task-status)", "ERR (wrong-number-of-arguments task-status 0)"),
    ("(task-status nil nil)", "ERR (wrong-number-of-arguments task-status 2)"),
    ("(let ((task (spawn-task '(while t)))) (task-cancel task)"
     " (list (condition-case e (task-await task) (error (car e))) (task-status task)))",
     "OK (task-cancelled cancelled)"),
    ("(let ((task (spawn-task '(list 1)))) (task-await task) (task-cancel task))", "OK nil"),
    ("(task-cancel 1)", "ERR (wrong-type-argument taskp 1)"),
    ("(task-cancel)", "ERR (wrong-number-of-arguments task-cancel 0)"),
    ("(let ((task (spawn-task '(list 1)))) (task-await task) (task-backtrace task))", "OK nil"),
    ("(let ((task (spawn-task '(car 7)))) (ignore-errors (task-await task)) (stringp (task-backtrace task)))", "OK t"),
    ("(task-backtrace 1)", "ERR (wrong-type-argument taskp 1)"),
    ("(task-backtrace)", "ERR (wrong-number-of-arguments task-backtrace 0)"),
    ("(task-self)", "OK nil"),
    ("(task-await (spawn-task '(taskp (task-self))))", "OK t"),
    ("(task-await (spawn-task '(task-status (task-self))))", "OK running"),
    ("(task-await (spawn-task '(eq (task-self) (task-self))))", "OK t"),
    ("(let* ((task (spawn-task '(list (task-self)))) (same (task-await task))) (eq task (car same)))", "OK t"),
    ("(let ((ch (make-channel)) (other (make-channel))) (channel-send ch (list ch other ch)) (garbage-collect)"
     " (let ((got (channel-recv ch))) (list (eq ch (car got)) (eq other (cadr got)) (eq ch other))))", "OK (t t nil)"),
    ("(task-await (spawn-task '(catch 'x (let ((debug-on-error t) (debugger (lambda (&rest args) (throw 'x (list 'seen (car args))))))"
     " (car 1)))))", "OK (seen error)"),
    ("(task-await (spawn-task '(let ((debug-on-error t)) (car 1))))", "ERR (wrong-type-argument listp 1)"),
    ("(task-self 1)", "ERR (wrong-number-of-arguments task-self 1)"),
    ("(task-map #'1+ '(1 2 3))", "OK (2 3 4)"),
    ("(task-map (lambda (x) (* x x)) [1 2 3])", "OK (1 4 9)"),
    ("(task-map #'car '(1))", "ERR (wrong-type-argument listp 1)"),
    ("(task-map #'car 7)", "ERR (wrong-type-argument sequencep 7)"),
    ("(task-map #'car)", "ERR (wrong-number-of-arguments task-map 1)"),
    ("(task--report-unawaited)", "OK nil"),
    ("(progn (task-await (spawn-task '(list 1))) (task--report-unawaited))", "OK nil"),
    ("(task--report-unawaited 1)", "ERR (wrong-number-of-arguments task--report-unawaited 1)"),
    ("(listp (neovm-tier-sites))", "OK t"),
    ("(neovm-tier-sites 'car)", "ERR (wrong-type-argument byte-code-function-p #<subr car>)"),
    ("(neovm-tier-sites 1 2)", "ERR (wrong-number-of-arguments neovm-tier-sites 2)"),
    ("(stringp (neovm-tier-report))", "OK t"),
    ("(neovm-tier-report 7)", "ERR (wrong-type-argument stringp 7)"),
    ("(neovm-tier-report 1 2)", "ERR (wrong-number-of-arguments neovm-tier-report 2)"),
    ("(> (task-workers) 0)", "OK t"),
    ("(= (task-workers) (task-workers))", "OK t"),
    ("(task-workers 1)", "ERR (wrong-number-of-arguments task-workers 1)"),
    ("(let ((c (make-channel 2))) (list (channelp c) (channel-send c '(1 \"two\")) (channel-recv c)))", "OK (t t (1 \"two\"))"),
    ("(channelp (make-channel t))", "OK t"),
    ("(make-channel 'x)", "ERR (wrong-type-argument wholenump x)"),
    ("(make-channel -1)", "ERR (wrong-type-argument wholenump -1)"),
    ("(make-channel 1 2)", "ERR (wrong-number-of-arguments make-channel 2)"),
    ("(channelp 1)", "OK nil"),
    ("(channelp)", "ERR (wrong-number-of-arguments channelp 0)"),
    ("(channel-send 1 2)", "ERR (wrong-type-argument channelp 1)"),
    ("(channel-send (make-channel))", "ERR (wrong-number-of-arguments channel-send 1)"),
    ("(let ((c (make-channel 1))) (channel-send c 1) (condition-case e (channel-send c 2 0) (task-timeout (eq (cadr e) c))))",
     "OK t"),
    ("(channel-recv 1)", "ERR (wrong-type-argument channelp 1)"),
    ("(channel-recv)", "ERR (wrong-number-of-arguments channel-recv 0)"),
    ("(let ((c (make-channel))) (condition-case e (channel-recv c 0) (task-timeout (eq (cadr e) c))))", "OK t"),
    ("(let ((c (make-channel))) (channel-send c 1) (list (channel-close c) (channel-recv c)))", "OK (nil 1)"),
    ("(let ((c (make-channel))) (channel-close c) (condition-case e (channel-send c 1) (channel-closed (eq (cadr e) c))))",
     "OK t"),
    ("(channel-close 1)", "ERR (wrong-type-argument channelp 1)"),
    ("(channel-close)", "ERR (wrong-number-of-arguments channel-close 0)"),
    ("(task--select nil 0)", "OK (-1 nil nil)"),
    ("(let ((c (make-channel))) (channel-send c 5) (task--select (list (list c)) 0))", "OK (0 5 t)"),
    ("(task--select 7)", "ERR (wrong-type-argument listp 7)"),
    ("(task--select)", "ERR (wrong-number-of-arguments task--select 0)"),
    ("(eval (task--expand-select '((timeout 0) 1)))", "OK 1"),
    ("(eval (task--expand-select '((default) 1)))", "OK 1"),
    ("(task--expand-select 7)", "ERR (error \"Malformed clause of `select'\" 7)"),
    ("(task--require-open t (make-channel))", "OK nil"),
    ("(task--require-open nil 'channel)", "ERR (channel-closed channel)"),
    ("(task--require-open 1)", "ERR (wrong-number-of-arguments task--require-open 1)"),
    ("(task--require-open 1 2 3)", "ERR (wrong-number-of-arguments task--require-open 3)"),
    ("(task--note-frame t 'car '(1) nil)", "OK nil"),
    ("(list (task--note-frame nil '(car x) nil nil))", "OK (nil)"),
    ("(task--note-frame)", "ERR (wrong-number-of-arguments task--note-frame 0)"),
    ("(task--note-frame 1 2 3 4 5)", "ERR (wrong-number-of-arguments task--note-frame 5)"),
    ("(cdr (assq 'no-such-count (neovm-gc-statistics)))", "OK nil"),
    ("(and (assq 'minor-collections (neovm-gc-statistics)) t)", "OK t"),
    ("(consp (neovm-gc-statistics))", "OK t"),
    ("(neovm-gc-statistics 1)", "ERR (wrong-number-of-arguments neovm-gc-statistics 1)"),
    ("(consp (neovm-tier-statistics))", "OK t"),
    ("(integerp (length (neovm-tier-statistics)))", "OK t"),
    ("(neovm-tier-statistics 1)", "ERR (wrong-number-of-arguments neovm-tier-statistics 1)"),
    ("(progn (task-await (spawn-task '(list 1))) (stringp (neovm-task-statistics)))", "OK t"),
    ("(progn (task-await (spawn-task '(list 1))) (stringp (neovm-task-statistics 'prometheus)))", "OK t"),
    ("(neovm-task-statistics 1 2)", "ERR (wrong-number-of-arguments neovm-task-statistics 2)"),
    ("(neovm-task-trace \"/none/of/that/x\")", "OK nil"),
    ("(neovm-task-trace 1)", "ERR (wrong-type-argument stringp 1)"),
    ("(neovm-task-trace)", "ERR (wrong-number-of-arguments neovm-task-trace 0)"),
    ("(let ((f (byte-compile (lambda (x) (+ x 1))))) (neovm-tier-compile f) (funcall f 1))", "OK 2"),
    ("(neovm-tier-compile 1)", "ERR (wrong-type-argument byte-code-function-p 1)"),
    ("(neovm-tier-compile)", "ERR (wrong-number-of-arguments neovm-tier-compile 0)"),
    ("(let ((f (byte-compile (lambda (x) (+ x 1))))) (neovm-tier-veto f) (list (funcall f 1) (neovm-register-code f)))",
     "OK (2 nil)"),
    ("(neovm-tier-veto 1)", "ERR (wrong-type-argument byte-code-function-p 1)"),
    ("(neovm-tier-veto)", "ERR (wrong-number-of-arguments neovm-tier-veto 0)"),
    ("(let ((f (byte-compile (lambda (x) (+ x 1))))) (and (neovm-tier-compile f) (not (stringp (neovm-register-code f)))))",
     "OK nil"),
    ("(neovm-register-code (byte-compile (lambda (x) x)))", "OK nil"),
    ("(neovm-register-code 1)", "ERR (wrong-type-argument byte-code-function-p 1)"),
    ("(neovm-register-code)", "ERR (wrong-number-of-arguments neovm-register-code 0)"),
    ("(neovm--edit-loop 1)", "ERR (wrong-number-of-arguments neovm--edit-loop 1)"),
    ("(condition-case e (neovm--edit-loop 1 2) (error (car e)))", "OK wrong-number-of-arguments"),
    ("(let ((executing-kbd-macro \"\") (executing-kbd-macro-index 0)) (neovm--edit-loop))", "OK nil"),
    ("(neovm--minibuffer-session)", "ERR (wrong-number-of-arguments neovm--minibuffer-session 0)"),
    ("(neovm--minibuffer-session 1 2 3 4 5 6)", "ERR (wrong-number-of-arguments neovm--minibuffer-session 6)"),
    ("(let ((executing-kbd-macro \"ab\\r\") (executing-kbd-macro-index 0)) (substring-no-properties (neovm--minibuffer-session"
     " (get-buffer-create \" *m*\") (minibuffer-window) \"p\" \"\" minibuffer-local-map)))", "OK \"pab\""),
    ("(neovm--minibuffer-session 1 2 3 4 5)", "ERR (wrong-type-argument window-live-p 2)"),
]


def answers(bin_folder, *options):
    """What each form of the table answers, all in one machine."""
    program = " ".join(
        f"(princ (concat (replace-regexp-in-string \"\\n\" \"\\\\n\" (condition-case err (format \"OK %S\" {form})"
        f" ((error quit neovm-unimplemented) (format \"ERR %S\" err))) t t) \"\\n\"))" for form, _ in FORMS)
    result = neomacs(bin_folder, *options, "--eval", f"(progn {program})", seconds=120)
    check(result.returncode == 0, result.stderr[-2000:])
    return result.stdout.decode("utf-8", "replace").split("\n")[:-1]


def compare(bin_folder, *options):
    got = answers(bin_folder, *options)
    check(len(got) == len(FORMS), f"{len(got)} answers to {len(FORMS)} forms; the last: {got[-1:]}")
    wrong = [f"{form}\n    expected {expected}\n    got      {answer}"
             for (form, expected), answer in zip(FORMS, got) if answer != expected]
    check(not wrong, "\n".join(wrong))


def test_forms_and_stack_code(bin_folder):
    compare(bin_folder, "--neovm-tier=0")


def test_register_code(bin_folder):
    compare(bin_folder)


def test_on_one_worker(bin_folder):
    compare(bin_folder, "-j", "1")


if __name__ == "__main__":
    harness.main(globals())
