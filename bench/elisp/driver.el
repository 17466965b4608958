;;; driver.el --- times the programs of one file of elisp-benchmarks  -*- lexical-binding: t -*-
;; PROGRAM (environment) is the compiled file, SOURCES the suite's folder of programs. Every function elb-NAME-entry that the
;; file defines is called once after a collection; prints "NAME CPU-SECONDS MD5-OF-THE-PRINTED-RESULT" for each.
(defvar elb-bench-directory (file-name-as-directory (getenv "SOURCES")))
(setq load-no-native t)
(setq native-comp-deferred-compilation nil)
(let (before)
  (mapatoms (lambda (s) (when (string-match "\\`elb-.*-entry\\'" (symbol-name s)) (push s before))))
  (load (getenv "PROGRAM") nil t)
  (let (entries)
    (mapatoms (lambda (s)
                (when (and (fboundp s) (not (memq s before)) (string-match "\\`elb-.*-entry\\'" (symbol-name s)))
                  (push s entries))))
    (dolist (entry (sort entries #'string<))
      (garbage-collect)
      (let* ((begin (float-time (get-internal-run-time)))
             (result (funcall entry))
             (seconds (- (float-time (get-internal-run-time)) begin)))
        (princ (format "RESULT %s %.4f %s\n" (substring (symbol-name entry) 4 -6) seconds
                       (let ((print-circle t) (print-length 1000)) (md5 (prin1-to-string result) nil nil 'utf-8))))))))
