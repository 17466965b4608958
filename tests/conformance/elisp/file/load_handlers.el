;;; load and the handlers of file names. -*- lexical-binding: t -*-
(progn (defvar neovm-asked nil)
       (defun neovm-handler (operation &rest arguments)
         (let ((file-name-handler-alist nil))
           (push (if (eq operation 'load) (cons operation (cdr arguments)) operation) neovm-asked)
           (apply operation (mapcar (lambda (a) (if (and (stringp a) (not (eq operation 'substitute-in-file-name))) (string-remove-suffix ".special" a) a)) arguments))))
       nil)
(let* ((file (make-temp-file "neovm-corpus" nil nil "(setq neovm-loaded (1+ neovm-loaded))"))
       (file-name-handler-alist (cons '("\\.special\\'" . neovm-handler) file-name-handler-alist)))
  (defvar neovm-loaded)
  (unwind-protect
      (progn (setq neovm-loaded 0 neovm-asked nil)
             (list (load (concat file ".special") nil t) (load (concat file ".special") t t t) neovm-loaded
                   (delq nil (mapcar (lambda (a) (and (consp a) a)) neovm-asked))))
    (delete-file file)))
