;;; compile.el --- compile a folder of Lisp files into another folder  -*- lexical-binding: t -*-
;; Variables SOURCES and DEST (environment) name the folders. Every file of SOURCES is compiled by GNU's byte compiler in
;; this one process, in alphabetical order; messages go to standard error as usual. Prints how each file went.
;; Byte-code on both sides: Emacs would otherwise load native code, compile to it in the background, and load its native
;; compiler as soon as a primitive is advised, which changes what the byte compiler knows (and inlines).
(setq load-no-native t)
(setq native-comp-deferred-compilation nil)
(setq comp-enable-subr-trampolines nil)
(require 'bytecomp)
(let ((source (file-name-as-directory (getenv "SOURCES")))
      (dest (file-name-as-directory (getenv "DEST"))))
  (setq byte-compile-dest-file-function
        (lambda (file) (concat dest (file-name-nondirectory file) "c")))
  (dolist (file (directory-files source t "\\.el\\'"))
    (let ((result (condition-case err (byte-compile-file file)
                    (error (message "compile.el: %s: %S" (file-name-nondirectory file) err) 'signalled))))
      (princ (format "%s %s\n" (file-name-nondirectory file) result)))))
