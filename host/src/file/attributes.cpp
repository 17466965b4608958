// file-attributes and its parts.
#include "file/attributes.hpp"
#include "system/accounts.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"
#include "time/time_value.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

std::string mode_string(unsigned mode) {
  std::string s = "?rwxrwxrwx";
  s[0] = S_ISREG(mode)    ? '-'
         : S_ISDIR(mode)  ? 'd'
         : S_ISLNK(mode)  ? 'l'
         : S_ISCHR(mode)  ? 'c'
         : S_ISBLK(mode)  ? 'b'
         : S_ISFIFO(mode) ? 'p'
         : S_ISSOCK(mode) ? 's'
                          : '?';
  for (unsigned i = 0; i < 9; ++i)
    if ((mode & (0400U >> i)) == 0) s[i + 1] = '-';
  if ((mode & S_ISUID) != 0) s[3] = (mode & S_IXUSR) != 0 ? 's' : 'S';
  if ((mode & S_ISGID) != 0) s[6] = (mode & S_IXGRP) != 0 ? 's' : 'S';
  if ((mode & S_ISVTX) != 0) s[9] = (mode & S_IXOTH) != 0 ? 't' : 'T';
  return s;
}

Value file_attributes_at(Context& cx, int fd, const std::string& name, bool names) {
  struct stat st;
  if (ask_about_name(cx, fd, name.c_str(), [&] { return fstatat(fd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW); }) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return kNil;
    return file_error(cx, "Getting attributes", decode_file_name(cx, name));
  }
  Value kind = kNil;
  if (S_ISDIR(st.st_mode)) {
    kind = Qt;
  } else if (S_ISLNK(st.st_mode)) {
    char target[PATH_MAX + 1];
    const ssize_t n =
        ask_about_name(cx, fd, name.c_str(), [&] { return readlinkat(fd, name.c_str(), target, sizeof target - 1); });
    if (n >= 0) kind = decode_file_name(cx, {target, static_cast<std::size_t>(n)});
  }
  Value user = make_unsigned(cx, st.st_uid);
  Value group = make_unsigned(cx, st.st_gid);
  if (names) {
    const UserById owner(st.st_uid);
    if (const passwd* pw = owner.get()) user = make_multibyte_string(cx, pw->pw_name);
    const GroupById owners(st.st_gid);
    if (const struct group* gr = owners.get()) group = make_multibyte_string(cx, gr->gr_name);
  }
  return list(
      cx, {kind, make_unsigned(cx, st.st_nlink), user, group, time_list(cx, st.st_atim), time_list(cx, st.st_mtim),
           time_list(cx, st.st_ctim), make_integer(cx, st.st_size), make_unibyte_string(cx, mode_string(st.st_mode)),
           Qt, make_unsigned(cx, st.st_ino), make_unsigned(cx, st.st_dev)});
}

namespace {

NEOVM_PRIMITIVE(file_attributes, "file-attributes", 1, 2, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic,
                "Return (TYPE LINKS UID GID ATIME MTIME CTIME SIZE MODES UNSPECIFIED INODE DEVICE) of FILENAME.")
(Context& cx, Value name, Value id_format) {
  if (!name.is_string()) return kNil;  // what is no name at all is no file either
  const Value full = expand_re(cx, name);
  if (full.is_exit()) return full;
  const Value handler = TRY(find_handler_re(cx, full, Qfile_attributes));
  if (handler.truthy()) {
    // Without an id format the handler is called with one argument, as old handlers expect.
    if (id_format.is_nil()) return funcall_re(cx, handler, {Qfile_attributes, full});
    return funcall_re(cx, handler, {Qfile_attributes, full, id_format});
  }
  const std::string path = TRY(encode_file_name(cx, full));
  return file_attributes_at(cx, AT_FDCWD, path, !id_format.is_nil() && id_format != Qinteger);
}

NEOVM_PRIMITIVE(file_attributes_lessp, "file-attributes-lessp", 2, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return t when the name in F1 of a directory listing sorts before that in F2.")
(Context& cx, Value f1, Value f2) {
  TRY(check_type(cx, f2.is_list(), Qlistp, f2));
  TRY(check_type(cx, f1.is_list(), Qlistp, f1));
  return funcall_re(cx, Qstring_lessp, {car_of_list(f1), car_of_list(f2)});
}

NEOVM_PRIMITIVE(file_system_info, "file-system-info", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Return (TOTAL FREE AVAILABLE) bytes of the file system of FILENAME, or nil.")
(Context& cx, Value name) {
  const Value full = TRY(expand_re(cx, name));
  const Value handled = call_handler_re(cx, full, Qfile_system_info, {full});
  if (!handled.is_unbound()) {
    if (handled.is_exit() || handled.is_list()) return handled;
    return error_text(cx, "Invalid handler in ‘file-name-handler-alist’");
  }
  const std::string path = TRY(encode_file_name(cx, full));
  struct statvfs fs;
  if (run_blocking(cx, [&] { return statvfs(path.c_str(), &fs); }) != 0) return kNil;
  return list(cx, {make_unsigned(cx, fs.f_frsize * fs.f_blocks), make_unsigned(cx, fs.f_frsize * fs.f_bfree),
                   make_unsigned(cx, fs.f_frsize * fs.f_bavail)});
}

NEOVM_PRIMITIVE(file_selinux_context, "file-selinux-context", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Return the (USER ROLE TYPE RANGE) label of FILENAME; all nil without SELinux.")
(Context& cx, Value name) {
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qfile_selinux_context, full);
  return list(cx, {kNil, kNil, kNil, kNil});
}

NEOVM_PRIMITIVE(set_file_selinux_context, "set-file-selinux-context", 2, 2, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Set the label of FILENAME; nil where there is no SELinux.")
(Context& cx, Value name, Value context) {
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qset_file_selinux_context, full, context);
  return kNil;
}

}  // namespace
}  // namespace neomacs::host
