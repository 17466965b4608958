;; Call sites that learn: what they remember must never show.
(require 'cl-lib)
(defvar quick-tags '(quick other))
;; The check of a structure's type, as cl-defstruct's accessors do it, over and over.
(defalias 'quick-check (byte-compile (lambda (x) (if (memq (type-of x) quick-tags) (aref x 1) (list 'no x)))))
(mapcar 'quick-check (list (record 'quick 1) (record 'other 2) (record 'third 3) 5 nil 'a "s" 1.5 [quick 1]))
(mapcar 'quick-check (list (record 'quick 1) (record 'other 2) (record 'third 3) 5 nil 'a "s" 1.5 [quick 1]))
;; The list changes, by another value and in place.
(let ((quick-tags '(third))) (mapcar 'quick-check (list (record 'quick 1) (record 'third 3))))
(let ((quick-tags (list 'a 'b 'quick))) (list (quick-check (record 'quick 7)) (progn (setcar (cddr quick-tags) 'c) (quick-check (record 'quick 7)))))
(let ((quick-tags (list 'a 'b 'quick))) (list (quick-check (record 'quick 7)) (progn (setcdr quick-tags nil) (quick-check (record 'quick 7)))))
;; The list is no list, dotted, circular, long, void.
(let ((quick-tags 5)) (quick-check (record 'quick 7)))
(let ((quick-tags '(a . b))) (quick-check (record 'quick 7)))
(let ((quick-tags '(quick . b))) (quick-check (record 'quick 7)))
(let ((quick-tags (list 'a 'b))) (setcdr (cdr quick-tags) quick-tags) (quick-check (record 'quick 7)))
(let ((quick-tags (append (number-sequence 1 1000) '(quick)))) (quick-check (record 'quick 7)))
(let ((quick-tags 1)) (makunbound 'quick-tags) (quick-check (record 'quick 7)))
(quick-check (record 'quick 7))
;; state: buffer
(progn (setq-local quick-tags '(local)) (list (quick-check (record 'quick 1)) (quick-check (record 'local 2))))
(progn (defvar quick-alias-base '(base)) (defvaralias 'quick-alias 'quick-alias-base) (defalias 'quick-check-alias (byte-compile '(lambda (x) (if (memq (type-of x) quick-alias) 'yes 'no)))) (list (quick-check-alias (record 'base)) (quick-check-alias (record 'quick)) (let ((quick-alias-base '(quick))) (quick-check-alias (record 'quick)))))
;; A record whose type is a record: type-of looks into it.
(let ((quick-tags '(deep))) (list (quick-check (record (record 'class 'deep 3) 1)) (quick-check (record (record 'class 'deep) 1)) (quick-check (record 5 1))))
;; type-of itself is redefined, and comes back.
(let ((old (symbol-function 'type-of))) (unwind-protect (progn (fset 'type-of (lambda (_) 'other)) (list (quick-check [a b]) (quick-check (record 'nobody 5)))) (fset 'type-of old)))
(list (quick-check [a b]) (quick-check (record 'nobody 5)) (quick-check (record 'quick 5)))
(defalias 'quick-type (byte-compile (lambda (x) (list (type-of x)))))
(mapcar 'quick-type (list (record 'quick 1) 5 nil 'a "s" 1.5 [quick 1] (record (record 'class 'deep 3) 1) (make-hash-table) '(1) (symbol-function 'car)))
(condition-case e (let ((f (byte-compile (lambda (x) (memq (type-of x) quick-unknown-variable))))) (funcall f (record 'a))) (error e))
;; The registers of the check stay what the instructions make them.
(let ((f (byte-compile (lambda (x) (let* ((type (type-of x)) (found (memq type quick-tags))) (list type found)))))) (list (funcall f (record 'quick)) (funcall f (record 'other)) (funcall f (record 'else)) (funcall f 1)))
;; Hash lookups with every test, and one of the user's own.
(defalias 'quick-get (byte-compile (lambda (k h) (list (gethash k h) (gethash k h 'default)))))
(defalias 'quick-put (byte-compile (lambda (k v h) (puthash k v h))))
(mapcar (lambda (test) (let ((h (make-hash-table :test test))) (list (quick-get 1 h) (quick-put 1 'one h) (quick-put "s" 'string h) (quick-put 2.5 'float h) (quick-put '(1 2) 'list h) (quick-put nil 'nil h) (quick-get 1 h) (quick-get (copy-sequence "s") h) (quick-get (+ 2.0 0.5) h) (quick-get (list 1 2) h) (quick-get nil h) (hash-table-count h)))) '(eq eql equal))
(progn (define-hash-table-test 'quick-test (lambda (a b) (= (mod a 10) (mod b 10))) (lambda (a) (mod a 10))) (let ((h (make-hash-table :test 'quick-test))) (list (quick-put 3 'three h) (quick-put 13 'thirteen h) (quick-get 23 h) (quick-get 4 h) (hash-table-count h))))
(condition-case e (quick-get 1 'no-table) (error e))
(condition-case e (quick-get 1 [1]) (error e))
(condition-case e (quick-put 1 2 nil) (error e))
(let ((h (make-hash-table :weakness 'key :test 'equal))) (quick-put "a" 1 h) (garbage-collect) (list (quick-get "b" h)))
;; Removal of what a site has learnt.
(let ((old (symbol-function 'puthash))) (unwind-protect (progn (fmakunbound 'puthash) (condition-case e (quick-put 1 2 (make-hash-table)) (error e))) (fset 'puthash old)))
(let ((h (make-hash-table))) (list (quick-put 1 2 h) (gethash 1 h)))
;; Structures, their children and their predicates.
(progn (cl-defstruct quick-point x y) (cl-defstruct (quick-point3 (:include quick-point)) z) 'ok)
(defalias 'quick-sum (byte-compile (lambda (p) (condition-case e (progn (setf (quick-point-x p) (1+ (quick-point-x p))) (list (quick-point-p p) (quick-point3-p p) (+ (quick-point-x p) (quick-point-y p)))) (error (list 'error (car e)))))))
(mapcar 'quick-sum (list (make-quick-point :x 1 :y 2) (make-quick-point3 :x 1 :y 2 :z 3) [a 1 2] nil 'x (record 'other 1 2)))
(mapcar 'quick-sum (list (make-quick-point :x 1 :y 2) (make-quick-point3 :x 1 :y 2 :z 3) [a 1 2] nil 'x (record 'other 1 2)))
;; Keys in every stride find their entries again.
(mapcar (lambda (stride) (let ((h (make-hash-table :test 'eql)) (lost 0)) (dotimes (i 300) (puthash (* i stride) i h)) (dotimes (i 300) (unless (eq (gethash (* i stride) h) i) (setq lost (1+ lost)))) (list lost (hash-table-count h)))) (list 1 7 63 64 1024 65536 1048576 (expt 2 40) -1 -4096 (- (expt 2 50))))
