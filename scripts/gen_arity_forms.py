"""Generates tests/conformance/elisp/generated/AREA.el: for every implemented primitive values, a type error, an arity error.

usage: gen_arity_forms.py [--primitives FILE] [--seed N] [--tries N]
       gen_arity_forms.py --arity-only [--primitives FILE]
       gen_arity_forms.py --types-only --primitives FILE [--vm NEOMACS]
FILE is the output of `neovm primitives --json`; without it every primitive of Emacs 28.2 is taken. Emacs is asked what random
calls answer, and calls that it refuses are mended by what the error asked for; of those a few are kept that say something, are
short, and answer the same in two runs. Forms that a file has already stay: only primitives with fewer than three get more.
arity.el has for every primitive, also those that are never called with random arguments, a call with too few and one with too many.
types.el has a type error of every primitive that has none in the rest of the corpus (see tests/cli/corpus_coverage_test.py);
tests/cli/corpus_any_type.txt names those that Emacs refuses nothing. What Emacs has not got is asked of NEOMACS.
Writes the recorded answers too, and (without FILE, or with --signatures-only) tests/oracle/signatures.json: which classes of
arguments each primitive accepts, for the random forms.
"""

import argparse
import json
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/oracle"))
sys.path.insert(0, str(ROOT / "tests/cli"))
import corpus_coverage_test as coverage  # noqa: E402
import forms  # noqa: E402
import machine  # noqa: E402
import oracle  # noqa: E402
import values  # noqa: E402

TARGET = ROOT / "tests/conformance/elisp/generated"
LONGEST = 300
ROUNDS = 5  # of asking Emacs, each mending calls that the last one refused
MENDED = 40  # calls of one primitive in one round


def call(primitive, arguments):
    text = f"({values.symbol(primitive.name)}{''.join(' ' + a for a in arguments)})"
    if primitive.area in values.BUFFER_AREAS:
        return values.BUFFER_TEXT % text
    return text


def candidates(primitive, dice, tries):
    """[(form, classes of the arguments or None for a wrong count)]"""
    result, seen = [], set()
    top = primitive.greatest if primitive.greatest is not None else primitive.least + 3
    for attempt in range(tries):
        # Mostly few optional arguments; the first tries give every argument the same class, the rest mix.
        count = dice.choice([primitive.least] * 3 + list(range(primitive.least, min(top, primitive.least + 4) + 1)))
        if attempt < len(values.CLASSES):
            classes = [values.CLASSES[attempt]] * count
        else:
            classes = [dice.choice(values.CLASSES) for _ in range(count)]
        if primitive.area == "timefns" and (count == 0 or "nil" in classes):
            continue  # nil and a missing time mean now
        form = call(primitive, [dice.choice(values.POOL[c]) for c in classes])
        if form not in seen:
            seen.add(form)
            result.append((form, classes))
    if primitive.least > 0:
        result.append((call(primitive, ["nil"] * (primitive.least - 1)), None))
    if primitive.greatest is not None:
        result.append((call(primitive, ["nil"] * (primitive.greatest + 1)), None))
    return result


def mended(primitive, classes, answer, dice):
    """Calls with one argument replaced by what the error ANSWER asked for: [(form, classes)]"""
    words = answer.replace("(", " ").replace(")", " ").split()  # ERR wrong-type-argument PREDICATE …
    wanted = values.WANTED.get(words[2] if words[1] == "wrong-type-argument" and len(words) > 2 else words[1])
    result = []
    for kind in wanted or []:
        for place in range(len(classes)):
            if classes[place] != kind:
                changed = classes[:place] + [kind] + classes[place + 1:]
                result.append((call(primitive, [dice.choice(values.POOL[c]) for c in changed]), changed))
    dice.shuffle(result)
    return result


def as_cases(texts, state):
    lines = []
    for text in texts:
        if state:
            lines.append(";; state: buffer, point")
        lines.append(text)
    return lines


def result_class(answer):
    """The class of a printed value, as far as it can be told from its first characters."""
    text = answer.split(" ", 1)[1] if " " in answer else ""
    text = text.split(" ;; ")[0]
    if text == "nil":
        return "nil"
    if text == "t":
        return "true"
    if text[:1] == '"':
        return "string"
    if text[:1] == "(":
        return "list"
    if text[:1] == "[":
        return "vector"
    if text.lstrip("-").isdigit():
        return "int" if len(text) < 19 else "big"
    if text[:1] == "-" or text[:1].isdigit():
        return "float"
    if text.startswith("#s(hash-table"):
        return "table"
    if text.startswith("#"):
        return None
    return "symbol"


def ask(emacs, area, plan):
    """Emacs's answers to the forms of PLAN: [(primitive, form, classes)]"""
    state = ["buffer", "point"] if area in values.BUFFER_AREAS else []
    cases = forms.parse(values.PRELUDE, area) + [forms.Case(text=form, file=area, line=0, state=state) for _, form, _ in plan]
    return [answer[0] for answer in emacs.run(cases)][-len(plan):]


def probe(emacs, area, primitives, options):
    """Asks Emacs about all candidates of AREA; returns {name: [(form, classes, answer)]} and the signatures."""
    dice = random.Random(f"{options.seed} {area}")
    asked = {}  # name: [(form, classes, answer)]
    plan = []
    for primitive in primitives:
        asked[primitive.name] = []
        for form, classes in candidates(primitive, dice, options.tries):
            plan.append((primitive, form, classes))
    for _ in range(ROUNDS):
        fresh = []
        for (primitive, form, classes), answer in zip(plan, ask(emacs, area, plan)):
            asked[primitive.name].append((form, classes, answer))
            if classes and answer.startswith("ERR"):
                fresh.append((primitive, classes, answer))
        plan, seen = [], {}
        dice.shuffle(fresh)
        for primitive, classes, answer in fresh:
            known = seen.setdefault(primitive.name, {form for form, _, _ in asked[primitive.name]})
            for form, changed in mended(primitive, classes, answer, dice)[:3]:
                if form not in known and len(known) < len(asked[primitive.name]) + MENDED:
                    known.add(form)
                    plan.append((primitive, form, changed))
        plan.sort(key=lambda row: row[0].name)
        if not plan:
            break
    signatures = {}
    for primitive in primitives:
        for form, classes, answer in asked[primitive.name]:
            if classes is not None and answer.startswith("OK") and not values.UNSTABLE.search(answer):
                entry = signatures.setdefault(primitive.name, {"least": primitive.least, "accepts": []})
                returned = result_class(answer)
                if len(entry["accepts"]) < 16 and [classes, returned] not in entry["accepts"]:
                    entry["accepts"].append([classes, returned])
    return asked, signatures


def choose(primitive, asked):
    """The forms of PRIMITIVE that say something: values, type errors, arity errors, one other error."""
    goods, types, arities, others, results, kept = [], [], [], [], set(), []
    for form, classes, answer in asked:
        if values.UNSTABLE.search(answer) or len(answer) > LONGEST or not answer.startswith(("OK", "ERR")):
            continue
        if answer.startswith("OK"):
            if answer not in results:
                results.add(answer)
                goods.append((answer in ("OK nil", "OK t"), form))
        elif answer.startswith("ERR (wrong-number-of-arguments") and classes is None:
            arities.append(form)
        elif answer.startswith("ERR (wrong-type-argument"):
            types.append((answer, form))
        else:
            others.append((answer.split(" ")[1], form))
    goods.sort(key=lambda pair: pair[0])
    kept += [form for _, form in goods[:4]]
    seen = set()
    for answer, form in types:
        if answer not in seen and len(seen) < 2:
            seen.add(answer)
            kept.append(form)
    return kept + arities[:2] + [form for _, form in others][:1]


def present(area):
    """The forms that AREA.el has already, and how many speak of each primitive."""
    path = TARGET / f"{area}.el"
    if not path.exists():
        return [], {}
    cases = forms.parse(path.read_text(encoding="utf-8"), area)[len(forms.parse(values.PRELUDE, area)):]
    counts = {}
    for case in cases:
        text = case.text
        if text.startswith("(progn (insert"):
            text = text[text.index("(goto-char 9) ") + len("(goto-char 9) "):]
        name = text.lstrip("(").split()[0].rstrip(")")
        counts[name] = counts.get(name, 0) + 1
    return [case.text for case in cases], counts


def write_area(emacs, area, kept):
    """Writes AREA.el and its answers, without the forms that answer differently in a second run."""
    header = (f";;; Generated by scripts/gen_arity_forms.py: calls of the primitives of GNU's {area}, with values, with arguments "
              "of a wrong type,\n;;; and with too few or too many arguments.\n\n")
    path = TARGET / f"{area}.el"
    for attempt in range(8):
        text = header + values.PRELUDE + "\n" + "\n".join(as_cases(kept, area in values.BUFFER_AREAS)) + "\n"
        cases = forms.parse(text, area)
        first, second = emacs.run(cases), emacs.run(cases)
        skip = len(cases) - len(kept)
        # The area's forms may influence one another; what is left must be stable as a whole.
        bad = {i - skip for i in range(skip, len(cases))
               if first[i][0] != second[i][0] or values.UNSTABLE.search(first[i][0])
               or not first[i][0].startswith(("OK", "ERR"))}
        if not bad:
            path.write_text(text, encoding="utf-8")
            oracle.write_expected(path, cases, first)
            return len(kept)
        if attempt > 2:
            for i in sorted(bad)[:5]:
                print(f"{area}: dropped {kept[i]}: {first[i + skip][0][:120]} / {second[i + skip][0][:120]}", file=sys.stderr)
        kept = [form for i, form in enumerate(kept) if i not in bad]
    print(f"{area}: the answers do not settle; left out", file=sys.stderr)
    path.unlink(missing_ok=True)
    return 0


def whole_table(path):
    """Every primitive of Emacs 28.2, special forms too (their greatest number is open), as far as the JSON in PATH names it."""
    ours = {row["name"] for row in json.loads(Path(path).read_text())} if path is not None else None
    result = []
    for line in values.TABLE.read_text().split("\n"):
        if line and not line.startswith("#"):
            name, least, greatest, area = line.split("\t")
            if ours is None or name in ours:
                result.append(values.Primitive(name, int(least), int(greatest) if greatest.isdigit() else None, area))
    return result


def write_arities(emacs, path):
    """arity.el: every primitive that counts its arguments, special forms too, with one argument too few and one too many."""
    lines = [";;; Generated by scripts/gen_arity_forms.py --arity-only: every primitive with too few and with too many arguments.", ""]
    for primitive in whole_table(path):
        if primitive.least > 0:
            lines.append(call_alone(primitive, primitive.least - 1))
        if primitive.greatest is not None:
            lines.append(call_alone(primitive, primitive.greatest + 1))
    target = TARGET / "arity.el"
    cases = forms.parse("\n".join(lines) + "\n", "arity")
    answers = emacs.run(cases)
    for case, answer in zip(cases, answers):
        if not answer[0].startswith("ERR (wrong-number-of-arguments"):
            sys.exit(f"arity: {case.text} in Emacs: {answer[0]}")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    oracle.write_expected(target, cases, answers)
    return len(cases)


# Where a call of the right type ends the machine or changes the world, only these: nothing takes them for a file or a process.
HARMLESS = ["record", "float", "boolvector", "pair", "table", "vector"]


def ask_for_error(machine_of, primitive, unevalled):
    """(form, answer) of a call that finds fault with an argument, or None, and how many calls were asked."""
    skipped = primitive.name in values.SKIP_NAMES or values.SKIP_PATTERN.match(primitive.name)
    kinds = HARMLESS if skipped or unevalled else values.CLASSES
    top = min(primitive.least + 3, primitive.greatest if primitive.greatest is not None else primitive.least + 3)
    counts = range(max(1, primitive.least), max(1, top) + 1)
    prelude = forms.parse(values.PRELUDE, "types")
    asked = {}

    def ask_all(plan):
        fresh = [text for text in dict.fromkeys(plan) if text not in asked]
        cases = prelude + [forms.Case(text=text, file="types", line=0, state=[]) for text in fresh]
        twice = [machine_of.run(cases)[len(prelude):] for _ in range(2)]
        for text, first, second in zip(fresh, *twice):
            asked[text] = first[0] if first[0] == second[0] else "UNSTABLE"

    def best():
        found = [(not answer.startswith("ERR (wrong-type-argument"), len(text), text, answer) for text, answer in asked.items()
                 if coverage.is_type_error(answer) and not values.UNSTABLE.search(answer)
                 and coverage.called_last(text) == primitive.name]
        return min(found)[2:] if found else None

    ask_all(call(primitive, [values.POOL[kind][0]] * count) for count in counts for kind in kinds)
    if best() is None or not best()[1].startswith("ERR (wrong-type-argument"):
        # Beside arguments that pass, one of every other class in every place.
        for count in counts:
            passing = next((kind for kind in kinds if asked[call(primitive, [values.POOL[kind][0]] * count)].startswith("OK")), None)
            if passing is not None:
                good = values.POOL[passing][0]
                ask_all(call(primitive, [good] * place + [values.POOL[kind][0]] + [good] * (count - place - 1))
                        for place in range(count) for kind in kinds)
    return best(), asked


def write_types(emacs, options):
    """types.el and corpus_any_type.txt."""
    target = TARGET / "types.el"
    refused = {coverage.called_last(text) for path in oracle.corpus_files([]) if path != target
               for text, answer in coverage.forms_of(path) if coverage.is_type_error(answer)}
    refused |= {coverage.called_last(text) for text, answer in coverage.without_counterpart.FORMS if coverage.is_type_error(answer)}
    ours = json.loads(Path(options.primitives).read_text())
    theirs = {primitive.name: primitive for primitive in whole_table(None)}
    unevalled = {line.split("\t")[0] for line in values.TABLE.read_text().split("\n") if "\tunevalled\t" in line}
    known = set(theirs) | coverage.LISP_IN_GNU
    neomacs = machine.Machine(options.vm, timeout=4, gigabytes=None)

    def one(row):
        name = row["name"]
        if row["max"] == 0 or name in refused or row["doc"] == "Not built yet.":
            return None
        greatest = row["max"] if row["max"] >= 0 else None
        primitive = theirs.get(name) or values.Primitive(name, row["min"], greatest, "task")
        return name, *ask_for_error(emacs if name in known else neomacs, primitive, name in unevalled)

    lines, anything = [], []
    with ThreadPoolExecutor(options.jobs) as pool:
        for result in filter(None, pool.map(one, ours)):
            name, found, asked = result
            if found and name not in known:
                print(f"for the table in lisp_tasks_errors_test.py: {found}", file=sys.stderr)
            elif found:
                lines.append(found[0])
            else:
                ended = sum(not answer.startswith(("OK", "ERR")) for answer in asked.values())
                anything.append(f"{name}\t{'Emacs' if name in known else 'neomacs'}\t{len(asked)} calls, no fault found"
                                + (f"; {ended} without a steady answer" if ended else ""))
    cases = forms.parse(values.PRELUDE + "\n".join(lines) + "\n", "types")
    target.write_text(";;; Generated by scripts/gen_arity_forms.py --types-only: a type error of every primitive that has none elsewhere.\n"
                      + values.PRELUDE + "\n".join(lines) + "\n", encoding="utf-8")
    oracle.write_expected(target, cases, emacs.run(cases))
    (ROOT / "tests/cli/corpus_any_type.txt").write_text(
        "# Primitives that take arguments of any type: who was asked (neomacs for what Emacs has not got) and how many calls, with an\n"
        "# argument of every class in every place. Written by scripts/gen_arity_forms.py --types-only, not by hand.\n"
        + "".join(line + "\n" for line in sorted(anything)))
    return f"{len(lines)} type errors, {len(anything)} primitives that take anything"


def call_alone(primitive, count):
    return f"({values.symbol(primitive.name)}{' nil' * count})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--primitives")
    parser.add_argument("--seed", type=int, default=28)
    parser.add_argument("--tries", type=int, default=70)
    parser.add_argument("--signatures-only", action="store_true", help="only tests/oracle/signatures.json")
    parser.add_argument("--arity-only", action="store_true", help="only generated/arity.el")
    parser.add_argument("--types-only", action="store_true", help="only generated/types.el and tests/cli/corpus_any_type.txt")
    parser.add_argument("--vm", default=str(ROOT / "build/release/bin/neomacs"), help="for --types-only")
    parser.add_argument("--area", action="append", help="only these areas")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    emacs = machine.Machine("emacs", timeout=4, gigabytes=3)
    if options.arity_only:
        print(f"{write_arities(emacs, options.primitives)} forms")
        return 0
    if options.types_only:
        print(write_types(emacs, options))
        return 0
    areas = {}
    for primitive in values.table(options.primitives):
        if not options.area or primitive.area in options.area:
            areas.setdefault(primitive.area, []).append(primitive)
    TARGET.mkdir(parents=True, exist_ok=True)
    signatures, total = {}, 0

    def one(area):
        asked, accepts = probe(emacs, area, areas[area], options)
        count = 0
        if not options.signatures_only:
            kept, covered = present(area)
            fresh = []
            for primitive in areas[area]:
                if covered.get(values.symbol(primitive.name), 0) < 3:
                    fresh += [form for form in choose(primitive, asked[primitive.name]) if form not in kept]
            count = write_area(emacs, area, kept + fresh) if fresh else len(kept)
        return area, count, accepts

    with ThreadPoolExecutor(options.jobs) as pool:
        for area, count, accepts in pool.map(one, sorted(areas)):
            signatures.update(accepts)
            total += count
            print(f"{area:14} {len(areas[area]):4} primitives {count:5} forms", flush=True)
    if (options.primitives is None and not options.area) or options.signatures_only:
        rows = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(signatures.items())]
        (ROOT / "tests/oracle/signatures.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")
    print(f"{total} forms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
