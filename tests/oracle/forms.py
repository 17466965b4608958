"""Corpus files as text: where each top-level form begins and ends, and what the comments above it ask for.

The files are cut here and not by the machines, so that every form is read inside the machine under test and a form that
the reader rejects (or dies of) is one failing case and not a failing file.
"""

import hashlib
import re
from dataclasses import dataclass, field

# Heads whose forms are replayed when a machine is started again in the middle of a file.
SETUP = re.compile(r"\(\s*(def[a-z-]*|cl-def[a-z-]*|cl-generic-def[a-z-]*|require|setq(-default)?|put|fset|gv-def[a-z-]*|"
                   r"pcase-def[a-z-]*|iter-defun|define-[a-z-]*|easy-[a-z-]*|generator-[a-z-]*)\s")
DELIMITERS = set(" \t\n\r\f\"';()[]`,")


class FormError(Exception):
    """The text cannot be cut into forms (an unbalanced file)."""


@dataclass
class Case:
    text: str  # the form as written
    file: str
    line: int
    name: str = ""
    state: list = field(default_factory=list)  # names to print beside the value
    timeout: float | None = None
    id: str = ""  # stable name of the form: hash of its text and state

    @property
    def is_setup(self):
        return SETUP.match(self.text) is not None


def skip_blank(text, i):
    """Past white space and comments."""
    while i < len(text):
        if text[i] in " \t\n\r\f":
            i += 1
        elif text[i] == ";":
            while i < len(text) and text[i] != "\n":
                i += 1
        else:
            break
    return i


def _string_end(text, i):
    i += 1
    while i < len(text):
        if text[i] == "\\":
            i += 2
        elif text[i] == '"':
            return i + 1
        else:
            i += 1
    raise FormError("string without end")


def _char_end(text, i):
    """After the character literal that starts with `?` at i."""
    i += 1
    while i < len(text) and text[i] == "\\":
        i += 1
        if i >= len(text):
            raise FormError("character literal without end")
        if text[i] == "N" and text[i + 1:i + 2] == "{":
            return text.index("}", i) + 1
        if text[i] == "^":
            i += 1
            continue
        if text[i] in "CMSHAs" and text[i + 1:i + 2] == "-":
            i += 2
            continue
        break
    i += 1
    # The rest of \x41, \u0041, \101: anything up to a delimiter.
    while i < len(text) and text[i] not in DELIMITERS and text[i] not in "?\\":
        i += 1
    return i


def form_end(text, i):
    """Index just after the form that starts at i (which is not blank)."""
    # An explicit stack, not recursion: a corpus may hold very deep forms.
    open_brackets = []
    while True:
        i = skip_blank(text, i)
        if i >= len(text):
            raise FormError("end of file inside a form")
        c = text[i]
        if c in "'`,":
            i += 2 if text.startswith(",@", i) else 1
            continue
        if c == "#":
            match = re.compile(r"#(\d+=|'|_)").match(text, i)
            if match:
                i = match.end()
                continue
            match = re.compile(r"#(s|\^\^?)?(?=[\[(])").match(text, i)
            if match:
                i = match.end()
                c = text[i]
            else:
                match = re.compile(r'#&\d+(?=")').match(text, i)
                if match:
                    i = _string_end(text, match.end())
                else:
                    i += 1
                    while i < len(text) and text[i] not in DELIMITERS:
                        i += 2 if text[i] == "\\" else 1
                if not open_brackets:
                    return i
                continue
        if c in "([":
            open_brackets.append(")" if c == "(" else "]")
            i += 1
            continue
        if c in ")]":
            if not open_brackets or open_brackets.pop() != c:
                raise FormError("closing bracket without its opening one")
            i += 1
        elif c == '"':
            i = _string_end(text, i)
        elif c == "?":
            i = _char_end(text, i)
        else:
            start = i
            while i < len(text) and text[i] not in DELIMITERS:
                i += 2 if text[i] == "\\" else 1
            i = max(i, start + 1)
        if not open_brackets:
            return i


def parse(text, file):
    """All cases of a corpus file, in order, with ids that survive edits elsewhere in the file."""
    cases, seen = [], {}
    i, line, counted = 0, 1, 0
    while True:
        start = skip_blank(text, i)
        comments = text[i:start]
        if start >= len(text):
            return cases
        line += text.count("\n", counted, start)
        counted = start
        try:
            i = form_end(text, start)
        except FormError as error:
            raise FormError(f"{file}:{line}: {error}") from None
        case = Case(text=text[start:i], file=file, line=line)
        # Only the comment block that touches the form speaks of it.
        block = comments.rsplit("\n\n", 1)[-1]
        for key, value in re.findall(r"^;+ *(name|state|timeout): *(.*?) *$", block, re.M):
            if key == "name":
                case.name = value
            elif key == "state":
                case.state = [word for word in re.split(r"[,\s]+", value) if word]
            else:
                case.timeout = float(value)
        digest = hashlib.sha1((case.text + "\0" + " ".join(case.state)).encode()).hexdigest()[:10]
        seen[digest] = seen.get(digest, 0) + 1
        case.id = digest if seen[digest] == 1 else f"{digest}.{seen[digest]}"
        cases.append(case)


NOT_PLAIN = re.compile(r'["\\\x7f-\U0010ffff]')


def lisp_string(text):
    """TEXT as an Elisp string literal in plain ASCII."""
    def escape(match):
        char = match.group()
        return "\\" + char if char in '"\\' else f"\\U{ord(char):08X}"
    return '"' + NOT_PLAIN.sub(escape, text) + '"'
