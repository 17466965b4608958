"""Tasks from the command line: -j, the index of Lisp files on workers, library code in a task, Ctrl-C during a wait."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402
from harness import check, evaluated, neomacs  # noqa: E402

LIBRARY = "/usr/share/emacs/28.2/lisp"


def index(bin_folder, library, jobs, folder):
    output = Path(folder) / f"index-{jobs}.tsv"
    workers = ["--jobs", str(jobs)] if jobs else []
    result = neomacs(bin_folder, *workers, "-l", str(harness.ROOT / "examples/lisp-index.el"), "-f", "lisp-index-batch", "--",
                     "--library", library, "--output", str(output), *(["--jobs", str(jobs)] if jobs else []), seconds=300)
    check(result.returncode == 0, result.stderr)
    return output.read_bytes(), result.stdout


def test_index_is_the_same_on_any_number_of_workers(bin_folder):
    library = LIBRARY + "/emacs-lisp"
    if not Path(library).is_dir():
        return
    with tempfile.TemporaryDirectory() as folder:
        alone = index(bin_folder, library, 0, folder)
        check(alone[0].count(b"\n") > 1000, "the index is almost empty")
        for jobs in (2, 3):
            check(index(bin_folder, library, jobs, folder) == alone, f"-j {jobs} gives another index")


def test_tasks_know_the_library_and_what_was_defined(bin_folder):
    form = """(progn (require 'cl-lib) (cl-defstruct tt a b) (defmacro tt-twice (x) `(* 2 ,x)) (defvar tt-base 40)
        (defun tt-work (s) (setf (tt-b s) (tt-twice (tt-a s))) s)
        (let ((s (task-await (spawn-task #'tt-work (list (make-tt :a 1))))))
          (list (tt-p s) (tt-b s) (task-map (lambda (x) (+ x tt-base)) '(1 2 3)))))"""
    got = evaluated(bin_folder, form)
    check(got == "(t 2 (41 42 43))", got)


def test_variables_that_get_their_value_at_the_start_are_bound(bin_folder):
    form = """(let (names) (mapatoms (lambda (s) (if (and (boundp s) (special-variable-p s)) (push s names))))
        (list (> (length names) 2000) (boundp 'global-font-lock-mode)
              (task-await (spawn-task (lambda (names) (delq nil (mapcar (lambda (s) (if (boundp s) nil s)) names))) (list names)))))"""
    got = evaluated(bin_folder, form)
    check(got == "(t t nil)", got)


def test_compiled_functions_travel(bin_folder):
    got = evaluated(bin_folder, "(let ((f (byte-compile (lambda (n) (let ((s 0)) (dotimes (i n) (setq s (+ s i))) s)))))"
                                " (dotimes (_ 5) (funcall f 9)) (list (funcall f 10) (task-map f '(10 20 30))))")
    check(got == "(45 (45 190 435))", got)


def test_output_of_a_task_and_errors_at_the_await(bin_folder):
    got = evaluated(bin_folder, "(let ((task (spawn-task '(progn (defun tt-deep (x) (car x)) (tt-deep 7)))))"
                                " (condition-case e (task-await task) (error (list e (and (string-match \"tt-deep(7)\""
                                " (task-backtrace task)) t)))))")
    check(got == "((wrong-type-argument listp 7) t)", got)


def test_an_error_brings_its_data_and_its_calls(bin_folder):
    form = """(progn (define-error 'tt-trouble "Trouble") (defun tt-deep (x) (signal 'tt-trouble (list x [1 "two"] 3.5)))
        (let ((task (spawn-task (lambda () (1+ (tt-deep 'here))))))
          (list (condition-case e (task-await task) (tt-trouble e)) (task-status task)
                (and (string-match "tt-deep(here)" (task-backtrace task)) t))))"""
    got = evaluated(bin_folder, form)
    check(got == '((tt-trouble here [1 "two"] 3.5) failed t)', got)


def test_what_belongs_to_the_program_is_refused(bin_folder):
    form = """(mapcar (lambda (form) (condition-case e (task-await (spawn-task form)) (error (cadr e))))
        '((kill-emacs 7) (make-frame-visible) (set-process-query-on-exit-flag nil t) (progn (setq tt-mine 1) (+ tt-mine 1))))"""
    got = evaluated(bin_folder, form)
    check(got.count("main") == 3 and got.endswith(" 2)"), got)


def test_errors_that_nobody_awaited_are_told_at_the_end(bin_folder):
    form = """(let ((one (spawn-task '(error "nobody looks") nil :name "one")) (two (spawn-task '(error "seen") nil :name "two")))
        (ignore-errors (task-await two))
        (task-await (spawn-task '(progn (spawn-task '(error "a child") nil :name "child") 1)))
        (while (not (eq (task-status one) 'failed))) (princ "end"))"""
    result = neomacs(bin_folder, "--eval", form)
    lines = sorted(result.stderr.decode().strip().splitlines())
    check(result.returncode == 0 and result.stdout == b"end", result)
    check(lines == ["Task child failed: a child", "Task one failed: nobody looks"], lines)


def test_wrong_numbers_of_jobs(bin_folder):
    for words in (["--jobs"], ["--jobs", "0"], ["--jobs=x"], ["-j", "1000"]):
        result = subprocess.run([f"{bin_folder}/neomacs", "--batch", *words], capture_output=True, timeout=60)
        check(result.returncode == 1 and b"requires a number from 1 to 256" in result.stderr, (words, result))
    check(evaluated(bin_folder, "(task-workers)").isdigit(), "no number of workers")
    got = neomacs(bin_folder, "-j", "3", "--eval", "(princ (task-workers))").stdout
    check(got == b"3", got)


def test_a_signal_ends_a_wait(bin_folder):
    for form in ("(task-await (spawn-task '(while t)))", "(channel-recv (progn (spawn-task '(while t)) (make-channel)))"):
        process = subprocess.Popen([f"{bin_folder}/neomacs", "--batch", "-Q", "--eval",
                                    f"(progn (princ \"waiting\\n\" #'external-debugging-output) {form})"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stderr.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        process.communicate(timeout=20 * harness.PATIENCE)
        check(time.monotonic() - begun < 5 * harness.PATIENCE, "the wait did not end")
        check(process.returncode == 2, process.returncode)


def test_without_tasks_there_are_no_threads(bin_folder):
    got = evaluated(bin_folder, "(length (directory-files \"/proc/self/task\" nil \"^[0-9]\"))")
    check(got == "1", got)


if __name__ == "__main__":
    harness.main(globals())
