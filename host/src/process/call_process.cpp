// Synchronous subprocesses.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "edit/edit.hpp"
#include "file/coding_bridge.hpp"
#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"
#include "process/environment.hpp"
#include "process/spawn.hpp"

namespace neomacs::host {

namespace {

// Where standard output and error go.
struct Destination {
  enum class Kind : std::uint8_t { kDiscard, kNoWait, kBuffer, kFile } kind = Kind::kDiscard;
  Value buffer = kNil;
  Value file = kNil;
  enum class Error : std::uint8_t { kSame, kDiscard, kFile } error = Error::kSame;
  Value error_file = kNil;
};

// NAME expanded and without the quoting of names that look remote.
Value local_name_re(Context& cx, Value name) {
  const Value full = TRY(expand_re(cx, name));
  if (!full.is_string() || !string_view_of(full).starts_with("/:")) return full;
  return string_like(cx, full, unquoted_name(string_view_of(full)));
}

Maybe<Destination> destination_argument_re(Context& cx, Value v) {
  Destination d;
  if (v.is_cons() && car_raw(v) != QCfile) {  // (REAL STDERR)
    const Value rest = cdr_raw(v);
    if (rest.is_cons()) {
      const Value e = car_raw(rest);
      if (e.is_nil()) {
        d.error = Destination::Error::kDiscard;
      } else if (e != Qt) {
        d.error = Destination::Error::kFile;
        d.error_file = TRY(local_name_re(cx, e));
      }
    }
    v = car_raw(v);
  } else if (v.is_nil()) {
    d.error = Destination::Error::kDiscard;
  }
  using Kind = Destination::Kind;
  if (v.is_nil()) {
    d.kind = Kind::kDiscard;
  } else if (v.is_fixnum()) {
    d.kind = Kind::kNoWait;
  } else if (v == Qt) {
    d.kind = Kind::kBuffer;
    d.buffer = current_buffer(cx).self;
  } else if (v.is_cons()) {  // (:file NAME)
    const Value rest = cdr_raw(v);
    d.kind = Kind::kFile;
    d.file = TRY(local_name_re(cx, rest.is_cons() ? car_raw(rest) : rest));
  } else {
    d.kind = Kind::kBuffer;
    if (is_buffer(v)) {
      d.buffer = v;
    } else {
      TRY(check_type(cx, v.is_string(), Qstringp, v));
      d.buffer = TRY(get_buffer_create_re(cx, v, false))
      ->self;
    }
  }
  return d;
}

// The coding system for the program's output (or input).
Maybe<bool> coding_lookup_re(Context& cx, Value operation, Arguments args, bool decoding, Value* coding) {
  const Value forced = variable_value(cx, decoding ? Qcoding_system_for_read : Qcoding_system_for_write);
  *coding = forced.is_unbound() ? kNil : forced;
  if (coding->truthy() || symbol_function(cx, Qfind_operation_coding_system).is_nil()) return true;
  std::vector<Value> all{operation};
  all.insert(all.end(), args.begin(), args.end());
  Value found = TRY(funcall_re(cx, Qfind_operation_coding_system, all));
  if (!found.is_cons()) found = variable_value(cx, Qdefault_process_coding_system);
  if (found.is_cons()) *coding = decoding ? car_raw(found) : cdr_raw(found);
  return true;
}

Maybe<bool> read_until_end(Context& cx, int fd, std::string* out) {
  for (;;) {
    TRY(check_quit(cx));
    pollfd p{fd, POLLIN, 0};
    const int ready = TRY(poll_descriptors(cx, {&p, 1}, -1));
    if (ready < 0 && errno == EINTR) continue;
    const std::size_t had = out->size();
    out->resize(had + 65536);
    const ssize_t n = read(fd, out->data() + had, 65536);
    out->resize(had + static_cast<std::size_t>(n > 0 ? n : 0));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
  }
}

int open_output(Context& cx, const std::string& path) {
  return run_blocking(cx, [&] { return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); });
}

// Waits for the program's end. Leaving early, for a quit or because the task was asked to stop, ends the program.
Maybe<int> wait_for_end(Context& cx, pid_t pid) {
  const Fd ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  int status = 0;
  while (ended.valid() && waitpid(pid, &status, WNOHANG) == 0) {
    TRY(check_quit(cx));
    pollfd p{ended.get(), POLLIN, 0};
    TRY(poll_descriptors(cx, {&p, 1}, -1));
  }
  if (ended.valid()) return status;
  // Too many open files, or an old kernel.
  for (;;) {
    TRY(check_quit(cx));
    if (run_blocking(cx, [&] { return waitpid(pid, &status, 0); }) >= 0 || errno != EINTR) return status;
  }
}

void kill_group(Context& cx, pid_t pid) {
  kill(-pid, SIGINT);
  kill(-pid, SIGKILL);
  run_blocking(cx, [&] { return waitpid(pid, nullptr, 0); });
}

// Runs ARGS[0] with input from `in`; the rest of ARGS as in call-process.
Value call_process_re(Context& cx, Arguments args, int in, Value operation, Arguments lookup) {
  const Value program = args[0];
  TRY(check_type(cx, program.is_string(), Qstringp, program));
  Child child;
  child.args.push_back(unquoted_name(to_std_string(program)));
  for (std::size_t i = 4; i < args.size(); ++i) {
    TRY(check_type(cx, args[i].is_string(), Qstringp, args[i]));
    child.args.push_back(to_std_string(args[i]).c_str());
  }
  const Destination d = TRY(destination_argument_re(cx, args.size() > 2 ? args[2] : kNil));
  child.directory = TRY(child_directory_re(cx));
  child.program = TRY(find_program_re(cx, program));
  child.environment = child_environment(cx);

  Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  Fd output;
  Fd error;
  Fd reader;
  child.in = in;
  switch (d.kind) {
    case Destination::Kind::kDiscard:
    case Destination::Kind::kNoWait: child.out = null.get(); break;
    case Destination::Kind::kFile: {
      const std::string path = TRY(encode_file_name(cx, d.file));
      output.reset(open_output(cx, path));
      if (!output.valid()) return file_error(cx, "Opening process output file", d.file);
      child.out = output.get();
      break;
    }
    case Destination::Kind::kBuffer: {
      int pair[2];
      if (pipe2(pair, O_CLOEXEC) != 0) return file_error(cx, "Creating process pipe", kNil);
      reader.reset(pair[0]);
      output.reset(pair[1]);
      child.out = output.get();
      break;
    }
  }
  child.err = d.error == Destination::Error::kSame ? child.out : null.get();
  if (d.error == Destination::Error::kFile) {
    const std::string path = TRY(encode_file_name(cx, d.error_file));
    error.reset(open_output(cx, path));
    if (!error.valid()) return file_error(cx, "Redirecting stderr", d.error_file);
    child.err = error.get();
  }
  const pid_t pid = run_blocking(cx, [&] { return spawn(child); });
  if (pid < 0) return file_error(cx, "Doing vfork", kNil);
  output.reset(-1);
  if (d.kind == Destination::Kind::kNoWait) return kNil;

  std::string bytes;
  const auto run = [&]() -> Maybe<int> {
    if (reader.valid()) TRY(read_until_end(cx, reader.get(), &bytes));
    return wait_for_end(cx, pid);
  };
  Maybe<int> ran = run();
  if (!ran.ok()) {
    kill_group(cx, pid);
    return kExit;
  }
  const int status = ran.get_raw();
  if (d.kind == Destination::Kind::kBuffer && buffer_raw(d.buffer).live) {
    const std::size_t depth = binding_depth(cx);
    host_hooks(cx).record_save_current_buffer(cx);
    Value coding = kNil;
    TRY(coding_lookup_re(cx, operation, lookup, true, &coding));
    if (buffer_raw(d.buffer).live) {
      set_current_buffer(cx, buffer_raw(d.buffer));
      const Decoded text = TRY(decode_bytes_re(cx, bytes, coding, current_buffer(cx).multibyte()));
      TRY(set_variable_re(cx, Qlast_coding_system_used, text.coding));
      if (string_bytes(text.text) > 0) TRY(insert_string_re(cx, text.text));
    }
    TRY(unbind_to_re(cx, depth, kNil));
  }
  if (WIFSIGNALED(status)) return make_string(cx, signal_description(WTERMSIG(status)));
  return Value::fixnum(WEXITSTATUS(status));
}

NEOVM_PRIMITIVE(call_process, "call-process", 1, kMany, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Run PROGRAM with INFILE as input and output to DESTINATION; return its exit code.")
(Context& cx, Arguments args) {
  TRY(check_type(cx, args[0].is_string(), Qstringp, args[0]));
  Fd in;
  if (args.size() > 1 && args[1].truthy()) {
    const Value full = TRY(local_name_re(cx, args[1]));
    const std::string path = TRY(encode_file_name(cx, full));
    in.reset(run_blocking(cx, [&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (!in.valid()) return file_error(cx, "Opening process input file", full);
  } else {
    in.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  return call_process_re(cx, args, in.get(), Qcall_process, args);
}

NEOVM_PRIMITIVE(call_process_region, "call-process-region", 3, kMany, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Run PROGRAM with the text from START to END as input.")
(Context& cx, Arguments args) {
  Value start = args[0];
  Value end = args[1];
  const bool del = args.size() > 3 && args[3].truthy();
  Value text = start;
  if (!start.is_string()) {
    Buffer& b = current_buffer(cx);
    if (start.is_nil()) {
      start = Value::fixnum(1);
      end = Value::fixnum(b.text->end().chars);
      text = TRY(buffer_substring(cx, b, 1, end.as_fixnum(), false));
    } else {
      const Region r = TRY(region_arguments(cx, start, end));
      start = Value::fixnum(r.start);
      end = Value::fixnum(r.end);
      text = TRY(buffer_substring(cx, b, r.start, r.end, false));
    }
  }
  Value coding = kNil;
  TRY(coding_lookup_re(cx, Qcall_process_region, args, false, &coding));
  const std::string bytes = TRY(encode_string_re(cx, text, coding));
  Fd in(memfd_create("neovm-input", MFD_CLOEXEC));
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t n = write(in.get(), left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error(cx, "Writing process input", kNil);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  lseek(in.get(), 0, SEEK_SET);
  if (del && !args[0].is_string()) {
    if (args[0].is_nil()) {
      TRY(funcall_re(cx, Qwiden, {}));
    }
    TRY(delete_region_re(cx, start.as_fixnum(), end.as_fixnum()));
  }
  // From PROGRAM on, ARGS is laid out as call-process wants it, with DELETE in the place of INFILE.
  return call_process_re(cx, args.subspan(2), in.get(), Qcall_process_region, args);
}

}  // namespace
}  // namespace neomacs::host
