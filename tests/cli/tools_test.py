"""The project's own tools can fail: each check here is given something wrong and must say so."""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402

ROOT = harness.ROOT
sys.path.insert(0, str(ROOT / "tests/oracle"))
sys.path.insert(0, str(ROOT / "scripts/lint"))
sys.path.insert(0, str(ROOT / "scripts/gnu"))
import forms  # noqa: E402
import machine  # noqa: E402
import oracle  # noqa: E402


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def test_forms_are_cut_at_every_syntax(_bin):
    pieces = ["(a ?\\( ?) \"x)\" ; )\n b)", "'(1 . 2)", "#'car", "#s(rec 1)", "#&3\"\\7\"", "?\\C-\\M-(", "[1 (2) ?\\]]", "#1=(a . #1#)",
              "`(a ,b ,@(c))", "\"é\\\"\"", "-1.5e3", "sym\\ bol\\(", "#b101", "?\\N{LATIN SMALL LETTER A}", "#(\"a\" 0 1 (b c))", "?\"", "?;"]
    cases = forms.parse("\n".join(pieces), "x")
    check([c.text for c in cases] == pieces, [c.text for c in cases])


def test_unbalanced_file_is_refused(_bin):
    for text in ["(a", ")", "(]", "\"abc", "(a . ?"]:
        try:
            forms.parse(text, "x")
        except (forms.FormError, ValueError):
            continue
        raise AssertionError(f"{text!r} was taken")


def test_comments_above_a_form_are_heard(_bin):
    case = forms.parse(";; name: n\n\n;; state: buffer, foo\n;; timeout: 3\n(a)", "x")[0]
    check(case.state == ["buffer", "foo"] and case.timeout == 3 and case.name == "", case)


def fake_machine(folder, script):
    path = Path(folder) / "machine"
    path.write_text("#!/usr/bin/env python3\n" + script)
    path.chmod(0o755)
    return machine.Machine(str(path), timeout=1)


def test_crash_exit_and_hang_belong_to_their_form(_bin):
    # A machine that answers by the text of the form and dies, leaves or hangs when told so.
    script = r"""
import os, re, signal, sys, time
for line in open(sys.argv[-1]):
    match = re.match(r'\(oracle--case (\d+) "(.*)" \'\(\) (t|nil)\)', line)
    if not match:
        continue
    number, text, silent = match.groups()
    if silent == "nil":
        print(f"@@oracle {number} begin", file=sys.stderr, flush=True)
    if "die" in text: os.kill(os.getpid(), signal.SIGSEGV)
    if "leave" in text: sys.exit(7)
    if "hang" in text: time.sleep(30)
    if silent == "nil":
        print(f"@@oracle {number} = OK {text}", file=sys.stderr, flush=True)
print("@@oracle done", file=sys.stderr, flush=True)
"""
    with tempfile.TemporaryDirectory() as folder:
        one = fake_machine(folder, script)
        cases = forms.parse("(a)\n(die)\n(b)\n(leave)\n(hang)\n(c)", "x")
        answers = [answer[0] for answer in one.run(cases)]
    check(answers == ["OK (a)", "CRASH SIGSEGV", "OK (b)", "EXIT 7", "TIMEOUT", "OK (c)"], answers)


def test_machine_that_never_starts_fails_every_form(_bin):
    with tempfile.TemporaryDirectory() as folder:
        one = fake_machine(folder, "import sys; sys.exit(3)")
        answers = [answer[0] for answer in one.run(forms.parse("(a)\n(b)", "x"))]
    check(answers == ["NOSTART EXIT 3"] * 2, answers)


def test_wrong_answers_are_not_equal(_bin):
    check(not oracle.equal("OK 1", "OK 2") and oracle.equal("OK 1", "OK 1"), "equality")
    check(oracle.equal("CRASH SIGSEGV", "ERR (error)") and not oracle.equal("CRASH SIGSEGV", "CRASH SIGSEGV"), "crash")


def git_tree(folder, files):
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", folder], check=True)


def lint(name, folder):
    return subprocess.run([sys.executable, ROOT / f"scripts/lint/{name}.py"], cwd=folder, capture_output=True, text=True)


def test_layer_lint_finds_a_wrong_include(_bin):
    with tempfile.TemporaryDirectory() as folder:
        git_tree(folder, {"host/include/neomacs/host/buffer.hpp": "", "core/src/heap.cpp": '#include "neomacs/host/buffer.hpp"\n',
                          "abi/include/neovm/abi/value.hpp": "", "text/src/x.cpp": '#include "neovm/abi/value.hpp"\n'})
        result = lint("layers", folder)
    check(result.returncode == 1 and "core/src/heap.cpp:1: core must not include host" in result.stdout, result.stdout)
    check("1 wrong" in result.stdout, result.stdout)


def test_words_lint_finds_a_machine_path(_bin):
    with tempfile.TemporaryDirectory() as folder:
        git_tree(folder, {"a.md": "see " + "/ho" + "me/someone/x\n", "b.md": "all is well\n"})
        result = lint("words", folder)
    check(result.returncode == 1 and "a.md:1" in result.stdout and "b.md" not in result.stdout, result.stdout)


def test_globals_lint_finds_a_writable_global(_bin):
    with tempfile.TemporaryDirectory() as folder:
        objects = Path(folder) / "CMakeFiles/neovm_core.dir"
        objects.mkdir(parents=True)
        source = Path(folder) / "x.cpp"
        source.write_text("int counter = 3; static thread_local int mine; int* here() { return &mine; }\n"
                          "extern const int fixed = 4; int next() { static int n; return ++n; }\n")
        subprocess.run(["c++", "-c", source, "-o", objects / "x.o"], check=True)
        result = subprocess.run([sys.executable, ROOT / "scripts/lint/globals.py", folder], capture_output=True, text=True)
    check(result.returncode == 1 and "3 wrong" in result.stdout, result.stdout + result.stderr)
    check("thread_local mine" in result.stdout and "fixed" not in result.stdout, result.stdout)


def test_ert_output_is_read_by_name(_bin):
    import run as gnu_run
    outcome = gnu_run.Outcome()
    gnu_run.parse("   passed   1/4  a-test (0.1 sec)\nTest b-test condition:\n    (ert-test-failed\n     ((should nil)))\n"
                  "   FAILED   2/4  b-test (0.0 sec)\n   passed   3/peculiar error4  c-test (0.1 sec)\n"
                  "Test d-test condition:\n    (neovm-unimplemented \"frob\")\n   FAILED   4/4  d-test\n", outcome)
    check(outcome.status == {"a-test": "pass", "b-test": "fail", "c-test": "pass", "d-test": "fail"}, outcome.status)
    check(outcome.cause["b-test"].startswith("(ert-test-failed ((should nil))"), outcome.cause)
    check(outcome.unimplemented == {"frob": 1}, outcome.unimplemented)


if __name__ == "__main__":
    harness.main(globals())
