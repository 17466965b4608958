// Variables of `load`.
#include "load.hpp"

namespace neovm::elisp {

namespace {

Value default_suffixes(Context& cx) {
  return list(cx, {make_string(cx, ".so"), make_string(cx, ".elc"), make_string(cx, ".el")});
}
Value no_packing(Context& cx) { return list(cx, {make_string(cx, "")}); }

}  // namespace

NEOVM_VARIABLE(load_path, "load-path", kGlobalVar, kAny, kInitNil, "Directories in which `load` looks for files.")
NEOVM_VARIABLE(load_suffixes, "load-suffixes", kGlobalVar, kAny, &default_suffixes,
               "Suffixes of Lisp files, best first.")
NEOVM_VARIABLE(module_file_suffix, "module-file-suffix", kGlobalVar, kAny, ".so", "Suffix of loadable modules.")
NEOVM_VARIABLE(load_file_rep_suffixes, "load-file-rep-suffixes", kGlobalVar, kAny, &no_packing,
               "Endings of other representations (such as packed files) that `load` understands.")
NEOVM_VARIABLE(load_in_progress, "load-in-progress", kGlobalVar, kBool, kInitNil, "Non-nil inside `load`.")
NEOVM_VARIABLE(after_load_alist, "after-load-alist", kGlobalVar, kAny, kInitNil,
               "Alist of functions to run when a file or feature gets loaded.")
NEOVM_VARIABLE(load_file_name, "load-file-name", kGlobalVar, kAny, kInitNil, "Full name of the file being loaded.")
NEOVM_VARIABLE(load_true_file_name, "load-true-file-name", kGlobalVar, kAny, kInitNil,
               "Name of the file that is really read while one is loaded.")
NEOVM_VARIABLE(user_init_file, "user-init-file", kGlobalVar, kAny, kInitNil, "Name of the user's init file.")
NEOVM_VARIABLE(
    load_source_file_function, "load-source-file-function", kGlobalVar, kAny, kInitNil,
    "Function that loads source files, called with (FULL-NAME FILE NOERROR NOMESSAGE); nil: read them directly.")
NEOVM_VARIABLE(load_force_doc_strings, "load-force-doc-strings", kGlobalVar, kBool, kInitNil,
               "Non-nil: documentation strings in compiled files are read at once.")
NEOVM_VARIABLE(load_convert_to_unibyte, "load-convert-to-unibyte", kGlobalVar, kBool, kInitNil,
               "Non-nil: `read` makes strings unibyte where it can.")
NEOVM_VARIABLE(source_directory, "source-directory", kGlobalVar, kAny,
               "/build/reproducible-path/emacs-28.2+1/debian/build-src/", "Where the sources were when it was built.")
NEOVM_VARIABLE(preloaded_file_list, "preloaded-file-list", kGlobalVar, kAny, kInitNil,
               "Files that were loaded before the image was written.")
NEOVM_VARIABLE(load_dangerous_libraries, "load-dangerous-libraries", kGlobalVar, kBool, kInitNil,
               "Non-nil: compiled files of unknown origin are loaded with a warning.")
NEOVM_VARIABLE(force_load_messages, "force-load-messages", kGlobalVar, kBool, kInitNil,
               "Non-nil: `load` always says what it does.")
NEOVM_VARIABLE(bytecomp_version_regexp, "bytecomp-version-regexp", kGlobalVar, kAny,
               "^;;;.\\(in Emacs version\\|bytecomp version FSF\\)", "What the header of a compiled file looks like.")
NEOVM_VARIABLE(lexical_binding, "lexical-binding", kAutoLocalVar, kAny, kInitNil,
               "Non-nil: code in this buffer or file is evaluated with lexical binding.")
NEOVM_VARIABLE(load_prefer_newer, "load-prefer-newer", kGlobalVar, kBool, kInitNil,
               "Non-nil: of several candidates in a directory `load` takes the newest.")
NEOVM_VARIABLE(load_no_native, "load-no-native", kGlobalVar, kBool, kInitNil,
               "Non-nil: natively compiled files are not loaded.")
NEOVM_VARIABLE(loads_in_progress, "neovm--loads-in-progress", kGlobalVar, kAny, kInitNil,
               "Names of the files being loaded, innermost first.")

}  // namespace neovm::elisp
