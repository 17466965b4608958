"""SIGINT, SIGTERM and SIGHUP end a batch program as they end Emacs: kill-emacs-hook runs, nothing is unwound or caught, and
the exit code is the signal's number. The signal must get through wherever the program is."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
import harness  # noqa: E402
from harness import check  # noqa: E402

HOOK = '(add-hook (quote kill-emacs-hook) (lambda () (princ "hook")))'
LOOPS = {
    "interpreted": "(while t)",
    "protected": '(condition-case nil (unwind-protect (while t) (princ "cleanup")) (quit (princ "caught")))',
    "quitting forbidden": "(let ((inhibit-quit t)) (while t))",
    "byte-code": "(funcall (byte-compile (lambda () (while t))))",
    "byte-code calls": "(progn (defun f (n) (while (g n))) (defun g (n) n) (byte-compile 'f) (byte-compile 'g) (f 1))",
    "recursion": "(let ((max-lisp-eval-depth 800)) (while t (ignore-errors (defun f () (f)) (f))))",
    "recursion to the end of the stack":
        "(let ((max-lisp-eval-depth 100000000) (max-specpdl-size 100000000)) (defun f () (f)) (while t (ignore-errors (f))))",
    "macros": "(progn (defmacro m () '(m)) (while t (ignore-errors (macroexpand-all '(m)))))",
    "sort": "(let ((l (number-sequence 1 300000))) (while t (sort l '<)))",
    "sort by Lisp": "(let ((l (number-sequence 1 300000))) (while t (sort l (lambda (a b) (< b a)))))",
    "mapcar": "(mapcar (lambda (x) (while t)) (list 1))",
    "mapcar of a primitive": "(let ((l (number-sequence 1 100000))) (while t (mapcar '1+ l)))",
    "mapconcat": "(while t (mapconcat 'identity (make-list 100000 \"x\") \"-\"))",
    "maphash": "(let ((h (make-hash-table))) (puthash 1 1 h) (while t (maphash (lambda (k v) nil) h)))",
    "puthash": "(let ((h (make-hash-table :test 'equal)) (i 0)) (while t (puthash (list (setq i (1+ i))) i h) (clrhash h)))",
    "string-match": '(string-match "\\\\(x+x+\\\\)+y" (make-string 60 ?x))',
    "re-search-forward": '(with-temp-buffer (insert (make-string 300000 ?a)) (while t (goto-char 1) (re-search-forward "a*b" nil t)))',
    "search-forward": '(with-temp-buffer (insert (make-string 300000 ?a)) (while t (goto-char 1) (search-forward "ab" nil t)))',
    "circular list": "(let ((l (list 1 2))) (setcdr (cdr l) l) (while t (memq 'x (list 1)) (ignore-errors (length l))))",
    "nthcdr": "(let ((l (number-sequence 1 1000000))) (while t (nthcdr 999999 l)))",
    "equal": "(let ((a (make-list 300000 1)) (b (make-list 300000 1))) (while t (equal a b)))",
    "numbers": "(let ((x (expt 7 10000))) (while t (* x x)))",
    "printing": '(while t (format "%S" (make-list 100000 1)))',
    "reading": '(let ((s (concat "(" (make-string 1000000 ?\\s) ")"))) (while t (read s)))',
    "garbage-collect": "(while t (garbage-collect))",
    "sleep-for": "(sleep-for 100)",
    "sit-for": "(sit-for 100)",
    "waiting for input": '(read-string "?")',
    "call-process": '(call-process "sleep" nil nil nil "100")',
    "accept-process-output": '(progn (start-process "p" nil "sleep" "100") (accept-process-output nil 100))',
    "replacing": '(with-temp-buffer (insert (make-string 100000 ?a)) (while t (goto-char 1) (while (re-search-forward "a" nil t) (replace-match "b")) (subst-char-in-region 1 (point-max) ?b ?a)))',
}


def interrupted(bin_folder, form, number=signal.SIGINT, again=False):
    """(exit code, output, seconds from the signal to the end)."""
    process = subprocess.Popen([f"{bin_folder}/neomacs", "--batch", "-Q", "--eval", HOOK, "--eval",
                                f'(progn (princ "\\n") (message "ready") {form})'],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.stderr.readline()  # "ready"
        time.sleep(0.3 * harness.PATIENCE)
        if process.poll() is not None:
            raise AssertionError(f"{form} ended by itself: {str(process.communicate())[:500]}")
        begun = time.monotonic()
        process.send_signal(number)
        if again:
            time.sleep(0.5)
            process.send_signal(number)
        process.wait(20 * harness.PATIENCE)
        seconds = time.monotonic() - begun
        out, error = process.stdout.read(), process.stderr.read()
    finally:
        process.kill()
        process.stdin.close()
    check(b"Sanitizer" not in error and b"runtime error:" not in error, error)
    return process.returncode, out.strip(), seconds


def test_ctrl_c_gets_through_everywhere(bin_folder):
    def one(item):
        name, form = item
        status, out, seconds = interrupted(bin_folder, form)
        out = out.removeprefix(b"?").strip()  # the prompt of read-string
        if (status, out) != (2, b"hook") or seconds > 2 * harness.PATIENCE:
            return f"{name}: exit {status}, {out!r}, after {seconds:.2f} s"
        return None

    with ThreadPoolExecutor(2) as pool:
        wrong = [answer for answer in pool.map(one, LOOPS.items()) if answer]
    check(not wrong, "\n".join(wrong))


def test_the_signal_is_the_exit_code(bin_folder):
    for number in (signal.SIGTERM, signal.SIGHUP):
        status, out, _ = interrupted(bin_folder, LOOPS["protected"], number)
        check((status, out) == (int(number), b"hook"), (number, status, out))


# The signal comes at level DEPTH of a recursion that is allowed 1600.
AT_DEPTH = """(let ((max-lisp-eval-depth 1600) (max-specpdl-size 2500))
  (defvar depth 0)
  (defun f () (setq depth (1+ depth)) (if (= depth %d) (signal-process (emacs-pid) 'SIGINT)) (let ((x depth)) (f)))
  %s (condition-case nil (f) (error (princ depth))))"""


def test_the_hook_runs_at_every_depth(bin_folder):
    hook = '(add-hook (quote kill-emacs-hook) (lambda () (princ (mapconcat (quote identity) (list "ho" "ok") ""))))'

    def run(depth, compiled):
        form = AT_DEPTH % (depth, "(byte-compile 'f)" if compiled else "")
        return harness.neomacs(bin_folder, "--eval", "(require 'bytecomp)", "--eval", hook, "--eval", form)

    with ThreadPoolExecutor(2) as pool:
        for compiled in (False, True):
            end = int(run(0, compiled).stdout.removesuffix(b"hook"))  # the depth at which the recursion fails
            check(end > 300, end)
            # The poll that notices comes a few calls after the signal.
            for depth, result in zip(range(end - 40, end), pool.map(lambda d: run(d, compiled), range(end - 40, end))):
                seen = (result.returncode, result.stdout)
                check(seen in ((2, b"hook"), (2, b"%dhook" % end), (0, b"%dhook" % end)), (compiled, depth, seen, result.stderr))


def test_a_second_signal_does_not_wait(bin_folder):
    status, _, seconds = interrupted(bin_folder, "(progn (add-hook 'kill-emacs-hook (lambda () (while t))) (while t))", again=True)
    check(status == 2 and seconds < 5 * harness.PATIENCE, (status, seconds))


def test_harmless_signals(bin_folder):
    form = "(progn (dolist (s '(SIGUSR1 SIGUSR2 SIGALRM SIGCHLD)) (signal-process (emacs-pid) s)) (sleep-for 0.05) 'alive)"
    check(harness.evaluated(bin_folder, form) == "alive", "dead")


if __name__ == "__main__":
    harness.main(globals())
