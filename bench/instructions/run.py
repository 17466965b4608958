"""Instructions that the nine programs of bench/speed execute in a hundredth of their work, and that a start executes, by callgrind.

They hardly depend on the machine or on what else it does, so a change shows here that no clock would show: each count is compared with
the one in counts.json, a ratio above 1 means fewer. More than the tolerance is a failure, in both directions, so that what became
faster is recorded, too: --record writes the file anew. Counts are those of the release build with Debian 12's compiler.
"""

import json
import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

HERE = Path(__file__).resolve().parent
PROGRAMS = ["fib", "tak", "nbody", "inclist", "closures", "hash", "strings", "queens", "struct"]
PART = 100
TOLERANCE = 0.04


def count(command, work, only=None):
    """Instructions of a process; None without valgrind."""
    status, output, _, _ = common.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={work}/callgrind.out", *command],
        env={"ONLY": only or "nothing", "LC_ALL": "C.UTF-8"}, timeout=600)
    match = re.search(r"Collected : ([0-9]+)", output)
    return int(match.group(1)) if status == 0 and match else None


def main():
    options = common.arguments(__doc__, [("--record", "write counts.json anew")])
    if shutil.which("valgrind") is None:
        print("instructions: there is no valgrind here")
        sys.exit(77)
    work = common.ROOT / "build/bench-instructions"
    work.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE.parent / "speed/bench.el", work / "bench.el")
    ours = [str(Path(options.bin) / "neomacs"), "--batch", "-Q"]
    status, output, _, _ = common.run([*ours, "-f", "batch-byte-compile", str(work / "bench.el")])
    if status != 0:
        sys.exit(f"neo: bench.el could not be compiled\n{output}")
    programs = ours + ["--eval", f"(setq b-reps 1 b-part {PART})", "-l", str(work / "bench.elc"), "-f", "b-all"]
    file = HERE / "counts.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    counts = {"start": count(ours + ["--eval", "t"], work)}
    none = count(programs, work)
    for program in PROGRAMS:
        if options.only and program not in options.only.split(","):
            continue
        executed = count(programs, work, program)
        counts[program] = executed and executed - none
    if options.record:
        file.write_text(json.dumps(counts, indent=1) + "\n")
        known = counts
    rows = common.Rows()
    good = 0
    for name, now in counts.items():
        before = known.get(name)
        ratio = before / now if before and now else None
        within = ratio is not None and abs(1 - ratio) <= TOLERANCE
        good += within
        rows.add(f"instructions/{name}", now and now / 1e6, "M", "counts.json", before and before / 1e6, ratio, 1 - TOLERANCE)
        if ratio is not None and not within and ratio > 1:
            print(f"  {name} executes {100 * (ratio - 1):.1f} % less than recorded: ./neo bench instructions records it with --record")
    if options.json:
        Path(options.json).write_text(json.dumps(rows.rows, indent=1))
    print(f"{good} passed, {len(counts) - good} failed")
    sys.exit(0 if good == len(counts) else 1)


if __name__ == "__main__":
    main()
