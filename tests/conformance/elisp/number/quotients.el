;; Rounded quotients of fixnums, shifts to the left, extremes of mixed numbers.

;; name: rounding quotients of every sign
(let (out)
  (dolist (f '(floor ceiling truncate round))
    (dolist (n '(0 1 -1 2 -2 3 -3 5 -5 6 -6 7 -7 8 -8 9 -9 10 -10))
      (dolist (d '(1 -1 2 -2 3 -3 4 -4 5 -5 6 -6))
        (push (funcall f n d) out))))
  out)

;; name: rounding quotients at the ends of fixnums
(mapcar (lambda (f)
          (mapcar (lambda (p) (condition-case e (funcall f (car p) (cdr p)) (error e)))
                  (list (cons most-negative-fixnum -1) (cons most-negative-fixnum 1) (cons most-negative-fixnum 2)
                        (cons most-negative-fixnum most-negative-fixnum) (cons most-positive-fixnum most-negative-fixnum)
                        (cons most-negative-fixnum most-positive-fixnum) (cons most-positive-fixnum 2) (cons most-positive-fixnum -2)
                        (cons (1- most-positive-fixnum) most-positive-fixnum) (cons (/ most-positive-fixnum 2) most-positive-fixnum)
                        (cons 1 most-negative-fixnum) (cons -1 most-negative-fixnum) (cons (/ most-negative-fixnum 2) most-negative-fixnum)
                        (cons 5 0) (cons (* 4 most-positive-fixnum) 3) (cons 3 (* 4 most-positive-fixnum)))))
        '(floor ceiling truncate round))

;; name: shifts to the left around the last bit
(mapcar (lambda (v) (mapcar (lambda (n) (list (ash v n) (condition-case e (lsh v n) (error e)))) '(0 1 2 58 59 60 61 62 63 64 65 100)))
        (list 0 1 -1 2 -2 3 -3 7 255 most-positive-fixnum most-negative-fixnum))

;; name: extremes of mixed numbers
(let ((numbers (list 0 1 -1 0.0 -0.0 1.0 1.5 -1.5 0.0e+NaN 1.0e+INF -1.0e+INF 9007199254740992 9007199254740993 9007199254740992.0
                     most-positive-fixnum (float most-positive-fixnum) (* 2 most-positive-fixnum))))
  (mapcar (lambda (a) (mapcar (lambda (b) (list (min a b) (max a b) (< a b) (= a b) (>= a b))) numbers)) numbers))

;; name: equal keys of every kind
(let ((keys (list "a" "ab" "b" 'a 1 1.0 0.0 -0.0 0.0e+NaN (* 4 most-positive-fixnum) '(1) [1] "\xe9" "é" (propertize "a" 'face 'bold) nil t ?a)))
  (mapcar (lambda (k)
            (let ((copy (if (or (stringp k) (consp k) (vectorp k)) (copy-sequence k) (if (numberp k) (+ k 0) k))))
              (list (car (member copy keys)) (car (assoc copy (mapcar #'list keys))) (car (assoc copy (mapcar #'list keys) 'equal))
                    (cdr (rassoc copy (mapcar (lambda (x) (cons 1 x)) keys)))
                    (lax-plist-get (apply #'append (mapcar (lambda (x) (list x (list x))) keys)) copy)
                    (alist-get copy (mapcar #'list keys) 'none nil #'equal))))
          keys))

;; name: assoc with a test that was redefined
(unwind-protect
    (progn (advice-add 'equal :override #'ignore '((name . quotients)))
           (list (assoc "a" '(("a" . 1)) 'equal) (assoc "a" '(("a" . 1))) (assoc "a" '(("a" . 1)) #'string=)))
  (advice-remove 'equal 'quotients))

;; name: circular and dotted lists
(let ((l (list "a" "b" "c"))) (setcdr (cddr l) l)
  (list (car (member "c" l)) (condition-case e (car (member "x" l)) (error (car e))) (condition-case e (member "x" '("a" . "b")) (error e))
        (condition-case e (assoc "x" '(("a") . 3)) (error e)) (condition-case e (lax-plist-get '("a" 1 . 2) "x") (error e))))
