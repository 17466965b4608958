"""Every primitive has its forms: three that call it, among them a value, a wrong number and a wrong type of arguments.

The forms are those of tests/conformance/elisp, and for what Emacs has not got those of the table in lisp_tasks_errors_test.py.
A call is the name at the head of a form that is evaluated, or a quoted name where a function like funcall or mapcar calls it; a
name in quoted data, a variable of that name, a binding of `let` or a name in a string is none.

A type error counts when nothing but the primitive itself can have signalled it: its call is what the form evaluates last, and
the arguments are constants, variables or new objects. A primitive that takes what it is given needs none; corpus_any_type.txt
names those, as asked of Emacs by scripts/gen_arity_forms.py --types-only.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracle"))
import forms  # noqa: E402
import harness  # noqa: E402
import lisp_tasks_errors_test as without_counterpart  # noqa: E402
import oracle  # noqa: E402
from harness import check  # noqa: E402

# Which argument of a function is itself called.
CALLERS = {"funcall": 1, "apply": 1, "mapcar": 1, "mapc": 1, "mapcan": 1, "mapconcat": 1, "maphash": 1, "mapatoms": 1,
           "map-char-table": 1, "map-keymap": 1, "sort": 2, "run-hook-wrapped": 2, "call-interactively": 1, "command-execute": 1,
           "funcall-interactively": 1, "apply-partially": 1}
# What never returns, or only where there is a second frame or terminal: no answer of theirs can be a value.
NO_VALUE = {"signal", "throw", "exit-recursive-edit", "abort-recursive-edit", "abort-minibuffers",
            "delete-frame", "make-terminal-frame", "suspend-tty", "resume-tty",
            # What these are asked about, batch Emacs has none of: an opened font, a file of native code, a device, a typed answer.
            "close-font", "font-get-glyphs", "font-variation-glyphs", "open-font", "query-font", "native-comp-unit-file",
            "native-comp-unit-set-file", "open-termscript", "resize-mini-window-internal", "read-coding-system",
            "read-non-nil-coding-system"}
# GNU's library defines or advises these in Lisp; what their arity errors say depends on how that was compiled.
LISP_IN_GNU = {"define-prefix-command", "frame-windows-min-size", "lsh", "rename-buffer"}


def parse(text, i=0):
    """The form at I as (kind, children or text): `list`, `vector`, `quote`, `function`, `backquote`, `unquote` or `atom`."""
    i = forms.skip_blank(text, i)
    for prefix, kind in (("#'", "function"), ("'", "quote"), ("`", "backquote"), (",@", "unquote"), (",", "unquote")):
        if text.startswith(prefix, i):
            child, end = parse(text, i + len(prefix))
            return (kind, [child]), end
    if text[i] not in "([":
        end = forms.form_end(text, i)
        return ("atom", text[i:end].replace("\\", "") if text[i] not in '"?' else text[i:end]), end
    kind, closing = ("list", ")") if text[i] == "(" else ("vector", "]")
    children = []
    i = forms.skip_blank(text, i + 1)
    while text[i] != closing:
        child, i = parse(text, i)
        children.append(child)
        i = forms.skip_blank(text, i)
    return (kind, children), i + 1


def quoted(form, word="quote"):
    """What FORM quotes, or nothing: 'X, #'X, (quote X), (function X)."""
    kind, children = form
    if kind in ("quote", "function"):
        return children[0]
    if kind == "list" and len(children) == 2 and children[0] in (("atom", "quote"), ("atom", "function")):
        return children[1]
    return None


def calls(form, found):
    """Adds the names that FORM calls when it is evaluated to the set FOUND."""
    kind, children = form
    if kind == "function":
        return called(form, found)
    if kind == "backquote":
        return unquoted(form, found)
    if kind != "list" or not children:
        return None
    head, rest = children[0], children[1:]
    if head[0] != "atom":
        head_is_lambda = head[0] == "list" and head[1][:1] == [("atom", "lambda")]
        for child in (children if head_is_lambda else rest):
            calls(child, found)
        return None
    name = head[1]
    found.add(name)
    if name in ("quote", "interactive", "declare"):
        return None
    if name == "function":
        return called(form, found)
    if name in ("let", "let*", "dlet", "letrec", "if-let", "when-let") and rest and rest[0][0] == "list":
        for binding in rest[0][1]:
            if binding[0] == "list":
                for child in binding[1][1:]:
                    calls(child, found)
        rest = rest[1:]
    elif name in ("cond", "pcase", "condition-case", "dolist", "dotimes", "cl-flet", "cl-letf", "pcase-let"):
        if name == "pcase" or name == "condition-case":
            place = 0 if name == "pcase" else 1
            for child in rest[place:place + 1]:
                calls(child, found)
            rest = rest[place + 1:]
        elif name != "cond":
            clauses, rest = rest[:1], rest[1:]
            for child in rest:
                calls(child, found)
            rest = clauses
        for clause in rest:
            if clause[0] == "list":
                for child in clause[1][0 if name == "cond" else 1:]:
                    calls(child, found)
        return None
    elif name in ("lambda", "closure"):
        rest = rest[1:]
    elif name in ("defun", "defmacro", "defsubst", "cl-defun", "cl-defmacro"):
        rest = rest[2:]
    elif name in ("eval", "spawn-task") and rest and quoted(rest[0]):
        calls(quoted(rest[0]), found)
    elif name == "eval" and rest and rest[0][0] == "backquote":
        calls(rest[0][1][0], found)
    place = CALLERS.get(name)
    if place and len(rest) >= place:
        called(rest[place - 1], found)
    for child in rest:
        calls(child, found)
    return None


def called(form, found):
    """FORM stands where a function is called: a quoted name or lambda."""
    function = quoted(form)
    if function is None:
        return
    if function[0] == "atom":
        found.add(function[1])
    elif function[0] == "list" and function[1][:1] == [("atom", "lambda")]:
        for child in function[1][2:]:
            calls(child, found)


def unquoted(form, found):
    """Only what a backquoted FORM evaluates."""
    kind, children = form
    if kind == "unquote":
        calls(children[0], found)
    elif kind != "atom":
        for child in children:
            unquoted(child, found)


def names_called(text):
    found = set()
    calls(parse(text)[0], found)
    return found


# What makes an argument without an error of its own.
MAKERS = {"list", "cons", "vector", "record", "string", "current-buffer", "point-marker", "selected-window", "minibuffer-window",
          "selected-frame", "make-sparse-keymap", "make-hash-table", "make-char-table", "make-bool-vector", "bool-vector",
          "make-vector", "make-overlay", "make-byte-code", "make-mutex", "font-spec", "symbol-function", "gen-table", "make-string",
          "copy-marker", "make-marker", "generate-new-buffer", "get-buffer-create", "make-symbol", "lambda"}


def cannot_fail(form):
    kind, children = form
    if kind == "list":
        name = children[0][1] if children and children[0][0] == "atom" else None
        return not children or name in ("quote", "function", "lambda") or (name in MAKERS and all(map(cannot_fail, children[1:])))
    return kind in ("atom", "quote", "function", "vector")


def called_last(text):
    """The primitive whose call decides how the form TEXT ends, when all else in that call cannot fail; or None."""
    kind, children = parse(text)[0]
    while kind == "list" and len(children) > 1:
        head = children[0][1]
        around = children[0][0] == "atom" and (head in ("progn", "with-temp-buffer") or (
            head in ("let", "let*") and len(children) > 2 and children[1][0] == "list"))
        if not around:
            break
        kind, children = children[-1]
    if kind != "list" or not children or children[0][0] != "atom" or not all(map(cannot_fail, children[1:])):
        return None
    name, rest = children[0][1], children[1:]
    if name in ("funcall", "apply") and rest and quoted(rest[0]) and quoted(rest[0])[0] == "atom":
        return quoted(rest[0])[1]
    return name


NOT_OF_A_TYPE = re.compile(r"ERR \((wrong-number-of-arguments|neovm-unimplemented)\b")


def is_type_error(answer):
    """Whether ANSWER, of a call that has arguments, finds fault with one of them."""
    return answer.startswith("ERR") and not NOT_OF_A_TYPE.match(answer)


def any_type():
    """Names of the primitives that Emacs lets have arguments of any type."""
    lines = Path(__file__).with_name("corpus_any_type.txt").read_text().split("\n")
    return {line.split("\t")[0] for line in lines if line and not line.startswith("#")}


def forms_of(path):
    answers = oracle.read_expected(path)
    for case in oracle.load_cases(path):
        yield case.text, answers.get(case.id, "")


def every_form():
    """(text, expected answer) of the whole corpus and of the table."""
    for path in oracle.corpus_files([]):
        yield from forms_of(path)
    for text, answer in without_counterpart.FORMS:
        yield text, answer


def primitives(bin_folder):
    result = subprocess.run([f"{bin_folder}/neovm", "primitives", "--json"], stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(result.stdout)


def survey():
    """{name: [answers of the forms that call it]}, and the names of those that have a type error"""
    answers, refused = {}, set()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20000)
    for text, answer in every_form():
        for name in names_called(text):
            answers.setdefault(name, []).append(answer)
        if is_type_error(answer):
            refused.add(called_last(text))
    sys.setrecursionlimit(limit)
    return answers, refused


def test_what_counts_as_a_call(_bin_folder):
    wanted = {
        "(car (cdr x))": {"car", "cdr"},
        "(list 'car '(cdr x) \"(aref x)\" 'nth)": {"list"},
        "(let ((car 1) (x (cdr y))) (mapcar #'nth '(1)))": {"let", "cdr", "mapcar", "nth"},
        "(cond ((car x) (cdr x)) (t aref))": {"cond", "car", "cdr"},
        "(condition-case car (cdr 1) (nth (aref x 1)))": {"condition-case", "cdr", "aref"},
        "(funcall 'car `(cdr ,(nth 1 x)))": {"funcall", "car", "nth"},
        "(apply (lambda (car) (\\1+ car)) '(2))": {"apply", "lambda", "1+"},
        "(eval '(car x) t)": {"eval", "car"},
        "(sort x #'string<)": {"sort", "string<"},
    }
    for text, names in wanted.items():
        check(names_called(text) == names, f"{text}: {sorted(names_called(text))}")


def test_what_counts_as_a_type_error(_bin_folder):
    wanted = {"(car 1)": "car", "(car (cdr 1))": None, "(progn (insert \"x\") (goto-char 'a))": "goto-char",
              "(let ((x 1)) (aref x 0))": "aref", "(let 1)": "let", "(let 1 (car 2))": None, "(nth (list 1) '(1))": "nth", "(funcall 'car 1)": "car",
              "(condition-case nil (car 1) (error 2))": None, "[car 1]": None}
    for text, name in wanted.items():
        found = called_last(text)
        check(found == name, f"{text}: {found}")
    for answer, wanted_so in (("ERR (wrong-type-argument listp 1)", True), ("ERR (error \"No such thing\")", True), ("OK 1", False),
                              ("ERR (wrong-number-of-arguments car 2)", False), ("ERR (neovm-unimplemented x)", False)):
        check(is_type_error(answer) == wanted_so, answer)


def gaps():
    """Names that have fewer forms than they should because they are not built; a name that has them all must leave the list."""
    lines = Path(__file__).with_name("corpus_gaps.txt").read_text().split("\n")
    return {line for line in lines if line and not line.startswith("#")}


def uncovered(bin_folder):
    """{name: what it lacks}"""
    (answers, refused), anything, lacks = survey(), any_type(), {}
    for row in primitives(bin_folder):
        name, mine = row["name"], answers.get(row["name"], [])
        if len(mine) < 3:
            lacks.setdefault(name, []).append(f"called in {len(mine)} forms of 3")
        if name not in NO_VALUE and not any(a.startswith(("OK", "EXIT")) for a in mine):
            lacks.setdefault(name, []).append("no value")
        if (row["min"] > 0 or row["max"] >= 0) and name not in LISP_IN_GNU and not any(arity_error_of(row, a) for a in mine):
            lacks.setdefault(name, []).append("no arity error")
        if row["max"] != 0 and name not in refused and name not in anything:
            lacks.setdefault(name, []).append("no type error")
    return lacks


ARITY_ERROR = re.compile(r"(?:ERR|OK) \(wrong-number-of-arguments (?:#<subr (\S+)>|(\([^()]*\)|\S+)) \d+\)")


def arity_error_of(row, answer):
    """Whether ANSWER says so of the primitive ROW: by its name, or for one that Emacs has in Lisp by how many it takes."""
    match = ARITY_ERROR.match(answer)
    if not match:
        return False
    found = (match[1] or match[2]).replace("\\", "")
    return found in (row["name"], f"({row['min']} . {row['max'] if row['max'] >= 0 else 'many'})")


def test_every_primitive_has_its_forms(bin_folder):
    lacks, listed = uncovered(bin_folder), gaps()
    lines = [f"{name}: {', '.join(what)}" for name, what in sorted(lacks.items()) if name not in listed]
    check(not lines, "primitives without their forms:\n  " + "\n  ".join(lines))


def test_only_what_is_not_built_lacks_forms(bin_folder):
    not_built = {row["name"] for row in primitives(bin_folder) if row["doc"] == "Not built yet."}
    check(gaps() <= not_built, f"built, so they need forms and must leave corpus_gaps.txt: {sorted(gaps() - not_built)}")


def test_the_list_of_gaps_only_shrinks(bin_folder):
    done = sorted(gaps() - set(uncovered(bin_folder)))
    check(not done, f"covered now, or gone; remove from corpus_gaps.txt: {done}")


if __name__ == "__main__":
    harness.main(globals())
