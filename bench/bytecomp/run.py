#!/usr/bin/env python3
"""GNU's byte compiler on both sides: the files of lisp/emacs-lisp, compiled in one process, in the same order.

The sources are those of the installed emacs-el, unpacked into build/bench-bytecomp/source. neomacs and Emacs 28.2 each write
their .elc into a folder of their own; the two folders must be equal byte for byte. The row is CPU time (user and system, the
whole process, start included) beside Emacs's in the same run. What each side said (warnings) is compared too and told, but
judged by --messages only.

  --only NAMES   only these files (without .el), separated by commas
  --keep         print the first differing bytes of every file that differs
"""

import argparse
import gzip
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common  # noqa: E402

HERE = Path(__file__).resolve().parent
LIBRARY = Path("/usr/share/emacs/28.2/lisp/emacs-lisp")
WORK = common.ROOT / "build/bench-bytecomp"


def unpack(only):
    source = WORK / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for packed in sorted(LIBRARY.glob("*.el.gz")):
        if not only or packed.name[:-len(".el.gz")] in only:
            (source / packed.name[:-len(".gz")]).write_bytes(gzip.decompress(packed.read_bytes()))
    return source


def compile_all(side, command, source):
    """(CPU seconds, folder of results, what it said); the process must end well."""
    dest = WORK / side
    shutil.rmtree(dest, ignore_errors=True)
    dest.mkdir(parents=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(WORK / f"{side}.out", "w") as out, open(WORK / f"{side}.err", "w") as err:
        status = subprocess.run([*command, "-l", str(HERE / "compile.el")], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                env=dict(os.environ, SOURCES=str(source), DEST=str(dest), LANG="C.UTF-8"), timeout=900).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status != 0:
        sys.exit(f"neo: {side} ended with {status}; {WORK / side}.err says:\n" + (WORK / f"{side}.err").read_text()[-600:])
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, dest


def first_difference(mine, theirs):
    at = next((i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b), min(len(mine), len(theirs)))
    return f"at byte {at}:\n      ours  {mine[max(0, at - 60):at + 60]!r}\n      Emacs {theirs[max(0, at - 60):at + 60]!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(common.ROOT / "build/release/bin"), help="folder of the binaries")
    parser.add_argument("--json", help="write the rows here")
    parser.add_argument("--vm-args", default="", help="further arguments for neomacs")
    parser.add_argument("--emacs", default="emacs")
    parser.add_argument("--only", default="")
    parser.add_argument("--messages", action="store_true", help="a difference in what the compilers say fails, too")
    parser.add_argument("--reuse", action="store_true", help="take Emacs's files of the last run (no ratio)")
    options = parser.parse_args()
    if not LIBRARY.is_dir():
        sys.exit(f"neo: no {LIBRARY}; Debian's emacs-el holds the sources")
    source = unpack([name for name in options.only.split(",") if name])
    count = len(list(source.glob("*.el")))
    theirs, emacs_dir = (None, WORK / "emacs")
    if not options.reuse:
        theirs, emacs_dir = compile_all("emacs", [options.emacs, "--batch", "-Q"], source)
    ours, vm_dir = compile_all("neomacs", [str(Path(options.bin) / "neomacs"), "--batch", "-Q", *shlex.split(options.vm_args)],
                               source)
    names = sorted({p.name for p in vm_dir.iterdir()} | ({p.name for p in emacs_dir.iterdir()} if not options.only else set()))
    equal = 0
    for name in names:
        a, b = (vm_dir / name, emacs_dir / name)
        if a.exists() and b.exists() and a.read_bytes() == b.read_bytes():
            equal += 1
        elif not a.exists() or not b.exists():
            print(f"  {name}: only {'Emacs' if b.exists() else 'neomacs'} wrote it")
        else:
            print(f"  {name}: differs {first_difference(a.read_bytes(), b.read_bytes())}")
    said = [(WORK / f"{side}.{kind}").read_text().replace(str(WORK / side), "DEST") for kind in ("out", "err")
            for side in ("neomacs", "emacs")]
    same_words = said[0] == said[1] and said[2] == said[3]
    print(f"  {count} files compiled; {equal} of {len(names)} results are equal byte for byte; "
          f"messages {'equal' if same_words else f'differ (diff {WORK}/neomacs.err {WORK}/emacs.err)'}")
    rows = common.Rows()
    rows.add("bytecomp/equal-files", equal, "files", "Emacs 28.2 writes", len(names), equal / max(len(names), 1), 1.0)
    rows.add("bytecomp/cpu", ours, "s", "Emacs 28.2 byte-code", theirs, theirs and theirs / ours, None if options.only else 1.0)
    if options.json:
        Path(options.json).write_text(json.dumps(rows.rows, indent=1))
    sys.exit(1 if equal != len(names) or (options.messages and not same_words)
             or (theirs and not options.only and theirs < ours) else 0)


if __name__ == "__main__":
    main()
