#include "neovm/worker/telemetry.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "neovm/worker/trace.hpp"

namespace neovm::worker {
namespace {

TEST(Telemetry, CountsPerWorkerAndInTotal) {
  Telemetry t(2);
  t.worker(0).steals.add();
  t.worker(1).steals.add(4);
  t.worker(1).bytes_copied.add(100);
  t.outside().messages_sent.add_shared(7);
  const TelemetrySnapshot s = t.snapshot();
  ASSERT_EQ(s.workers.size(), 3U);
  EXPECT_EQ(s.workers[0].steals, 1U);
  EXPECT_EQ(s.workers[1].steals, 4U);
  EXPECT_EQ(s.total.steals, 5U);
  EXPECT_EQ(s.total.bytes_copied, 100U);
  EXPECT_EQ(s.workers[2].messages_sent, 7U);
}

TEST(Telemetry, BucketsAreHalfOpen) {
  EXPECT_EQ(DurationHistogram::bucket_of(0), 0U);
  EXPECT_EQ(DurationHistogram::bucket_of(255), 0U);
  EXPECT_EQ(DurationHistogram::bucket_of(256), 1U);
  EXPECT_EQ(DurationHistogram::bucket_of(511), 1U);
  EXPECT_EQ(DurationHistogram::bucket_of(512), 2U);
  EXPECT_EQ(DurationHistogram::bucket_of(~std::uint64_t{0}), DurationHistogram::kBuckets - 1);
}

TEST(Telemetry, QuantilesAreUpperBounds) {
  Telemetry t(1);
  for (std::uint64_t ns = 1; ns <= 1000; ++ns) t.worker(0).note_wait(1, kNoName, ns * 1000);
  const DurationSnapshot d = t.snapshot().priorities[1].wait;
  EXPECT_EQ(d.count(), 1000U);
  EXPECT_EQ(d.sum_ns, 500'500'000U);
  EXPECT_GE(d.quantile_ns(0.5), 500'000U);
  EXPECT_LE(d.quantile_ns(0.5), 1'048'576U);
  EXPECT_EQ(d.quantile_ns(1.0), 1'048'576U);
  EXPECT_EQ(t.snapshot().priorities[0].wait.quantile_ns(0.5), 0U);
}

TEST(Telemetry, QueueDepthIsWhatWasQueuedAndNotTaken) {
  Telemetry t(2);
  t.worker(0).priority[1].queued.add(5);
  t.outside().priority[1].queued.add_shared(2);
  t.worker(1).priority[1].dequeued.add(3);
  t.worker(0).priority[2].dequeued.add(1);  // read before its queueing was counted
  const TelemetrySnapshot s = t.snapshot();
  EXPECT_EQ(s.priorities[1].queue_depth, 4U);
  EXPECT_EQ(s.priorities[2].queue_depth, 0U);
}

TEST(Telemetry, SamplesOneInTwoToTheShift) {
  Telemetry every(1, {.sample_shift = 0});
  Telemetry some(1, {.sample_shift = 4});
  Telemetry absurd(1, {.sample_shift = 99});
  int a = 0, b = 0, c = 0;
  for (int i = 0; i < 1600; ++i) {
    a += every.worker(0).sample();
    b += some.worker(0).sample();
    c += absurd.worker(0).sample();
  }
  EXPECT_EQ(a, 1600);
  EXPECT_EQ(b, 100);
  EXPECT_EQ(c, 0);
}

TEST(Telemetry, NamesAreInternedAndBounded) {
  Telemetry t(1);
  EXPECT_EQ(t.intern_name(""), kNoName);
  const NameId a = t.intern_name("parse");
  EXPECT_EQ(t.intern_name("parse"), a);
  EXPECT_EQ(t.name_of(a), "parse");
  EXPECT_EQ(t.name_of(12345), "");
  NameId last = kNoName;
  for (NameId i = 0; i < 3 * kMaxNames; ++i) {
    last = t.intern_name("n" + std::to_string(i));
    ASSERT_LT(last, kMaxNames);
    t.worker(0).of_name(last).spawned.add();
  }
  EXPECT_EQ(t.name_of(last), "other");
  EXPECT_EQ(t.intern_name("parse"), a);
  const TelemetrySnapshot s = t.snapshot();
  std::uint64_t spawned = 0;
  for (const NameSnapshot& n : s.names) spawned += n.spawned;
  EXPECT_EQ(spawned, 3U * kMaxNames);  // none lost, though few are told apart
  EXPECT_EQ(s.names.back().name, "other");
  EXPECT_LT(s.names.size(), kMaxNames);
}

TEST(Telemetry, PrometheusTextIsWellFormed) {
  Telemetry t(1);
  const NameId odd = t.intern_name("a\"b\\c\nd");
  t.worker(0).of_name(odd).restarts.add(2);
  t.worker(0).tasks_spawned.add(3);
  t.worker(0).note_run(0, odd, 1000);
  const std::string text = prometheus_text(t.snapshot());
  EXPECT_NE(text.find("# TYPE neovm_worker_tasks_spawned_total counter\n"
                      "neovm_worker_tasks_spawned_total{worker=\"0\"} 3\n"
                      "neovm_worker_tasks_spawned_total{worker=\"outside\"} 0\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("neovm_named_tasks_restarts_total{name=\"a\\\"b\\\\c\\nd\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("neovm_task_run_seconds_bucket{priority=\"interactive\",le=\"1.024e-06\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("neovm_task_run_seconds_count{priority=\"interactive\"} 1\n"), std::string::npos);
  // Every line is a comment or `name{labels} number`, and buckets never decrease.
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    const std::string line = text.substr(at, end - at);
    if (line[0] != '#') {
      const std::size_t space = line.rfind(' ');
      ASSERT_NE(space, std::string::npos) << line;
      EXPECT_EQ(line.rfind("neovm_", 0), 0U) << line;
      EXPECT_NE(line.find_first_of("0123456789", space), std::string::npos) << line;
    }
    at = end + 1;
  }
  EXPECT_NE(telemetry_table(t.snapshot()).find("tasks_spawned"), std::string::npos);
}

// Writers count while a reader takes snapshots: totals never go backwards and are exact at the end.
TEST(Telemetry, SnapshotsWhileCounting) {
  constexpr int kThreads = 2;
  constexpr std::uint64_t kEach = 200'000;
  Telemetry t(kThreads);
  std::vector<NameId> names;
  names.reserve(200);
  for (int i = 0; i < 200; ++i) names.push_back(t.intern_name("w" + std::to_string(i)));
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int w = 0; w < kThreads; ++w) {
    threads.emplace_back([&, w] {
      WorkerMetrics& m = t.worker(static_cast<std::size_t>(w));
      for (std::uint64_t i = 0; i < kEach; ++i) {
        m.task_switches.add();
        m.of_name(names[i % names.size()]).switches.add();
        t.outside().messages_sent.add_shared();
        t.outside().of_name_shared(names[i % names.size()]).spawned.add_shared();
      }
    });
  }
  std::uint64_t before = 0;
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t now = t.snapshot().total.task_switches;
    EXPECT_GE(now, before);
    before = now;
  }
  for (std::thread& thread : threads) thread.join();
  const TelemetrySnapshot s = t.snapshot();
  EXPECT_EQ(s.total.task_switches, kThreads * kEach);
  EXPECT_EQ(s.total.messages_sent, kThreads * kEach);
  std::uint64_t by_name = 0, shared = 0;
  for (const NameSnapshot& n : s.names) {
    by_name += n.switches;
    shared += n.spawned;
  }
  EXPECT_EQ(by_name, kThreads * kEach);
  EXPECT_EQ(shared, kThreads * kEach);
}

TraceEvent run_of(std::uint64_t task) {
  return {.task = task, .begin_ns = task * 10, .duration_ns = 5, .value = ~task};
}

TEST(Trace, OffRecordsNothingAndStartForgets) {
  TraceRecorder r(1, 8);
  r.record(0, run_of(1));
  EXPECT_TRUE(r.read().workers[0].empty());
  r.start();
  r.record(0, run_of(2));
  r.stop();
  r.record(0, run_of(3));
  ASSERT_EQ(r.read().workers[0].size(), 1U);
  EXPECT_EQ(r.read().workers[0][0].task, 2U);
  r.start();
  EXPECT_TRUE(r.read().workers[0].empty());
}

TEST(Trace, KeepsTheNewestAndCountsTheRest) {
  TraceRecorder r(2, 8);
  r.start();
  for (std::uint64_t i = 0; i < 20; ++i) r.record(1, run_of(i));
  const TraceRecorder::Recording got = r.read();
  EXPECT_TRUE(got.workers[0].empty());
  ASSERT_EQ(got.workers[1].size(), 8U);
  EXPECT_EQ(got.workers[1].front().task, 12U);
  EXPECT_EQ(got.workers[1].back().task, 19U);
  EXPECT_EQ(got.dropped[1], 12U);
}

TEST(Trace, ReadWhileWritingIsNeverTorn) {
  TraceRecorder r(1, 64);
  r.start();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint64_t i = 0; !stop.load(std::memory_order_relaxed); ++i) r.record(0, run_of(i));
  });
  std::size_t seen = 0;
  for (int i = 0; i < 3000 || seen == 0; ++i) {
    const TraceRecorder::Recording got = r.read();
    std::uint64_t last = 0;
    for (const TraceEvent& e : got.workers[0]) {
      ASSERT_EQ(e.begin_ns, e.task * 10);
      ASSERT_EQ(e.value, ~e.task);
      if (last != 0) {
        ASSERT_EQ(e.task, last + 1);
      }
      last = e.task;
      ++seen;
    }
  }
  stop.store(true);
  writer.join();
}

TEST(Trace, ChromeJson) {
  Telemetry t(2);
  TraceRecorder r(2, 8);
  r.start();
  const NameId name = t.intern_name("say \"hi\"");
  r.record(0,
           {.kind = TraceKind::kRun, .priority = 2, .name = name, .task = 7, .begin_ns = 1'234'567, .duration_ns = 89});
  r.record(1, {.kind = TraceKind::kSteal, .begin_ns = 5, .value = 3});
  const std::string json = chrome_trace_json(r.read(), t);
  EXPECT_NE(json.find(R"({"ph":"X","pid":1,"tid":0,"ts":1234.567,"dur":0.089,"name":"say \"hi\"","cat":"run",)"
                      R"("args":{"task":7,"priority":"background"}})"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"({"ph":"i","s":"t","pid":1,"tid":1,"ts":0.005,"name":"steal","cat":"steal",)"
                      R"("args":{"task":0,"value":3}})"),
            std::string::npos)
      << json;
}

}  // namespace
}  // namespace neovm::worker
