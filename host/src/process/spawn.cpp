#include "process/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

void Fd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

namespace {

bool runnable(Context& cx, const std::string& path) {
  return ask_about_name(cx, AT_FDCWD, path.c_str(), [&] {
    struct stat st;
    return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && access(path.c_str(), X_OK) == 0;
  });
}

}  // namespace

Maybe<std::string> find_program_re(Context& cx, Value program) {
  const std::string name = TRY(encode_file_name(cx, program));
  int error = ENOENT;
  if (name.find('/') != std::string::npos) {
    const Value full = TRY(expand_re(cx, program));
    std::string path = unquoted_name(TRY(encode_file_name(cx, full)));
    if (runnable(cx, path)) return path;
    struct stat st;
    if (stat_file(cx, path, &st) == 0) error = S_ISDIR(st.st_mode) ? EISDIR : EACCES;
    return file_error(cx, "Searching for program", program, error);
  }
  for (Value dirs = variable_value(cx, Qexec_path); dirs.is_cons(); dirs = cdr_raw(dirs)) {
    TRY(check_quit(cx));
    const Value dir = car_raw(dirs);
    const Value full = TRY(expand_file_name_re(cx, program, dir));
    const std::string base = unquoted_name(TRY(encode_file_name(cx, full)));
    Value suffixes = variable_value(cx, Qexec_suffixes);
    if (!suffixes.is_cons() && runnable(cx, base)) return base;
    for (; suffixes.is_cons(); suffixes = cdr_raw(suffixes)) {
      if (!car_raw(suffixes).is_string()) continue;
      std::string path = base + to_std_string(car_raw(suffixes));
      if (runnable(cx, path)) return path;
    }
  }
  return file_error(cx, "Searching for program", program, error);
}

Maybe<std::string> child_directory_re(Context& cx) {
  Value dir = variable_value(cx, Qdefault_directory);
  if (!dir.is_string()) return std::string("/");
  const Value local = TRY(funcall_re(cx, Qunhandled_file_name_directory, {dir}));
  if (local.is_string()) dir = local;
  const Value full = TRY(expand_file_name_re(cx, dir, kNil));
  std::string path = TRY(encode_file_name(cx, full));
  struct stat st;
  if (stat_file(cx, path, &st) != 0)
    return file_error(cx, "Setting current directory", variable_value(cx, Qdefault_directory));
  if (!S_ISDIR(st.st_mode)) {
    return file_error(cx, "Setting current directory", variable_value(cx, Qdefault_directory), ENOTDIR);
  }
  return path;
}

pid_t spawn(const Child& child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addchdir_np(&actions, child.directory.c_str());
  const bool pty = !child.terminal.empty();
  if (pty) {
    posix_spawn_file_actions_addopen(&actions, 0, child.terminal.c_str(), O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, child.out >= 0 ? child.out : 0, 1);
    posix_spawn_file_actions_adddup2(&actions, child.err >= 0 ? child.err : 1, 2);
  } else {
    posix_spawn_file_actions_adddup2(&actions, child.in, 0);
    posix_spawn_file_actions_adddup2(&actions, child.out, 1);
    posix_spawn_file_actions_adddup2(&actions, child.err, 2);
  }
  sigset_t set;
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  sigaddset(&set, SIGPIPE);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGQUIT);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setflags(&attributes,
                           static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
  std::vector<char*> argv;
  for (const std::string& a : child.args) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> envp;
  std::string pwd = "PWD=" + child.directory;
  while (pwd.size() > 5 && pwd.back() == '/') pwd.pop_back();
  envp.push_back(pwd.data());
  for (const std::string& e : child.environment)
    if (!e.starts_with("PWD=")) envp.push_back(const_cast<char*>(e.c_str()));
  envp.push_back(nullptr);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, child.program.c_str(), &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    errno = error;
    return -1;
  }
  return pid;
}

std::string signal_description(int signal) {
  const char* text = strsignal(signal);
  return text != nullptr ? text : "unknown";
}

}  // namespace neomacs::host
