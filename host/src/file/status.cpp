// Questions about files: predicates, modes, which is newer.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"
#include "time/time_value.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

// The body of a predicate: expands NAME, asks its handler, else calls test(cx, path).
template <class Test>
Value predicate_re(Context& cx, Value name, Value operation, Test test) {
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, operation, full);
  const std::string path = TRY(encode_file_name(cx, full));
  return boolean(test(cx, path));
}

bool accessible(Context& cx, const std::string& path, int mode) {
  return ask_about_name(cx, AT_FDCWD, path.c_str(),
                        [&] { return faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0; });
}

bool is_directory(Context& cx, const std::string& path) {
  struct stat st;
  return stat_file(cx, path, &st) == 0 && S_ISDIR(st.st_mode);
}

NEOVM_PRIMITIVE(file_exists_p, "file-exists-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Return t when file FILENAME exists.")
(Context& cx, Value name) {
  return predicate_re(cx, name, Qfile_exists_p,
                      [](Context& c, const std::string& p) { return accessible(c, p, F_OK); });
}

NEOVM_PRIMITIVE(file_executable_p, "file-executable-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Return t when FILENAME can be run, or entered when it is a directory.")
(Context& cx, Value name) {
  return predicate_re(cx, name, Qfile_executable_p,
                      [](Context& c, const std::string& p) { return accessible(c, p, X_OK); });
}

NEOVM_PRIMITIVE(file_readable_p, "file-readable-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Return t when FILENAME can be read.")
(Context& cx, Value name) {
  return predicate_re(cx, name, Qfile_readable_p,
                      [](Context& c, const std::string& p) { return accessible(c, p, R_OK); });
}

NEOVM_PRIMITIVE(file_writable_p, "file-writable-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Return t when FILENAME can be written or created.")
(Context& cx, Value name) {
  return predicate_re(cx, name, Qfile_writable_p, [](Context& c, const std::string& p) {
    if (accessible(c, p, W_OK)) return true;
    if (errno != ENOENT) return false;
    const std::size_t n = directory_length(p);
    const std::string folder = n == 0 ? "." : p.substr(0, n);
    return is_directory(c, folder) && accessible(c, folder, W_OK | X_OK);
  });
}

NEOVM_PRIMITIVE(file_directory_p, "file-directory-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Return t when FILENAME is a directory.")
(Context& cx, Value name) { return predicate_re(cx, name, Qfile_directory_p, is_directory); }

NEOVM_PRIMITIVE(file_accessible_directory_p, "file-accessible-directory-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc,
                kReenters, kNondeterministic, "Return t when FILENAME is a directory whose files can be opened.")
(Context& cx, Value name) {
  const Value full = TRY(expand_re(cx, name));
  const Value handled = call_handler_re(cx, full, Qfile_accessible_directory_p, {full});
  if (handled.is_exit()) return handled;
  if (!handled.is_unbound()) return handled;
  const std::string path = TRY(encode_file_name(cx, full));
  return boolean(accessible(cx, path + (path.empty() || path.back() == '/' ? "./" : "/./"), F_OK));
}

NEOVM_PRIMITIVE(file_regular_p, "file-regular-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Return t when FILENAME is an ordinary file.")
(Context& cx, Value name) {
  return predicate_re(cx, name, Qfile_regular_p, [](Context& c, const std::string& p) {
    struct stat st;
    return stat_file(c, p, &st) == 0 && S_ISREG(st.st_mode);
  });
}

NEOVM_PRIMITIVE(file_symlink_p, "file-symlink-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Return the target of the symbolic link FILENAME, nil for other files.")
(Context& cx, Value name) {
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qfile_symlink_p, full);
  const std::string path = TRY(encode_file_name(cx, full));
  char target[PATH_MAX + 1];
  const ssize_t n =
      ask_about_name(cx, AT_FDCWD, path.c_str(), [&] { return readlink(path.c_str(), target, sizeof target - 1); });
  if (n < 0) return kNil;
  std::string text(target, static_cast<std::size_t>(n));
  return decode_file_name(cx, text);
}

NEOVM_PRIMITIVE(file_name_case_insensitive_p, "file-name-case-insensitive-p", 1, 1, kWorkerSafe, kBlockingIo, kMayGc,
                kReenters, kNondeterministic, "Return t when FILENAME lies where case does not matter.")
(Context& cx, Value name) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qfile_name_case_insensitive_p, full);
  return kNil;
}

NEOVM_PRIMITIVE(file_newer_than_file_p, "file-newer-than-file-p", 2, 2, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Return t when FILE1 was changed later than FILE2, or FILE2 does not exist.")
(Context& cx, Value file1, Value file2) {
  TRY(check_type(cx, file1.is_string(), Qstringp, file1));
  TRY(check_type(cx, file2.is_string(), Qstringp, file2));
  const Value a = TRY(expand_re(cx, file1));
  const Value b = TRY(expand_re(cx, file2));
  NEOMACS_TRY_HANDLER(cx, a, Qfile_newer_than_file_p, a, b);
  NEOMACS_TRY_HANDLER(cx, b, Qfile_newer_than_file_p, a, b);
  const std::string pa = TRY(encode_file_name(cx, a));
  const std::string pb = TRY(encode_file_name(cx, b));
  struct stat sa;
  struct stat sb;
  if (stat_file(cx, pa, &sa) != 0) return kNil;
  if (stat_file(cx, pb, &sb) != 0) return Qt;
  const bool newer = sb.st_mtim.tv_sec != sa.st_mtim.tv_sec ? sb.st_mtim.tv_sec < sa.st_mtim.tv_sec
                                                            : sb.st_mtim.tv_nsec < sa.st_mtim.tv_nsec;
  return boolean(newer);
}

// The flag argument of several functions: nil or nofollow.
Maybe<int> nofollow_flag(Context& cx, Value flag) {
  if (flag.is_nil()) return 0;
  if (flag == Qnofollow) return AT_SYMLINK_NOFOLLOW;
  (void)cx;
  return AT_SYMLINK_NOFOLLOW;
}

NEOVM_PRIMITIVE(file_modes, "file-modes", 1, 2, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Return the mode bits of FILENAME, or nil when it does not exist.")
(Context& cx, Value name, Value flag) {
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qfile_modes, full, flag);
  const std::string path = TRY(encode_file_name(cx, full));
  const int flags = TRY(nofollow_flag(cx, flag));
  struct stat st;
  if ((flags == 0 ? stat_file(cx, path, &st) : lstat_file(cx, path, &st)) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return kNil;
    return file_error(cx, "Getting attributes", full);
  }
  return Value::fixnum(st.st_mode & 07777);
}

NEOVM_COMMAND(set_file_modes, "set-file-modes", 2, 3, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
              "(let ((file (read-file-name \"File: \"))) (list file (read-file-modes nil file)))",
              "Set the mode bits of FILENAME to MODE.")
(Context& cx, Value name, Value mode, Value flag) {
  TRY(check_type(cx, mode.is_fixnum(), Qfixnump, mode));
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qset_file_modes, full, mode, flag);
  const std::string path = TRY(encode_file_name(cx, full));
  const int flags = TRY(nofollow_flag(cx, flag));
  const auto bits = static_cast<mode_t>(mode.as_fixnum() & 07777);
  int failed = 0;
  if (flags == 0) {
    failed = run_blocking(cx, [&] { return chmod(path.c_str(), bits); });
  } else {
    struct stat st;
    failed = lstat_file(cx, path, &st);
    if (failed == 0 && S_ISLNK(st.st_mode)) {
      failed = -1;
      errno = EOPNOTSUPP;
    } else if (failed == 0) {
      failed = run_blocking(cx, [&] { return chmod(path.c_str(), bits); });
    }
  }
  if (failed != 0) return file_error(cx, "Doing chmod", full);
  return kNil;
}

NEOVM_PRIMITIVE(default_file_modes, "default-file-modes", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kNondeterministic, "Return the mode bits that new files get.")
(Context&) {
  const mode_t mask = umask(0);
  umask(mask);
  return Value::fixnum(~mask & 0777);
}

NEOVM_PRIMITIVE(set_default_file_modes, "set-default-file-modes", 1, 1, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kNondeterministic, "Set the mode bits that new files get to MODE.")
(Context& cx, Value mode) {
  TRY(check_type(cx, mode.is_fixnum(), Qfixnump, mode));
  umask(static_cast<mode_t>(~mode.as_fixnum() & 0777));
  return kNil;
}

NEOVM_PRIMITIVE(set_file_times, "set-file-times", 1, 3, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Set access and modification time of FILENAME to TIMESTAMP, or now.")
(Context& cx, Value name, Value timestamp, Value flag) {
  timespec times[2];
  if (timestamp.is_nil()) {
    times[0] = times[1] = timespec{0, UTIME_NOW};
  } else {
    times[0] = times[1] = TRY(timespec_argument(cx, timestamp));
  }
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qset_file_times, full, timestamp, flag);
  const std::string path = TRY(encode_file_name(cx, full));
  const int flags = TRY(nofollow_flag(cx, flag));
  if (run_blocking(cx, [&] { return utimensat(AT_FDCWD, path.c_str(), times, flags); }) != 0)
    return file_error(cx, "Setting file times", full);
  return Qt;
}

NEOVM_PRIMITIVE(access_file, "access-file", 2, 2, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Signal an error that begins with STRING when FILENAME cannot be read; nil otherwise.")
(Context& cx, Value name, Value text) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  TRY(check_type(cx, text.is_string(), Qstringp, text));
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qaccess_file, full, text);
  const std::string path = TRY(encode_file_name(cx, full));
  if (accessible(cx, path, R_OK)) return kNil;
  return file_error(cx, to_std_string(text).c_str(), name);
}

}  // namespace
}  // namespace neomacs::host
