;; More results of a mapping function than a stack holds.
(let ((s (mapconcat (lambda (_) "ab") (make-string 450000 0) "-"))) (list (length s) (substring s 0 12) (substring s -6)))
(length (mapcan #'list (make-vector 900000 0)))
