;;; Case commands on the regions that region-extract-function names. -*- lexical-binding: t -*-
(progn (defun neovm-case (bounds)
         (with-temp-buffer
           (insert "abcdefgh")
           (let* ((region-extract-function (lambda (&rest _) bounds))
                  (done (condition-case e (upcase-region 1 3 t) (error (cons (car e) (unless (eq (car e) 'circular-list) (cdr e)))))))
             (list (if (bufferp (car-safe (cdr-safe done))) (cons (car done) (cddr done)) done) (buffer-string)))))
       nil)
(mapcar #'neovm-case '(nil t 5 (1 . 2) ((1 . 2) . 3) ((1 . 2)) ((1 2)) ((1 . 3) (3 . 4)) ((4 . 2)) ((4 . 80)) ((a . b)) ((1 . 4) a) ((1 . 1) (8 . 9))))
;; Lists without an end.
(neovm-case (let ((l (list '(1 . 3)))) (nconc l l)))
(neovm-case (let ((l (list '(1 . 3) '(4 . 6) '(7 . 8)))) (nconc l l)))
(neovm-case (let ((l (list '(1 . 3) '(4 . 6)))) (cons '(8 . 9) (nconc l l))))
(neovm-case (let ((l (list '(1 . 3) 5))) (nconc l l)))
