// Reading from processes, telling their sentinels, waiting.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "edit/edit.hpp"
#include "file/coding_bridge.hpp"
#include "neovm/abi/blocking.hpp"
#include "process/process.hpp"
#include "process/wait.hpp"
#include "time/time_value.hpp"

namespace neomacs::host {

namespace {

// Length of the bytes at the end that may be the beginning of a UTF-8 character or of a CRLF.
std::size_t incomplete_tail(std::string_view s) {
  std::size_t n = 0;
  while (n < 3 && n < s.size() && text::is_continuation(static_cast<std::uint8_t>(s[s.size() - 1 - n]))) ++n;
  if (n < s.size()) {
    const auto lead = static_cast<unsigned char>(s[s.size() - 1 - n]);
    const std::size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1;
    if (lead >= 0xC2 && want > n + 1) return n + 1;
  }
  return !s.empty() && s.back() == '\r' ? 1 : 0;
}

struct FilterCall {
  Value process;
  Value text;
};

Value call_filter(Context& cx, void* data) {
  const auto* call = static_cast<FilterCall*>(data);
  return funcall_re(cx, host_slot_raw(call->process, kProcFilter), {call->process, call->text});
}

struct SentinelCall {
  Value process;
  Value message;
};

Value call_sentinel(Context& cx, void* data) {
  const auto* call = static_cast<SentinelCall*>(data);
  return funcall_re(cx, host_slot_raw(call->process, kProcSentinel), {call->process, call->message});
}

// Runs a filter or sentinel: the current buffer and the match data stay. In a batch program an error in
// it ends the program, as in Emacs; so it just goes on outward.
Value guarded_re(Context& cx, Value (*body)(Context&, void*), void* data) {
  const std::size_t depth = binding_depth(cx);
  host_hooks(cx).record_save_current_buffer(cx);
  const MatchData saved = match_data(cx);
  const Value bound = bind_variable_re(cx, Qinhibit_quit, Qt);
  if (bound.is_exit()) return bound;
  const Value result = unbind_to_re(cx, depth, body(cx, data));
  match_data(cx) = saved;
  return result;
}

// Inserts TEXT at the mark of PROCESS in its buffer; point stays unless it was at the mark.
Value insert_at_mark_re(Context& cx, Value process, Value text) {
  const Value buffer = host_slot_raw(process, kProcBuffer);
  if (!is_buffer(buffer) || !buffer_raw(buffer).live) return kNil;
  const std::size_t depth = binding_depth(cx);
  host_hooks(cx).record_save_current_buffer(cx);
  Buffer& b = buffer_raw(buffer);
  set_current_buffer(cx, b);
  TRY(bind_variable_re(cx, Qinhibit_read_only, Qt));
  const Value mark = host_slot_raw(process, kProcMark);
  const Marker* m = is_marker(mark) ? marker_raw(mark) : nullptr;
  const Pos at = m != nullptr && m->buffer == &b ? m->pos : b.text->end();
  const Pos old_begin = b.begin;
  const Pos old_end = b.end;
  const bool outside = at.chars < b.begin.chars || at.chars > b.end.chars;
  if (outside) TRY(funcall_re(cx, Qwiden, {}));
  const std::int64_t point = b.point.chars;
  set_point(b, at);
  const std::int64_t size = b.text->end().chars;
  TRY(insert_string_re(cx, text, kInsertBeforeMarkers));
  const std::int64_t added = b.text->end().chars - size;
  if (is_marker(mark)) move_marker(cx, mark, &b, b.point);
  const std::int64_t back = point >= at.chars ? point + added : point;
  if (outside) {
    const std::int64_t shift_begin = old_begin.chars > at.chars ? added : 0;
    const std::int64_t shift_end = old_end.chars > at.chars ? added : 0;
    TRY(funcall_re(cx, Qnarrow_to_region,
                   {Value::fixnum(old_begin.chars + shift_begin), Value::fixnum(old_end.chars + shift_end)}));
  }
  set_point(b, clip(b, back));
  return unbind_to_re(cx, depth, kNil);
}

NEOVM_PRIMITIVE(default_filter, "internal-default-process-filter", 2, 2, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "Insert TEXT into the buffer of PROCESS at its mark.")
(Context& cx, Value process, Value text) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  TRY(check_type(cx, text.is_string(), Qstringp, text));
  return insert_at_mark_re(cx, process, text);
}

NEOVM_PRIMITIVE(default_sentinel, "internal-default-process-sentinel", 2, 2, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "Write into the buffer of PROCESS what became of it.")
(Context& cx, Value process, Value message) {
  TRY(check_type(cx, is_process(process), Qprocessp, process));
  const Process& p = process_raw(process);
  if (p.status == ProcessStatus::kRun || p.status == ProcessStatus::kOpen) return kNil;
  const Value buffer = host_slot_raw(process, kProcBuffer);
  if (!is_buffer(buffer) || !buffer_raw(buffer).live) return kNil;
  const std::string line =
      "\nProcess " + to_std_string(host_slot_raw(process, kProcName)) + " " + to_std_string(message);
  return insert_at_mark_re(cx, process, make_string(cx, line));
}

// Due timers run through timer-event-handler; returns seconds until the next one, or infinity.
Maybe<double> run_timers_re(Context& cx) {
  for (int ran = 0; ran < 1000; ++ran) {
    const Value timers = variable_value(cx, Qtimer_list);
    const timespec now = current_timespec();
    double next = HUGE_VAL;
    Value due = kNil;
    for (Value l = timers; l.is_cons(); l = cdr_raw(l)) {
      const Value t = car_raw(l);
      if (!(is_vector(t) || is_record(t)) || slot_count_raw(t) < 9) continue;
      const std::int64_t base = is_record(t) ? 1 : 0;
      if (slot_raw(t, base).truthy()) continue;  // already triggered
      const Value hi = slot_raw(t, base + 1);
      const Value lo = slot_raw(t, base + 2);
      const Value us = slot_raw(t, base + 3);
      if (!hi.is_fixnum() || !lo.is_fixnum() || !us.is_fixnum()) continue;
      const double in = static_cast<double>((hi.as_fixnum() << 16) + lo.as_fixnum() - now.tv_sec) +
                        static_cast<double>(us.as_fixnum()) / 1e6 - static_cast<double>(now.tv_nsec) / 1e9;
      if (in <= 0 && due.is_nil()) due = t;
      next = std::min(next, in);
    }
    if (due.is_nil()) return next;
    const MatchData saved = match_data(cx);
    const std::size_t depth = binding_depth(cx);
    TRY(bind_variable_re(cx, Qinhibit_quit, Qt));
    host_hooks(cx).record_save_current_buffer(cx);
    const Value done = unbind_to_re(cx, depth, funcall_re(cx, Qtimer_event_handler, {due}));
    match_data(cx) = saved;
    if (done.is_exit()) return kFailed;
  }
  return 0.0;
}

double monotonic() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

}  // namespace

Maybe<bool> read_output_re(Context& cx, Value process, bool* got) {
  Process& p = process_raw(process);
  const Value most = variable_value(cx, Qread_process_output_max);
  const std::size_t limit =
      most.is_fixnum() && most.as_fixnum() > 0 ? static_cast<std::size_t>(most.as_fixnum()) : 4096;
  std::string bytes(limit, '\0');
  const ssize_t n = read(p.in.get(), bytes.data(), bytes.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  bytes.resize(static_cast<std::size_t>(n > 0 ? n : 0));
  const bool end = n <= 0;
  if (end) {
    p.in.reset(-1);
    if (p.pipe) {
      p.status = ProcessStatus::kClosed;
      p.notify = true;
    }
  }
  bytes.insert(0, p.undecoded);
  p.undecoded.clear();
  if (!end) {
    const std::size_t tail = incomplete_tail(bytes);
    p.undecoded = bytes.substr(bytes.size() - tail);
    bytes.resize(bytes.size() - tail);
  }
  if (bytes.empty()) return !end;
  *got = true;
  const Decoded d = TRY(decode_bytes_re(cx, bytes, host_slot_raw(process, kProcDecode), true));
  TRY(set_variable_re(cx, Qlast_coding_system_used, d.coding));
  FilterCall call{process, d.text};
  if (guarded_re(cx, call_filter, &call).is_exit()) return kFailed;
  return !end;
}

Maybe<bool> notify_changes_re(Context& cx, Value wait_for, bool* wait_for_changed) {
  bool any = false;
  const Value snapshot = list_from(cx, processes(cx).all);
  for (Value l = snapshot; l.is_cons(); l = cdr_raw(l)) {
    const Value process = car_raw(l);
    Process& p = process_raw(process);
    if (p.deleted || !p.notify) continue;
    const bool ended =
        p.status == ProcessStatus::kExit || p.status == ProcessStatus::kSignal || p.status == ProcessStatus::kClosed;
    if (ended && p.in.valid()) {  // what it still had to say comes first
      for (;;) {
        pollfd f{p.in.get(), POLLIN, 0};
        if (!p.in.valid() || p.stopped_reading || poll(&f, 1, 0) <= 0) break;
        bool got = false;
        if (!TRY(read_output_re(cx, process, &got))) break;
      }
    }
    if (!p.notify || p.deleted) continue;
    p.notify = false;
    any = true;
    if (process == wait_for) *wait_for_changed = true;
    const Value message = TRY(make_string(cx, status_message(p)));
    if (ended) {
      close_channels(p);
      if (variable_true(cx, Qdelete_exited_processes)) forget_process(cx, process);
    }
    SentinelCall call{process, message};
    if (guarded_re(cx, call_sentinel, &call).is_exit()) return kFailed;
  }
  return any;
}

namespace {

bool is_read(const Process& p, bool elsewhere) { return p.in.valid() && !p.stopped_reading && !elsewhere; }

// Looks at what became of the programs, then whether something can be read. Ends of programs are told only when nothing
// can: what they said comes first, also what they said through another process (:stderr).
bool input_waits_after_look(Context& cx, Value process, bool only) {
  for (const Value v : processes(cx).all) update_status(process_raw(v));
  std::vector<pollfd> fds;
  for (const Value v : processes(cx).all)
    if (is_read(process_raw(v), only && v != process)) fds.push_back({process_raw(v).in.get(), POLLIN, 0});
  return !fds.empty() && poll(fds.data(), fds.size(), 0) > 0;
}

}  // namespace

Maybe<bool> wait_for_output_re(Context& cx, double seconds, Value process, bool until_output, bool only) {
  const double deadline = seconds < 0 ? HUGE_VAL : monotonic() + seconds;
  bool output = false;
  for (;;) {
    TRY(check_quit(cx));
    double wait = TRY(run_timers_re(cx));
    bool changed = false;
    if (!input_waits_after_look(cx, process, only)) TRY(notify_changes_re(cx, process, &changed));
    if (until_output && process.truthy()) {
      const Process& p = process_raw(process);
      if (changed || p.deleted || !p.in.valid()) {
        if (p.deleted || (!p.in.valid() && !p.pidfd.valid())) return output;
      }
    }
    // Descriptors of the programs themselves first, then those that are read; `readers` goes with the latter.
    std::vector<pollfd> fds;
    const Value snapshot = list_from(cx, processes(cx).all);
    for (const Value v : processes(cx).all)
      if (process_raw(v).pidfd.valid()) fds.push_back({process_raw(v).pidfd.get(), POLLIN, 0});
    const std::size_t first_reader = fds.size();
    Value readers = kNil;
    for (Value l = snapshot; l.is_cons(); l = cdr_raw(l)) {
      const Process& p = process_raw(car_raw(l));
      if (!is_read(p, only && car_raw(l) != process)) continue;
      fds.push_back({p.in.get(), POLLIN, 0});
      readers = cons(cx, car_raw(l), readers);
    }
    readers = nreverse_list(readers);
    wait = std::min(wait, deadline - monotonic());
    // Once there was output, only what is there already is taken along.
    if (wait < 0 || (output && until_output)) wait = 0;
    // Without a deadline and without anything to wait for, waiting would never end.
    if (seconds < 0 && fds.empty() && wait == HUGE_VAL) return output;
    const int timeout = wait > 1e6 ? -1 : static_cast<int>(std::ceil(wait * 1000));
    const int ready = TRY(poll_descriptors(cx, fds, timeout));
    bool read_some = false;
    std::size_t i = first_reader;
    for (Value l = readers; ready > 0 && l.is_cons(); l = cdr_raw(l), ++i) {
      const Value v = car_raw(l);
      const Process& p = process_raw(v);
      if (p.deleted || p.in.get() != fds[i].fd || (fds[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
      bool got = false;
      read_some = true;
      TRY(read_output_re(cx, v, &got));
      if (got && (process.is_nil() || v == process)) output = true;
    }
    if (output && until_output && !read_some) return true;
    if (monotonic() >= deadline) {
      TRY(run_timers_re(cx));
      bool ignored = false;
      if (!input_waits_after_look(cx, process, only)) TRY(notify_changes_re(cx, process, &ignored));
      return output;
    }
  }
}

Maybe<int> read_input_byte(Context& cx) {
  // What the stream has read ahead is not seen by poll.
  if (blocking_hooks(cx) != nullptr && stdin->_IO_read_ptr == stdin->_IO_read_end) {
    pollfd p{STDIN_FILENO, POLLIN, 0};
    TRY(poll_descriptors(cx, {&p, 1}, -1));
  }
  return std::getc(stdin);
}

namespace {

NEOVM_PRIMITIVE(accept_process_output, "accept-process-output", 0, 4, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Wait until PROCESS (nil: any) gives output, at most SECONDS; t when it did.")
(Context& cx, Value process, Value seconds, Value milliseconds, Value only) {
  if (process.truthy()) {
    TRY(check_type(cx, is_process(process), Qprocessp, process));
  } else {
    only = kNil;
  }
  double wait = process.truthy() ? -1 : 0;  // without a process, only what is there already
  if (milliseconds.truthy()) {
    TRY(check_type(cx, milliseconds.is_fixnum(), Qfixnump, milliseconds));
    wait = 0;
    if (seconds.truthy()) {
      TRY(check_type(cx, seconds.is_fixnum(), Qfixnump, seconds));
    }
    wait = (seconds.truthy() ? static_cast<double>(seconds.as_fixnum()) : 0) +
           static_cast<double>(milliseconds.as_fixnum()) / 1000;
  } else if (seconds.truthy()) {
    wait = TRY(number_as_double(cx, seconds));
    if (wait < 0) wait = 0;
  }
  if (process.truthy() && process_raw(process).deleted) return kNil;
  return boolean(TRY(wait_for_output_re(cx, wait, process, true, only.truthy())));
}

}  // namespace
}  // namespace neomacs::host
