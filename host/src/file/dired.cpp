// Directory listings and completion of file names.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "file/attributes.hpp"
#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

struct CloseDir {
  void operator()(DIR* d) const { closedir(d); }
};
using Directory = std::unique_ptr<DIR, CloseDir>;

Directory open_directory(const std::string& path) {
  const int fd = open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  return Directory(fdopendir(fd));
}

// An open directory (null, with errno) and all names in it, in the order the system gives them.
struct Listing {
  Directory dir;
  std::vector<std::string> names;
};
Listing list_names(Context& cx, const std::string& path) {
  return run_blocking(cx, [&] {
    Listing l{open_directory(path), {}};
    if (l.dir == nullptr) return l;
    while (const dirent* e = readdir(l.dir.get())) l.names.emplace_back(e->d_name);
    return l;
  });
}

struct ListOptions {
  Value full;
  Value match;
  Value nosort;
  bool attributes;
  bool names;  // owners as names
  Value count;
};

Value list_directory_re(Context& cx, Value directory, const ListOptions& o) {
  std::int64_t limit = -1;
  if (o.count.truthy()) {
    if (!o.count.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, o.count);
    limit = o.count.as_fixnum();
    if (limit == 0) return kNil;
  }
  const std::string path = directory_as_file(TRY(encode_file_name(cx, directory)));
  if (o.match.truthy() && !o.match.is_string()) return wrong_type(cx, Qstringp, o.match);
  const Listing listing = list_names(cx, path);
  if (listing.dir == nullptr) return file_error(cx, "Opening directory", directory);
  const std::string base = as_directory(string_view_of(directory));
  Value result = kNil;
  std::int64_t found = 0;
  for (const std::string& name : listing.names) {
    TRY(check_quit(cx));
    Value shown = decode_file_name(cx, name);
    if (o.match.truthy() && TRY(regexp_position(cx, o.match, shown, false)) < 0) continue;
    Value attributes = kNil;
    if (o.attributes) {
      attributes = file_attributes_at(cx, dirfd(listing.dir.get()), name, o.names);
      if (attributes.is_exit()) return attributes;
    }
    if (o.full.truthy()) {
      const bool multibyte = string_multibyte(directory) || string_multibyte(shown);
      const std::string whole = base + std::string(string_view_of(shown));
      shown = multibyte ? make_multibyte_string(cx, whole) : make_unibyte_string(cx, whole);
    }
    result = cons(cx, o.attributes ? cons(cx, shown, attributes) : shown, result);
    if (limit >= 0 && ++found >= limit) break;
  }
  if (o.nosort.truthy()) return nreverse_list(result);
  result = nreverse_list(result);
  return funcall_re(cx, Qsort, {result, o.attributes ? Qfile_attributes_lessp : Qstring_lessp});
}

NEOVM_PRIMITIVE(directory_files, "directory-files", 1, 5, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Return the sorted names of the files in DIRECTORY that MATCH.")
(Context& cx, Value directory, Value full, Value match, Value nosort, Value count) {
  const Value where = TRY(expand_re(cx, directory));
  NEOMACS_TRY_HANDLER(cx, where, Qdirectory_files, where, full, match, nosort, count);
  return list_directory_re(cx, where, {full, match, nosort, false, false, count});
}

NEOVM_PRIMITIVE(directory_files_and_attributes, "directory-files-and-attributes", 1, 6, kWorkerSafe, kBlockingIo,
                kMayGc, kReenters, kNondeterministic,
                "Return (NAME . ATTRIBUTES) of each file in DIRECTORY that MATCHes.")
(Context& cx, Value directory, Value full, Value match, Value nosort, Value id_format, Value count) {
  const Value where = TRY(expand_re(cx, directory));
  NEOMACS_TRY_HANDLER(cx, where, Qdirectory_files_and_attributes, where, full, match, nosort, id_format, count);
  const bool names = !id_format.is_nil() && id_format != Qinteger;
  return list_directory_re(cx, where, {full, match, nosort, true, names, count});
}

// ---- completion ---------------------------------------------------------------------------------------

bool ends_with_one_of(std::string_view name, Value endings, bool* folder_ending) {
  for (; endings.is_cons(); endings = cdr_raw(endings)) {
    const Value e = car_raw(endings);
    if (!e.is_string()) continue;
    const std::string_view text = string_view_of(e);
    if (text.empty() || name.size() <= text.size() || !name.ends_with(text)) continue;
    *folder_ending = text.back() == '/';
    return true;
  }
  return false;
}

struct Candidate {
  std::string name;
  bool folder;
};

// Names in DIRECTORY that begin with FILE and match completion-regexp-list.
Maybe<std::vector<Candidate>> candidates_re(Context& cx, Value file, Value directory) {
  const std::string path = TRY(encode_file_name(cx, directory));
  const Listing listing = list_names(cx, path);
  if (listing.dir == nullptr) return file_error(cx, "Opening directory", directory);
  const bool fold = variable_true(cx, Qcompletion_ignore_case);
  const Value length = Value::fixnum(string_chars(file));
  std::vector<Candidate> out;
  for (const std::string& name : listing.names) {
    TRY(check_quit(cx));
    const Value shown = decode_file_name(cx, name);
    if (string_chars(shown) < string_chars(file)) continue;
    const Value zero = Value::fixnum(0);
    const Value args[] = {file, zero, kNil, shown, zero, length, boolean(fold)};
    const Value same = TRY(funcall_re(cx, Qcompare_strings, args));
    if (same != Qt) continue;
    bool matches = true;
    for (Value r = variable_value(cx, Qcompletion_regexp_list); matches && r.is_cons(); r = cdr_raw(r)) {
      if (car_raw(r).is_string()) matches = TRY(regexp_position(cx, car_raw(r), shown, fold))
      >= 0;
    }
    if (!matches) continue;
    struct stat st;
    const int where = dirfd(listing.dir.get());
    const bool folder =
        ask_about_name(cx, where, name.c_str(), [&] { return fstatat(where, name.c_str(), &st, 0); }) == 0 &&
        S_ISDIR(st.st_mode);
    out.push_back({name, folder});
  }
  return out;
}

Value with_slash(Context& cx, const Candidate& c) { return decode_file_name(cx, c.folder ? c.name + "/" : c.name); }

NEOVM_PRIMITIVE(file_name_all_completions, "file-name-all-completions", 2, 2, kWorkerSafe, kBlockingIo, kMayGc,
                kReenters, kNondeterministic, "Return the names in DIRECTORY that begin with FILE.")
(Context& cx, Value file, Value directory) {
  TRY(check_type(cx, file.is_string(), Qstringp, file));
  const Value where = TRY(expand_re(cx, directory));
  NEOMACS_TRY_HANDLER(cx, where, Qfile_name_all_completions, file, where);
  NEOMACS_TRY_HANDLER(cx, file, Qfile_name_all_completions, file, where);
  Value result = kNil;
  for (const Candidate& c : TRY(candidates_re(cx, file, where))) result = cons(cx, with_slash(cx, c), result);
  return result;
}

// Names with an ignored ending count only when there are no others; likewise "." and "..".
NEOVM_PRIMITIVE(file_name_completion, "file-name-completion", 2, 3, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic,
                "Return the longest common beginning of the names in DIRECTORY that begin with FILE.")
(Context& cx, Value file, Value directory, Value predicate) {
  TRY(check_type(cx, file.is_string(), Qstringp, file));
  const Value where = TRY(expand_re(cx, directory));
  NEOMACS_TRY_HANDLER(cx, where, Qfile_name_completion, file, where, predicate);
  NEOMACS_TRY_HANDLER(cx, file, Qfile_name_completion, file, where, predicate);
  const Value endings = variable_value(cx, Qcompletion_ignored_extensions);
  std::vector<Candidate> preferred;
  std::vector<Candidate> others;
  for (const Candidate& c : TRY(candidates_re(cx, file, where))) {
    const bool dots = c.folder && (c.name == "." || c.name == "..");
    bool folder_ending = false;
    const std::string shown = c.folder ? c.name + "/" : c.name;
    const bool ignored = ends_with_one_of(shown, endings, &folder_ending) && c.folder == folder_ending;
    if (predicate.truthy()) {
      const std::size_t depth = binding_depth(cx);
      TRY(bind_variable_re(cx, Qdefault_directory, make_string(cx, as_directory(to_std_string(where)))));
      const Value ok = unbind_to_re(cx, depth, funcall_re(cx, predicate, {with_slash(cx, c)}));
      if (ok.is_exit()) return ok;
      if (ok.is_nil()) continue;
    }
    (dots || ignored ? others : preferred).push_back(c);
  }
  std::vector<Candidate>& chosen = preferred.empty() ? others : preferred;
  if (chosen.empty()) return kNil;
  Value all = kNil;
  for (const Candidate& c : chosen) all = cons(cx, with_slash(cx, c), all);
  return funcall_re(cx, Qtry_completion, {file, all});
}

}  // namespace
}  // namespace neomacs::host
