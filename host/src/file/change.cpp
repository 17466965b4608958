// Changing the directory tree: copy, rename, delete, link.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"
#include "time/time_value.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

bool names_directory(Value name) { return string_view_of(name).ends_with('/'); }

// A target that is written as a directory takes the last part of FILE as its name.
Value target_name_re(Context& cx, Value file, Value target) {
  if (!target.is_string()) return wrong_type(cx, Qstringp, target);
  if (!names_directory(target)) return expand_re(cx, target);
  const std::string_view text = string_view_of(file);
  const std::string plain = directory_as_file(text);
  const Value last = string_like(cx, file, plain.substr(directory_length(plain)));
  if (last.is_exit()) return last;
  return expand_file_name_re(cx, last, target);
}

// OK-IF-ALREADY-EXISTS of copy, rename and link: an integer asks the user.
Value may_replace_re(Context& cx, Value full, Value ok, const std::string& path, const char* question) {
  if (!ok.is_nil() && !is_integer(ok)) return Qt;
  struct stat st;
  if (lstat_file(cx, path, &st) != 0) return Qt;
  if (ok.is_nil()) {
    return signal_error2(cx, Qfile_already_exists, make_string(cx, "File already exists"), full);
  }
  const Value prompt =
      TRY(make_string(cx, "File " + to_std_string(full) + " already exists; " + question + " anyway? "));
  const Value answer = TRY(funcall_re(cx, Qyes_or_no_p, {prompt}));
  if (answer.is_nil()) return signal_error2(cx, Qfile_already_exists, make_string(cx, "File already exists"), full);
  return Qt;
}

NEOVM_PRIMITIVE(make_directory_internal, "make-directory-internal", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Create the directory DIRECTORY.")
(Context& cx, Value name) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qmake_directory_internal, full);
  const std::string path = TRY(encode_file_name(cx, full));
  if (run_blocking(cx, [&] { return mkdir(path.c_str(), 0777); }) != 0)
    return file_error(cx, "Creating directory", full);
  return kNil;
}

NEOVM_PRIMITIVE(delete_directory_internal, "delete-directory-internal", 1, 1, kWorkerSafe, kBlockingIo, kMayGc,
                kReenters, kNondeterministic, "Delete the empty directory DIRECTORY.")
(Context& cx, Value name) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  const Value full = TRY(expand_file_name_re(cx, string_like(cx, name, directory_as_file(string_view_of(name))), kNil));
  const std::string path = TRY(encode_file_name(cx, full));
  if (run_blocking(cx, [&] { return rmdir(path.c_str()); }) != 0) return file_error(cx, "Removing directory", full);
  return kNil;
}

NEOVM_COMMAND(
    delete_file, "delete-file", 1, 2, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
    "(list (read-file-name (if (and delete-by-moving-to-trash (null current-prefix-arg)) \"Move file to trash: "
    "\" \"Delete file: \") nil default-directory (confirm-nonexistent-file-or-buffer)) (null "
    "current-prefix-arg))",
    "Delete the file FILENAME, or move it to the trash when TRASH and delete-by-moving-to-trash say so.")
(Context& cx, Value name, Value trash) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  const Value full = TRY(expand_re(cx, name));
  {
    struct stat st;
    const std::string path = TRY(encode_file_name(cx, full));
    const Value handler = TRY(find_handler_re(cx, full, Qdelete_file));
    if (handler.is_nil() && lstat_file(cx, path, &st) == 0 && S_ISDIR(st.st_mode)) {
      return signal_error2(cx, Qfile_error, make_string(cx, "Removing old name: is a directory"), full);
    }
  }
  NEOMACS_TRY_HANDLER(cx, full, Qdelete_file, full, trash);
  if (trash.truthy() && variable_true(cx, Qdelete_by_moving_to_trash)) {
    return funcall_re(cx, Qmove_file_to_trash, {full});
  }
  const std::string path = TRY(encode_file_name(cx, full));
  if (run_blocking(cx, [&] { return unlink(path.c_str()); }) != 0 && errno != ENOENT)
    return file_error(cx, "Removing old name", full);
  return kNil;
}

// Copies all bytes of `in` to `out`; false with errno on failure.
bool copy_bytes(int in, int out) {
  for (;;) {
    const ssize_t n = copy_file_range(in, nullptr, out, nullptr, std::size_t{1} << 30, 0);
    if (n == 0) break;
    if (n < 0) {
      if (errno == EINTR) continue;
      break;  // not supported between these files: read and write
    }
  }
  std::string buffer(std::size_t{1} << 16, '\0');
  for (;;) {
    const ssize_t n = read(in, buffer.data(), buffer.size());
    if (n == 0) return true;
    if (n < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    for (ssize_t done = 0; done < n;) {
      const ssize_t w = write(out, buffer.data() + done, static_cast<std::size_t>(n - done));
      if (w < 0 && errno == EINTR) continue;
      if (w < 0) return false;
      done += w;
    }
  }
}

// What to keep of the old file beside its bytes.
struct CopyOptions {
  bool keep_time;
  bool keep_owner;
  bool keep_mode;
};

// What became of a copy: the step that failed with its errno, and which of the two files it is about.
struct Copied {
  const char* failed = nullptr;
  int error = 0;
  enum class About : std::uint8_t { kSource, kTarget, kBoth } about = About::kTarget;
};

// Touches no Lisp.
Copied copy_contents(const std::string& from, const std::string& to, CopyOptions keep) {
  using About = Copied::About;
  const int in = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (in < 0) return {"Opening input file", errno, About::kSource};
  const auto refuse = [in](const char* step, int error, About about) {
    close(in);
    return Copied{step, error, about};
  };
  struct stat st;
  if (fstat(in, &st) != 0) return refuse("Input file status", errno, About::kSource);
  if (!S_ISREG(st.st_mode)) return refuse("Non-regular file", S_ISDIR(st.st_mode) ? EISDIR : EINVAL, About::kSource);
  struct stat old;
  if (stat(to.c_str(), &old) == 0 && old.st_dev == st.st_dev && old.st_ino == st.st_ino)
    return refuse("Input and output files are the same", EINVAL, About::kBoth);
  const mode_t start_mode = keep.keep_mode ? st.st_mode & 0700 : st.st_mode & 0777;
  const int out = open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, start_mode);
  if (out < 0) return refuse("Opening output file", errno, About::kTarget);
  const timespec times[2] = {st.st_atim, st.st_mtim};
  Copied c;
  if (!copy_bytes(in, out)) {
    c.failed = "Write error";
  } else if (keep.keep_owner && fchown(out, st.st_uid, st.st_gid) != 0 && errno != EPERM) {
    c.failed = "Doing chown";
  } else if (keep.keep_mode && fchmod(out, st.st_mode & 07777) != 0) {
    c.failed = "Doing chmod";
  } else if (keep.keep_time && futimens(out, times) != 0) {
    c.failed = "Doing utimens";
  }
  c.error = errno;
  if (close(out) != 0 && c.failed == nullptr) c = {"Write error", errno};
  close(in);
  return c;
}

Value copy_regular(Context& cx, Value file, Value target, const std::string& from, const std::string& to,
                   CopyOptions keep) {
  const Copied c = run_blocking(cx, [&] { return copy_contents(from, to, keep); });
  if (c.failed == nullptr) return kNil;
  const Value about = c.about == Copied::About::kSource   ? file
                      : c.about == Copied::About::kTarget ? target
                                                          : list(cx, {file, target});
  return file_error(cx, c.failed, about, c.error);
}

NEOVM_COMMAND(copy_file, "copy-file", 2, 6, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
              "fCopy file: \nGCopy %s to file: \np\nP", "Copy FILE to NEWNAME.")
(Context& cx, Value file, Value target, Value ok, Value keep_time, Value keep_owner, Value keep_mode) {
  TRY(check_type(cx, file.is_string(), Qstringp, file));
  const Value from = TRY(expand_re(cx, file));
  const Value to = TRY(target_name_re(cx, from, target));
  NEOMACS_TRY_HANDLER(cx, from, Qcopy_file, from, to, ok, keep_time, keep_owner, keep_mode);
  NEOMACS_TRY_HANDLER(cx, to, Qcopy_file, from, to, ok, keep_time, keep_owner, keep_mode);
  const std::string source = TRY(encode_file_name(cx, from));
  const std::string destination = TRY(encode_file_name(cx, to));
  struct stat st;
  if (stat_file(cx, source, &st) != 0) return file_error(cx, "Opening input file", from);
  TRY(may_replace_re(cx, to, ok, destination, "copy to it"));
  return copy_regular(cx, from, to, source, destination, {keep_time.truthy(), keep_owner.truthy(), keep_mode.truthy()});
}

NEOVM_COMMAND(rename_file, "rename-file", 2, 3, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
              "fRename file: \nGRename %s to file: \np", "Rename FILE to NEWNAME.")
(Context& cx, Value file, Value target, Value ok) {
  const Value from = TRY(expand_re(cx, file));
  const Value to = TRY(target_name_re(cx, from, target));
  NEOMACS_TRY_HANDLER(cx, from, Qrename_file, from, to, ok);
  NEOMACS_TRY_HANDLER(cx, to, Qrename_file, from, to, ok);
  const std::string source = TRY(encode_file_name(cx, from));
  const std::string destination = TRY(encode_file_name(cx, to));
  const bool asks = ok.is_nil() || is_integer(ok);
  int failure = 0;
  const unsigned flags = asks ? RENAME_NOREPLACE : 0;
  if (run_blocking(cx, [&] { return renameat2(AT_FDCWD, source.c_str(), AT_FDCWD, destination.c_str(), flags); }) == 0)
    return kNil;
  failure = errno;
  if (failure == EEXIST || failure == EINVAL || failure == ENOSYS) {
    if (asks) TRY(may_replace_re(cx, to, ok, destination, "rename to it"));
    if (run_blocking(cx, [&] { return rename(source.c_str(), destination.c_str()); }) == 0) return kNil;
    failure = errno;
  }
  if (failure != EXDEV) return file_error(cx, "Renaming", list(cx, {from, to}), failure);
  struct stat st {};
  if (lstat_file(cx, source, &st) == 0 && S_ISDIR(st.st_mode)) {
    TRY(funcall_re(cx, Qcopy_directory, {from, to, Qt, kNil}));
    return funcall_re(cx, Qdelete_directory, {from, Qt});
  }
  if (asks) TRY(may_replace_re(cx, to, ok, destination, "rename to it"));
  if (S_ISLNK(st.st_mode)) {
    const Value link = TRY(funcall_re(cx, Qfile_symlink_p, {from}));
    TRY(funcall_re(cx, Qmake_symbolic_link, {link, to, Qt}));
  } else {
    TRY(copy_regular(cx, from, to, source, destination, {true, true, true}));
  }
  if (run_blocking(cx, [&] { return unlink(source.c_str()); }) != 0) return file_error(cx, "Removing old name", from);
  return kNil;
}

NEOVM_COMMAND(add_name_to_file, "add-name-to-file", 2, 3, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
              kNondeterministic, "fAdd name to file: \nGName to add to %s: \np", "Give FILE the further name NEWNAME.")
(Context& cx, Value file, Value target, Value ok) {
  const Value from = TRY(expand_re(cx, file));
  const Value to = TRY(target_name_re(cx, from, target));
  NEOMACS_TRY_HANDLER(cx, from, Qadd_name_to_file, from, to, ok);
  NEOMACS_TRY_HANDLER(cx, to, Qadd_name_to_file, from, to, ok);
  const std::string source = TRY(encode_file_name(cx, from));
  const std::string destination = TRY(encode_file_name(cx, to));
  const auto make = [&] { return link(source.c_str(), destination.c_str()); };
  if (run_blocking(cx, make) == 0) return kNil;
  if (errno == EEXIST) {
    TRY(may_replace_re(cx, to, ok, destination, "make it a new name"));
    run_blocking(cx, [&] { return unlink(destination.c_str()); });
    if (run_blocking(cx, make) == 0) return kNil;
  }
  return file_error(cx, "Adding new name", list(cx, {from, to}));
}

NEOVM_COMMAND(make_symbolic_link, "make-symbolic-link", 2, 3, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
              kNondeterministic, "FMake symbolic link to file: \nGMake symbolic link to file %s: \np",
              "Make the symbolic link LINKNAME to TARGET.")
(Context& cx, Value target, Value name, Value ok) {
  TRY(check_type(cx, target.is_string(), Qstringp, target));
  const std::string_view text = string_view_of(target);
  if (is_integer(ok)) {
    if (text.starts_with('~')) {
      target = TRY(expand_re(cx, target));
    } else if (text.starts_with("/:")) {
      target = TRY(string_like(cx, target, std::string(text.substr(2))));
    }
  }
  const Value full = TRY(target_name_re(cx, target, name));
  NEOMACS_TRY_HANDLER(cx, full, Qmake_symbolic_link, target, full, ok);
  const std::string to = TRY(encode_file_name(cx, target));
  const std::string path = TRY(encode_file_name(cx, full));
  const auto make = [&] { return symlink(to.c_str(), path.c_str()); };
  if (run_blocking(cx, make) == 0) return kNil;
  if (errno == EEXIST) {
    TRY(may_replace_re(cx, full, ok, path, "make it a link"));
    run_blocking(cx, [&] { return unlink(path.c_str()); });
    if (run_blocking(cx, make) == 0) return kNil;
  }
  return file_error(cx, "Making symbolic link", list(cx, {target, full}));
}

// PREFIX with six random characters that no file has.
Value temp_name(Context& cx, Value prefix, Value suffix, bool create, bool directory) {
  const std::string head = TRY(encode_file_name(cx, prefix));
  const std::string tail = TRY(encode_file_name(cx, suffix));
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  int error = EEXIST;
  for (int attempt = 0; attempt < 10000 && error == EEXIST; ++attempt) {
    unsigned char random[6];
    if (getentropy(random, sizeof random) != 0) break;
    std::string path = head;
    for (const unsigned char r : random) path += kLetters[r % 62];
    path += tail;
    error = 0;
    if (!create) {
      struct stat st;
      if (lstat_file(cx, path, &st) == 0) error = EEXIST;
    } else if (directory) {
      if (run_blocking(cx, [&] { return mkdir(path.c_str(), 0700); }) != 0) error = errno;
    } else {
      const int fd = run_blocking(cx, [&] { return open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600); });
      if (fd < 0) {
        error = errno;
      } else {
        close(fd);
      }
    }
    if (error == 0) return decode_file_name(cx, path);
  }
  return file_error(cx, directory ? "Creating directory with prefix" : "Creating file with prefix", prefix, error);
}

NEOVM_PRIMITIVE(make_temp_name, "make-temp-name", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kNoReentry, kNondeterministic,
                "Return PREFIX with six characters that make it the name of no file.")
(Context& cx, Value prefix) {
  TRY(check_type(cx, prefix.is_string(), Qstringp, prefix));
  return temp_name(cx, prefix, make_unibyte_string(cx, ""), false, false);
}

NEOVM_PRIMITIVE(make_temp_file_internal, "make-temp-file-internal", 4, 4, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Create a new file, directory or only a name of PREFIX, random letters and SUFFIX.")
(Context& cx, Value prefix, Value directory, Value suffix, Value text) {
  TRY(check_type(cx, prefix.is_string(), Qstringp, prefix));
  TRY(check_type(cx, suffix.is_string(), Qstringp, suffix));
  // DIRECTORY 0: only a name.
  const bool only_name = directory == Value::fixnum(0);
  const Value full = TRY(expand_re(cx, prefix));
  const Value name = TRY(temp_name(cx, prefix, suffix, !only_name, directory.truthy()));
  (void)full;
  if (text.truthy() && directory.is_nil()) {
    const Value args[] = {text, kNil, name, kNil, Value::fixnum(0)};
    TRY(funcall_re(cx, Qwrite_region, args));
  }
  return name;
}

NEOVM_COMMAND(unix_sync, "unix-sync", 0, 0, kWorkerSafe, kBlockingIo, kNoGc, kNoReentry, kNondeterministic, "",
              "Tell the system to write its buffers to disk.")
(Context& cx) {
  run_blocking(cx, [] {
    sync();
    return true;
  });
  return kNil;
}

}  // namespace
}  // namespace neomacs::host
