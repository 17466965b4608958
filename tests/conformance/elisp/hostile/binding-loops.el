;; Byte-code made by hand that saves something in a loop: the limit of bindings ends it.
(condition-case e (funcall (make-byte-code 0 (unibyte-string 138 130 0 0) [] 5)) (error e))
(condition-case e (funcall (make-byte-code 0 (unibyte-string 140 130 0 0) [] 5)) (error e))
(condition-case e (funcall (make-byte-code 0 (unibyte-string 114 130 0 0) [] 5)) (error e))
(condition-case e (funcall (make-byte-code 0 (unibyte-string 192 142 130 0 0) [ignore] 5)) (error e))
(condition-case e (funcall (make-byte-code 0 (unibyte-string 192 25 130 0 0) [1 fill-column] 5)) (error e))
(list (buffer-name) (point))
