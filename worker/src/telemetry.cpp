#include "neovm/worker/telemetry.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <new>

namespace neovm::worker {

WorkerMetrics::~WorkerMetrics() {
  for (auto& chunk : names_) delete[] chunk.load(std::memory_order_relaxed);
}

NameMetrics& WorkerMetrics::new_chunk(NameId name) {
  auto* const chunk = new (std::nothrow) NameMetrics[kNamesInChunk];
  if (chunk == nullptr) return lost_;
  names_[name / kNamesInChunk].store(chunk, std::memory_order_release);
  return chunk[name % kNamesInChunk];
}

NameMetrics& WorkerMetrics::of_name_shared(NameId name) {
  std::atomic<NameMetrics*>& place = names_[name / kNamesInChunk];
  NameMetrics* chunk = place.load(std::memory_order_acquire);
  if (chunk == nullptr) {
    auto* const fresh = new (std::nothrow) NameMetrics[kNamesInChunk];
    if (fresh == nullptr) return lost_;
    if (place.compare_exchange_strong(chunk, fresh, std::memory_order_acq_rel, std::memory_order_acquire)) {
      chunk = fresh;
    } else {
      delete[] fresh;
    }
  }
  return chunk[name % kNamesInChunk];
}

std::uint64_t DurationSnapshot::count() const {
  std::uint64_t n = 0;
  for (const std::uint64_t b : buckets) n += b;
  return n;
}

std::uint64_t DurationSnapshot::quantile_ns(double q) const {
  const std::uint64_t n = count();
  if (n == 0) return 0;
  auto rank = static_cast<std::uint64_t>(q * static_cast<double>(n));
  rank = std::min(rank, n - 1);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    below += buckets[i];
    if (below > rank) return std::uint64_t{1} << (DurationHistogram::kFirstShift + i);
  }
  return 0;
}

Telemetry::Telemetry(std::size_t workers, const TelemetryConfig& config)
    : count_(workers), main_lane_(config.main_lane), metrics_(std::make_unique<WorkerMetrics[]>(workers + 1)) {
  const std::uint32_t mask = (std::uint32_t{1} << std::min(config.sample_shift, 31U)) - 1;
  for (std::size_t i = 0; i <= workers; ++i) metrics_[i].sample_mask_ = mask;
  names_.emplace_back();
}

NameId Telemetry::intern_name(std::string_view name) {
  static constexpr std::string_view kOther = "other";
  if (name.empty()) return kNoName;
  const std::lock_guard lock(names_lock_);
  std::string key(name);
  if (const auto found = ids_.find(key); found != ids_.end()) return found->second;
  // The last id is kept for "other".
  if (names_.size() >= kMaxNames - 1) {
    if (names_.size() == kMaxNames - 1) names_.emplace_back(kOther);
    return kMaxNames - 1;
  }
  const auto id = static_cast<NameId>(names_.size());
  ids_.emplace(std::move(key), id);
  names_.emplace_back(name);
  return id;
}

std::string Telemetry::name_of(NameId id) const {
  const std::lock_guard lock(names_lock_);
  return id < names_.size() ? names_[id] : std::string();
}

std::string Telemetry::label_of(std::size_t worker) const {
  if (worker >= count_) return "outside";
  return main_lane_ && worker + 1 == count_ ? "main" : std::to_string(worker);
}

TelemetrySnapshot Telemetry::snapshot() const {
  TelemetrySnapshot out;
  out.workers.resize(count_ + 1);
  for (std::size_t w = 0; w <= count_; ++w) out.labels.push_back(label_of(w));
  for (std::size_t w = 0; w <= count_; ++w) {
    const WorkerMetrics& from = metrics_[w];
    WorkerSnapshot& to = out.workers[w];
#define NEOVM_WORKER_COUNTER(field, help) \
  to.field = from.field.read();           \
  out.total.field += to.field;
#include "neovm/worker/telemetry.def"
  }
  for (std::size_t p = 0; p < kPriorityCount; ++p) {
    PrioritySnapshot& to = out.priorities[p];
    // Dequeued first: what is queued meanwhile makes the depth too large for a moment, never negative.
    for (std::size_t w = 0; w <= count_; ++w) to.dequeued += metrics_[w].priority[p].dequeued.read();
    for (std::size_t w = 0; w <= count_; ++w) {
      const PriorityMetrics& from = metrics_[w].priority[p];
      to.queued += from.queued.read();
      for (std::size_t b = 0; b < DurationHistogram::kBuckets; ++b) {
        to.wait.buckets[b] += from.wait.bucket(b);
        to.run.buckets[b] += from.run.bucket(b);
      }
      to.wait.sum_ns += from.wait.sum_ns();
      to.run.sum_ns += from.run.sum_ns();
    }
    to.queue_depth = to.queued > to.dequeued ? to.queued - to.dequeued : 0;
  }
  std::vector<std::string> names;
  {
    const std::lock_guard lock(names_lock_);
    names = names_;
  }
  for (NameId id = 1; id < names.size(); ++id) {
    NameSnapshot to;
    for (std::size_t w = 0; w <= count_; ++w) {
      const NameMetrics* const from = metrics_[w].peek_name(id);
      if (from == nullptr) continue;
      to.spawned += from->spawned.read();
      to.finished += from->finished.read();
      to.failed += from->failed.read();
      to.cancelled += from->cancelled.read();
      to.restarts += from->restarts.read();
      to.switches += from->switches.read();
      to.timed_runs += from->timed_runs.read();
      to.run_ns += from->run_ns.read();
      to.timed_waits += from->timed_waits.read();
      to.wait_ns += from->wait_ns.read();
    }
    if (to.spawned + to.finished + to.failed + to.cancelled + to.restarts + to.switches + to.timed_waits == 0) continue;
    to.name = names[id];
    out.names.push_back(std::move(to));
  }
  return out;
}

namespace {

constexpr const char* kPriorityNames[kPriorityCount] = {"interactive", "normal", "background"};

[[gnu::format(printf, 2, 3)]] void append(std::string* out, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  const int n = std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (n > 0) out->append(text, std::min(static_cast<std::size_t>(n), sizeof text - 1));
}

void header(std::string* out, const char* name, const char* type, const char* help) {
  append(out, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name, type);
}

// Label values escape backslash, quote and newline.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

double seconds(std::uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

void histogram(std::string* out, const char* name, const char* help, const TelemetrySnapshot& s,
               DurationSnapshot PrioritySnapshot::*which) {
  header(out, name, "histogram", help);
  for (std::size_t p = 0; p < kPriorityCount; ++p) {
    const DurationSnapshot& d = s.priorities[p].*which;
    std::uint64_t below = 0;
    for (std::size_t b = 0; b + 1 < d.buckets.size(); ++b) {
      below += d.buckets[b];
      append(out, "%s_bucket{priority=\"%s\",le=\"%.9g\"} %" PRIu64 "\n", name, kPriorityNames[p],
             seconds(std::uint64_t{1} << (DurationHistogram::kFirstShift + b)), below);
    }
    append(out, "%s_bucket{priority=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, kPriorityNames[p], d.count());
    append(out, "%s_sum{priority=\"%s\"} %.9f\n", name, kPriorityNames[p], seconds(d.sum_ns));
    append(out, "%s_count{priority=\"%s\"} %" PRIu64 "\n", name, kPriorityNames[p], d.count());
  }
}

void of_names(std::string* out, const char* name, const char* help, const TelemetrySnapshot& s,
              std::uint64_t NameSnapshot::*which, bool in_seconds = false) {
  if (s.names.empty()) return;
  header(out, name, "counter", help);
  for (const NameSnapshot& n : s.names) {
    *out += name;
    *out += "{name=\"" + label(n.name) + "\"} ";
    if (in_seconds) {
      append(out, "%.9f\n", seconds(n.*which));
    } else {
      append(out, "%" PRIu64 "\n", n.*which);
    }
  }
}

}  // namespace

std::string prometheus_text(const TelemetrySnapshot& s) {
  std::string out;
  const auto per_worker = [&](const char* field, const char* help, std::uint64_t WorkerSnapshot::*which) {
    const std::string name = std::string("neovm_worker_") + field + "_total";
    header(&out, name.c_str(), "counter", help);
    for (std::size_t w = 0; w < s.workers.size(); ++w) {
      append(&out, "%s{worker=\"%s\"} %" PRIu64 "\n", name.c_str(), s.labels[w].c_str(), s.workers[w].*which);
    }
  };
#define NEOVM_WORKER_COUNTER(field, help) per_worker(#field, help, &WorkerSnapshot::field);
#include "neovm/worker/telemetry.def"
  header(&out, "neovm_tasks_queued_total", "counter", "Times a task was made runnable");
  for (std::size_t p = 0; p < kPriorityCount; ++p)
    append(&out, "neovm_tasks_queued_total{priority=\"%s\"} %" PRIu64 "\n", kPriorityNames[p], s.priorities[p].queued);
  header(&out, "neovm_tasks_runnable", "gauge", "Tasks that could run and wait for a worker");
  for (std::size_t p = 0; p < kPriorityCount; ++p)
    append(&out, "neovm_tasks_runnable{priority=\"%s\"} %" PRIu64 "\n", kPriorityNames[p], s.priorities[p].queue_depth);
  histogram(&out, "neovm_task_wait_seconds", "Time from runnable to running, of the sampled switches", s,
            &PrioritySnapshot::wait);
  histogram(&out, "neovm_task_run_seconds", "Time a task kept the worker, of the sampled switches", s,
            &PrioritySnapshot::run);
  of_names(&out, "neovm_named_tasks_spawned_total", "Tasks created, by name", s, &NameSnapshot::spawned);
  of_names(&out, "neovm_named_tasks_finished_total", "Tasks ended, by name", s, &NameSnapshot::finished);
  of_names(&out, "neovm_named_tasks_failed_total", "Tasks ended with an error, by name", s, &NameSnapshot::failed);
  of_names(&out, "neovm_named_tasks_cancelled_total", "Tasks cancelled, by name", s, &NameSnapshot::cancelled);
  of_names(&out, "neovm_named_tasks_restarts_total", "Restarts by supervisors, by name", s, &NameSnapshot::restarts);
  of_names(&out, "neovm_named_tasks_switches_total", "Times given a worker, by name", s, &NameSnapshot::switches);
  of_names(&out, "neovm_named_tasks_timed_runs_total", "Switches that were timed, by name", s,
           &NameSnapshot::timed_runs);
  of_names(&out, "neovm_named_tasks_run_seconds_total", "Run time of the timed switches, by name", s,
           &NameSnapshot::run_ns, true);
  of_names(&out, "neovm_named_tasks_timed_waits_total", "Waits that were timed, by name", s,
           &NameSnapshot::timed_waits);
  of_names(&out, "neovm_named_tasks_wait_seconds_total", "Wait time of the timed switches, by name", s,
           &NameSnapshot::wait_ns, true);
  return out;
}

std::string telemetry_table(const TelemetrySnapshot& s) {
  std::string out;
  append(&out, "%-26s", "workers");
  for (const std::string& label : s.labels) append(&out, " %12s", label.c_str());
  append(&out, " %12s\n", "total");
  const auto line = [&](const char* field, std::uint64_t WorkerSnapshot::*which) {
    if (s.total.*which == 0) return;  // what never happened is left out
    append(&out, "%-26s", field);
    for (const WorkerSnapshot& w : s.workers) append(&out, " %12" PRIu64, w.*which);
    append(&out, " %12" PRIu64 "\n", s.total.*which);
  };
#define NEOVM_WORKER_COUNTER(field, help) line(#field, &WorkerSnapshot::field);
#include "neovm/worker/telemetry.def"
  append(&out, "\n%-12s %12s %9s %14s %14s %14s %14s\n", "priority", "switches", "runnable", "wait p50 <ns",
         "wait p99 <ns", "run p50 <ns", "run p99 <ns");
  for (std::size_t p = 0; p < kPriorityCount; ++p) {
    const PrioritySnapshot& d = s.priorities[p];
    append(&out, "%-12s %12" PRIu64 " %9" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n",
           kPriorityNames[p], d.dequeued, d.queue_depth, d.wait.quantile_ns(0.5), d.wait.quantile_ns(0.99),
           d.run.quantile_ns(0.5), d.run.quantile_ns(0.99));
  }
  if (!s.names.empty()) {
    append(&out, "\n%-26s %10s %10s %8s %9s %9s %12s %14s\n", "name", "spawned", "finished", "failed", "cancelled",
           "restarts", "switches", "mean run ns");
    for (const NameSnapshot& n : s.names) {
      append(&out,
             "%-26s %10" PRIu64 " %10" PRIu64 " %8" PRIu64 " %9" PRIu64 " %9" PRIu64 " %12" PRIu64 " %14" PRIu64 "\n",
             n.name.substr(0, 200).c_str(), n.spawned, n.finished, n.failed, n.cancelled, n.restarts, n.switches,
             n.timed_runs == 0 ? 0 : n.run_ns / n.timed_runs);
    }
  }
  return out;
}

}  // namespace neovm::worker
