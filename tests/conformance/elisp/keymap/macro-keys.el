;; Whose keys are told while a keyboard macro runs, and afterwards.
(defalias 'mk-run
  (lambda (macro)
    (let ((seen nil) (map (make-sparse-keymap)))
      (define-key map "\C-czz"
        (lambda () (interactive) (push (list (this-command-keys) (this-single-command-keys) last-input-event) seen)))
      (define-key map "q" (lambda () (interactive) (push (this-command-keys-vector) seen)))
      (save-window-excursion
        (with-temp-buffer
          (set-window-buffer nil (current-buffer))
          (use-local-map map)
          (execute-kbd-macro macro)))
      (list seen (this-command-keys) (this-single-command-keys)))))
(mk-run "\C-czz")
(mk-run "q")
(mk-run "q\C-czzq")
(mk-run [])
(let ((last-kbd-macro "qq")) (list (mk-run "q") (this-command-keys-vector)))
