;;; Operations on file names. -*- lexical-binding: t -*-
