"""Tasks that sleep, wait for programs, read and write do not keep the one worker there is; and they can be stopped meanwhile."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402
from harness import check, neomacs  # noqa: E402

PRELUDE = """(progn
  (defun tb-wait-until (function) (while (not (funcall function)) (sleep-for 0.01)))
  (defun tb-running (pid) (file-exists-p (format "/proc/%d" pid)))
  (defun tb-end (task) (condition-case e (task-await task) (task-error (car e)) (error e)))
  (defun tb-number-in (file) (with-temp-buffer (insert-file-contents file) (string-to-number (buffer-string)))))"""

# A program that ends while a task waits on a stack of its own leaves what that stack owns to the system.
LEAVES_A_STACK = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def answer(bin_folder, form, **options):
    """What FORM prints as, on one worker."""
    result = neomacs(bin_folder, "-j", "1", "--eval", PRELUDE, "--eval", f"(prin1 {form})", **options)
    check(result.returncode == 0, result)
    return result.stdout.decode("utf-8", "replace")


def overlap(bin_folder, waiting):
    """Four tasks do WAITING, which takes three seconds, on one worker: every one begins before any ends."""
    form = f"""(let* ((times (mapcar #'task-await (mapcar (lambda (_) (spawn-task
           '(let ((begun (float-time))) {waiting} (cons begun (float-time))))) '(1 2 3 4))))
         (begun (mapcar #'car times)) (ended (mapcar #'cdr times)))
      (list (< (apply #'max begun) (apply #'min ended)) (<= 2.9 (- (apply #'min ended) (apply #'max begun) -2.9))))"""
    got = answer(bin_folder, form)
    check(got == "(t t)", f"{waiting}: {got}")


def test_sleeping_tasks_share_a_worker(bin_folder):
    overlap(bin_folder, "(sleep-for 3)")


def test_tasks_that_run_programs_share_a_worker(bin_folder):
    overlap(bin_folder, '(call-process "sleep" nil nil nil "3")')


def test_others_compute_meanwhile(bin_folder):
    for waiting in ("(sleep-for 1000)", "(sit-for 1000)", '(call-process "sleep" nil t nil "1000")',
                    '(accept-process-output (start-process "s" nil "sleep" "1000") 1000)', "(read-event nil nil 1000)"):
        form = f"""(let* ((news (make-channel))
             (sleeper (spawn-task (lambda (news) (channel-send news 'begun) {waiting}) (list news))))
          (channel-recv news)
          (let ((sum (task-await (spawn-task (lambda () (let ((s 0)) (dotimes (i 100000) (setq s (+ s i))) s))))))
            (list sum (task-status sleeper) (task-cancel sleeper) (tb-end sleeper) (task-status sleeper))))"""
        got = answer(bin_folder, form)
        check(got == "(4999950000 running t task-cancelled cancelled)", f"{waiting}: {got}")


def test_deadlines_reach_them(bin_folder):
    for waiting in ("(sleep-for 1000)", '(call-process "sleep" nil t nil "1000")', '(call-process "sleep" nil nil nil "1000")'):
        got = answer(bin_folder, f"(tb-end (spawn-task '{waiting} nil :deadline-ms 300))")
        check(got == "task-deadline", f"{waiting}: {got}")


def test_a_cancelled_call_takes_its_program_along(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        for destination in ("nil", "t"):
            file = f"{folder}/{destination}"
            form = f"""(let* ((file "{file}") (task (spawn-task (lambda (file)
                   (call-process "sh" nil {destination} nil "-c" (format "echo $$ > %s.new; mv %s.new %s; exec sleep 1000" file file file)))
                 (list file))) pid)
              (tb-wait-until (lambda () (file-exists-p file)))
              (setq pid (tb-number-in file))
              (list (tb-running pid) (task-cancel task) (tb-end task) (tb-running pid)))"""
            got = answer(bin_folder, form)
            check(got == "(t t task-cancelled nil)", got)


def test_what_cleans_up_may_wait(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        form = f"""(let* ((old "{folder}/old") (new "{folder}/new") (news (make-channel)) task)
          (write-region "x" nil old nil 0)
          (setq task (spawn-task (lambda (old new news)
              (unwind-protect (progn (channel-send news 'begun) (sleep-for 1000))
                (sleep-for 0.05) (delete-file old)
                (write-region (number-to-string (call-process "sh" nil nil nil "-c" "exit 7")) nil new nil 0)))
            (list old new news)))
          (channel-recv news) (task-cancel task)
          (list (tb-end task) (file-exists-p old) (tb-number-in new)))"""
        got = answer(bin_folder, form)
        check(got == "(task-cancelled nil 7)", got)


def test_both_ends_of_a_named_pipe_on_one_worker(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        pipe = f"{folder}/pipe"
        os.mkfifo(pipe)
        form = f"""(let* ((pipe "{pipe}")
             (reader (spawn-task (lambda (pipe) (with-temp-buffer (insert-file-contents pipe) (buffer-string))) (list pipe)))
             (writer (spawn-task (lambda (pipe) (write-region (make-string 200000 ?x) nil pipe nil 0)) (list pipe))))
          (list (length (task-await reader)) (task-await writer)))"""
        got = answer(bin_folder, form)
        check(got == "(200000 nil)", got)
        form = f"""(let* ((news (make-channel)) (reader (spawn-task (lambda (pipe news) (channel-send news 'begun)
             (with-temp-buffer (insert-file-contents pipe))) (list "{pipe}" news))))
          (channel-recv news) (task-cancel reader) (tb-end reader))"""
        got = answer(bin_folder, form)
        check(got == "task-cancelled", got)


def test_what_cannot_be_taken_back_is_waited_for(bin_folder):
    """A call that the kernel holds, here of a pipe without a reader: the others go on, the task stops when it returns."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = f"{folder}/pipe"
        os.mkfifo(pipe)
        stuck = f"""(let* ((news (make-channel)) (task (spawn-task (lambda (pipe news) (channel-send news 'begun)
            (write-region "late" nil pipe nil 0) (while t)) (list "{pipe}" news))))
          (channel-recv news) (task-cancel task)"""
        got = answer(bin_folder, f"""{stuck} (list (condition-case e (task-await task 200) (task-timeout (car e)))
             (task-status task) (task-await (spawn-task '(+ 1 2)))
             (with-temp-buffer (insert-file-contents "{pipe}") (buffer-string)) (tb-end task) (task-status task)))""")
        check(got == '(task-timeout running 3 "late" task-cancelled cancelled)', got)
        got = answer(bin_folder, f"{stuck} (condition-case e (task-await task 50) (task-timeout 'left))) ", env=LEAVES_A_STACK)
        check(got == "left", got)


def test_files_are_the_same_from_tasks(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        for i in range(30):
            (Path(folder) / f"f{i}").write_text("line\n" * (i * 700))
        (Path(folder) / "sub").mkdir()
        os.symlink("f1", f"{folder}/link")
        form = f"""(let* ((default-directory "{folder}/")
             (ask (lambda (name) (let ((file (expand-file-name name "{folder}")))
               (list name (file-exists-p file) (file-readable-p file) (file-directory-p file) (file-regular-p file)
                 (file-symlink-p file) (file-modes file) (nthcdr 5 (file-attributes file)) (file-newer-than-file-p file "{folder}/f1")
                 (condition-case e (with-temp-buffer (insert-file-contents file) (list (buffer-size) (md5 (current-buffer))))
                   (error e)) (condition-case e (directory-files file) (error e))
                 (condition-case e (file-name-completion "f1" file) (error e))))))
             (names (append (delete ".." (directory-files "{folder}")) '("missing" "f1/x" "sub/y"))))
          (equal (mapcar ask names) (task-map ask names)))"""
        got = answer(bin_folder, form)
        check(got == "t", got)
        form = f"""(let ((change (lambda (name) (let ((default-directory "{folder}/sub/") all)
             (dolist (form '((write-region "abc" nil "a") (write-region "abc" nil "a" nil nil nil 'excl) (copy-file "a" "b")
                 (copy-file "a" "b") (copy-file "a" "a" t) (copy-file "none" "c") (rename-file "b" "c") (rename-file "a" "c")
                 (make-symbolic-link "c" "d") (make-symbolic-link "c" "d") (add-name-to-file "c" "e") (make-directory "f")
                 (make-directory "f") (set-file-modes "c" #o600) (set-file-times "c" 1000) (delete-directory "c")
                 (delete-file "f") (write-region "more" nil "c" t) (file-modes "c") (file-attributes "none")
                 (write-region "x" nil "none/x") (delete-directory "f") (mapc #'delete-file '("a" "c" "d" "e" "a"))
                 (directory-files ".")) (nreverse all))
               (push (condition-case e (eval form t) (error e)) all))))))
          (equal (funcall change nil) (task-await (spawn-task change '(nil)))))"""
        got = answer(bin_folder, form)
        check(got == "t", got)


def test_reading_standard_input_in_a_task(bin_folder):
    form = """(let ((reader (spawn-task '(list (read-string "") (read-string "") (read-event)))))
      (princ (format "%S\\n" (task-await (spawn-task '(+ 1 2)))) #'external-debugging-output)
      (prin1 (task-await reader)))"""
    process = subprocess.Popen([f"{bin_folder}/neomacs", "--batch", "-Q", "-j", "1", "--eval", form],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(process.stderr.readline() == b"3\n", "nobody computed while a task waited for input")
    process.stdin.write(b"on")
    process.stdin.flush()
    output, noise = process.communicate(b"e\ntwo\nx", timeout=60 * harness.PATIENCE)
    check(output.endswith(b'("one" "two" 120)') and process.returncode == 0, (output, noise))


def test_an_interrupt_ends_a_program_with_tasks_that_wait(bin_folder):
    for waiting in ("(sleep-for 1000)", '(call-process "sleep" nil t nil "20")'):
        form = f"""(let* ((news (make-channel)) (task (spawn-task (lambda (news) (channel-send news 'begun) {waiting}) (list news))))
          (channel-recv news) (princ "waiting\\n" #'external-debugging-output) (task-await task))"""
        process = subprocess.Popen([f"{bin_folder}/neomacs", "--batch", "-Q", "-j", "1", "--eval", PRELUDE, "--eval", form],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env=LEAVES_A_STACK)
        check(process.stderr.readline() == b"waiting\n", waiting)
        process.send_signal(signal.SIGINT)
        check(process.wait(timeout=60 * harness.PATIENCE) == 2, waiting)


if __name__ == "__main__":
    harness.main(globals())
