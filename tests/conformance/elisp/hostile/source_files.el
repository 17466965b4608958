;; Source files that end too early, are unbalanced, are no text, or claim absurd sizes: what `load' and the compiler say.

(defvar sf-seen nil)
(defun sf-write (bytes name)
  (let ((coding-system-for-write 'no-conversion)) (write-region bytes nil name nil 'silent))
  (expand-file-name name))
;; Where in the file a syntax error is depends on more than the file; read/error_places.el looks at that.
(defun sf-error (e) (if (eq (car e) 'invalid-read-syntax) (list (car e) (cadr e)) e))
;; Loads a file of these bytes, after a form of its own: (ANSWER ON-LOAD-LIST), where the first form always leaves a mark.
(defun sf-load (bytes &optional name)
  (setq sf-seen nil)
  (let ((file (sf-write (concat "(push 1 sf-seen)\n" bytes) (or name "sf-a.el"))))
    (unwind-protect
        (list (condition-case e (load file nil t t) (error (sf-error e))) sf-seen)
      (delete-file file))))
(defun sf-compile (bytes)
  (let ((file (sf-write bytes "sf-c.el")) (inhibit-message t))
    (unwind-protect
        (list (condition-case e (byte-compile-file file) (error e)) (file-exists-p "sf-c.elc"))
      (delete-file file)
      (if (file-exists-p "sf-c.elc") (delete-file "sf-c.elc")))))
(defconst sf-broken
  '("(push 2 sf-seen" "(push 2 sf-seen))" ")" "]" "(push 2 sf-seen]" "[1 2" "[1 2)" "\"abc" "\"abc\\" "?" "?\\" "?\\^" "?\\M-"
    "?\\C-" "?\\x" "?\\N{" "?\\N{LATIN" "?\\u12" "?\\U0011" "'" "`" "," ",@" "#'" "#" "#(" "#s" "#s(" "#s(a" "#[" "#^" "#^[" "#^^["
    "#&" "#&5" "#&5\"" "#&5\"a" "#1" "#1=" "#1#" "#1=#1#" "#1=(#1#" "#x" "#b2" "#o8" "#24r" "#99r1" "#0r1" "#<" "#<buffer x>" "#@" "#:"
    "#_" "##" "(a ." "(a . b" "(a . b c)" "(a . )" "( . )" "( . a)" "(a . . b)" "." "\\" "a\\" ";" "#!" "#|" "\"\\x" "\"\\N{"
    "\"\\u12\"" "\"\\U12345678\"" "\"\\x110000000\"" "?ab" "?a?b" "#$" "(#$" "(((((((((("))
(mapcar (lambda (text) (cons text (sf-load text))) sf-broken)
(mapcar (lambda (text) (cons text (sf-compile text))) '("(defun f ()" "(defun f ()))" "\"abc" "#[1 2]" "(a . b c)" "#<x>" "#@5" "?" ""))

;; Bytes that are no UTF-8, and coding tags that are wrong.
(mapcar (lambda (bytes) (let ((load-history nil)) (setq sf-value nil) (list bytes (car (sf-load bytes)) sf-value
          (condition-case nil (multibyte-string-p sf-value) (error 'none)))))
        '("(setq sf-value \"\377\376\")" "(setq sf-value \"a\303\")" "(setq sf-value \"\303\")" "(setq sf-value '\351t)"
          "(setq sf-value \"\303\244 \377\")"
          "(setq sf-value ?\377)" "(setq sf-value ?\303\244)" "(setq sf-value ?\303)" "(setq sf-value \"a\0b\")"
          "(setq sf-value 'a\0b)" "(setq\0sf-value 1)" "\0\0\0" "\357\273\277(setq sf-value 2)" "(setq sf-value \"\r\n\")"
          "(setq sf-value ;\303\n 3)" "(setq sf-value \"\343\201"))
(mapcar (lambda (first) (let ((file (sf-write (concat first "\n(setq sf-value \"\303\244\344\")\n") "sf-t.el"))) (setq sf-value nil)
          (list (condition-case e (load file nil t t) (error e)) sf-value)))
        '(";; -*- coding: latin-1 -*-" ";; -*- coding: nonsense -*-" ";; -*- coding: -*-" ";; -*- coding: utf-8-emacs -*-"
          ";; -*- coding: utf-16 -*-" ";; -*- lexical-binding" ";; -*-"
          ";; -*- coding: utf-8-emacs; coding: latin-1 -*-" ";; -*- -*- -*-" ";; -*- lexical-binding: (a b -*-"))
;; A byte order mark, alone and before a form; UTF-16 text.
(mapcar #'sf-load '("\357\273\277" "\377\376(\0)\0" "\376\377\0(\0)"))
(mapcar (lambda (bytes) (let ((file (sf-write bytes "sf-t.el"))) (setq sf-value nil) (list (condition-case e (load file nil t t) (error e)) sf-value)))
        '("" "\357\273\277" "\357\273\277(setq sf-value 1)" "\377\376(\0s\0e\0t\0q\0 \0s\0f\0-\0v\0a\0l\0u\0e\0 \0002\0)\0" "\0" "\n" "\r" "\f"
          "\1\2\3\4\5\6\7\16\17\20" "\32" "\33" "\177" "\t" "#!/bin/sh" "#!/bin/sh\n(setq sf-value 4)" "#!" "##!" "\e[0m"))

;; #@ in source and in compiled files: a count of bytes to skip.
(mapcar (lambda (text) (setq sf-value nil) (list text (car (sf-load text)) sf-value))
        '("#@5 abcd(setq sf-value 1)" "#@0(setq sf-value 1)" "#@1 (setq sf-value 1)" "#@00(setq sf-value 1)" "#@9999 (setq sf-value 1)"
          "#@-5 (setq sf-value 1)" "#@99999999999999999999999 (setq sf-value 1)" "#@x (setq sf-value 1)" "#@ (setq sf-value 1)"
          "#@2147483647 (setq sf-value 1)" "#@4294967296 (setq sf-value 1)" "#@9223372036854775807 (setq sf-value 1)"
          "(setq sf-value '(1 #@3 ab 2))" "(setq sf-value '(1 #@100 ab 2))" "(setq sf-value #@)" "#@1" "#@5" "#@05 abcd(setq sf-value 1)"))
(defun sf-load-elc (text)
  (setq sf-value nil)
  (let ((file (sf-write (concat ";ELC\27\0\0\0\n;;; Compiled\n;;; in Emacs version 28.2\n\n" text) "sf-b.elc")))
    (list (condition-case e (load file nil t t) (error e)) sf-value)))
(mapcar (lambda (text) (cons text (sf-load-elc text)))
        '("#@10 abcdefgh\37(setq sf-value 1)" "#@100 abcdefgh\37(setq sf-value 1)" "#@-1 a\37(setq sf-value 1)"
          "#@99999999999999999999 a\37(setq sf-value 1)" "#@00(setq sf-value 1)" "#@18446744073709551615 x(setq sf-value 1)"
          "(setq sf-value '(#$ . 10))" "(setq sf-value '(#$ . 99999999))" "(setq sf-value '(#$ . -5))" "(setq sf-value #[0 \"\300\207\" [1] 1])" "(setq sf-value #[0" "(setq sf-value #[0 \"\300" "\377\376" "\0\0\0" ")"))
(mapcar (lambda (place)
          (let ((file (sf-write (concat ";ELC\27\0\0\0\n#@6 text\37\n(defalias 'sf-doc #[0 \"\300\207\" [1] 1 (#$ . " place ")])\n") "sf-d.elc")))
            (condition-case e (list (load file nil t t) (condition-case e (documentation 'sf-doc) (error (car e)))) (error e))))
        '("13" "12" "0" "-13" "5" "99999" "99999999999999999999" "x" "1.5"))
(mapcar (lambda (head) (let ((file (sf-write (concat head "(setq sf-value 5)\n") "sf-h.elc"))) (setq sf-value nil)
          (list (condition-case e (load file nil t t) (error (car e))) sf-value)))
        '("" ";" ";E" ";ELC" ";ELC\n" ";ELC\27" ";ELC\27\0\0\0\n" ";ELC\0\0\0\0\n" ";ELC\377\377\377\377\n" ";elc\27\0\0\0\n"))

;; Absurd sizes in what the reader takes.
(mapcar (lambda (text) (cons text (condition-case e (list (type-of (car (read-from-string text)))) (error e))))
        '("#&0\"\"" "#&1\"\"" "#&8\"a\"" "#&9\"a\"" "#&7\"aa\"" "#&1000000000000\"a\"" "#&99999999999999999999\"a\"" "#&-1\"a\"" "#&8 \"a\"" "#&8\"\303\244\""
          "#&2305843009213693951\"a\"" "#&9223372036854775807\"a\"" "#&18446744073709551616\"\""
          "#s(hash-table size 99999999999999999999 data (1 2))" "#s(hash-table size -1 data (1 2))" "#s(hash-table size 1.5)"
          "#s(hash-table data (1))" "#s(hash-table data 5)" "#s(hash-table test nonsense data (1 2))" "#s(hash-table rehash-size -1)"
          "#s(hash-table rehash-threshold 5)" "#s(hash-table weakness nonsense)" "#s()" "#s" "#s 5" "#s(5)"
          "#99999999999999999999=(a)" "#99999999999999999999#" "#2147483648=a" "#4294967297=(a #4294967297#)" "#4294967297=(a #1#)"
          "#99999999999999999999r1" "#36rzz" "#37r1" "#1r0" "1e99999999999" "1e-99999999999" "-1e400" "1.0e+INF" "0.0e+NaN" "-0.0e+NaN" "1e+NaN"
          "?\\x3fffff" "?\\x400000" "?\\xffffffffffffffffffff" "?\\777" "?\\1000" "?\\U00110000" "?\\uFFFFF" "\"\\x400000\"" "\"\\777\""
          "#^[1 2]" "#^[]" "#^^[]" "#^^[1 2 3]" "#^^[4 0 1]" "#[]" "#[1]" "#[1 2 3 4 5 6 7]" "#[nil \"\" [] 99999999999]" "#[257 \"\\300\\207\" [] -1]"
          "#(\"abc\" 0 99 (a b))" "#(\"abc\" -1 2 (a b))" "#(\"abc\" 0 1)" "#(\"abc\" 0)" "#(5)" "#()"))
(length (car (read-from-string (concat "(" (make-string 200000 ?a) ")"))))
(length (symbol-name (car (read-from-string (make-string 3000000 ?b)))))
(length (car (read-from-string (concat "\"" (make-string 5000000 ?c) "\""))))
(logb (car (read-from-string (concat "#x" (make-string 10000 ?f)))))
(length (car (read-from-string (concat "[" (mapconcat #'identity (make-list 300000 "1") " ") "]"))))

;; What is no file.
(mapcar (lambda (name) (format "%S" (cons name (mapcar (lambda (f) (condition-case e (funcall f name) (error e)))
                                          (list (lambda (n) (load n nil t t)) (lambda (n) (load n t t t)) (lambda (n) (load n nil t))
                                                (lambda (n) (load-file n)) (lambda (n) (require 'sf-none n)) (lambda (n) (require 'sf-none n t))
                                                (lambda (n) (byte-compile-file n)))))))
        '("/" "sf-none" "sf-none.el" "" "/dev/null" "/nonexistent/x.el" "a\0b"))
(progn (make-directory "sf-dir.el") (mapcar (lambda (name) (condition-case e (load (expand-file-name name) nil t) (error e))) '("sf-dir" "sf-dir.el" "sf-dir.el/")))
(progn (make-directory "sf-dir2.elc") (sf-write "(setq sf-value 7)" "sf-dir2.el") (list (condition-case e (load (expand-file-name "sf-dir2") nil t) (error e)) sf-value))
(progn (make-symbolic-link "sf-loop.el" "sf-loop.el") (condition-case e (load (expand-file-name "sf-loop.el") nil t t) (error (list (car e) (nth 1 e) (nth 2 e)))))
(progn (make-symbolic-link "sf-gone.el" "sf-dangling.el") (condition-case e (load (expand-file-name "sf-dangling") nil t) (error (list (car e) (nth 1 e) (nth 2 e)))))
(condition-case e (load (concat "/" (make-string 5000 ?x)) nil t) (error (list (car e) (nth 1 e) (nth 2 e))))
(mapcar (lambda (n) (condition-case e (load n) (error e))) '(5 nil (a) [a]))
