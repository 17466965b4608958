;; Interpreted functions that run often, and what Lisp can observe of them.
(progn
  (defun sc-run (f n) (let (r) (while (> n 0) (setq r (funcall f) n (1- n))) r))
  (defun sc-bt ()
    (let (l)
      (mapbacktrace (lambda (evald f args _flags) (setq l (cons (if (symbolp f) (list evald f args) evald) l))))
      (setq l (nreverse l))
      (let ((tail l)) (while (and tail (not (eq (nth 1 (car-safe tail)) 'sc-end))) (setq tail (cdr tail)))
        (if tail (setcdr tail nil)))
      l))
  'done)
;; A body that is written to.
(progn
  (setq sc-f (list 'lambda '(x) (list '+ 'x 1)))
  (let (r)
    (let ((i 0)) (while (< i 20) (if (= i 15) (setcar (cdr (cdr (nth 2 sc-f))) 100)) (setq r (cons (funcall sc-f i) r) i (1+ i))))
    (list r sc-f (func-arity sc-f))))
(progn
  (defun sc-written (x) (if x (list x 'old) 'no))
  (let (r (i 0))
    (while (< i 14)
      (if (= i 12) (setcar (nthcdr 2 (nth 2 (car (last (symbol-function 'sc-written))))) ''new))
      (setq r (cons (sc-written i) r) i (1+ i)))
    (list (nth 0 r) (nth 1 r) (nth 5 r))))
;; Arguments that are written to.
(progn
  (setq sc-g (list 'lambda (list 'x) 'x))
  (let (r (i 0))
    (while (< i 14)
      (if (= i 12) (setcdr (nth 1 sc-g) (list '&optional 'y)))
      (setq r (cons (condition-case e (funcall sc-g i) (error (car e))) r) i (1+ i)))
    (list r (funcall sc-g 1 2))))
;; A variable that becomes special while the function is in use, and while it runs.
(progn
  (defun sc-look () sc-late)
  (defun sc-bind (v) (let ((sc-late v)) (condition-case e (sc-look) (error e))))
  (let (r (i 0))
    (while (< i 20)
      (if (= i 12) (eval '(defvar sc-late 'global)))
      (setq r (cons (sc-bind i) r) i (1+ i)))
    r))
(progn
  (defun sc-look2 () sc-late2)
  (defun sc-bind2 (v)
    (let ((outer v))
      (eval '(defvar sc-late2 'global2))
      (let ((sc-late2 (setq outer (list outer))) (other 3))
        (setq outer (list outer (sc-look2) other)))
      outer))
  (sc-bind2 1))
(progn
  (defun sc-look3 () (if (boundp 'sc-late3) sc-late3 'unbound))
  (defun sc-bind3 (v flag)
    (let* ((a v) (b (if flag (eval '(defvar sc-late3 'g)))) (sc-late3 (list a b)) (c (sc-look3)))
      (setq a (list a c))
      (list a b c)))
  (let ((r (sc-run (lambda () (sc-bind3 1 nil)) 20))) (list r (sc-bind3 2 t) (sc-bind3 3 nil))))
;; Variables that are special in a scope only.
(progn
  (defun sc-local-look () (if (boundp 'sc-local) (symbol-value 'sc-local) 'none))
  (defun sc-local-1 (v)
    (let ((a v))
      (list (let ((sc-local 1)) (sc-local-look))
            (progn (defvar sc-local) (let ((sc-local 2)) (sc-local-look)))
            (let ((sc-local 3)) (list (sc-local-look) (lambda () a))))))
  (defun sc-local-2 (a)
    (list (let* ((b (progn (defvar sc-local2) a)) (sc-local2 4)) (boundp 'sc-local2)) (let ((sc-local2 5)) (boundp 'sc-local2))))
  (list (sc-run (lambda () (sc-local-1 1)) 20) (sc-run (lambda () (sc-local-2 1)) 20)))
(progn
  (defun sc-local-3 (v)
    (let* ((a v) (b (progn (defvar sc-local3) (list a))) (sc-local3 6))
      (list (boundp 'sc-local3) (let ((sc-local3 7)) (symbol-value 'sc-local3)) b (lambda () a))))
  (sc-run (lambda () (sc-local-3 1)) 20))
;; What is called becomes a macro, is made void, gets other arguments.
(progn
  (defun sc-h (x) (list 'f x))
  (defun sc-call (y) (let ((z y)) (list z (condition-case e (sc-h (setq z (list z))) (error e)) z)))
  (let ((before (sc-run (lambda () (sc-call 1)) 20)))
    (list before
          (progn (defmacro sc-h (x) (list 'quote x)) (sc-run (lambda () (sc-call 1)) 20))
          (progn (fmakunbound 'sc-h) (sc-call 1))
          (progn (defun sc-h () 1) (sc-call 1))
          (progn (defun sc-h (x) (list 'g x)) (sc-run (lambda () (sc-call 1)) 20)))))
(progn
  (defun sc-macro-later (x) (let ((y (list x))) (when x (sc-later (push 1 y))) (if y (sc-later2 (setq y (cons 2 y)))) y))
  (fset 'sc-later #'ignore)
  (fset 'sc-later2 #'ignore)
  (list (sc-run (lambda () (sc-macro-later 1)) 20)
        (progn (defmacro sc-later2 (f) (list 'progn f f)) (sc-run (lambda () (sc-macro-later 1)) 20))))
;; The function is looked up before the arguments are evaluated.
(progn
  (defun sc-old (x) (list 'old x))
  (defun sc-swap () (sc-old (progn (fset 'sc-old (lambda (x) (list 'new x))) 1)))
  (list (sc-swap) (sc-run #'sc-swap 20)))
(progn
  (defun sc-void () (condition-case e (sc-no-such-function (error "Evaluated")) (error e)))
  (defun sc-many () (condition-case e (car (error "Evaluated") 2) (error e)))
  (list (sc-run #'sc-void 20) (sc-run #'sc-many 20)))
;; Closures share bindings with the function and with each other.
(progn
  (defun sc-share (n)
    (let* ((x n) (get (lambda () x)) (set (lambda (v) (setq x v))))
      (setq x (1+ x))
      (let ((a (funcall get)))
        (funcall set 'set)
        (list a x (funcall get) get))))
  (sc-run (lambda () (sc-share 5)) 20))
(progn
  (defun sc-loop-closures (n)
    (let (l) (while (> n 0) (let ((m n)) (setq l (cons (lambda () (setq m (* m 10))) l))) (setq n (1- n)))
      (append (mapcar #'funcall l) (mapcar #'funcall l))))
  (sc-run (lambda () (sc-loop-closures 3)) 20))
;; Bindings kept by unwind forms.
(progn
  (defun sc-unwind (k)
    (let ((l nil) (m 1))
      (list (catch 'out
              (unwind-protect
                  (let ((inner 5)) (setq m 2) (if (= k 1) (throw 'out 'thrown)) inner)
                (setq l (cons m l) m 3)))
            l m)))
  (list (sc-run (lambda () (sc-unwind 0)) 20) (sc-run (lambda () (sc-unwind 1)) 20)))
;; Handlers.
(progn
  (defun sc-cc (f)
    (let ((n 0))
      (list (condition-case e (progn (setq n 1) (funcall f))
              (arith-error (setq n 2) (list 'arith e))
              ((wrong-type-argument void-variable) (list 'type e n))
              (error (list 'error e))
              (:success (list 'fine e)))
            n)))
  (let (r)
    (dolist (f (list (lambda () (/ 1 0)) (lambda () (car 1)) (lambda () sc-unbound) (lambda () (error "x")) (lambda () 7)))
      (setq r (cons (sc-run (lambda () (sc-cc f)) 20) r)))
    r))
(progn
  (defun sc-cc-nil (x) (condition-case nil (car x) (error 'err)))
  (defun sc-cc-debug (x) (condition-case e (car x) ((debug error) (cdr e))))
  (list (sc-run (lambda () (sc-cc-nil 1)) 20) (sc-run (lambda () (sc-cc-debug 1)) 20)))
;; Backtraces show the forms in progress, and locals.
(progn
  (defun sc-shown (x y)
    (let ((z (list x y)))
      (cond ((null z) 1)
            (t (list (if (progn (setq z (sc-bt)) z) (and x (or nil (prog1 (length z) (setq x 1)))))
                     (let* ((w z)) (catch 'tag (condition-case nil (list w (sc-bt)) (error 1)))))))))
  (defun sc-end (n) (let (r) (while (> n 0) (setq r (sc-shown 1 2) n (1- n))) r))
  (sc-end 20))
(progn
  (defun sc-locals (a b) (let ((c (list a b))) (setq a 10) (if c (let* ((d 4) (e (backtrace--locals 1 'sc-frame))) (ignore (sc-frame)) e))))
  (defun sc-frame () (backtrace--locals 1 'sc-frame))
  (defun sc-locals2 (a b) (let ((c (list a b))) (setq a 10) (if c (let* ((d 4)) (list (sc-frame) d)))))
  (sc-run (lambda () (sc-locals2 1 2)) 20))
(progn
  (defun sc-reach () (backtrace-eval '(setq sc-a (list sc-a sc-b) sc-b 'changed) 1 'sc-reach))
  (defun sc-reached (sc-a) (let ((sc-b 2)) (list (sc-reach) sc-a sc-b)))
  (sc-run (lambda () (sc-reached 1)) 20))
;; Limits: how many forms in progress a call counts for.
(progn
  (defun sc-deep (n) (if (= n 0) 0 (1+ (let ((m (1- n))) (progn (sc-deep m))))))
  (defun sc-limit (limit)
    (let ((max-lisp-eval-depth limit) (n 0)) (condition-case e (while t (sc-deep n) (setq n (1+ n))) (error (cons n (cadr e))))))
  (let ((few (sc-limit 500)) (many (sc-limit 1000))) (list (- (car many) (car few)) (cdr few))))
;; Errors inside: what is called, what is bound.
(progn
  (defvar sc-seen nil)
  (defun sc-hook (&rest args)
    (setq sc-seen (cons args (mapcar (lambda (f) (if (symbolp (cadr f)) (cadr f))) (let (signal-hook-function) (sc-bt))))))
  (defun sc-raises (x) (let ((y x)) (list 1 (if y (car y)))))
  (defun sc-end (n) (let ((signal-hook-function #'sc-hook)) (condition-case e (sc-raises n) (error e))))
  (list (let (r (i 0)) (while (< i 12) (setq r (sc-end i) i (1+ i))) r) sc-seen))
;; Dynamic scope.
(eval '(progn
         (defun sc-dyn (x &optional y) (let ((z (list x y))) (setq x 5) (list (sc-dyn2) z (condition-case x (car 1) (error x)) x)))
         (defun sc-dyn2 () (list x (boundp 'y) z))
         (list (sc-run (lambda () (sc-dyn 1 2)) 20) (boundp 'z))) nil)
;; Dynamic bindings and buffers.
(progn
  (defvar sc-special 'top)
  (defun sc-dynamic (x)
    (let ((sc-special x) (y 1))
      (let* ((a sc-special) (sc-special (list a y)))
        (list (symbol-value 'sc-special) (save-current-buffer (with-temp-buffer (insert "abc") (save-excursion (goto-char 2) (point)))) a))))
  (list (sc-run (lambda () (sc-dynamic 3)) 20) sc-special))
(progn
  (defun sc-setq (a b) (setq a b b a sc-global (list a b)) (list a b (setq a (or nil a 3)) (let ((a a)) (setq a 0)) a))
  (sc-run (lambda () (sc-setq 1 2)) 20))
(progn
  (defun sc-optional (a &optional b &rest c) (list a b c (func-arity #'sc-optional)))
  (list (sc-run (lambda () (sc-optional 1)) 20) (sc-run (lambda () (sc-optional 1 2 3 4)) 20)
        (condition-case e (sc-optional) (error (car e)))))
(progn
  (defun sc-order (x) (list x (setq x (1+ x)) x (let ((x 0)) (setq x 9)) x (progn (setq x nil) x) x))
  (sc-run (lambda () (sc-order 1)) 20))
;; A special form that means something else.
(progn
  (fset 'sc-saved-prog1 (symbol-function 'prog1))
  (defun sc-prog1 (x) (prog1 x (setq x 2)))
  (let ((a (sc-run (lambda () (sc-prog1 1)) 20)))
    (unwind-protect (progn (fset 'prog1 (lambda (&rest args) args)) (list a (sc-run (lambda () (sc-prog1 1)) 20)))
      (fset 'prog1 (symbol-function 'sc-saved-prog1)))))
(progn (defun sc-printed (x) "Doc." (interactive) x) (sc-run (lambda () (sc-printed 1)) 20)
       (list (symbol-function 'sc-printed) (documentation 'sc-printed) (interactive-form 'sc-printed)))
;; Bodies that others write to: list functions, setters, in the function itself; with collections between.
(let (r)
  (dolist (change (list (lambda (f) (nconc f (list ''more)))
                        (lambda (f) (setcdr (nthcdr 2 f) (list ''new)))
                        (lambda (f) (setcdr (nth 2 f) (nreverse (cdr (nth 2 f)))))
                        (lambda (f) (setcdr (nth 2 f) (sort (cdr (nth 2 f)) (lambda (a b) (> (if (numberp a) a 0) (if (numberp b) b 0))))))
                        (lambda (f) (setcdr (nth 2 f) (delq 2 (cdr (nth 2 f)))))
                        (lambda (f) (setf (car (nth 2 f)) 'vector))
                        (lambda (f) (nsubst-later f))
                        (lambda (f) (setcar (nth 1 f) 'y) (setcar (nthcdr 4 (nth 2 f)) 'y))
                        (lambda (f) (push 0 (cdr (nth 2 f))))))
    (dolist (collect '(nil t))
      (let ((f (list 'lambda (list 'x) (list 'list 1 2 3 'x))) (out nil))
        (fset 'nsubst-later (lambda (f) (setcar (nthcdr 2 (nth 2 f)) "text")))
        (dotimes (i 30)
          (when (and collect (= (% i 7) 0)) (garbage-collect))
          (when (= i 20) (funcall change f))
          (push (funcall f i) out))
        (push (list (nth 0 out) (nth 9 out) (nth 10 out) (nth 29 out)) r))))
  (nreverse r))
;; Arithmetic and comparison in line, and where that ends.
(progn
  (defun sc-numbers (a b)
    (mapcar (lambda (f) (condition-case e (funcall f) (error e)))
            (list (lambda () (+ a b)) (lambda () (- a b)) (lambda () (* a b)) (lambda () (= a b)) (lambda () (> a b)) (lambda () (< a b))
                  (lambda () (<= a b)) (lambda () (>= a b)))))
  (let (r)
    (dolist (a (list 0 1 -1 most-positive-fixnum most-negative-fixnum 2.5 -0.0 0.0e+NaN 1.0e+INF (* 4 most-positive-fixnum) 'a nil (copy-marker 1)))
      (dolist (b (list 2 -1 most-positive-fixnum most-negative-fixnum 2.5 0.0 4 'b))
        (push (sc-numbers a b) r)))
    (list (secure-hash 'sha1 (prin1-to-string r)) (nth 0 r) (nth 3 r) (nth 20 r) (nth 41 r) (nth 60 r) (nth 77 r) (nth 80 r))))
(progn
  (defun sc-plus (a b) (+ a b))
  (defun sc-plus-nested (a b) (+ (car (list a)) (- (car (list b)) 1)))
  (let (r)
    (dotimes (i 20) (push (list (sc-plus i 1.5) (sc-plus i i) (sc-plus-nested i 2) (sc-plus-nested 1.5 2.5)) r))
    (let ((plus (symbol-function '+)))
      (unwind-protect (progn (fset '+ (lambda (a b) (list 'plus a b))) (push (list (sc-plus 1 2) (sc-plus-nested 1 2)) r))
        (fset '+ plus)))
    (push (list (sc-plus 1 2) (sc-plus-nested 1 2) (condition-case e (sc-plus 'x 1) (error e)) (condition-case e (sc-plus-nested 1 'y) (error e))) r)
    (list (nth 0 r) (nth 1 r) (nth 2 r) (nth 21 r))))
(let ((max-lisp-eval-depth 400))
  (defun sc-deep-plus (n) (if (< n 1) 0 (+ 1 (sc-deep-plus (- n 1)))))
  (list (sc-deep-plus 30) (condition-case e (sc-deep-plus 1000) (error (cadr e))) (sc-deep-plus 30)))
