"""What the tiers did: --neovm-tier-report, neovm stats FILE, neovm-tier-sites and the dumps and vetoes by function."""

import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import tier_share  # noqa: E402

WORK = ("(progn (defalias 'r-callee (byte-compile (lambda (x) (1+ x))))"
        " (defalias 'r-caller (byte-compile (lambda (n) (let ((s 0)) (while (> n 0) (setq s (r-callee s) n (1- n))) s))))"
        " (r-caller 5000))")


AT_ONCE = "--neovm-tier-threshold=1"


def neomacs(binaries, *arguments):
    return subprocess.run([f"{binaries}/neomacs", "--batch", "-Q", *arguments], capture_output=True, text=True, timeout=120)


def test_report_files_are_summed(binaries):
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/report.json"
        for _ in range(2):
            result = neomacs(binaries, AT_ONCE, f"--neovm-tier-report={file}", "--eval", WORK)
            assert result.returncode == 0 and result.stderr == "", result
        lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
        assert len(lines) == 2 and all(line["op-call_code"] >= 4990 for line in lines), lines
        busiest = lines[0]["sites"][0]
        assert busiest["function"] == "r-caller" and busiest["callee"] == "r-callee", lines[0]["sites"]
        assert busiest["executed"] == 5000 and busiest["misses"] < 10, busiest
        summed = subprocess.run([f"{binaries}/neovm", "stats", "--json", file], capture_output=True, text=True, timeout=60)
        told = json.loads(summed.stdout)
        assert told["processes"] == 2 and told["op-call_code"] == sum(line["op-call_code"] for line in lines), told
        assert 0 < told["register-share"] <= 100 and 50 < told["cache-hit-rate"] <= 100, told
        text = subprocess.run([f"{binaries}/neovm", "stats", file], capture_output=True, text=True, timeout=60)
        assert re.search(r"^cache hit rate +\d+\.\d\d%$", text.stdout, re.M), text
        wrong = subprocess.run([f"{binaries}/neovm", "stats", __file__], capture_output=True, text=True, timeout=60)
        assert wrong.returncode == 1 and "not a report" in wrong.stderr, wrong


def test_report_as_text(binaries):
    result = neomacs(binaries, AT_ONCE, "--neovm-tier-report", "--eval", WORK)
    assert result.returncode == 0 and "cache hit rate" in result.stderr, result
    assert re.search(r"r-caller\+\d+ call_code r-callee: 5000 calls, \d without cache", result.stderr), result.stderr


def test_report_file_is_in_the_default_directory(binaries):
    with tempfile.TemporaryDirectory() as folder:
        form = f"(let ((default-directory \"{folder}/\")) {WORK} (neovm-tier-report \"mine.json\"))"
        result = neomacs(binaries, AT_ONCE, "--neovm-tier-count", "--eval", form)
        assert result.returncode == 0, result
        assert json.loads(Path(f"{folder}/mine.json").read_text())["op-call_code"] >= 4990, result


def test_controls_of_interpreted_functions(binaries):
    form = ("(progn (defalias 'i-callee (eval '(lambda (x) (1+ x)) t))"
            " (defalias 'i-caller (eval '(lambda (n) (let ((s 0)) (while (> n 0) (setq s (i-callee s) n (1- n))) s)) t))"
            " (i-caller 1000) (princ (neovm-register-code 'i-caller t)) (prin1 (neovm-tier-sites 'i-caller)) (terpri)"
            " (prin1 (list (neovm-tier-veto 'i-caller) (i-caller 1000) (neovm-register-code 'i-caller))))")
    result = neomacs(binaries, "--neovm-tier-count", "--eval", form)
    assert result.returncode == 0 and result.stdout.endswith("(t 1000 nil)"), result
    assert re.search(r"call_source r\d+ k\d+ i-callee cache \d+", result.stdout), result.stdout
    assert re.search(r"\(i-caller \d+ call_source i-callee 1000 1 mono\)", result.stdout), result.stdout


def test_help_names_both_forms_of_the_statistics(binaries):
    text = subprocess.run([f"{binaries}/neovm", "--help"], capture_output=True, text=True, timeout=60).stdout
    assert re.search(r"stats \[--json\] FILE\.\.\. .*text.*JSON", text, re.S), text


def test_sites_code_and_veto_of_a_function(binaries):
    form = (f"(progn {WORK} (princ (neovm-register-code 'r-caller t)) (prin1 (neovm-tier-sites 'r-caller))"
            " (terpri) (neovm-tier-veto 'r-callee) (r-caller 500) (prin1 (neovm-tier-sites 'r-caller)))")
    result = neomacs(binaries, AT_ONCE, "--neovm-tier-count", "--eval", form)
    assert result.returncode == 0, result
    assert re.search(r"call_code r\d+ k\d+ r-callee cache \d+", result.stdout), result.stdout
    before, after = re.findall(r"\(r-caller \d+ (\S+) r-callee (\d+) (\d+) \w+\)", result.stdout)
    assert before[:2] == ("call_code", "5000") and int(before[2]) < 10, before
    # The callee runs in the stack executor now, and its calls go without a cache.
    assert after[:2] == ("call_global", "5500") and int(after[2]) >= 499, after


def share_of(binaries, form, *arguments, whole=True):
    """What a suite of one process says: (as it must be, printed)."""
    shares = tier_share.Shares(f"{binaries}/neomacs", list(arguments), whole)
    result = neomacs(binaries, *arguments, *shares.args(), "--eval", form)
    assert result.returncode == 0, result
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        good = shares.close("suite: ")
    return good, out.getvalue()


LOOP = "(let ((n 0)) (while (< n 100000) (setq n (1+ n))))"
# A macro is expanded, and its expansion interpreted, each time.
INTERPRETED = "(progn (defmacro s-m (x) x) (let ((n 0)) (while (< n 3000) (s-m (list (list (list (list n))))) (setq n (1+ n)))))"


def test_the_share_of_a_suite(binaries):
    good, text = share_of(binaries, LOOP, AT_ONCE)
    assert good and re.match(r"suite: register code: \d+\.\d\d % of \d+ .* by 1 processes.*\n  at least 99 %\n"
                             r"suite: inline caches: \d+\.\d\d % of \d+ calls and lookups hit\n  at least 90 %\n$", text), text
    good, text = share_of(binaries, INTERPRETED, AT_ONCE)
    assert not good and "FAILED: less than 99 %" in text and "interpreted " in text, text
    # No share is asked of a part of a suite, or of one that runs otherwise.
    for arguments, whole in (([AT_ONCE], False), ([], True),
                             ([AT_ONCE, "--neovm-tier-source=0"], True)):
        good, text = share_of(binaries, INTERPRETED, *arguments, whole=whole)
        assert " 99 %" not in text and "% of" in text, text
        assert whole == (" 90 %" in text) and (good or whole), text
    good, text = share_of(binaries, INTERPRETED, "--neovm-tier=0")
    assert good and text == "", text


# A name that is defined anew before each call, by a call that is compiled anew each time.
STORM = ("(progn (defalias 's-a (lambda () 1)) (defalias 's-b (lambda () 2))"
         " (let ((n 0)) (while (< n 30000) (fset 's-f (symbol-function (if (= 0 (% n 2)) 's-a 's-b))) (s-f) (setq n (1+ n)))))")


def test_the_hit_rate_of_a_suite(binaries):
    good, text = share_of(binaries, STORM, "--neovm-tier-threshold=1")
    assert not good and "FAILED: less than 90 %" in text, text
    good, text = share_of(binaries, STORM, "--neovm-tier-threshold=1", whole=False)
    assert good and "less than" not in text, text


def test_a_loop_at_top_level_becomes_register_code(binaries):
    for loop in (LOOP, f"(funcall (lambda () (s-quote {LOOP})))", f"(eval '{LOOP} nil)"):
        form = f"(progn (defmacro s-quote (x) x) {loop} (princ (cdr (assq 'forms (neovm-tier-statistics)))))"
        result = neomacs(binaries, "--eval", form)
        assert result.returncode == 0 and int(result.stdout) < 5000, (loop, result)


def test_a_loop_of_byte_code_goes_on_as_register_code(binaries):
    form = ("(progn (defalias 'r-once (byte-compile (lambda (n &rest more) (let ((s nil)) (while (> n 0) (setq s (cons n s)"
            " n (1- n)) (when (= n 1) (mapbacktrace (lambda (_ f a _) (if (eq f 'r-once) (push a s)))))) (list more (length s)"
            " (car s) (cadr s) (car (last s)))))))"
            " (prin1 (list (r-once 3000 'x 'y) (> (cdr (assq 'loops-entered (neovm-tier-statistics))) 0))))")
    # The backtrace shows what the function was called with, though the loop assigns to it.
    for arguments, entered in (([], "t"), (["--neovm-tier-rounds=1"], "t"), (["--neovm-tier=0"], "nil")):
        result = neomacs(binaries, *arguments, "--eval", form)
        assert result.stdout == f"(((x y) 3001 1 (3000 x y) 3000) {entered})", (arguments, result)


def test_a_changed_jump_table_of_the_image(binaries):
    # Of a function whose table was as it had been checked, at first.
    form = ("(let* ((f (symbol-function 'macroexp--expand-all)) (form (list 'cond (list 1 2)))"
            " (table (seq-find #'hash-table-p (aref f 2))))"
            " (prin1 (list (macroexp--expand-all form) (progn (puthash 'cond 1 table)"
            " (condition-case e (macroexp--expand-all form) (error e))))))")
    result = neomacs(binaries, "--neovm-tier=0", "--eval", form)
    assert result.stdout == '((cond (1 2)) (error "Invalid byte code"))', result


def test_numbers_of_options(binaries):
    for option in ("--neovm-tier-rounds=", "--neovm-tier-rounds=0", "--neovm-tier-threshold=-1", "--neovm-tier-threshold=3x"):
        result = neomacs(binaries, option, "--eval", "t")
        assert result.returncode == 1 and f"Option `{option}' requires a number from 1" in result.stderr, result


if __name__ == "__main__":
    harness.main(globals())
