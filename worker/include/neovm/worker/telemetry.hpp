// Telemetry: what the workers did, counted where it happens and added up only when somebody asks.
//
// Every worker owns one WorkerMetrics. Its counters have one writer, so an increment is a load, an add and a store of
// a word that is in the writer's cache: no locked instruction, no sharing. They are atomics (relaxed) only so that
// a reader on another thread sees whole words. Threads that are not workers share one more WorkerMetrics
// (Telemetry::outside()) and use Counter::add_shared.
//
// Time costs a clock read, so waits and runs are *sampled*: every 2^sample_shift-th task made runnable is timed
// (sample_shift 0 times all of them). Means and histograms are of the samples; counts are exact.
//
// A snapshot is not an instant: counters go on while it is taken. Each number was true at some time during the
// call, and no counter ever goes backwards between two snapshots.
//
// Names: a task's name is interned once into a NameId and counted per name and worker. At most kMaxNames names
// are told apart; further ones are counted under the name "other", so a program that invents names costs no
// memory. Id 0 is the tasks without a name.
//
// Threads: as said at each function. Errors: none; interning and snapshots allocate and may throw std::bad_alloc.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "neovm/worker/ring.hpp"

namespace neovm::worker {

inline constexpr std::size_t kPriorityCount = 3;  // interactive, normal, background, in this order

// One writer, many readers.
class Counter {
 public:
  // By the owner only.
  void add(std::uint64_t n = 1) { word_.store(word_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  // By anyone: a locked instruction. A counter is written by add() or by add_shared(), never by both at once.
  void add_shared(std::uint64_t n = 1) { word_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t read() const { return word_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> word_{0};
};
static_assert(sizeof(Counter) == 8);

// Durations by powers of two: bucket i counts durations below 2^(kFirstShift + i) ns and not below the bucket before;
// the last one counts the rest. 256 ns … 17 s.
class DurationHistogram {
 public:
  static constexpr unsigned kFirstShift = 8;
  static constexpr std::size_t kBuckets = 28;

  // By the owner only.
  void record(std::uint64_t ns) {
    buckets_[bucket_of(ns)].add();
    sum_ns_.add(ns);
  }
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns) {
    const std::uint64_t over = ns >> kFirstShift;
    const auto bucket = static_cast<std::size_t>(std::bit_width(over));
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const { return buckets_[i].read(); }
  [[nodiscard]] std::uint64_t sum_ns() const { return sum_ns_.read(); }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_ns_;
};

using NameId = std::uint32_t;
inline constexpr NameId kNoName = 0;

// What is counted per task name.
struct NameMetrics {
  Counter spawned;
  Counter finished;
  Counter failed;
  Counter cancelled;
  Counter restarts;
  Counter switches;    // exact
  Counter timed_runs;  // how many of the switches were timed
  Counter run_ns;      // of the timed ones
  Counter timed_waits;
  Counter wait_ns;
};

struct PriorityMetrics {
  Counter queued;          // times a task of this priority was made runnable
  Counter dequeued;        // times one was given a worker
  DurationHistogram wait;  // sampled: from runnable to running
  DurationHistogram run;   // sampled: from running to parked, yielded or ended
};

// One worker's numbers. Everything without "shared" in its name is for the owning worker's thread alone.
class alignas(kCacheLine) WorkerMetrics {
 public:
#define NEOVM_WORKER_COUNTER(field, help) Counter field;
#include "neovm/worker/telemetry.def"
  std::array<PriorityMetrics, kPriorityCount> priority;

  WorkerMetrics() = default;
  WorkerMetrics(const WorkerMetrics&) = delete;
  WorkerMetrics& operator=(const WorkerMetrics&) = delete;
  ~WorkerMetrics();

  // Is the task that is being made runnable now one of those to be timed? If so the caller stores the time with the
  // task and hands it to note_wait when the task is given a worker.
  [[nodiscard]] bool sample() { return (++sample_tick_ & sample_mask_) == 0; }
  void note_wait(std::size_t p, NameId name, std::uint64_t ns) {
    priority[p].wait.record(ns);
    if (name != kNoName) {
      NameMetrics& n = of_name(name);
      n.timed_waits.add();
      n.wait_ns.add(ns);
    }
  }
  void note_run(std::size_t p, NameId name, std::uint64_t ns) {
    priority[p].run.record(ns);
    if (name != kNoName) {
      NameMetrics& n = of_name(name);
      n.timed_runs.add();
      n.run_ns.add(ns);
    }
  }
  // The counters of a name on this worker. The first use of a group of 64 names allocates; when there is no
  // memory the numbers go to a dummy of this worker rather than failing the caller.
  [[nodiscard]] NameMetrics& of_name(NameId name) {
    NameMetrics* const chunk = names_[name / kNamesInChunk].load(std::memory_order_relaxed);
    return chunk != nullptr ? chunk[name % kNamesInChunk] : new_chunk(name);
  }

  // The same for the metrics that several threads write (Telemetry::outside()); by any thread, with add_shared.
  [[nodiscard]] NameMetrics& of_name_shared(NameId name);

  static constexpr std::size_t kNamesInChunk = 64;
  static constexpr std::size_t kNameChunks = 16;

 private:
  friend class Telemetry;
  NameMetrics& new_chunk(NameId name);
  // By any thread: null when this worker never counted a name of that group.
  [[nodiscard]] const NameMetrics* peek_name(NameId name) const {
    const NameMetrics* const chunk = names_[name / kNamesInChunk].load(std::memory_order_acquire);
    return chunk != nullptr ? &chunk[name % kNamesInChunk] : nullptr;
  }

  std::uint32_t sample_tick_ = 0;
  std::uint32_t sample_mask_ = 0;
  std::array<std::atomic<NameMetrics*>, kNameChunks> names_{};
  NameMetrics lost_;
};

inline constexpr NameId kMaxNames = WorkerMetrics::kNamesInChunk * WorkerMetrics::kNameChunks;

struct TelemetryConfig {
  unsigned sample_shift = 6;  // time one task switch in 2^6; 0 times every one; at most 31
  bool main_lane = false;     // the last worker is not a thread of its own but whoever runs main_only tasks: "main"
};

// ---- snapshots: plain numbers ------------------------------------------------------------------------------------

struct DurationSnapshot {
  std::array<std::uint64_t, DurationHistogram::kBuckets> buckets{};
  std::uint64_t sum_ns = 0;
  [[nodiscard]] std::uint64_t count() const;
  // An upper bound of the quantile (the upper edge of its bucket), 0 without samples. 0 <= q <= 1.
  [[nodiscard]] std::uint64_t quantile_ns(double q) const;
};

struct PrioritySnapshot {
  std::uint64_t queued = 0;
  std::uint64_t dequeued = 0;
  // Runnable and not yet running: the difference of two counters that are read one after the other over all
  // workers, so it may be off by what happened meanwhile; never negative.
  std::uint64_t queue_depth = 0;
  DurationSnapshot wait;
  DurationSnapshot run;
};

struct WorkerSnapshot {
#define NEOVM_WORKER_COUNTER(field, help) std::uint64_t field = 0;
#include "neovm/worker/telemetry.def"
};

struct NameSnapshot {
  std::string name;
  std::uint64_t spawned = 0, finished = 0, failed = 0, cancelled = 0, restarts = 0, switches = 0;
  std::uint64_t timed_runs = 0, run_ns = 0, timed_waits = 0, wait_ns = 0;
};

struct TelemetrySnapshot {
  std::vector<WorkerSnapshot> workers;  // by worker; the last one is the threads outside
  std::vector<std::string> labels;      // of each of them: "0", "1", … "outside"
  WorkerSnapshot total;
  std::array<PrioritySnapshot, kPriorityCount> priorities;
  std::vector<NameSnapshot> names;  // in order of interning, those that were counted at least once
};

// ---- the registry ---------------------------------------------------------------------------------------------------

class Telemetry {
 public:
  Telemetry(std::size_t workers, const TelemetryConfig& config = {});
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  [[nodiscard]] std::size_t workers() const { return count_; }
  // Precondition: worker < workers(). The reference lives as long as the Telemetry.
  [[nodiscard]] WorkerMetrics& worker(std::size_t worker) { return metrics_[worker]; }
  // For threads that are no workers; they use add_shared and of_name_shared only.
  [[nodiscard]] WorkerMetrics& outside() { return metrics_[count_]; }

  // Any thread; takes a lock. The same text gives the same id; "" gives kNoName. Intern once, not per spawn, where
  // spawning is hot.
  [[nodiscard]] NameId intern_name(std::string_view name);
  // Any thread; takes the lock. "" for an id that was never given out.
  [[nodiscard]] std::string name_of(NameId id) const;

  // Any thread.
  [[nodiscard]] TelemetrySnapshot snapshot() const;
  [[nodiscard]] std::string label_of(std::size_t worker) const;

 private:
  std::size_t count_;
  bool main_lane_;
  std::unique_ptr<WorkerMetrics[]> metrics_;
  mutable std::mutex names_lock_;
  std::unordered_map<std::string, NameId> ids_;
  std::vector<std::string> names_;
};

// The text exposition format of Prometheus, version 0.0.4. Names start with neovm_; durations are in seconds.
[[nodiscard]] std::string prometheus_text(const TelemetrySnapshot& snapshot);
// A table for people: totals, one line a priority, one line a name.
[[nodiscard]] std::string telemetry_table(const TelemetrySnapshot& snapshot);

}  // namespace neovm::worker
