"""CONTRIBUTING.md and docs/bytecode.md quote their worked examples from files that the other tests run; the quotations must be true."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402

BLOCK = re.compile(r"^```\w+ file=(\S+) part=(\w+)\n(.*?)^```$", re.M | re.S)


def blocks():
    pages = ("CONTRIBUTING.md", "docs/bytecode.md")
    return [block for page in pages for block in BLOCK.findall((harness.ROOT / page).read_text())]


def part_of(file, part):
    text = (harness.ROOT / file).read_text()
    if part == "all":
        return text
    return re.search(rf"^// \[{part}\]\n(.*?)^// \[{part}\]$", text, re.M | re.S).group(1)


def test_quotations_are_word_for_word(_bin):
    for file, part, quoted in blocks():
        if quoted != part_of(file, part):
            raise AssertionError(f"{file}, part {part}: it is quoted differently")


def test_each_kind_of_example_is_there(_bin):
    kinds = {part for _, part, _ in blocks()}
    if not {"primitive", "guest", "all", "compiler"} <= kinds:
        raise AssertionError(kinds)


if __name__ == "__main__":
    harness.main(globals())
