"""The isolate runtime relies on no OS thread's identity: an audit of its sources.

One thread_local, in one file; nothing asks which thread it is on or compares threads.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*ROOT.glob("worker/src/*"), *ROOT.glob("worker/include/**/*.hpp")])
# `get_id` and friends make behaviour depend on the caller's thread; thread-specific keys are thread_local by another name.
IDENTITY = re.compile(r"\b(this_thread::get_id|pthread_self|gettid|SYS_gettid|pthread_(get|set)specific|pthread_key_create|tss_t)\b")
LOCAL = re.compile(r"\bthread_local\b|\b__thread\b")


def code_of(path):
    """The file without comments and without what only the interleaving tests compile."""
    text = re.sub(r"//[^\n]*", "", path.read_text())
    return re.sub(r"#ifdef NEOVM_WORKER_CHECKED.*?(#else|#endif)", "", text, flags=re.S)


def test_one_thread_local():
    found = [path.name for path in SOURCES if LOCAL.search(code_of(path))]
    assert found == ["current.cpp"], found
    assert len(LOCAL.findall(code_of(ROOT / "worker/src/current.cpp"))) == 1


def test_nobody_asks_for_the_thread():
    found = [path.name for path in SOURCES if IDENTITY.search(code_of(path))]
    assert found == [], found


def test_the_audit_sees_something():
    assert len(SOURCES) > 20
    assert IDENTITY.search("std::this_thread::get_id()") and LOCAL.search("static thread_local int x;")


def main():
    passed = failed = 0
    for name, test in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            passed += 1
        except AssertionError as error:
            failed += 1
            print(f"FAILED {name}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
