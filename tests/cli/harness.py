"""Shared by the command-line tests: collects checks and closes with `N passed, N failed`."""

import argparse
import os
import subprocess
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A sanitized program is many times slower, and its first answer to everything is a report.
PATIENCE = float(os.environ.get("NEOVM_TEST_PATIENCE", "1"))
# See scripts/unit.py: a failed test that passes three times more counts, but is named.
SECOND_LOOK = os.environ.get("NEOVM_TEST_SECOND_LOOK") == "1"


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def neomacs(bin_folder, *arguments, seconds=60, **options):
    """Runs neomacs --batch -Q with ARGUMENTS; the finished process, its output as bytes. A hang or a report fails."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    result = subprocess.run([f"{bin_folder}/neomacs", "--batch", "-Q", *arguments], timeout=seconds * PATIENCE, **options)
    orderly(result)
    return result


def orderly(result):
    """A program may fail, but not crash and not trip a sanitizer."""
    noise = (result.stderr or b"") + (result.stdout or b"")
    check(result.returncode >= 0, f"{result.args} died of signal {-result.returncode}: {noise[-2000:]}")
    check(b"Sanitizer" not in noise and b"runtime error:" not in noise, f"{result.args}: {noise[-3000:]}")


def evaluated(bin_folder, form, seconds=60, **options):
    """What (prin1 FORM) prints; an error shows as its data. For forms of which every end but a crash is known."""
    wrapped = f"(prin1 (condition-case err {form} ((error quit neovm-unimplemented) err)))"
    return neomacs(bin_folder, "--eval", wrapped, seconds=seconds, **options).stdout.decode("utf-8", "replace")


def steady_alone(function, bin_folder, message):
    """Whether a test that failed, but for no crash and no sanitizer's report, passes three times more."""
    if "died of signal" in message or "Sanitizer" in message or "runtime error:" in message:
        return False
    try:
        for _ in range(3):
            function(bin_folder)
    except Exception:  # noqa: BLE001
        return False
    return True


def main(module):
    """Runs every function test_* of MODULE (a dict, as from globals()) with the folder of binaries."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    passed = failed = 0
    for name, function in list(module.items()):
        if not name.startswith("test_") or options.names and name not in options.names:
            continue
        try:
            function(os.path.abspath(options.bin))
            passed += 1
        except Exception as error:  # noqa: BLE001 - a test may fail in any way
            steady = SECOND_LOOK and steady_alone(function, os.path.abspath(options.bin), str(error))
            passed, failed = passed + steady, failed + (not steady)
            print(f"{'UNSTEADY' if steady else 'FAILED'} {name}")
            traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
