;;; emacs.el --- the anchor of bench/heap  -*- lexical-binding: t; -*-
;; Prints CPU nanoseconds per object as JSON, collections included. The loop's own cost is measured and
;; taken off. Run with --eval to set `gc-cons-threshold' first; byte-compiled in memory.

(defvar bench-keep nil)

(defun bench-cpu () "CPU seconds of this process." (float-time (get-internal-run-time)))

(defun bench-empty (n) (let ((i 0)) (while (< i n) (setq i (1+ i)))))
(defun bench-cons (n) (let ((i 0) x) (while (< i n) (setq x (cons i nil) i (1+ i))) x))
(defun bench-float (n) (let ((i 0) x) (while (< i n) (setq x (float i) i (1+ i))) x))
(defun bench-kept (n)
  (let ((i 0)) (while (< i n) (setq bench-keep (cons i bench-keep)) (setq i (1+ i)))))
(defun bench-float-kept (n)
  (let ((i 0)) (while (< i n) (setq bench-keep (cons (float i) bench-keep)) (setq i (1+ i)))))

(require 'bytecomp)
(setq byte-compile-warnings nil)
(mapc #'byte-compile '(bench-empty bench-cons bench-float bench-kept bench-float-kept))

(defun bench-round (f n)
  "Nanoseconds per step of F, after a collection of what the round before it kept."
  (setq bench-keep nil)
  (garbage-collect)
  (let ((begin (bench-cpu)))
    (funcall f n)
    (/ (* 1e9 (- (bench-cpu) begin)) n)))

(defun bench-ns (f n)
  "Best of three rounds of F, less the best of three rounds of the empty loop, taken in turns."
  (let ((best 1e9) (empty 1e9))
    (dotimes (_ 3)
      (setq best (min best (bench-round f n))
            empty (min empty (bench-round 'bench-empty n))))
    (- best empty)))

(princ (format "{\"cons_garbage_ns\": %.3f, \"float_garbage_ns\": %.3f, \"cons_kept_ns\": %.3f, \"float_in_list_kept_ns\": %.3f}\n"
               (bench-ns 'bench-cons 5000000)
               (bench-ns 'bench-float 5000000)
               (bench-ns 'bench-kept 5000000)
               (bench-ns 'bench-float-kept 2500000)))
