// Asynchronous subprocesses and pipes.
//
// A Lisp process is a host object with its Lisp data in slots and a Process struct behind it. Live ones are
// in the isolate's kHostProcess extension. Nothing happens behind Lisp's back: output is read, and ends
// are noticed, only while Lisp waits (wait.hpp).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "neovm/abi/api.hpp"
#include "process/spawn.hpp"

namespace neomacs::host {

using neovm::Context;
using neovm::Maybe;
using neovm::Value;

enum ProcessSlot : int {
  kProcName,
  kProcBuffer,
  kProcFilter,
  kProcSentinel,
  kProcPlist,
  kProcCommand,  // list of strings; t for a pipe that is stopped
  kProcMark,
  kProcTty,
  kProcDecode,
  kProcEncode,
  kProcThread,
  kProcContact,  // plist given at creation
  kProcSlotCount,
};

enum class ProcessStatus : std::uint8_t { kRun, kStop, kExit, kSignal, kOpen, kClosed };

struct Process {
  pid_t pid = 0;  // 0: no program behind it
  Fd in;          // its output comes in here
  Fd out;         // its input goes out here
  Fd pidfd;
  Fd child_end;  // pipe process used as :stderr: what the child gets
  ProcessStatus status = ProcessStatus::kRun;
  int code = 0;  // exit code or signal
  bool core = false;
  bool notify = false;  // the sentinel has to be told
  bool query_on_exit = true;
  bool pty = false;
  bool pipe = false;  // made by make-pipe-process
  bool deleted = false;
  bool stopped_reading = false;
  std::string undecoded;  // an unfinished character or line end
};

struct ProcessState {
  std::vector<Value> all;  // newest first
};

extern const neovm::HostType kProcessType;
inline bool is_process(Value v) { return is_host(v, &kProcessType); }
inline Process& process_raw(Value v) { return **neovm::host_payload_raw<Process*>(v); }

ProcessState& processes(Context& cx);
Value make_process_object(Context& cx, Value name);
// A process, a buffer or a name, or nil for the current buffer's process.
Maybe<Value> process_argument(Context& cx, Value v);
// "finished\n" and the like.
std::string status_message(const Process& p);
Value status_symbol(const Process& p);
// Looks whether the program ended or stopped; true when the status changed.
bool update_status(Process& p);
void close_channels(Process& p);
void forget_process(Context& cx, Value process);

// Reads once from the process and hands the text to its filter. False at the end of its output.
Maybe<bool> read_output_re(Context& cx, Value process, bool* got);
// Runs sentinels of processes whose status was seen to change.
Maybe<bool> notify_changes_re(Context& cx, Value wait_for, bool* wait_for_changed);
Maybe<bool> send_bytes_re(Context& cx, Value process, std::string_view bytes);

}  // namespace neomacs::host
