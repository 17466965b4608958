;;; Answers and errors about files that do not exist, and about wrong arguments. -*- lexical-binding: t -*-
