// Searching directories for a file with suffixes (lread.c:openp).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "load.hpp"
#include "neovm/abi/blocking.hpp"

namespace neovm::elisp {

namespace {

// expand-file-name, or the plain join while it does not exist yet.
Value expand_re(Context& cx, Value name, Value directory) {
  if (!symbol_function(cx, Qexpand_file_name).is_nil()) return funcall_re(cx, Qexpand_file_name, {name, directory});
  std::string s = to_std_string(name);
  if ((s.empty() || s[0] != '/') && directory.is_string()) s = to_std_string(directory) + "/" + s;
  return make_string(cx, s);
}

bool is_absolute(std::string_view name) { return !name.empty() && (name[0] == '/' || name[0] == '~'); }

Value handler_of_re(Context& cx, Value name) {
  if (!variable_true(cx, Qfile_name_handler_alist) || symbol_function(cx, Qfind_file_name_handler).is_nil())
    return kNil;
  return funcall_re(cx, Qfind_file_name_handler, {name, Qfile_exists_p});
}

}  // namespace

Value find_on_path_re(Context& cx, Value path, Value name, Value suffixes, Value predicate, bool prefer_newer,
                      int* error, bool* magic) {
  *error = ENOENT;
  *magic = false;
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  for (Value l = suffixes; l.is_cons(); l = cdr_raw(l))
    TRY(check_type(cx, car_raw(l).is_string(), Qstringp, car_raw(l)));
  const bool absolute = is_absolute(string_view_of(name)) || string_view_of(name).starts_with("./") ||
                        string_view_of(name).starts_with("../");
  const Value only_here = list(cx, {kNil});
  const Value no_suffix = list(cx, {make_unibyte_string(cx, "")});
  if (!suffixes.is_cons()) suffixes = no_suffix;
  Value best = kNil;
  timespec best_time{};
  for (Value directories = absolute || path.is_nil() ? only_here : path; directories.is_cons();
       directories = cdr_raw(directories)) {
    const Value directory = car_raw(directories);
    if (!directory.is_nil() && !directory.is_string()) continue;
    Value base = TRY(expand_re(cx, name, directory));
    if (!base.is_string()) continue;
    if (!is_absolute(string_view_of(base))) {
      base = TRY(expand_re(cx, base, variable_value(cx, Qdefault_directory)));
      if (!base.is_string() || !is_absolute(string_view_of(base))) continue;
    }
    std::string stem = to_std_string(base);
    if (stem.starts_with("/:")) stem.erase(0, 2);
    for (Value l = suffixes; l.is_cons(); l = cdr_raw(l)) {
      const std::string file = stem + to_std_string(car_raw(l));
      const bool custom = !predicate.is_nil() && predicate != Qt && !predicate.is_fixnum();
      const Value string = TRY(make_string(cx, file));
      const Value handler = TRY(handler_of_re(cx, string));
      if (!handler.is_nil() || custom) {
        bool exists = false;
        if (!custom) {
          exists = TRY(funcall_re(cx, Qfile_readable_p, {string}))
          .truthy();
        } else {
          const Value answer = TRY(funcall_re(cx, predicate, {string}));
          exists = answer == Qdir_ok;
          if (!exists && answer.truthy()) {
            const bool is_directory = TRY(funcall_re(cx, Qfile_directory_p, {string}))
            .truthy();
            exists = !is_directory;
            if (is_directory) *error = EISDIR;
          }
        }
        if (exists) {
          *magic = !handler.is_nil();
          return string;
        }
        continue;
      }
      struct stat status {};
      if (stat_file(cx, file, &status) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) *error = errno;
        continue;
      }
      if (S_ISDIR(status.st_mode)) {
        *error = EISDIR;
        continue;
      }
      const int mode = predicate.is_fixnum() ? static_cast<int>(predicate.as_fixnum()) & 7 : R_OK;
      if (ask_about_name(cx, AT_FDCWD, file.c_str(), [&] { return access(file.c_str(), mode); }) != 0) {
        *error = errno;
        continue;
      }
      if (!prefer_newer || predicate.is_fixnum()) return string;
      const bool newer = status.st_mtim.tv_sec > best_time.tv_sec ||
                         (status.st_mtim.tv_sec == best_time.tv_sec && status.st_mtim.tv_nsec > best_time.tv_nsec);
      if (best.is_nil() || newer) {
        best = string;
        best_time = status.st_mtim;
      }
    }
    if (!best.is_nil()) return best;
  }
  return kNil;
}

Value load_suffixes(Context& cx) {
  Value reversed = kNil;
  for (Value s = variable_value(cx, Qload_suffixes); s.is_cons(); s = cdr_raw(s)) {
    TRY(check_type(cx, car_raw(s).is_string(), Qstringp, car_raw(s)));
    for (Value e = variable_value(cx, Qload_file_rep_suffixes); e.is_cons(); e = cdr_raw(e)) {
      TRY(check_type(cx, car_raw(e).is_string(), Qstringp, car_raw(e)));
      const std::string text = to_std_string(car_raw(s)) + to_std_string(car_raw(e));
      reversed = cons(cx, TRY(make_string(cx, text)), reversed);
    }
  }
  return nreverse_list(reversed);
}

NEOVM_PRIMITIVE(get_load_suffixes, "get-load-suffixes", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return the suffixes that `load` tries, each with the endings of packed files.")
(Context& cx) { return load_suffixes(cx); }

NEOVM_PRIMITIVE(locate_file_internal, "locate-file-internal", 2, 4, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kDeterministic,
                "Search PATH for FILENAME with one of SUFFIXES; PREDICATE (function or access mode) must accept it.")
(Context& cx, Value filename, Value path, Value suffixes, Value predicate) {
  int error = 0;
  bool magic = false;
  return find_on_path_re(cx, path, filename, suffixes, predicate, false, &error, &magic);
}

}  // namespace neovm::elisp
