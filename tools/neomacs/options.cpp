#include "options.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace neomacs {

namespace {

// Options that startup.el wants early, the most important first; `args` is how many arguments follow.
struct KnownOption {
  const char* name;
  const char* long_name;
  int priority;
  int args;
};

constexpr KnownOption kKnown[] = {
    {"-version", "--version", 150, 0},
    {"-fingerprint", "--fingerprint", 140, 0},
    {"-chdir", "--chdir", 130, 1},
    {"-t", "--terminal", 120, 1},
    {"-nw", "--no-window-system", 110, 0},
    {"-nw", "--no-windows", 110, 0},
    {"-batch", "--batch", 100, 0},
    {"-script", "--script", 100, 1},
    {"-daemon", "--daemon", 99, 0},
    {"-bg-daemon", "--bg-daemon", 99, 0},
    {"-fg-daemon", "--fg-daemon", 99, 0},
    {"-help", "--help", 90, 0},
    {"-nl", "--no-loadup", 70, 0},
    {"-nsl", "--no-site-lisp", 65, 0},
    {"-no-build-details", "--no-build-details", 63, 0},
    {"-d", "--display", 60, 1},
    {"-display", nullptr, 60, 1},
    {"-Q", "--quick", 55, 0},
    {"-quick", nullptr, 55, 0},
    {"-q", "--no-init-file", 50, 0},
    {"-no-init-file", nullptr, 50, 0},
    {"-no-x-resources", "--no-x-resources", 40, 0},
    {"-no-site-file", "--no-site-file", 40, 0},
    {"-u", "--user", 30, 1},
    {"-user", nullptr, 30, 1},
    {"-debug-init", "--debug-init", 20, 0},
    {"-nbi", "--no-bitmap-icon", 15, 0},
    {"-iconic", "--iconic", 15, 0},
    {"-D", "--basic-display", 12, 0},
    {"-basic-display", nullptr, 12, 0},
    {"-nbc", "--no-blinking-cursor", 12, 0},
    {"-bg", "--background-color", 10, 1},
    {"-fg", "--foreground-color", 10, 1},
    {"-fn", "--font", 10, 1},
    {"-g", "--geometry", 10, 1},
    {"-T", "--title", 10, 1},
    {"-name", "--name", 10, 1},
    {"-L", "--directory", 0, 1},
    {"-directory", nullptr, 0, 1},
    {"-l", "--load", 0, 1},
    {"-load", nullptr, 0, 1},
    {"-f", "--funcall", 0, 1},
    {"-funcall", nullptr, 0, 1},
    {"-eval", "--eval", 0, 1},
    {"-execute", "--execute", 0, 1},
    {"-scriptload", nullptr, 0, 1},
    {"-insert", "--insert", 0, 1},
    {"-i", nullptr, 0, 1},
    {"-find-file", "--find-file", 0, 1},
    {"-visit", "--visit", 0, 1},
    {"-file", "--file", 0, 1},
    {"-kill", "--kill", -10, 0},
};

// An option matches its short name, its long name, an unambiguous beginning of the long name of at least
// four characters, or "--name=value".
const KnownOption* find_option(std::string_view arg, bool* has_value) {
  *has_value = false;
  const std::size_t equals = arg.starts_with("--") ? arg.find('=') : std::string_view::npos;
  const std::string_view name = arg.substr(0, equals);
  const KnownOption* partial = nullptr;
  int candidates = 0;
  for (const KnownOption& o : kKnown) {
    if (name == o.name || (o.long_name != nullptr && name == o.long_name)) {
      *has_value = equals != std::string_view::npos;
      return &o;
    }
    if (o.long_name != nullptr && name.size() >= 4 && name.starts_with("--") &&
        std::string_view(o.long_name).starts_with(name)) {
      partial = &o;
      ++candidates;
    }
  }
  *has_value = equals != std::string_view::npos;
  return candidates == 1 ? partial : nullptr;
}

struct Group {
  int priority;
  std::vector<std::string> words;
};

// Sorts by importance; everything after "--" and plain file names keep their places at the end. False, with a message in
// *error, when an option lacks its argument.
bool sort_options(std::vector<std::string>& args, std::string* error) {
  std::vector<Group> groups;
  std::size_t i = 1;
  for (; i < args.size() && args[i] != "--"; ++i) {
    Group g{0, {args[i]}};
    if (args[i].starts_with('-') && args[i].size() > 1) {
      bool has_value = false;
      if (const KnownOption* o = find_option(args[i], &has_value)) {
        g.priority = o->priority;
        for (int n = has_value ? 0 : o->args; n > 0; --n) {
          if (i + 1 >= args.size()) {
            *error = "Option '" + g.words[0] + "' requires an argument";
            return false;
          }
          g.words.push_back(args[++i]);
        }
      }
    }
    groups.push_back(std::move(g));
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.priority > b.priority; });
  std::vector<std::string> out{args[0]};
  for (Group& g : groups) out.insert(out.end(), g.words.begin(), g.words.end());
  out.insert(out.end(), args.begin() + static_cast<std::ptrdiff_t>(std::min(i, args.size())), args.end());
  args = std::move(out);
  return true;
}

// What is behind the `=' of ARG.
bool positive_number(std::string_view arg, unsigned* number, std::string* error) {
  const char* const digits = arg.data() + arg.find('=') + 1;
  char* end = nullptr;
  const unsigned long n = std::strtoul(digits, &end, 10);
  if (*digits >= '0' && *digits <= '9' && *end == '\0' && n >= 1 && n <= 0xFFFFFFFF) {
    *number = static_cast<unsigned>(n);
    return true;
  }
  *error = "Option `" + std::string(arg) + "' requires a number from 1 to 4294967295";
  return false;
}

}  // namespace

bool parse_options(int argc, char** argv, Options* options, std::string* error) {
  std::vector<std::string> rest{argc > 0 ? argv[0] : "neomacs"};
  // Our own options come out first, wherever they stand before "--".
  bool ended = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--") ended = true;
    std::string* target = nullptr;
    if (arg == "--image") target = &options->image;
    if (arg == "--neovm-build-image") target = &options->build_image;
    if (!ended && target != nullptr) {
      if (i + 1 >= argc) {
        *error = "Option '" + std::string(arg) + "' requires an argument";
        return false;
      }
      *target = argv[++i];
    } else if (!ended && arg == "--neovm-bare") {
      options->bare = true;
    } else if (!ended && arg == "--neovm-no-image") {
      options->no_image = true;
    } else if (!ended && (arg == "--neovm-tier=0" || arg == "--neovm-tier=1")) {
      options->tier1 = arg.back() == '1';
    } else if (!ended && arg.starts_with("--neovm-tier-threshold=")) {
      if (!positive_number(arg, &options->tier_threshold, error)) return false;
    } else if (!ended && arg.starts_with("--neovm-tier-rounds=")) {
      if (!positive_number(arg, &options->tier_rounds, error)) return false;
    } else if (!ended && (arg == "--neovm-tier-source=0" || arg == "--neovm-tier-source=1")) {
      options->tier_source = arg.back() == '1';
    } else if (!ended && arg == "--neovm-tier-count") {
      options->tier_count = true;
    } else if (!ended && arg == "--neovm-tier-report") {
      options->tier_count = options->tier_report = true;
    } else if (!ended && arg.starts_with("--neovm-tier-report=")) {
      options->tier_count = options->tier_report = true;
      options->tier_report_file = arg.substr(std::strlen("--neovm-tier-report="));
    } else if (!ended && (arg == "-j" || arg == "--jobs" || arg.starts_with("--jobs="))) {
      const char* count = "";
      if (arg.starts_with("--jobs=")) {
        count = arg.data() + std::strlen("--jobs=");
      } else if (i + 1 < argc) {
        count = argv[++i];
      }
      char* end = nullptr;
      const unsigned long n = std::strtoul(count, &end, 10);
      if (end == count || *end != '\0' || n < 1 || n > 256) {
        *error = "Option `" + std::string(arg) + "' requires a number from 1 to 256";
        return false;
      }
      options->jobs = static_cast<unsigned>(n);
    } else if (!ended && arg == "--neovm-task-stats") {
      options->task_stats = true;
    } else if (!ended && arg.starts_with("--neovm-task-trace=")) {
      options->task_trace = arg.substr(std::strlen("--neovm-task-trace="));
    } else if (!ended && arg.starts_with("--neovm-memory-limit=")) {
      const unsigned long megabytes = std::strtoul(arg.data() + std::strlen("--neovm-memory-limit="), nullptr, 10);
      options->memory_limit = std::size_t{megabytes} << 20;
    } else if (!ended && arg == "--neovm-gc-stress") {
      options->gc_stress = 1;
    } else if (!ended && arg.starts_with("--neovm-gc-stress=")) {
      options->gc_stress =
          static_cast<unsigned>(std::strtoul(arg.data() + std::strlen("--neovm-gc-stress="), nullptr, 10));
    } else {
      rest.emplace_back(arg);
    }
  }
  if (!sort_options(rest, error)) return false;
  options->args.push_back(rest[0]);
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == "--") {
      options->args.insert(options->args.end(), rest.begin() + static_cast<std::ptrdiff_t>(i), rest.end());
      break;
    }
    bool has_value = false;
    const KnownOption* o = rest[i].starts_with('-') ? find_option(rest[i], &has_value) : nullptr;
    const std::string_view name = o != nullptr ? o->name : "";
    if (name == "-version") {
      options->version = true;
    } else if (name == "-fingerprint") {
      options->fingerprint = true;
    } else if (name == "-help") {
      options->help = true;
    } else if (name == "-batch") {
      options->batch = true;
    } else if (name == "-nw" || name == "-nsl" || name == "-nl" || name == "-no-build-details") {
      // The terminal is the only display there is; the others speak to the program, not to Lisp.
    } else if (name == "-script" && has_value) {
      // The file must be a word of its own, as for Emacs: startup.el calls this an unknown option.
      options->batch = true;
      options->args.push_back(rest[i]);
    } else if (name == "-chdir" || name == "-script" || name == "-t" || name == "-d" || name == "-display") {
      const std::string value = has_value ? rest[i].substr(rest[i].find('=') + 1) : rest[++i];
      if (name == "-chdir") options->chdir = value;
      if (name == "-script") {
        options->batch = true;
        options->args.insert(options->args.end(), {"-scriptload", value});
      }
    } else {
      options->args.push_back(rest[i]);
      for (int n = o == nullptr || has_value ? 0 : o->args; n > 0; --n) options->args.push_back(rest[++i]);
    }
  }
  return sort_options(options->args, error);  // -scriptload comes after what -script stood before
}

}  // namespace neomacs
