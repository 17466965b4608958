// What the program says it is: it runs the Lisp library of GNU Emacs 28.2 on GNU/Linux.
#include <cstdlib>
#include <string>

#include "neovm/abi/api.hpp"
#include "process/environment.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

// Network connections are not encrypted here: there is nothing that GnuTLS could do.
NEOVM_PRIMITIVE(gnutls_available_p, "gnutls-available-p", 0, 0, kWorkerSafe, kPureRead, kNoGc, kNoReentry,
                kDeterministic, "Return what GnuTLS can do: nil, as it is not built in.")
(Context&) { return kNil; }

NEOVM_VARIABLE(emacs_version, "emacs-version", kGlobalVar, kAny, "28.2", "Version of Emacs whose behaviour this is.")
NEOVM_VARIABLE(emacs_copyright, "emacs-copyright", kGlobalVar, kAny,
               "Copyright (C) 2022 Free Software Foundation, Inc.", "Copyright line of the Lisp library.")
NEOVM_VARIABLE(system_type, "system-type", kGlobalVar, kAny, Qgnu_linux, "Kind of operating system.")
NEOVM_VARIABLE(system_configuration, "system-configuration", kGlobalVar, kAny, "x86_64-pc-linux-gnu",
               "Machine and system the program was built for.")
NEOVM_VARIABLE(system_configuration_options, "system-configuration-options", kGlobalVar, kAny, "",
               "Options the program was configured with.")
NEOVM_VARIABLE(system_configuration_features, "system-configuration-features", kGlobalVar, kAny,
               "GMP PDUMPER THREADS ZLIB", "Features the program was built with.")
NEOVM_VARIABLE(report_emacs_bug_address, "report-emacs-bug-address", kGlobalVar, kAny, "bug-gnu-emacs@gnu.org",
               "Where bugs of the Lisp library are reported.")
NEOVM_VARIABLE(path_separator, "path-separator", kGlobalVar, kAny, ":", "What stands between directories in PATH.")
NEOVM_VARIABLE(command_line_args, "command-line-args", kGlobalVar, kAny, kInitNil,
               "Arguments of the command line, the program's name first.")
NEOVM_VARIABLE(invocation_name, "invocation-name", kGlobalVar, kAny, kInitNil, "Name the program was called by.")
NEOVM_VARIABLE(invocation_directory, "invocation-directory", kGlobalVar, kAny, kInitNil,
               "Directory of the program, with a slash.")
NEOVM_VARIABLE(installation_directory, "installation-directory", kGlobalVar, kAny, kInitNil,
               "Directory with etc and lib-src when the program runs where it was built.")
NEOVM_VARIABLE(noninteractive, "noninteractive", kGlobalVar, kBool, kInitNil,
               "Non-nil when there is no editor: --batch.")
NEOVM_VARIABLE(kill_emacs_hook, "kill-emacs-hook", kGlobalVar, kAny, kInitNil, "Hook run by kill-emacs.")
NEOVM_VARIABLE(before_init_time, "before-init-time", kGlobalVar, kAny, kInitNil, "When the init file began to load.")
NEOVM_VARIABLE(after_init_time, "after-init-time", kGlobalVar, kAny, kInitNil, "When the init file had been loaded.")
NEOVM_VARIABLE(dump_mode, "dump-mode", kGlobalVar, kAny, kInitNil, "How the image being built will be written.")
NEOVM_VARIABLE(dynamic_library_alist, "dynamic-library-alist", kGlobalVar, kAny, kInitNil,
               "Shared libraries by feature, where they can be chosen.")
NEOVM_VARIABLE(system_messages_locale, "system-messages-locale", kGlobalVar, kAny, kInitNil, "Locale of messages.")
NEOVM_VARIABLE(system_time_locale, "system-time-locale", kGlobalVar, kAny, kInitNil, "Locale of times.")
NEOVM_VARIABLE(inhibit_x_resources, "inhibit-x-resources", kGlobalVar, kBool, kInitNil,
               "Non-nil means X resources are ignored.")

NEOVM_VARIABLE(shell_file_name, "shell-file-name", kGlobalVar, kAny, kInitNil, "The shell that runs commands.")
NEOVM_VARIABLE(exec_path, "exec-path", kGlobalVar, kAny, kInitNil, "Directories searched for programs.")
NEOVM_VARIABLE(exec_suffixes, "exec-suffixes", kGlobalVar, kAny, kInitNil, "Suffixes tried for programs.")
NEOVM_VARIABLE(exec_directory, "exec-directory", kGlobalVar, kAny, kInitNil, "Directory of helper programs.")
NEOVM_VARIABLE(data_directory, "data-directory", kGlobalVar, kAny, kInitNil, "Directory of data of the Lisp library.")
NEOVM_VARIABLE(doc_directory, "doc-directory", kGlobalVar, kAny, kInitNil, "Directory of the DOC file.")
NEOVM_VARIABLE(configure_info_directory, "configure-info-directory", kGlobalVar, kAny, "/usr/share/info",
               "Directory of Info manuals.")
NEOVM_VARIABLE(shared_game_score_directory, "shared-game-score-directory", kGlobalVar, kAny, kInitNil,
               "Directory of shared game scores.")

std::string from_environment(const char* name, const char* otherwise) {
  const char* v = std::getenv(name);
  return v != nullptr && *v != '\0' ? v : otherwise;
}

Value directory(Context& cx, std::string name) {
  if (name.back() != '/') name += '/';
  return make_string(cx, name);
}

NEOVM_INIT(places, kEveryStart)(Context& cx) {
  (void)set_default_re(cx, Qshell_file_name, make_string(cx, from_environment("SHELL", "/bin/sh")));
  const std::string helpers = from_environment("EMACSPATH", "/usr/libexec/emacs/28.2/x86_64-linux-gnu/");
  const std::string data = from_environment("EMACSDATA", "/usr/share/emacs/28.2/etc/");
  (void)set_default_re(cx, Qexec_directory, directory(cx, helpers));
  (void)set_default_re(cx, Qdata_directory, directory(cx, data));
  (void)set_default_re(cx, Qdoc_directory, directory(cx, from_environment("EMACSDOC", data.c_str())));
  Value path = kNil;
  std::string all = from_environment("PATH", "");
  all += ':';
  std::size_t start = 0;
  for (std::size_t end = all.find(':'); end != std::string::npos; end = all.find(':', start)) {
    const std::string part = all.substr(start, end - start);
    path = cons(cx, make_string(cx, part.empty() ? "." : part), path);
    start = end + 1;
  }
  std::string last = helpers;
  while (last.size() > 1 && last.back() == '/') last.pop_back();
  path = cons(cx, make_string(cx, last), path);
  (void)set_default_re(cx, Qexec_path, nreverse_list(path));
  (void)set_default_re(cx, Qexec_suffixes, list(cx, {make_string(cx, "")}));
}

NEOVM_PRIMITIVE(invocation_name_fn, "invocation-name", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return the name the program was called by.")
(Context& cx) { return variable_value(cx, Qinvocation_name); }

NEOVM_PRIMITIVE(invocation_directory_fn, "invocation-directory", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return the directory of the program.")
(Context& cx) { return variable_value(cx, Qinvocation_directory); }

NEOVM_PRIMITIVE(daemonp, "daemonp", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry, kNondeterministic,
                "Return nil: this program does not run as a daemon.")
(Context&) { return kNil; }

NEOVM_PRIMITIVE(daemon_initialized, "daemon-initialized", 0, 0, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kNondeterministic, "Tell a waiting parent that the daemon is ready; an error when there is none.")
(Context& cx) { return error_text(cx, "This function can only be called if emacs is run as a daemon"); }

}  // namespace
}  // namespace neomacs::host
