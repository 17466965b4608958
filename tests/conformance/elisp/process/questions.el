;; Questions where nobody answers, and the system's processes.
(yes-or-no-p "a")
(yes-or-no-p 5)
(yes-or-no-p nil)
(let ((use-short-answers t)) (yes-or-no-p "b"))
(func-arity 'yes-or-no-p)
yes-or-no-p-history
(let ((inhibit-interaction t)) (yes-or-no-p "a"))
(list-system-processes 1)
(memq (emacs-pid) (list-system-processes 1))
(let ((all (list-system-processes))) (list (and (memq (emacs-pid) all) t) (apply '< all)))
