// Modification times of visited files.
#include "file/visited.hpp"

#include <cerrno>

#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"
#include "time/time_value.hpp"

namespace neomacs::host {

namespace {

NEOVM_PRIMITIVE(verify_visited_file_modtime, "verify-visited-file-modtime", 0, 1, kWorkerSafe, kBlockingIo, kMayGc,
                kReenters, kNondeterministic, "Return t when the file that BUF visits has not changed since.")
(Context& cx, Value buf) {
  Buffer& b = *TRY(buffer_or_current(cx, buf));
  const Value name = buffer_variable(cx, b, Qbuffer_file_name);
  if (!name.is_string() || b.stamp.nanoseconds == FileStamp::kUnknown) return Qt;
  NEOMACS_TRY_HANDLER(cx, name, Qverify_visited_file_modtime, buf);
  const std::string path = TRY(encode_file_name(cx, name));
  struct stat st;
  FileStamp now;
  now.nanoseconds = FileStamp::kNonexistent;
  if (stat_file(cx, path, &st) == 0) now = stamp_of(st);
  const bool same_time = now.nanoseconds == b.stamp.nanoseconds &&
                         (now.nanoseconds == FileStamp::kNonexistent || now.seconds == b.stamp.seconds);
  return boolean(same_time && (b.stamp.size < 0 || now.size == b.stamp.size));
}

NEOVM_PRIMITIVE(visited_file_modtime, "visited-file-modtime", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return the recorded modification time of the visited file; 0 unknown, -1 no file.")
(Context& cx) {
  const FileStamp& s = current_buffer(cx).stamp;
  if (s.nanoseconds == FileStamp::kUnknown) return Value::fixnum(0);
  if (s.nanoseconds == FileStamp::kNonexistent) return Value::fixnum(-1);
  return time_list(cx, timespec{s.seconds, s.nanoseconds});
}

NEOVM_PRIMITIVE(set_visited_file_modtime, "set-visited-file-modtime", 0, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Record TIME-FLAG, or the file's own time, as that of the visited file.")
(Context& cx, Value flag) {
  Buffer& b = current_buffer(cx);
  if (flag.truthy()) {
    if (flag.is_fixnum()) {
      if (flag.as_fixnum() != 0 && flag.as_fixnum() != -1) {
        return args_out_of_range(cx, flag, Value::fixnum(-1), Value::fixnum(0));
      }
      b.stamp = FileStamp{};
      if (flag.as_fixnum() == -1) b.stamp.nanoseconds = FileStamp::kNonexistent;
      return kNil;
    }
    const timespec t = TRY(timespec_argument(cx, flag));
    b.stamp = FileStamp{t.tv_sec, t.tv_nsec, -1};
    return kNil;
  }
  if (b.base != nullptr) return error_text(cx, "An indirect buffer does not have a visited file");
  const Value full = TRY(expand_re(cx, buffer_variable(cx, b, Qbuffer_file_name)));
  NEOMACS_TRY_HANDLER(cx, full, Qset_visited_file_modtime, kNil);
  const std::string path = TRY(encode_file_name(cx, full));
  struct stat st;
  if (stat_file(cx, path, &st) == 0) {
    b.stamp = stamp_of(st);
  } else if (errno != ENOENT) {
    return file_error(cx, "Getting attributes", full);
  }
  return kNil;
}

// ---- auto-saving's marks --------------------------------------------------------------------------------

NEOVM_PRIMITIVE(recent_auto_save_p, "recent-auto-save-p", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kNondeterministic, "Return t when the buffer was auto-saved since it was saved.")
(Context& cx) {
  const TextStore& text = *current_buffer(cx).text;
  return boolean(text.saved < text.auto_saved);
}

NEOVM_PRIMITIVE(set_buffer_auto_saved, "set-buffer-auto-saved", 0, 0, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kNondeterministic, "Mark the buffer as auto-saved just now.")
(Context& cx) {
  TextStore& text = *current_buffer(cx).text;
  text.auto_saved = text.modified;
  return kNil;
}

NEOVM_PRIMITIVE(clear_buffer_auto_save_failure, "clear-buffer-auto-save-failure", 0, 0, kWorkerSafe, kStateWrite, kNoGc,
                kNoReentry, kNondeterministic, "Forget that auto-saving the buffer failed.")
(Context&) { return kNil; }

}  // namespace
}  // namespace neomacs::host
