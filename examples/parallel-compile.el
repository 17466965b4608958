;;; parallel-compile.el --- byte-compile a folder's files on all cores -*- lexical-binding: t -*-

;; Compiles every `.el' of a folder with GNU's byte compiler, several at a time in one process, and prints for each file, in
;; their order, its warnings and whether it went well. Every file is compiled in a world of its own, so the result of a file
;; depends neither on the files before it nor on how many workers there are: the `.elc' are those of one
;; `neomacs --batch -f batch-byte-compile FILE' after the other, byte for byte.
;;
;;   neomacs --batch -Q --jobs N -l parallel-compile.el -f parallel-compile-batch -- [--output DIR] FOLDER
;;
;; Without --output each `.elc' goes beside its source. The exit code is 1 when a file could not be compiled.

;;; Code:

(defun parallel-compile-one (source target)
  "Compile the file SOURCE to TARGET; return (OK WARNING...)."
  (require 'bytecomp)
  (let ((warnings nil) (default-directory (file-name-directory source)))
    (let* ((byte-compile-dest-file-function (lambda (_) target))
           (byte-compile-log-warning-function
            (lambda (text position &optional _fill level)
              (push (format "%s:%s: %s: %s" (file-name-nondirectory source) (or position "") (or level :warning) text)
                    warnings)))
           (inhibit-message t)
           (ok (condition-case error (byte-compile-file source)
                 (error (push (error-message-string error) warnings) nil))))
      (cons (eq ok t) (nreverse warnings)))))

(defun parallel-compile (files target-of &optional workers progress)
  "Compile FILES, each to what TARGET-OF says, by WORKERS tasks at a time.
Return what `parallel-compile-one' says of each, in order. PROGRESS is called with the number of finished files."
  (let ((jobs (mapcar (lambda (file) (cons file (funcall target-of file))) files)))
    ;; The outer tasks only hand out work: each waits for a task with a fresh world.
    (task-map (lambda (job)
                (task-await (spawn-task #'parallel-compile-one (list (car job) (cdr job))
                                        :name (file-name-nondirectory (car job)))))
              jobs :chunk 1 :workers (or workers (task-workers)) :progress (or progress #'ignore))))

(defun parallel-compile-batch ()
  "Compile as the command line says."
  (let (output folder)
    (if (equal (car command-line-args-left) "--") (pop command-line-args-left))
    (while command-line-args-left
      (let ((word (pop command-line-args-left)))
        (cond ((and (equal word "--output") command-line-args-left)
               (setq output (file-name-as-directory (expand-file-name (pop command-line-args-left)))))
              (folder (error "One folder, please, not %s as well" word))
              (t (setq folder (expand-file-name word))))))
    (unless folder (error "Usage: parallel-compile-batch -- [--output DIR] FOLDER"))
    (let* ((files (directory-files folder t "\\`[^.].*\\.el\\'"))
           (results (parallel-compile files (lambda (file) (concat (if output (concat output (file-name-nondirectory file)) file)
                                                                   "c"))))
           (bad 0))
      (dolist (file files)
        (let ((result (pop results)))
          (dolist (line (cdr result)) (princ (concat line "\n")))
          (unless (car result) (setq bad (1+ bad)))
          (princ (format "%s %s\n" (file-name-nondirectory file) (if (car result) "compiled" "failed")))))
      (princ (format "%d files, %d failed\n" (length files) bad))
      (if (> bad 0) (kill-emacs 1)))))

(provide 'parallel-compile)
;;; parallel-compile.el ends here
