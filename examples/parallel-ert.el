;;; parallel-ert.el --- run ERT files on all cores -*- lexical-binding: t -*-

;; Runs the tests of several files, each file in a world of its own and several files at a time in one process, and prints
;; what `ert-run-tests-batch' prints: a line for each test, in the order of the files and of the tests within them, and one
;; summary of all. What a test leaves behind reaches no other file.
;;
;;   neomacs --batch -Q --jobs N -l parallel-ert.el -f parallel-ert-batch -- FILE...
;;
;; The exit code is 1 when a result was unexpected or a file could not be loaded.

;;; Code:

(defun parallel-ert-file (file)
  "Load FILE and run its tests; return a list of (NAME STATUS EXPECTED SECONDS CONDITION), or the error as a string."
  (require 'ert)
  (let* ((default-directory (file-name-directory file)) (inhibit-message t) (rows nil)
         (trouble (condition-case error (progn (load file nil t t) nil)
                    (error (error-message-string error)))))
    ;; Not inside of the handler: ERT learns of a test's error as a debugger does.
    (unless trouble
      (ert-run-tests
       t (lambda (event &rest arguments)
           (when (eq event 'test-ended)
             (let* ((test (nth 1 arguments)) (result (nth 2 arguments))
                    (expected (ert-test-result-expected-p test result)))
               (push (list (symbol-name (ert-test-name test)) (ert-string-for-test-result result expected)
                           (and expected t) (ert-test-result-duration result)
                           (if (ert-test-result-with-condition-p result)
                               (format "%S" (ert-test-result-with-condition-condition result))))
                     rows))))))
    (or trouble (nreverse rows))))

(defun parallel-ert-run (files)
  "What `parallel-ert-file' says of each of FILES, in order, worked out by several tasks."
  (task-map (lambda (file)
              (condition-case error
                  (task-await (spawn-task #'parallel-ert-file (list file) :name (file-name-nondirectory file)))
                (error (error-message-string error))))
            files :chunk 1))

(defun parallel-ert-report (files results seconds)
  "Print RESULTS, those of FILES, in the form of `ert-run-tests-batch'; return the number of what went wrong."
  (let ((total 0) (at 0) (as-expected 0) (expected-failures 0) (wrong nil) (skipped nil) counter)
    (dolist (rows results) (if (listp rows) (setq total (+ total (length rows)))))
    (setq counter (format "%%%dd" (length (number-to-string total))))
    (message "Running %d tests" total)
    (dolist (rows results)
      (let ((file (pop files)))
        (if (stringp rows)
            (push (format "   FAILED  %s: %s" file rows) wrong)
          (dolist (row rows)
            (pcase-let ((`(,name ,status ,expected ,duration ,condition) row))
              (setq at (1+ at))
              (cond ((equal status "skipped") (push (concat "  SKIPPED  " name) skipped))
                    ((not expected)
                     (push (format "%9s  %s" status name) wrong)
                     (message "Test %s condition:\n    %s" name condition))
                    (t (setq as-expected (1+ as-expected))
                       (if (equal status "failed") (setq expected-failures (1+ expected-failures)))))
              (message "%9s  %s/%d  %s (%f sec)" status (format counter at) total name duration))))))
    (message "\nRan %d tests, %d results as expected, %d unexpected%s (%f sec)%s"
             total as-expected (length wrong) (if skipped (format ", %d skipped" (length skipped)) "") seconds
             (if (> expected-failures 0) (format "\n%d expected failures" expected-failures) ""))
    (if wrong (message "\n%d unexpected results:\n%s" (length wrong) (mapconcat #'identity (nreverse wrong) "\n")))
    (if skipped (message "\n%d skipped results:\n%s" (length skipped) (mapconcat #'identity (nreverse skipped) "\n")))
    (length wrong)))

(defun parallel-ert-batch ()
  "Run the files that the command line names."
  (if (equal (car command-line-args-left) "--") (pop command-line-args-left))
  (let* ((files (mapcar #'expand-file-name command-line-args-left))
         (begun (float-time))
         (results (progn (setq command-line-args-left nil) (parallel-ert-run files))))
    (if (> (parallel-ert-report files results (- (float-time) begun)) 0) (kill-emacs 1))))

(provide 'parallel-ert)
;;; parallel-ert.el ends here
