;; Which strings print-circle numbers: those with properties, and those deeper than the first level.
(let ((y "hello")) (list y y))
(let ((y "hello")) (list (vector y) y))
(let ((y "hello")) (list y (vector y)))
(let ((y "hello")) (cons (vector y) y))
(let ((y "hello")) (list 1 (cons (vector y) y) (vector y)))
(let ((y "hello")) (list (propertize "a" 'face y) (propertize "b" 'face y)))
(let ((y "hello")) (list y (propertize "b" 'face (list y))))
(let ((y "hello")) (propertize "a" 'b y 'c y))
(let ((y "hello") (h (make-hash-table))) (puthash 1 y h) (puthash 2 y h) (list h h))
(let ((y "hello")) (list (record 'foo y y)))
(let ((z (propertize "hi" 'face 'x))) (list z z))
(let* ((x (list 1)) (x2 (list 2)) (s (propertize "ab" 'a x 'b x2))) (list (list x2 x s) (list s x2 x)))
;; Numbers that go on from print to print.
(let ((y "hello") (g (make-symbol "g")) (z (propertize "hi" 'face 'x)) (print-circle t) (print-gensym t)
      (print-continuous-numbering t) (print-number-table nil))
  (mapcar (lambda (o) (concat (prin1-to-string o)))
          (list y y (list 1 y) (list y) (vector y y) g (list g g) (list 1) z (list z z) y)))
(let ((y "hello") (print-circle t) (print-continuous-numbering t) (print-number-table nil))
  (list (prin1-to-string (list y y)) (prin1-to-string (list y y)) (prin1-to-string y)))

;; Properties count as a level.
(let ((print-level 1) (y "hello")) (prin1-to-string (list (propertize "a" 'b y 'c y))))
(let ((print-length 2) (y "hello")) (prin1-to-string (propertize "a" 'b y 'c y)))
(let ((print-level 0)) (prin1-to-string (propertize "a" 'b 1)))
(prin1-to-string (propertize "a" 'quote 'c))

;; How deep is too deep.
(let ((print-circle nil) (x 'a)) (dotimes (_ 199) (setq x (list x))) (length (prin1-to-string x)))
(let ((print-circle nil) (x 'a)) (dotimes (_ 200) (setq x (list x))) (length (prin1-to-string x)))
(let ((print-circle nil) (x "s")) (dotimes (_ 200) (setq x (vector x))) (length (prin1-to-string x)))
(let ((print-circle t) (x 'a)) (dotimes (_ 300) (setq x (list x))) (length (prin1-to-string x)))
