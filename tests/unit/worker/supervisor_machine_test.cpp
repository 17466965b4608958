// What the comparison with OTP (tests/otp) cannot reach: exact times, pauses, wrong inputs.
#include "neovm/worker/supervisor_machine.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace neovm::worker {
namespace {

using Kind = SupervisorAction::Kind;
using std::chrono::nanoseconds;
constexpr std::uint64_t kSecond = 1'000'000'000;
const ExitReason kBoom{ExitKind::kError, "boom"};
const ExitReason kStop{ExitKind::kShutdown, ""};

ChildSpec child(const std::string& id, Restart restart = Restart::kPermanent) {
  ChildSpec spec;
  spec.id = id;
  spec.restart = restart;
  return spec;
}

// Says yes to every start and every stop, and notes what was asked: "+a" start, "-a" stop, "!a" kill, "x" the end.
struct Obedient {
  SupervisorMachine machine;
  std::string log;
  std::uint64_t now = kSecond;
  std::vector<SupervisorAction> replies;
  std::vector<SupervisorAction> reports;
  bool answer_stops = true;
  bool fail_starts = false;

  explicit Obedient(const SupervisorOptions& options, std::vector<ChildSpec> specs = {}) : machine(options) {
    machine.begin(std::move(specs), now);
    run();
  }
  std::string id(ChildKey key) {
    const auto view = machine.find(key);
    return view ? view->spec.id : "?";
  }
  void run() {
    for (;;) {
      machine.proceed(now);
      const std::vector<SupervisorAction> actions = machine.take_actions();
      if (actions.empty()) return;
      for (const SupervisorAction& a : actions) {
        switch (a.kind) {
          case Kind::kStart:
            log += "+" + id(a.child);
            if (fail_starts) {
              machine.start_failed(a.child, a.run, kBoom, now);
            } else {
              machine.started(a.child, a.run, now);
            }
            break;
          case Kind::kStop:
            log += "-" + id(a.child);
            if (answer_stops) machine.exited(a.child, a.run, kStop, now);
            break;
          case Kind::kKill:
            log += "!" + id(a.child);
            machine.exited(a.child, a.run, {ExitKind::kKilled, ""}, now);
            break;
          case Kind::kReady: break;
          case Kind::kReport: reports.push_back(a); break;
          case Kind::kReply: replies.push_back(a); break;
          case Kind::kExit: log += "x"; break;
        }
      }
    }
  }
  void crash(ChildKey key, const ExitReason& reason = kBoom) {
    machine.exited(key, machine.find(key)->run, reason, now);
    run();
  }
  void pass(std::uint64_t ns) {
    now += ns;
    machine.time(now);
    run();
  }
  std::string take_log() { return std::exchange(log, {}); }
};

TEST(SupervisorMachine, WindowIsExactToTheNanosecond) {
  SupervisorOptions options{.intensity = 1, .period = std::chrono::seconds(5)};
  Obedient inside(options, {child("a")});
  inside.crash(1);
  inside.now += 5 * kSecond;  // the first one still counts
  inside.crash(1);
  EXPECT_TRUE(inside.machine.done());
  Obedient outside(options, {child("a")});
  outside.crash(1);
  outside.now += 5 * kSecond + 1;
  outside.crash(1);
  EXPECT_FALSE(outside.machine.done());
  EXPECT_EQ(outside.machine.restarts(), 2U);
}

TEST(SupervisorMachine, StopTimeoutThenKill) {
  ChildSpec slow = child("a");
  slow.stop = StopPolicy::within(std::chrono::seconds(2));
  Obedient s({}, {slow, child("b")});
  s.answer_stops = false;
  s.take_log();
  s.machine.terminate_child(1, 7, s.now);
  s.run();
  EXPECT_EQ(s.take_log(), "-a");
  EXPECT_EQ(s.machine.deadline(), s.now + 2 * kSecond);
  s.pass(2 * kSecond - 1);
  EXPECT_EQ(s.take_log(), "");
  s.crash(2);  // waits its turn: the machine is in the middle of something
  EXPECT_EQ(s.take_log(), "");
  s.pass(1);
  EXPECT_EQ(s.take_log(), "!a+b");
  ASSERT_EQ(s.replies.size(), 1U);
  EXPECT_EQ(s.replies[0].ticket, 7U);
  EXPECT_EQ(s.machine.deadline(), SupervisorMachine::kNever);
}

TEST(SupervisorMachine, InfinityNeverKills) {
  ChildSpec slow = child("a");
  slow.stop = StopPolicy::infinity();
  Obedient s({}, {slow});
  s.answer_stops = false;
  s.machine.shutdown(kStop, s.now);
  s.run();
  EXPECT_EQ(s.machine.deadline(), SupervisorMachine::kNever);
  s.pass(1'000'000 * kSecond);
  EXPECT_EQ(s.take_log(), "+a-a");
  s.machine.exited(1, 1, kStop, s.now);
  s.run();
  EXPECT_EQ(s.take_log(), "x");
}

TEST(SupervisorMachine, DynamicChildrenAreStoppedTogether) {
  SupervisorOptions options{.strategy = Strategy::kDynamic};
  Obedient s(options);
  for (int i = 0; i < 3; ++i) s.machine.start_child(child(std::string(1, static_cast<char>('a' + i))), 1, s.now);
  s.run();
  s.answer_stops = false;
  s.machine.shutdown(kStop, s.now);
  s.run();
  EXPECT_EQ(s.take_log(), "+a+b+c-c-b-a");
  s.pass(5 * kSecond);  // one timeout for all, not one after the other
  EXPECT_EQ(s.take_log(), "!a!b!cx");
  EXPECT_TRUE(s.machine.done());
}

TEST(SupervisorMachine, BackoffGrowsIsCappedAndStartsAgain) {
  Backoff b{.initial = nanoseconds(100), .max = nanoseconds(1000), .factor = 2, .jitter = 0};
  std::uint64_t random = 1;
  EXPECT_EQ(b.pause(0, &random).count(), 100);
  EXPECT_EQ(b.pause(1, &random).count(), 200);
  EXPECT_EQ(b.pause(3, &random).count(), 800);
  EXPECT_EQ(b.pause(4, &random).count(), 1000);
  EXPECT_EQ(b.pause(~std::uint32_t{0}, &random).count(), 1000);
  b.max = nanoseconds::max();
  EXPECT_EQ(b.pause(~std::uint32_t{0}, &random), nanoseconds::max());

  SupervisorOptions options{.intensity = SupervisorOptions::kUnlimited};
  options.backoff = {
      .initial = std::chrono::seconds(1), .max = std::chrono::seconds(4), .reset_after = std::chrono::seconds(60)};
  Obedient s(options, {child("a")});
  s.take_log();
  for (const std::uint64_t pause : {1, 2, 4, 4}) {
    s.crash(1);
    EXPECT_EQ(s.take_log(), "");
    EXPECT_EQ(s.machine.find(1)->state, ChildState::kRestarting);
    EXPECT_EQ(s.machine.deadline(), s.now + pause * kSecond);
    s.pass(pause * kSecond);
    EXPECT_EQ(s.take_log(), "+a");
  }
  s.now += 60 * kSecond;  // a long run
  s.crash(1);
  EXPECT_EQ(s.machine.deadline(), s.now + 1 * kSecond);
}

TEST(SupervisorMachine, JitterIsSeededAndBounded) {
  const Backoff b{.initial = nanoseconds(1'000'000), .max = nanoseconds(1'000'000'000), .factor = 3, .jitter = 0.5};
  std::uint64_t one = 42, two = 42, three = 43;
  bool differs = false;
  for (std::uint32_t n = 0; n < 10; ++n) {
    const auto a = b.pause(n, &one);
    EXPECT_EQ(a, b.pause(n, &two));
    differs |= a != b.pause(n, &three);
    const Backoff plain{.initial = b.initial, .max = b.max, .factor = b.factor, .jitter = 0};
    std::uint64_t any = 0;
    const auto top = plain.pause(n, &any);
    EXPECT_LE(a, top);
    EXPECT_GE(a.count(), top.count() / 2);
  }
  EXPECT_TRUE(differs);
}

TEST(SupervisorMachine, AGroupWaitsForItsPauseStopped) {
  SupervisorOptions options{.strategy = Strategy::kRestForOne, .intensity = 3};
  options.backoff.initial = std::chrono::seconds(1);
  Obedient s(options, {child("a"), child("b"), child("c")});
  s.take_log();
  s.crash(2);
  EXPECT_EQ(s.take_log(), "-c");
  s.machine.start_child(child("d"), 1, s.now);  // served meanwhile
  s.run();
  EXPECT_EQ(s.take_log(), "+d");
  s.pass(kSecond);
  EXPECT_EQ(s.take_log(), "-d+b+c+d");
  // A restart that waits is dropped by terminate_child, and by shutdown.
  s.crash(2);
  s.take_log();
  s.machine.terminate_child(2, 2, s.now);
  s.run();
  s.pass(1000 * kSecond);
  EXPECT_EQ(s.take_log(), "");
  EXPECT_EQ(s.machine.deadline(), SupervisorMachine::kNever);
  s.machine.shutdown(kStop, s.now);
  s.run();
  EXPECT_EQ(s.take_log(), "-ax");
}

TEST(SupervisorMachine, UnlimitedRestartsKeepNoHistory) {
  SupervisorOptions options{.intensity = SupervisorOptions::kUnlimited};
  Obedient s(options, {child("a")});
  for (int i = 0; i < 100'000; ++i) s.crash(1);
  EXPECT_FALSE(s.machine.done());
  EXPECT_EQ(s.machine.restarts(), 100'000U);
}

TEST(SupervisorMachine, StartsThatKeepFailingReachTheLimit) {
  Obedient s({.intensity = 3}, {child("a")});
  s.fail_starts = true;
  s.take_log();
  s.crash(1);
  EXPECT_EQ(s.take_log(), "+a+a+ax");
  EXPECT_EQ(s.reports.back().report, ReportKind::kGaveUp);
}

TEST(SupervisorMachine, StartsThatKeepFailingLetOthersIn) {
  // Unlimited and without a pause: every try goes behind what has arrived, so a shutdown gets through.
  SupervisorOptions options{.intensity = SupervisorOptions::kUnlimited};
  Obedient s(options, {child("a")});
  SupervisorMachine& m = s.machine;
  m.exited(1, 1, kBoom, s.now);
  for (int i = 0; i < 1000; ++i) {
    m.proceed(s.now);
    for (const SupervisorAction& a : m.take_actions())
      if (a.kind == Kind::kStart) m.start_failed(a.child, a.run, kBoom, s.now);
    if (i == 500) m.shutdown(kStop, s.now);
    if (m.done()) {
      EXPECT_LE(i, 503);
      return;
    }
  }
  FAIL() << "the shutdown did not get through";
}

TEST(SupervisorMachine, FirstStartsThatFailUndoTheOthers) {
  SupervisorMachine m({});
  m.begin({child("a"), child("b"), child("c")}, 1);
  std::string log;
  ExitReason end;
  for (bool more = true; more;) {
    m.proceed(1);
    const auto actions = m.take_actions();
    more = !actions.empty();
    for (const SupervisorAction& a : actions) {
      if (a.kind == Kind::kStart) {
        log += "+" + m.find(a.child)->spec.id;
        if (a.child == 3) {
          m.start_failed(a.child, a.run, kBoom, 1);
        } else {
          m.started(a.child, a.run, 1);
        }
      }
      if (a.kind == Kind::kStop) {
        log += "-" + m.find(a.child)->spec.id;
        m.exited(a.child, a.run, kStop, 1);
      }
      if (a.kind == Kind::kReady) log += "ready";
      if (a.kind == Kind::kExit) end = a.reason;
    }
  }
  EXPECT_EQ(log, "+a+b+c-b-a");
  EXPECT_EQ(end, (ExitReason{ExitKind::kShutdown, "failed to start c: boom"}));
}

TEST(SupervisorMachine, WrongInputsAreIgnored) {
  Obedient s({.intensity = 5}, {child("a"), child("b")});
  s.take_log();
  SupervisorMachine& m = s.machine;
  m.exited(99, 1, kBoom, s.now);        // nobody
  m.exited(1, 12345, kBoom, s.now);     // a run that never was
  m.started(1, m.find(1)->run, s.now);  // started twice
  m.start_failed(1, m.find(1)->run, kBoom, s.now);
  m.start_ignored(2, m.find(2)->run, s.now);
  m.begin({child("c")}, s.now);  // begun twice
  m.time(s.now);
  s.run();
  EXPECT_EQ(s.take_log(), "");
  EXPECT_EQ(m.counts().active, 2U);
  const std::uint64_t run = m.find(1)->run;
  m.exited(1, run, kBoom, s.now);
  m.exited(1, run, kBoom, s.now);  // the same end told twice is one end
  s.run();
  m.exited(1, run, kBoom, s.now);  // and told again after the restart is of the past
  s.run();
  EXPECT_EQ(s.take_log(), "+a");
  EXPECT_EQ(m.restarts(), 1U);
}

TEST(SupervisorMachine, AnEndBeforeItsStartIsAFailedStart) {
  SupervisorMachine m({});
  m.begin({child("a")}, 1);
  const auto start = m.take_actions();
  ASSERT_EQ(start.size(), 1U);
  m.exited(1, start[0].run, kBoom, 1);
  const auto end = m.take_actions();
  ASSERT_EQ(end.size(), 2U);
  EXPECT_EQ(end[0].report, ReportKind::kStartError);
  EXPECT_EQ(end[1].kind, Kind::kExit);
}

TEST(SupervisorMachine, ShutdownTwiceAndRequestsAfterIt) {
  Obedient s({}, {child("a")});
  s.answer_stops = false;
  s.machine.start_child(child("b"), 1, s.now);  // waits in the queue
  s.machine.shutdown(kStop, s.now);
  s.machine.start_child(child("c"), 2, s.now);
  s.run();
  s.machine.shutdown(kBoom, s.now);  // too late to matter
  s.machine.terminate_child(1, 3, s.now);
  s.machine.delete_child(1, 4, s.now);
  s.machine.restart_child(1, 5, s.now);
  s.run();
  s.answer_stops = true;
  s.machine.exited(2, s.machine.find(2)->run, kStop, s.now);
  s.run();
  EXPECT_TRUE(s.machine.done());
  s.machine.start_child(child("d"), 6, s.now);
  s.run();
  ASSERT_EQ(s.replies.size(), 6U);
  EXPECT_EQ(s.replies[0].status, RequestStatus::kOk);
  for (std::size_t i = 1; i < 6; ++i) EXPECT_EQ(s.replies[i].status, RequestStatus::kSupervisorGone) << i;
  EXPECT_EQ(s.take_log(), "+a+b-b-ax");
}

TEST(SupervisorMachine, SpecsAreChecked) {
  const auto check = [](const SupervisorOptions& o, const std::vector<ChildSpec>& c) {
    return SupervisorMachine::check(o, c);
  };
  SupervisorOptions any{.auto_shutdown = AutoShutdown::kAnySignificant};
  ChildSpec significant = child("a", Restart::kTransient);
  significant.significant = true;
  EXPECT_EQ(check({}, {child("a"), child("b")}), SpecError::kNone);
  EXPECT_EQ(check({}, {child("a"), child("a")}), SpecError::kDuplicateId);
  EXPECT_EQ(check({}, {significant}), SpecError::kSignificantWithoutShutdown);
  EXPECT_EQ(check(any, {significant}), SpecError::kNone);
  significant.restart = Restart::kPermanent;
  EXPECT_EQ(check(any, {significant}), SpecError::kPermanentSignificant);
  ChildSpec negative = child("a");
  negative.stop = StopPolicy::within(nanoseconds(-1));
  EXPECT_EQ(check({}, {negative}), SpecError::kBadDuration);
  EXPECT_EQ(check({.period = nanoseconds(0)}, {}), SpecError::kBadDuration);
  EXPECT_EQ(check({.intensity = SupervisorOptions::kUnlimited, .period = nanoseconds(0)}, {}), SpecError::kNone);
  EXPECT_EQ(check({.strategy = Strategy::kDynamic}, {child("a")}), SpecError::kDynamicHasChildren);
  SupervisorOptions slow;
  slow.backoff = {.initial = nanoseconds(10), .max = nanoseconds(5)};
  EXPECT_EQ(check(slow, {}), SpecError::kBadBackoff);
  slow.backoff = {.initial = nanoseconds(10), .jitter = 1.5};
  EXPECT_EQ(check(slow, {}), SpecError::kBadBackoff);
  slow.backoff = {.initial = nanoseconds(10), .factor = 0.5};
  EXPECT_EQ(check(slow, {}), SpecError::kBadBackoff);
  std::size_t which = 99;
  EXPECT_NE(SupervisorMachine::check({}, {child("x"), child("y"), child("x")}, &which), SpecError::kNone);
  EXPECT_EQ(which, 2U);
  Obedient s({}, {child("a")});
  s.machine.start_child(negative, 1, s.now);
  s.run();
  EXPECT_EQ(s.replies.back().status, RequestStatus::kBadSpec);
}

TEST(SupervisorMachine, FarDeadlinesDoNotWrap) {
  ChildSpec slow = child("a");
  slow.stop = StopPolicy::within(nanoseconds::max());
  Obedient s({}, {slow});
  s.answer_stops = false;
  s.now = ~std::uint64_t{0} - 10;
  s.machine.shutdown(kStop, s.now);
  s.run();
  EXPECT_GE(s.machine.deadline(), s.now);
  EXPECT_NE(s.machine.deadline(), SupervisorMachine::kNever);
}

TEST(SupervisorMachine, ManyDynamicChildren) {
  SupervisorOptions options{.strategy = Strategy::kDynamic};
  Obedient s(options);
  constexpr std::uint64_t kMany = 100'000;
  for (std::uint64_t i = 0; i < kMany; ++i) s.machine.start_child(child("w", Restart::kTemporary), i, s.now);
  s.run();
  EXPECT_EQ(s.machine.counts().active, kMany);
  for (ChildKey key = 1; key <= kMany; key += 2) s.crash(key, {ExitKind::kNormal, ""});
  EXPECT_EQ(s.machine.counts().specs, kMany / 2);
  s.machine.shutdown(kStop, s.now);
  s.run();
  EXPECT_TRUE(s.machine.done());
}

}  // namespace
}  // namespace neovm::worker
