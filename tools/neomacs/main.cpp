// neomacs: runs Emacs Lisp with GNU's Lisp library where `emacs --batch` would.
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "boot.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "options.hpp"

namespace neomacs {
namespace {

constexpr const char* kVersion =
    "GNU Emacs 28.2\n"
    "Run by NeoVM, which is free software; the Lisp library is GNU Emacs's:\n"
    "Copyright (C) 2022 Free Software Foundation, Inc.\n"
    "GNU Emacs comes with ABSOLUTELY NO WARRANTY.\n"
    "You may redistribute copies of GNU Emacs\n"
    "under the terms of the GNU General Public License.\n"
    "For more information about these matters, see the file named COPYING.\n";

constexpr const char* kHelp =
    "Usage: neomacs [OPTION-OR-FILENAME]...\n"
    "\n"
    "Runs Emacs Lisp as GNU Emacs 28.2 does.\n"
    "\n"
    "  --batch                  no display; read standard input, write standard output\n"
    "  --script FILE            load FILE as a program, with --batch\n"
    "  --quick, -Q              no init files\n"
    "  --no-init-file, -q       no init file of the user\n"
    "  --no-site-file           no site-start.el\n"
    "  --directory, -L DIR      put DIR in front of load-path (after it, when it begins with a colon)\n"
    "  --load, -l FILE          load FILE\n"
    "  --funcall, -f FUNC       call FUNC without arguments\n"
    "  --eval, --execute EXPR   evaluate EXPR\n"
    "  --insert FILE            insert FILE into the current buffer\n"
    "  --chdir DIR              go to DIR first\n"
    "  --kill                   exit at the end\n"
    "  --version, --help        say what this is\n"
    "\n"
    "Of NeoVM:\n"
    "  --image FILE             start from this image\n"
    "  --neovm-build-image OUT  load the Lisp library and write an image\n"
    "  --neovm-no-image         start from the files of the Lisp library\n"
    "  --neovm-gc-stress[=N]    collect at every (N-th) safepoint, poison what died\n"
    "  --neovm-bare             only primitives; --load, --eval and --funcall in order\n";

neovm::Context* interrupted_context(neovm::Context* set) {
  static neovm::Context* context = nullptr;  // read by the signal handler, set once at start
  if (set != nullptr) context = set;
  return context;
}

void on_interrupt(int) {
  if (neovm::Context* cx = interrupted_context(nullptr))
    cx->interrupts.fetch_or(neovm::kInterruptQuit, std::memory_order_relaxed);
}

// --neovm-bare: no startup.el, so the arguments are carried out here.
int run_bare(neovm::Context& cx, const Options& options) {
  for (std::size_t i = 1; i < options.args.size(); ++i) {
    std::string arg = options.args[i];
    std::string value;
    const std::size_t equals = arg.find('=');
    if (arg.starts_with("--") && equals != std::string::npos) {
      value = arg.substr(equals + 1);
      arg.resize(equals);
    } else if (arg != "-Q" && arg != "-q" && arg != "--quick") {
      if (i + 1 >= options.args.size()) {
        std::fprintf(stderr, "neomacs: Option '%s' requires an argument\n", arg.c_str());
        return 255;
      }
      value = options.args[++i];
    } else {
      continue;
    }
    const neovm::Value lisp = neovm::make_string(cx, value);
    if (lisp.is_exit()) return 255;
    (void)neovm::set_default_re(cx, neovm::intern(cx, "neomacs--argument"), lisp);
    const char* form = nullptr;
    if (arg == "--eval" || arg == "-eval" || arg == "--execute") {
      form = "(eval (car (read-from-string neomacs--argument)) t)";
    } else if (arg == "-l" || arg == "--load" || arg == "-scriptload") {
      form =
          "(load (if (file-exists-p neomacs--argument) (expand-file-name neomacs--argument) neomacs--argument) nil t)";
    } else if (arg == "-f" || arg == "--funcall") {
      form = "(funcall (intern neomacs--argument))";
    } else if (arg == "-L" || arg == "--directory") {
      form = "(setq load-path (cons (expand-file-name neomacs--argument) load-path))";
    } else {
      std::fprintf(stderr, "neomacs: unknown option %s\n", arg.c_str());
      return 255;
    }
    const int status = run_text(cx, form);
    if (status != 0) return status;
  }
  return 0;
}

int start(const Options& options) {
  neovm::IsolateOptions isolate_options;
  const bool building = !options.build_image.empty();
  const std::string image = building || options.bare || options.no_image ? "" : find_image(options);
  isolate_options.building = image.empty();
  isolate_options.heap.stress = options.gc_stress != 0;
  isolate_options.heap.stress_every = options.gc_stress;
  auto isolate = std::make_unique<neovm::Isolate>(isolate_options);
  auto cx = std::make_unique<neovm::Context>(*isolate);
  interrupted_context(cx.get());
  if (!image.empty()) {
    const std::string why = boot_image(*cx, image);
    if (!why.empty()) {
      std::fprintf(stderr, "neomacs: %s\n", why.c_str());
      return 1;
    }
  } else {
    boot_bare(*cx);
  }
  const bool bare = image.empty();
  set_run_variables(*cx, options, bare);
  if (building) return build_image(*cx, options);
  // Until an image is built, the arguments are carried out on the bare world.
  if (options.bare || (bare && !options.no_image)) return run_bare(*cx, options);
  const int status = run_top_level(*cx);
  return status != 0 ? status : run_text(*cx, "(kill-emacs t)");
}

}  // namespace
}  // namespace neomacs

int main(int argc, char** argv) {
  neomacs::Options options;
  std::string error;
  if (!neomacs::parse_options(argc, argv, &options, &error)) {
    std::fprintf(stderr, "neomacs: %s\n", error.c_str());
    return 1;
  }
  if (options.version) {
    std::fputs(neomacs::kVersion, stdout);
    return 0;
  }
  if (options.help) {
    std::fputs(neomacs::kHelp, stdout);
    return 0;
  }
  if (!options.chdir.empty() && chdir(options.chdir.c_str()) != 0) {
    std::fprintf(stderr, "neomacs: Can't chdir to %s\n", options.chdir.c_str());
    return 1;
  }
  setlocale(LC_CTYPE, "");
  setlocale(LC_TIME, "");
  signal(SIGPIPE, SIG_IGN);
  struct sigaction action = {};
  action.sa_handler = neomacs::on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  return neomacs::start(options);
}
