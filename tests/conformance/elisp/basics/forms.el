;;; Forms that a machine with only the core special forms can answer; the first light of a new build.

(car '(1 2 3))
(car 1)
(cons 1 2)
(+ 1 2)
(+ 1 'a)
(let ((x 1) (y 2)) (setq x (+ x y)) (list x y))
(let* ((x 1) (y (1+ x))) (* x y))
(funcall #'(lambda (x) (* x x)) 7)
(funcall #'(lambda (x) x))
(funcall #'(lambda (x) x) 1 2)
((lambda (a &optional b &rest c) (list a b c)) 1 2 3 4)
(condition-case err (signal 'wrong-type-argument '(x y)) (error (cdr err)))
(catch 'tag (throw 'tag 42))
(throw 'nobody 1)
(unwind-protect 1 2)
(progn)
(let ((i 0)) (while (< i 10) (setq i (1+ i))) i)
(if nil 1)
(and 1 2 3)
(or nil nil 3)
(cond ((eq 1 2) 'no) ((eq 1 1)) (t 'never))
(no-such-function 1)
no-such-variable
(funcall 'no-such-function)
(setq 1 2)
(function car)
(quote)
(quote 1 2)
'(a . b)
'(a b . (c d))
"a \"string\" with \\ and \n"
?a
?\C-a
[1 (2 3) "x"]
1.5
-0.0
1e300
most-positive-fixnum
(1+ most-positive-fixnum)
(let ((f (let ((n 0)) #'(lambda () (setq n (1+ n)))))) (list (funcall f) (funcall f)))
(signal 'quit nil)
(signal 'no-such-error '(1 2))
(signal 'error (list "Plain message"))
(read "(1 . ")
(read ")")
(read "")
"é λ 𝄞"
(append "aé" nil)

;; state: buffer, point
(insert "hello")
;; state: buffer, point
(progn (insert "hello") (goto-char 2) (delete-char 1))

;; name: a definition is there for the forms that follow
(defalias 'corpus-basics-twice #'(lambda (x) (* 2 x)))
(corpus-basics-twice 21)
