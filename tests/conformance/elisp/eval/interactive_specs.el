;; The interactive forms of primitives that are commands.
(mapcar (lambda (s) (cons s (interactive-form s))) '(abort-minibuffers abort-recursive-edit base64-decode-region base64-encode-region base64url-encode-region buffer-enable-undo decode-coding-region delete-frame delete-other-windows-internal delete-process delete-terminal ding do-auto-save encode-coding-region eval-buffer eval-region exit-recursive-edit garbage-collect iconify-frame internal-handle-focus-in kill-local-variable lower-frame make-frame-invisible make-frame-visible make-local-variable make-variable-buffer-local malloc-info raise-frame recursive-edit redirect-debugging-output redraw-display set-frame-height set-frame-width top-level unix-sync widen forward-char kill-buffer self-insert-command))
(list (eq (symbol-function 'wholenump) (symbol-function 'natnump)) (wholenump 5) (wholenump -1))
(wholenump)
(wholenump 1 2)
