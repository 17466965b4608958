#!/usr/bin/env python3
"""The public suite elisp-benchmarks (GNU ELPA): every program beside Emacs's byte-code with its stock collector.

The suite is not part of this tree. It is taken from where it lies: --suite FOLDER, or .cache/elisp-benchmarks, or an installed
Emacs package (~/.emacs.d/elpa/elisp-benchmarks-*). `git clone https://github.com/emacsmirror/elisp-benchmarks
.cache/elisp-benchmarks` brings it, or M-x package-install elisp-benchmarks. Without it this says so and measures nothing.
Emacs compiles each file; both sides run the same .elc, a process for each file, each program once: CPU seconds, and the
results must print the same. Ratios above 1 mean that neomacs is faster. In elb-scroll Emacs also computes what a screen would
show, which redisplay here leaves out.
"""

import argparse
import os
import re
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

HERE = Path(__file__).resolve().parent
WORK = common.ROOT / "build/bench-elisp"


def find_suite(given):
    places = [Path(given)] if given else [common.ROOT / ".cache/elisp-benchmarks",
                                          *sorted(Path.home().glob(".emacs.d/elpa/elisp-benchmarks-*"))]
    return next((place for place in places if (place / "benchmarks").is_dir()), None)


def measure(command, compiled, sources, timeout):
    """{name: (seconds, digest)} of the programs that finished, and what went wrong."""
    status, output, _, _ = common.run([*command, "-l", str(HERE / "driver.el")], timeout=timeout,
                                      env={"PROGRAM": str(compiled), "SOURCES": str(sources)})
    found = {name: (float(seconds), digest)
             for name, seconds, digest in re.findall(r"^RESULT (\S+) ([0-9.]+) (\w+)$", output, re.M)}
    return found, None if status == 0 else f"exit {status}: {output.strip()[-300:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(common.ROOT / "build/release/bin"), help="folder of the binaries")
    parser.add_argument("--json", help="write the rows here")
    parser.add_argument("--vm-args", default="", help="further arguments for neomacs")
    parser.add_argument("--emacs", default="emacs")
    parser.add_argument("--suite", default="", help="folder of the suite")
    parser.add_argument("--only", default="", help="only these files (without .el), separated by commas")
    parser.add_argument("--timeout", type=float, default=900, help="seconds for a file")
    options = parser.parse_args()
    rows = common.Rows()
    suite = find_suite(options.suite)
    if suite is None:
        print("neo: elisp-benchmarks is not on this machine, nothing measured. To have it:\n"
              "     git clone https://github.com/emacsmirror/elisp-benchmarks .cache/elisp-benchmarks")
        rows.close(options)
    sources = (suite / "benchmarks").resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    emacs = [options.emacs, "--batch", "-Q"]
    ours = [str(Path(options.bin) / "neomacs"), "--batch", "-Q", *shlex.split(options.vm_args)]
    ratios = []
    for source in sorted(sources.glob("*.el")):
        if options.only and source.stem not in options.only.split(","):
            continue
        compiled = WORK / f"{source.stem}.elc"
        form = (f'(progn (setq byte-compile-dest-file-function (lambda (_) "{compiled}")) '
                f'(unless (eq t (byte-compile-file "{source}")) (kill-emacs 3)))')
        status, output, _, _ = common.run([*emacs, "--eval", form], env=dict(os.environ))
        if status != 0:
            print(f"  {source.stem}: Emacs cannot compile it, left out: {output.strip()[-200:]}")
            continue
        theirs, their_fault = measure(emacs, compiled, sources, options.timeout)
        if their_fault:
            print(f"  {source.stem}: Emacs itself does not finish, left out: {their_fault}")
            continue
        mine, fault = measure(ours, compiled, sources, options.timeout)
        if fault:
            print(f"  {source.stem}: {fault}")
        for name, (seconds, digest) in theirs.items():
            got = mine.get(name)
            if got and got[1] != digest:
                print(f"  {name}: the results differ")
                got = None
            ratio = seconds / max(got[0], 1e-6) if got else None
            ratios.append(ratio)
            rows.add(f"elisp/{name}", got and got[0], "s", "Emacs 28.2 byte-code", seconds, ratio)
    done = [r for r in ratios if r]
    rows.add("elisp/programs-right", len(done), "of", "programs", len(ratios), len(done) / max(len(ratios), 1), 1.0)
    mean = common.geometric_mean(done)
    rows.add("elisp/geometric-mean", mean, "x", "Emacs 28.2 byte-code", 1.0, mean, 1.5)
    rows.close(options)


if __name__ == "__main__":
    main()
