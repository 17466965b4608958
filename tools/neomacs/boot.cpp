#include "boot.hpp"

#include <langinfo.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "neovm/core/image.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/elisp/tasks.hpp"
#include "neovm/host/host.hpp"

namespace neomacs {

using namespace neovm;  // NOLINT

namespace {

// startup.el's, before it gets to what the arguments ask for: about 775 with -Q. Each runs once or twice, so register code for them
// would only cost (a third of the way to the first form).
constexpr std::uint32_t kCallsOfStartup = 750;

constexpr const char* kLispDirectory = "/usr/share/emacs/28.2/lisp";

Value eval_text_re(Context& cx, void* data) {
  const Value text = TRY(make_string(cx, static_cast<const char*>(data)));
  const Value read = TRY(funcall_re(cx, Qread_from_string, {text}));
  return eval_form_re(cx, car_raw(read), Qt);
}

void set(Context& cx, const char* name, Value v) { (void)set_default_re(cx, intern(cx, name), v); }

std::string current_directory() {
  char path[PATH_MAX];
  if (getcwd(path, sizeof path) == nullptr) return "/";
  std::string out = path;
  // PWD keeps the names of symbolic links, when it is right.
  const char* pwd = std::getenv("PWD");
  struct stat a;
  struct stat b;
  if (pwd != nullptr && *pwd == '/' && stat(pwd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
      a.st_ino == b.st_ino)
    out = pwd;
  if (out.back() != '/') out += '/';
  return out;
}

// EMACSLOADPATH: an empty element stands for the default.
Value initial_load_path(Context& cx) {
  const char* env = std::getenv("EMACSLOADPATH");
  const std::string lisp = kLispDirectory;
  if (env == nullptr) return list(cx, {make_string(cx, lisp)});
  Value out = kNil;
  std::string all = std::string(env) + ":";
  std::size_t start = 0;
  for (std::size_t end = all.find(':'); end != std::string::npos; end = all.find(':', start)) {
    const std::string part = all.substr(start, end - start);
    out = cons(cx, make_string(cx, part.empty() ? lisp : part), out);
    start = end + 1;
  }
  return nreverse_list(out);
}

}  // namespace

void boot_bare(Context& cx) {
  elisp::attach(cx);
  host::attach(cx);
}

std::string boot_image(Context& cx, const std::string& path, bool check) {
  elisp::attach_context(cx, false);
  host::attach(cx);
  core::ImageLoadOptions load;
  load.check = check;
  std::string why = core::load_image(cx, path, load);
  if (why.empty()) elisp::attach_context(cx, true);
  return why;
}

namespace {

// The image that tasks start from, opened by the first of them.
class TaskImage {
 public:
  explicit TaskImage(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] bool none() const { return path_.empty(); }
  std::string boot(Context& task) {
    {
      const std::lock_guard lock(mutex_);
      if (!std::exchange(tried_, true)) source_ = core::open_image(path_, false, &why_);
    }
    if (source_ == nullptr) return why_;
    elisp::attach_context(task, false);
    host::attach(task);
    std::string why = core::load_image(task, source_, {.use_window = false, .lazy = true});
    if (why.empty()) elisp::attach_context(task, true);
    return why;
  }

 private:
  std::string path_;
  std::mutex mutex_;
  bool tried_ = false;
  std::string why_;
  std::shared_ptr<const core::ImageSource> source_;
};

}  // namespace

void set_run_variables(Context& cx, const Options& options, bool bare) {
  Value args = kNil;
  for (const std::string& a : options.args) args = cons(cx, make_string(cx, a), args);
  set(cx, "command-line-args", nreverse_list(args));
  set(cx, "noninteractive", boolean(options.batch || bare));
  if (options.batch || bare) set(cx, "write-region-inhibit-fsync", Qt);
  const std::string& called = options.args[0];
  set(cx, "invocation-name", make_string(cx, called.substr(called.rfind('/') + 1)));
  set(cx, "invocation-directory",
      make_string(cx,
                  options.program.empty() ? "/usr/bin/" : options.program.substr(0, options.program.rfind('/') + 1)));
  const Value here = make_string(cx, current_directory());
  set(cx, "default-directory", here);
  (void)set_variable_re(cx, intern(cx, "default-directory"), here);
  // Curved quotes in messages, where the locale can show them.
  set(cx, "internal--text-quoting-flag", boolean(std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0));
  set(cx, "load-path", initial_load_path(cx));
  set(cx, "top-level",
      bare ? list(cx, {intern(cx, "load"), make_string(cx, "loadup.el")}) : list(cx, {intern(cx, "normal-top-level")}));
}

timespec now() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return t;
}

void set_start_times(Context& cx, const StartTimes& times) {
  constexpr std::int64_t kHertz = 1000000000;
  const auto time = [&cx](const timespec& t) {
    return cons(cx, Value::fixnum(t.tv_sec * kHertz + t.tv_nsec), Value::fixnum(kHertz));
  };
  set(cx, "neovm-start-times", list(cx, {time(times.began), time(times.mapped)}));
}

elisp::TierOptions tier_options(const Options& options) {
  elisp::TierOptions tiers;
  tiers.enabled = options.tier1;
  tiers.count = options.tier_count;
  tiers.source = options.tier_source;
  tiers.store = elisp::make_code_store();
  if (options.tier_rounds != 0) tiers.rounds = options.tier_rounds;
  if (options.tier_threshold != 0) {
    tiers.threshold = tiers.source_threshold = options.tier_threshold;
  } else if (!options.bare && !options.no_image) {
    tiers.head_start = kCallsOfStartup;
  }
  return tiers;
}

void allow_tasks(Context& cx, const Options& options, const std::string& image) {
  elisp::TaskSettings settings;
  settings.workers = options.jobs;
  settings.image = image;
  settings.heap = cx.isolate().options().heap;
  elisp::TierOptions tiers_of_tasks = elisp::tier_options_of(cx);
  tiers_of_tasks.head_start = 0;  // they do not run startup.el
  // Tasks run the register code that others of this process have made.
  settings.boot = [options, from = std::make_shared<TaskImage>(image),
                   tiers = std::move(tiers_of_tasks)](Context& task) -> std::string {
    elisp::configure_tiers(task, tiers);
    if (from->none()) {
      boot_bare(task);
    } else if (std::string why = from->boot(task); !why.empty()) {
      return why;
    }
    set_run_variables(task, options, from->none());
    return "";
  };
  settings.record = !options.task_trace.empty();
  elisp::allow_tasks(cx, std::move(settings));
}

int run_text(Context& cx, const char* text) {
  return elisp::run_toplevel_re(cx, eval_text_re, const_cast<char*>(text));
}

int run_top_level(Context& cx) {
  // Evaluated from C++, so that backtraces end at the form and not at a call of `eval`.
  const auto body = [](Context& c, void*) -> Value {
    return eval_form_re(c, variable_value(c, intern(c, "top-level")), Qt);
  };
  return elisp::run_toplevel_re(cx, body, nullptr);
}

int build_image(Context& cx, const Options& options) {
  set(cx, "dump-mode", make_string(cx, "pdump"));
  // What `make` gives GNU's bare program: loadup.el looks at these words.
  set(cx, "command-line-args",
      list(cx, {make_string(cx, "temacs"), make_string(cx, "--batch"), make_string(cx, "-l"), make_string(cx, "loadup"),
                make_string(cx, "--temacs=pdump")}));
  set(cx, "purify-flag", kNil);
  const int status =
      run_text(cx, "(catch 'neomacs--image-is-complete (load \"loadup.el\") (error \"loadup.el came back\"))");
  if (status != 0) return status;
  set(cx, "dump-mode", kNil);
  (void)run_text(cx, "(setq command-line-args nil)");
  elisp::verify_functions(cx);
  core::ImageSize size;
  const std::string why = core::write_image(cx, options.build_image, &size);
  if (!why.empty()) {
    std::fprintf(stderr, "neomacs: %s\n", why.c_str());
    return 1;
  }
  std::printf("%s: %.1f MB, %llu symbols, %llu objects, %llu conses\n", options.build_image.c_str(),
              static_cast<double>(size.file_bytes) / 1e6, static_cast<unsigned long long>(size.symbols),
              static_cast<unsigned long long>(size.objects), static_cast<unsigned long long>(size.conses));
  return 0;
}

namespace {

// GNU's loadup.el ends in this call. The image cannot be written while Lisp runs, so everything is unwound
// first: build_image() catches the tag.
NEOVM_PRIMITIVE(dump_emacs_portable, "dump-emacs-portable", 1, 2, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "End the building of an image; only `neomacs --neovm-build-image' can do that.")
(Context& cx, Value, Value) { return throw_tag(cx, intern(cx, "neomacs--image-is-complete"), Qt); }

}  // namespace

}  // namespace neomacs
