;; Byte-code made by hand whose jump table changes. (Nonsense targets crash Emacs: tests/unit/elisp/translate_test.cpp has them.)
(defalias 'jt-make
  (lambda (h &rest more)
    (make-byte-code 257 (apply #'unibyte-string (append '(137 192 183 193 135 194 135) more)) (vector h 'no 'yes) 9)))
(let* ((h (make-hash-table)) (f (jt-make h))) (puthash 1 5 h) (list (funcall f 1) (funcall f 2)))
(let* ((h (make-hash-table)) (f (jt-make h)))
  (puthash 7 3 h)
  (list (progn (puthash 1 5 h) (funcall f 1)) (progn (puthash 1 3 h) (funcall f 1)) (progn (remhash 1 h) (funcall f 1))))
