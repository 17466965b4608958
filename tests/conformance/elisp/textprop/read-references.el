;; Text properties of strings that are read, and references to what is around them.

;; name: a property list of a string that is read refers to what is around it
(let ((s (car (read-from-string "#1=(a #(\"xy\" 0 1 (face #1# help #2=(b)) 1 2 (face #2#)))")))) (list (eq s (get-text-property 0 'face (nth 1 s))) (eq (get-text-property 0 'help (nth 1 s)) (get-text-property 1 'face (nth 1 s))) (get-text-property 0 'help (nth 1 s))))

;; name: circles through properties
(let ((s (car (read-from-string "#1=#(\"xy\" 0 1 (face #1#))")))) (list (eq s (get-text-property 0 'face s)) (let ((print-circle t)) (prin1-to-string s))))

;; name: the order of properties when strings are copied, formatted, printed and read
(let ((s (propertize "abc" 'a 1 'b 2 'c 3)))
  (put-text-property 1 2 'd 4 s)
  (list s (format "%s" s) (format "%s-%s" s s) (format s) (concat s "x") (substring s 1) (prin1-to-string s) (read (prin1-to-string s))
        (copy-sequence (text-properties-at 1 s)) (text-properties-at 1 (format "x%s" s))
        (let ((print-charset-text-property t)) (prin1-to-string s))
        (let ((print-charset-text-property nil)) (prin1-to-string (propertize "é" 'x 1 'charset 'unicode 'y 2)))))
