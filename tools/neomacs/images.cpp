#include "images.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "boot.hpp"
#include "neovm/core/image.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace neomacs {

namespace {

bool exists(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0;
}

// A directory of this user that nobody else writes to.
bool is_own_directory(const std::string& path) {
  struct stat st;
  return lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

// The folder that the user's cache is in; "" for a user who has none. What another user could have put there is code that
// would run.
std::string cache_parent() {
  std::string parent;
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg == '/') {
    parent = xdg;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    parent = std::string(home) + "/.cache";
  }
  return parent;
}

// Images of other builds may be there, too.
std::string cached_image() {
  const std::string parent = cache_parent();
  if (parent.empty()) return "";
  char name[64];
  std::snprintf(name, sizeof name, "/neomacs/%016llx.image",
                static_cast<unsigned long long>(neovm::core::image_build_id()));
  return parent + name;
}

bool make_cache() {
  const std::string parent = cache_parent();
  if (parent.empty()) return false;
  const std::string own = parent + "/neomacs";
  (void)mkdir(parent.c_str(), 0700);
  (void)mkdir(own.c_str(), 0700);
  return is_own_directory(own);
}

// Runs this program to write an image to TARGET, its progress unheard. What it says when it fails is the reason.
bool build_at(const Options& options, const std::string& target) {
  const std::string& program = options.program;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string words[] = {program, "--batch", "--neovm-build-image", target};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  pid_t child = 0;
  const int failed = posix_spawn(&child, program.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return false;
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::string program_file() {
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n > 0) return {path, static_cast<std::size_t>(n)};
  const auto* started = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (started == nullptr || realpath(started, path) == nullptr) return "";
  return path;
}

std::vector<std::string> image_places(const Options& options) {
  if (!options.image.empty()) return {options.image};
  std::vector<std::string> places;
  if (!options.program.empty()) {
    const std::string here = options.program.substr(0, options.program.rfind('/') + 1);
    for (const char* place : {"neomacs.image", "../share/neomacs/neomacs.image", "../../release/bin/neomacs.image"})
      places.push_back(here + place);
  }
  return places;
}

std::string start_from_image(neovm::Context& cx, const Options& options, std::string* image) {
  neovm::elisp::attach_context(cx, false);
  neomacs::host::attach(cx);
  const auto load = [&](const std::string& path) {
    std::string why = neovm::core::load_image(cx, path);
    if (why.empty()) {
      neovm::elisp::attach_context(cx, true);
      *image = path;
    }
    return why;
  };
  const std::vector<std::string> places = image_places(options);
  std::string why;  // of the first that is there
  const auto loads = [&](const std::string& place) {
    const std::string reason = load(place);
    if (why.empty()) why = reason;
    return reason.empty();
  };
  for (const std::string& place : places)
    if ((!options.image.empty() || exists(place)) && loads(place)) return "";
  if (!options.image.empty()) return why;
  // Its name takes a while to find: the build's id is made of thousands of names.
  const std::string cached = cached_image();
  if (!cached.empty() && exists(cached) && is_own_directory(cache_parent() + "/neomacs") && loads(cached)) return "";
  if (why.empty()) why = "there is no image to start from";
  // Beside the program if that is possible, as the build does; an image that another build has there is of no use to it.
  if (!options.program.empty()) {
    for (const std::string& target : {places.front(), cached}) {
      if (target.empty() || (target == cached && !make_cache())) continue;
      if (target != cached && access(target.substr(0, target.rfind('/')).c_str(), W_OK) != 0) continue;
      std::fprintf(stderr, "neomacs: %s; building %s\n", why.c_str(), target.c_str());
      if (!build_at(options, target)) continue;
      const std::string reason = load(target);
      if (reason.empty()) return "";
      why = reason;
    }
  }
  return why +
         "\nMake one with `neomacs --neovm-build-image FILE' and start with `--image FILE', or use --neovm-no-image";
}

}  // namespace neomacs
