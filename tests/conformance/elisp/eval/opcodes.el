;; Every opcode of stack byte-code that Emacs 28 runs, on values of many types: results, errors, and what is left on the stack.
;; The functions are made by hand; codes that mean nothing (51 to 55, 107, 115, 128, 169, 180, 181, 184 to 191) crash Emacs.

(progn
  ;; Runs BYTES on a stack of A B C D; the value on top, or the error.
  (defalias 'op-run (lambda (bytes a b c d &optional more)
    (condition-case e
        (funcall (make-byte-code 0 (apply #'unibyte-string (append '(192 193 194 195) bytes '(135))) (vconcat (vector a b c d) more) 16))
      (error (if (memq (car e) '(wrong-type-argument args-out-of-range void-variable setting-constant arith-error void-function)) e (car e))))))
  ;; The same, but the whole stack of N values below the top, as a list.
  (defalias 'op-stack (lambda (bytes n) (op-run (append bytes (list 175 n)) 'a 'b 'c 'd [e f g h])))
  (defvar op-var 'value) (defvar op-other nil)
  (defvar op-values '((nil nil nil nil) (1 2 3 4) (4 3 2 1) (1.5 2 -3 0.5) ("abc" "abd" "b" "abc") (a b c a) ((1 2 3) (a . b) (x y) (p 1 q 2))
    ([1 2 3] 1 [9 8] 0) (0 [1 2] (1 2) 1) (t nil t nil) (1 "abc" "ab" 2) (99999999999999999999 2 3 -99999999999999999999) (2 -1 1 0) (a (b) c (a b c))
    (b ((a . 1) (b . 2)) b ((b . 3))) ((3 1 2) < (3 1 2) <) (?a ?b ?c ?\()))
  (defalias 'op-each (lambda (&rest bytes) (mapcar (lambda (v) (op-run bytes (copy-tree (nth 0 v)) (copy-tree (nth 1 v)) (copy-tree (nth 2 v)) (copy-tree (nth 3 v)))) op-values)))
  t)

;; name: opcode 56
(op-each 56)
;; name: opcode 57
(op-each 57)
;; name: opcode 58
(op-each 58)
;; name: opcode 59
(op-each 59)
;; name: opcode 60
(op-each 60)
;; name: opcode 61
(op-each 61)
;; name: opcode 62
(op-each 62)
;; name: opcode 63
(op-each 63)
;; name: opcode 64
(op-each 64)
;; name: opcode 65
(op-each 65)
;; name: opcode 66
(op-each 66)
;; name: opcode 67
(op-each 67)
;; name: opcode 68
(op-each 68)
;; name: opcode 69
(op-each 69)
;; name: opcode 70
(op-each 70)
;; name: opcode 71
(op-each 71)
;; name: opcode 72
(op-each 72)
;; name: opcode 73
(op-each 73)
;; name: opcode 74
(op-each 74)
;; name: opcode 75
(op-each 75)
;; name: opcode 76
(op-each 76)
;; name: opcode 77
(op-each 77)
;; name: opcode 78
(op-each 78)
;; name: opcode 79
(op-each 79)
;; name: opcode 80
(op-each 80)
;; name: opcode 81
(op-each 81)
;; name: opcode 82
(op-each 82)
;; name: opcode 83
(op-each 83)
;; name: opcode 84
(op-each 84)
;; name: opcode 85
(op-each 85)
;; name: opcode 86
(op-each 86)
;; name: opcode 87
(op-each 87)
;; name: opcode 88
(op-each 88)
;; name: opcode 89
(op-each 89)
;; name: opcode 90
(op-each 90)
;; name: opcode 91
(op-each 91)
;; name: opcode 92
(op-each 92)
;; name: opcode 93
(op-each 93)
;; name: opcode 94
(op-each 94)
;; name: opcode 95
(op-each 95)
;; name: opcode 96 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 96))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 98 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 98))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 99 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 99))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 100 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 100))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 101 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 101))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 102 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 102))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 103 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 103))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 104 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 104))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 105 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 105))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 106 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 106))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 108 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 108))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 109 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 109))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 110 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 110))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 111 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 111))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 112 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 112))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 113 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 113))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 117 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 117))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 118 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 118))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 119 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 119))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 120 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 120))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 121 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 121))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 122 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 122))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 123 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 123))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 124 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 124))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 125 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 125))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 126 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 126))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 127 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 127))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 147 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 147))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 148 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 148))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 149 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 149))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 150 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 150))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 151 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 151))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 152 in a buffer
(with-temp-buffer (insert "one two\nthree (four) five\nsix") (goto-char 6) (let ((r (op-each 152))) (list r (point) (point-min) (point-max) (buffer-string))))
;; name: opcode 153
(op-each 153)
;; name: opcode 154
(op-each 154)
;; name: opcode 155
(op-each 155)
;; name: opcode 156
(op-each 156)
;; name: opcode 157
(op-each 157)
;; name: opcode 158
(op-each 158)
;; name: opcode 159
(op-each 159)
;; name: opcode 160
(op-each 160)
;; name: opcode 161
(op-each 161)
;; name: opcode 162
(op-each 162)
;; name: opcode 163
(op-each 163)
;; name: opcode 164
(op-each 164)
;; name: opcode 165
(op-each 165)
;; name: opcode 166
(op-each 166)
;; name: opcode 167
(op-each 167)
;; name: opcode 168
(op-each 168)
;; name: opcodes 1 to 7, stack-ref
(list (mapcar (lambda (n) (op-stack (list n) 3)) '(1 2 3)) (op-stack '(6 0) 3) (op-stack '(6 3) 3) (op-stack '(7 1 0) 3) (op-stack '(7 3 0) 3) (op-stack '(137) 3) (op-stack '(136) 2))
;; name: opcodes 8 to 15, varref
(let ((op-var 1) (op-other 2))
  (list (mapcar (lambda (n) (let ((r (condition-case e (funcall (make-byte-code 0 (apply #'unibyte-string (append '(192) (list (+ 8 n)) '(193) nil '(135)))
      (vconcat (vector 'v 'w) (make-vector (max 0 (- n 2)) nil) (if (> n 1) [op-var])) 8)) (error e)))) (list r op-var))) '(2 3 4 5))
   (mapcar (lambda (s) (condition-case e (list (funcall (make-byte-code 0 (unibyte-string 192 14 1 192 135) (vector 'x s) 8)) op-var) (error e))) '(op-var op-other nil t :key op-void))
   (mapcar (lambda (s) (condition-case e (list (funcall (make-byte-code 0 (unibyte-string 192 15 1 0 192 135) (vector 'x s) 8)) op-var) (error e))) '(op-var op-other nil t :key op-void2))))
;; name: opcodes 16 to 23, varset
(let ((op-var 1) (op-other 2))
  (list (mapcar (lambda (n) (let ((r (condition-case e (funcall (make-byte-code 0 (apply #'unibyte-string (append '(192) (list (+ 16 n)) '(193) nil '(135)))
      (vconcat (vector 'v 'w) (make-vector (max 0 (- n 2)) nil) (if (> n 1) [op-var])) 8)) (error e)))) (list r op-var))) '(2 3 4 5))
   (mapcar (lambda (s) (condition-case e (list (funcall (make-byte-code 0 (unibyte-string 192 22 1 192 135) (vector 'x s) 8)) op-var) (error e))) '(op-var op-other nil t :key op-void))
   (mapcar (lambda (s) (condition-case e (list (funcall (make-byte-code 0 (unibyte-string 192 23 1 0 192 135) (vector 'x s) 8)) op-var) (error e))) '(op-var op-other nil t :key op-void2))))
;; name: opcodes 24 to 31, varbind
(let ((op-var 1) (op-other 2))
  (list (mapcar (lambda (n) (let ((r (condition-case e (funcall (make-byte-code 0 (apply #'unibyte-string (append '(192) (list (+ 24 n)) '(193) '(41) '(135)))
      (vconcat (vector 'v 'w) (make-vector (max 0 (- n 2)) nil) (if (> n 1) [op-var])) 8)) (error e)))) (list r op-var))) '(2 3 4 5))
   (mapcar (lambda (s) (condition-case e (list (funcall (make-byte-code 0 (unibyte-string 192 30 1 192 41 135) (vector 'x s) 8)) op-var) (error e))) '(op-var op-other nil t :key op-void))
   (mapcar (lambda (s) (condition-case e (list (funcall (make-byte-code 0 (unibyte-string 192 31 1 0 192 41 135) (vector 'x s) 8)) op-var) (error e))) '(op-var op-other nil t :key op-void2))))
;; name: opcodes 32 to 39, call
(list (mapcar (lambda (n) (condition-case e (funcall (make-byte-code 0 (apply #'unibyte-string (append '(192 193 194 195 196 197) nil (list (+ 32 n)) '(135))) (vector 'list 'list 'list 'list 'list 'list) 12)) (error e))) '(0 1 2 3 4 5))
  (condition-case e (funcall (make-byte-code 0 (unibyte-string 192 193 193 38 2 135) [list 1] 12)) (error e))
  (condition-case e (funcall (make-byte-code 0 (unibyte-string 192 193 193 39 2 0 135) [list 1] 12)) (error e))
  (mapcar (lambda (f) (condition-case e (funcall (make-byte-code 0 (unibyte-string 192 193 33 135) (vector f 1) 12)) (error (list (car e) (cdr e))))) (list 'car '1+ 'op-none 5 nil "x" '(lambda (x) (list x)) '(macro . list) 'if 'ignore)))
;; name: opcodes 40 to 47, unbind; 146
(list (let ((op-var 1)) (funcall (make-byte-code 0 (unibyte-string 192 25 192 25 9 42 9 175 2 135) [x op-var] 12)))
  (let ((op-var 1)) (funcall (make-byte-code 0 (unibyte-string 192 25 192 25 9 46 2 9 175 2 135) [x op-var] 12)))
  (let ((op-var 1)) (funcall (make-byte-code 0 (unibyte-string 192 25 192 25 9 47 2 0 9 175 2 135) [x op-var] 12)))
  (let ((op-var 1)) (funcall (make-byte-code 0 (unibyte-string 192 25 9 40 41 9 175 2 135) [x op-var] 12)))
  (let ((op-var 1)) (list (funcall (make-byte-code 0 (unibyte-string 192 25 192 25 9 146 9 175 2 135) [x op-var] 12)) op-var)))
;; name: opcodes 48 to 50, handlers
(list (funcall (make-byte-code 0 (unibyte-string 192 49 9 0 193 194 33 48 135 195 68 135) [(wrong-type-argument) car 5 caught] 12))
  (funcall (make-byte-code 0 (unibyte-string 192 49 9 0 193 194 33 48 135 195 68 135) [(wrong-type-argument) car (5) caught] 12))
  (funcall (make-byte-code 0 (unibyte-string 192 50 10 0 193 192 194 34 48 135 195 68 135) [tag throw 5 caught] 12))
  (funcall (make-byte-code 0 (unibyte-string 192 50 9 0 193 48 135 135 135 195 68 135) [tag throw 5 caught] 12))
  (condition-case e (funcall (make-byte-code 0 (unibyte-string 192 49 9 0 193 194 33 48 135 195 68 135) [(arith-error) car 5 caught] 12)) (error e)))
;; name: opcodes 129 to 135, jumps
(mapcar (lambda (v) (list (op-run '(129 4 0) v v v v ["far"]) (op-run '(130 9 0 192 135 68) v 1 2 3) (op-run '(131 9 0 193 135 68) v 1 2 v) (op-run '(132 9 0 193 135 68) v 1 2 v)
   (op-run '(133 9 0 193 135 68) v 1 2 v) (op-run '(134 9 0 193 135 68) v 1 2 v))) '(nil t 5))
;; name: opcodes 170 to 174, relative jumps
(mapcar (lambda (v) (list (op-run '(170 130 193 135 68) v 1 2 v) (op-run '(171 130 193 135 68) v 1 2 v) (op-run '(172 130 193 135 68) v 1 2 v) (op-run '(173 130 193 135 68) v 1 2 v) (op-run '(174 130 193 135 68) v 1 2 v))) '(nil t 5))
;; name: opcodes 138 and 139, save-excursion and save-window-excursion
(with-temp-buffer (insert "hello") (goto-char 3)
  (list (funcall (make-byte-code 0 (unibyte-string 138 192 98 136 96 41 96 175 2 135) [1] 12)) (point)
        (op-run '(139) 1 2 3 '((+ 1 2))) (op-run '(139) 1 2 3 '((car 5))) (op-run '(139) 1 2 3 nil)))
;; name: opcodes 97, 114 and 140, save-current-buffer and save-restriction
(with-temp-buffer (insert "hello") (let ((other (generate-new-buffer "op")))
  (prog1 (list (funcall (make-byte-code 0 (unibyte-string 114 192 113 136 112 41 112 61 135) (vector other) 12)) (eq (current-buffer) other)
     (funcall (make-byte-code 0 (unibyte-string 97 192 113 136 112 41 112 61 135) (vector other) 12)) (eq (current-buffer) other)
     (funcall (make-byte-code 0 (unibyte-string 140 192 193 125 136 111 41 108 175 2 135) (vector 2 3) 12)) (point-max)) (kill-buffer other))))
;; name: opcodes 141 to 143, catch, unwind-protect and condition-case of forms
(list (op-run '(141) 1 2 'tag '((throw 'tag 5))) (op-run '(141) 1 2 'tag '(+ 1 2)) (op-run '(141) 1 2 'tag '((throw 'op-none 5)))
  (let ((op-other nil)) (list (funcall (make-byte-code 0 (unibyte-string 192 142 193 41 135) (vector '((setq op-other 5)) 7) 12)) op-other))
  (let ((op-other nil)) (list (funcall (make-byte-code 0 (unibyte-string 192 142 193 41 135) (vector (lambda () (setq op-other 6)) 7) 12)) op-other))
  (let ((op-other nil)) (list (condition-case e (funcall (make-byte-code 0 (unibyte-string 192 142 193 193 33 41 135) (vector (lambda () (setq op-other 6)) 'car) 12)) (error e)) op-other))
  (op-run '(143) 1 'err '(car 5) '((wrong-type-argument (list 'got err)))) (op-run '(143) 1 'err '(list 5) '((wrong-type-argument (list 'got err))))
  (op-run '(143) 1 'err '(car 5) '((arith-error 1))) (op-run '(143) 1 nil '(car 5) '((error 1))) (op-run '(143) 1 5 '(car 5) '((error 1))))
;; name: opcodes 144 and 145, with-output-to-temp-buffer
(save-window-excursion (list (funcall (make-byte-code 0 (unibyte-string 192 144 193 194 33 145 135) ["*op*" princ "text"] 12))
  (with-current-buffer "*op*" (buffer-string)) (progn (kill-buffer "*op*") (condition-case e (funcall (make-byte-code 0 (unibyte-string 192 144 135) [5] 12)) (error e)))))
;; name: opcode 116, interactive-p
(list (funcall (make-byte-code 0 (unibyte-string 116 135) [] 12)) (call-interactively (make-byte-code 0 (unibyte-string 116 135) [] 12 nil nil)))
;; name: opcodes 175 to 179 and 182, of counts
(list (op-stack nil 4) (op-stack nil 0) (op-stack nil 1) (op-run '(175 2) 1 2 3 4) (mapcar (lambda (v) (apply #'op-run '(176 4) v)) op-values) (op-run '(176 0) 1 2 3 4) (op-run '(176 1) 1 2 3 "x")
  (mapcar (lambda (v) (let ((r nil)) (with-temp-buffer (setq r (apply #'op-run '(177 4) v)) (list r (buffer-string))))) op-values)
  (op-stack '(178 2) 3) (op-stack '(178 1) 3) (op-stack '(178 3) 3) (op-stack '(179 2 0) 3) (op-stack '(179 3 0) 3)
  (op-stack '(182 1) 3) (op-stack '(182 2) 2) (op-stack '(182 129) 3) (op-stack '(182 130) 2) (op-stack '(182 3) 1) (op-stack '(182 131) 1) (op-stack '(182 0) 4) (op-stack '(182 128) 4))
;; name: opcode 183, switch
(let ((h (make-hash-table))) (puthash 1 8 h) (puthash 'a 10 h)
  (mapcar (lambda (v) (condition-case e (funcall (make-byte-code 257 (unibyte-string 137 192 183 193 135 0 0 0 194 135 195 135) (vector h 'no 'one 'a) 9) v) (error e))) '(1 a 2 nil)))
;; name: opcodes 192 to 255, constants
(let ((v (make-vector 64 nil))) (dotimes (i 64) (aset v i i))
  (let ((r nil)) (dotimes (i 64) (push (funcall (make-byte-code 0 (unibyte-string (+ 192 i) 135) v 2)) r)) r))
;; name: opcode 145 without 144 leaves the bindings of others alone
(let ((op-var 1)) (with-temp-buffer (list (condition-case e (funcall (make-byte-code 0 (unibyte-string 192 144 136 41 193 194 33 135) ["*op*" list 5] 12)) (error e)) (bufferp standard-output) op-var)))

;; name: what an error in with-output-to-temp-buffer leaves
(let ((f (make-byte-code 0 (unibyte-string 192 144 136 193 194 33 135) ["*op*" car 5] 12)))
  (list (condition-case e (funcall f) (error e)) (bufferp standard-output) (with-current-buffer "*op*" (list buffer-read-only buffer-undo-list))))
