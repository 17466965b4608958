"""The raw material of generated forms: literals by class, the definitions they rely on, and which primitives are left out."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "scripts/gnu/primitives.tsv"

# Evaluated at the head of every generated file; names begin with `gen-`, so that forms that write to a symbol or to a
# function cell never hurt a name that matters.
PRELUDE = """\
(setq gen-var (list 1 2 3))
(defalias 'gen-fn #'(lambda (&rest args) (length args)))
(defalias 'gen-id #'(lambda (x &rest _) x))
(defalias 'gen-less #'(lambda (a b) (< a b)))
(defalias 'gen-table #'(lambda () (let ((h (make-hash-table :test 'equal))) (puthash "k" 1 h) (puthash 'foo 2 h) h)))
(put 'gen-prop 'color 'red)
"""

# For random forms only: what each character has in a char-table, however that is stored.
CONTENTS_PRELUDE = """\
(defalias 'gen-contents #'(lambda (table)
  (let ((ranges nil) (merged nil))
    (map-char-table #'(lambda (key value)
                        (setq ranges (cons (list (if (consp key) (car key) key) (if (consp key) (cdr key) key)
                                                 (if (char-table-p value) 'table value))
                                           ranges)))
                    table)
    (setq ranges (sort ranges #'(lambda (a b) (< (car a) (car b)))))
    (while ranges
      (let ((range (car ranges)))
        (if (and merged (= (1+ (nth 1 (car merged))) (car range)) (equal (nth 2 (car merged)) (nth 2 range)))
            (setcar (cdr (car merged)) (nth 1 range))
          (setq merged (cons range merged))))
      (setq ranges (cdr ranges)))
    (list (char-table-subtype table) (length merged) (md5 (prin1-to-string merged))))))
"""

POOL = {
    "int": ["0", "1", "2", "3", "-1", "7", "10", "100"],
    "big": ["most-positive-fixnum", "most-negative-fixnum", "100000000000000000000", "-100000000000000000000"],
    "float": ["2.5", "-0.5", "0.0", "1e10", "-0.0", "1.0e+INF", "0.0e+NaN"],
    "char": ["?a", "?Z", "?\\s", "?\\n", "?\u00e9"],
    "string": ['"abc"', '""', '"Hello World"', '"a1 b2"', '"\u00e9\u03bb"', '"b+"', '"%d-%s"', '"\\351"'],
    "symbol": ["'foo", "'gen-var", "'gen-prop", ":key", "'bar"],
    "nil": ["nil"],
    "true": ["t"],
    "list": ["(list 1 2 3)", "(list 'a 'b)", "(list 3 1 2)", '(list "x" "y")', "(list ?a ?b)"],
    "alist": ["(list (cons 'a 1) (cons 'b 2))", '(list (cons "k" 1))', "(list 'color 'red 'size 3)"],
    "pair": ["(cons 1 2)"],
    "vector": ["(vector 1 2 3)", "(vector)", "(vector 'a \"b\" ?c)"],
    "function": ["#'gen-fn", "#'gen-id", "#'(lambda (x) (list x))", "#'gen-less"],
    "table": ["(gen-table)", "(make-hash-table)"],
    "buffer": ["(current-buffer)"],
    "marker": ["(point-marker)"],
    "chartable": ["(make-char-table 'foo 0)", "(make-char-table 'syntax-table)"],  # a copy of a full one takes seconds to print
    "boolvector": ["(make-bool-vector 5 t)", "(bool-vector t nil t nil t)"],
    "record": ["(record 'foo 1 2)"],
    "keymap": ["(make-sparse-keymap)"],
    "obarray": ["(make-vector 7 0)"],
    "overlay": ["(make-overlay 1 1)"],
    "window": ["(selected-window)", "(minibuffer-window)"],
    "frame": ["(selected-frame)"],
    "coding": ["'utf-8", "'utf-8-unix", "'latin-1", "'no-conversion", "'undecided-dos"],
    "charset": ["'ascii", "'unicode", "'iso-8859-1"],
    "subr": ["(symbol-function 'car)", "(symbol-function '+)"],
    "bytecode": ["(make-byte-code 257 \"\\300\\207\" (vector 7) 2)"],
    "categorytable": ["(make-char-table 'category-table)"],
    "casetable": ["(make-char-table 'case-table)"],
    "mutex": ["(make-mutex \"m\")"],
    "font": ["(font-spec :size 3)"],
    "regexp": ['"b+"', '"\\\\(a\\\\|b\\\\)*"', '"[[:upper:]]"', '"\\\\_<w"', '"l\\\\{2\\\\}"', '"^.*$"'],
    "nested": ["(list (list 1 2) (cons 'a (list 3 \"x\")))", "(vector (list 1) [2 (3)])"],
}
CLASSES = list(POOL)

# Text for the primitives that look at a buffer, and the state shown for them.
BUFFER_AREAS = {"editfns", "buffer", "search", "syntax", "indent", "textprop", "cmds", "insdel", "marker", "casefiddle",
                "fileio", "xdisp", "category", "undo", "coding"}
BUFFER_TEXT = '(progn (insert "Hello (big) world_12\\n  second line: a.b\\n") (goto-char 9) %s)'

# Never generated, by reason. The groups end with what other corpus files cover by hand where a random call says nothing.
SKIPPED = {
    "ends, suspends or blocks the machine, or waits for a person": """
kill-emacs suspend-emacs recursive-edit exit-recursive-edit abort-recursive-edit abort-minibuffers top-level sleep-for
read-event read-char read-char-exclusive read-key-sequence read-key-sequence-vector read-from-minibuffer read-string
read-command read-function read-variable read-buffer read-minibuffer eval-minibuffer completing-read read-no-blanks-input
yes-or-no-p command-execute call-interactively execute-kbd-macro accept-process-output read-coding-system x-popup-menu
read-non-nil-coding-system suspend-tty resume-tty delete-terminal delete-frame make-terminal-frame while interactive
thread-join mutex-lock condition-wait thread-signal debugger-trap unlock-buffer lock-buffer lock-file unlock-file""",
    "changes files, processes or the system, as the user who runs the tests": """
dump-emacs-portable dump-emacs-portable--sort-predicate dump-emacs-portable--sort-predicate-copied delete-file
delete-directory-internal rename-file copy-file make-directory-internal add-name-to-file make-symbolic-link set-file-modes
set-file-times set-file-acl set-file-selinux-context set-default-file-modes write-region signal-process kill-process
stop-process continue-process interrupt-process quit-process call-process call-process-region make-process
make-pipe-process make-serial-process make-network-process open-dribble-file open-termscript do-auto-save unix-sync
set-time-zone-rule load module-load make-temp-file-internal process-send-eof process-send-region process-send-string
insert-file-contents inotify-add-watch inotify-rm-watch set-binary-mode""",
    "writes to the stream of the answers": """
redirect-debugging-output send-string-to-terminal external-debugging-output message message-box message-or-box ding beep
print-to-stderr command-error-default-function""",
    "differs between two runs of Emacs itself (time, addresses, the machine, the user, what was loaded before)": """
current-time current-cpu-time float-time current-time-string current-time-zone get-internal-run-time random
current-idle-time recent-keys system-groups system-users group-name emacs-pid user-uid user-real-uid group-gid group-real-gid
user-login-name user-real-login-name user-full-name system-name get-load-average load-average make-temp-name process-list
process-attributes list-system-processes getenv-internal invocation-name invocation-directory file-attributes
directory-files-and-attributes directory-files file-name-completion file-name-all-completions file-system-info
visited-file-modtime current-message daemon-initialized daemonp get-usage sxhash-eq sxhash-eql sxhash-equal
sxhash-equal-including-properties sxhash garbage-collect garbage-collect-maybe malloc-info malloc-trim memory-info
memory-use-counts memory-limit gc-status internal-stack-stats gap-size gap-position buffer-list other-buffer
last-nonminibuffer-frame all-threads pdumper-stats mapatoms obarray-map native-comp-available-p get-unused-iso-final-char
network-interface-list network-interface-info network-lookup-address-info Snarf-documentation snarf-documentation
internal-show-cursor-p file-locked-p default-file-modes terminal-list bury-buffer-internal substitute-in-file-name
frame-or-buffer-changed-p""",
    "Emacs runs hand-made byte-code unchecked, or reads memory through an argument of the wrong type": """
byte-code make-byte-code get-variable-watchers map-charset-chars""",
    "prints or walks the caller's frames, which belong to the driver": """
backtrace--locals backtrace-debug backtrace-eval mapbacktrace backtrace-frame--internal undefined
internal--track-mouse debug-on-entry""",
    "breaks the machine or the driver for every later form": """
setplist fset unintern makunbound fmakunbound internal-make-var-non-special internal--define-uninitialized-variable
set-input-mode set-quit-char set-output-flow-control set-input-meta-mode set-input-interrupt-mode set-standard-case-table
set-terminal-coding-system-internal set-safe-terminal-coding-system-internal set-keyboard-coding-system-internal
define-charset-internal define-coding-system-internal set-charset-priority set-coding-system-priority unify-charset
clear-charset-maps use-global-map make-variable-buffer-local kill-all-local-variables define-charset-alias
define-coding-system-alias declare-equiv-charset coding-system-put set-charset-plist put-unicode-property-internal
set-default-toplevel-value make-thread start-kbd-macro end-kbd-macro cancel-kbd-macro-events store-kbd-macro-event
set-buffer-major-mode set-buffer-multibyte kill-buffer set-locale-environment handle-save-session defvar-1 defconst-1
internal-set-lisp-face-attribute-from-resource clear-face-cache restore-buffer-modified-p
internal-event-symbol-parse-modifiers find-operation-coding-system set-mouse-position set-mouse-pixel-position
get-file-char redraw-frame redraw-display raise-frame lower-frame self-insert-command""",
}
SKIP_NAMES = set(" ".join(SKIPPED.values()).split())
# Whole families that need hardware, a window system, a network, native code or a second machine.
SKIP_PATTERN = re.compile(r"^(x-|w32-|ns-|gnutls-|dbus-|lcms|libxml|profiler-|comp-|comp--|native-|open-font|query-font|font-info|list-fonts|"
                          r"play-sound|inotify|gpm-|fontset|new-fontset|clear-font|clear-image|image-|imagep|init-image|"
                          r"lookup-image|set-network|format-network|internal-(set-lisp|merge|make-lisp|copy-lisp|set-alt|set-font)|"
                          r"set-process|process-(send|coding|tty|contact|filter|sentinel|id|exit|mark|plist))")
# Answers that would tie a file to one machine.
UNSTABLE = re.compile(r"/SANDBOX|/usr/|/root|/home|0xADDRESS|28\.2|x86_64|linux|#<(process|terminal|thread|font)|"
                      r"GNU Emacs|\bemacs-|"
                      # The words of a coding system's documentation are each machine's own.
                      r":docstring|<:docstring>")


@dataclass
class Primitive:
    name: str
    least: int
    greatest: int | None  # None: any number
    area: str


# What to put where a primitive wanted something of this kind.
WANTED = {
    "sequencep": ["list", "string", "vector"], "arrayp": ["vector", "string", "chartable", "boolvector"], "listp": ["list", "alist"],
    "consp": ["list", "pair", "alist"], "stringp": ["string", "regexp"], "symbolp": ["symbol", "coding", "charset"],
    "number-or-marker-p": ["int", "float", "marker"], "numberp": ["int", "float"], "integerp": ["int", "big"], "fixnump": ["int"],
    "wholenump": ["int"], "natnump": ["int"], "integer-or-marker-p": ["int", "marker"], "characterp": ["char"],
    "fixnum-or-symbol-with-props-p": ["int"], "functionp": ["function"], "hash-table-p": ["table"], "bufferp": ["buffer"],
    "buffer-or-string-p": ["buffer", "string"], "markerp": ["marker"], "char-table-p": ["chartable"], "bool-vector-p": ["boolvector"],
    "recordp": ["record"], "keymapp": ["keymap"], "vectorp": ["vector"], "overlayp": ["overlay"], "windowp": ["window"],
    "window-live-p": ["window"], "window-valid-p": ["window"], "framep": ["frame"], "frame-live-p": ["frame"],
    "char-or-string-p": ["char", "string"], "syntax-table-p": ["chartable"], "category-table-p": ["categorytable"],
    "case-table-p": ["casetable"], "charsetp": ["charset"], "coding-system-p": ["coding"], "floatp": ["float"], "subrp": ["subr"],
    "byte-code-function-p": ["bytecode"], "mutexp": ["mutex"], "plistp": ["nil", "alist"], "list-or-vector-p": ["list", "vector"],
    "char-fold-p": ["char"], "font": ["font"], "fontp": ["font"], "obarrayp": ["obarray"], "vector-or-char-table-p": ["vector"],
    "invalid-function": ["function"], "void-function": ["function"], "coding-system-error": ["coding"],
    "args-out-of-range": ["int", "char"], "end-of-file": ["string"], "categoryp": ["char"], "commandp": ["symbol"],
}


def symbol(name):
    """NAME as the reader wants it."""
    return "\\" + name if name[:1] in "?#" or re.match(r"^[-+]?\.?[0-9]+$", name) else name


def table(path=None):
    """The primitives to generate for: those of `neovm primitives --json` in PATH, else all that Emacs 28.2 has."""
    every = {}
    for line in TABLE.read_text().split("\n"):
        if line and not line.startswith("#"):
            name, least, greatest, area = line.split("\t")
            if greatest != "unevalled":
                every[name] = Primitive(name, int(least), None if greatest == "many" else int(greatest), area)
    chosen = every
    if path is not None:
        # Those that only have their name bound signal neovm-unimplemented whatever they are given.
        ours = {row["name"] for row in json.loads(Path(path).read_text()) if row["doc"] != "Not built yet."}
        chosen = {name: every[name] for name in sorted(ours & set(every))}
    return [p for p in chosen.values() if p.name not in SKIP_NAMES and not SKIP_PATTERN.match(p.name)]
