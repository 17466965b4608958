;;; Events: modifiers in characters and symbols, and their descriptions.  -*- lexical-binding: t -*-
(mapcar #'event-convert-list
        '((control ?a) (control ?A) (control ?z) (control ?@) (control ?\[) (control ?\\) (control ?\]) (control ?^)
          (control ?_) (control ??) (control ?\s) (control ?0) (control ?-) (control ?\t) (control ?\e) (control ?\d)))
(mapcar #'event-convert-list
        '((control meta ?a) (meta ?a) (shift ?a) (shift ?A) (shift ?1) (super ?a) (hyper ?a) (alt ?a)
          (control shift ?a) (control shift ?A) (control meta shift ?q) (meta control super hyper alt shift ?b)))
(mapcar #'event-convert-list
        '((control f1) (meta f1) (shift f1) (super hyper alt f1) (control meta down mouse-1) (double mouse-1)
          (triple drag mouse-2) (up f1) (click mouse-1) (down mouse-3)))
(mapcar #'event-convert-list '((a) (?a) (control a) (C a) (control C-f1) (f1) (control 233) (control 946) (shift 233)))
(mapcar (lambda (d) (condition-case e (event-convert-list d) (error e)))
        '((control) (nil) (control nil) () (control control ?a) (?a ?b) (control "a") (f1 f2) (foo ?a) (control meta)
          (1.5) ("x") (control . ?a)))
(condition-case e (event-convert-list 'a) (error e))
(condition-case e (event-convert-list 5) (error e))
(mapcar #'internal-event-symbol-parse-modifiers
        '(f1 C-f1 M-f1 C-M-f1 M-C-f1 s-H-A-f1 S-mouse-1 mouse-1 down-mouse-1 C-down-mouse-1 double-mouse-1
          double-down-mouse-1 triple-drag-mouse-2 drag-mouse-3 up-mouse-1 mouse-12 C- - C-M- x wheel-up
          double-wheel-up C-wheel-down nil t mouse-movement C-mouse-movement))
(mapcar #'internal-event-symbol-parse-modifiers
        '(wheel-left wheel-foo mouse-a mouse-0 wheel- wheel xmouse-1 drag-wheel-up up-wheel-up down-wheel-up double-wheel-up
          double-drag-mouse-1 up-mouse-1 double-up-mouse-1 C-up-mouse-1 drag-mouse-1))
(progn (internal-event-symbol-parse-modifiers 'C-kt-event) (symbol-plist 'C-kt-event))
(mapcar #'event-modifiers '(?a ?A ?\C-a ?\M-a ?\C-\M-a f1 C-f1 down-mouse-1 mouse-2 (mouse-1 foo) ?\s-a ?\H-a ?\A-a ?\S-a
                               ?\C-% ?\e ?\t ?\r ?\d 127 0))
(mapcar #'event-basic-type '(?a ?A ?\C-a ?\M-a ?\C-\M-a f1 C-f1 M-f1 down-mouse-1 mouse-1 ?\e ?\d 0))
(mapcar #'single-key-description
        (list ?a ?\C-a ?\M-a ?\C-\M-a ?\e ?\t ?\r ?\n ?\s ?\d 0 31 28 ?\C-% ?\S-a ?\s-a ?\H-a ?\A-a ?\C-\t ?\M-\t ?\M-\r
              ?\M-\s ?\C-\s ?\C-\e 233 #x3b2 #x3ffffe (logior ?\M-a 0) ?\A-\C-\H-\M-\S-\s-x))
(mapcar #'single-key-description '(f1 C-f1 M-C-f1 C-M-f1 mouse-1 down-mouse-1 C-down-mouse-1 nil t remap menu-bar a C-a s-a))
(mapcar (lambda (k) (single-key-description k t)) '(f1 C-f1 mouse-1 ?a ?\C-a nil))
(mapcar #'single-key-description '((mouse-1 foo) (control ?a) (?a . ?z) (f1) "abc"))
(mapcar (lambda (k) (condition-case e (single-key-description k) (error e))) '(1.5 [1] -1 4194304 536870912))
(mapcar #'text-char-description '(?a 0 1 26 27 31 32 127 128 160 200 255 233 946 4194303))
(mapcar (lambda (k) (condition-case e (text-char-description k) (error e))) '(-1 4194304 f1 nil "a" ?\M-a))
(mapcar #'key-description (list "" "a" "\C-x\C-f" "\ex" "\M-x" [?\M-x] [?\e ?x] [27] [27 27] [27 f1] [27 27 ?a] [f1 ?a]
                                [menu-bar file] [remap foo] [(control ?a)] [27 ?\M-a] "é" "\x80" "\xff" '(1 2) '(f1) nil))
(key-description "a" "\C-x")
(key-description "a" [27])
(key-description [f1] [27])
(key-description nil [27])
(key-description [?a ?b] [f1 f2])
(mapcar (lambda (k) (condition-case e (key-description k) (error e))) '(5 foo [1.5] (1 . 2) ["x"]))
(condition-case e (key-description "a" 5) (error e))
(mapcar (lambda (s) (condition-case e (kbd s) (error e)))
        '("C-x C-f" "M-x" "<f1>" "C-<f1>" "RET" "ESC" "TAB" "SPC" "DEL" "C-M-a" "M-C-a" "s-x" "C-x 4 f" "a b c" "C-é"
          "<mouse-1>" "C-M-<down-mouse-1>" "" "C-RET" "M-RET" "A-x" "H-x" "<<" "C-?" "C-@" "C-SPC" "\\[" "é"))
(mapcar (lambda (s) (key-description (kbd s))) '("C-x C-f" "M-x" "<f1>" "C-<f1>" "RET" "ESC" "M-TAB" "C-SPC" "M-DEL"))
(mapcar #'listify-key-sequence (list "a\C-b" "\M-a" [f1 ?a] ""))
