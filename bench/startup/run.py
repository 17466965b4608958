"""Starting: how long a small script (small.el) takes, beside Emacs.

Each process is started many times, ours and Emacs's in turn, some in a row so that both find the processor's caches as they left them;
best and median of the wall clock. Inside of ours the program's own clock says when the image was there (neovm-start-times), when
the script's first form ran (before it GNU's startup.el does what it does in Emacs: the locale, subdirs.el, the arguments), which is
the run-up, and when its last one was over. A ratio above 1 means that neomacs is faster, or within the limit. With --instructions,
what a start executes (callgrind).
"""

import re
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

HERE = Path(__file__).resolve().parent
RUNS = 60
IN_A_ROW = 6
PROCESS_GATE = 2.0
RUN_UP_MILLISECONDS = 1.0


def timed(command):
    begun = time.monotonic()
    status, output, _, _ = common.run(command, timeout=60)
    return (time.monotonic() - begun) * 1e3, status, output


def instructions(command, work):
    status, output, _, _ = common.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={work}/callgrind.out", *command],
                                      timeout=600)
    match = re.search(r"Collected : ([0-9]+)", output)
    return int(match.group(1)) if status == 0 and match else None


def main():
    options = common.arguments(__doc__, [("--instructions", "count instructions with callgrind (seconds)")])
    ours = [str(Path(options.bin) / "neomacs"), "--batch", "-Q", *options.vm_args.split()]
    emacs = [options.emacs, "--batch", "-Q"]
    rows = common.Rows()
    scripts = {"nothing": ["--eval", "t"], "script": ["-l", str(HERE / "small.el")]}
    inside = []
    for name, arguments in scripts.items():
        mine, theirs = [], []
        for _ in range(RUNS // IN_A_ROW):
            told = []
            for command, times in ((ours, mine), (emacs, theirs)):
                for _ in range(IN_A_ROW):
                    ms, status, output = timed(command + arguments)
                    if status != 0:
                        sys.exit(f"neo: {name} went wrong: {output[-300:]}")
                    times.append(ms)
                    told.append(output.splitlines())
            if any(lines[:1] != told[0][:1] for lines in told):
                sys.exit(f"neo: {name} told something else: {told}")
            inside += [[float(x) / 1e3 for x in re.findall(r"[-0-9.e]+", lines[1])] for lines in told if len(lines) > 1]
        for what, choose in (("best", min), ("median", statistics.median)):
            rows.add(f"startup/process/{name}/{what}", choose(mine), "ms", "Emacs 28.2", choose(theirs),
                     choose(theirs) / choose(mine), PROCESS_GATE)
        if options.instructions:
            rows.add(f"startup/instructions/{name}", instructions(ours + arguments, common.ROOT / "build"), "")
    stages = [("main-to-image", lambda t: t[0], None), ("run-up", lambda t: t[1] - t[0], 1.0),
              ("first-form-to-end", lambda t: t[2] - t[1], None),
              ("image-to-end", lambda t: t[2] - t[0], None)]
    for name, length, gate in stages:
        lengths = [length(times) for times in inside]
        for what, choose in (("best", min), ("median", statistics.median)):
            ms = choose(lengths)
            limited = gate is not None and what == "best"
            rows.add(f"startup/script/{name}/{what}", ms, "ms", "at most 1 ms" if limited else None,
                     RUN_UP_MILLISECONDS if limited else None, RUN_UP_MILLISECONDS / ms if limited else None,
                     gate if limited else None)
    rows.close(options)


if __name__ == "__main__":
    main()
