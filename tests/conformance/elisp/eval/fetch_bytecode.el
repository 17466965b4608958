(let ((f (make-byte-code 0 "\300\207" [1] 2))) (eq f (fetch-bytecode f)))
(fetch-bytecode 'car)
(fetch-bytecode)
;; Plain words that are no special variables, although the program itself keeps something in them.
(list (special-variable-p 'values) (special-variable-p 'features) (special-variable-p 'load-path))
(let ((values 1)) (funcall (let ((values 2)) (lambda () values))))
