;; What debuggers see of functions that are compiled behind their back: trace, debug-on-entry, frames, locals, printing.

;; name: trace-function
(progn (require 'trace) (defun eb-tr (n) (if (> n 0) (+ 1 (eb-tr (1- n))) 0)) (trace-function-background 'eb-tr) (list (mapcar #'eb-tr '(1 2 3)) (prog1 (with-current-buffer trace-buffer (buffer-string)) (kill-buffer trace-buffer)) (progn (untrace-function 'eb-tr) (eb-tr 4))))

;; name: debug-on-entry
(progn (require 'debug) (defun eb-de (x) (list x (eb-de2 x))) (defun eb-de2 (x) (* x 2)) (let* ((seen nil) (debugger (lambda (&rest args) (push (list (car args) (let (fs) (mapbacktrace (lambda (ev f a fl) (push (list ev (if (symbolp f) f 'fn) (and (symbolp f) (string-prefix-p "eb-" (symbol-name f)) a) fl) fs))) (seq-filter (lambda (f) (and (symbolp (nth 1 f)) (string-prefix-p "eb-" (symbol-name (nth 1 f))))) (nreverse fs)))) seen) (if (memq (car args) '(exit)) (cadr args)))))
  (debug-on-entry 'eb-de2) (unwind-protect (list (eb-de 3) (mapcar #'eb-de2 '(1 2)) (nreverse seen)) (cancel-debug-on-entry 'eb-de2))))

;; name: locals of frames
(progn (defun eb-l1 (a b) (let ((c (+ a b))) (let* ((d (* c 2)) (e (eb-l2 d))) (list a b c d e)))) (defun eb-l2 (x) (let ((loc (list x))) (list (backtrace--locals 1 'eb-l2) (backtrace--locals 0 'eb-l1) (backtrace-eval '(list a b c d) 0 'eb-l1) loc)))
  (list (eb-l1 1 2) (dotimes (_ 10) (eb-l1 3 4)) (eb-l1 5 6)))

;; name: backtrace frames and debugger with an error
(progn (defun eb-e1 (a) (let ((b (list a))) (condition-case err (eb-e2 b) (wrong-type-argument (list 'got err b))))) (defun eb-e2 (x) (let ((y (car x))) (+ 1 (car y))))
  (let* ((seen nil) (debug-on-error t) (debug-on-signal t) (debugger (lambda (&rest args) (push (list args (let (fs) (mapbacktrace (lambda (ev f a fl) (push (list ev (if (symbolp f) f 'fn) (if (memq f '(eb-e1 eb-e2 car + )) a)) fs))) (seq-take (nreverse fs) 9))) seen))))
   (list (eb-e1 5) (progn (dotimes (_ 10) (eb-e1 (list 1))) nil) (eb-e1 'x) (nreverse seen))))

;; name: interactive forms of interpreted functions
(progn (defun eb-i (x y) "doc" (interactive (list 1 2)) (list x y (called-interactively-p 'any))) (dotimes (_ 10) (eb-i 1 2)) (list (call-interactively 'eb-i) (eb-i 3 4) (interactive-form 'eb-i) (func-arity 'eb-i) (commandp 'eb-i) (documentation 'eb-i) (symbol-function 'eb-i)))

;; name: printing of warm closures
(let* ((k 5) (f (lambda (x) (setq k (+ k x)) (list x k)))) (dotimes (i 20) (funcall f i)) (list f (equal f (copy-sequence f)) (func-arity f) (let ((print-circle t)) (prin1-to-string f)) (aref (byte-compile (lambda (x) x)) 1) (cdr f) (funcall (eval (list 'quote f)) 1)))
