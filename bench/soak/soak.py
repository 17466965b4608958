#!/usr/bin/env python3
"""The long checks of the isolate runtime.

First `bench_soak`: a mixed load in real time (tasks, channels, select, timers, supervisors with crashing children, values between
heaps, cancels, blocking calls, sockets on loopback) that must leave no task, descriptor or memory behind.
Then the properties that hold in every order of events, under millions of seeds: the scenarios of tests/checked (every seed another
interleaving of the workers) and the trees of supervisors of tests/unit/worker. A seed that fails is named; the same
seed fails again.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 50_000


def arguments():
    parser = argparse.ArgumentParser(prog="./neo bench soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600, help="of mixed load; 0: none (default: 3600)")
    parser.add_argument("--seeds", type=int, default=10_000_000,
                        help="over all properties together; 0: none (default: ten million)")
    parser.add_argument("--first-seed", type=int, default=1, help="of each property (default: 1)")
    parser.add_argument("--preset", default="release")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--load-args", default="", help="further options of bench_soak, such as '--load 100 --workers 4'")
    return parser.parse_args()


def build(preset):
    subprocess.run([str(ROOT / "neo"), "build", "--preset", preset], check=True, stdout=subprocess.DEVNULL)


def properties(binaries):
    """(program, name of the test) of each property, by asking the programs."""
    found = []
    for program, pattern in (("unit_interleave", "Interleave/Scenario.*"), ("unit_worker", "SupervisorProperty.*")):
        if not (binaries / program).exists():
            continue
        listed = subprocess.run([str(binaries / program), "--gtest_list_tests", f"--gtest_filter={pattern}"],
                                capture_output=True, text=True, check=True).stdout
        suite = ""
        for line in listed.splitlines():
            words = line.split("#")[0].rstrip()
            if words.startswith("  "):
                found.append((program, suite + words.strip()))
            elif words.endswith("."):
                suite = words
    return found


def run_seeds(binaries, total, first):
    tests = properties(binaries)
    if not tests:
        print("soak: no property to try")
        return False
    each = -(-total // len(tests))
    done = 0
    begun = time.monotonic()
    for at in range(0, each, CHUNK):
        for program, name in tests:
            count = min(CHUNK, each - at)
            environment = dict(os.environ, NEOVM_SEEDS=str(count), NEOVM_FIRST_SEED=str(first + at))
            result = subprocess.run([str(binaries / program), f"--gtest_filter={name}"], env=environment, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
            if result.returncode != 0 or not re.search(r"\[  PASSED  \] 1 test", result.stdout):
                print(f"soak: {name}, seeds {first + at} to {first + at + count - 1}: exit {result.returncode}\n"
                      f"{result.stdout[-3000:]}")
                return False
            done += count
        print(f"{time.monotonic() - begun:8.0f} s  {done:,} seeds of {each * len(tests):,} over {len(tests)} properties",
              flush=True)
    print(f"seeds: {done:,} over {len(tests)} properties, ok")
    return True


def main():
    options = arguments()
    if not options.no_build:
        build(options.preset)
    binaries = ROOT / "build" / options.preset / "bin"
    good = True
    if options.seconds > 0:
        good = subprocess.run([str(binaries / "bench_soak"), "--seconds", str(options.seconds),
                               *options.load_args.split()]).returncode == 0
    if options.seeds > 0:
        good = run_seeds(binaries, options.seeds, options.first_seed) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
