"""`./neo oracle --fuzz SEED COUNT`: random forms over the primitive table, in Emacs and in NeoVM, form by form.

About three in four calls take arguments of classes that the primitive is known to accept (signatures.json); the rest are ill-typed
or have a wrong number of arguments. Forms run in batches, so that what one leaves behind meets the next. A form that differs is
run alone, shrunk while it still differs, and listed by kind. The same seed makes the same forms.
"""

import json
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import forms
import values

SIGNATURES = Path(__file__).with_name("signatures.json")
BATCH = 60
GATE = 0.005
# They change what all later forms stand on (windows, tables, variables of the machine): never nested, and last in their batch.
SETTERS = re.compile(r"^(set-(window|frame|display|minibuffer|standard|terminal|char-table|charset|case|syntax|category|default|file-name)|"
                     r"modify-(frame|syntax|category)|define-category|delete-other|delete-window|split-window|window-resize|"
                     r"combine-windows|select-(window|frame)|internal-|old-select|add-variable-watcher|defvaralias|"
                     r"rename-buffer|buffer-swap|minibuffer-|run-window|restore-|setenv|category-set|"
                     r"optimize-char|unibyte-char|make-(local|indirect)|kill-local|default-toplevel|set-input|use-local|"
                     r"make-frame|put$|set$|provide$|autoload$|defalias$|delete-|handle-)")
SPECIAL = ["let", "let*", "if", "cond", "condition-case", "progn", "prog1", "prog2", "and", "or", "catch", "unwind-protect", "quote",
           "function", "setq", "save-excursion", "save-restriction", "save-current-buffer"]
# Their value is a table of the whole machine, which is printed as it happens to be stored: of these a digest of what each
# character has is compared, as ranges of equal values.
CONTENTS = {"standard-case-table", "current-case-table", "standard-syntax-table", "syntax-table", "copy-syntax-table",
            "make-category-table"}
# Of these only the type: a category table takes Emacs ten seconds to walk, the keymaps and faces have what only a display loads.
TABLES = {"current-global-map", "current-active-maps", "standard-category-table", "category-table", "copy-category-table",
          "frame--face-hash-table", "frame-parameters"}
# Their results are long or slow for numbers that are far away; the errors are covered by the generated corpus.
NO_BIG = {"make-list", "make-string", "make-vector", "make-bool-vector", "make-record", "insert-char", "insert-byte", "expt", "ash",
          "make-gap", "indent-to", "string-to-number"}


def text_of(tree):
    if isinstance(tree, str):
        return tree
    return "(" + " ".join(text_of(part) for part in tree) + ")"


def size_of(tree):
    return 1 if isinstance(tree, str) else 1 + sum(size_of(part) for part in tree)


class Maker:
    """Makes forms as trees: a string is an atom, a list is a call or special form."""

    def __init__(self, primitives, signatures):
        self.primitives = primitives
        self.accepts = {p.name: signatures.get(p.name, {"accepts": []})["accepts"] for p in self.primitives}
        self.by_result = {}
        for primitive in self.primitives:
            if SETTERS.match(primitive.name) or primitive.name in TABLES | CONTENTS:
                continue
            for classes, result in self.accepts[primitive.name]:
                if result is not None:
                    self.by_result.setdefault(result, []).append((primitive.name, classes))

    def value(self, dice, kind, depth):
        if kind == "list" and dice.random() < 0.2:
            kind = dice.choice(["alist", "pair"])
        choices = self.by_result.get(kind)
        if depth <= 0 or not choices or dice.random() < 0.5:
            return dice.choice(values.POOL.get(kind, values.POOL["nil"]))
        if dice.random() < 0.15:
            return self.special(dice, kind, depth - 1)
        name, classes = dice.choice(choices)
        return [values.symbol(name)] + self.arguments(dice, name, classes, depth - 1)

    def arguments(self, dice, name, classes, depth):
        result = []
        for kind in classes:
            if kind == "big" and name in NO_BIG:
                kind = "int"
            result.append(self.value(dice, kind, depth))
        return result

    def special(self, dice, kind, depth):
        def any_value():
            return self.value(dice, dice.choice(values.CLASSES), depth)
        one = self.value(dice, kind, depth)
        shape = dice.randrange(12)
        if shape == 0:
            return ["let", [["v", one]], "v"]
        if shape == 1:
            return ["if", any_value(), one, self.value(dice, kind, depth)]
        if shape == 2:
            return ["condition-case", "e", ["progn", any_value(), one], ["error", ["car", "e"]]]
        if shape == 3:
            return ["catch", "'foo", ["throw", "'foo", one]]
        if shape == 4:
            return ["unwind-protect", one, any_value()]
        if shape == 5:
            return ["save-excursion", any_value(), one]
        if shape == 6:
            return ["let", [["v", any_value()]], ["setq", "v", one], "v"]
        if shape == 7:
            return ["mapcar", ["lambda", ["v"], ["list", "v", any_value()]], self.value(dice, "list", depth)]
        if shape == 8:
            return ["funcall", ["lambda", ["a", "&optional", "b", "&rest", "c"], ["list", "a", "b", "c"]], one, any_value()]
        if shape == 9:
            return ["let*", [["v", one], ["w", ["cons", "v", any_value()]]], ["car", "w"]]
        if shape == 10:
            return ["format", '"%S"', one]
        return ["and", any_value(), one]

    def form(self, dice):
        """(tree, whether buffer and point are part of the answer)"""
        if dice.random() < 0.02:
            shape = [dice.choice(SPECIAL)] + [self.value(dice, dice.choice(values.CLASSES), 1) for _ in range(dice.randrange(5))]
            return shape, False
        primitive = dice.choice(self.primitives)
        name = values.symbol(primitive.name)
        luck = dice.random()
        if luck < 0.72 and self.accepts[primitive.name]:
            classes = dice.choice(self.accepts[primitive.name])[0]
        elif luck < 0.95:
            top = primitive.greatest if primitive.greatest is not None else primitive.least + 3
            count = dice.randint(primitive.least, max(primitive.least, min(top, primitive.least + 3)))
            classes = [dice.choice(values.CLASSES) for _ in range(count)]
        else:
            wrong = [n for n in (primitive.least - 1, (primitive.greatest or 0) + 1 if primitive.greatest is not None else -1)
                     if n >= 0]
            classes = ["int"] * (dice.choice(wrong) if wrong else primitive.least)
        if primitive.area == "timefns" and (not classes or "nil" in classes):
            classes = ["int"] * max(1, primitive.least)
        tree = [name] + self.arguments(dice, primitive.name, classes, 3)
        if primitive.name in TABLES:
            return ["type-of", tree], False
        if primitive.name in CONTENTS:
            return ["gen-contents", tree], False
        if primitive.area in values.BUFFER_AREAS or dice.random() < 0.1:
            text = dice.choice(['"Hello (big) world_12\\n  second line: a.b\\n"', '"\u00e9\u03bb abc\\nxyz\\n"', '"(a \\"b\\" ; c\\n [d])"'])
            tree = ["progn", ["insert", text], ["goto-char", str(dice.randint(1, 12))], tree]
            return tree, True
        return tree, False


def cases_of(items):
    """Cases of a batch, after those of the prelude."""
    head = forms.parse(values.PRELUDE + values.CONTENTS_PRELUDE, "fuzz")
    cases = list(head)
    for number, (tree, state) in enumerate(items):
        cases.append(forms.Case(text=text_of(tree), file="fuzz", line=number + 1, state=["buffer", "point"] if state else []))
    return cases, len(head)


def differ(expected, got):
    """The kind of difference as (expected, got) words, or None."""
    if expected == got or values.UNSTABLE.search(expected) and not got.startswith(("CRASH", "TIMEOUT", "EXIT")):
        return None
    if expected.startswith(("CRASH", "TIMEOUT", "EXIT")):
        return None if got.startswith(("OK", "ERR")) else (expected.split()[0], got.split()[0])

    def word(answer):
        parts = answer.split(" ", 2)
        return " ".join(parts[:2]).rstrip(")") if parts[0] == "ERR" else parts[0]
    return word(expected), word(got)


class Fuzzer:
    def __init__(self, vm, emacs, jobs):
        self.vm, self.emacs, self.jobs = vm, emacs, jobs

    def both(self, items):
        cases, skip = cases_of(items)
        theirs = [answer[0] for answer in self.emacs.run(cases)][skip:]
        ours = [answer[0] for answer in self.vm.run(cases)][skip:]
        return list(zip(theirs, ours))

    def alone(self, items):
        """The same, each form in machines of its own."""
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(lambda item: self.both([item])[0], items))

    def shrink(self, item):
        """A smaller form that still differs when run alone, with its answers."""
        best, state = item
        answers = self.alone([item])[0]
        for _ in range(12):
            smaller = []
            for tree in variants(best):
                if size_of(tree) < size_of(best) or text_of(tree) < text_of(best) and size_of(tree) == size_of(best):
                    smaller.append((tree, state))
            smaller = sorted({text_of(tree): (tree, s) for tree, s in smaller}.values(), key=lambda i: size_of(i[0]))[:40]
            for candidate, pair in zip(smaller, self.alone(smaller)):
                if differ(*pair):
                    best, answers = candidate[0], pair
                    break
            else:
                break
        return best, answers


def variants(tree):
    """Trees one step smaller than TREE."""
    if isinstance(tree, str):
        if tree not in ("nil", "0"):
            yield "nil"
            yield "0"
        return
    for part in tree[1:]:
        if not isinstance(part, str) and part and isinstance(part[0], str):
            yield part
    for index in range(len(tree) - 1, 0, -1):
        yield tree[:index] + tree[index + 1:]
    for index in range(1, len(tree)):
        for small in variants(tree[index]):
            yield tree[:index] + [small] + tree[index + 1:]


def implemented(vm):
    """A file of `neovm primitives --json`, or None when the machine has no such sibling."""
    neovm = Path(vm.program).with_name("neovm")
    if not neovm.exists():
        return None
    rows = subprocess.run([neovm, "primitives", "--json"], capture_output=True, text=True, check=True).stdout
    path = values.ROOT / "build/fuzz-primitives.json"
    path.write_text(rows)
    return path


def run(options, vm, emacs):
    seed, count = options.fuzz
    maker = Maker(values.table(options.primitives or implemented(vm)), json.loads(SIGNATURES.read_text()))
    fuzzer = Fuzzer(vm, emacs, options.jobs)
    dice = random.Random(seed)
    items = [maker.form(dice) for _ in range(count)]
    batches = [sorted(items[i:i + BATCH], key=lambda item: SETTERS.match(head_of(item[0])) is not None)
               for i in range(0, count, BATCH)]
    found = []  # (item, (expected, got), kind)
    done = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for batch, pairs in zip(batches, pool.map(fuzzer.both, batches)):
            done += len(batch)
            for item, pair in zip(batch, pairs):
                kind = differ(*pair)
                if kind:
                    found.append((item, pair, kind))
            if sys.stderr.isatty():
                print(f"\r{done}/{count} forms, {len(found)} differ\033[K", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    kinds = {}
    for item, pair, kind in found:
        kinds.setdefault((head_of(item[0]),) + kind, []).append((item, pair))
    shown = 0
    for (head, expected, got), group in sorted(kinds.items(), key=lambda entry: -len(entry[1])):
        print(f"{len(group):5} x {head}: {expected} -> {got}")
        (item, pair) = min(group, key=lambda entry: size_of(entry[0][0]))
        tree, label = item[0], "one of them"
        if shown < options.shrink:
            shown += 1
            if differ(*fuzzer.alone([item])[0]):
                tree, pair = fuzzer.shrink(item)
                label = "smallest"
            else:
                label = "only after other forms of its batch"
        print(f"        {label}: {text_of(tree)}\n        expected {pair[0][:300]}\n        got      {pair[1][:300]}")
    hard = sum(1 for _, pair, _ in found if pair[1].startswith(("CRASH", "TIMEOUT", "EXIT", "NOSTART")))
    print(f"{count} forms of seed {seed} over {len(maker.primitives)} primitives: {len(found)} differ "
          f"({100 * len(found) / max(count, 1):.2f} %), {hard} crashes, hangs or exits")
    print(f"{count - len(found)} passed, {len(found)} failed")
    return 1 if hard or len(found) > GATE * count else 0


def head_of(tree):
    """The primitive that a form is about."""
    if isinstance(tree, list) and tree[0] == "progn" and isinstance(tree[-1], list):
        tree = tree[-1]
    return tree[0] if isinstance(tree, list) else tree
