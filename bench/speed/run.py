"""The nine programs of bench.el: neomacs beside Emacs, as source (interpreted) and as byte-code.

neomacs runs each form of a program twice: as it comes, and with `--neovm-tier=0`, which leaves the interpreter of forms (T0) and the
executor of stack byte-code (T0b).

Each program runs in a process of its own, ours and Emacs's right after each other; CPU seconds, best of two. Emacs compiles the
byte-code that both run; its anchor is taken twice, with its collector as it comes (stock) and with gc-cons-threshold at 100 MB.
Ratios above 1 mean that neomacs is faster. Under each program: what one iteration allocates in both (a call of fib, tak, a step of
nbody, an element of inclist …), and with --instructions how many instructions it takes (callgrind; bench/instructions has a quick
version of it).
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
INTERPRETED_GATE = 1.3
PLAIN = "--neovm-tier=0"
PLAIN_STOCK_GATE = 1.0
STOCK_GATE = 2.5
ROOMY_GATE = 1.5
ROOMY = "gc-cons-threshold 100000000"
FIB_CALLS = 29860703  # of (b-fib 35)
# What counts as an iteration, and how many there are.
ITERATIONS = {"fib": ("call", FIB_CALLS), "tak": ("call", 5 * 2493349), "nbody": ("step", 200000), "inclist": ("element", 150 * 50000),
              "closures": ("element", 2000 * 1000), "hash": ("key", 1000000), "strings": ("string", 300000), "queens": ("run", 100),
              "struct": ("step", 10000000)}
KINDS = ["conses", "floats", "vector cells", "characters"]
CALL_NANOSECONDS = 10


def measure(command, file, program, repetitions, settings=""):
    """(seconds, result, allocations) of one program; None when it did not finish."""
    status, output, _, _ = common.run(
        command + ["--eval", f"(setq b-reps {repetitions} {settings})", "-l", str(file), "-f", "b-all"],
        env={"ONLY": program}, timeout=600)
    match = re.search(rf"^{program} ([0-9.]+) gc=\S+ new=(\S+) r=(.*)$", output, re.M)
    if status != 0 or not match:
        print(f"  {program}: no result (exit {status}): {output.strip()[-300:]}", file=sys.stderr)
        return None
    return float(match.group(1)), match.group(3), match.group(2)


def instructions(command, file, program, work):
    """Instructions of a process that runs the program once, less those of one that runs nothing; None without valgrind."""
    counts = []
    for only in (program, "nothing"):
        status, output, _, _ = common.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={work}/callgrind.out", *command, "--eval", "(setq b-reps 1)",
             "-l", str(file), "-f", "b-all"], env={"ONLY": only}, timeout=1800)
        match = re.search(r"Collected : ([0-9]+)", output)
        if status != 0 or not match:
            return None
        counts.append(int(match.group(1)))
    return counts[0] - counts[1]


def ratio_of(theirs, mine):
    return theirs[0] / max(mine[0], 1e-6) if mine and theirs and mine[1] == theirs[1] else None


def close_way(rows, name, ratios, gate, anchor):
    complete = [r for r in ratios if r]
    mean = common.geometric_mean(complete) if len(complete) == len(ratios) else None
    rows.add(f"speed/{name}/geometric-mean", mean, "x", anchor, 1.0, mean, gate)


def main():
    options = common.arguments(__doc__, [("--instructions", "count instructions with callgrind (minutes)")])
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
    interpreted, forms, stock, plain, roomy = [], [], [], [], []
    for program in programs:
        file = work / "bench.el"
        theirs = measure(emacs, file, program, 1)
        mine = measure(ours, file, program, 1)
        interpreted.append(ratio_of(theirs, mine))
        rows.add(f"speed/interpreted/{program}", mine and mine[0], "s", "Emacs 28.2 interpreted", theirs and theirs[0],
                 interpreted[-1])
        mine = measure([*ours, PLAIN], file, program, 1)
        forms.append(ratio_of(theirs, mine))
        rows.add(f"speed/forms/{program}", mine and mine[0], "s", "Emacs 28.2 interpreted", theirs and theirs[0], forms[-1])
    close_way(rows, "interpreted", interpreted, INTERPRETED_GATE, "Emacs 28.2 interpreted")
    close_way(rows, "forms", forms, INTERPRETED_GATE, "Emacs 28.2 interpreted")
    for program in programs:
        file = work / "bench.elc"
        theirs = measure(emacs, file, program, 2)
        mine = measure(ours, file, program, 2)
        mine_plain = measure([*ours, PLAIN], file, program, 2)
        theirs_roomy = measure(emacs, file, program, 2, ROOMY)
        if mine and theirs and mine[1] != theirs[1]:
            print(f"  {program}: results differ: {mine[1]} and {theirs[1]}", file=sys.stderr)
        stock.append(ratio_of(theirs, mine))
        roomy.append(ratio_of(theirs_roomy, mine))
        plain.append(ratio_of(theirs, mine_plain))
        rows.add(f"speed/byte-code/{program}", mine and mine[0], "s", "Emacs 28.2 stock", theirs and theirs[0], stock[-1])
        rows.add(f"speed/stack-code/{program}", mine_plain and mine_plain[0], "s", "Emacs 28.2 stock", theirs and theirs[0], plain[-1])
        rows.add(f"speed/byte-code-100mb/{program}", mine and mine[0], "s", "Emacs 28.2, 100 MB",
                 theirs_roomy and theirs_roomy[0], roomy[-1], 1.0)
        unit, iterations = ITERATIONS[program]
        if mine and theirs:
            for kind, count, their_count in zip(KINDS, mine[2].split(","), theirs[2].split(",")):
                if int(count) >= iterations / 1000 or int(their_count) >= iterations / 1000:
                    rows.add(f"speed/allocated/{program}/{kind}", int(count) / iterations, f"/{unit}", "Emacs 28.2",
                             int(their_count) / iterations)
        if program == "fib" and mine and theirs_roomy:
            call = mine[0] * 1e9 / FIB_CALLS
            rows.add("speed/call", call, "ns", "at most 10 ns", CALL_NANOSECONDS, CALL_NANOSECONDS / call, 1.0)
        if options.instructions:
            executed = instructions(ours, file, program, work)
            rows.add(f"speed/instructions/{program}", executed and executed / iterations, f"/{unit}")
    close_way(rows, "byte-code", stock, STOCK_GATE, "Emacs 28.2 stock")
    close_way(rows, "stack-code", plain, PLAIN_STOCK_GATE, "Emacs 28.2 stock")
    close_way(rows, "byte-code-100mb", roomy, ROOMY_GATE, "Emacs 28.2, 100 MB")
    rows.close(options)


if __name__ == "__main__":
    main()
