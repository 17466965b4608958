// insert-file-contents.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <string>

#include "buffer/list_cycle.hpp"
#include "edit/edit.hpp"
#include "file/coding_bridge.hpp"
#include "file/names.hpp"
#include "file/visited.hpp"
#include "neovm/abi/blocking.hpp"

namespace neomacs::host {

namespace {

// A byte offset in a file: a natural number, also as an integral float.
Maybe<std::int64_t> file_offset(Context& cx, Value v) {
  if (v.is_natnum_fixnum()) return v.as_fixnum();
  if (v.is_float()) {
    const double d = float_raw(v);
    if (d >= 0 && d < 9e18 && std::trunc(d) == d) return static_cast<std::int64_t>(d);
  }
  return wrong_type(cx, Qfile_offset, v);
}

// Reads [from, to) of the open file (to < 0: all there is); false with errno.
Maybe<bool> read_all(Context& cx, int fd, std::int64_t from, std::int64_t to, std::string* out, int* error) {
  *error = 0;
  if (from > 0 && lseek(fd, from, SEEK_SET) < 0) {
    *error = errno;
    return false;
  }
  const std::size_t limit = to < 0 ? SIZE_MAX : static_cast<std::size_t>(to > from ? to - from : 0);
  struct stat st;
  std::size_t guess = std::size_t{1} << 14;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > from)
    guess = static_cast<std::size_t>(st.st_size - from) + 1;
  while (out->size() < limit) {
    TRY(check_quit(cx));
    const std::size_t had = out->size();
    const std::size_t want = std::min(limit - had, guess);
    out->resize(had + want);
    const ssize_t n = TRY(read_descriptor(cx, fd, out->data() + had, want));
    if (n < 0 && errno == EINTR) {
      out->resize(had);
      continue;
    }
    out->resize(had + static_cast<std::size_t>(n > 0 ? n : 0));
    if (n < 0) {
      *error = errno;
      return false;
    }
    if (n == 0) break;
    // A file ends where it said: what was asked for and not given is enough to see that.
    const auto given = static_cast<std::size_t>(n);
    guess = given < want ? want - given : std::max(std::size_t{1} << 14, out->size());
  }
  return true;
}

// Asks set-auto-coding-function what the text says about itself; nil when it does not know.
Value auto_coding_re(Context& cx, Value name, const std::string& bytes) {
  const Value fn = variable_value(cx, Qset_auto_coding_function);
  if (fn.is_nil() || fn.is_unbound() || bytes.empty()) return kNil;
  const std::size_t depth = binding_depth(cx);
  const Value old = current_buffer(cx).self;
  Buffer& work = *TRY(get_buffer_create_re(cx, make_unibyte_string(cx, " *code-detection*"), true));
  record_unwind(
      cx,
      [](Context& c, Value b) {
        if (buffer_raw(b).live) set_current_buffer(c, buffer_raw(b));
      },
      old);
  set_current_buffer(cx, work);
  const Value set_multibyte = funcall_re(cx, Qset_buffer_multibyte, {kNil});
  if (set_multibyte.is_exit()) return set_multibyte;
  TRY(bind_variable_re(cx, Qinhibit_read_only, Qt));
  TRY(bind_variable_re(cx, Qinhibit_modification_hooks, Qt));
  set_buffer_variable(cx, work, Qbuffer_undo_list, Qt);
  TRY(funcall_re(cx, Qerase_buffer, {}));
  const std::string sample = bytes.size() <= 4096 ? bytes : bytes.substr(0, 1024) + bytes.substr(bytes.size() - 3072);
  TRY(insert_bytes_re(cx, sample, static_cast<std::int64_t>(sample.size())));
  set_point(work, Pos{});
  const Value result = funcall_re(cx, fn, {name, Value::fixnum(static_cast<std::int64_t>(sample.size()))});
  return unbind_to_re(cx, depth, result);
}

Value choose_coding_re(Context& cx, Value name, Value visit, Value beg, Value end, Value replace,
                       const std::string& bytes) {
  const Value forced = variable_value(cx, Qcoding_system_for_read);
  if (!forced.is_unbound() && forced.truthy()) return forced;
  Value coding = auto_coding_re(cx, name, bytes);
  if (coding.is_exit() || coding.truthy()) return coding;
  const Value args[] = {Qinsert_file_contents, name, visit, beg, end, replace};
  coding = funcall_re(cx, Qfind_operation_coding_system, args);
  if (coding.is_exit()) return coding;
  return coding.is_cons() ? car_raw(coding) : coding;
}

// Where point stands while a file replaces the buffer's text, and goes when everything is done. It follows the text like
// a marker; inside of what is replaced it keeps its proportion of the way through.
struct KeptPoint {
  Value marker;
  std::int64_t chars;
};

void put_point_back(Context& cx, Value marker) {
  Buffer& b = current_buffer(cx);
  if (const Marker* m = marker_raw(marker)) set_point(b, clip(b, m->pos.chars));
  detach_marker(marker);
}

struct Insertion {
  Value name;
  Value visit;
  bool replaced = false;  // REPLACE asked for, and done
  std::int64_t inserted = 0;
};

// Puts TEXT in the place of the accessible portion, touching only what differs, and leaves point before it.
Maybe<bool> replace_text_re(Context& cx, std::string_view now, const KeptPoint& kept, Insertion& in) {
  Buffer& b = current_buffer(cx);
  const text::Cursor old = b.cursor();
  const auto* p = reinterpret_cast<const std::uint8_t*>(now.data());
  const auto n = static_cast<std::int64_t>(now.size());
  const std::int64_t first = b.begin.bytes - 1;
  const std::int64_t last = b.end.bytes - 1;
  const bool multibyte = b.multibyte();
  std::int64_t head = 0;
  while (head < n && first + head < last && old.byte(first + head) == p[head]) ++head;
  if (multibyte) {  // back to the start of a character in both texts
    const auto inside = [&](std::int64_t i) {
      return (i < n && text::is_continuation(p[i])) || (first + i < last && text::is_continuation(old.byte(first + i)));
    };
    while (head > 0 && inside(head)) --head;
  }
  std::int64_t tail = 0;
  while (tail < n - head && last - tail > first + head && old.byte(last - tail - 1) == p[n - tail - 1]) ++tail;
  if (multibyte) {
    while (tail > 0 && text::is_continuation(p[n - tail])) --tail;
  }
  if (head == n && first + n == last) return true;
  in.replaced = true;
  const std::int64_t from = b.text->char_of(first + head + 1);
  const std::int64_t to = b.text->char_of(last - tail + 1);
  const std::string middle(now.substr(static_cast<std::size_t>(head), static_cast<std::size_t>(n - head - tail)));
  const std::int64_t chars = multibyte ? text::count_chars(reinterpret_cast<const std::uint8_t*>(middle.data()),
                                                           static_cast<std::int64_t>(middle.size()))
                                       : static_cast<std::int64_t>(middle.size());
  if (to > from) TRY(delete_region_re(cx, from, to));
  set_point(b, clip(b, from));
  if (chars > 0) TRY(insert_bytes_re(cx, middle, chars));
  set_point(b, clip(b, from));
  if (kept.chars > from && kept.chars < to) {
    const double share = static_cast<double>(chars) / static_cast<double>(to - from);
    const auto ahead = static_cast<std::int64_t>(static_cast<double>(kept.chars - from) * share);
    move_marker(cx, kept.marker, &b, clip(b, from + ahead));
  }
  in.inserted = chars;
  return true;
}

// A hook's answer: how much text there is now after point.
Maybe<std::int64_t> inserted_length(Context& cx, Value n) {
  const Buffer& b = current_buffer(cx);
  if (!n.is_natnum_fixnum() || n.as_fixnum() > b.end.chars - b.point.chars) return wrong_type(cx, Qinserted_chars, n);
  return n.as_fixnum();
}

// Asks a function about the text. One that is asked after a replacement sees the whole accessible portion, and its answer
// counts only when it changed something. `call` gets the length. A function may answer nil for "as it was".
template <class Call>
Maybe<bool> ask_about_text_re(Context& cx, Insertion& in, const Call& call) {
  if (!in.replaced) {
    const Value n = TRY(call(Value::fixnum(in.inserted)));
    if (n.truthy()) in.inserted = TRY(inserted_length(cx, n));
    return true;
  }
  Buffer& b = current_buffer(cx);
  const std::int64_t point = b.point.chars;
  const std::int64_t changes = b.text->chars_modified;
  set_point(b, b.begin);
  const Value n = TRY(call(Value::fixnum(b.end.chars - b.begin.chars)));
  if (n.is_nil()) return true;
  const std::int64_t length = TRY(inserted_length(cx, n));
  Buffer& now = current_buffer(cx);
  if (now.text->chars_modified == changes) {
    set_point(now, clip(now, point));
  } else {
    in.inserted = length;
  }
  return true;
}

// The hooks that look at freshly read text; each may change it and says its new length.
Value after_insertion_re(Context& cx, Insertion& in) {
  if (symbol_function(cx, Qafter_insert_file_set_coding).truthy()) {
    const Value n = TRY(funcall_re(cx, Qafter_insert_file_set_coding, {Value::fixnum(in.inserted), in.visit}));
    if (n.truthy()) in.inserted = TRY(inserted_length(cx, n));
  }
  if (in.inserted == 0) return kNil;
  if (symbol_function(cx, Qformat_decode).truthy()) {
    TRY(ask_about_text_re(cx, in, [&](Value length) {
      return funcall_re(cx, Qformat_decode, {kNil, length, in.visit});
    }));
  }
  const Value hooks = variable_value(cx, Qafter_insert_file_functions);
  ListCycle cycle(hooks);
  for (Value tail = hooks; tail.is_cons();) {
    TRY(check_quit(cx));
    TRY(ask_about_text_re(cx, in, [&](Value length) { return funcall_re(cx, car_raw(tail), {length}); }));
    tail = cdr_raw(tail);
    if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, hooks);
  }
  return kNil;
}

NEOVM_PRIMITIVE(insert_file_contents, "insert-file-contents", 1, 5, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Insert the contents of FILENAME after point; return (NAME LENGTH).")
(Context& cx, Value filename, Value visit, Value beg, Value end, Value replace) {
  Buffer& b = current_buffer(cx);
  if (b.base != nullptr && visit.truthy()) return error_text(cx, "Cannot do file visiting in an indirect buffer");
  TRY(barf_if_read_only(cx, kNil));
  TRY(check_type(cx, filename.is_string(), Qstringp, filename));
  const Value full = TRY(expand_re(cx, filename));
  const Value handler = TRY(find_handler_re(cx, full, Qinsert_file_contents));
  Insertion in{full, visit};
  if (handler.truthy()) {
    const Value result = TRY(funcall_re(cx, handler, {Qinsert_file_contents, full, visit, beg, end, replace}));
    // A handler that says more than there is after point has said nothing.
    if (result.is_cons() && cdr_raw(result).is_cons() && car_raw(cdr_raw(result)).is_natnum_fixnum()) {
      const Buffer& now = current_buffer(cx);
      const std::int64_t said = car_raw(cdr_raw(result)).as_fixnum();
      if (said <= now.end.chars - now.point.chars) in.inserted = said;
    }
    TRY(after_insertion_re(cx, in));
    return result;
  }
  if (visit.truthy() && (beg.truthy() || end.truthy())) {
    return error_text(cx, "Attempt to visit less than an entire file");
  }
  std::int64_t from = 0;
  std::int64_t to = -1;
  if (beg.truthy()) from = TRY(file_offset(cx, beg));
  if (end.truthy()) to = TRY(file_offset(cx, end));
  const std::string path = TRY(encode_file_name(cx, full));
  const int fd = open_file_to_read(cx, path);
  FileStamp stamp;
  int open_error = 0;
  std::string bytes;
  if (fd < 0) {
    open_error = errno;
    if (visit.is_nil()) return file_error(cx, "Opening input file", full, open_error);
    stamp.nanoseconds = open_error == ENOENT ? FileStamp::kNonexistent : FileStamp::kUnknown;
  } else {
    struct stat st;
    fstat(fd, &st);
    stamp = stamp_of(st);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && (visit.truthy() || replace.truthy())) {
      close(fd);
      return signal_error2(cx, Qfile_error, make_string(cx, "not a regular file"), full);
    }
    int error = 0;
    const Maybe<bool> ok = read_all(cx, fd, from, to, &bytes, &error);
    close(fd);
    if (!ok.ok()) return kFailed;
    if (error != 0) return file_error(cx, "Read error", full, error);
  }

  const std::size_t depth = binding_depth(cx);
  const Value undo = buffer_variable(cx, b, Qbuffer_undo_list);
  const bool forget_undo = visit.truthy() && undo != Qt;
  if (open_error == 0) {
    const Value coding = TRY(choose_coding_re(cx, full, visit, beg, end, replace, bytes));
    if (&current_buffer(cx) != &b) set_current_buffer(cx, b);
    const Decoded d = TRY(decode_in_place_re(cx, &bytes, coding, b.multibyte()));
    if (!d.text.is_unbound()) bytes = std::string();
    TRY(set_variable_re(cx, Qlast_coding_system_used, d.coding));
    if (forget_undo) set_buffer_variable(cx, b, Qbuffer_undo_list, Qt);
    if (replace.truthy()) {
      const KeptPoint kept{make_marker(cx, &b, b.point), b.point.chars};
      record_unwind(cx, put_point_back, kept.marker);
      TRY(replace_text_re(cx, d.text.is_unbound() ? std::string_view(bytes) : string_view_of(d.text), kept, in));
    } else {
      const Pos point = b.point;
      if (d.text.is_unbound()) {
        in.inserted = b.multibyte() ? text::count_chars(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                        static_cast<std::int64_t>(bytes.size()))
                                    : static_cast<std::int64_t>(bytes.size());
        TRY(insert_bytes_re(cx, bytes, in.inserted));
      } else {
        in.inserted = string_chars(d.text);
        if (in.inserted > 0) TRY(insert_string_re(cx, d.text));
      }
      set_point(b, point);
    }
    bytes = std::string();
    if (forget_undo) set_buffer_variable(cx, b, Qbuffer_undo_list, undo);
  }
  if (visit.truthy()) {
    if (forget_undo) set_buffer_variable(cx, b, Qbuffer_undo_list, kNil);
    b.stamp = stamp;
    set_buffer_variable(cx, b, Qbuffer_file_name, full);
    b.text->saved = b.text->modified;
    b.text->auto_saved = b.text->modified;
  }
  if (open_error == 0) TRY(after_insertion_re(cx, in));
  if (visit.truthy() && open_error == 0) {
    b.text->saved = b.text->modified;
    if (forget_undo) set_buffer_variable(cx, b, Qbuffer_undo_list, kNil);
  }
  if (open_error != 0) return file_error(cx, "Opening input file", full, open_error);
  return unbind_to_re(cx, depth, list(cx, {full, Value::fixnum(in.inserted)}));
}

NEOVM_VARIABLE(after_insert_file_functions, "after-insert-file-functions", kGlobalVar, kAny, kInitNil,
               "Functions called with the length of freshly inserted file text; each returns the new length.")
NEOVM_VARIABLE(set_auto_coding_function, "set-auto-coding-function", kGlobalVar, kAny, kInitNil,
               "Function that finds the coding system a file's text asks for.")
NEOVM_VARIABLE(file_name_handler_alist, "file-name-handler-alist", kGlobalVar, kAny, kInitNil,
               "Alist of (REGEXP . HANDLER) for file names whose operations Lisp carries out.")
NEOVM_VARIABLE(inhibit_file_name_handlers, "inhibit-file-name-handlers", kGlobalVar, kAny, kInitNil,
               "Handlers not to be used for inhibit-file-name-operation.")
NEOVM_VARIABLE(inhibit_file_name_operation, "inhibit-file-name-operation", kGlobalVar, kAny, kInitNil,
               "Operation for which inhibit-file-name-handlers holds.")
NEOVM_VARIABLE(file_name_coding_system, "file-name-coding-system", kGlobalVar, kAny, kInitNil,
               "Coding system of file names; nil means the default one.")
NEOVM_VARIABLE(default_file_name_coding_system, "default-file-name-coding-system", kGlobalVar, kAny, kInitNil,
               "Default coding system of file names.")
NEOVM_VARIABLE(delete_by_moving_to_trash, "delete-by-moving-to-trash", kGlobalVar, kBool, kInitNil,
               "Non-nil means deleted files go to the trash.")
NEOVM_VARIABLE(auto_save_list_file_name, "auto-save-list-file-name", kGlobalVar, kAny, kInitNil,
               "File that lists the auto-save files of the running program.")
NEOVM_VARIABLE(auto_save_visited_file_name, "auto-save-visited-file-name", kGlobalVar, kAny, kInitNil,
               "Non-nil means auto-saving writes the visited file itself.")
NEOVM_VARIABLE(auto_save_include_big_deletions, "auto-save-include-big-deletions", kGlobalVar, kAny, kInitNil,
               "Non-nil means auto-save also after much text was deleted.")
NEOVM_VARIABLE(completion_ignored_extensions, "completion-ignored-extensions", kGlobalVar, kAny, kInitNil,
               "Endings of file names that completion leaves out when there are others.")
NEOVM_VARIABLE(temporary_file_directory, "temporary-file-directory", kGlobalVar, kAny, kInitNil,
               "Directory of temporary files.")
NEOVM_VARIABLE(create_lockfiles, "create-lockfiles", kGlobalVar, kBool, kInitT,
               "Non-nil means changed files are locked.")

}  // namespace
}  // namespace neomacs::host
