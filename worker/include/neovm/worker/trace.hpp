// The recording of who ran where, for Perfetto and chrome://tracing.
//
// Each worker has a bounded ring of events that only it writes. A full ring overwrites its oldest events (a flight
// recorder: the end of a run is what people look at) and counts them as dropped. Recording is off until start();
// off, the cost at a hook is one relaxed load and a branch that is never taken. The rings are allocated by the first
// start() and kept, so no hook ever allocates.
//
// Reading while workers record is allowed: an event that may have been overwritten during the read is left out, not
// shown torn. (The writer announces a slot before it fills it and publishes it after; the reader believes only
// what was published before it began and not announced again when it ended.)
//
// Times are nanoseconds of the runtime's clock (virtual in deterministic mode, so the recording of a seed is
// the same text every time).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "neovm/worker/ring.hpp"
#include "neovm/worker/telemetry.hpp"

namespace neovm::worker {

enum class TraceKind : std::uint8_t {
  kRun,       // a task had the worker from `begin` for `duration`
  kPark,      // the worker slept from `begin` for `duration`
  kBlocking,  // a blocking call
  kSteal,     // instants from here on; `value`: how many tasks
  kWake,      // value: the worker that was woken
  kSpawn,     // value: the new task
  kCancel,    // value: the task
  kRestart,   // value: the task that a supervisor started in place of `task`
};

struct TraceEvent {
  TraceKind kind = TraceKind::kRun;
  std::uint8_t priority = 0;
  NameId name = kNoName;
  std::uint64_t task = 0;  // the task's number; 0 for none
  std::uint64_t begin_ns = 0;
  std::uint64_t duration_ns = 0;  // 0 for instants
  std::uint64_t value = 0;
};

class TraceRecorder {
 public:
  // `events_per_worker` is rounded up to a power of two; 40 bytes each.
  explicit TraceRecorder(std::size_t workers, std::size_t events_per_worker = 1U << 14);
  TraceRecorder(const TraceRecorder&) = delete;
  TraceRecorder& operator=(const TraceRecorder&) = delete;

  [[nodiscard]] bool on() const { return on_.load(std::memory_order_acquire); }
  // Any thread, any number of times. start() forgets what was recorded before. Throws std::bad_alloc.
  void start();
  void stop() { on_.store(false, std::memory_order_release); }

  // By the worker's own thread. Does nothing while off.
  void record(std::size_t worker, const TraceEvent& event) {
    if (on()) [[unlikely]]
      write(worker, event);
  }

  struct Recording {
    std::vector<std::vector<TraceEvent>> workers;  // oldest first
    std::vector<std::uint64_t> dropped;            // per worker, overwritten before this call
  };
  // Any thread, recording or not.
  [[nodiscard]] Recording read() const;
  [[nodiscard]] std::size_t workers() const { return count_; }

 private:
  static constexpr std::size_t kWords = 5;
  struct Slot {
    std::array<std::atomic<std::uint64_t>, kWords> words;
  };
  struct alignas(kCacheLine) Lane {
    std::atomic<std::uint64_t> announced{0};  // slots below this may be being overwritten one round later
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> from{0};  // events before this one belong to an earlier start()
    std::unique_ptr<Slot[]> slots;
  };
  void write(std::size_t worker, const TraceEvent& event);

  std::size_t count_;
  std::size_t capacity_;
  std::atomic<bool> on_{false};
  mutable std::mutex start_lock_;
  std::unique_ptr<Lane[]> lanes_;
};

// The recording as Chrome's JSON trace format: one thread a worker, one complete event a run, instants for the rest.
// Names are looked up in `telemetry`.
[[nodiscard]] std::string chrome_trace_json(const TraceRecorder::Recording& recording, const Telemetry& telemetry);

}  // namespace neovm::worker
