;; Tables made for pure storage say so when they are printed; weak ones never are.
(prin1-to-string (make-hash-table :test 'eq :purecopy t :size 3))
(prin1-to-string (make-hash-table :test 'eq :purecopy t :weakness 'key))
(let ((h (make-hash-table :purecopy t))) (puthash 1 2 h) (prin1-to-string (list h (copy-hash-table h))))
(prin1-to-string (read "#s(hash-table size 1 test equal purecopy t data (a b))"))
