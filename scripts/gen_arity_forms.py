"""Generates tests/conformance/elisp/generated/AREA.el: for every implemented primitive values, a type error, an arity error.

usage: gen_arity_forms.py [--primitives FILE] [--seed N] [--tries N]
FILE is the output of `neovm primitives --json`; without it every primitive of Emacs 28.2 is taken. Emacs is asked what random
calls answer; of those a few are kept that say something, are short, and answer the same in two runs. Writes the recorded
answers too, and tests/oracle/signatures.json: which classes of arguments each primitive accepts, for the random forms.
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
import forms  # noqa: E402
import machine  # noqa: E402
import oracle  # noqa: E402
import values  # noqa: E402

TARGET = ROOT / "tests/conformance/elisp/generated"
LONGEST = 300


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


def probe(emacs, area, primitives, options):
    """Asks Emacs about all candidates of AREA; returns the kept forms and the signatures."""
    dice = random.Random(f"{options.seed} {area}")
    plan = []
    for primitive in primitives:
        for form, classes in candidates(primitive, dice, options.tries):
            plan.append((primitive, form, classes))
    text = values.PRELUDE + "\n".join(as_cases([form for _, form, _ in plan], area in values.BUFFER_AREAS)) + "\n"
    cases = forms.parse(text, area)
    answers = [answer[0] for answer in emacs.run(cases)][-len(plan):]
    kept, signatures = [], {}
    by_name = {}
    for (primitive, form, classes), answer in zip(plan, answers):
        by_name.setdefault(primitive.name, []).append((form, classes, answer))
    for primitive in primitives:
        goods, types, arities, others, results = [], [], [], [], set()
        for form, classes, answer in by_name[primitive.name]:
            if values.UNSTABLE.search(answer) or len(answer) > LONGEST or not answer.startswith(("OK", "ERR")):
                continue
            if classes is not None and answer.startswith("OK"):
                entry = signatures.setdefault(primitive.name, {"least": primitive.least, "accepts": []})
                returned = result_class(answer)
                if len(entry["accepts"]) < 12 and [classes, returned] not in entry["accepts"]:
                    entry["accepts"].append([classes, returned])
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
        kept += arities[:2]
        kept += [form for _, form in dict(others).items()][:1] if others else []
    return kept, signatures


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--primitives")
    parser.add_argument("--seed", type=int, default=28)
    parser.add_argument("--tries", type=int, default=70)
    parser.add_argument("--signatures-only", action="store_true", help="only tests/oracle/signatures.json")
    parser.add_argument("--area", action="append", help="only these areas")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    emacs = machine.Machine("emacs", timeout=10, gigabytes=6)
    areas = {}
    for primitive in values.table(options.primitives):
        if not options.area or primitive.area in options.area:
            areas.setdefault(primitive.area, []).append(primitive)
    TARGET.mkdir(parents=True, exist_ok=True)
    signatures, total = {}, 0

    def one(area):
        kept, accepts = probe(emacs, area, areas[area], options)
        count = 0
        if kept and not options.signatures_only:
            count = write_area(emacs, area, kept)
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
