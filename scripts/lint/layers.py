"""Layer lint: every include goes in a permitted direction (docs/architecture.md, "Layers").

An include `neovm/X/…` or `neomacs/X/…` belongs to the layer whose include folder holds it; a quoted include without that
prefix must be found in the includer's own layer.
"""

import os
import re
import subprocess
import sys

MAY_INCLUDE = {
    "abi": set(),
    "text": {"abi"},
    "core": {"abi", "text"},
    "worker": {"core", "abi"},
    "host": {"abi", "text"},
    "guests": {"core", "worker", "text", "abi"},
}
FREE = {"tools", "tests", "bench", "examples"}  # programs see every layer


def layer_of(path):
    parts = path.split("/")
    if parts[0] == "guests":
        return "/".join(parts[:2])
    return parts[0]


def permitted(layer, target):
    if layer in FREE or layer == target:
        return True
    return target in MAY_INCLUDE.get(layer.split("/")[0], set())


def main():
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True,
                           check=True).stdout.split("\n")
    sources = [f for f in files if re.search(r"\.(cpp|hpp|h|cc|def|inc)$", f) and os.path.exists(f)]
    public = {}  # include path -> file that provides it
    for file in sources:
        match = re.match(r"(?:.*/)?include/(.*)", file)
        if match:
            public[match.group(1)] = file
    known = set(sources)
    bad = []
    for file in sources:
        layer = layer_of(file)
        if layer not in FREE and layer.split("/")[0] not in MAY_INCLUDE:
            bad.append(f"{file}: in no layer; a new layer is entered in docs/architecture.md and scripts/lint/layers.py")
            continue
        text = open(file, encoding="utf-8", errors="replace").read()
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', text, re.M):
            name = match.group(2)
            line = text.count("\n", 0, match.start()) + 1
            if name in public:
                target = layer_of(public[name])
            elif match.group(1) == '"':
                root = "/".join(file.split("/")[:2]) if layer.startswith("guests/") else layer
                here = [os.path.normpath(os.path.join(os.path.dirname(file), name)), f"{root}/src/{name}",
                        os.path.normpath(name)]
                found = next((path for path in here if path in known), None)
                if found is None:
                    continue  # generated into the build folder, or a library's header in quotes
                target = layer_of(found)
            elif re.match(r"(neovm|neomacs)/", name):
                bad.append(f"{file}:{line}: {name} is in no layer's include folder")
                continue
            else:
                continue
            if not permitted(layer, target):
                bad.append(f"{file}:{line}: {layer} must not include {target} ({name})")
    print("\n".join(bad))
    print(f"layers: {len(sources)} files, {len(bad)} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
