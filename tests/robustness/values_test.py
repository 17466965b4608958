"""Structures a million levels deep, endless recursion, and more memory than there is: a value or an error, never a crash.
What Emacs answers to circular lists and absurd sizes is in tests/conformance/elisp/hostile; Emacs itself crashes on much of this."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))
import harness  # noqa: E402
from harness import check  # noqa: E402
import forms  # noqa: E402
import machine  # noqa: E402


def test_deep_structures_and_endless_recursion(bin_folder):
    cases = forms.parse(Path(__file__).with_name("deep.el").read_text(), "deep.el")
    answers = machine.Machine(f"{bin_folder}/neomacs", timeout=60 * harness.PATIENCE).run(cases)
    wrong = [f"line {case.line}: {answer[0]}" for case, answer in zip(cases, answers)
             if not answer[0].startswith(("OK", "ERR")) or "[exit" in answer[0]]
    check(not wrong and len(cases) > 50, wrong)


HUNGRY = {
    "make-list": "(make-list 10000000000 1)",
    "conses": "(let (l) (while t (push 1 l)))",
    "small vectors": "(let (l) (while t (push (make-vector 10 1) l)))",
    "large vectors": "(let (l) (while t (push (make-vector 100000 1) l)))",
    "strings": "(let (l) (while t (push (make-string 1000000 ?a) l)))",
    "concat": '(let ((s "a")) (while t (setq s (concat s s))))',
    "append": "(let ((l (list 1))) (while t (setq l (append l l))))",
    "hash table": "(let ((h (make-hash-table)) (i 0)) (while t (puthash (setq i (1+ i)) i h)))",
    "buffer": "(let ((s (make-string 1000000 ?a))) (while t (insert s)))",
    "insert-char": "(insert-char ?a (expt 2 36))",
    "closures": "(let (l) (while t (push (lambda (x) x) l)))",
}


def test_memory_full_is_an_error(bin_folder):
    for name, form in HUNGRY.items():
        wrapped = f"(princ (condition-case err {form} (error (cadr err)) (memory-full 'memory-full)))"
        result = harness.neomacs(bin_folder, "--neovm-memory-limit=200", "--eval", wrapped, seconds=120)
        check(result.returncode == 0 and (b"Memory exhausted" in result.stdout or result.stdout == b"memory-full"),
              f"{name}: {result}")


if __name__ == "__main__":
    harness.main(globals())
