"""Copying values between two heaps, beside Erlang in the same run: ns for each message, sent and received."""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

HERE = Path(__file__).resolve().parent
GATES = {"list100": 1.0}
NAMES = {"list100": "list of 100 integers", "floats100": "list of 100 floats", "strings20": "vector of 20 strings",
         "string100k": "string of 100 KB"}


def figures(text):
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if len(line.split()) == 2}


def erlang():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["erlc", "-o", folder, str(HERE / "anchor.erl")], check=True)
        best = {}
        for schedulers in ("1:1", "2:2"):  # the better of one and two schedulers
            out = subprocess.run(["erl", "-noshell", "-noinput", "+S", schedulers, "-pa", folder, "-run", "anchor", "main"],
                                 capture_output=True, text=True, timeout=300, check=True).stdout
            for name, value in figures(out).items():
                best[name] = min(value, best.get(name, value))
        return best


def main():
    options = common.arguments(__doc__)
    subprocess.run(["ninja", "-C", str(Path(options.bin).parent), "bench_transfer"], check=True, stdout=subprocess.DEVNULL)
    ours = figures(subprocess.run([str(Path(options.bin) / "bench_transfer")], capture_output=True, text=True, check=True,
                                  timeout=300).stdout)
    theirs = erlang()
    rows = common.Rows()
    for key, name in NAMES.items():
        anchor = theirs.get(key)
        rows.add(f"transfer/{name}", ours[key], "ns", "Erlang" if anchor else None, anchor,
                 anchor / ours[key] if anchor else None, GATES.get(key))
    rows.close(options)


if __name__ == "__main__":
    main()
