// Making processes, sending to them, signalling and deleting them.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include "edit/edit.hpp"
#include "file/coding_bridge.hpp"
#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"
#include "process/environment.hpp"
#include "process/process.hpp"
#include "process/wait.hpp"

namespace neomacs::host {

namespace {

Value keyword(Arguments args, Value key) {
  for (std::size_t i = 0; i + 1 < args.size(); i += 2)
    if (args[i] == key) return args[i + 1];
  return kNil;
}
bool has_keyword(Arguments args, Value key) {
  for (std::size_t i = 0; i + 1 < args.size(); i += 2)
    if (args[i] == key) return true;
  return false;
}

// A terminal that does nothing but carry bytes and turn C-c into signals.
Fd open_terminal(std::string* slave) {
  Fd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!master.valid() || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0) return Fd();
  char name[128];
  if (ptsname_r(master.get(), name, sizeof name) != 0) return Fd();
  *slave = name;
  const Fd fd(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios t;
  if (fd.valid() && tcgetattr(fd.get(), &t) == 0) {
    t.c_oflag |= OPOST;
    t.c_oflag &= ~static_cast<tcflag_t>(ONLCR | OCRNL | ONOCR | ONLRET);
    t.c_lflag &= ~static_cast<tcflag_t>(ECHO | IEXTEN);
    t.c_lflag |= ISIG | ICANON;
    t.c_iflag &= ~static_cast<tcflag_t>(IUCLC | ISTRIP | ICRNL | IGNCR | INLCR);
    t.c_cflag = (t.c_cflag & ~static_cast<tcflag_t>(CSIZE)) | CS8;
    t.c_cc[VEOF] = 'D' & 037;
    t.c_cc[VERASE] = 0377;
    t.c_cc[VKILL] = 0377;
    tcsetattr(fd.get(), TCSANOW, &t);
  }
  return master;
}

Maybe<bool> set_coding_re(Context& cx, Value process, Value given, Arguments args, Value operation) {
  Value decode = kNil;
  Value encode = kNil;
  const Value for_read = variable_value(cx, Qcoding_system_for_read);
  const Value for_write = variable_value(cx, Qcoding_system_for_write);
  if (given.is_cons()) {
    decode = car_raw(given);
    encode = cdr_raw(given);
  } else if (given.truthy()) {
    decode = encode = given;
  } else {
    (void)args;
    (void)operation;
    const Value usual = variable_value(cx, Qdefault_process_coding_system);
    if (usual.is_cons()) {
      decode = car_raw(usual);
      encode = cdr_raw(usual);
    }
    if (!for_read.is_unbound() && for_read.truthy()) decode = for_read;
    if (!for_write.is_unbound() && for_write.truthy()) encode = for_write;
  }
  set_host_slot_raw(process, kProcDecode, decode);
  set_host_slot_raw(process, kProcEncode, encode);
  return true;
}

// What :name, :buffer, :filter, :sentinel, :plist and :noquery say.
// A stopped pipe is not read, and shows it by t in place of a command.
void stop_pipe(Value process, bool stop) {
  Process& p = process_raw(process);
  p.status = stop ? ProcessStatus::kStop : ProcessStatus::kOpen;
  p.stopped_reading = stop || host_slot_raw(process, kProcFilter) == Qt;
  set_host_slot_raw(process, kProcCommand, stop ? Qt : kNil);
}

Maybe<Value> new_process_re(Context& cx, Arguments args, bool pipe) {
  const Value name = keyword(args, QCname);
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  Value buffer = keyword(args, QCbuffer);
  if (pipe && buffer.is_nil()) buffer = name;  // a pipe always has a buffer
  if (buffer.is_string()) buffer = TRY(get_buffer_create_re(cx, buffer, false))
  ->self;
  if (buffer.truthy()) TRY(check_type(cx, is_buffer(buffer), Qbufferp, buffer));
  const Value p = TRY(make_process_object(cx, name));
  set_host_slot_raw(p, kProcBuffer, buffer);
  if (keyword(args, QCfilter).truthy()) set_host_slot_raw(p, kProcFilter, keyword(args, QCfilter));
  if (keyword(args, QCsentinel).truthy()) set_host_slot_raw(p, kProcSentinel, keyword(args, QCsentinel));
  set_host_slot_raw(p, kProcPlist, keyword(args, QCplist));
  process_raw(p).query_on_exit = keyword(args, QCnoquery).is_nil();
  process_raw(p).stopped_reading = keyword(args, QCfilter) == Qt;
  Buffer* b = is_buffer(buffer) ? &buffer_raw(buffer) : nullptr;
  set_host_slot_raw(p, kProcMark, make_marker(cx, b, b != nullptr ? b->text->end() : Pos{}));
  set_host_slot_raw(p, kProcContact, list_from(cx, args));
  set_host_slot_raw(p, kProcThread, variable_value(cx, intern(cx, "main-thread")));
  return p;
}

Value start_program_re(Context& cx, Value process, Arguments args, Value stderr_process) {
  Process& p = process_raw(process);
  const Value command = keyword(args, QCcommand);
  Child child;
  for (Value l = command; l.is_cons(); l = cdr_raw(l)) {
    TRY(check_type(cx, car_raw(l).is_string(), Qstringp, car_raw(l)));
    child.args.push_back(to_std_string(car_raw(l)).c_str());
  }
  child.directory = TRY(child_directory_re(cx));
  // A program named in full is not looked for: that it cannot be run is seen by its exit code.
  const std::string named = TRY(encode_file_name(cx, car_raw(command)));
  if (named.starts_with('/')) {
    child.program = unquoted_name(named);
    struct stat st;
    if (stat_file(cx, child.program, &st) == 0 && S_ISDIR(st.st_mode))
      return error_text(cx, "Specified program for new process is a directory");
  } else {
    child.program = TRY(find_program_re(cx, car_raw(command)));
  }
  child.args[0] = unquoted_name(child.args[0]);
  child.environment = child_environment(cx);
  const Value type = has_keyword(args, QCconnection_type) && keyword(args, QCconnection_type).truthy()
                         ? keyword(args, QCconnection_type)
                         : variable_value(cx, Qprocess_connection_type);
  const bool pty = type == Qpty || (type != Qpipe && type.truthy());
  Fd child_in;
  Fd child_out;
  if (pty) {
    Fd master = open_terminal(&child.terminal);
    if (master.valid()) {
      p.pty = true;
      p.out.reset(fcntl(master.get(), F_DUPFD_CLOEXEC, 0));
      p.in = std::move(master);
      set_host_slot_raw(process, kProcTty, make_string(cx, child.terminal));
    }
  }
  if (!p.pty) {
    child.terminal.clear();
    int a[2];
    int b[2];
    if (pipe2(a, O_CLOEXEC) != 0) return file_error(cx, "Creating pipe", kNil);
    child_in.reset(a[0]);
    p.out.reset(a[1]);
    if (pipe2(b, O_CLOEXEC) != 0) return file_error(cx, "Creating pipe", kNil);
    p.in.reset(b[0]);
    child_out.reset(b[1]);
    child.in = child_in.get();
    child.out = child_out.get();
    child.err = child_out.get();
  }
  if (is_process(stderr_process)) child.err = process_raw(stderr_process).child_end.get();
  fcntl(p.in.get(), F_SETFL, fcntl(p.in.get(), F_GETFL) | O_NONBLOCK);
  fcntl(p.out.get(), F_SETFL, fcntl(p.out.get(), F_GETFL) | O_NONBLOCK);
  const pid_t pid = spawn(child);
  constexpr int kNotFound = 127;
  constexpr int kNotRunnable = 126;
  const int spawn_error = errno;
  const bool unusable = pid < 0 && (spawn_error == ENOENT || spawn_error == EACCES || spawn_error == ENOEXEC ||
                                    spawn_error == ENOTDIR || spawn_error == ELOOP);
  if (pid < 0 && !unusable) return file_error(cx, "Doing vfork", kNil, spawn_error);
  if (unusable) {
    if (child.err >= 0) {  // what the child would have said; a pipe has room for it
      const std::string text = "neomacs: " + child.args[0] + ": " + std::strerror(spawn_error) + "\n";
      [[maybe_unused]] const ssize_t written = write(child.err, text.data(), text.size());
    }
    p.out.reset(-1);
    p.status = ProcessStatus::kExit;
    p.code = spawn_error == ENOENT ? kNotFound : kNotRunnable;
    p.notify = true;
  } else {
    p.pid = pid;
    p.pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  }
  if (is_process(stderr_process)) process_raw(stderr_process).child_end.reset(-1);
  set_host_slot_raw(process, kProcCommand, command);
  return process;
}

Value pipe_process_re(Context& cx, Arguments args) {
  const Value process = TRY(new_process_re(cx, args, true));
  Process& p = process_raw(process);
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) != 0) {
    forget_process(cx, process);
    return file_error(cx, "Creating pipe", kNil);
  }
  p.in.reset(pair[0]);
  p.child_end.reset(pair[1]);
  fcntl(p.in.get(), F_SETFL, fcntl(p.in.get(), F_GETFL) | O_NONBLOCK);
  p.pipe = true;
  if (keyword(args, QCstop).truthy())
    stop_pipe(process, true);
  else
    p.status = ProcessStatus::kOpen;
  TRY(set_coding_re(cx, process, keyword(args, QCcoding), args, Qnil));
  return process;
}

NEOVM_PRIMITIVE(make_pipe_process, "make-pipe-process", 0, kMany, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Make a process object for a pipe that other programs write into.")
(Context& cx, Arguments args) {
  if (args.empty()) return kNil;
  return pipe_process_re(cx, args);
}

NEOVM_PRIMITIVE(make_process, "make-process", 0, kMany, kMainOnly, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Start a program in the background and return its process.")
(Context& cx, Arguments args) {
  if (args.empty()) return kNil;
  if (keyword(args, QCfile_handler).truthy()) {
    const Value dir = variable_value(cx, Qdefault_directory);
    if (dir.is_string()) {
      const Value handler = TRY(find_handler_re(cx, dir, Qmake_process));
      if (handler.truthy()) {
        const Value rest = list_from(cx, args);
        return funcall_re(cx, Qapply, {handler, Qmake_process, rest});
      }
    }
  }
  TRY(check_type(cx, keyword(args, QCname).is_string(), Qstringp, keyword(args, QCname)));
  const Value command = keyword(args, QCcommand);
  TRY(check_type(cx, command.is_list(), Qsequencep, command));
  if (command.is_nil()) return unimplemented(cx, "make-process without a command");
  TRY(check_type(cx, car_raw(command).is_string(), Qstringp, car_raw(command)));
  if (keyword(args, QCstop).truthy()) return error_text(cx, ":stop is not supported for a subprocess");
  const Value type = keyword(args, QCconnection_type);
  if (type.truthy() && type != Qpty && type != Qpipe) {
    return file_error(cx, "Unknown connection type", type, ENOENT);
  }
  Value stderr_process = keyword(args, QCstderr);
  if (stderr_process.truthy() && !is_process(stderr_process)) {
    Value buffer = stderr_process;
    if (buffer.is_string()) buffer = TRY(get_buffer_create_re(cx, buffer, false))
    ->self;
    TRY(check_type(cx, is_buffer(buffer), Qbufferp, buffer));
    const std::string name = to_std_string(keyword(args, QCname)) + " stderr";
    Value more[] = {QCname, make_string(cx, name), QCbuffer, buffer, QCnoquery, keyword(args, QCnoquery)};
    stderr_process = TRY(pipe_process_re(cx, Arguments(more, 6)));
  }
  const Value process = TRY(new_process_re(cx, args, false));
  TRY(set_coding_re(cx, process, keyword(args, QCcoding), args, Qmake_process));
  const Value started = start_program_re(cx, process, args, stderr_process);
  if (started.is_exit()) {
    forget_process(cx, process);
    if (is_process(stderr_process) && stderr_process != keyword(args, QCstderr)) forget_process(cx, stderr_process);
  }
  return started;
}

NEOVM_PRIMITIVE(process_send_string, "process-send-string", 2, 2, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Give STRING to PROCESS as input.")
(Context& cx, Value process, Value string) {
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  const Value p = TRY(process_argument(cx, process));
  const std::string bytes = TRY(encode_string_re(cx, string, host_slot_raw(p, kProcEncode)));
  TRY(send_bytes_re(cx, p, bytes));
  return kNil;
}

NEOVM_PRIMITIVE(process_send_region, "process-send-region", 3, 3, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Give the text from START to END to PROCESS as input.")
(Context& cx, Value process, Value start, Value end) {
  const Value p = TRY(process_argument(cx, process));
  const Region r = TRY(region_arguments(cx, start, end));
  const Value text = TRY(buffer_substring(cx, current_buffer(cx), r.start, r.end, false));
  const std::string bytes = TRY(encode_string_re(cx, text, host_slot_raw(p, kProcEncode)));
  TRY(send_bytes_re(cx, p, bytes));
  return kNil;
}

NEOVM_PRIMITIVE(process_send_eof, "process-send-eof", 0, 1, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Let PROCESS see the end of its input.")
(Context& cx, Value process) {
  const Value v = TRY(process_argument(cx, process));
  Process& p = process_raw(v);
  update_status(p);
  if (p.status != ProcessStatus::kRun && p.status != ProcessStatus::kOpen) {
    return error_text(cx,
                      "Process " + to_std_string(host_slot_raw(v, kProcName)) + " not running: " + status_message(p));
  }
  if (p.pty) {
    TRY(send_bytes_re(cx, v, "\004"));
  } else {
    p.out.reset(-1);
  }
  return v;
}

// A signal by number or name, with or without SIG.
Maybe<int> signal_argument(Context& cx, Value v) {
  if (v.is_fixnum()) return static_cast<int>(v.as_fixnum());
  if (!v.is_symbol() && !v.is_string()) return wrong_type(cx, Qsymbolp, v);
  std::string name = v.is_string() ? to_std_string(v) : std::string(symbol_name_view(cx, v));
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (name.starts_with("SIG")) name = name.substr(3);
  for (int i = 1; i < NSIG; ++i) {
    const char* n = sigabbrev_np(i);
    if (n != nullptr && name == n) return i;
  }
  return error_text(
      cx, "Undefined signal name " + (v.is_string() ? to_std_string(v) : std::string(symbol_name_view(cx, v))));
}

Value send_signal(Context& cx, Value process, int signal) {
  const Value v = TRY(process_argument(cx, process));
  Process& p = process_raw(v);
  const std::string name = to_std_string(host_slot_raw(v, kProcName));
  if (p.pipe && (signal == SIGTSTP || signal == SIGCONT)) {
    if (p.status == ProcessStatus::kOpen || p.status == ProcessStatus::kStop) stop_pipe(v, signal == SIGTSTP);
    return v;
  }
  if (p.pid == 0) return error_text(cx, "Process " + name + " is not a subprocess");
  update_status(p);
  if (p.status != ProcessStatus::kRun && p.status != ProcessStatus::kStop)
    return error_text(cx, "Process " + name + " is not active");
  if (signal == SIGCONT && p.status == ProcessStatus::kStop) p.status = ProcessStatus::kRun;
  kill(-p.pid, signal);
  return v;
}

#define NEOMACS_SIGNAL_COMMAND(id, lisp_name, sig, doc)                                                    \
  NEOVM_PRIMITIVE(id, lisp_name, 0, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry, kNondeterministic, doc) \
  (Context & cx, Value process, Value) { return send_signal(cx, process, sig); }

NEOMACS_SIGNAL_COMMAND(default_interrupt, "internal-default-interrupt-process", SIGINT, "Interrupt PROCESS.")
NEOMACS_SIGNAL_COMMAND(kill_process, "kill-process", SIGKILL, "Kill PROCESS.")
NEOMACS_SIGNAL_COMMAND(quit_process, "quit-process", SIGQUIT, "Send PROCESS the quit signal.")
NEOMACS_SIGNAL_COMMAND(stop_process, "stop-process", SIGTSTP, "Stop PROCESS.")
NEOMACS_SIGNAL_COMMAND(continue_process, "continue-process", SIGCONT, "Let a stopped PROCESS go on.")

NEOVM_PRIMITIVE(interrupt_process, "interrupt-process", 0, 2, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "Interrupt PROCESS by the functions of interrupt-process-functions.")
(Context& cx, Value process, Value group) {
  for (Value l = variable_value(cx, Qinterrupt_process_functions); l.is_cons(); l = cdr_raw(l)) {
    const Value done = TRY(funcall_re(cx, car_raw(l), {process, group}));
    if (done.truthy()) return done;
  }
  return kNil;
}

NEOVM_COMMAND(signal_process, "signal-process", 2, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kNondeterministic,
              "sProcess (name or number): \nnSignal code: ", "Send PROCESS (or a process id) the signal SIGCODE.")
(Context& cx, Value process, Value code) {
  pid_t pid = 0;
  if (process.is_fixnum()) {
    pid = static_cast<pid_t>(process.as_fixnum());
  } else if (process.is_string() && TRY(funcall_re(cx, intern(cx, "get-process"), {process})).is_nil()) {
    // No process of that name: the number of one, or nothing.
    const std::string text = to_std_string(process);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (error != std::errc() || end != text.data() + text.size()) return kNil;
  } else {
    const Value v = TRY(process_argument(cx, process));
    pid = process_raw(v).pid;
    if (pid <= 0) return error_text(cx, "Cannot signal process " + to_std_string(host_slot_raw(v, kProcName)));
  }
  const int signal = TRY(signal_argument(cx, code));
  return Value::fixnum(kill(pid, signal));
}

NEOVM_PRIMITIVE(delete_process, "delete-process", 1, 1, kMainOnly, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Kill PROCESS and forget it.")
(Context& cx, Value process) {
  const Value v = TRY(process_argument(cx, process));
  Process& p = process_raw(v);
  if (p.deleted) return kNil;
  update_status(p);
  if (p.pipe) {
    p.status = ProcessStatus::kClosed;
    p.notify = true;
  } else if (p.status == ProcessStatus::kRun || p.status == ProcessStatus::kStop) {
    kill(-p.pid, SIGKILL);
    p.status = ProcessStatus::kSignal;
    p.code = SIGKILL;
    p.notify = true;
  }
  p.stopped_reading = true;
  bool ignored = false;
  TRY(notify_changes_re(cx, v, &ignored));
  forget_process(cx, v);
  return kNil;
}

}  // namespace

// While the program does not take its input, its output is read, or both would wait for ever.
Maybe<bool> send_bytes_re(Context& cx, Value process, std::string_view view) {
  const std::string bytes(view);
  std::size_t done = 0;
  while (done < bytes.size()) {
    Process& p = process_raw(process);
    update_status(p);
    if (!p.out.valid() || (p.status != ProcessStatus::kRun && p.status != ProcessStatus::kOpen)) {
      return error_text(
          cx, "Process " + to_std_string(host_slot_raw(process, kProcName)) + " not running: " + status_message(p));
    }
    const ssize_t n = write(p.out.get(), bytes.data() + done, bytes.size() - done);
    if (n >= 0) {
      done += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      TRY(wait_for_output_re(cx, 0.02, kNil, false));
      continue;
    }
    return file_error(cx, "Writing to process", host_slot_raw(process, kProcName));
  }
  return true;
}

}  // namespace neomacs::host
