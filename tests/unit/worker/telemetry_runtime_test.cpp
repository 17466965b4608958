// The counters and the recorder in a running runtime: what the scheduler, the channels and the timers report must add up.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "neovm/worker.hpp"

namespace neovm::worker {
namespace {

using std::chrono::milliseconds;

Task<void> produce(Channel<int> out, int n) {
  for (int i = 0; i < n; ++i) (void)co_await out.send(i);
  out.close();
}
Task<int> consume(Channel<int> in) {
  int sum = 0;
  for (Received<int> r = co_await in.recv(); r.ok(); r = co_await in.recv()) sum += *r;
  co_return sum;
}

TEST(TelemetryRuntime, MessagesAddUp) {
  for (const unsigned workers : {1U, 2U}) {
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}, std::size_t{100}, kUnbounded}) {
      Runtime rt({.workers = workers});
      rt.block_on([](std::size_t slots) -> Task<void> {
        Channel<int> c(slots);
        auto p = spawn(produce(c, 1000), {.name = "producer"});
        const int sum = *(co_await spawn(consume(c), {.name = "consumer"}).join()).value;
        EXPECT_EQ(sum, 999 * 1000 / 2);
        (void)co_await p.join();
      }(capacity));
      const TelemetrySnapshot s = rt.telemetry().snapshot();
      EXPECT_EQ(s.total.messages_sent, 1000U) << capacity;
      EXPECT_EQ(s.total.messages_received, 1000U) << capacity;
      if (capacity == 0) {
        EXPECT_EQ(s.total.handoffs, 1000U);
      }
    }
  }
}

TEST(TelemetryRuntime, TasksAreCountedByName) {
  Runtime rt({.workers = 2});
  rt.block_on([]() -> Task<void> {
    Scope scope;
    for (int i = 0; i < 50; ++i) {
      (void)spawn_call({.name = "good", .scope = &scope}, []() -> Task<void> { (void)co_await yield(); });
      (void)spawn_call({.name = "bad", .priority = Priority::kBackground, .scope = &scope}, []() -> Task<void> {
        throw 1;
        co_return;
      });
    }
    (void)co_await scope.join();
    (void)co_await sleep_for(milliseconds(1));
  }());
  const TelemetrySnapshot s = rt.telemetry().snapshot();
  EXPECT_EQ(s.total.tasks_spawned, 101U);
  EXPECT_EQ(s.total.tasks_finished, 101U);
  EXPECT_EQ(s.total.tasks_failed, 50U);
  EXPECT_EQ(s.total.yields, 50U);
  EXPECT_EQ(s.total.timers_fired, 1U);
  ASSERT_EQ(s.names.size(), 2U);
  for (const NameSnapshot& n : s.names) {
    EXPECT_EQ(n.spawned, 50U) << n.name;
    EXPECT_EQ(n.finished, 50U) << n.name;
    EXPECT_EQ(n.failed, n.name == "bad" ? 50U : 0U);
    EXPECT_EQ(n.switches, n.name == "bad" ? 50U : 100U);
  }
  // What was made runnable has run: nothing is left in the queues.
  for (const PrioritySnapshot& p : s.priorities) {
    EXPECT_EQ(p.queued, p.dequeued);
    EXPECT_EQ(p.queue_depth, 0U);
  }
  EXPECT_EQ(s.priorities[2].queued, 50U);
}

// In deterministic mode the recording of a seed is the same text every time, and another seed's is another one.
TEST(TelemetryRuntime, RecordingOfASeed) {
  const auto record = [](std::uint64_t seed) {
    RuntimeConfig config;
    config.deterministic = true;
    config.seed = seed;
    Runtime rt(std::move(config));
    rt.trace().start();
    rt.block_on([]() -> Task<void> {
      Channel<int> c(2);
      auto p = spawn(produce(c, 20), {.name = "producer"});
      auto q = spawn(consume(c), {.name = "consumer"});
      auto r = spawn(consume(c), {.name = "rival"});
      (void)co_await p.join();
      (void)co_await q.join();
      (void)co_await r.join();
    }());
    return chrome_trace_json(rt.trace().read(), rt.telemetry());
  };
  const std::string one = record(1);
  EXPECT_EQ(one, record(1));
  EXPECT_NE(one, record(2));
  for (const char* name : {"\"name\":\"producer\"", "\"name\":\"consumer\"", "\"name\":\"rival\""})
    EXPECT_NE(one.find(name), std::string::npos) << name;
}

// Every run that is recorded lies within the recording, and those of one worker do not overlap.
TEST(TelemetryRuntime, RunsOfAWorkerDoNotOverlap) {
  Runtime rt({.workers = 2});
  rt.trace().start();
  const Instant begin = rt.now();
  rt.block_on([]() -> Task<void> {
    Channel<int> c(8);
    auto p = spawn(produce(c, 500), {.name = "producer"});
    (void)co_await spawn(consume(c), {.name = "consumer"}).join();
    (void)co_await p.join();
  }());
  rt.trace().stop();
  const Instant end = rt.now();
  std::size_t runs = 0;
  for (const auto& lane : rt.trace().read().workers) {
    Instant last = begin;
    for (const TraceEvent& e : lane) {
      if (e.kind != TraceKind::kRun) continue;
      ++runs;
      EXPECT_GE(e.begin_ns, last);
      last = e.begin_ns + e.duration_ns;
      EXPECT_LE(last, end);
    }
  }
  EXPECT_GE(runs, 3U);
}

// Blocking calls and requests to cancel are in the recording, with who and how long.
TEST(TelemetryRuntime, BlockingCallsAndCancelsAreRecorded) {
  RuntimeConfig config;
  config.workers = 1;
  Runtime rt(std::move(config));
  rt.trace().start();
  std::uint64_t blocked = 0;
  std::uint64_t cancelled = 0;
  rt.block_on([](std::uint64_t* who, std::uint64_t* victim) -> Task<void> {
    *who = this_task::ref().id();
    (void)co_await blocking([] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); });
    JoinHandle<void> sleeping = spawn([]() -> Task<void> { (void)co_await sleep_until(kNever); }());
    *victim = sleeping.ref().id();
    (void)co_await yield();
    (void)sleeping.cancel();
    (void)co_await sleeping.join();
  }(&blocked, &cancelled));
  rt.trace().stop();
  int calls = 0;
  int cancels = 0;
  const TraceRecorder::Recording recording = rt.trace().read();
  for (const auto& lane : recording.workers)
    for (const TraceEvent& e : lane) {
      if (e.kind == TraceKind::kBlocking) {
        ++calls;
        EXPECT_EQ(e.task, blocked);
        EXPECT_GE(e.duration_ns, 2'000'000U);
      }
      if (e.kind == TraceKind::kCancel) {
        ++cancels;
        EXPECT_EQ(e.task, blocked);
        EXPECT_EQ(e.value, cancelled);
      }
    }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(cancels, 1);
  const std::string json = chrome_trace_json(recording, rt.telemetry());
  EXPECT_NE(json.find(R"({"ph":"b","cat":"blocking")"), std::string::npos);
  EXPECT_NE(json.find(R"({"ph":"e","cat":"blocking")"), std::string::npos);
}

}  // namespace
}  // namespace neovm::worker
