;; quit-flag written by Lisp: where a quit is looked for, in forms and in byte-code, and that it can be taken back.

;; name: taken back in forms, too late
(condition-case e (progn (setq quit-flag t) (setq quit-flag nil) 5) (quit 'quit))

;; name: taken back in byte-code
(condition-case e (funcall (byte-compile '(lambda () (setq quit-flag t) (setq quit-flag nil) 5))) (quit 'quit))

;; name: inhibited
(condition-case e (let ((inhibit-quit t)) (setq quit-flag t) (setq quit-flag nil) 5) (quit 'quit))

;; name: forms
(condition-case e (let ((x 0)) (setq quit-flag t) (setq x 1) (setq x (car '(5))) (setq quit-flag nil) x) (quit (list 'quit)))

;; name: byte-code without calls
(let ((x 0)) (list (condition-case e (funcall (byte-compile '(lambda () (setq quit-flag t) (setq oracle-q 1) (setq oracle-q (list 1 2)) (setq quit-flag nil) 6))) (quit (list 'quit))) (and (boundp 'oracle-q) oracle-q)))

;; name: byte-code with a call of a primitive
(progn (defvar oracle-q2 nil) (list (condition-case e (funcall (byte-compile '(lambda () (setq quit-flag t) (setq oracle-q2 1) (setq oracle-q2 (symbol-name 'a)) (setq oracle-q2 3) (setq quit-flag nil) 6))) (quit (list 'quit))) oracle-q2))

;; name: a function of forms
(progn (setq oracle-q2 nil) (list (condition-case e (funcall (lambda () (setq quit-flag t) (setq oracle-q2 1) (setq oracle-q2 (symbol-name 'a)) (setq oracle-q2 3) (setq quit-flag nil) 6)) (quit (list 'quit))) oracle-q2))

;; name: byte-code that calls byte-code
(progn (setq oracle-q2 nil) (defalias 'oq-f (byte-compile '(lambda (x) (setq oracle-q2 x)))) (list (condition-case e (funcall (byte-compile '(lambda () (setq quit-flag t) (oq-f 1) (oq-f 2) (setq quit-flag nil) 6))) (quit (list 'quit))) oracle-q2))

;; name: eval
(progn (setq oracle-q2 nil) (list (condition-case e (eval '(progn (setq quit-flag t) (setq oracle-q2 1) (setq quit-flag nil) 6) t) (quit (list 'quit))) oracle-q2))

;; name: inhibited, and then not
(progn (setq oracle-q2 nil) (list (condition-case e (let ((inhibit-quit t)) (setq quit-flag t) (list 1 2) (setq oracle-q2 2)) (quit (list 'quit))) oracle-q2 (condition-case e (progn (list 1) (list 2) (setq oracle-q2 5)) (quit 'late)) oracle-q2 quit-flag))

;; name: with-local-quit
(list (condition-case e (with-local-quit (setq quit-flag t) (list 1) 5) (quit 'q)) quit-flag (setq quit-flag nil))

;; name: inhibited in byte-code
(list (condition-case e (funcall (byte-compile '(lambda () (let ((inhibit-quit t)) (setq quit-flag t) (list 1) (setq quit-flag nil)) 5))) (quit 'q)) quit-flag)

;; name: inhibited in byte-code, and then not
(list (condition-case e (funcall (byte-compile '(lambda () (let ((inhibit-quit t)) (setq quit-flag t)) 5))) (quit 'q)) quit-flag)
