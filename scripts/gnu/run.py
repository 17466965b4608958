"""`./neo gnu-tests [RUNG|FILE...]`: GNU Emacs's own ERT files under Emacs 28.2 and under NeoVM, compared by test name.

RUNG is a number of scripts/gnu/ladder.tsv (default 1), FILE a path below GNU's folder test/ (its suffix and folder may be
left out). A test that one machine did not report, because it crashed or hung, is `missing` there.
"""

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import tier_share  # noqa: E402

LADDER = ROOT / "scripts/gnu/ladder.tsv"
RECORDS = ROOT / "tests/gnu"
KNOWN = RECORDS / "known-differences.tsv"
SELECTOR = "(quote (not (or (tag :expensive-test) (tag :unstable) (tag :nativecomp))))"
# ERT writes lower case for an expected result, upper case for an unexpected one.
STATUS = {"passed": "pass", "PASSED": "unexpected-pass", "failed": "expected-fail", "FAILED": "fail", "skipped": "skip",
          "SKIPPED": "skip", "aborted": "abort", "ABORTED": "abort", "quit": "quit", "QUIT": "quit"}
# What a test prints can end up between the number and the total (`1/peculiar error39  NAME`).
RESULT = re.compile(r"^ *(passed|PASSED|failed|FAILED|skipped|SKIPPED|aborted|ABORTED|quit|QUIT) +\d+/.*?\d  (\S.*?)"
                    r"(?: \([0-9.]+ sec\))?$")


def arguments():
    parser = argparse.ArgumentParser(prog="./neo gnu-tests", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", help="rungs or files (default: rung 1)")
    parser.add_argument("--tests", default=str(ROOT / ".cache/gnu/test"), help=argparse.SUPPRESS)
    parser.add_argument("--vm", help="the machine under test")
    parser.add_argument("--vm-args", default="", help="further arguments for it, as one word")
    parser.add_argument("--emacs", default="emacs", help="the reference")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--only-vm", action="store_true", help="compare with the recorded results; needs no Emacs")
    mode.add_argument("--record", action="store_true", help="run Emacs and write tests/gnu/expected-rungN.tsv")
    parser.add_argument("--tiers", action="store_true", help="run it three times: forms and stack byte-code only; as it comes; "
                        "everything in register code")
    parser.add_argument("--elc", action="store_true", help="byte-compile each file first and load the .elc, in the machine under test "
                        "all in register code (but see --vm-args). Each machine compiles for itself, in a copy of the tests: so the "
                        "byte compiler runs here, too, and a mistake in what it writes cannot be taken for Emacs's answer. With "
                        "--record, tests/gnu/expected-rungN-elc.tsv gets the results that differ from those of the source")
    parser.add_argument("--timeout", type=float, default=300, help="seconds per file (default 300)")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), help="files at a time")
    return parser.parse_args()


def read_ladder():
    rows = [line.split("\t") for line in LADDER.read_text().split("\n") if line and not line.startswith("#")]
    return {row[0]: int(row[1]) for row in rows}


def chosen(options, ladder):
    """[(file, rung)] for the words of the command line; rung 0 for a file that is not on the ladder."""
    result = []
    for word in options.what or ["1"]:
        if word.isdigit():
            files = [file for file, rung in ladder.items() if rung == int(word)]
            if not files:
                sys.exit(f"neo: no rung {word}\n     The rungs are in scripts/gnu/ladder.tsv.")
        else:
            stem = word if word.endswith(".el") else word + ".el"
            files = [file for file in ladder if file == stem or file.endswith("/" + stem)]
            if not files:
                files = [str(path.relative_to(options.tests)) for path in Path(options.tests).rglob(Path(stem).name)
                         if str(path).endswith("/" + stem)]
            if not files:
                sys.exit(f"neo: no test file {word}\n     GNU's tests are in {options.tests}.")
        result += [(file, ladder.get(file, 0)) for file in files]
    return list(dict.fromkeys(result))


class Outcome:
    """What one machine said about one file."""

    def __init__(self):
        self.status = {}  # test name -> status word
        self.cause = {}  # test name -> first line of its condition
        self.unimplemented = {}  # primitive -> how often it was met
        self.end = ""  # how the process ended, when not as it should
        self.seconds = 0.0
        self.megabytes = 0


def parse(text, outcome):
    lines = text.split("\n")
    for index, line in enumerate(lines):
        match = RESULT.match(line)
        if match:
            outcome.status[match.group(2)] = STATUS[match.group(1)]
            continue
        match = re.match(r"Test (.*) condition:$", line)
        if match:
            cause = []
            for following in lines[index + 1:index + 12]:
                if not following.strip() or RESULT.match(following):
                    break
                cause.append(following.strip())
            outcome.cause[match.group(1)] = " ".join(cause)[:240]
    for match in re.finditer(r"\(neovm-unimplemented \"?([^\s\")]+)", text):
        outcome.unimplemented[match.group(1)] = outcome.unimplemented.get(match.group(1), 0) + 1


def compiled(start, path, env, options, outcome):
    """The .elc of PATH, or PATH itself where the file says that it is not to be compiled."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if re.search(r"^;.*\bno-byte-compile: t\b", text[:200] + "\n" + text[-3000:], re.M):
        return path
    command = [*start, "--eval", "(setq byte-compile-warnings nil)", "-f", "batch-byte-compile", str(path)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                              cwd=path.parent, timeout=options.timeout)
        ended, told = f"exit {done.returncode}", done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        ended, told = f"no end after {options.timeout:.0f} s", ""
    if not path.with_suffix(".elc").exists():
        outcome.end = f"not compiled, {ended}: {' '.join(told.split())[-160:]}"
    return path.with_suffix(".elc")


def run(program, extra, file, options, label):
    """Runs FILE as upstream's Makefile does."""
    outcome = Outcome()
    tests = options.copies[label] if options.elc else options.tests
    path = Path(tests) / file
    home = tempfile.mkdtemp(prefix="gnu-tests-")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("EMACS", "LC_", "LANG", "XDG_"))}
    env.update(EMACS_TEST_DIRECTORY=tests, LANG="C", HOME=home, TERM="dumb")
    begun = time.monotonic()
    start = [program, "--batch", *extra, "--no-site-file", "--no-site-lisp", "-L", f":{path.parent}"]
    if options.elc:
        path = compiled(start, path, env, options, outcome)
    command = [*start, "-l", "ert", "-l", str(path), "--eval", f"(ert-run-tests-batch-and-exit {SELECTOR})"]
    log = ROOT / "build/gnu-tests" / (file.replace("/", "_")[:-3] + f".{label}{'-elc' if options.elc else ''}.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out, env=env,
                                   cwd=path.parent, start_new_session=True)
        try:
            status = process.wait(options.timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status, outcome.end = None, f"no end after {options.timeout:.0f} s"
    outcome.seconds = time.monotonic() - begun
    shutil.rmtree(home, ignore_errors=True)
    text = log.read_bytes().decode("utf-8", "replace")
    parse(text, outcome)
    if outcome.end:  # of the compiler
        return outcome
    if status is not None and status < 0:
        outcome.end = f"died of {signal.Signals(-status).name}"
    elif status is not None and not re.search(r"^Ran \d+ tests", text, re.M):
        last = next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "no output")
        error = re.search(r"^(?:Error: .*|Debugger entered.*|.*neovm-unimplemented.*)$", text, re.M)
        outcome.end = f"exit {status} before the end: {(error.group(0) if error else last)[:160]}"
    elif status is not None and "Sanitizer" in text:
        outcome.end = "sanitizer report: " + next(line for line in text.split("\n") if "Sanitizer" in line)[:160]
    return outcome


def record_path(rung, elc=False):
    return RECORDS / f"expected-rung{rung}{'-elc' if elc else ''}.tsv"


def read_records(rungs, elc=False):
    result = {}
    for rung in rungs:
        if not record_path(rung).exists():
            sys.exit(f"neo: no recorded results for rung {rung}\n     ./neo gnu-tests --record {rung} (needs Emacs 28.2)")
        for path in [record_path(rung), record_path(rung, True)] if elc else [record_path(rung)]:
            for line in path.read_text().split("\n") if path.exists() else []:
                if line and not line.startswith("#"):
                    file, name, status = line.split("\t")
                    if status == "missing":
                        result.get(file, {}).pop(name, None)
                    else:
                        result.setdefault(file, {})[name] = status
    return result


def read_known():
    known = {}
    if KNOWN.exists():
        for line in KNOWN.read_text().split("\n"):
            if line.strip() and not line.startswith("#"):
                file, name, cause = line.split("\t", 2)
                known[file, name] = cause
    return known


def record(options, files):
    emacs = shutil.which(options.emacs) or sys.exit("neo: no emacs\n     apt-get install emacs-nox")
    by_rung = {rung: [] for _, rung in files}
    source = read_records(by_rung) if options.elc else {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for (file, rung), outcome in zip(files, pool.map(lambda f: run(emacs, [], f[0], options, "emacs"), files)):
            if outcome.end:
                print(f"note: {file}: {outcome.end}")
            known = source.get(file, {})
            for name in sorted({*outcome.status, *known}):
                status = outcome.status.get(name, "missing")
                if not options.elc or status != known.get(name, "missing"):
                    by_rung[rung].append(f"{file}\t{name}\t{status}")
            print(f"recorded {len(outcome.status):4} {file}")
    RECORDS.mkdir(exist_ok=True)
    for rung, rows in by_rung.items():
        head = "of the compiled files that differ from the source's" if options.elc else "on its own tests"
        path = record_path(rung, options.elc)
        if options.elc and not rows:
            path.unlink(missing_ok=True)
            print(f"rung {rung}: the compiled files give the results of their sources")
            continue
        path.write_text("\n".join([f"# GNU Emacs 28.2's results {head}: file, test, status.", *rows]) + "\n")
        print(f"{len(rows)} tests in {path.relative_to(ROOT)}")
    return 0


def main():
    options = arguments()
    options.tests = os.path.abspath(options.tests)
    with tempfile.TemporaryDirectory(prefix="gnu-elc-") as folder:
        options.copies = {label: f"{folder}/{label}/test" for label in ("vm", "emacs")} if options.elc else {}
        for copy in options.copies.values():
            shutil.copytree(options.tests, copy, symlinks=True)
        return perform(options)


def perform(options):
    files = chosen(options, read_ladder())
    if options.record:
        return record(options, files)
    vm = os.path.abspath(shutil.which(options.vm) or options.vm)
    if not os.access(vm, os.X_OK):
        sys.exit(f"neo: no program {options.vm}\n     ./neo build")
    extra = shlex.split(options.vm_args) or (list(tier_share.REGISTER_ARGS) if options.elc and not options.tiers else [])
    if not options.tiers:
        return compare(options, files, vm, extra)
    status = passed = failed = 0
    for name, args in TIERS:
        print(f"\n-- {name}: {' '.join([*extra, *args]) or 'no option'}", flush=True)
        wrong, totals = compare(options, files, vm, [*extra, *args], closing=False)
        status, passed, failed = status | wrong, passed + totals[0], failed + totals[1]
    print(f"{passed} passed, {failed} failed")
    return status


# Names of the tiers that a suite must give the same results in, with their options.
TIERS = [("forms and stack byte-code", ["--neovm-tier=0"]), ("as it comes", []),
         ("register code", list(tier_share.REGISTER_ARGS))]


def compare(options, files, vm, extra, closing=True):
    emacs = None if options.only_vm else shutil.which(options.emacs)
    records = read_records({rung for _, rung in files}, options.elc) if emacs is None else {}
    known = read_known()
    ladder = read_ladder()
    shares = {rung: tier_share.Shares(vm, extra, {file for file, one in ladder.items() if one == rung} <= {file for file, _ in files})
              for _, rung in files}

    def both(pair):
        file, rung = pair
        ours = run(vm, [*extra, *shares[rung].args()], file, options, "vm")
        if emacs is None:
            theirs = Outcome()
            theirs.status = records.get(file, {})
        else:
            theirs = run(emacs, [], file, options, "emacs")
        return file, ours, theirs

    print(f"{'file':44} {'tests':>5} {'same':>5} {'diff':>5} {'known':>5} {'unimpl':>6} {'sec':>6} {'emacs':>6}")
    differences, totals, met = [], [0, 0, 0, 0], {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for file, ours, theirs in pool.map(both, files):
            names = sorted(set(ours.status) | set(theirs.status))
            same = diff = expected = 0
            for name in names:
                a, b = theirs.status.get(name, "missing"), ours.status.get(name, "missing")
                cause = known.get((file, name))
                if a == b and not cause:
                    same += 1
                elif a == b:
                    diff += 1
                    differences.append((file, name, a, b, "listed as a known difference, but equal now: remove the line"))
                elif cause:
                    expected += 1
                else:
                    diff += 1
                    differences.append((file, name, a, b, ours.cause.get(name) or ours.end or "-"))
            if not names:
                diff += 1
                differences.append((file, "(the file)", "missing", "missing", ours.end or "no test ran"))
            if ours.end:
                differences.append((file, "(the process)", "", "", ours.end))
            count = sum(ours.unimplemented.values())
            for primitive, times in ours.unimplemented.items():
                met[primitive] = met.get(primitive, 0) + times
            print(f"{file:44} {len(names):5} {same:5} {diff:5} {expected:5} {count:6} {ours.seconds:6.1f} "
                  f"{theirs.seconds or 0:6.1f}", flush=True)
            totals = [t + n for t, n in zip(totals, (len(names), same, diff, expected))]
    print(f"{'total':44} {totals[0]:5} {totals[1]:5} {totals[2]:5} {totals[3]:5} {sum(met.values()):6}")
    if differences:
        print("\nDifferences (Emacs -> ours, cause):")
        for file, name, a, b, cause in differences:
            print(f"  {file} {name}: {a} -> {b}: {cause}" if a else f"  {file} {name}: {cause}")
    if met:
        print("\nneovm-unimplemented, by primitive: "
              + ", ".join(f"{name} {times}" for name, times in sorted(met.items(), key=lambda item: -item[1])))
    for rung, share in sorted(shares.items()):
        totals[2] += not share.close(f"rung {rung}: " if rung else "other files: ")
    status = 1 if totals[2] or any(not row[2] for row in differences) else 0
    if closing:
        print(f"{totals[1]} passed, {totals[2]} failed")
        return status
    return status, (totals[1], totals[2])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
