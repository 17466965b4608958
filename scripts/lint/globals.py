"""Writable globals: all state hangs off an isolate or a context, so the objects of a build may hold no other.

usage: globals.py BUILD-FOLDER. Reads the symbol and section tables of every object file of the product (not of its tests)
and compares each variable in a writable section, and each thread-local one, with scripts/lint/globals-allowed.txt.
"""

import re
import subprocess
import sys
from pathlib import Path

ALLOWED = Path(__file__).with_name("globals-allowed.txt")
# Written by the dynamic loader only; const afterwards.
CONSTANT_SECTIONS = re.compile(r"\.(data\.rel\.ro|init_array|fini_array|ctors|dtors|eh_frame|tm_clone_table)")


def objects_of(build):
    for path in sorted(Path(build).rglob("*.o")):
        if re.search(r"CMakeFiles/(neovm|neomacs)(_\w+)?\.dir/", str(path)):
            yield path


def writable(path):
    """[(mangled name, section, thread_local)] of the variables in writable memory."""
    text = subprocess.run(["readelf", "-SsW", str(path)], capture_output=True, text=True, check=True).stdout
    sections = {}
    for match in re.finditer(r"^ *\[ *(\d+)\] (\S+) +\S+ +[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ +[0-9a-f]+ +([A-Z]*) ", text, re.M):
        sections[match.group(1)] = (match.group(2), match.group(3))
    found = []
    for match in re.finditer(r"^ *\d+: [0-9a-f]+ +(?:0x)?[0-9a-f]+ (OBJECT|TLS) +\S+ +\S+ +(\S+) (\S+)", text, re.M):
        kind, index, name = match.groups()
        if index == "COM":
            found.append((name, "COMMON", False))
            continue
        section, flags = sections.get(index, ("", ""))
        if kind == "TLS":
            found.append((name, section, True))
        elif "W" in flags and not CONSTANT_SECTIONS.match(section):
            found.append((name, section, False))
    return found


def main():
    build = sys.argv[1]
    rules = []
    for line in ALLOWED.read_text().split("\n"):
        rule, _, reason = line.partition("#")
        if rule.strip():
            if not reason.strip():
                sys.exit(f"globals: no reason given for {rule.strip()} in {ALLOWED.name}")
            rules.append([rule.strip(), False])
    rows = []
    count = 0
    for path in objects_of(build):
        count += 1
        rows += [(path, *row) for row in writable(path)]
    if not count:
        sys.exit(f"globals: no object files in {build}\n     ./neo build --preset {Path(build).name}")
    names = subprocess.run(["c++filt"], input="\n".join(row[1] for row in rows), capture_output=True, text=True,
                           check=True).stdout.split("\n")
    bad, allowed = [], set()
    for (path, _, section, local), name in zip(rows, names):
        if name.startswith("DW.ref."):
            continue  # the exception tables' reference to their personality routine
        layer = re.search(r"CMakeFiles/(\w+)\.dir", str(path)).group(1)
        for rule in rules:
            wanted = rule[0]
            if wanted == f"section:{section}" or re.fullmatch(wanted, re.sub(r"^guard variable for ", "", name)):
                rule[1] = True
                allowed.add(name)
                break
        else:
            bad.append(f"{layer} {path.name.removesuffix('.o')}: {'thread_local ' if local else ''}{name} in {section}")
    for line in sorted(set(bad)):
        print(line)
    for rule, used in rules:
        if not used and not rule.startswith("section:"):
            print(f"note: {ALLOWED.name} allows {rule}, which is no longer there")
    print(f"globals: {count} objects, {len(allowed)} allowed, {len(set(bad))} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
