"""examples/parallel-compile.el and examples/parallel-ert.el: on any number of workers what one program after the other gives."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402
from harness import check, neomacs  # noqa: E402

EXAMPLES = harness.ROOT / "examples"
HEAD = ";; -*- lexical-binding: t -*-\n"
SOURCES = {
    "alpha.el": HEAD + "(eval-when-compile (require 'cl-lib))\n"
                       "(cl-defun alpha (a &key (b 2)) (cl-loop for i below a collect (lambda () (* i b))))\n"
                       "(defmacro alpha-with (x &rest body) (let ((v (gensym))) `(let ((,v ,x)) (list ,v ,@body))))\n"
                       "(defun alpha-use (x) (alpha-with (car x) (alpha-with (cdr x) 1)))\n(provide 'alpha)\n",
    "beta.el": HEAD + "(require 'pcase)\n(defun beta (x) (pcase x (`(,a . ,(and b (guard (> b a)))) (list a b)) (_ 'no)))\n"
                      "(defun beta-warns () (setq beta-unknown 1))\n",
    "gamma.el": HEAD + "(eval-when-compile (require 'cl-lib))\n(cl-defstruct gamma one (two 2))\n"
                       "(defun gamma-sum (g) (cl-incf (gamma-one g) (gamma-two g)))\n(provide 'gamma)\n",
    "delta.el": HEAD + "(eval-when-compile (require 'subr-x))\n(defun delta (s) (when-let ((n (string-to-number s))) (thread-last n 1+ 1-)))\n",
}
TESTS = {
    "a-tests.el": HEAD + "(require 'ert)\n(ert-deftest a-passes () (should (= 1 1)))\n(ert-deftest a-fails () (should (equal 1 2)))\n"
                         "(ert-deftest a-expected () :expected-result :failed (should nil))\n(ert-deftest a-errs () (car 5))\n",
    "b-tests.el": HEAD + "(require 'ert)\n(ert-deftest b-skips () (skip-unless nil))\n"
                         "(ert-deftest b-alone () (should-not (ert-test-boundp 'a-passes)))\n",
    "c-tests.el": HEAD + "(require 'ert)\n(dotimes (i 12) (eval `(ert-deftest ,(intern (format \"c-%02d\" i)) () (should (= ,i ,i)))))\n",
}


def write(folder, files):
    for name, text in files.items():
        Path(folder, name).write_text(text)


def compiled(bin_folder, sources, jobs):
    with tempfile.TemporaryDirectory() as output:
        result = neomacs(bin_folder, "-j", str(jobs), "-l", str(EXAMPLES / "parallel-compile.el"), "-f", "parallel-compile-batch", "--",
                         "--output", output, sources, seconds=200)
        return {p.name: p.read_bytes() for p in Path(output).iterdir()}, result.stdout.decode(), result.returncode


def test_files_are_compiled_as_one_by_one(bin_folder):
    with tempfile.TemporaryDirectory() as sources, tempfile.TemporaryDirectory() as alone:
        write(sources, SOURCES)
        files, text, status = compiled(bin_folder, sources, 3)
        check(status == 0 and text.endswith("4 files, 0 failed\n"), text)
        check("beta.el" in text and "beta-unknown" in text, f"no warning: {text}")
        check(compiled(bin_folder, sources, 1) == (files, text, 0), "one worker gives something else")
        write(alone, SOURCES)
        for name in SOURCES:
            neomacs(bin_folder, "-f", "batch-byte-compile", f"{alone}/{name}", seconds=200)
            check(Path(alone, name + "c").read_bytes() == files[name + "c"], f"{name} alone gives something else")


def test_a_file_that_cannot_be_compiled(bin_folder):
    with tempfile.TemporaryDirectory() as sources:
        write(sources, {"good.el": HEAD + "(defun good () 1)\n", "open.el": HEAD + "(defun open (\n"})
        files, text, status = compiled(bin_folder, sources, 2)
        check(status == 1 and list(files) == ["good.elc"], (status, list(files)))
        check("open.el failed" in text and text.endswith("2 files, 1 failed\n"), text)


def without_times(text):
    return [re.sub(r" \([0-9.]+ sec\)", "", line).rstrip() for line in text.splitlines() if line.strip()]


def ert(bin_folder, jobs, files):
    result = neomacs(bin_folder, "-j", str(jobs), "-l", str(EXAMPLES / "parallel-ert.el"), "-f", "parallel-ert-batch", "--", *files,
                     seconds=200)
    return without_times(result.stderr.decode()), result.returncode


def test_ert_files_are_merged(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        write(folder, TESTS)
        files = [f"{folder}/{name}" for name in TESTS]
        lines, status = ert(bin_folder, 3, files)
        check(status == 1, status)
        check(ert(bin_folder, 1, files) == (lines, status), "one worker gives something else")
        check("Ran 18 tests, 15 results as expected, 2 unexpected, 1 skipped" in lines, lines)
        check(lines[-5:] == ["2 unexpected results:", "   FAILED  a-errs", "   FAILED  a-fails", "1 skipped results:",
                             "  SKIPPED  b-skips"], lines)
        # The same tests with the same results as by ERT itself, file after file.
        pattern = re.compile(r"^ *(passed|failed|FAILED|skipped) +\d+/\d+ +(\S+)")
        single = []
        for file in files:
            result = subprocess.run([f"{bin_folder}/neomacs", "--batch", "-Q", "-l", "ert", "-l", file, "-f",
                                     "ert-run-tests-batch-and-exit"], capture_output=True, timeout=200 * harness.PATIENCE)
            single += [m.groups() for m in map(pattern.match, result.stderr.decode().splitlines()) if m]
        check([m.groups() for m in map(pattern.match, lines) if m] == single and len(single) == 18, (lines, single))
        good = ert(bin_folder, 2, files[1:])
        check(good[1] == 0 and "Ran 14 tests, 13 results as expected, 0 unexpected, 1 skipped" in good[0], good)
        Path(folder, "d-tests.el").write_text("(error \"no tests here\")")
        bad = ert(bin_folder, 2, [f"{folder}/d-tests.el"])
        check(bad[1] == 1 and any("no tests here" in line for line in bad[0]), bad)


if __name__ == "__main__":
    harness.main(globals())
