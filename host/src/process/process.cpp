// Process objects, their list and their accessors.
#include "process/process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "buffer/buffer.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

void finalize_process(void* payload) { delete *static_cast<Process**>(payload); }

Value print_process(Context& cx, Value self) {
  const Value name = host_slot_raw(self, kProcName);
  return make_string(cx, "#<process " + (name.is_string() ? to_std_string(name) : std::string()) + ">");
}

}  // namespace

const HostType kProcessType = {
    .name = "process",
    .type_symbol = Qprocess,
    .slot_count = kProcSlotCount,
    .payload_bytes = sizeof(void*),
    .trace = nullptr,
    .finalize = finalize_process,
    .print_re = print_process,
    .equal = nullptr,
};
NEOVM_HOST_TYPE(kProcessType)

ProcessState& processes(Context& cx) {
  void* state = extension_state(cx, ExtensionId::kHostProcess);
  if (state == nullptr) {
    state = new ProcessState;
    Extension e;
    e.state = state;
    e.trace = [](void* s, Tracer& t) {
      for (Value& v : static_cast<ProcessState*>(s)->all) t.visit(&v);
    };
    e.destroy = [](void* s) { delete static_cast<ProcessState*>(s); };
    set_extension(cx, ExtensionId::kHostProcess, e);
  }
  return *static_cast<ProcessState*>(state);
}

Value make_process_object(Context& cx, Value name) {
  const auto taken = [&](const std::string& n) {
    const auto& all = processes(cx).all;
    return std::any_of(all.begin(), all.end(),
                       [&](Value p) { return to_std_string(host_slot_raw(p, kProcName)) == n; });
  };
  const std::string base = to_std_string(name);
  std::string unique = base;
  for (int i = 1; taken(unique); ++i) unique = base + "<" + std::to_string(i) + ">";
  if (unique != base) name = make_string(cx, unique);
  const Value p = make_host_object(cx, &kProcessType);
  if (p.is_exit()) return p;
  *host_payload_raw<Process*>(p) = new Process;
  set_host_slot_raw(p, kProcName, name);
  set_host_slot_raw(p, kProcFilter, Qinternal_default_process_filter);
  set_host_slot_raw(p, kProcSentinel, Qinternal_default_process_sentinel);
  processes(cx).all.insert(processes(cx).all.begin(), p);
  return p;
}

Maybe<Value> process_argument(Context& cx, Value v) {
  if (is_process(v)) return v;
  Value buffer = v;
  if (v.is_string()) {
    for (const Value p : processes(cx).all)
      if (string_equal(host_slot_raw(p, kProcName), v)) return p;
    Buffer* b = find_buffer(cx, v);
    if (b == nullptr) return error_text(cx, "Process " + to_std_string(v) + " does not exist");
    buffer = b->self;
  } else if (v.is_nil()) {
    buffer = current_buffer(cx).self;
  }
  if (is_buffer(buffer)) {
    if (!buffer_raw(buffer).live) return error_text(cx, "Attempt to get process for a dead buffer");
    for (const Value p : processes(cx).all)
      if (host_slot_raw(p, kProcBuffer) == buffer) return p;
    return error_text(cx, "Buffer " + to_std_string(buffer_raw(buffer).name) + " has no process");
  }
  return wrong_type(cx, Qprocessp, v);
}

Value status_symbol(const Process& p) {
  switch (p.status) {
    case ProcessStatus::kRun: return Qrun;
    case ProcessStatus::kStop: return Qstop;
    case ProcessStatus::kExit: return Qexit;
    case ProcessStatus::kSignal: return Qsignal;
    case ProcessStatus::kOpen: return Qopen;
    case ProcessStatus::kClosed: return Qclosed;
  }
  return Qrun;
}

std::string status_message(const Process& p) {
  switch (p.status) {
    case ProcessStatus::kSignal:
    case ProcessStatus::kStop: {
      std::string text = signal_description(p.code);
      if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
      return text + (p.core ? " (core dumped)\n" : "\n");
    }
    case ProcessStatus::kExit:
      if (p.code == 0) return "finished\n";
      return "exited abnormally with code " + std::to_string(p.code) + (p.core ? " (core dumped)\n" : "\n");
    case ProcessStatus::kRun: return "run\n";
    case ProcessStatus::kOpen: return "open\n";
    case ProcessStatus::kClosed: return "finished\n";
  }
  return "";
}

bool update_status(Process& p) {
  if (p.pid == 0 || (p.status != ProcessStatus::kRun && p.status != ProcessStatus::kStop)) return false;
  int status = 0;
  if (waitpid(p.pid, &status, WNOHANG | WUNTRACED | WCONTINUED) != p.pid) return false;
  if (WIFEXITED(status)) {
    p.status = ProcessStatus::kExit;
    p.code = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    p.status = ProcessStatus::kSignal;
    p.code = WTERMSIG(status);
    p.core = WCOREDUMP(status);
  } else if (WIFSTOPPED(status)) {
    p.status = ProcessStatus::kStop;
    p.code = WSTOPSIG(status);
  } else {
    p.status = ProcessStatus::kRun;
    return false;
  }
  p.notify = true;
  return true;
}

void close_channels(Process& p) {
  p.in.reset(-1);
  p.out.reset(-1);
  p.pidfd.reset(-1);
  p.child_end.reset(-1);
}

void forget_process(Context& cx, Value process) {
  auto& all = processes(cx).all;
  all.erase(std::remove(all.begin(), all.end(), process), all.end());
  close_channels(process_raw(process));
  process_raw(process).deleted = true;
}

namespace {

#define NEOMACS_PROCESS_READER(id, lisp_name, doc, expression)                                            \
  NEOVM_PRIMITIVE(id, lisp_name, 1, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic, doc) \
  (Context & cx, Value process) {                                                                         \
    TRY(check_type(cx, is_process(process), Qprocessp, process));                                         \
    return expression;                                                                                    \
  }

NEOMACS_PROCESS_READER(process_name, "process-name", "Return the name of PROCESS.", host_slot_raw(process, kProcName))
NEOMACS_PROCESS_READER(process_buffer, "process-buffer", "Return the buffer of PROCESS.",
                       host_slot_raw(process, kProcBuffer))
NEOMACS_PROCESS_READER(process_filter, "process-filter", "Return the filter of PROCESS.",
                       host_slot_raw(process, kProcFilter))
NEOMACS_PROCESS_READER(process_sentinel, "process-sentinel", "Return the sentinel of PROCESS.",
                       host_slot_raw(process, kProcSentinel))
NEOMACS_PROCESS_READER(process_plist, "process-plist", "Return the property list of PROCESS.",
                       host_slot_raw(process, kProcPlist))
NEOMACS_PROCESS_READER(process_command, "process-command", "Return the command PROCESS was started by.",
                       host_slot_raw(process, kProcCommand))
NEOMACS_PROCESS_READER(process_mark, "process-mark", "Return the marker where output of PROCESS goes.",
                       host_slot_raw(process, kProcMark))
NEOMACS_PROCESS_READER(process_tty_name, "process-tty-name", "Return the terminal PROCESS reads and writes, or nil.",
                       host_slot_raw(process, kProcTty))
NEOMACS_PROCESS_READER(process_coding_system, "process-coding-system", "Return (DECODING . ENCODING) of PROCESS.",
                       cons(cx, host_slot_raw(process, kProcDecode), host_slot_raw(process, kProcEncode)))
NEOMACS_PROCESS_READER(process_id, "process-id", "Return the process id of PROCESS, nil when it is no program.",
                       process_raw(process).pid != 0 ? make_integer(cx, process_raw(process).pid) : kNil)
NEOMACS_PROCESS_READER(process_query, "process-query-on-exit-flag", "Return whether exiting asks about PROCESS.",
                       boolean(process_raw(process).query_on_exit))
NEOVM_PRIMITIVE(process_type, "process-type", 1, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the kind of PROCESS (or its name, its buffer, nil: the current one): real or pipe.")
(Context& cx, Value v) {
  const Value process = TRY(process_argument(cx, v));
  return process_raw(process).pipe ? Qpipe : Qreal;
}
NEOMACS_PROCESS_READER(process_thread, "process-thread", "Return the thread PROCESS is locked to, or nil.",
                       host_slot_raw(process, kProcThread))

NEOVM_PRIMITIVE(processp, "processp", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when OBJECT is a process.")
(Context&, Value v) { return boolean(is_process(v)); }

NEOVM_PRIMITIVE(get_process, "get-process", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kNondeterministic,
                "Return the process named NAME, or nil.")
(Context& cx, Value name) {
  if (is_process(name)) return name;
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  for (const Value p : processes(cx).all)
    if (string_equal(host_slot_raw(p, kProcName), name)) return p;
  return kNil;
}

NEOVM_PRIMITIVE(get_buffer_process, "get-buffer-process", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kNondeterministic, "Return a live process of BUFFER (a buffer or its name), or nil.")
(Context& cx, Value buffer) {
  if (buffer.is_string()) {
    Buffer* b = find_buffer(cx, buffer);
    if (b == nullptr) return kNil;
    buffer = b->self;
  }
  if (buffer.is_nil()) return kNil;
  if (!is_buffer(buffer)) return wrong_type(cx, Qstringp, buffer);
  for (const Value p : processes(cx).all)
    if (host_slot_raw(p, kProcBuffer) == buffer) return p;
  return kNil;
}

NEOVM_PRIMITIVE(process_list, "process-list", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return all processes.")
(Context& cx) { return list_from(cx, processes(cx).all); }

NEOVM_PRIMITIVE(process_status, "process-status", 1, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the status of PROCESS: run, stop, exit, signal, open or closed; nil for an unknown name.")
(Context& cx, Value v) {
  if (v.is_string()) {
    Value found = kNil;
    for (const Value p : processes(cx).all)
      if (string_equal(host_slot_raw(p, kProcName), v)) found = p;
    if (found.is_nil()) return kNil;
    v = found;
  } else {
    v = TRY(process_argument(cx, v));
  }
  update_status(process_raw(v));
  return status_symbol(process_raw(v));
}

NEOVM_PRIMITIVE(process_exit_status, "process-exit-status", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kNondeterministic, "Return the exit code of PROCESS, or the signal that ended it; 0 while it runs.")
(Context& cx, Value process) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  Process& p = process_raw(process);
  update_status(p);
  const bool ended =
      p.status == ProcessStatus::kExit || p.status == ProcessStatus::kSignal || p.status == ProcessStatus::kStop;
  return Value::fixnum(ended ? p.code : 0);
}

NEOVM_PRIMITIVE(process_contact, "process-contact", 1, 3, kMainOnly, kStateRead, kNoGc, kNoReentry, kNondeterministic,
                "Return what PROCESS is connected to: t for a program, else by KEY.")
(Context& cx, Value process, Value key, Value) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  if (!process_raw(process).pipe) return Qt;
  const Value contact = host_slot_raw(process, kProcContact);
  if (key == Qt) return contact;
  return key.is_nil() ? Qt : plist_get(contact, key);
}

NEOVM_PRIMITIVE(set_process_buffer, "set-process-buffer", 2, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kNondeterministic, "Make BUFFER (or nil) the buffer of PROCESS.")
(Context& cx, Value process, Value buffer) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  if (buffer.truthy()) TRY(check_type(cx, is_buffer(buffer), Qbufferp, buffer));
  set_host_slot_raw(process, kProcBuffer, buffer);
  const Value mark = host_slot_raw(process, kProcMark);
  if (buffer.truthy() && is_marker(mark)) {
    const Marker* m = marker_raw(mark);
    Buffer& b = buffer_raw(buffer);
    if (m == nullptr || m->buffer != &b) move_marker(cx, mark, &b, b.text->end());
  }
  return buffer;
}

NEOVM_PRIMITIVE(set_process_filter, "set-process-filter", 2, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kNondeterministic, "Make FILTER get the output of PROCESS; nil is the default, t stops reading.")
(Context& cx, Value process, Value filter) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  if (filter.is_nil()) filter = Qinternal_default_process_filter;
  process_raw(process).stopped_reading = filter == Qt;
  set_host_slot_raw(process, kProcFilter, filter);
  return filter;
}

NEOVM_PRIMITIVE(set_process_sentinel, "set-process-sentinel", 2, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kNondeterministic, "Make SENTINEL hear of changes of PROCESS; nil is the default.")
(Context& cx, Value process, Value sentinel) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  if (sentinel.is_nil()) sentinel = Qinternal_default_process_sentinel;
  set_host_slot_raw(process, kProcSentinel, sentinel);
  return sentinel;
}

NEOVM_PRIMITIVE(set_process_plist, "set-process-plist", 2, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kNondeterministic, "Replace the property list of PROCESS.")
(Context& cx, Value process, Value plist) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  TRY(check_type(cx, plist.is_list(), Qlistp, plist));
  set_host_slot_raw(process, kProcPlist, plist);
  return plist;
}

NEOVM_PRIMITIVE(set_process_query, "set-process-query-on-exit-flag", 2, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kNondeterministic, "Say whether exiting asks about PROCESS.")
(Context& cx, Value process, Value flag) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  process_raw(process).query_on_exit = flag.truthy();
  return flag;
}

NEOVM_PRIMITIVE(set_process_coding, "set-process-coding-system", 1, 3, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "Set the coding systems of PROCESS.")
(Context& cx, Value process, Value decoding, Value encoding) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  TRY(funcall_re(cx, intern(cx, "check-coding-system"), {decoding}));
  TRY(funcall_re(cx, intern(cx, "check-coding-system"), {encoding}));
  // What is sent has to end its lines somehow: as this system does.
  if (encoding.is_nil()) encoding = intern(cx, "raw-text");
  const Value ends = TRY(funcall_re(cx, intern(cx, "coding-system-eol-type"), {encoding}));
  if (is_vector(ends)) encoding = slot_raw(ends, 0);
  set_host_slot_raw(process, kProcDecode, decoding);
  set_host_slot_raw(process, kProcEncode, encoding);
  return kNil;
}

NEOVM_PRIMITIVE(waiting_for_user_input_p, "waiting-for-user-input-p", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kNondeterministic, "Return t when input of the user is waited for.")
(Context&) { return kNil; }

NEOVM_VARIABLE(process_connection_type, "process-connection-type", kGlobalVar, kAny, kInitT,
               "Non-nil means subprocesses get a terminal, nil a pipe.")
NEOVM_VARIABLE(delete_exited_processes, "delete-exited-processes", kGlobalVar, kBool, kInitT,
               "Non-nil means processes leave the list as soon as they end.")
NEOVM_VARIABLE(process_adaptive_read_buffering, "process-adaptive-read-buffering", kGlobalVar, kAny, kInitT,
               "Non-nil means reading may wait a little for more output.")
NEOVM_VARIABLE(process_prioritize_lower_fds, "process-prioritize-lower-fds", kGlobalVar, kBool, kInitNil,
               "Non-nil means older processes are read first.")
NEOVM_VARIABLE(read_process_output_max, "read-process-output-max", kGlobalVar, kInt, Value::fixnum(4096),
               "Bytes read from a process at once.")
NEOVM_VARIABLE(
    interrupt_process_functions, "interrupt-process-functions", kGlobalVar, kAny,
    +[](Context& cx) { return list(cx, {intern(cx, "internal-default-interrupt-process")}); },
    "Functions that try to interrupt a process, until one returns non-nil.")
NEOVM_VARIABLE(internal_daemon_sockname, "internal--daemon-sockname", kGlobalVar, kAny, kInitNil,
               "Name of the socket of a daemon.")

}  // namespace
}  // namespace neomacs::host
