"""`./neo oracle`: compares corpus forms between NeoVM and Emacs 28.2, or with answers recorded from Emacs.

A corpus file tests/conformance/elisp/AREA/NAME.el is a sequence of forms; each is a case. NAME.expected beside it holds one
line per case, `ID ANSWER`. The area is the subsystem that a failing form is reported under.
"""

import argparse
import os
import re
import shlex
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import forms  # noqa: E402
import machine  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import tier_share  # noqa: E402

CORPUS = ROOT / "tests/conformance/elisp"
KNOWN = ROOT / "tests/oracle/known-differences.tsv"
# See scripts/unit.py: an unsteady answer is named, and passes when it is right twice more.
SECOND_LOOK = os.environ.get("NEOVM_TEST_SECOND_LOOK") == "1"


def arguments():
    parser = argparse.ArgumentParser(prog="./neo oracle", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="corpus files or folders (default: the whole corpus)")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--record", action="store_true", help="run Emacs and write FILE.expected")
    mode.add_argument("--check", action="store_true", help="compare with FILE.expected; needs no Emacs")
    mode.add_argument("--fuzz", nargs=2, type=int, metavar=("SEED", "COUNT"),
                      help="random forms over the primitive table, in Emacs and NeoVM; shrinks what differs")
    parser.add_argument("--shrink", type=int, default=25, metavar="N", help="so many kinds of random forms that differ are shrunk")
    mode.add_argument("--eval", metavar="FORM", action="append", help="compare these forms")
    parser.add_argument("--compiled", action="store_true", help="each form is the body of a function that the byte compiler made of it "
                        "(lexical binding), in both machines; the machine under test runs all of that as register code, unless "
                        "--vm-args say otherwise. With --record, FILE.compiled gets the answers that differ from FILE.expected")
    parser.add_argument("--vm", help="the machine under test")
    parser.add_argument("--vm-args", default="", help="further arguments for it, as one word, e.g. '--tier=0'")
    parser.add_argument("--feed", choices=["load", "eval"], default="load",
                        help="how forms reach it: a file to load, or --eval for each (a machine that cannot load yet)")
    parser.add_argument("--emacs", default="emacs", help="the reference (default: emacs)")
    parser.add_argument("--primitives", help="for --fuzz: a file from `neovm primitives --json` (default: asks neovm)")
    parser.add_argument("--timeout", type=float, default=10, help="seconds per form (default 10)")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), help="files at a time")
    parser.add_argument("--traces", type=int, default=5, help="show backtraces for so many failing forms (default 5)")
    parser.add_argument("--shown", type=int, default=40, help="show so many failing forms (default 40; 0: all)")
    parser.add_argument("--report", default=str(ROOT / "build/oracle-report.txt"), help="all failing forms go here")
    parser.add_argument("--keep-jobs", metavar="DIR", help="keep the Lisp files given to the machine")
    parser.add_argument("--moved", type=float, metavar="SHARE", help="fails unless collections moved this share of the survivors, in "
                        "the sum of all machines that ended by themselves (for --vm-args=--neovm-gc-stress)")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every form with its answer")
    return parser.parse_args()


def corpus_files(names):
    result = []
    for name in names or [str(CORPUS)]:
        path = Path(name).resolve()
        if not path.exists():
            sys.exit(f"neo: no file {name}\n     The corpus is in {CORPUS.relative_to(ROOT)}.")
        result += sorted(path.rglob("*.el")) if path.is_dir() else [path]
    return result


def is_whole_corpus(options):
    chosen = set(map(str, corpus_files(options.files))) if not options.eval else set()
    return set(map(str, corpus_files([]))) <= chosen


def short(path):
    try:
        return str(Path(path).relative_to(ROOT))
    except ValueError:
        return str(path)


def area_of(path):
    try:
        parts = Path(path).relative_to(CORPUS).with_suffix("").parts
        # Generated files are one folder, with a file for each subsystem.
        return "/".join(parts[:2]) if parts[0] == "generated" else parts[0]
    except ValueError:
        return Path(path).parent.name or "-"


def load_cases(path):
    try:
        return forms.parse(Path(path).read_text(encoding="utf-8"), short(path))
    except forms.FormError as error:
        sys.exit(f"neo: {error}")


def read_expected(path, compiled=False):
    expected = {}
    for suffix in (".expected", ".compiled") if compiled else (".expected",):
        file = Path(path).with_suffix(suffix)
        if file.exists():
            for line in file.read_text(encoding="ascii").split("\n"):
                if line and not line.startswith("#"):
                    name, _, answer = line.partition(" ")
                    expected[name] = answer
    return expected


def write_compiled(path, cases, answers):
    """Answers of compiled forms that are not those of interpreted ones; without any there is no file."""
    interpreted = read_expected(path)
    lines = [f"{case.id} {answer[0]}" for case, answer in zip(cases, answers) if answer[0] != interpreted.get(case.id)]
    file = Path(path).with_suffix(".compiled")
    file.unlink(missing_ok=True)
    if lines:
        head = "# Recorded from GNU Emacs 28.2 by ./neo oracle --compiled --record: answers that differ when the form is compiled."
        file.write_text("\n".join([head, *lines]) + "\n", encoding="ascii")
    return len(lines)


def write_expected(path, cases, answers):
    lines = ["# Recorded from GNU Emacs 28.2 by ./neo oracle --record; one line per form: id, answer."]
    lines += [f"{case.id} {answer[0]}" for case, answer in zip(cases, answers)]
    Path(path).with_suffix(".expected").write_text("\n".join(lines) + "\n", encoding="ascii")


def read_known(compiled):
    """Differences that are understood: {(file, id): cause}. An entry that no longer differs is itself a failure.
    An id with /compiled after it is that of a form as --compiled runs it, and counts there only."""
    known = {}
    if KNOWN.exists():
        for line in KNOWN.read_text().split("\n"):
            if line.strip() and not line.startswith("#"):
                file, ident, cause = line.split("\t", 2)
                if compiled or not ident.endswith("/compiled"):
                    known[file, ident.removesuffix("/compiled")] = cause
    return known


def equal(expected, got):
    if expected.startswith(("CRASH", "TIMEOUT")):  # Emacs itself could not do it: any orderly answer is better.
        return got.startswith(("OK", "ERR"))
    return expected == got


class Tally:
    """Counts by area and the failing forms."""

    def __init__(self, options, vm, emacs):
        self.options, self.vm, self.emacs = options, vm, emacs
        self.areas, self.failed, self.known_hits, self.shown, self.traced = {}, 0, 0, 0, 0
        self.kinds = {}
        self.known = read_known(options.compiled)
        os.makedirs(os.path.dirname(options.report) or ".", exist_ok=True)
        self.report = open(options.report, "w")

    def add(self, path, cases, index, expected, answer):
        case, (got, _, noise) = cases[index], answer
        area = self.areas.setdefault(area_of(path), [0, 0])
        area[1] += 1
        good = expected is not None and equal(expected, got)
        cause = self.known.get((case.file, case.id))
        if cause and good:
            good, expected = False, "a known difference (tests/oracle/known-differences.tsv); it is equal now, remove it"
        elif cause:  # not a failure of this run, but not equal either
            self.known_hits += 1
            return
        if self.options.verbose:
            print(f"{'same' if good else 'DIFF'} {case.file}:{case.line} {' '.join(case.text.split())[:100]}\n     {got}")
        if good:
            area[0] += 1
            return
        self.failed += 1
        kind = f"{(expected or 'unrecorded').split(' ')[0]} -> {got.split(' ')[0]}"
        if got.startswith("ERR (neovm-unimplemented"):
            kind = "unimplemented"
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        text = [f"DIFF [{area_of(path)}] {case.file}:{case.line} {case.id} {case.name}".rstrip(),
                "  form      " + case.text.replace("\n", "\n            "),
                "  expected  " + (expected if expected is not None else "(no recorded answer: ./neo oracle --record)"),
                "  got       " + got]
        if noise.strip() and got.startswith(("CRASH", "EXIT", "NOSTART")):
            text += ["  wrote     " + line for line in noise.strip().split("\n")[-30:]]
        print("\n".join(text), file=self.report)
        if self.options.shown and self.shown >= self.options.shown:
            return
        self.shown += 1
        print("\n".join(text))
        if self.traced < self.options.traces and not got.startswith("NOSTART"):
            self.traced += 1
            for label, one in (("ours", self.vm), ("emacs", self.emacs)):
                if one is None:
                    continue
                lines = [f"  {label:9} {line}" for line in one.trace(cases, index).split("\n")[:25]]
                print("\n".join(lines))
                print("\n".join(lines), file=self.report)

    def close(self):
        total = sum(area[1] for area in self.areas.values())
        if self.failed > self.shown:
            print(f"... and {self.failed - self.shown} more, all in {short(self.options.report)}")
        print(f"{'area':24} {'equal':>6} {'of':>6}")
        for name, (good, count) in sorted(self.areas.items()):
            print(f"{name:24} {good:6} {count:6}  ({100 * good / count:.1f} %)")
        passed = sum(area[0] for area in self.areas.values())
        listed = f"; {self.known_hits} of the others are listed as known" if self.known_hits else ""
        print(f"{passed} equal of all {total} ({100 * passed / max(total, 1):.2f} %){listed}")
        for kind, count in sorted(self.kinds.items(), key=lambda item: -item[1]):
            print(f"  {count:6}  {kind}")
        self.report.close()
        print(f"{passed} passed, {self.failed} failed")
        return 1 if self.failed or not total else 0


def second_look(known, vm, cases, expected, answers):
    """ANSWERS, where a form that differed, but for no crash, and is equal in two further runs of the file counts as equal."""
    odd = [i for i, (got, _, _) in enumerate(answers)
           if expected[i] is not None and not equal(expected[i], got) and got.startswith(("OK", "ERR", "TIMEOUT"))]
    odd = [i for i in odd if (cases[i].file, cases[i].id) not in known]
    if odd:
        again = [vm.run(cases) for _ in range(2)]
        for i in odd:
            if all(equal(expected[i], run[i][0]) for run in again):
                print(f"UNSTEADY {cases[i].file}:{cases[i].line} {cases[i].id}\n  expected  {expected[i]}\n  got once  {answers[i][0]}")
                answers[i] = again[0][i]
    return answers


def main():
    options = arguments()
    emacs = None
    if not options.check:
        emacs = machine.Machine(options.emacs, timeout=max(options.timeout, 20), gigabytes=6, compiled=options.compiled)
    if options.record:
        paths = corpus_files(options.files)

        def record(path):
            cases = load_cases(path)
            answers = emacs.run(cases)
            if options.compiled:
                return path, cases, answers, write_compiled(path, cases, answers)
            write_expected(path, cases, answers)
            return path, cases, answers, len(cases)

        with ThreadPoolExecutor(options.jobs) as pool:
            for path, cases, answers, written in pool.map(record, paths):
                for case, answer in zip(cases, answers):
                    if not answer[0].startswith(("OK", "ERR")):
                        print(f"note: {case.file}:{case.line} ends Emacs itself: {answer[0]}")
                print(f"recorded {written:5} {short(path)}")
        return 0
    # Random forms ask for absurd sizes: both machines get the same limit.
    vm_args = shlex.split(options.vm_args) or (list(tier_share.REGISTER_ARGS) if options.compiled else [])
    limit = ["--neovm-memory-limit=6144"] if options.fuzz else []
    shares = tier_share.Shares(None if options.fuzz else options.vm, vm_args, is_whole_corpus(options))
    vm = machine.Machine(options.vm, limit + vm_args, options.timeout, options.keep_jobs, feed=options.feed,
                         more_args=shares.args, compiled=options.compiled)
    statistics = tempfile.NamedTemporaryFile() if options.moved else None
    if statistics:
        vm.args.append("--eval=(add-hook 'kill-emacs-hook (lambda () (write-region (prin1-to-string (neovm-gc-statistics)) nil "
                       f"\"{statistics.name}\" t 'silent)))")
    if options.fuzz:
        import fuzz
        return fuzz.run(options, vm, emacs)
    if options.eval:
        path = ROOT / "build/oracle-eval.el"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(options.eval) + "\n")
        options.files, options.verbose = [str(path)], True
    paths = corpus_files(options.files)
    tally = Tally(options, vm, emacs)

    def compare(path):
        cases = load_cases(path)
        if options.check:
            recorded = read_expected(path, options.compiled)
            expected = [recorded.get(case.id) for case in cases]
        else:
            expected = [answer[0] for answer in emacs.run(cases)]
        answers = vm.run(cases)
        return path, cases, expected, second_look(tally.known, vm, cases, expected, answers) if SECOND_LOOK else answers

    with ThreadPoolExecutor(options.jobs) as pool:
        for number, (path, cases, expected, answers) in enumerate(pool.map(compare, paths), 1):
            if sys.stderr.isatty():
                print(f"\r[{number}/{len(paths)}] {short(path)}\033[K", end="", file=sys.stderr, flush=True)
            for index in range(len(cases)):
                tally.add(path, cases, index, expected[index], answers[index])
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    tally.failed += not shares.close()
    tally.failed += bool(statistics) and not moved_enough(Path(statistics.name).read_text(), options.moved)
    return tally.close()


def moved_enough(text, share):
    """Whether collections moved this share of their survivors, by the statistics of every machine in TEXT."""
    moved, pinned = (sum(map(int, re.findall(rf"objects-{what} \. (\d+)", text))) for what in ("moved", "pinned"))
    good = moved > 100000 and moved >= share * (moved + pinned)
    print(f"survivors of {text.count('objects-moved')} machines: {moved} moved, {pinned} pinned, "
          f"{100 * moved / max(moved + pinned, 1):.2f} % moved{'' if good else ', too few'}")
    return good


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
