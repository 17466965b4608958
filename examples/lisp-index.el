;;; lisp-index.el --- an index of every definition in GNU's Lisp library -*- lexical-binding: t -*-

;; Reads every `.el' and `.el.gz' below a folder with the Lisp reader, collects every definition (kind, name, arity,
;; file, line, first line of the documentation), writes the index as a file of tab-separated lines in a fixed order, and
;; prints how many definitions there are by kind and by folder.
;;
;;   neomacs --batch -Q -l lisp-index.el -f lisp-index-batch -- [--library DIR] [--output FILE] [--progress] [--jobs N]
;;
;; With --jobs the files are read by N tasks. The same program under `emacs --batch' writes the same index, without tasks.

;;; Code:

(defvar lisp-index-library "/usr/share/emacs/28.2/lisp"
  "Folder whose Lisp files are indexed.")

(defconst lisp-index-definers
  '((defun "function" 2 3) (defmacro "macro" 2 3) (defsubst "function" 2 3) (define-inline "function" 2 3)
    (cl-defun "function" 2 3) (cl-defmacro "macro" 2 3) (cl-defsubst "function" 2 3) (iter-defun "generator" 2 3)
    (cl-iter-defun "generator" 2 3) (cl-defgeneric "generic" 2 3) (cl-defmethod "method" nil nil)
    (defmethod "method" nil nil) (define-overloadable-function "generic" 2 3) (define-overload "generic" 2 3)
    (define-mode-local-override "method" nil nil) (defadvice "advice" nil nil)
    (defvar "variable" nil 3) (defvar-local "variable" nil 3) (defcustom "option" nil 3) (defconst "constant" nil 3)
    (defface "face" nil 3) (defgroup "group" nil 3) (defalias "alias" nil 3)
    (define-obsolete-function-alias "alias" nil 4) (define-obsolete-variable-alias "variable-alias" nil 4)
    (defvaralias "variable-alias" nil 3)
    (define-derived-mode "mode" nil 4) (define-generic-mode "mode" nil 7) (define-minor-mode "minor-mode" nil 2)
    (define-globalized-minor-mode "minor-mode" nil 4) (define-global-minor-mode "minor-mode" nil 4)
    (defclass "class" nil 4) (cl-defstruct "struct" nil 2) (defstruct "struct" nil 2) (cl-deftype "type" 2 3)
    (define-error "error" nil 2) (define-widget "widget" nil 3) (define-skeleton "function" nil 2)
    (define-abbrev-table "abbrev-table" nil 3) (define-button-type "button-type" nil nil)
    (pcase-defmacro "pcase-macro" 2 3) (gv-define-setter "setter" 2 nil) (gv-define-simple-setter "setter" nil nil)
    (define-setf-expander "setter" 2 nil) (define-compiler-macro "compiler-macro" 2 nil)
    (cl-define-compiler-macro "compiler-macro" 2 nil) (easy-menu-define "menu" nil 3) (defkeymap "keymap" nil nil)
    (define-charset "charset" nil 2) (define-coding-system "coding-system" nil 2)
    (define-charset-alias "charset-alias" nil nil) (define-coding-system-alias "coding-system-alias" nil nil)
    (autoload "autoload" nil 3) (defmath "function" 2 3) (deffoo "function" 2 3) (defvoo "variable" nil 3)
    (ert-deftest "test" nil 3) (rx-define "rx-form" nil nil))
  "What defines something: (HEAD KIND ARGLIST-POSITION DOC-POSITION), positions counted in the whole form.")

(defconst lisp-index-containers
  '((progn . 1) (eval-and-compile . 1) (eval-when-compile . 1) (with-no-warnings . 1) (when . 2) (unless . 2) (if . 2)
    (let . 2) (let* . 2) (with-eval-after-load . 2) (eval-after-load . 2) (save-match-data . 1) (with-suppressed-warnings . 2)
    (static-if . 2) (prog1 . 1) (cl-eval-when . 2))
  "Forms that are searched for definitions: (HEAD . POSITION-OF-FIRST-BODY-FORM).")

(defvar lisp-index--table nil "Hash table: HEAD to its row of `lisp-index-definers'.")
(defvar lisp-index--rows nil "Lines of the index, newest first.")
(defvar lisp-index--kinds nil "Hash table: KIND to its number of definitions.")
(defvar lisp-index--errors nil "Messages about files that could not be read to their end.")

(defun lisp-index--tables ()
  "Start with empty tables."
  (setq lisp-index--table (make-hash-table :test 'eq)
        lisp-index--kinds (make-hash-table :test 'equal)
        lisp-index--rows nil
        lisp-index--errors nil)
  (dolist (row lisp-index-definers)
    (puthash (car row) (cdr row) lisp-index--table)))

(defun lisp-index--nth (n list)
  "Element N of LIST; nil when LIST is not a list of that many elements."
  (while (and (> n 0) (consp list))
    (setq list (cdr list) n (1- n)))
  (if (consp list) (car list)))

(defun lisp-index--arity (arglist)
  "The arity that ARGLIST describes, as text: MIN, MIN-MAX or MIN-many; \"?\" when it describes none."
  (let ((min 0) (max 0) (mode 'required) many)
    (while (consp arglist)
      (let ((arg (car arglist)))
        (cond
         ((eq arg '&optional) (setq mode 'optional))
         ((memq arg '(&rest &body &key)) (setq mode 'many many t))
         ((memq arg '(&aux &environment &whole &context &allow-other-keys)) (setq mode 'ignored))
         ((eq mode 'required) (setq min (1+ min) max (1+ max)))
         ((eq mode 'optional) (setq max (1+ max)))))
      (setq arglist (cdr arglist)))
    (cond
     ((and arglist (symbolp arglist)) (format "%d-many" min)) ; (A B . REST)
     (arglist "?")
     (many (format "%d-many" min))
     ((= min max) (number-to-string min))
     (t (format "%d-%d" min max)))))

(defun lisp-index--name (object)
  "The name that a definition gives in OBJECT: a symbol, 'SYMBOL or (NAME OPTION...); nil when it is computed."
  (cond
   ((null object) nil)
   ((symbolp object) (symbol-name object))
   ((stringp object) object)
   ((and (eq (car-safe object) 'quote) (symbolp (lisp-index--nth 1 object))) (symbol-name (lisp-index--nth 1 object)))
   ((and (consp object) (symbolp (car object)) (not (memq (car object) '(intern \` \, function))))
    (symbol-name (car object)))))

(defun lisp-index--clean (text)
  "The first line of TEXT, fit for one field of the index."
  (let ((end (string-match "\n" text)))
    (replace-regexp-in-string "[\t\r]" " " (if end (substring text 0 end) text))))

(defun lisp-index--add (kind name arity file line doc)
  "Add one definition to the index."
  (puthash kind (1+ (gethash kind lisp-index--kinds 0)) lisp-index--kinds)
  (push (concat (lisp-index--clean name) "\t" kind "\t" arity "\t" file "\t" (format "%06d" line) "\t"
                (if (stringp doc) (lisp-index--clean doc) ""))
        lisp-index--rows))

(defun lisp-index--method (form file line)
  "Add FORM, a definition whose name may be followed by qualifiers and then a list of arguments."
  (let ((name (lisp-index--name (lisp-index--nth 1 form)))
        (rest (if (consp (cdr form)) (cdr (cdr form)))))
    (while (and (consp rest) (car rest) (not (consp (car rest))))
      (setq rest (cdr rest)))
    (if name
        (lisp-index--add (car (gethash (car form) lisp-index--table)) name
                         (if (consp rest) (lisp-index--arity (car rest)) "?")
                         file line (lisp-index--nth 1 rest)))))

(defun lisp-index--form (form file line depth)
  "Add what the top-level FORM of FILE at LINE defines; DEPTH counts the containers around it."
  (let ((row (and (consp form) (symbolp (car form)) (gethash (car form) lisp-index--table))))
    (cond
     ((not (consp form)))
     ((and row (equal (car row) "method")) (lisp-index--method form file line))
     (row
      (let ((name (lisp-index--name (lisp-index--nth 1 form))))
        (if name
            (lisp-index--add (car row) name
                             (if (nth 1 row) (lisp-index--arity (lisp-index--nth (nth 1 row) form)) "")
                             file line (if (nth 2 row) (lisp-index--nth (nth 2 row) form))))))
     ((and (symbolp (car form)) (assq (car form) lisp-index-containers) (< depth 20))
      (let ((skip (cdr (assq (car form) lisp-index-containers))))
        (while (consp form)
          (if (<= skip 0) (lisp-index--form (car form) file line (1+ depth)))
          (setq skip (1- skip) form (cdr form))))))))

(defun lisp-index--skip-blank ()
  "Move over white space and comments, so that point is where the next form begins."
  (let ((more t))
    (while more
      (skip-chars-forward " \t\n\r\f")
      (if (eq (char-after) ?\;)
          (forward-line 1)
        (setq more nil)))))

(defun lisp-index--coding ()
  "The coding system that the first two lines of the current buffer ask for; `utf-8-emacs' without such a cookie."
  (goto-char (point-min))
  (let ((end (save-excursion (forward-line 2) (point))) coding)
    (if (re-search-forward "-\\*-.*coding:[ \t]*\\([a-zA-Z0-9-]+\\)" end t)
        (setq coding (intern (match-string 1))))
    (if (and coding (coding-system-p coding)) coding 'utf-8-emacs)))

(defun lisp-index--insert (path)
  "Replace the current buffer's text by the decoded text of the Lisp file PATH."
  (set-buffer-multibyte nil)
  (erase-buffer)
  (insert-file-contents-literally path)
  (if (string-match "\\.gz\\'" path)
      (or (zlib-decompress-region (point-min) (point-max))
          (error "Cannot decompress %s" path)))
  (let ((text (decode-coding-string (buffer-string) (lisp-index--coding))))
    (erase-buffer)
    (set-buffer-multibyte t)
    (insert text))
  (goto-char (point-min)))

(defun lisp-index--file (path file)
  "Index the Lisp file PATH under the name FILE; return its number of lines."
  (let ((line 1) (seen (point-min)) start)
    (condition-case err
        (progn
          (lisp-index--insert path)
          (setq seen (point-min))
          (lisp-index--skip-blank)
          (while (not (eobp))
            (setq start (point))
            (setq line (+ line (count-lines seen start))
                  seen start)
            (if (not (bolp)) (setq line (1- line) seen (line-beginning-position)))
            (let ((form (read (current-buffer))))
              (lisp-index--form form file line 0))
            (lisp-index--skip-blank)))
      (error (push (format "%s:%d: %s" file line (error-message-string err)) lisp-index--errors)))
    (count-lines (point-min) (point-max))))

(defun lisp-index--progress (number total file)
  "Say on standard error that FILE is NUMBER of TOTAL."
  (princ (format "\r[%d/%d] %s\e[K" number total file) #'external-debugging-output))

(defun lisp-index--print-table (title counts)
  "Print the alist COUNTS of (NAME . NUMBER) under TITLE, largest first."
  (princ (format "%-24s %8s\n" title "count"))
  (dolist (pair (sort (copy-sequence counts)
                      (lambda (a b) (or (> (cdr a) (cdr b))
                                        (and (= (cdr a) (cdr b)) (string< (car a) (car b)))))))
    (princ (format "%-24s %8d\n" (car pair) (cdr pair))))
  (princ "\n"))

(defun lisp-index--one (job)
  "Index one file, JOB being (PATH . FILE); return (LINES ROWS KINDS ERRORS), KINDS an alist, the lists newest first."
  (let ((lisp-index--table lisp-index--table) lisp-index--rows lisp-index--errors kinds lines
        (lisp-index--kinds (make-hash-table :test 'equal)))
    (with-temp-buffer
      (buffer-disable-undo)
      (setq lines (lisp-index--file (car job) (cdr job))))
    (maphash (lambda (kind count) (push (cons kind count) kinds)) lisp-index--kinds)
    (list lines lisp-index--rows kinds lisp-index--errors)))

(defun lisp-index--all (jobs workers progress)
  "What `lisp-index--one' returns for each of JOBS, worked out by WORKERS tasks; PROGRESS as in `lisp-index-run'."
  (let ((total (length jobs)) (number 0))
    (if (and (> workers 1) (fboundp 'task-map))
        (task-map #'lisp-index--one jobs :workers workers :chunk 4
                  :progress (lambda (done)
                              (if progress (lisp-index--progress done total "files"))))
      (mapcar (lambda (job)
                (setq number (1+ number))
                (if progress (lisp-index--progress number total (cdr job)))
                (lisp-index--one job))
              jobs))))

(defun lisp-index-run (library output progress &optional workers)
  "Index the Lisp files below LIBRARY into the file OUTPUT; PROGRESS says whether to show how far it is.
WORKERS tasks read the files, where there are tasks."
  (setq library (file-name-as-directory (expand-file-name library)))
  (lisp-index--tables)
  (let* ((files (sort (directory-files-recursively library "\\.el\\(\\.gz\\)?\\'") #'string<))
         (jobs (mapcar (lambda (path) (cons path (substring path (length library)))) files))
         (total (length files)) (lines 0) (folders (make-hash-table :test 'equal)) kinds)
    (dolist (result (lisp-index--all jobs (or workers 1) progress))
      (let* ((file (cdr (pop jobs)))
             (folder (or (file-name-directory file) "./")))
        (setq lines (+ lines (nth 0 result))
              lisp-index--rows (nconc (nth 1 result) lisp-index--rows)
              lisp-index--errors (nconc (nth 3 result) lisp-index--errors))
        (dolist (pair (nth 2 result))
          (puthash (car pair) (+ (gethash (car pair) lisp-index--kinds 0) (cdr pair)) lisp-index--kinds))
        (puthash folder (+ (gethash folder folders 0) (length (nth 1 result))) folders)))
    (if progress (princ "\r\e[K" #'external-debugging-output))
    (let ((rows (sort (copy-sequence lisp-index--rows) #'string<)) (coding-system-for-write 'utf-8-emacs-unix))
      (with-temp-buffer
        (buffer-disable-undo)
        (insert "name\tkind\tarity\tfile\tline\tdoc\n")
        (dolist (row rows) (insert row "\n"))
        (write-region (point-min) (point-max) output nil 'silent)))
    (maphash (lambda (kind count) (push (cons kind count) kinds)) lisp-index--kinds)
    (lisp-index--print-table "kind" kinds)
    (let (counts)
      (maphash (lambda (folder count) (push (cons folder count) counts)) folders)
      (lisp-index--print-table "folder" counts))
    (dolist (message (nreverse lisp-index--errors))
      (princ (format "not read to its end: %s\n" message)))
    (princ (format "%d files, %d lines, %d definitions\n" total lines (length lisp-index--rows)))))

(defun lisp-index-batch ()
  "Index the library as the command line asks."
  (let ((library lisp-index-library) (output "lisp-index.tsv") (workers 1) progress word)
    (while command-line-args-left
      (setq word (pop command-line-args-left))
      (cond
       ((equal word "--"))
       ((equal word "--progress") (setq progress t))
       ((and (equal word "--jobs") command-line-args-left)
        (setq workers (string-to-number (pop command-line-args-left)))
        (if (< workers 1) (error "--jobs needs a number from 1")))
       ((and (equal word "--library") command-line-args-left) (setq library (pop command-line-args-left)))
       ((and (equal word "--output") command-line-args-left) (setq output (pop command-line-args-left)))
       (t (error "Unknown argument %s; known are --library DIR, --output FILE, --jobs N and --progress" word))))
    (if (not (file-directory-p library))
        (error "No folder %s; Debian's package emacs-el brings GNU's Lisp library" library))
    (lisp-index-run library (expand-file-name output) progress workers)))

;;; lisp-index.el ends here
