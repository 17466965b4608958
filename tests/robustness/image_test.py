"""Images that are missing, empty, truncated, damaged or of something else: with --image one clear line and exit code 1, never a
crash; without it another is built, once."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
import harness  # noqa: E402
from harness import check  # noqa: E402


def image_of(bin_folder):
    """As the program finds it: beside itself, or the release build's."""
    for place in ("neomacs.image", "../../release/bin/neomacs.image"):
        if (Path(bin_folder) / place).exists():
            return Path(bin_folder) / place
    raise AssertionError("no image: ./neo build")


def refused(bin_folder, image):
    result = harness.neomacs(bin_folder, "--image", str(image), "--eval", "(princ 1)")
    lines = result.stderr.decode().strip().split("\n")
    check(result.returncode == 1 and result.stdout == b"" and len(lines) == 1 and str(image) in lines[0], f"{image}: {result}")


def test_a_good_image_starts(bin_folder):
    result = harness.neomacs(bin_folder, "--image", str(image_of(bin_folder)), "--eval", "(princ 1)")
    check(result.returncode == 0 and result.stdout == b"1", result)


def test_what_is_no_image_is_refused(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        refused(bin_folder, folder / "missing")
        refused(bin_folder, folder)
        refused(bin_folder, "/dev/null")
        (folder / "text").write_text("not an image\n" * 10000)
        refused(bin_folder, folder / "text")
        shutil.copy("/bin/true", folder / "program")
        refused(bin_folder, folder / "program")
        (folder / "zeros").write_bytes(bytes(1 << 20))
        refused(bin_folder, folder / "zeros")


def test_truncated_images_are_refused(bin_folder):
    data = image_of(bin_folder).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for length in (0, 1, 8, 63, 64, 200, 4096, len(data) // 2, len(data) - 1):
            cut = Path(folder) / f"cut-{length}"
            cut.write_bytes(data[:length])
            refused(bin_folder, cut)
        (Path(folder) / "longer").write_bytes(data + bytes(4096))
        refused(bin_folder, Path(folder) / "longer")


def test_damaged_images_are_refused(bin_folder):
    data = image_of(bin_folder).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        damaged = Path(folder) / "damaged"
        for place in [*range(0, 128, 8), len(data) // 3, len(data) // 2, len(data) - 5]:
            copy = bytearray(data)
            copy[place] ^= 0x41
            damaged.write_bytes(copy)
            refused(bin_folder, damaged)


def test_an_image_that_cannot_be_written(bin_folder):
    result = harness.neomacs(bin_folder, "--neovm-build-image", "/nonexistent/folder/image", seconds=300)
    check(result.returncode == 1 and b"/nonexistent/folder/image" in result.stderr, result)


def said(result):
    """Lines of standard error, without those of a sanitizer that misses /proc."""
    return [line for line in result.stderr.decode().splitlines() if not line.startswith("==")]


class Installed:
    """A program of its own in a folder, with an own home, and no image."""

    def __init__(self, bin_folder, folder):
        self.bin, self.home = Path(folder, "bin"), Path(folder, "home")
        self.bin.mkdir()
        self.home.mkdir()
        self.image = self.bin / "neomacs.image"
        shutil.copy(Path(bin_folder) / "neomacs", self.bin)

    def starts(self, says=None, prefix=(), home=None, status=0, lines_at_most=1):
        """Runs it; SAYS is in the first line on standard error, None: there is none."""
        environment = {**os.environ, "HOME": str(home or self.home)}
        environment.pop("XDG_CACHE_HOME", None)
        if prefix:  # LeakSanitizer needs /proc
            environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        result = subprocess.run([*prefix, str(self.bin / "neomacs"), "--batch", "-Q", "--eval", "(princ (fboundp 'when))"],
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=200 * harness.PATIENCE, env=environment)
        harness.orderly(result)
        lines = said(result)
        check(result.returncode == status and result.stdout == (b"t" if status == 0 else b""), result)
        check(lines == [] if says is None else lines != [] and says in lines[0], result)
        check(len(lines) <= lines_at_most or status != 0, result)
        return result


def test_a_missing_image_is_built(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        program = Installed(bin_folder, folder)
        program.starts(says=f"there is no image to start from; building {program.image}")
        check(program.image.exists() and list(program.home.iterdir()) == [], "not beside the program")
        program.starts()


def test_a_damaged_or_foreign_image_is_built_again(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        program = Installed(bin_folder, folder)
        data = bytearray(image_of(bin_folder).read_bytes())
        for place, wrong in ((len(data) // 2, "is damaged"), (20, "is damaged"), (0, "is not a NeoVM image")):
            damaged = data.copy()
            damaged[place] ^= 0x41
            program.image.write_bytes(damaged)
            program.starts(says=f"the image {program.image} {wrong}")
            program.starts()


def test_an_image_is_built_in_the_cache(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        program = Installed(bin_folder, folder)
        program.image.mkdir()  # nothing can be written there, whoever runs this
        (program.image / "file").touch()
        program.starts(says="is not a file; building", lines_at_most=2)
        cached = list((program.home / ".cache/neomacs").glob("*.image"))
        check(len(cached) == 1, cached)
        program.starts()
        # Not from a folder that others may write to.
        (program.home / ".cache/neomacs").chmod(0o777)
        program.starts(status=1, says="is not a file")


def test_an_image_that_cannot_be_had(bin_folder):
    with tempfile.TemporaryDirectory() as folder:
        program = Installed(bin_folder, folder)
        program.image.mkdir()
        (program.image / "file").touch()
        result = program.starts(status=1, says="is not a file", home="/nonexistent")
        check(b"--neovm-build-image" in result.stderr, result)


def test_without_proc(bin_folder):
    """The image is found by the name that the program was started by, and its own stack without /proc/self/maps."""
    hidden = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
    if subprocess.run([*hidden, "true"], capture_output=True).returncode != 0:
        print("/proc cannot be hidden here", file=sys.stderr)
        return
    if b"libasan" in subprocess.run(["ldd", f"{bin_folder}/neomacs"], capture_output=True).stdout:
        print("AddressSanitizer itself reads its options and its threads from /proc", file=sys.stderr)
        return
    form = "(let ((l (list 1 2))) (garbage-collect) (apply #'mapcar (list (lambda (x) (garbage-collect) (princ x)) l)))"
    result = subprocess.run([*hidden, f"{bin_folder}/neomacs", "--batch", "-Q", "--eval", form], stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=100 * harness.PATIENCE)
    harness.orderly(result)
    check((result.returncode, result.stdout, said(result)) == (0, b"12", []), result)
    with tempfile.TemporaryDirectory() as folder:
        program = Installed(bin_folder, folder)
        program.starts(prefix=hidden, says=f"there is no image to start from; building {program.image}")
        program.starts(prefix=hidden)


if __name__ == "__main__":
    harness.main(globals())
