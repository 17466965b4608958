"""A few seconds of the soak: the mixed load leaves nothing behind, and what is left behind on purpose is seen."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402
from harness import check  # noqa: E402


def soak(binaries, *options):
    # A short run is still warming up, so only much memory counts as growth.
    command = [f"{binaries}/bench_soak", "--seconds", "4", "--round", "0.25", "--slack-mb", "64", "--quiet", *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120 * harness.PATIENCE)
    check(result.returncode in (0, 1), result)
    return result


def test_the_load_leaves_nothing_behind(binaries):
    result = soak(binaries)
    # A machine that is slow or busy may not come to the eight rounds that a judgement of memory needs.
    lines = result.stdout.splitlines()
    check(lines[-1] == "soak: ok" or "too few to see a growth" in lines[-1], result)
    check(" 0 connections" not in lines[-2] and " 0 restarts" not in lines[-2], result)


def test_what_is_left_behind_is_seen(binaries):
    task = soak(binaries, "--plant", "task")
    check(task.returncode == 1 and "1 tasks were left over" in task.stdout, task)
    descriptor = soak(binaries, "--plant", "descriptor")
    check(descriptor.returncode == 1 and "open descriptors" in descriptor.stdout, descriptor)
    memory = soak(binaries, "--plant", "memory")
    check("memory is not judged" in memory.stdout or memory.returncode == 1 and
          ("memory has grown" in memory.stdout or "too few" in memory.stdout), memory)


if __name__ == "__main__":
    harness.main(globals())
