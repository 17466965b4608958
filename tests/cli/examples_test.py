"""The examples for C++ (examples/runtime): each prints what the `// expect:` lines at its head say, and ends well."""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402


def test_examples_print_what_they_promise(binaries):
    sources = sorted((harness.ROOT / "examples/runtime").glob("*.cpp"))
    assert sources
    for source in sources:
        expected = re.findall(r"^// expect: (.*)$", source.read_text(), re.M)
        assert expected, f"{source.name} promises nothing"
        result = subprocess.run([f"{binaries}/example_{source.stem}"], capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, f"{source.name}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
        assert result.stdout.splitlines() == expected, f"{source.name} printed\n{result.stdout}"


if __name__ == "__main__":
    harness.main(globals())
