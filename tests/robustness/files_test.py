"""Source and compiled files that are cut off, unbalanced, no text, damaged, unreadable or no files at all, given on the command
line. The exit codes and error data are those of Emacs 28.2; tests/conformance/elisp/hostile/source_files.el says what Lisp
sees of such files."""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
import harness  # noqa: E402
from harness import check  # noqa: E402

ELC = b";ELC\x17\0\0\0\n;;; Compiled\n;;; in Emacs version 28.2\n\n"
LIBRARY = Path("/usr/share/emacs/28.2/lisp/emacs-lisp/ring.elc")  # a compiled file of ordinary size

# name, contents, exit code, standard output, part of standard error (which shortens long names)
FILES = [
    ("cut.el", b"(princ 1)\n(princ 2", 255, b"1", '(end-of-file "'),
    ("string.el", b'(princ 1)\n"abc', 255, b"1", '(end-of-file "'),
    ("extra.el", b"(princ 1))\n(princ 2)", 255, b"1", '(invalid-read-syntax ")" '),
    ("bracket.el", b"(princ 1]", 255, b"", '(invalid-read-syntax "] in a list" '),
    ("script", b"#!/x --script\n(princ 1)\n'", 255, b"1", '(end-of-file "'),
    ("empty.el", b"", 0, b"", ""),
    ("mark.el", b"\xef\xbb\xbf(princ 1)", 0, b"1", ""),
    ("latin.el", b'(princ "a\xff\xc3")', 0, "aÿÃ".encode(), ""),
    ("tail.el", b'(princ 1)(princ "\xe3\x81', 255, b"1", '(end-of-file "'),
    ("control.el", b"\0\1\2", 255, b"", '(end-of-file "'),
    ("zeros.el", bytes(100000), 255, b"", '(end-of-file "'),
    ("skip.el", b"(princ 1)#@99999999 (princ 2)", 255, b"1", '(end-of-file "'),
    ("skip00.el", b"(princ 1)#@00 (princ 2)", 0, b"1", ""),
    ("old.elc", b";ELC\x17\0\0\0\n(princ 1)", 255, b"", '(error "File ‘'),
    ("skip.elc", ELC + b"(princ 1)#@99999999 x\x1f(princ 2)", 255, b"1", '(end-of-file "'),
    ("minus.elc", ELC + b"(princ 1)#@-5 (princ 2)", 0, b"12", ""),
    ("huge.elc", ELC + b"(princ 1)#@99999999999999999999 x\x1f(princ 2)", 255, b"1", '(error "Maximum string size exceeded")'),
    ("cut.elc", ELC + b"(princ 1)(defalias 'f #[0 \"\\300", 255, b"1", '(end-of-file "'),
    ("code.elc", ELC + b"(princ 1)(defalias 'f #[1 2 3 4 5 6 7])", 255, b"1", '(invalid-read-syntax "Invalid byte-code object")'),
    ("bits.elc", ELC + b'(princ 1)(setq x #&99999999999999999999"a")', 255, b"1", '(invalid-read-syntax "#&..."'),
    ("table.elc", ELC + b"(princ 1)(setq x #s(hash-table size 99999999999 data (1 2)))", None, b"1", ""),
]


def run(bin_folder, folder, *arguments, seconds=60):
    return harness.neomacs(bin_folder, *arguments, seconds=seconds, cwd=folder, env={**os.environ, "LC_ALL": "C.UTF-8"})


def test_files_on_the_command_line(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        for name, contents, status, out, error in FILES:
            Path(folder, name).write_bytes(contents)
            for option in ("-l", "--script"):
                result = run(bin_folder, folder, option, name)
                check(status in (None, result.returncode) and result.stdout == out and error.encode() in result.stderr, f"{name}: {result}")
                check(status != 0 or result.stderr == b"", f"{name}: {result}")


def test_what_is_no_file(bin_folder):
    loaded = '(%s "Cannot open load file" "%s" '
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        os.mkdir(f"{folder}/dir.el")
        os.symlink("loop.el", f"{folder}/loop.el")
        os.symlink("gone", f"{folder}/dangling.el")
        for arguments, error in (
                (("-l", "dir.el"), loaded % ("file-missing", "No such file or directory")),
                (("--script", "dir.el"), loaded % ("file-error", "Is a directory")),
                (("--insert", "dir.el"), '(file-error "Read error" "Is a directory" '),
                (("-l", "/"), loaded % ("file-error", "Is a directory")),
                (("--script", "."), loaded % ("file-error", "Is a directory")),
                (("-l", "none"), loaded % ("file-missing", "No such file or directory")),
                (("--script", "none"), loaded % ("file-missing", "No such file or directory")),
                (("--script", "dangling.el"), loaded % ("file-missing", "No such file or directory")),
                (("-l", "loop.el"), "Apparent cycle of symbolic links"),
                (("--insert", "loop.el"), '(file-error "Opening input file" "Too many levels of symbolic links" '),
                (("--insert", "/proc/self/mem"), '(file-error "Read error" "Input/output error" "/proc/self/mem")'),
                (("-l", "/proc/self/mem"), "Input/output error")):
            result = run(bin_folder, folder, *arguments)
            check(result.returncode == 255 and error.encode() in result.stderr, f"{arguments}: {result}")
        for name in ("/dev/null", "."):
            result = run(bin_folder, folder, "-l", name)
            check(result.returncode == 0 and result.stdout == b"", result)


def test_files_that_may_not_be_read(bin_folder):
    """As nobody when the tests run as root, whom no permission stops."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        secret = Path(folder, "secret.el")
        secret.write_text("(princ 1)")
        secret.chmod(0)
        command = [f"{bin_folder}/neomacs", "--batch", "-Q", "-l", str(secret)]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
            if subprocess.run([*command[:-4], "--version"], capture_output=True).returncode != 0:
                print("nobody cannot start the program here", file=sys.stderr)
                return
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * harness.PATIENCE)
        harness.orderly(result)
        check(result.returncode == 255 and b'"Permission denied"' in result.stderr, result)


def test_compiling_bad_files(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        for name, contents, error in (("cut.el", b"(defun f ()\n (g", b"End of file during parsing"), ("extra.el", b"(defun f ()))", b"Invalid read syntax"),
                                      ("string.el", b'(setq x "abc', b"End of file during parsing"), ("none.el", None, b"No such file")):
            if contents is not None:
                Path(folder, name).write_bytes(contents)
            result = run(bin_folder, folder, "-f", "batch-byte-compile", name)
            check(result.returncode == 1 and error in result.stderr, result)
            check(not Path(folder, name + "c").exists(), f"{name} was compiled")


def damage(data, generator):
    """DATA with bytes changed, removed, repeated or cut off."""
    data = bytearray(data)
    for _ in range(generator.choice((1, 3, 30))):
        at = generator.randrange(len(data))
        kind = generator.randrange(5)
        if kind == 0:
            data[at] = generator.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << generator.randrange(8)
        elif kind == 2:
            del data[at:at + generator.randrange(20)]
        elif kind == 3:
            data[at:at] = data[at:at + generator.randrange(40)]
        elif generator.random() < 0.3:
            del data[at:]
        if len(data) < 2:
            break
    return bytes(data)


def test_damaged_files_end_in_order(bin_folder):
    """Whatever a damaged compiled file or source says, the program goes on or reports an error."""
    generator = random.Random(1)
    originals = {"elc": LIBRARY.read_bytes(), "el": (harness.ROOT / "tests/conformance/elisp/fns/forms.el").read_bytes()}
    count = 40 if harness.PATIENCE == 1 else 10
    form = """(dolist (f command-line-args-left) (condition-case e (load f nil t t) ((error quit) e) (neovm-unimplemented e))
                (mapatoms (lambda (s) (if (string-prefix-p "ring-" (symbol-name s))
                   (condition-case nil (funcall s (list 1 2 [3])) ((error quit))))))) (setq command-line-args-left nil) (princ "alive")"""
    with tempfile.TemporaryDirectory() as folder:
        for kind, original in originals.items():
            names = []
            for i in range(count):
                names.append(f"{folder}/damaged-{i}.{kind}")
                Path(names[-1]).write_bytes(damage(original, generator))
            for i in range(0, count, 5):
                result = run(bin_folder, folder, "--neovm-memory-limit=2000", "--eval", f"(progn {form})", *names[i:i + 5], seconds=120)
                check(result.returncode == 0 and result.stdout.endswith(b"alive"), f"{names[i:i + 5]}: {str(result)[-3000:]}")


if __name__ == "__main__":
    harness.main(globals())
