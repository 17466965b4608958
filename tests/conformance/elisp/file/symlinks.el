;;; Targets of symbolic links are told as they are. -*- lexical-binding: t -*-
(let* ((folder (make-temp-file "neovm-corpus" t)) (link (expand-file-name "link" folder)))
  (unwind-protect
      (mapcar (lambda (target)
                (make-symbolic-link target link t)
                (list target (file-symlink-p link) (car (file-attributes link))))
              '("/:" "/foo:bar" "/:/foo" "/ssh:foo:" "/ssh:foo:/bar" "foo:bar" "/a/b:c" "~x" "/x:y:" "\xe9" "/é:"))
    (delete-directory folder t)))
