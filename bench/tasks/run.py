#!/usr/bin/env python3
"""Tasks, channels, select and timers beside Go and Erlang in the same run.

Each case is run by both sides in turn, several times, and the best of each side counts. Cases on one worker are timed in
processor time, so that a busy machine does not fail a gate; cases on two workers are in wall time and mean little on a machine
that is doing something else. The ratio says how many times better than the anchor we are; the gate is its least value.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402

ROUNDS = 2


def parse(text):
    found = {}
    for line in text.split("\n"):
        parts = line.split()
        if len(parts) == 3:
            try:
                found[parts[0]] = float(parts[1])
            except ValueError:
                pass
    return found


def merge(into, more, higher):
    for name, value in more.items():
        into[name] = value if name not in into else (max if name in higher else min)(into[name], value)


def main():
    options = common.arguments(__doc__)
    subprocess.run(["ninja", "-C", str(Path(options.bin).parent), "bench_tasks"], check=True, stdout=subprocess.DEVNULL)
    work = Path(tempfile.mkdtemp(prefix="neovm-bench-tasks-"))
    env = {"GOCACHE": str(work / "cache"), "GO111MODULE": "off", "HOME": str(work)}
    go, erlang = work / "go", str(work)
    status, output, _, _ = common.run(["go", "build", "-o", str(go), str(HERE / "anchors/tasks.go")], env=env)
    if status:
        sys.exit(f"bench tasks: go build\n{output}")
    status, output, _, _ = common.run(["erlc", "-o", erlang, str(HERE / "anchors/tasks.erl")], env={"HOME": str(work)})
    if status:
        sys.exit(f"bench tasks: erlc\n{output}")

    def ours(case, workers):
        return [str(Path(options.bin) / "bench_tasks"), case, "--workers", str(workers)]

    def erl(case, schedulers):
        return ["erl", "-noshell", "-noinput", "+S", f"{schedulers}:{schedulers}", "-pa", erlang, "-run", "tasks", "main", case]

    higher = {"ints_1024"}
    table = common.Rows()

    def run_side(command, environment, into):
        status, output, _, _ = common.run(command, timeout=300, env=environment)
        if status:
            print(f"bench tasks: {' '.join(command)}: {output[-400:]}", file=sys.stderr)
        merge(into, parse(output), higher)

    def compare(case, workers, rows, anchors, our_case=None):
        if options.only and case not in options.only.split(","):
            return
        mine, theirs = {}, {}
        for _ in range(ROUNDS):
            run_side(ours(our_case or case, workers), None, mine)
            for anchor in anchors:
                side = theirs.setdefault(anchor, {})
                if anchor == "Go":
                    run_side([str(go), case], {"GOMAXPROCS": str(workers), "HOME": str(work)}, side)
                else:
                    run_side(erl(case, workers), {"HOME": str(work)}, side)
        for name, label, unit, gate in rows:
            candidates = [(side[name], anchor) for anchor, side in theirs.items() if name in side]
            value = mine.get(name)
            if not candidates or value is None:
                table.add(f"tasks: {label}", value, unit, gate=gate)
                continue
            better = max if name in higher else min
            anchor_value, anchor = better(candidates)
            ratio = value / anchor_value if name in higher else (anchor_value / value if value else None)
            table.add(f"tasks: {label}", value, unit, anchor, anchor_value, ratio, gate)

    compare("spawn", 1, [("spawn_join_batch", "spawn and join, batch", "ns", 1 / 0.3),
                         ("spawn_join_serial", "spawn and join, one by one", "ns", 1 / 0.3)], ["Go"])
    compare("parked", 1, [("parked_bytes", "memory of a parked task", "B", 1 / 0.3)], ["Go"])
    compare("pingpong", 1, [("pingpong", "ping-pong, one worker", "ns", 1 / 0.6)], ["Go"])
    compare("pingpong2", 2, [("pingpong_two_workers", "ping-pong, two workers", "ns", 1 / 0.7)], ["Erlang"])
    compare("ints", 1, [("ints_1024", "ints through 1024, one worker", "M/s", 1.2)], ["Go"])
    compare("ints", 2, [("ints_1024", "ints through 1024, two workers", "M/s", 1.2)], ["Go"])
    compare("select", 1, [("select_ready", "select, ready", "ns", 1 / 0.7),
                          ("select_blocking", "select, blocking", "ns", 1 / 0.6)], ["Go", "Erlang"])
    compare("skynet", 1, [("skynet", "skynet, a million leaves", "ms", 2.0), ("skynet_rss", "skynet, memory", "MB", 2.0)], ["Go"])
    compare("timers", 1, [("timer_add_cancel", "timer, add and cancel", "ns", 10.0)], ["Go"])
    compare("hogs", 2, [("sleep_1ms_busy", "1 ms sleep, workers busy", "us", 1.0)], ["Erlang"])
    # Ours alone, against a number.
    if not options.only or "idle" in options.only.split(","):
        alone = {}
        run_side(ours("parked", 2), None, alone)
        idle = alone.get("idle_cpu")
        table.add("tasks: idle, 100k parked, 1k timers", idle, "ms/s", "0.2 ms/s", 0.2,
                  None if idle is None else 0.2 / max(idle, 0.001), 1.0)
        run_side(ours("inflate", 2), None, alone)
        inflation = alone.get("cpu_two_over_one")
        table.add("tasks: CPU a task, two workers over one", inflation, "x", "1.05", 1.05,
                  None if inflation is None else 1.05 / inflation, 1.0)
    table.close(options)


if __name__ == "__main__":
    main()
