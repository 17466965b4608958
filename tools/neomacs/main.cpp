// neomacs: runs Emacs Lisp with GNU's Lisp library where `emacs --batch` would.
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>

#include "boot.hpp"
#include "images.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/elisp/tasks.hpp"
#include "neovm/host/host.hpp"
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
    "  --jobs, -j N             run Lisp tasks on N workers (default: one for each processor)\n"
    "  --neovm-build-image OUT  load the Lisp library and write an image\n"
    "  --neovm-no-image         start from the files of the Lisp library\n"
    "  --neovm-tier=0|1         0: no register code, only forms and stack byte-code\n"
    "  --neovm-tier-threshold=N register code from the N-th call on (default 10; 8 when interpreted)\n"
    "  --neovm-tier-rounds=N    register code for a loop of byte-code as it goes round, the N-th round of any (default 64)\n"
    "  --neovm-tier-source=0|1  0: interpreted functions get no register code\n"
    "  --neovm-tier-count       count instructions for neovm-tier-statistics\n"
    "  --neovm-tier-report[=FILE]  at exit, what the tiers did: text, or a line of JSON appended to FILE (neovm stats)\n"
    "  --neovm-task-stats       at exit, what the workers did\n"
    "  --neovm-task-trace=FILE  record who ran where, for Perfetto\n"
    "  --neovm-memory-limit=MB  heap above which Lisp gets memory-full (16 GB, or 3/4 of what the machine has)\n"
    "  --neovm-gc-stress[=N]    collect at every (N-th) safepoint, poison what died\n"
    "  --neovm-bare             only primitives; --load, --eval and --funcall in order\n";

// What the signal handlers know: the context that they interrupt, and the signal that ends the program.
struct Interrupted {
  std::atomic<neovm::Context*> context{nullptr};
  std::atomic<int> signal{0};
};

Interrupted& interrupted() {
  static Interrupted state;
  return state;
}

// While one exists, signals speak to CX.
class Interruptible {
 public:
  explicit Interruptible(neovm::Context& cx);
  ~Interruptible() { interrupted().context = nullptr; }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
};

// SIGINT, SIGTERM and SIGHUP end a batch program: kill-emacs with the signal's number, whatever Lisp has bound or would
// catch. A second signal does not wait for kill-emacs-hook, or for a primitive that does not look.
void on_end(int number) {
  neovm::Context* const cx = interrupted().context.load();
  if (cx == nullptr || interrupted().signal.exchange(number) != 0) _exit(number);
  cx->interrupt(neovm::kInterruptTerminate);
  neovm::elisp::wake_task_waits(*cx);
}

// Nothing below this comes back, so kill-emacs-hook gets room to run wherever the signal came: at the last level that
// max-lisp-eval-depth allows, too.
void terminate(neovm::Context& cx) {
  constexpr std::int64_t kRoom = 1600;
  cx.on_terminate = nullptr;
  cx.open_reserve();
  const auto used = cx.eval_depth + static_cast<std::int64_t>(cx.bindings.size());
  neovm::store(&cx.cells(neovm::Qmax_lisp_eval_depth).value, neovm::Value::fixnum(cx.eval_depth + kRoom));
  neovm::store(&cx.cells(neovm::Qmax_specpdl_size).value, neovm::Value::fixnum(used + 2 * kRoom));
  (void)neovm::funcall_re(cx, neovm::intern(cx, "kill-emacs"), {neovm::Value::fixnum(interrupted().signal.load())});
  _exit(interrupted().signal.load());
}

Interruptible::Interruptible(neovm::Context& cx) {
  cx.on_terminate = terminate;
  interrupted().context = &cx;
}

// Whoever reads our output has gone: end as a program that never heard of the signal. A pipe to a child is another
// matter; writing to it fails with EPIPE.
void on_broken_pipe(int number) {
  const int saved = errno;
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    pollfd p{fd, 0, 0};
    if (poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0) {
      ::signal(number, SIG_DFL);
      raise(number);
    }
  }
  errno = saved;
}

void on_nothing(int) {}

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_end;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old = {};
    // What the parent has us ignore stays ignored (nohup).
    if (sigaction(number, nullptr, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
  action.sa_handler = on_broken_pipe;
  sigaction(SIGPIPE, &action, nullptr);
  action.sa_handler = on_nothing;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGUSR1, SIGUSR2, SIGALRM}) sigaction(number, &action, nullptr);
}

// The first files that Lisp opens must not become standard input or output. Reading and writing them goes on failing.
void occupy_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
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

// FILE as a Lisp string.
std::string lisp_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

int report_at_exit(neovm::Context& cx, const Options& options) {
  int status = 0;
  if (options.tier_report) {
    const std::string report =
        options.tier_report_file.empty()
            ? "(princ (neovm-tier-report) #'external-debugging-output)"
            : "(neovm-tier-report " + lisp_string(std::filesystem::absolute(options.tier_report_file)) + ")";
    status = run_text(cx, ("(add-hook 'kill-emacs-hook (lambda () " + report + "))").c_str());
    if (status != 0) return status;
  }
  if (options.task_stats) {
    status = run_text(cx,
                      "(add-hook 'kill-emacs-hook (lambda () (princ (or (neovm-task-statistics) \"\") "
                      "#'external-debugging-output)))");
  }
  if (status == 0 && !options.task_trace.empty()) {
    status = run_text(
        cx,
        ("(add-hook 'kill-emacs-hook (lambda () (neovm-task-trace " + lisp_string(options.task_trace) + ")))").c_str());
  }
  return status;
}

// A program that takes it all is ended by the kernel, before Lisp hears of it.
std::size_t most_of_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(pages) / 4 * 3 * static_cast<std::size_t>(size);
}

int start(const Options& options, const timespec& began) {
  neovm::IsolateOptions isolate_options;
  const bool building = !options.build_image.empty();
  const bool bare = building || options.bare || options.no_image;
  std::string image;
  isolate_options.building = bare;
  isolate_options.heap.limit_bytes =
      options.memory_limit != 0 ? options.memory_limit : std::min(isolate_options.heap.limit_bytes, most_of_memory());
  isolate_options.heap.stress = options.gc_stress != 0;
  isolate_options.heap.stress_every = options.gc_stress;
  isolate_options.heap.stress_major_every = 128;  // with the image, a major one costs a thousand minor ones
  auto isolate = std::make_unique<neovm::Isolate>(isolate_options);
  auto cx = std::make_unique<neovm::Context>(*isolate);
  const Interruptible interruptible(*cx);
  neovm::elisp::TierOptions tiers = tier_options(options);
  tiers.enabled = tiers.enabled && !building;
  neovm::elisp::configure_tiers(*cx, tiers);
  if (!bare) {
    const std::string why = start_from_image(*cx, options, &image);
    if (!why.empty()) {
      std::fprintf(stderr, "neomacs: %s\n", why.c_str());
      return 1;
    }
    set_start_times(*cx, {began, now()});
  } else {
    boot_bare(*cx);
  }
  set_run_variables(*cx, options, bare);
  if (!building) allow_tasks(*cx, options, image);
  if (building) return build_image(*cx, options);
  if (options.bare) return run_bare(*cx, options);
  if (const int status = report_at_exit(*cx, options); status != 0) return status;
  const int status = run_top_level(*cx);
  return status != 0 ? status : run_text(*cx, "(kill-emacs t)");
}

}  // namespace
}  // namespace neomacs

int main(int argc, char** argv) {
  const timespec began = neomacs::now();
  neomacs::occupy_standard_streams();
  neomacs::Options options;
  std::string error;
  if (!neomacs::parse_options(argc, argv, &options, &error)) {
    std::fprintf(stderr, "neomacs: %s\n", error.c_str());
    return 1;
  }
  options.program = neomacs::program_file();
  const std::string called = options.args[0].substr(options.args[0].rfind('/') + 1);
  if (options.version || options.help) {
    std::fputs(options.version ? neomacs::kVersion : neomacs::kHelp, stdout);
    return neomacs::host::settle_output(called.c_str(), 0);
  }
  if (!options.chdir.empty() && chdir(options.chdir.c_str()) != 0) {
    std::fprintf(stderr, "neomacs: Can't chdir to %s: %s\n", options.chdir.c_str(), std::strerror(errno));
    return 1;
  }
  setlocale(LC_CTYPE, "");
  setlocale(LC_TIME, "");
  neomacs::install_signal_handlers();
  return neomacs::host::settle_output(called.c_str(), neomacs::start(options, began));
}
