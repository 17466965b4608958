;;; driver.el --- evaluate corpus forms one at a time and say how each ended -*- lexical-binding: nil -*-

;; Loaded before a job file, which is a sequence of calls of `oracle--case'.  Emacs and NeoVM run the same text, and
;; NeoVM must be able to run it long before GNU's Lisp library is there: so no `defun', `when', `dolist' or any other
;; macro, only special forms and the oldest primitives.  What may be missing (buffers, match data) is looked for.
;;
;; The answers go to standard error, which both machines write at once: when the machine dies, the
;; line `@@oracle N begin' without its answer names the form that killed it.

;; Which language the locale C.UTF-8 means depends on tables of the X window system; here it always means English.
(if (fboundp (quote set-locale-environment)) (set-locale-environment "en_US.UTF-8"))

(setq message-log-max nil)

;; One line on standard error.  `message' is not among the oldest primitives.
(defalias 'oracle--say
  (if (fboundp 'message)
      (function (lambda (oracle--line) (message "%s" oracle--line)))
    (function
     (lambda (oracle--line)
       (princ oracle--line 'external-debugging-output)
       (princ "\n" 'external-debugging-output)))))

(defalias 'oracle--escape-char
  (function
   (lambda (oracle--c)
     (if (and (>= oracle--c 32) (< oracle--c 127))
         (char-to-string oracle--c)
       (format "\\x{%x}" oracle--c)))))

;; One line of plain ASCII for any string, so that no coding system of the terminal comes in between.
(defalias 'oracle--escape
  (function
   (lambda (oracle--s)
     (let ((oracle--i 0) (oracle--n (length oracle--s)) (oracle--plain t) oracle--c)
       (while (and oracle--plain (< oracle--i oracle--n))
         (setq oracle--c (aref oracle--s oracle--i))
         (if (or (< oracle--c 32) (> oracle--c 126)) (setq oracle--plain nil))
         (setq oracle--i (1+ oracle--i)))
       (if oracle--plain
           oracle--s
         (mapconcat 'oracle--escape-char oracle--s ""))))))

(defalias 'oracle--print
  (function
   (lambda (oracle--value)
     (let ((print-length nil) (print-level nil) (print-circle t) (print-gensym nil) (print-quoted t)
           (print-escape-newlines t) (print-escape-nonascii nil) (print-escape-multibyte nil)
           (print-escape-control-characters nil) (print-charset-text-property 'default)
           (float-output-format nil) (print-integers-as-characters nil) (print-symbols-bare nil))
       (prin1-to-string oracle--value)))))

(defalias 'oracle--state-of
  (function
   (lambda (oracle--name)
     (concat
      " ;; " (symbol-name oracle--name) "="
      (condition-case oracle--err
          (cond
           ((eq oracle--name 'buffer) (oracle--print (buffer-substring (point-min) (point-max))))
           ((eq oracle--name 'point) (oracle--print (point)))
           ((eq oracle--name 'match-data) (oracle--print (match-data)))
           (t (oracle--print (symbol-value oracle--name))))
        ((error quit neovm-unimplemented t) (concat "!" (oracle--print oracle--err))))))))

(defalias 'oracle--fresh-buffer
  (function
   (lambda ()
     (condition-case nil
         (if (fboundp 'get-buffer-create)
             (progn
               (if (get-buffer " *oracle*")
                   (condition-case nil
                       (kill-buffer " *oracle*")
                     ;; A form may have damaged what killing a buffer looks at.
                     ((error quit neovm-unimplemented t)
                      (set-buffer " *oracle*")
                      (let ((inhibit-read-only t)) (widen) (erase-buffer)))))
               (set-buffer (get-buffer-create " *oracle*"))
               (if (fboundp 'set-match-data) (set-match-data nil))))
       ((error quit neovm-unimplemented t) nil)))))

;; How a form is run: evaluated, or (./neo oracle --compiled) as the body of a function that the byte compiler made of it.
(setq oracle--compiled nil)

(defalias 'oracle--compile-forms
  (function
   (lambda ()
     (require 'bytecomp)
     ;; No warnings; an error of the compiler itself is signalled, not written to a log.
     (setq oracle--compiled t byte-compile-warnings nil byte-compile-debug t byte-compile-verbose nil))))

(defalias 'oracle--run
  (function
   (lambda (oracle--form)
     (if oracle--compiled
         (let ((oracle--function (let ((lexical-binding t)) (byte-compile (list 'lambda nil oracle--form)))))
           ;; What the compiler searched for and where is none of the form's business.
           (set-match-data nil)
           (funcall oracle--function))
       (eval oracle--form t)))))

;; Evaluate form number N, given as text; STATE is a list of names to show beside the value.  A SILENT form is replayed
;; for its effect only (a definition, after the machine had to be started again).
(defalias 'oracle--case
  (function
   (lambda (oracle--n oracle--text oracle--state oracle--silent)
     (if (null oracle--silent) (oracle--say (concat "@@oracle " (number-to-string oracle--n) " begin")))
     (oracle--fresh-buffer)
     (let ((oracle--answer
            (condition-case oracle--err
                ;; The form must not know that it runs while a file is loaded: `read' would name the file in its errors,
                ;; or go on reading from it.
                (let ((load-file-name nil) (load-true-file-name nil) (load-in-progress nil) (standard-input t))
                  (concat "OK " (oracle--print (oracle--run (car (read-from-string oracle--text))))))
              ((error quit neovm-unimplemented t) (concat "ERR " (oracle--print oracle--err))))))
       (if oracle--silent
           nil
         (while oracle--state
           (setq oracle--answer (concat oracle--answer (oracle--state-of (car oracle--state)))
                 oracle--state (cdr oracle--state)))
         (oracle--say (concat "@@oracle " (number-to-string oracle--n) " = " (oracle--escape oracle--answer))))))))

;; The same form with nothing caught, for the backtrace that the machine prints.
(defalias 'oracle--trace
  (function
   (lambda (oracle--text)
     (oracle--fresh-buffer)
     (oracle--run (car (read-from-string oracle--text))))))

(defalias 'oracle--done
  (function
   (lambda () (oracle--say "@@oracle done"))))

;;; driver.el ends here
