;; Boundaries and places that the command loop puts into undo lists.
(save-window-excursion (with-temp-buffer (switch-to-buffer (current-buffer)) (setq buffer-undo-list nil) (insert "a\nb\nc\n") (goto-char (point-max)) (execute-kbd-macro [left backspace left left left backspace]) (list (point) buffer-undo-list)))
(save-window-excursion (with-temp-buffer (switch-to-buffer (current-buffer)) (setq buffer-undo-list nil) (insert "a\nb\nc\n") (goto-char (point-max)) (execute-kbd-macro [left backspace left left left backspace 67108911]) (list (point) (buffer-string))))
(save-window-excursion (with-temp-buffer (switch-to-buffer (current-buffer)) (buffer-enable-undo) (use-local-map (make-sparse-keymap)) (execute-kbd-macro (kbd "a b RET c C-b C-u 3 d C-f e")) (list (buffer-string) buffer-undo-list)))
(save-window-excursion (with-temp-buffer (switch-to-buffer (current-buffer)) (buffer-enable-undo) (execute-kbd-macro (kbd "a b RET C-/ C-/"))
   ;; Records of markers are left out: whether one that nobody has any more is still there is for the collector to say.
   (list (buffer-string) (seq-remove (lambda (entry) (markerp (car-safe entry))) buffer-undo-list))))
(save-window-excursion (with-temp-buffer (switch-to-buffer (current-buffer)) (buffer-enable-undo) (let (seen) (let ((f (lambda (&rest _) (push this-command seen)))) (unwind-protect (progn (advice-add 'undo-auto-amalgamate :before f) (execute-kbd-macro (kbd "a C-u 3 b C-b C-d")) (insert "xyz") (delete-char -1) (delete-char -2)) (advice-remove 'undo-auto-amalgamate f))) (list seen (buffer-string)))))
