"""Supervisors against Erlang/OTP's: the traces of 10,000 random crash schedules are equal. See tests/otp/README.md.

Where Erlang is absent the comparison is left out and says so; the checks of the comparison itself still run.
NEOVM_OTP_SCHEDULES=N tries another number, NEOVM_OTP_FIRST=N other schedules.
"""

import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402

COUNT = int(os.environ.get("NEOVM_OTP_SCHEDULES", "10000"))
FIRST = int(os.environ.get("NEOVM_OTP_FIRST", "0"))


def traces(text):
    """{number: [line]}; what a dynamic supervisor does to its children at the end has no order, so such runs are sorted."""
    found, lines, run = {}, None, []
    for line in text.split("\n"):
        if run and not line.startswith("d"):
            lines += sorted(run)
            run = []
        if line.startswith("#"):
            lines = found.setdefault(int(line[1:]), [])
        elif line.startswith("d"):
            run.append(line)
        elif line:
            lines.append(line)
    return found


def difference(ours, theirs):
    """The schedules that differ, and a readable difference of the first of them."""
    bad = [n for n in sorted(set(ours) | set(theirs)) if ours.get(n) != theirs.get(n)]
    if not bad:
        return bad, ""
    n = bad[0]
    return bad, "\n".join(difflib.unified_diff(ours.get(n, []), theirs.get(n, []), f"#{n} machine", f"#{n} OTP", lineterm=""))


def schedules(binaries, what, first, count):
    result = subprocess.run([f"{binaries}/otp_schedules", what, str(first), str(count)], capture_output=True, text=True,
                            timeout=300, check=True)
    return result.stdout


def test_the_comparison_sees_a_difference(binaries):
    text = schedules(binaries, "trace", 0, 50)
    same = traces(text)
    assert len(same) == 50 and difference(same, traces(text)) == ([], "")
    changed = traces(text.replace("stop ", "halt ", 1))
    bad, shown = difference(same, changed)
    assert len(bad) == 1 and "halt" in shown
    missing = traces(text)
    del missing[49]
    assert difference(same, missing)[0] == [49]


def test_schedules_reach_every_corner(binaries):
    """The random schedules are of use only if every kind of event is in them, often."""
    text = schedules(binaries, "trace", 0, 2000)
    for word in ["reached_max_restart_intensity", "start_error", "shutdown_error", "exit shutdown:failed", " ignore", "dstop",
                 " kill\n", "already_started", "already_present", " running\n", " ok\n", "not_found", "wrong_strategy", "stop s"]:
        assert text.count(word) >= 20, word


def test_ten_thousand_schedules_equal_otp(binaries):
    if shutil.which("erl") is None or shutil.which("erlc") is None:
        print("left out: no Erlang here (erlang-base)")
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["erlc", "-o", folder, str(harness.ROOT / "tests/otp/supervisor_trace.erl")], check=True, timeout=120)
        Path(folder, "schedules").write_text(schedules(binaries, "terms", FIRST, COUNT))
        erl = subprocess.run(["erl", "-noshell", "-s", "supervisor_trace", "main", "schedules", "traces"], cwd=folder,
                             capture_output=True, text=True, timeout=600)
        assert erl.returncode == 0, erl.stdout[-3000:] + erl.stderr[-3000:]
        theirs = traces(Path(folder, "traces").read_text())
    ours = traces(schedules(binaries, "trace", FIRST, COUNT))
    assert len(ours) == COUNT
    late = [n for n, lines in theirs.items() if lines == ["late"]]
    bad, shown = difference({n: t for n, t in ours.items() if n not in late},
                            {n: t for n, t in theirs.items() if n not in late})
    assert not bad, f"{len(bad)} of {COUNT} schedules differ, among them {bad[:10]}\n{shown}"
    # A machine that is too busy cannot keep the seconds of some timed schedules; where they are many it is no comparison.
    assert len(late) <= COUNT // 10, f"{len(late)} schedules were held up"
    print(f"{COUNT - len(late)} schedules equal, {len(late)} held up")


if __name__ == "__main__":
    harness.main(globals())
