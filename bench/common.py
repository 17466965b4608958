"""Shared by the benchmarks: arguments, rows of results, tables, geometric means. Anchors are timed in the same run."""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def arguments(description, flags=()):
    """FLAGS: pairs of a further option and its help."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"), help="folder of the binaries")
    parser.add_argument("--json", help="write the rows here")
    parser.add_argument("--vm-args", default="", help="further arguments for neomacs")
    parser.add_argument("--emacs", default="emacs")
    parser.add_argument("--only", default="", help="only these programs, separated by commas")
    for name, text in flags:
        parser.add_argument(name, action="store_true", help=text)
    return parser.parse_args()


class Rows:
    def __init__(self):
        self.rows = []

    def add(self, name, value, unit, anchor=None, anchor_value=None, ratio=None, gate=None):
        """RATIO says how many times better than the anchor; GATE is the least ratio that is good enough."""
        self.rows.append({"name": name, "value": value, "unit": unit, "anchor": anchor, "anchor_value": anchor_value,
                          "ratio": ratio, "gate": gate})

        def number(x):
            return "-" if x is None else f"{x:.4g}"
        verdict = "" if gate is None or ratio is None else ("  ok" if ratio >= gate else "  BELOW THE GATE")
        print(f"{name:34} {number(value):>10} {unit:6} {anchor or '':26} {number(anchor_value):>10} "
              f"x{number(ratio):>7}{'' if gate is None else f'  gate {gate:.4g}'}{verdict}", flush=True)

    def close(self, options):
        if options.json:
            Path(options.json).write_text(json.dumps(self.rows, indent=1))
        bad = [row for row in self.rows if row["gate"] is not None and (row["ratio"] is None or row["ratio"] < row["gate"])]
        sys.exit(1 if bad else 0)


def geometric_mean(numbers):
    return math.exp(sum(math.log(n) for n in numbers) / len(numbers)) if numbers else None


def run(command, timeout=900, env=None, cwd=None):
    """(exit code, output of both kinds, wall seconds, largest resident megabytes)"""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=dict(os.environ, **(env or {})), cwd=cwd)
    try:
        output, _ = process.communicate(timeout=timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        status = None
    seconds = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return status, output.decode("utf-8", "replace"), seconds, peak
