// write-region.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "edit/edit.hpp"
#include "file/coding_bridge.hpp"
#include "file/names.hpp"
#include "file/visited.hpp"
#include "neovm/abi/blocking.hpp"

namespace neomacs::host {

namespace {

// Merges the annotations (POSITION . STRING) of write-region-annotate-functions into one sorted list.
Value annotations_re(Context& cx, Value start, Value end) {
  Value all = kNil;
  Value hooks = variable_value(cx, Qwrite_region_annotate_functions);
  bool did_global = false;
  for (; hooks.is_cons(); hooks = cdr_raw(hooks)) {
    TRY(check_quit(cx));
    if (car_raw(hooks) == Qt) {  // the global value's functions
      if (did_global) continue;
      did_global = true;
      for (Value g = default_value(cx, Qwrite_region_annotate_functions); g.is_cons(); g = cdr_raw(g)) {
        TRY(set_variable_re(cx, Qwrite_region_annotations_so_far, all));
        const Value more = TRY(funcall_re(cx, car_raw(g), {start, end}));
        TRY(list_length(cx, more));
        all = TRY(funcall_re(cx, Qsort, {
          TRY(funcall_re(cx, Qappend, {all, more}))
          , Qcar_less_than_car
        }));
      }
      continue;
    }
    TRY(set_variable_re(cx, Qwrite_region_annotations_so_far, all));
    const Value more = TRY(funcall_re(cx, car_raw(hooks), {start, end}));
    TRY(list_length(cx, more));
    all = TRY(funcall_re(cx, Qsort, {
      TRY(funcall_re(cx, Qappend, {all, more}))
      , Qcar_less_than_car
    }));
  }
  return all;
}

struct Target {
  Value start;
  Value end;
  Value filename;  // expanded
  Value append;
  Value visit;
  Value lockname;
};

// The coding system to write with.
Value choose_coding_re(Context& cx, const Target& t) {
  const Value forced = variable_value(cx, Qcoding_system_for_write);
  if (!forced.is_unbound() && forced.truthy()) return forced;
  Buffer& b = current_buffer(cx);
  Value coding = buffer_variable(cx, b, Qbuffer_file_coding_system);
  const Value local = funcall_re(cx, Qlocal_variable_p, {Qbuffer_file_coding_system});
  if (local.is_exit()) return local;
  if (coding.is_nil() || local.is_nil()) {
    const Value args[] = {Qwrite_region, t.start, t.end, t.filename, t.append, t.visit, t.lockname};
    const Value found = TRY(funcall_re(cx, Qfind_operation_coding_system, args));
    const Value given = found.is_cons() ? cdr_raw(found) : found;
    if (given.truthy()) coding = given;
    if (coding.is_nil()) coding = default_value(cx, Qbuffer_file_coding_system);
  }
  if (!b.multibyte() && !t.start.is_string()) {
    // Unibyte text is bytes: only its line ends are converted.
    Eol eol = Eol::kUndecided;
    if (coding.truthy()) coding_base(symbol_name_view(cx, coding), &eol);
    return eol == Eol::kDos   ? intern(cx, "raw-text-dos")
           : eol == Eol::kMac ? intern(cx, "raw-text-mac")
                              : Qraw_text_unix;
  }
  const Value select = variable_value(cx, Qselect_safe_coding_system_function);
  if (!select.is_unbound() && select.truthy()) {
    const Value args[] = {t.start, t.end, coding, kNil, t.filename};
    coding = TRY(funcall_re(cx, select, args));
  }
  return coding;
}

// What became of writing a file: the step that failed and its errno.
struct Written {
  const char* failed = nullptr;
  int error = 0;
  struct stat st = {};
  bool have_stamp = false;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Opens, writes and closes. Touches no Lisp.
Written write_file(const std::string& path, int flags, std::int64_t offset, std::string_view bytes, bool sync) {
  Written w;
  const auto fail = [&w](const char* step) {
    if (w.failed == nullptr) w = {step, errno, w.st, w.have_stamp};
  };
  const int fd = open(path.c_str(), flags, 0666);
  if (fd < 0) {
    fail("Opening output file");
    return w;
  }
  if (offset >= 0 && lseek(fd, offset, SEEK_SET) < 0) fail("Lseek error");
  if (w.failed == nullptr && !write_all(fd, bytes)) fail("Write error");
  if (w.failed == nullptr && sync && fsync(fd) != 0 && errno != EINVAL && errno != EROFS) fail("Write error");
  w.have_stamp = fstat(fd, &w.st) == 0;
  if (close(fd) != 0) fail("Write error");
  return w;
}

// The text with annotations put in at their places.
Value annotated_text(Context& cx, Value start, Value end, Value annotations) {
  if (start.is_string() && annotations.is_nil()) return start;
  Buffer& b = current_buffer(cx);
  const bool whole_string = start.is_string();
  const std::int64_t from = whole_string ? 0 : start.as_fixnum();
  const std::int64_t to = whole_string ? string_chars(start) : end.as_fixnum();
  if (annotations.is_nil()) return buffer_substring(cx, b, from, to, false);
  Value parts = kNil;
  std::int64_t at = from;
  for (; annotations.is_cons(); annotations = cdr_raw(annotations)) {
    const Value a = car_raw(annotations);
    if (!a.is_cons() || !car_raw(a).is_fixnum() || !cdr_raw(a).is_string()) continue;
    const std::int64_t p = car_raw(a).as_fixnum();
    if (p < from || p > to) continue;
    if (!whole_string && p > at) parts = cons(cx, TRY(buffer_substring(cx, b, at, p, false)), parts);
    at = std::max(at, p);
    parts = cons(cx, cdr_raw(a), parts);
  }
  if (whole_string)
    parts = cons(cx, start, parts);
  else if (at < to)
    parts = cons(cx, TRY(buffer_substring(cx, b, at, to, false)), parts);
  return funcall_re(cx, Qmapconcat, {Qidentity, nreverse_list(parts), make_unibyte_string(cx, "")});
}

Value write_region_re(Context& cx, Target t, Value must_be_new) {
  const bool visiting = t.visit == Qt || t.visit.is_string();
  Buffer* b = &current_buffer(cx);
  if (b->base != nullptr && visiting) return error_text(cx, "Cannot do file visiting in an indirect buffer");
  const std::size_t depth = binding_depth(cx);
  Value visit_file = t.visit;
  if (!t.start.is_nil() && !t.start.is_string()) {
    const Region r = TRY(region_arguments(cx, t.start, t.end));
    t.start = Value::fixnum(r.start);
    t.end = Value::fixnum(r.end);
  }
  t.filename = TRY(expand_re(cx, t.filename));
  if (must_be_new.truthy() && must_be_new != Qexcl) {
    const std::string path = TRY(encode_file_name(cx, t.filename));
    struct stat st;
    if (lstat_file(cx, path, &st) == 0) {
      const std::string question = "File " + to_std_string(t.filename) + " already exists; overwrite anyway? ";
      const Value answer = TRY(funcall_re(cx, Qy_or_n_p, {make_string(cx, question)}));
      if (answer.is_nil()) {
        return signal_error2(cx, Qfile_already_exists, make_string(cx, "File already exists"), t.filename);
      }
    }
  }
  visit_file = t.visit.is_string() ? TRY(expand_re(cx, t.visit)) : t.filename;
  if (t.lockname.is_nil()) t.lockname = visit_file;

  Value handler = TRY(find_handler_re(cx, t.filename, Qwrite_region));
  if (handler.is_nil() && t.visit.is_string()) handler = TRY(find_handler_re(cx, t.visit, Qwrite_region));
  if (handler.truthy()) {
    const Value args[] = {Qwrite_region, t.start, t.end, t.filename, t.append, t.visit, t.lockname, must_be_new};
    const Value result = TRY(funcall_re(cx, handler, args));
    if (visiting) {
      b->text->saved = b->text->modified;
      b->text->auto_saved = b->text->modified;
      set_buffer_variable(cx, *b, Qbuffer_file_name, visit_file);
    }
    return result;
  }
  if (t.start.is_nil()) {
    host_hooks(cx).record_save_restriction(cx);
    TRY(funcall_re(cx, Qwiden, {}));
    t.start = Value::fixnum(1);
    t.end = Value::fixnum(b->text->end().chars);
  }
  const Value annotations = TRY(annotations_re(cx, t.start, t.end));
  const Value coding = TRY(choose_coding_re(cx, t));
  Value text = kNil;
  std::string bytes;
  {
    text = TRY(annotated_text(cx, t.start, t.end, annotations));
    bytes = TRY(encode_string_re(cx, text, coding));
  }
  TRY(set_variable_re(cx, Qlast_coding_system_used, coding));
  TRY(unbind_to_re(cx, depth, kNil));
  const bool excl = must_be_new == Qexcl;
  const std::string path = TRY(encode_file_name(cx, t.filename));
  int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
  flags |= excl ? O_EXCL : 0;
  flags |= t.append.is_nil() ? O_TRUNC : is_number(t.append) ? 0 : O_APPEND;
  std::int64_t offset = -1;
  if (is_number(t.append)) {
    if (t.append.is_natnum_fixnum()) {
      offset = t.append.as_fixnum();
    } else if (t.append.is_float() && float_raw(t.append) >= 0) {
      offset = static_cast<std::int64_t>(float_raw(t.append));
    } else {
      return wrong_type(cx, Qfile_offset, t.append);
    }
  }
  const bool sync = !variable_true(cx, Qwrite_region_inhibit_fsync);
  const Written written = run_blocking(cx, [&] { return write_file(path, flags, offset, bytes, sync); });
  if (written.failed != nullptr) return file_error(cx, written.failed, t.filename, written.error);
  b = &current_buffer(cx);
  const bool same_file = t.visit.is_string() ? false : t.visit == Qt;
  if (written.have_stamp && same_file) b->stamp = stamp_of(written.st);
  if (visiting) {
    b->text->saved = b->text->modified;
    b->text->auto_saved = b->text->modified;
    set_buffer_variable(cx, *b, Qbuffer_file_name, visit_file);
  }
  const Value post = variable_value(cx, Qwrite_region_post_annotation_function);
  if (!post.is_unbound() && post.truthy()) TRY(funcall_re(cx, post, {}));
  const bool quiet = !visiting && t.visit.truthy();
  if (!quiet && !variable_true(cx, Qnoninteractive)) {
    const char* verb = is_number(t.append) ? "Updated " : t.append.truthy() ? "Added to " : "Wrote ";
    if (host_hooks(cx).message != nullptr) {
      const Value line = TRY(make_string(cx, verb + to_std_string(t.filename)));
      host_hooks(cx).message(cx, line);
    }
  }
  return kNil;
}

NEOVM_COMMAND(write_region, "write-region", 3, 7, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
              "r\nFWrite region to file: \ni\ni\ni\np", "Write the text between START and END into FILENAME.")
(Context& cx, Value start, Value end, Value filename, Value append, Value visit, Value lockname, Value must_be_new) {
  return write_region_re(cx, {start, end, filename, append, visit, lockname}, must_be_new);
}

NEOVM_VARIABLE(write_region_annotate_functions, "write-region-annotate-functions", kGlobalVar, kAny, kInitNil,
               "Functions that return (POSITION . STRING) to be written in between.")
NEOVM_VARIABLE(write_region_annotations_so_far, "write-region-annotations-so-far", kGlobalVar, kAny, kInitNil,
               "Annotations found by earlier functions of write-region-annotate-functions.")
NEOVM_VARIABLE(write_region_post_annotation_function, "write-region-post-annotation-function", kGlobalVar, kAny,
               kInitNil, "Function called after the text was written.")
NEOVM_VARIABLE(write_region_inhibit_fsync, "write-region-inhibit-fsync", kGlobalVar, kBool, kInitNil,
               "Non-nil means written files are not forced to disk.")

}  // namespace
}  // namespace neomacs::host
