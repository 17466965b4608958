"""How often inline caches hit: the nine programs of bench/speed, elisp-benchmarks, GNU's rungs 1 and 2, the own corpus.

Each as source (elisp-benchmarks with --long) and as byte-code (.elc by neomacs's own byte compiler; forms of the corpus as functions
that it made), with all in register code from the first call on and, programs and source, as it comes. By executions; what counts as
a miss is said in scripts/tier_share.py. The gate is 90 % for each row (three minutes). What is not on this machine (elisp-benchmarks,
GNU's tests) is left out, and said so.
"""

import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

sys.path.insert(0, str(common.ROOT / "scripts"))
import tier_share  # noqa: E402

WARM = list(tier_share.REGISTER_ARGS)
CONFIGURATIONS = [("", []), ("-at-once", WARM)]
KINDS_OF_SUITE = ["elc"]
# Binds a max-lisp-eval-depth that is too small for interpreted functions, in Emacs as well.
COMPILED_ONLY = ["listlen-tc"]
GNU_TESTS = common.ROOT / ".cache/gnu/test"


def add(rows, name, rate, asked):
    rows.add(f"caches/{name}", rate, "%", "of calls and lookups", asked, rate / tier_share.LEAST_HITS if asked else None, 1.0)


def speed(rows, start, work):
    source = work / "bench.el"
    shutil.copy(common.ROOT / "bench/speed/bench.el", source)
    if not compile_with(start, source):
        sys.exit("neo: bench.el could not be compiled")
    for kind, file in (("source", source), ("elc", source.with_suffix(".elc"))):
        for suffix, arguments in CONFIGURATIONS:
            report = work / f"speed-{kind}{suffix}.json"
            status, output, _, _ = common.run([*start, *arguments, f"--neovm-tier-report={report}", "--eval",
                                               "(setq b-reps 1 b-part 10)", "-l", str(file), "-f", "b-all"])
            close(rows, f"speed/{kind}{suffix}", status, output, [report])


def suite(rows, start, work):
    place = common.ROOT / ".cache/elisp-benchmarks/benchmarks"
    sources = sorted(place.glob("*.el"))
    if not sources:
        print("  elisp-benchmarks is not on this machine, left out (see bench/elisp/run.py)")
    for kind in KINDS_OF_SUITE if sources else ():
        for suffix, arguments in CONFIGURATIONS:
            reports, worst, told = [], 0, ""
            for source in sources:
                file = work / source.name
                if not file.exists():
                    shutil.copy(source, file)
                    if not compile_with(start, file):
                        print(f"  {source.name}: cannot be compiled, left out")
                if not file.with_suffix(".elc").exists() or (kind == "source" and source.stem in COMPILED_ONLY):
                    continue
                report = work / f"{source.stem}-{kind}{suffix}.json"
                status, output, _, _ = common.run(
                    [*start, *arguments, f"--neovm-tier-report={report}", "-l", str(common.ROOT / "bench/elisp/driver.el")],
                    env={"PROGRAM": str(file if kind == "source" else file.with_suffix(".elc")), "SOURCES": str(place)})
                if status != 0:
                    worst, told = status, output
                reports.append(report)
            close(rows, f"elisp-benchmarks/{kind}{suffix}", worst, told, reports)


def compile_with(start, source):
    status, _, _, _ = common.run([*start, "-f", "batch-byte-compile", str(source)])
    return status == 0


def close(rows, name, status, output, reports):
    if status != 0:
        print(f"  {name}: exit {status}: {output.strip()[-300:]}", file=sys.stderr)
        add(rows, name, 0, 0)
        return
    add(rows, name, *tier_share.hit_rate(tier_share.summed(reports)[0]))


def suites_of_tests(rows, neomacs):
    """What ./neo oracle and ./neo gnu-tests print of themselves."""
    corpus = [sys.executable, str(common.ROOT / "tests/oracle/oracle.py"), "--check", "--vm", neomacs]
    ladder = [sys.executable, str(common.ROOT / "scripts/gnu/run.py"), "--only-vm", "--tests", str(GNU_TESTS), "--vm", neomacs]
    at_once = f"--vm-args={' '.join(WARM)}"
    runs = [("corpus/source", corpus), ("corpus/source-at-once", [*corpus, at_once]), ("corpus/compiled-at-once", [*corpus, "--compiled"])]
    if GNU_TESTS.is_dir():
        for rung in ("1", "2"):
            runs += [(f"rung{rung}/source", [*ladder, rung]), (f"rung{rung}/source-at-once", [*ladder, at_once, rung]),
                     (f"rung{rung}/elc-at-once", [*ladder, "--elc", rung])]
    else:
        print("  GNU's tests are not on this machine, left out (./neo gnu-tests fetches them)")
    for name, command in runs:
        _, output, _, _ = common.run(command)
        found = re.search(r"^(?:rung \d: )?inline caches: ([0-9.]+) % of (\d+) ", output, re.M)
        if not found:
            print(f"  {name}: {output.strip()[-300:]}", file=sys.stderr)
        add(rows, name, float(found.group(1)) if found else 0, int(found.group(2)) if found else 0)


def main():
    options = common.arguments(__doc__, [("--long", "elisp-benchmarks from source, too: a quarter of an hour each")])
    if options.long:
        KINDS_OF_SUITE.insert(0, "source")
    neomacs = str(Path(options.bin).resolve() / "neomacs")
    start = [neomacs, "--batch", "-Q", *shlex.split(options.vm_args)]
    rows = common.Rows()
    with tempfile.TemporaryDirectory(prefix="bench-caches-") as folder:
        speed(rows, start, Path(folder))
        suite(rows, start, Path(folder))
    suites_of_tests(rows, neomacs)
    rows.close(options)


if __name__ == "__main__":
    main()
