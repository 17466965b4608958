"""The kept inputs of the fuzz targets: corpus/TARGET.hex, one input a line, between libFuzzer's folders of files.

usage: corpus.py unpack TARGET FOLDER     every kept input, and the seeds made from this tree's own Lisp, as files
       corpus.py pack TARGET FOLDER [N]   FOLDER's files (at most N, shortest first) become corpus/TARGET.hex
"""

import hashlib
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FORMS = HERE.parent / "conformance/elisp"


def inputs(path):
    return [bytes.fromhex(line) for line in path.read_text().split("\n") if line and line[0] != "#"] if path.exists() else []


def seeds(target):
    """Of the loader: forms that this tree has anyway, read and loaded."""
    if target != "loader":
        return []
    found = []
    for folder in ("read", "print", "data", "hostile"):
        for file in sorted((FORMS / folder).glob("*.el")):
            for n, form in enumerate(re.split(r"\n(?=\()", file.read_text(encoding="utf-8", errors="replace"))):
                text = form.encode()
                if len(text) < 300 and b"kill-emacs" not in text:
                    found.append(bytes([2 if n % 3 else 0]) + text)
    return found


def main():
    what, target, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    kept = HERE / "corpus" / f"{target}.hex"
    if what == "unpack":
        folder.mkdir(parents=True, exist_ok=True)
        for data in inputs(kept) + inputs(HERE / "corpus" / f"{target}-found.hex") + seeds(target):
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
    else:
        limit = int(sys.argv[4]) if len(sys.argv) > 4 else 400
        files = sorted((path.read_bytes() for path in folder.iterdir()), key=lambda data: (len(data), data))
        kept.write_text("".join(data.hex() + "\n" for data in files[:limit] if data))


main()
