// Supervisors on tasks. What they decide is tested in supervisor_machine_test.cpp and against OTP; here: that it is carried out.
#include "neovm/worker/supervisor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "neovm/worker.hpp"
#include "neovm/worker/supervisor_wait.hpp"

namespace neovm::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Log {
 public:
  void add(const std::string& what) {
    const std::lock_guard lock(lock_);
    text_ += (text_.empty() ? "" : " ") + what;
  }
  std::string take() {
    const std::lock_guard lock(lock_);
    return std::exchange(text_, {});
  }

 private:
  std::mutex lock_;
  std::string text_;
};

// Every supervisor test runs on two workers and on many seeds of the deterministic mode.
template <class F>
void everywhere(F f, std::uint64_t seeds = 50) {
  for (std::uint64_t seed = 0; seed <= seeds; ++seed) {
    SCOPED_TRACE(seed == 0 ? "two workers" : "seed " + std::to_string(seed));
    RuntimeConfig config;
    config.workers = 2;
    if (seed != 0) {
      config.deterministic = true;
      config.seed = seed;
    }
    Runtime rt(std::move(config));
    f(rt);
    if (testing::Test::HasFailure()) return;
  }
}

Task<void> forever(Log* log, std::string name) {
  log->add("+" + name);
  (void)co_await sleep_until(kNever);
  log->add("-" + name);
}
ChildDefinition forever_child(Log* log, const std::string& name, Restart restart = Restart::kPermanent) {
  return child(
      name, [log, name](ChildContext&) { return forever(log, name); }, restart);
}
// Fails when told to by `crash`.
Task<void> fragile(Log* log, std::string name, Channel<int> crash) {
  log->add("+" + name);
  Received<int> r = co_await crash.recv();
  if (r.ok() && *r == 0) co_return;
  if (r.ok()) throw std::runtime_error("boom");
  log->add("-" + name);
}
ChildDefinition fragile_child(Log* log, const std::string& name, Channel<int> crash,
                              Restart restart = Restart::kPermanent) {
  return child(
      name, [log, name, crash](ChildContext&) { return fragile(log, name, crash); }, restart);
}

// Waits until the supervisor has started its children `starts` times in all.
Task<void> until_starts(SupervisorRef ref, std::uint64_t starts) {
  for (;;) {
    const SupervisorReply r = co_await ref.children();
    std::uint64_t n = 0;
    bool all = r.status == RequestStatus::kOk;
    for (const ChildInfo& c : r.children) {
      n += c.starts;
      all &= c.state == ChildState::kRunning || c.state == ChildState::kStopped;
    }
    if (r.status == RequestStatus::kSupervisorGone || (all && n >= starts)) co_return;
    if (co_await sleep_for(milliseconds(1)) != Status::kOk) co_return;
  }
}

TEST(Supervisor, StartsInOrderAndStopsInReverse) {
  everywhere([](Runtime& rt) {
    Log log;
    SupervisorDefinition d{.name = "s"};
    for (const char* name : {"a", "b", "c"}) d.children.push_back(forever_child(&log, name));
    Supervisor s = start_supervisor(rt, std::move(d));
    rt.block_on(until_starts(s.ref(), 3));
    const SupervisorReply counts = *rt.block_on(s.ref().counts()).value;
    EXPECT_EQ(counts.counts.active, 3U);
    // Let the bodies begin, so that the log has them.
    rt.block_on([]() -> Task<void> { (void)co_await sleep_for(milliseconds(5)); }());
    (void)log.take();
    EXPECT_TRUE(s.ref().shutdown());
    const JoinResult<ExitReason> end = rt.block_on(std::move(s.handle()));
    ASSERT_TRUE(end.ok());
    EXPECT_EQ(*end.value, (ExitReason{ExitKind::kShutdown, ""}));
    EXPECT_EQ(log.take(), "-c -b -a");
    EXPECT_FALSE(s.ref().shutdown());
    EXPECT_EQ(rt.block_on(s.ref().counts()).value->status, RequestStatus::kSupervisorGone);
  });
}

TEST(Supervisor, RestartsWhatFailsAndGivesUp) {
  everywhere([](Runtime& rt) {
    Log log;
    Channel<int> crash(8);
    std::vector<std::string> reports;
    SupervisorDefinition d{.name = "s", .options = {.intensity = 2, .period = seconds(1000)}};
    d.children.push_back(fragile_child(&log, "a", crash));
    d.children.push_back(forever_child(&log, "b"));
    d.on_report = [&](const SupervisorReport& r) { reports.push_back(report_text(r)); };
    Supervisor s = start_supervisor(rt, std::move(d));
    rt.block_on(until_starts(s.ref(), 2));
    for (std::uint64_t i = 1; i <= 2; ++i) {
      (void)crash.try_send(1);
      rt.block_on(until_starts(s.ref(), 2 + i));
    }
    EXPECT_EQ(rt.telemetry().snapshot().total.child_restarts, 2U);
    (void)crash.try_send(1);
    const JoinResult<ExitReason> end = rt.block_on(std::move(s.handle()));
    ASSERT_TRUE(end.ok());
    EXPECT_EQ(end.value->kind, ExitKind::kShutdown);
    ASSERT_EQ(reports.size(), 4U);
    EXPECT_EQ(reports[0], "s: a ended: error: boom");
    EXPECT_EQ(reports[3], "s: a reached the restart limit: shutdown");
    EXPECT_EQ(rt.telemetry().snapshot().total.supervisor_give_ups, 1U);
  });
}

TEST(Supervisor, TransientAndTemporary) {
  everywhere([](Runtime& rt) {
    Log log;
    Channel<int> a(1), b(1), c(1);
    SupervisorDefinition d{.name = "s", .options = {.intensity = 9}};
    d.children.push_back(fragile_child(&log, "a", a, Restart::kTransient));
    d.children.push_back(fragile_child(&log, "b", b, Restart::kTransient));
    d.children.push_back(fragile_child(&log, "c", c, Restart::kTemporary));
    Supervisor s = start_supervisor(rt, std::move(d));
    rt.block_on(until_starts(s.ref(), 3));
    (void)a.try_send(0);  // in order
    (void)b.try_send(1);  // not
    (void)c.try_send(1);
    rt.block_on([](SupervisorRef ref) -> Task<void> {
      for (;;) {
        const SupervisorReply r = co_await ref.children();
        if (r.children.size() == 2 && r.children[0].state == ChildState::kStopped && r.children[1].starts == 2)
          co_return;
        (void)co_await sleep_for(milliseconds(1));
      }
    }(s.ref()));
    s.ref().shutdown();
    EXPECT_TRUE(rt.block_on(std::move(s.handle())).ok());
  });
}

TEST(Supervisor, GroupsRestartTogether) {
  for (const Strategy strategy : {Strategy::kOneForAll, Strategy::kRestForOne}) {
    everywhere([&](Runtime& rt) {
      Log log;
      Channel<int> crash(1);
      SupervisorDefinition d{.name = "s", .options = {.strategy = strategy}};
      d.children.push_back(forever_child(&log, "a"));
      d.children.push_back(fragile_child(&log, "b", crash));
      d.children.push_back(forever_child(&log, "c"));
      Supervisor s = start_supervisor(rt, std::move(d));
      rt.block_on(until_starts(s.ref(), 3));
      (void)crash.try_send(1);
      rt.block_on(until_starts(s.ref(), strategy == Strategy::kOneForAll ? 6 : 5));
      const SupervisorReply r = *rt.block_on(s.ref().children()).value;
      ASSERT_EQ(r.children.size(), 3U);
      EXPECT_EQ(r.children[0].starts, strategy == Strategy::kOneForAll ? 2U : 1U);
      EXPECT_EQ(r.children[1].starts, 2U);
      EXPECT_EQ(r.children[2].starts, 2U);
      s.ref().shutdown();
      EXPECT_TRUE(rt.block_on(std::move(s.handle())).ok());
    });
  }
}

TEST(Supervisor, ChildrenThatAnnounce) {
  everywhere([](Runtime& rt) {
    Log log;
    SupervisorDefinition d{.name = "s"};
    d.children.push_back(child("late", [&](ChildContext& c) -> Task<void> {
      (void)co_await sleep_for(milliseconds(20));
      log.add("late is ready");
      c.ready();
      c.ready();
      (void)co_await sleep_until(kNever);
    }));
    d.children.push_back(child("unwanted", [&](ChildContext& c) -> Task<void> {
      c.ignore();
      co_return;
    }));
    d.children.push_back(child("last", [&](ChildContext&) -> Task<void> {
      log.add("last begins");
      (void)co_await sleep_until(kNever);
    }));
    d.children[0].announces = d.children[1].announces = true;
    Supervisor s = start_supervisor(rt, std::move(d));
    rt.block_on(until_starts(s.ref(), 2));
    rt.block_on([]() -> Task<void> { (void)co_await sleep_for(milliseconds(5)); }());
    EXPECT_EQ(log.take(), "late is ready last begins");
    const SupervisorReply r = *rt.block_on(s.ref().children()).value;
    EXPECT_EQ(r.children[1].state, ChildState::kStopped);
    s.ref().shutdown();
    EXPECT_TRUE(rt.block_on(std::move(s.handle())).ok());
  });
}

TEST(Supervisor, StartsThatFail) {
  everywhere([](Runtime& rt) {
    // Each of these cannot start; the one before it is stopped, and the supervisor ends with the reason.
    std::vector<std::pair<ChildDefinition, std::string>> bad;
    bad.push_back({child("x",
                         [](ChildContext&) -> Task<void> {
                           throw std::runtime_error("no way");
                           co_return;
                         }),
                   "failed to start x: no way"});
    bad.push_back({child("x", [](ChildContext&) -> Task<void> { (void)co_await sleep_until(kNever); }),
                   "failed to start x: did not start in time"});
    bad.push_back({child("x", nullptr), "failed to start x: no body"});
    bad[0].first.announces = bad[1].first.announces = true;
    bad[1].first.start_timeout = milliseconds(10);
    for (auto& [definition, text] : bad) {
      Log log;
      SupervisorDefinition d{.name = "s"};
      d.children.push_back(forever_child(&log, "a"));
      d.children.push_back(definition);
      Supervisor s = start_supervisor(rt, std::move(d));
      const JoinResult<ExitReason> end = rt.block_on(std::move(s.handle()));
      ASSERT_TRUE(end.ok());
      EXPECT_EQ(end.value->detail, text);
    }
  });
}

TEST(Supervisor, BadDefinitionsEndAtOnce) {
  everywhere(
      [](Runtime& rt) {
        Log log;
        SupervisorDefinition d{.name = "s"};
        d.children.push_back(forever_child(&log, "a"));
        d.children.push_back(forever_child(&log, "a"));
        std::size_t which = 0;
        EXPECT_EQ(check(d, &which), SpecError::kDuplicateId);
        EXPECT_EQ(which, 1U);
        Supervisor s = start_supervisor(rt, std::move(d));
        const JoinResult<ExitReason> end = rt.block_on(std::move(s.handle()));
        ASSERT_TRUE(end.ok());
        EXPECT_EQ(*end.value, (ExitReason{ExitKind::kError, "two children have the same id"}));
      },
      3);
}

TEST(Supervisor, RequestsOnDynamicChildren) {
  everywhere(
      [](Runtime& rt) {
        Log log;
        SupervisorDefinition d{.name = "pool", .options = {.strategy = Strategy::kDynamic}};
        Supervisor s = start_supervisor(rt, std::move(d));
        std::vector<ChildKey> keys;
        for (int i = 0; i < 20; ++i) {
          const SupervisorReply r =
              *rt.block_on(s.ref().start_child(forever_child(&log, "w", Restart::kTemporary))).value;
          ASSERT_EQ(r.status, RequestStatus::kOk);
          keys.push_back(r.child);
        }
        for (int i = 0; i < 20; i += 2)
          EXPECT_EQ(rt.block_on(s.ref().terminate_child(keys[static_cast<std::size_t>(i)])).value->status,
                    RequestStatus::kOk);
        EXPECT_EQ(rt.block_on(s.ref().counts()).value->counts.active, 10U);
        EXPECT_EQ(rt.block_on(s.ref().terminate_child(keys[0])).value->status, RequestStatus::kOk);  // gone is gone
        EXPECT_EQ(rt.block_on(s.ref().terminate_child(ChildKey{12345})).value->status, RequestStatus::kNotFound);
        EXPECT_EQ(rt.block_on(s.ref().restart_child("w")).value->status, RequestStatus::kWrongStrategy);
        EXPECT_EQ(rt.block_on(s.ref().delete_child("w")).value->status, RequestStatus::kWrongStrategy);
        s.ref().shutdown();
        EXPECT_TRUE(rt.block_on(std::move(s.handle())).ok());
      },
      20);
}

TEST(Supervisor, RequestsOnNamedChildren) {
  everywhere(
      [](Runtime& rt) {
        Log log;
        SupervisorDefinition d{.name = "s"};
        d.children.push_back(forever_child(&log, "a"));
        Supervisor s = start_supervisor(rt, std::move(d));
        const SupervisorRef ref = s.ref();
        const auto status = [&](Task<SupervisorReply> t) { return rt.block_on(std::move(t)).value->status; };
        EXPECT_EQ(status(ref.start_child(forever_child(&log, "a"))), RequestStatus::kAlreadyStarted);
        EXPECT_EQ(status(ref.restart_child("a")), RequestStatus::kRunning);
        EXPECT_EQ(status(ref.delete_child("a")), RequestStatus::kRunning);
        EXPECT_EQ(status(ref.terminate_child("a")), RequestStatus::kOk);
        EXPECT_EQ(status(ref.terminate_child("a")), RequestStatus::kOk);
        EXPECT_EQ(status(ref.start_child(forever_child(&log, "a"))), RequestStatus::kAlreadyPresent);
        EXPECT_EQ(status(ref.restart_child("a")), RequestStatus::kOk);
        EXPECT_EQ(status(ref.terminate_child("a")), RequestStatus::kOk);
        EXPECT_EQ(status(ref.delete_child("a")), RequestStatus::kOk);
        EXPECT_EQ(status(ref.delete_child("a")), RequestStatus::kNotFound);
        EXPECT_EQ(status(ref.terminate_child("nobody")), RequestStatus::kNotFound);
        EXPECT_EQ(status(ref.start_child(child("none", nullptr))), RequestStatus::kStartFailed);
        ChildDefinition bad = forever_child(&log, "bad");
        bad.spec.significant = true;
        EXPECT_EQ(status(ref.start_child(bad)), RequestStatus::kBadSpec);
        EXPECT_EQ(status(ref.start_child(forever_child(&log, "b"))), RequestStatus::kOk);
        EXPECT_EQ(status(SupervisorRef().counts()), RequestStatus::kSupervisorGone);
        s.ref().shutdown();
        EXPECT_TRUE(rt.block_on(std::move(s.handle())).ok());
      },
      20);
}

TEST(Supervisor, EscalatesToTheOneAbove) {
  everywhere([](Runtime& rt) {
    Log log;
    Channel<int> crash(8);
    SupervisorDefinition inner{.name = "inner", .options = {.intensity = 0}};
    inner.children.push_back(fragile_child(&log, "a", crash));
    SupervisorDefinition outer{.name = "outer", .options = {.intensity = 1, .period = seconds(1000)}};
    outer.children.push_back(supervisor_child(std::move(inner)));
    Supervisor s = start_supervisor(rt, std::move(outer));
    rt.block_on(until_starts(s.ref(), 1));
    const SupervisorReply r = *rt.block_on(s.ref().counts()).value;
    EXPECT_EQ(r.counts.supervisors, 1U);
    (void)crash.try_send(1);  // inner gives up and is started again
    rt.block_on(until_starts(s.ref(), 2));
    (void)crash.try_send(1);  // inner gives up again, and so does outer
    const JoinResult<ExitReason> end = rt.block_on(std::move(s.handle()));
    ASSERT_TRUE(end.ok());
    EXPECT_EQ(end.value->kind, ExitKind::kShutdown);
  });
}

TEST(Supervisor, ANestedStartThatFailsIsAFailedStart) {
  everywhere([](Runtime& rt) {
    SupervisorDefinition inner{.name = "inner"};
    inner.children.push_back(child("x", nullptr));
    SupervisorDefinition outer{.name = "outer"};
    outer.children.push_back(supervisor_child(std::move(inner)));
    Supervisor s = start_supervisor(rt, std::move(outer));
    const JoinResult<ExitReason> end = rt.block_on(std::move(s.handle()));
    ASSERT_TRUE(end.ok());
    EXPECT_EQ(end.value->detail, "failed to start inner: failed to start x: no body");
  });
}

TEST(Supervisor, CancellingItsTaskIsAShutdownInOrder) {
  everywhere([](Runtime& rt) {
    Log log;
    SupervisorDefinition inner{.name = "inner"};
    inner.children.push_back(forever_child(&log, "b"));
    inner.children.push_back(forever_child(&log, "c"));
    SupervisorDefinition d{.name = "s"};
    d.children.push_back(forever_child(&log, "a"));
    d.children.push_back(supervisor_child(std::move(inner)));
    d.children.push_back(forever_child(&log, "d"));
    Supervisor s = start_supervisor(rt, std::move(d));
    rt.block_on(until_starts(s.ref(), 3));
    rt.block_on([]() -> Task<void> { (void)co_await sleep_for(milliseconds(5)); }());
    (void)log.take();
    EXPECT_EQ(s.handle().cancel(), Status::kOk);
    EXPECT_TRUE(rt.block_on(std::move(s.handle())).ok());
    EXPECT_EQ(log.take(), "-d -c -b -a");
  });
}

TEST(Supervisor, ADeadlineIsAShutdownToo) {
  everywhere([](Runtime& rt) {
    Log log;
    SupervisorDefinition d{.name = "s"};
    d.children.push_back(forever_child(&log, "a"));
    Supervisor s = start_supervisor(rt, std::move(d), {.deadline = rt.now() + 20'000'000});
    const JoinResult<ExitReason> end = rt.block_on(std::move(s.handle()));
    ASSERT_TRUE(end.ok());
    EXPECT_EQ(*end.value, (ExitReason{ExitKind::kShutdown, "deadline"}));
    EXPECT_EQ(log.take(), "+a -a");
  });
}

TEST(Supervisor, CancelledBeforeItBegan) {
  everywhere([](Runtime& rt) {
    Log log;
    SupervisorDefinition d{.name = "s"};
    d.children.push_back(forever_child(&log, "a"));
    Supervisor s = start_supervisor(rt, std::move(d), {.deadline = 1});  // long past: it never begins
    const SupervisorRef ref = s.ref();
    EXPECT_EQ(rt.block_on(ref.counts()).value->status, RequestStatus::kSupervisorGone);
    EXPECT_EQ(rt.block_on(std::move(s.handle())).status, Status::kDeadline);
    EXPECT_EQ(log.take(), "");
  });
}

TEST(Supervisor, AChildThatDoesNotEndIsAbandoned) {
  everywhere(
      [](Runtime& rt) {
        Channel<int> release(1);
        std::vector<std::string> reports;
        SupervisorDefinition d{.name = "s"};
        d.abandon_after = milliseconds(30);
        d.on_report = [&](const SupervisorReport& r) { reports.push_back(report_text(r)); };
        d.children.push_back(child("deaf", [release](ChildContext&) -> Task<void> {
          const this_task::Shield shield;
          (void)co_await release.recv();
        }));
        d.children[0].spec.stop = StopPolicy::within(milliseconds(10));
        Supervisor s = start_supervisor(rt, std::move(d));
        rt.block_on(until_starts(s.ref(), 1));
        rt.block_on([]() -> Task<void> { (void)co_await sleep_for(milliseconds(5)); }());
        const Instant before = rt.now();
        s.ref().shutdown();
        EXPECT_TRUE(rt.block_on(std::move(s.handle())).ok());
        EXPECT_GE(rt.now() - before, 40'000'000U);
        ASSERT_EQ(reports.size(), 2U);
        EXPECT_EQ(reports[0], "s: deaf was abandoned: killed: abandoned");
        EXPECT_EQ(reports[1], "s: deaf stopped badly: killed: abandoned");
        (void)release.try_send(1);
      },
      10);
}

TEST(Supervisor, BackoffIsWaitedFor) {
  RuntimeConfig config;
  config.deterministic = true;
  config.seed = 7;
  Runtime rt(std::move(config));
  std::vector<Instant> begins;
  SupervisorDefinition d{.name = "s", .options = {.intensity = SupervisorOptions::kUnlimited}};
  d.options.backoff = {.initial = seconds(1), .max = seconds(3), .factor = 2};
  d.children.push_back(child("a", [&](ChildContext&) -> Task<void> {
    begins.push_back(now());
    throw std::runtime_error("boom");
    co_return;
  }));
  Supervisor s = start_supervisor(rt, std::move(d));
  rt.block_on([]() -> Task<void> { (void)co_await sleep_for(seconds(10)); }());
  s.ref().shutdown();
  EXPECT_TRUE(rt.block_on(std::move(s.handle())).ok());
  // At 0, 1, 3, 6, 9 seconds, each a wheel's grain late at most.
  ASSERT_EQ(begins.size(), 5U);
  const std::uint64_t expected[] = {0, 1, 3, 6, 9};
  for (std::size_t i = 1; i < 5; ++i)
    EXPECT_NEAR(static_cast<double>(begins[i] - begins[0]), static_cast<double>(expected[i]) * 1e9, 1e6);
}

TEST(Supervisor, RuntimeShutdownWhileEverythingIsBusy) {
  for (int round = 0; round < 20; ++round) {
    Runtime rt({.workers = 2});
    std::atomic<int> live{0};
    SupervisorDefinition d{.name = "s", .options = {.intensity = SupervisorOptions::kUnlimited}};
    for (int i = 0; i < 10; ++i) {
      d.children.push_back(child("w" + std::to_string(i), [&live, i](ChildContext&) -> Task<void> {
        live.fetch_add(1);
        for (int k = 0; k < 50 && this_task::cancelled() == Status::kOk; ++k)
          if (this_task::poll(100)) (void)co_await yield();
        live.fetch_sub(1);
        if (i % 2 == 0) throw std::runtime_error("boom");
      }));
    }
    Supervisor s = start_supervisor(rt, std::move(d));
    std::this_thread::sleep_for(milliseconds(2));
    const ShutdownReport report = rt.shutdown(seconds(20));
    EXPECT_EQ(report.status, Status::kOk);
    EXPECT_EQ(live.load(), 0);
    EXPECT_NE(s.handle().status(), Status::kPending);
  }
}

TEST(Supervisor, NoMoreTasksIsAFailedStart) {
  RuntimeConfig config;
  config.workers = 1;
  config.max_tasks = 6;
  Runtime rt(std::move(config));
  Log log;
  Supervisor s = start_supervisor(rt, {.name = "s", .options = {.strategy = Strategy::kDynamic}});
  bool refused = false;
  for (int i = 0; i < 10 && !refused; ++i) {
    JoinResult<SupervisorReply> r = rt.block_on(s.ref().start_child(forever_child(&log, "w")));
    refused = !r.ok() || r.value->status == RequestStatus::kStartFailed;
    if (r.ok() && r.value->status == RequestStatus::kStartFailed) {
      EXPECT_EQ(r.value->reason.detail, "limit");
    }
  }
  EXPECT_TRUE(refused);
  s.ref().shutdown();
  while (s.handle().status() == Status::kPending) std::this_thread::sleep_for(milliseconds(1));
}

// ---- waiting for several ------------------------------------------------------------------------------------------------

Task<int> after_a_while(int ms, int value) {
  (void)co_await sleep_for(milliseconds(ms));
  co_return value;
}

TEST(ChildSet, TimeoutNamesTheRunningAndLosesNoEnd) {
  everywhere(
      [](Runtime& rt) {
        const JoinResult<int> sum = rt.block_on([]() -> Task<int> {
          ChildSet<int> set;
          // The slow one first: the ends of the others are seen although the wait sits at the first.
          for (const int ms : {200, 1, 2, 3}) set.add(spawn(after_a_while(ms, ms)));
          int sum = 0;
          auto seen = co_await set.wait_for(milliseconds(60));
          EXPECT_EQ(seen.status, Status::kTimeout);
          EXPECT_EQ(seen.ended.size(), 3U);
          EXPECT_EQ(seen.running, std::vector<std::uint64_t>{0});
          for (const auto& e : seen.ended) sum += *e.result.value;
          seen = co_await set.wait_for(seconds(100));
          EXPECT_EQ(seen.status, Status::kOk);
          EXPECT_EQ(seen.ended.size(), 1U);
          EXPECT_TRUE(seen.running.empty());
          for (const auto& e : seen.ended) sum += *e.result.value;
          seen = co_await set.wait_for(seconds(100));  // nothing left: at once, and nothing twice
          EXPECT_EQ(seen.status, Status::kOk);
          EXPECT_TRUE(seen.ended.empty());
          co_return sum;
        }());
        EXPECT_EQ(*sum.value, 206);
      },
      20);
}

TEST(ChildSet, PollsAreBounded) {
  everywhere(
      [](Runtime& rt) {
        rt.block_on([]() -> Task<void> {
          ChildSet<int> set;
          set.add(spawn(after_a_while(1000, 1)));
          const Instant before = now();
          auto seen = co_await set.poll({.looks = 4, .pauses = {.initial = milliseconds(1), .factor = 2}});
          EXPECT_EQ(seen.status, Status::kTimeout);
          EXPECT_GE(now() - before, 7'000'000U);  // 1 + 2 + 4
          EXPECT_EQ(seen.running.size(), 1U);
          seen = co_await set.poll({.looks = 0});
          EXPECT_EQ(seen.status, Status::kTimeout);
          EXPECT_TRUE(set.cancel(0));
          seen = co_await set.poll({.looks = 1000, .pauses = {.initial = milliseconds(1), .max = milliseconds(1)}});
          EXPECT_EQ(seen.status, Status::kOk);
          EXPECT_FALSE(set.cancel(0));
        }());
      },
      20);
}

TEST(ChildSet, DetachAndCancelledWaits) {
  everywhere(
      [](Runtime& rt) {
        rt.block_on([]() -> Task<void> {
          ChildSet<int> set;
          set.add(spawn(after_a_while(1, 1)));
          set.add(spawn(after_a_while(20, 2), {.detached = true}));
          EXPECT_FALSE(set.detach(7));
          EXPECT_TRUE(set.detach(1));
          EXPECT_FALSE(set.detach(1));
          set.add(JoinHandle<int>(Status::kLimit));  // a spawn that was refused has ended
          auto seen = co_await set.wait_for(seconds(1));
          EXPECT_EQ(seen.status, Status::kOk);
          EXPECT_EQ(seen.ended.size(), 2U);
          for (const auto& e : seen.ended) EXPECT_EQ(e.result.status, e.tag == 2 ? Status::kLimit : Status::kOk);
        }());
        // A wait that is cancelled still tells what it saw.
        JoinHandle<int> waiter = rt.spawn([]() -> Task<int> {
          ChildSet<int> set;
          set.add(spawn(after_a_while(100'000, 1), {.detached = true}));
          set.add(spawn(after_a_while(1, 2), {.detached = true}));
          const auto seen = co_await set.wait_for(seconds(1000));
          EXPECT_EQ(seen.status, Status::kCancelled);
          EXPECT_EQ(seen.running.size(), 1U);
          co_return static_cast<int>(seen.ended.size());
        }());
        rt.block_on([]() -> Task<void> { (void)co_await sleep_for(milliseconds(50)); }());
        (void)waiter.cancel();
        const JoinResult<int> ended = rt.block_on(std::move(waiter));
        ASSERT_TRUE(ended.ok());
        EXPECT_EQ(*ended.value, 1);
      },
      10);
}

}  // namespace
}  // namespace neovm::worker
