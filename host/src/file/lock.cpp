// Lock files: a symbolic link .#NAME beside the file, whose target says who is changing it
// (USER@HOST.PID:BOOT), as Emacs and others understand it.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <string>

#include "buffer/buffer.hpp"
#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

struct Owner {
  enum class Kind : std::uint8_t { kNone, kMe, kOther, kStale } kind = Kind::kNone;
  std::string user;
  std::string host;
  long pid = 0;
};

std::string lock_name(const std::string& path) {
  const std::size_t n = directory_length(path);
  return path.substr(0, n) + ".#" + path.substr(n);
}

std::string boot_time() {
  std::ifstream stat("/proc/stat");
  std::string word;
  while (stat >> word)
    if (word == "btime" && stat >> word) return word;
  return "";
}

std::string my_host(Context& cx) {
  const Value name = variable_value(cx, Qsystem_name);
  return name.is_string() ? to_std_string(name) : std::string();
}

std::string my_mark(Context& cx) {
  const Value user = variable_value(cx, Quser_login_name);
  std::string text = (user.is_string() ? to_std_string(user) : "") + "@" + my_host(cx) + "." + std::to_string(getpid());
  const std::string boot = boot_time();
  return boot.empty() ? text : text + ":" + boot;
}

Owner owner_of(Context& cx, const std::string& lock) {
  Owner o;
  char target[PATH_MAX];
  const ssize_t n =
      ask_about_name(cx, AT_FDCWD, lock.c_str(), [&] { return readlink(lock.c_str(), target, sizeof target); });
  if (n <= 0) return o;
  std::string text(target, static_cast<std::size_t>(n));
  const std::size_t at = text.rfind('@');
  const std::size_t dot = text.rfind('.');
  o.kind = Owner::Kind::kOther;
  if (at == std::string::npos || dot == std::string::npos || dot < at) {
    o.user = text;
    return o;
  }
  o.user = text.substr(0, at);
  o.host = text.substr(at + 1, dot - at - 1);
  o.pid = std::strtol(text.c_str() + dot + 1, nullptr, 10);
  if (o.host != my_host(cx)) return o;
  if (o.pid == getpid()) {
    o.kind = Owner::Kind::kMe;
  } else if (o.pid > 0 && kill(static_cast<pid_t>(o.pid), 0) != 0 && errno != EPERM) {
    o.kind = Owner::Kind::kStale;
  }
  return o;
}

NEOVM_PRIMITIVE(file_locked_p, "file-locked-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Return nil, t (locked by this program) or the name of the user who changes FILENAME.")
(Context& cx, Value name) {
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qfile_locked_p, full);
  const std::string path = TRY(encode_file_name(cx, full));
  const Owner o = owner_of(cx, lock_name(path));
  if (o.kind == Owner::Kind::kMe) return Qt;
  return o.kind == Owner::Kind::kOther ? make_string(cx, o.user) : kNil;
}

Value lock_file_re(Context& cx, Value name) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qlock_file, full);
  const std::string path = TRY(encode_file_name(cx, full));
  // A file that changed behind its buffer's back is asked about first.
  Buffer& b = current_buffer(cx);
  const Value visited = buffer_variable(cx, b, Qbuffer_file_name);
  if (visited.is_string() && string_equal(visited, full) &&
      ask_about_name(cx, AT_FDCWD, path.c_str(), [&] { return access(path.c_str(), F_OK); }) == 0) {
    const Value same = TRY(funcall_re(cx, Qverify_visited_file_modtime, {b.self}));
    if (same.is_nil()) TRY(funcall_re(cx, intern(cx, "ask-user-about-supersession-threat"), {full}));
  }
  if (!variable_true(cx, Qcreate_lockfiles)) return kNil;
  const std::string lock = lock_name(path);
  const std::string mark = my_mark(cx);
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (run_blocking(cx, [&] { return symlink(mark.c_str(), lock.c_str()); }) == 0 || errno != EEXIST) return kNil;
    const Owner o = owner_of(cx, lock);
    if (o.kind == Owner::Kind::kMe) return kNil;
    if (o.kind == Owner::Kind::kOther) {
      const std::string who = o.user + "@" + o.host + " (pid " + std::to_string(o.pid) + ")";
      const Value answer = TRY(funcall_re(cx, intern(cx, "ask-user-about-lock"), {full, make_string(cx, who)}));
      if (answer.is_nil()) return kNil;
    }
    run_blocking(cx, [&] { return unlink(lock.c_str()); });
  }
  return kNil;
}

Value unlock_file_re(Context& cx, Value name) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qunlock_file, full);
  const std::string path = TRY(encode_file_name(cx, full));
  const std::string lock = lock_name(path);
  if (owner_of(cx, lock).kind == Owner::Kind::kMe) run_blocking(cx, [&] { return unlink(lock.c_str()); });
  return kNil;
}

NEOVM_PRIMITIVE(lock_file, "lock-file", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Mark FILE as being changed by this program.")
(Context& cx, Value name) { return lock_file_re(cx, name); }

NEOVM_PRIMITIVE(unlock_file, "unlock-file", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Take this program's mark from FILE.")
(Context& cx, Value name) { return unlock_file_re(cx, name); }

NEOVM_PRIMITIVE(lock_buffer, "lock-buffer", 0, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Lock FILE, or the file of the current buffer, when the buffer is modified.")
(Context& cx, Value file) {
  const Buffer& b = current_buffer(cx);
  if (file.is_nil()) {
    file = buffer_variable(cx, b, Qbuffer_file_truename);
  } else {
    TRY(check_type(cx, file.is_string(), Qstringp, file));
  }
  if (b.text->saved < b.text->modified && file.is_string()) return lock_file_re(cx, file);
  return kNil;
}

NEOVM_PRIMITIVE(unlock_buffer, "unlock-buffer", 0, 0, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Unlock the file of the current buffer when the buffer is modified.")
(Context& cx) {
  const Buffer& b = current_buffer(cx);
  const Value file = buffer_variable(cx, b, Qbuffer_file_truename);
  if (b.text->saved < b.text->modified && file.is_string()) return unlock_file_re(cx, file);
  return kNil;
}

}  // namespace
}  // namespace neomacs::host
