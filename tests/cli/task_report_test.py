"""What the workers did: --neovm-task-stats, --neovm-task-trace and neovm-task-statistics."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402

# A task's value is there a moment before its end is counted, so the last one may be missing in "finished".
WORK = "(dotimes (_ 8) (task-await (spawn-task (lambda () (make-list 100 1)) nil :name \"lister\")))"


def neomacs(binaries, *arguments):
    return subprocess.run([f"{binaries}/neomacs", "--batch", "-Q", "-j", "2", *arguments], capture_output=True, text=True,
                          timeout=120)


def test_statistics_at_exit(binaries):
    result = neomacs(binaries, "--neovm-task-stats", "--eval", WORK)
    assert result.returncode == 0 and result.stdout == "", result
    row = re.search(r"^lister +(\d+) +(\d+) +(\d+)", result.stderr, re.M)
    assert row and row.group(1) == "8" and row.group(2) in "78" and row.group(3) == "0", result.stderr
    assert re.search(r"^bytes_copied .* [1-9]\d*$", result.stderr, re.M), result.stderr
    quiet = neomacs(binaries, "--neovm-task-stats", "--eval", "1")
    assert quiet.returncode == 0 and quiet.stderr == "", quiet


def test_prometheus_text(binaries):
    result = neomacs(binaries, "--eval", f"(progn {WORK} (princ (neovm-task-statistics 'prometheus)))")
    assert 'neovm_named_tasks_spawned_total{name="lister"} 8\n' in result.stdout, result.stdout[-2000:]
    for line in result.stdout.splitlines():
        assert re.match(r"# (HELP|TYPE) neovm_|neovm_\w+\{[^}]*\} [\d.e+-]+$", line), line


def test_trace_is_json_with_the_tasks(binaries):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace \"1\".json")
        result = neomacs(binaries, f"--neovm-task-trace={file}", "--eval", WORK)
        assert result.returncode == 0, result
        events = json.loads(file.read_text())["traceEvents"]
        runs = [e for e in events if e["ph"] == "X" and e["name"] == "lister"]
        assert len(runs) >= 7 and all(e["dur"] > 0 for e in runs), runs
        assert {e["args"]["name"] for e in events if e["ph"] == "M"} == {"worker 0", "worker 1", "worker main"}
        result = neomacs(binaries, f"--neovm-task-trace={folder}/no/such/folder", "--eval", WORK)
        assert "Cannot write the trace" in result.stderr, result


if __name__ == "__main__":
    harness.main(globals())
