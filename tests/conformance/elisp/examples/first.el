;; A value, an error with its data, and a form that changes the (empty, fresh) buffer it runs in.
(nthcdr 2 '(a b c))
(nthcdr 'x '(a b c))
;; state: buffer, point
(progn (insert "one two") (goto-char 4) (upcase-region 1 4) (delete-char 1))
;; A definition stays for the forms below it.
(defalias 'example-twice (lambda (x) (* 2 x)))
(mapcar 'example-twice '(1 2.5))
