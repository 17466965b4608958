"""Shared by the command-line tests: collects checks and closes with `N passed, N failed`."""

import argparse
import os
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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
        except Exception:  # noqa: BLE001 - a test may fail in any way
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
