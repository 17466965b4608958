"""Corpus files with a collection at every safepoint: the answers stay, and at least 95 % of the survivors move."""

import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))
import harness  # noqa: E402
from harness import check  # noqa: E402
import machine  # noqa: E402
import oracle  # noqa: E402

AREAS = ("basics", "buffer", "data", "eval", "fns", "hash", "print", "regex", "textprop")  # the smallest file of each


def sampled():
    corpus = harness.ROOT / "tests/conformance/elisp"
    return [min((corpus / area).glob("*.el"), key=lambda path: path.stat().st_size) for area in AREAS]


def test_answers_stay_and_survivors_move(bin_folder):
    moved = pinned = forms = 0
    known = oracle.read_known(compiled=False)
    for path in sampled():
        with tempfile.NamedTemporaryFile() as statistics:
            report = ("--eval=(add-hook 'kill-emacs-hook (lambda () (write-region (prin1-to-string (neovm-gc-statistics)) nil "
                      f"\"{statistics.name}\" t 'silent)))")
            vm = machine.Machine(f"{bin_folder}/neomacs", ["--neovm-gc-stress", report], timeout=120 * harness.PATIENCE)
            cases, expected = oracle.load_cases(path), oracle.read_expected(path)
            for case, answer in zip(cases, vm.run(cases)):
                same = oracle.equal(expected[case.id], answer[0]) or (oracle.short(path), case.id) in known
                check(same, f"{path}:{case.line}: {answer[0]}, not {expected[case.id]}")
                forms += 1
            text = Path(statistics.name).read_text()
        moved += sum(map(int, re.findall(r"objects-moved \. (\d+)", text)))
        pinned += sum(map(int, re.findall(r"objects-pinned \. (\d+)", text)))
    check(forms > 100 and moved > 10000, (forms, moved))
    check(moved >= 0.95 * (moved + pinned), f"{moved} moved, {pinned} pinned")
    print(f"{forms} forms, {moved} moved, {pinned} pinned: {100 * moved / (moved + pinned):.2f} % moved", file=sys.stderr)


if __name__ == "__main__":
    harness.main(globals())
