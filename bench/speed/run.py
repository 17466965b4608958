"""The nine programs of bench.el: neomacs beside Emacs, as source (interpreted) and as byte-code, stock collector in both.

Each program runs in a process of its own, ours and Emacs's right after each other; CPU seconds, best of two. Emacs compiles the
byte-code that both run. Ratios above 1 mean that neomacs is faster.
"""

import re
import shlex
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

PROGRAMS = ["fib", "tak", "nbody", "inclist", "closures", "hash", "strings", "queens", "struct"]
HERE = Path(__file__).resolve().parent
WAYS = [("interpreted", "bench.el", 1, 1.3), ("byte-code", "bench.elc", 2, 1.0)]


def measure(command, file, program, repetitions):
    """(seconds, result) of one program; None when it did not finish."""
    status, output, _, _ = common.run(command + ["--eval", f"(setq b-reps {repetitions})", "-l", str(file), "-f", "b-all"],
                                      env={"ONLY": program}, timeout=600)
    match = re.search(rf"^{program} ([0-9.]+) gc=\S+ r=(.*)$", output, re.M)
    if status != 0 or not match:
        print(f"  {program}: no result (exit {status}): {output.strip()[-300:]}", file=sys.stderr)
        return None
    return float(match.group(1)), match.group(2)


def main():
    options = common.arguments(__doc__)
    work = common.ROOT / "build/bench-speed"
    work.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "bench.el", work / "bench.el")
    emacs = [options.emacs, "--batch", "-Q"]
    ours = [str(Path(options.bin) / "neomacs"), "--batch", "-Q", *shlex.split(options.vm_args)]
    status, output, _, _ = common.run([*emacs, "-f", "batch-byte-compile", str(work / "bench.el")])
    if status != 0:
        sys.exit(f"neo: Emacs could not compile bench.el\n{output}")
    rows = common.Rows()
    programs = [p for p in PROGRAMS if not options.only or p in options.only.split(",")]
    for way, file, repetitions, gate in WAYS:
        ratios = []
        for program in programs:
            theirs = measure(emacs, work / file, program, repetitions)
            mine = measure(ours, work / file, program, repetitions)
            if mine and theirs and mine[1] != theirs[1]:
                print(f"  {program}: results differ: {mine[1]} and {theirs[1]}", file=sys.stderr)
                mine = None
            ratio = theirs[0] / max(mine[0], 1e-6) if mine and theirs else None
            ratios.append(ratio)
            rows.add(f"speed/{way}/{program}", mine and mine[0], "s", f"Emacs 28.2 {way}", theirs and theirs[0], ratio)
        complete = [r for r in ratios if r]
        mean = common.geometric_mean(complete) if len(complete) == len(ratios) else None
        rows.add(f"speed/{way}/geometric-mean", mean, "x", f"Emacs 28.2 {way}", 1.0, mean, gate)
    rows.close(options)


if __name__ == "__main__":
    main()
