;;; A zone that is an offset knows no daylight saving. -*- lexical-binding: t -*-
(mapcar (lambda (zone) (mapcar (lambda (dst) (encode-time (list 29 31 17 30 4 2019 nil dst zone))) '(nil t -1))) '(7200 3600 -3600 0 (3600 "X") t "EST5EDT"))
