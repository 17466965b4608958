"""Images that are missing, empty, truncated, damaged or of something else: one clear line and exit code 1, never a crash."""

import shutil
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


if __name__ == "__main__":
    harness.main(globals())
