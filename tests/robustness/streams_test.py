"""Standard streams that are closed, full or broken, and command lines that are wrong."""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
import harness  # noqa: E402
from harness import check  # noqa: E402


def shell(bin_folder, line, seconds=30):
    """Runs LINE, where $P is `neomacs --batch -Q`."""
    line = line.replace("$P", f"{bin_folder}/neomacs --batch -Q")
    return subprocess.run(["bash", "-c", line], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=seconds * harness.PATIENCE)


def expect(bin_folder, line, status, out=b"", error=b""):
    result = shell(bin_folder, line)
    seen = (result.returncode, result.stdout, result.stderr)
    check(result.returncode == status and result.stdout == out and result.stderr == error, f"{line}: {seen}")


FULL = b"neomacs: Write error to standard output: No space left on device\n"
CLOSED = b"neomacs: Write error to standard output: Bad file descriptor\n"


def test_closed_output_is_an_error(bin_folder):
    expect(bin_folder, "$P --eval '(princ 1)' >&-", 1, error=CLOSED)
    expect(bin_folder, "$P --eval '(ignore 1)' >&-", 0)
    expect(bin_folder, "$P --eval '(message \"x\")' 2>&-", 1)


def test_full_output_is_an_error(bin_folder):
    expect(bin_folder, "$P --eval '(princ 1)' >/dev/full", 1, error=FULL)
    expect(bin_folder, "$P --eval '(progn (princ 1) (kill-emacs 3))' >/dev/full", 1, error=FULL)
    expect(bin_folder, "$P --eval '(dotimes (i 100000) (princ \"0123456789\"))' >/dev/full", 1, error=FULL)
    expect(bin_folder, "$P --eval '(message \"x\")' 2>/dev/full", 1)
    expect(bin_folder, "$P --version >/dev/full", 1, error=FULL)


def test_closed_streams_are_not_taken_by_files(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        form = f'(progn (write-region "text" nil "{folder}/f") (princ "lost") (message "lost"))'
        result = shell(bin_folder, f"$P --eval '{form}' <&- >&- 2>&-")
        check(result.returncode == 1 and Path(folder, "f").read_text() == "text", result)


def test_end_of_input_ends_a_minibuffer(bin_folder):
    # A minibuffer that a keyboard macro opened and left without keys reads on from standard input, which is at its end.
    form = """(princ (condition-case e (let ((executing-kbd-macro t))
      (minibuffer-with-setup-hook (lambda () (setq executing-kbd-macro nil)) (read-string "x"))) (error e)))"""
    expect(bin_folder, f"$P --eval '{form}'", 0, b"(end-of-file Error reading from stdin)")


def test_reader_that_leaves_ends_the_program(bin_folder):
    expect(bin_folder, "$P --eval '(while t (princ \"y\\n\"))' | head -1", 0, b"y\n")
    expect(bin_folder, "$P --eval '(while t (message \"y\"))' 2>&1 | head -1", 0, b"y\n")
    expect(bin_folder, "$P --eval '(while t (princ \"y\\n\"))' | true; echo ${PIPESTATUS[0]}", 0, b"141\n")


def test_child_that_leaves_is_an_error_only(bin_folder):
    out = harness.evaluated(bin_folder, """(let* ((process-connection-type nil)
        (p (start-process "p" nil "sh" "-c" "exec <&-; sleep 5"))) (sleep-for 0.5)
        (condition-case nil (progn (process-send-string p "x") (sleep-for 0.2) (process-send-string p "x"))
          (error 'refused)))""")
    check(out == "refused", out)


def test_full_disk_is_a_file_error(bin_folder):
    out = harness.evaluated(bin_folder, '(write-region (make-string 100000 ?x) nil "/dev/full")')
    check(out == '(file-error "Write error" "No space left on device" "/dev/full")', out)


def test_end_of_input(bin_folder):
    for source in ("</dev/null", "<&-", "</"):
        result = shell(bin_folder, "$P --eval '(read-string \"?\")' " + source)
        check(result.returncode == 255 and b'(end-of-file "Error reading from stdin")' in result.stderr, result)


def test_wrong_command_lines(bin_folder):
    for option in ("--eval", "-f", "-l", "--script", "-L", "--insert", "--chdir", "--image", "--neovm-build-image"):
        expect(bin_folder, f"$P {option}", 1, error=b"neomacs: Option '%s' requires an argument\n" % option.encode())
    expect(bin_folder, "$P --chdir /nonexistent", 1, error=b"neomacs: Can't chdir to /nonexistent: No such file or directory\n")
    for words, message in (("--nosuchoption", "Unknown option"), ("-f nosuch", "(void-function nosuch)"),
                           ("--eval '(a'", "(end-of-file)"), ("--eval ')'", "invalid-read-syntax"),
                           ("-l nosuch", "(file-missing"), ("--insert nosuch", "(file-missing"),
                           ("--script nosuch", "(file-missing"), ("--script=nosuch", "Unknown option"),
                           ("--script=", "Unknown option")):
        result = shell(bin_folder, "$P " + words)
        check(result.returncode == 255 and message.encode() in result.stderr, f"{words}: {result}")


def test_options_before_a_script_are_not_its_own(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script")
        script.write_text("#!/usr/bin/neomacs --script\n(princ command-line-args-left)")
        expect(bin_folder, f"$P --script {script}", 0, b"nil")


if __name__ == "__main__":
    harness.main(globals())
