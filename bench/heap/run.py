#!/usr/bin/env python3
"""What allocation costs and how long collections pause, beside Emacs in the same run.

Rows: ns per cons and per float, as garbage and kept (5 million conses, 2.5 million floats in a list; memory warm, in a heap that collected first), each
against Emacs byte-code with its stock GC and with a threshold of 100 MB (loop overhead taken off); minor
pauses with 16 MiB, 256 MiB and 1 GiB live. All of it in CPU time, so that a busy machine does not fail the
gate; pauses in wall time are printed beside.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ANCHORS = [("stock GC", None), ("100 MB GC", 100_000_000)]
NAMES = {
    "cons_garbage_ns": "cons, garbage",
    "float_garbage_ns": "float, garbage",
    "cons_kept_ns": "cons, kept in a list",
    "float_in_list_kept_ns": "float and cons, kept",
}
GATE_P99_US = 1000.0


def emacs(threshold):
    before = [] if threshold is None else ["--eval", f"(setq gc-cons-threshold {threshold})"]
    command = ["emacs", "--batch", "-Q", *before, "-l", str(HERE / "emacs.el")]
    out = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if out.returncode:
        sys.exit(f"bench heap: {' '.join(command)}\n{out.stderr}")
    return json.loads(out.stdout)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", required=True, help="folder of the built programs")
    arguments.add_argument("--json", help="where to write the rows")
    options = arguments.parse_args()
    subprocess.run(["ninja", "-C", str(Path(options.bin).parent), "bench_heap"], check=True, stdout=subprocess.DEVNULL)
    ours = json.loads(subprocess.run([str(Path(options.bin) / "bench_heap")], capture_output=True, text=True, check=True,
                                     timeout=600).stdout)
    rows = []
    for label, threshold in ANCHORS:
        theirs = emacs(threshold)
        for key, name in NAMES.items():
            rows.append({"name": f"heap: {name}", "value": ours[key], "unit": "ns", "anchor": f"Emacs byte-code, {label}",
                         "anchor_value": theirs[key], "ratio": theirs[key] / ours[key], "gate": None})
    for live in (16, 256, 1024):
        for key, name in (("minor_p50_us", "minor pause p50"), ("minor_p99_us", "minor pause p99")):
            gate = GATE_P99_US if key == "minor_p99_us" else None
            rows.append({"name": f"heap: {name}, {live} MiB live", "value": ours[f"{key}_{live}"], "unit": "us CPU",
                         "anchor": "1 ms" if gate else None, "anchor_value": gate,
                         "ratio": gate / ours[f"{key}_{live}"] if gate else None, "gate": gate})
        for key, name in (("minor_p99_wall_us", "minor pause p99, wall"), ("major_max_wall_us", "major pause max, wall"),
                          ("mutator_ns", "ns per cons with stores into old objects")):
            rows.append({"name": f"heap: {name}, {live} MiB live", "value": ours[f"{key}_{live}"],
                         "unit": "ns" if key == "mutator_ns" else "us", "anchor": None, "anchor_value": None,
                         "ratio": None, "gate": None})
    for row in rows:
        beside = f"{row['anchor']}: {row['anchor_value']:.1f}  {row['ratio']:.2f}x" if row["anchor"] else ""
        print(f"{row['name']:58} {row['value']:10.2f} {row['unit']:7} {beside}")
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))
    late = [row["name"] for row in rows if row["gate"] is not None and row["value"] > row["gate"]]
    if late:
        print("above the gate: " + ", ".join(late))
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
