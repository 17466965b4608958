"""Runs the unit-test programs of a build and closes with `N passed, N failed`.

usage: unit.py --bin FOLDER [--jobs N] [--timeout SECONDS] [REGEX]. REGEX (case ignored) is searched in PROGRAM Suite.Test.
A program that dies in a test fails that test and is started again for the tests after it.

With NEOVM_TEST_SECOND_LOOK=1 (as continuous integration runs it) a test whose expectation failed while other programs ran beside
it is run three times more, alone: when all three pass it counts as passed and is named UNSTEADY, to be mended. A crash, a hang or
a sanitizer's report gets no second look.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def tests_of(program):
    """[Suite.Test] of a GoogleTest program; None when it cannot even list them."""
    listing = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True, timeout=120)
    if listing.returncode != 0:
        return None, listing.stdout + listing.stderr
    names, suite = [], ""
    for line in listing.stdout.split("\n"):
        if re.match(r"\S+\.(\s|$)", line):
            suite = line.split()[0]
        elif line.startswith("  "):
            names.append(suite + line.split()[0])
    return [name for name in names if ".DISABLED_" not in name], ""


def run(program, names, timeout):
    """(passed, [(test, output)])."""
    passed, failures, left = 0, [], list(names)
    while left:
        pattern = ":".join(left)
        environment = dict(os.environ, GTEST_FILTER=pattern)
        try:
            result = subprocess.run([program], capture_output=True, timeout=timeout, env=environment)
            text, status = (result.stdout + b"\n" + result.stderr).decode("utf-8", "replace"), result.returncode
            stdout = result.stdout.decode("utf-8", "replace")
        except subprocess.TimeoutExpired as error:
            stdout = (error.stdout or b"").decode("utf-8", "replace")
            text, status = stdout + f"\nno end within {timeout} s", None
        ended = set()
        for name in re.findall(r"^\[       OK \] (\S+?)(?: \(\d+ ms\))?$", stdout, re.M):
            passed += 1
            ended.add(name)
        for name in re.findall(r"^\[  SKIPPED \] (\S+) \(\d+ ms\)$", stdout, re.M):
            ended.add(name)
        for name in re.findall(r"^\[  FAILED  \] (\S+?)(?:, where .*)? \(\d+ ms\)$", stdout, re.M):
            ended.add(name)
            part = re.search(r"^\[ RUN      \] " + re.escape(name) + r"\n(.*?)^\[  FAILED  \] ", stdout, re.M | re.S)
            failures.append((name, part.group(1) if part else ""))
        begun = [name for name in re.findall(r"^\[ RUN      \] (\S+)$", stdout, re.M) if name not in ended]
        left = [name for name in left if name not in ended]
        if begun:
            failures.append((begun[-1], f"died with status {status}\n" + text[-6000:]))
            left = left[left.index(begun[-1]) + 1:] if begun[-1] in left else []
        elif not ended:
            failures.append((Path(program).name, f"ran nothing, status {status}\n" + text[-6000:]))
            break
        elif status not in (0, 1):
            failures.append((Path(program).name, f"status {status} at its end\n" + text[-6000:]))
        elif "Sanitizer" in text and status != 0 and not failures:
            failures.append((Path(program).name, text[-6000:]))
    return passed, failures


def steady_alone(program, name, output, timeout):
    """Whether a failed expectation (not a crash, hang or report) holds three times when nothing runs beside it."""
    if "died with status" in output or "Sanitizer" in output or "runtime error:" in output or "." not in name:
        return False
    return all(run(program, [name], timeout) == (1, []) for _ in range(3))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=float, default=900)
    parser.add_argument("regex", nargs="?", default="")
    options = parser.parse_args()
    programs = sorted(str(path) for path in Path(options.bin).glob("unit_*") if os.access(path, os.X_OK))

    def one(program):
        names, trouble = tests_of(program)
        if names is None:
            return 0, [(Path(program).name, trouble)]
        names = [name for name in names if re.search(options.regex, f"{Path(program).name} {name}", re.I)]
        return run(program, names, options.timeout)

    passed = failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(zip(programs, pool.map(one, programs)))
    second_look = os.environ.get("NEOVM_TEST_SECOND_LOOK") == "1"
    for program, (good, failures) in results:
        for name, output in list(failures) if second_look else []:
            if steady_alone(program, name, output, options.timeout):
                good, failures = good + 1, [failure for failure in failures if failure[0] != name]
                print(f"UNSTEADY {Path(program).name} {name}\n  " + output.rstrip().replace("\n", "\n  "))
        passed, failed = passed + good, failed + len(failures)
        print(f"{Path(program).name}: {good} passed, {len(failures)} failed", flush=True)
        for name, output in failures:
            print(f"FAILED {Path(program).name} {name}\n  " + output.rstrip().replace("\n", "\n  "))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
