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
    "chartable": ["(make-char-table 'foo 0)", "(copy-syntax-table)"],
    "boolvector": ["(make-bool-vector 5 t)", "(bool-vector t nil t nil t)"],
    "record": ["(record 'foo 1 2)"],
    "keymap": ["(make-sparse-keymap)"],
    "obarray": ["(make-vector 7 0)"],
    "overlay": ["(make-overlay 1 1)"],
}
CLASSES = list(POOL)

# Text for the primitives that look at a buffer, and the state shown for them.
BUFFER_AREAS = {"editfns", "buffer", "search", "syntax", "indent", "textprop", "cmds", "insdel", "marker", "casefiddle",
                "fileio", "xdisp", "category", "undo", "coding"}
BUFFER_TEXT = '(progn (insert "Hello (big) world_12\\n  second line: a.b\\n") (goto-char 9) %s)'

# Not generated: what ends, blocks, prompts, or touches the world outside the sandbox; what differs between two runs of
# the same machine; and what other files cover by hand because a random call says nothing.
SKIP_NAMES = set("""
kill-emacs suspend-emacs recursive-edit exit-recursive-edit abort-recursive-edit top-level dump-emacs-portable
dump-emacs-portable--sort-predicate dump-emacs-portable--sort-predicate-copied delete-file delete-directory-internal
rename-file copy-file make-directory-internal add-name-to-file make-symbolic-link set-file-modes set-file-times
set-file-acl set-file-selinux-context set-default-file-modes write-region lock-buffer unlock-buffer lock-file unlock-file
signal-process kill-process stop-process continue-process interrupt-process quit-process call-process call-process-region
make-process make-pipe-process make-serial-process make-network-process open-dribble-file open-termscript
sleep-for read-event read-char read-char-exclusive read-key-sequence read-key-sequence-vector read-from-minibuffer
read-string read-command read-function read-variable read-buffer read-minibuffer eval-minibuffer completing-read
read-no-blanks-input yes-or-no-p command-execute call-interactively execute-kbd-macro accept-process-output
redirect-debugging-output send-string-to-terminal external-debugging-output message message-box message-or-box ding beep
garbage-collect garbage-collect-maybe malloc-info malloc-trim memory-info memory-use-counts memory-limit
current-time current-cpu-time float-time current-time-string current-time-zone get-internal-run-time random
load do-auto-save auto-save-mode set-time-zone-rule current-idle-time recent-keys system-groups group-name
emacs-pid user-uid user-real-uid group-gid group-real-gid user-login-name user-real-login-name user-full-name system-name
get-load-average make-temp-name make-temp-file-internal process-list process-attributes list-system-processes
getenv-internal load-average invocation-name invocation-directory file-attributes directory-files-and-attributes
file-system-info unix-sync visited-file-modtime current-message daemon-initialized daemonp get-usage
sxhash-eq sxhash-eql sxhash-equal sxhash-equal-including-properties sxhash byte-code make-byte-code
get-file-char unintern buffer-list gap-size gap-position other-buffer internal--define-uninitialized-variable gc-status internal-stack-stats internal--labeled-narrow-to-region debug-timer-check set-input-mode
set-quit-char set-output-flow-control set-input-meta-mode set-input-interrupt-mode current-input-mode
redraw-frame redraw-display raise-frame lower-frame delete-frame make-terminal-frame suspend-tty resume-tty
delete-terminal open-font x-open-connection thread-join make-thread thread-signal mutex-lock condition-wait
backtrace--locals backtrace-debug backtrace-eval mapbacktrace backtrace-frame--internal debugger-trap internal-make-var-non-special
internal-make-interpreted-closure-function mapatoms obarray-map file-locked-p inotify-add-watch inotify-rm-watch
module-load snarf-documentation Snarf-documentation start-kbd-macro end-kbd-macro cancel-kbd-macro-events
frame-list list-fonts font-info query-font undefined while set-buffer-major-mode kill-all-local-variables
read-coding-system read-non-nil-coding-system self-insert-command set-mouse-position set-mouse-pixel-position
network-interface-list network-interface-info network-lookup-address-info set-process-sentinel
setplist fset set-standard-case-table set-terminal-coding-system-internal set-safe-terminal-coding-system-internal
set-keyboard-coding-system-internal internal-set-lisp-face-attribute-from-resource clear-face-cache
store-kbd-macro-event restore-buffer-modified-p file-newer-than-file-p define-charset-internal
define-coding-system-internal set-charset-priority set-coding-system-priority unify-charset clear-charset-maps
use-global-map use-local-map gui-backend-set-selection make-variable-buffer-local makunbound
comp--compile-ctxt-to-file load-library unhandled-file-name-directory substitute-in-file-name
default-file-modes access-file file-name-completion file-name-all-completions directory-files insert-file-contents
internal--track-mouse internal-event-symbol-parse-modifiers set-locale-environment find-operation-coding-system
debug-on-entry kill-buffer bury-buffer-internal get-unused-iso-final-char set-buffer-multibyte handle-save-session
""".split())
SKIP_PATTERN = re.compile(r"^(x-|w32-|ns-|gnutls-|dbus-|lcms|profiler-|comp-|native-|font-|tty-|dump-|play-sound|"
                          r"inotify|frame-(after|pointer)|set-frame|process-|set-process|internal-(show|echo|copy-lisp|merge|"
                          r"make-lisp|set-lisp|get-lisp|set-alt|set-font)|iso-charset|gpm-|suspend|menu-|open-|dbus|fontset|"
                          r"new-fontset|clear-font|clear-image|image-|imagep|init-image|lookup-image|xw-|zlib-|thread|mutex|"
                          r"condition-|all-threads|current-thread|make-(mutex|condition)|set-network|format-network)")
# Answers that would tie a file to one machine.
UNSTABLE = re.compile(r"/SANDBOX|/usr/|/root|/home|0xADDRESS|28\.2|x86_64|linux|#<(process|terminal|thread|font)|"
                      r"GNU Emacs|\bemacs-")


@dataclass
class Primitive:
    name: str
    least: int
    greatest: int | None  # None: any number
    area: str


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
        ours = {row["name"] for row in json.loads(Path(path).read_text())}
        chosen = {name: every[name] for name in sorted(ours & set(every))}
    return [p for p in chosen.values() if p.name not in SKIP_NAMES and not SKIP_PATTERN.match(p.name)]
