// Finding and loading Lisp files.
#pragma once

#include <string>

#include "reader.hpp"

namespace neovm::elisp {

// Looks for NAME with each of SUFFIXES in the directories of PATH (lists of strings). Returns the file's full name, or nil
// with *error set to the errno of the best failure. PREDICATE nil: a readable plain file; else what must hold of the
// name. *magic tells that a file name handler vouches for it.
Value find_on_path_re(Context& cx, Value path, Value name, Value suffixes, Value predicate, bool prefer_newer,
                      int* error, bool* magic);
// (get-load-suffixes)
Value load_suffixes(Context& cx);

// Does the text's first line (or the second after "#!") bind lexical-binding to non-nil?
Maybe<bool> lexically_bound_re(Context& cx, ReadStream& in);

struct EvalLoop {
  Value source;            // standard-input while the forms are evaluated
  ReadStream* stream;      // text to read from; null: a buffer, `source`
  Value file_name = kNil;  // for load-history
  bool whole = true;       // an entire file: replaces what load-history knew of it
  bool print = false;
  Value read_function = kNil;
  Value start = kNil;  // region of the current buffer
  Value end = kNil;
};
// Reads and evaluates forms up to the end of the source (lread.c:readevalloop).
Value eval_loop_re(Context& cx, const EvalLoop& loop);

}  // namespace neovm::elisp
