"""The job of `./neo run`: the index of GNU's Lisp library, by neomacs and by Emacs. The two indexes must be equal."""

import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def index(command, output):
    """(CPU seconds, megabytes) of one run that writes OUTPUT; None when it failed."""
    job = [*command, "--batch", "-Q", "-l", str(common.ROOT / "examples/lisp-index.el"), "-f", "lisp-index-batch", "--", "--output",
           str(output)]
    # A process of its own, so that the peak is that of this run alone.
    result = subprocess.run([sys.executable, "-c", MEASURED, *job], capture_output=True, text=True, timeout=1200)
    words = result.stdout.split()
    if not words or words[0] != "0":
        print(f"  {command[0]}: exit {words[:1]}: {result.stderr.strip()[-400:]}", file=sys.stderr)
        return None
    return float(words[1]), float(words[2])


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
        rows.add("index/memory", mine[1], "MB", "Emacs 28.2", theirs[1], theirs[1] / mine[1])
    else:
        rows.add("index/equal", None, "", "Emacs 28.2's index", 1.0, None, 1.0)
    rows.close(options)


if __name__ == "__main__":
    main()
