"""The job of `./neo run`: the index of GNU's Lisp library, by neomacs and by Emacs, then by neomacs on two workers. The
indexes must be equal; two workers against one is wall time, the best of five runs each."""

import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

MEASURED = """
import resource, subprocess, sys, time
begun = time.monotonic()
status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, time.monotonic() - begun)
"""
ROUNDS = 5


def index(command, output, jobs=0):
    """(CPU seconds, megabytes, wall seconds) of one run that writes OUTPUT; None when it failed."""
    workers = ["--jobs", str(jobs)] if jobs else []
    job = [*command, *workers, "--batch", "-Q", "-l", str(common.ROOT / "examples/lisp-index.el"), "-f", "lisp-index-batch", "--", "--output",
           str(output), *workers]
    # A process of its own, so that the peak is that of this run alone.
    result = subprocess.run([sys.executable, "-c", MEASURED, *job], capture_output=True, text=True, timeout=1200)
    words = result.stdout.split()
    if not words or words[0] != "0":
        print(f"  {command[0]}: exit {words[:1]}: {result.stderr.strip()[-400:]}", file=sys.stderr)
        return None
    return float(words[1]), float(words[2]), float(words[3])


def on_two_workers(rows, command, work, expected):
    """Rounds of one and of two workers by turns, so that both see the same machine."""
    alone, two = [], []
    for _ in range(ROUNDS):
        alone.append(index(command, work / "alone.tsv"))
        two.append(index(command, work / "two.tsv", jobs=2))
        if alone[-1] is None or two[-1] is None or (work / "two.tsv").read_bytes() != expected:
            rows.add("index/2 workers, equal", 0.0, "", "Emacs 28.2's index", 1.0, 0.0, 1.0)
            return
    wall = min(run[2] for run in alone), min(run[2] for run in two)
    cpu = min(run[0] for run in alone), min(run[0] for run in two)
    rows.add("index/2 workers, equal", 1.0, "", "Emacs 28.2's index", 1.0, 1.0, 1.0)
    rows.add("index/2 workers, wall time", wall[1], "s", "1 worker", wall[0], wall[0] / wall[1], 1.7)
    rows.add("index/2 workers, CPU time", cpu[1], "s", "1 worker", cpu[0], cpu[0] / cpu[1], 1 / 1.15)


def main():
    options = common.arguments(__doc__)
    work = common.ROOT / "build/bench-index"
    work.mkdir(parents=True, exist_ok=True)
    theirs = index([options.emacs], work / "emacs.tsv")
    mine = index([str(Path(options.bin) / "neomacs"), *shlex.split(options.vm_args)], work / "neomacs.tsv")
    rows = common.Rows()
    if theirs and mine:
        same = (work / "emacs.tsv").read_bytes() == (work / "neomacs.tsv").read_bytes()
        rows.add("index/equal", float(same), "", "Emacs 28.2's index", 1.0, float(same), 1.0)
        rows.add("index/time", mine[0], "s", "Emacs 28.2", theirs[0], theirs[0] / mine[0])
        on_two_workers(rows, [str(Path(options.bin) / "neomacs"), *shlex.split(options.vm_args)], work,
                       (work / "emacs.tsv").read_bytes())
        rows.add("index/memory", mine[1], "MB", "Emacs 28.2", theirs[1], theirs[1] / mine[1])
    else:
        rows.add("index/equal", None, "", "Emacs 28.2's index", 1.0, None, 1.0)
    rows.close(options)


if __name__ == "__main__":
    main()
