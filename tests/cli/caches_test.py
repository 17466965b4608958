"""Inline caches: each hits, and what is redefined invalidates exactly what depends on it.

Every test is a Lisp program that asserts; `t-calls` and `t-state` read what the sites of a function tell of themselves.
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import harness  # noqa: E402

PRELUDE = r"""
(require 'cl-lib)
(defmacro t-defun (name args &rest body) `(progn (defalias ',name (byte-compile '(lambda ,args ,@body))) (neovm-tier-compile ',name)))
(defun t-is (want got what) (unless (equal want got) (princ (format "%s: %S, not %S\n" what got want)) (kill-emacs 1)))
(defun t-at-most (most got what) (unless (<= got most) (princ (format "%s: %S, more than %S\n" what got most)) (kill-emacs 1)))
(defun t-sites (f callee) (cl-remove-if-not (lambda (s) (eq (nth 3 s) callee)) (neovm-tier-sites f)))
(defun t-sum (n f callee) (apply #'+ (mapcar (lambda (s) (nth n s)) (t-sites f callee))))
(defun t-calls (f callee) (t-sum 4 f callee))
(defun t-misses (f callee) (t-sum 5 f callee))
(defun t-states (f callee) (mapcar (lambda (s) (nth 6 s)) (t-sites f callee)))
(defun t-forms (f callee) (mapcar (lambda (s) (nth 2 s)) (t-sites f callee)))
(defun t-op-states (f op) (mapcar (lambda (s) (nth 6 s)) (cl-remove-if-not (lambda (s) (eq (nth 2 s) op)) (neovm-tier-sites f))))
(defun t-figure (name) (or (alist-get name (neovm-tier-statistics)) 0))
; Misses since `mark', less what the collector made: it clears caches of symbols that it may move.
(defun t-mark (f callee) (cons (t-misses f callee) (t-figure 'caches-cleared)))
(defun t-more (mark f callee) (max 0 (- (t-misses f callee) (car mark) (- (t-figure 'caches-cleared) (cdr mark)))))
; BODY invalidates one cache; the collector may have cleared it before.
(defmacro t-once (what &rest body)
  `(let ((invalid (t-figure 'invalidations)) (cleared (t-figure 'caches-cleared)))
     ,@body
     (t-at-most 1 (- (t-figure 'invalidations) invalid) ,what)
     (when (= cleared (t-figure 'caches-cleared)) (t-is 1 (- (t-figure 'invalidations) invalid) ,what))))
(defmacro t-change (figure &rest body) `(let ((before (t-figure ',figure))) ,@body (- (t-figure ',figure) before)))
"""


def run(binaries, program):
    result = subprocess.run(
        [f"{binaries}/neomacs", "--batch", "-Q", "--neovm-tier-count", "--neovm-tier-threshold=1", "--eval",
         f"(progn {PRELUDE})", "--eval", f"(progn {program})", "--eval", "(princ \"done\")"],
        capture_output=True, text=True, timeout=300)
    assert result.returncode == 0 and result.stdout == "done", result


def test_calls_of_global_functions(binaries):
    run(binaries, r"""
(t-defun g-f (x) (+ x 1)) (t-defun g-other (x) (* x 2))
(t-defun g-caller (n) (let ((s 0)) (while (> n 0) (setq s (+ (g-f s) (g-other 1)) n (1- n))) s))
(t-is 300 (g-caller 100) "first definition")
(t-at-most 3 (t-more '(0 . 0) 'g-caller 'g-f) "misses of a new site")
(t-is '(mono) (t-states 'g-caller 'g-f) "state")
(t-is '(call_code) (t-forms 'g-caller 'g-f) "form")
;; A redefinition costs the sites of that name one miss each (and one while the new function is cold), the others none.
(t-defun g-second (x) (+ x 2))
(let ((misses (t-mark 'g-caller 'g-f)) (others (t-mark 'g-caller 'g-other)))
  (t-once "invalidations by fset" (fset 'g-f (symbol-function 'g-second)) (t-is 400 (g-caller 100) "second definition"))
  (t-at-most 2 (t-more misses 'g-caller 'g-f) "misses after fset")
  (t-is 0 (t-more others 'g-caller 'g-other) "misses of another function"))
(t-is 0 (t-change invalidations (g-caller 100)) "invalidations while nothing changes")
;; Ten thousand functions that nobody here calls may change.
(t-is 0 (t-change invalidations (dotimes (i 10000) (fset (intern (format "g-unrelated-%d" (% i 500))) #'ignore)) (g-caller 100)) "others")
;; fmakunbound, and back.
(let ((old (symbol-function 'g-f)))
  (fmakunbound 'g-f)
  (t-is '(void-function g-f) (condition-case e (g-caller 1) (error e)) "void")
  (fset 'g-f old)
  (t-is 400 (g-caller 100) "bound again")
  (t-is '(mono) (t-states 'g-caller 'g-f) "state after all that"))
""")


def test_advice_comes_and_goes(binaries):
    run(binaries, r"""
(t-defun a-f (x) (+ x 1)) (t-defun a-g (x) x)
(t-defun a-caller (n) (let ((s 0)) (while (> n 0) (setq s (a-g (a-f s)) n (1- n))) s))
(t-is 100 (a-caller 100) "plain")
(let ((others (t-mark 'a-caller 'a-g)) calm)
  (advice-add 'a-f :filter-return #'1+)
  (t-once "invalidations by advice-add" (t-is 20 (a-caller 10) "advised"))
  (advice-remove 'a-f #'1+)
  (t-is 100 (a-caller 100) "plain again")
  (t-is 0 (t-more others 'a-caller 'a-g) "misses of another function")
  (t-is '(mono) (t-states 'a-caller 'a-f) "state")
  (setq calm (t-mark 'a-caller 'a-f)) (a-caller 100) (t-is 0 (t-more calm 'a-caller 'a-f) "misses when calm"))
""")


def test_a_storm_of_redefinitions(binaries):
    run(binaries, r"""
(t-defun s-one (x) (+ x 1)) (t-defun s-two (x) (+ x 2)) (fset 's-f (symbol-function 's-one))
(t-defun s-calm (x) x)
(t-defun s-call (x) (s-calm (s-f x)))
(let ((s 0) (states nil))
  (dotimes (i 5000) (when (= 0 (% i 500)) (push (car (t-states 's-call 's-f)) states)) (fset 's-f (symbol-function (if (= 0 (% i 2)) 's-two 's-one))) (setq s (+ s (s-call 0))))
  (t-is 7500 s "sum")
  (t-is t (and (memq 'mega states) t) "state in the storm"))
(t-at-most 3 (t-more '(0 . 0) 's-call 's-calm) "misses of the other function")
(dotimes (_ 600) (s-call 0))
(t-is '(mono) (t-states 's-call 's-f) "state afterwards")
(let ((misses (t-mark 's-call 's-f)))
  (dotimes (_ 1000) (s-call 0))
  (t-is 0 (t-more misses 's-call 's-f) "misses afterwards"))
""")


def test_names_that_stand_for_other_names(binaries):
    run(binaries, r"""
(t-defun n-f (x) (+ x 1)) (t-defun n-g (x) (+ x 2)) (defalias 'n-alias 'n-f) (t-defun n-other (x) (* x 2))
(defun n-source (n) (let ((s 0)) (while (> n 0) (setq s (+ s (n-alias n) (n-nothing s)) n (1- n))) s))
(defalias 'n-nothing 'not) (defun n-not (_) 0) (fset 'n-nothing 'n-not)
(t-defun n-call (n) (let ((s 0)) (while (> n 0) (setq s (+ s (n-alias n) (n-other 0)) n (1- n))) s))
(dolist (f '(n-call n-source))
  (fset 'n-f (lambda (x) (+ x 1))) (byte-compile 'n-f) (fset 'n-alias 'n-f)
  (t-is 5150 (funcall f 100) "as defined")
  (t-at-most 3 (t-more '(0 . 0) f 'n-alias) "misses of a new site")
  (t-is '(mono) (t-states f 'n-alias) "state")
  ;; The name that it stands for is redefined, then the name itself: each costs this site a miss, and the others none.
  (let ((misses (t-mark f 'n-alias)) (others (t-mark f 'n-other)))
    (fset 'n-f (symbol-function 'n-g))
    (t-is 5250 (funcall f 100) "what it stands for changed")
    (fset 'n-alias 'n-other)
    (t-is 10100 (funcall f 100) "stands for another")
    (t-at-most 2 (t-more misses f 'n-alias) "misses")
    (t-is 0 (t-more others f 'n-other) "misses of another name"))
  (fset 'n-alias (symbol-function 'n-g))
  (t-is 5250 (funcall f 100) "a definition of its own")
  (fset 'n-alias 'n-f) (fset 'n-f 'n-g)
  (t-is 5250 (funcall f 100) "an alias of an alias")
  (fmakunbound 'n-f)
  (t-is '(void-function n-alias) (condition-case e (funcall f 1) (error e)) "void")
  (fset 'n-f (symbol-function 'n-g))
  (advice-add 'n-alias :filter-return #'1+)
  (t-is 5350 (funcall f 100) "advised")
  (advice-remove 'n-alias #'1+)
  (t-is 5250 (funcall f 100) "no more")
  (advice-add 'n-f :filter-return #'1+)
  (t-is 5350 (funcall f 100) "what it stands for advised")
  (advice-remove 'n-f #'1+)
  (t-is 5250 (funcall f 100) "no more")
  (let ((misses (t-mark f 'n-alias)))
    (funcall f 100)
    (t-is 0 (t-more misses f 'n-alias) "misses when calm")))
(t-is '(call_alias) (t-forms 'n-call 'n-alias) "form")
(t-is 0 (t-change caches-cleared (n-call 10)) "nothing to forget")
""")


def test_constants_of_functions_are_written(binaries):
    run(binaries, r"""
(t-defun k-one (x) (list 1 x)) (t-defun k-two (x) (list 2 x))
(t-defun k-call (x) (k-one x))
(dotimes (_ 10) (t-is '(1 7) (k-call 7) "before"))
(let* ((constants (aref (symbol-function 'k-call) 2)) (i (cl-position 'k-one constants)))
  (aset constants i 'k-two)
  (dotimes (_ 10) (t-is '(2 7) (k-call 7) "after"))
  (aset constants i 'k-nothing)
  (t-is '(void-function k-nothing) (condition-case e (k-call 7) (error e)) "void")
  (aset constants i 'k-one)
  (t-is '(1 7) (k-call 7) "again"))
""")


def test_variables_need_no_invalidation(binaries):
    run(binaries, r"""
(defvar v-x 1) (defvar v-seen nil)
(t-defun v-sum (n) (let ((s 0)) (while (> n 0) (setq s (+ s v-x) n (1- n))) s))
(t-defun v-set (v) (setq v-x v))
(t-is 100 (v-sum 100) "plain")
(t-is 0 (t-change invalidations
  (v-set 2) (t-is 200 (v-sum 100) "set")
  (let ((v-x 3)) (t-is 300 (v-sum 100) "let"))
  (with-temp-buffer (setq-local v-x 4) (t-is 400 (v-sum 100) "local") (v-set 5) (t-is 500 (v-sum 100) "set locally"))
  (t-is 200 (v-sum 100) "default")
  (makunbound 'v-x) (t-is '(void-variable v-x) (condition-case e (v-sum 1) (error e)) "void")
  (v-set 6) (t-is 600 (v-sum 100) "bound again")
  (add-variable-watcher 'v-x (lambda (_s new op _w) (push (list op new) v-seen)))
  (v-set 7) (let ((v-x 8)) (t-is 800 (v-sum 100) "let watched"))
  (t-is '((set 7) (let 8) (set 7)) v-seen "watcher")
  (defvar v-base 9) (defvar v-name 1) (t-defun v-named () v-name) (t-is 1 (v-named) "name")
  (defvaralias 'v-name 'v-base) (t-is 9 (v-named) "alias") (let ((v-base 10)) (t-is 10 (v-named) "let of the base"))
  (make-variable-buffer-local 'v-x) (with-temp-buffer (v-set 11) (t-is 1100 (v-sum 100) "automatically local")) (t-is 700 (v-sum 100) "default again"))
  "invalidations")
""")


def test_arithmetic_and_comparison_by_type(binaries):
    run(binaries, r"""
(t-defun n-add (a b) (+ a b)) (t-defun n-less (a b) (if (< a b) 'less 'not))
(defun n-both (a b) (dotimes (_ 10) (n-add a b) (n-less a b)))
(n-both 1 2)
(t-is '((mono) (mono)) (list (t-op-states 'n-add 'add) (t-op-states 'n-less 'jump_not_num_lt)) "fixnums")
(n-both 1.5 2.5) (n-both 1 2.5) (n-both 1.5 2)
(t-is '((poly) (poly)) (list (t-op-states 'n-add 'add) (t-op-states 'n-less 'jump_not_num_lt)) "floats, mixed")
(t-is '(4.0 3.5 3.5 less not) (list (n-add 1.5 2.5) (n-add 1 2.5) (n-add 1.5 2) (n-less 1 1.5) (n-less 1.5 1)) "values")
(t-is 0 (t-sum 5 'n-add nil) "misses")
(n-both (expt 2 70) 1)
(t-is '((mega) (mega)) (list (t-op-states 'n-add 'add) (t-op-states 'n-less 'jump_not_num_lt)) "bignums")
(t-is 10 (t-sum 5 'n-add nil) "misses of bignums")
(t-is '((wrong-type-argument number-or-marker-p a) 3) (list (condition-case e (n-add 1 'a) (error e)) (n-add 1 2)) "errors")
""")


def test_structures(binaries):
    run(binaries, r"""
(cl-defstruct r-a x) (cl-defstruct (r-b (:include r-a)) y) (cl-defstruct (r-c (:include r-a)) z)
(t-defun r-get (r) (if (memq (type-of r) cl-struct-r-a-tags) (aref r 1) (signal 'wrong-type-argument (list 'r-a r))))
(let ((a (make-r-a :x 1)) (b (make-r-b :x 2 :y 0)) (c (make-r-c :x 3)))
  (dotimes (_ 10) (t-is 1 (r-get a) "one class"))
  (t-is '((check_type) (mono) (mono)) (list (t-forms 'r-get 'type-of) (t-states 'r-get 'type-of) (t-op-states 'r-get 'aref_k)) "one class")
  (dotimes (_ 10) (t-is '(1 2 3) (list (r-get a) (r-get b) (r-get c)) "three classes"))
  (t-is '((poly) (poly)) (list (t-states 'r-get 'type-of) (t-op-states 'r-get 'aref_k)) "three classes")
  (t-at-most 2 (t-more '(0 . 0) 'r-get 'type-of) "misses")
  (t-is 0 (t-change invalidations
    ;; A class that comes later is a child at once; a list of classes that is cut is cut.
    (cl-defstruct (r-d (:include r-a))) (t-is 4 (r-get (make-r-d :x 4)) "a new child")
    (let ((cl-struct-r-a-tags '(r-b))) (t-is '(2 wrong-type-argument) (list (r-get b) (condition-case e (r-get a) (error (car e)))) "let"))
    (t-is 1 (r-get a) "restored"))
    "invalidations"))
""")


def test_lookups(binaries):
    run(binaries, r"""
(t-defun l-get (k h) (gethash k h)) (t-defun l-const (h) (gethash 'c h))
(let ((h (make-hash-table :test 'eq)) (keys '(a b c d e f g)))
  (dolist (k keys) (puthash k (list k) h))
  (dotimes (_ 100) (t-is '(c) (l-const h) "constant key") (t-is '(a) (l-get 'a h) "one key"))
  (t-is '((call_gethash) (mono) (mono)) (list (t-forms 'l-const 'gethash) (t-states 'l-const 'gethash) (t-states 'l-get 'gethash)) "one key")
  (t-at-most 3 (t-more '(0 . 0) 'l-const 'gethash) "misses of a constant key")
  (dotimes (_ 100) (dolist (k '(a b c)) (t-is (list k) (l-get k h) "three keys")))
  (t-is '(poly) (t-states 'l-get 'gethash) "three keys")
  (t-at-most 6 (t-more '(0 . 0) 'l-get 'gethash) "misses of three keys")
  (dotimes (_ 10) (dolist (k keys) (t-is (list k) (l-get k h) "seven keys")))
  (t-is '(mega) (t-states 'l-get 'gethash) "seven keys")
  ;; A megamorphic probe is a miss.
  (let ((misses (t-misses 'l-get 'gethash))) (dotimes (_ 10) (l-get 'a h)) (t-is 10 (- (t-misses 'l-get 'gethash) misses) "probes"))
  ;; A change of the table is seen without any invalidation.
  (t-is 0 (t-change invalidations
    (puthash 'c 'new h) (t-is 'new (l-const h) "new value") (remhash 'c h) (t-is nil (l-const h) "removed")
    (puthash 'z 'other h) (t-is nil (l-const h) "its place is another's") (puthash 'c 'back h) (t-is 'back (l-const h) "back")
    (dotimes (i 1000) (puthash i i h)) (t-is 'back (l-const h) "grown") (clrhash h) (t-is nil (l-const h) "cleared"))
    "invalidations")
  (let ((other (make-hash-table :test 'equal))) (puthash 'x 1 other) (puthash 'c 2 other) (t-is 2 (l-const other) "another table")))
(t-defun l-assoc (l) (assoc "b" l))
(let ((l (list (cons "a" 1) (cons (copy-sequence "b") 2))))
  (dotimes (_ 10) (t-is 2 (cdr (l-assoc l)) "assoc"))
  (t-is '(call_assoc) (t-forms 'l-assoc 'assoc) "form")
  (aset (car (nth 1 l)) 0 ?x) (t-is nil (l-assoc l) "a key that was written to")
  (setcar (car l) "b") (t-is 1 (cdr (l-assoc l)) "another")
  (setcdr l nil) (setcar l nil) (t-is nil (l-assoc l) "emptied"))
""")


def test_generic_functions_and_slots_of_objects(binaries):
    run(binaries, r"""
(require 'eieio)
(dolist (c '(d-a d-b d-c d-d d-e d-f)) (eval `(cl-defstruct ,c x) t))
(cl-defgeneric d-name (o))
(dolist (c '(d-a d-b d-c d-d d-e d-f)) (eval `(cl-defmethod d-name ((_o ,c)) ',c) t))
(defun d-run (&rest objects) (dotimes (_ 50) (dolist (o objects) (t-is (type-of o) (d-name o) "method"))))
(let ((all (mapcar #'record '(d-a d-b d-c d-d d-e d-f))))
  (d-run (car all))
  (t-is '(mono) (t-states 'd-name 'gethash) "one class")
  (let ((misses (t-mark 'd-name 'gethash)))
    (d-run (nth 0 all) (nth 1 all) (nth 2 all))
    (t-is '(poly) (t-states 'd-name 'gethash) "three classes")
    (t-at-most 10 (t-more misses 'd-name 'gethash) "misses of three classes"))
  (apply #'d-run all)
  (t-is '(mega) (t-states 'd-name 'gethash) "six classes")
  ;; A method that is added or redefined is the one that is called.
  (cl-defmethod d-name :around ((_o d-b)) (list (cl-call-next-method)))
  (t-is '(d-a (d-b) d-c) (mapcar #'d-name (seq-take all 3)) "a method more"))
(defclass d-base () ((x :initarg :x) (y :initarg :y))) (defclass d-child (d-base) ((z :initarg :z)))
(t-defun d-x (o) (slot-value o 'x))
(let ((o (make-instance 'd-base :x 1 :y 2)) (p (make-instance 'd-child :x 3 :y 4 :z 5)))
  (dotimes (_ 100) (t-is '(1 3) (list (d-x o) (d-x p)) "slots"))
  (t-is '(call_gethash) (t-forms 'eieio--slot-name-index 'gethash) "slots are found by a lookup with a cache")
  (setf (slot-value o 'x) 7) (t-is 7 (d-x o) "set")
  (eval '(defclass d-base () ((w :initform 0) (x :initarg :x))) t)
  (t-is 9 (d-x (make-instance 'd-base :x 9)) "the class is defined anew"))
""")


if __name__ == "__main__":
    harness.main(globals())
