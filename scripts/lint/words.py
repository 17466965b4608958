"""Words lint: the project speaks of itself alone. No paths of somebody's machine, no traces of how it was written.

Prints, without failing, files that have grown past 600 lines: each should be one thing.
"""

import re
import subprocess
import sys

# Assembled from halves, so that this file does not find itself.
FORBIDDEN = [
    (r"(?<![\w.])/" + r"(home|root|Users|work)/", "a path of one machine"),
    (r"(?i)\bsub" + r"-?agent", "a word about the workplace"),
    (r"(?i)\bhelper " + r"session|\bthis " + r"(session|workplace)\b", "a word about the workplace"),
    (r"(?i)\b(claude|chatgpt|copilot|anthropic|openai)\b", "a word about tools"),
    (r"\bissue #?\d+\b", "a number that only a tracker knows"),
    (r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b(?!.*docs/)", "a note without a reason and a place in docs/"),
]
EXEMPT = re.compile(r"^(LICENSE|tests/conformance/.*|tests/gnu/.*\.tsv|scripts/lint/words\.py|scripts/gnu/ladder\.tsv)$")
LONG = 600


def main():
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True,
                           check=True).stdout.split("\n")
    bad = []
    for file in files:
        if not file or EXEMPT.match(file):
            continue
        try:
            lines = open(file, encoding="utf-8").read().split("\n")
        except (UnicodeDecodeError, OSError):
            continue
        for number, line in enumerate(lines, 1):
            for pattern, why in FORBIDDEN:
                if re.search(pattern, line):
                    bad.append(f"{file}:{number}: {why}: {line.strip()[:100]}")
        if re.search(r"\.(cpp|hpp|el|py|sh)$", file) and len(lines) > LONG:
            print(f"note: {file} has {len(lines)} lines; does it do a second thing?")
    print("\n".join(bad))
    print(f"words: {len(files)} files, {len(bad)} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
