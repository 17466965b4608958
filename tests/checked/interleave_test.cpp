// Property tests over interleavings: the runtime compiled with NEOVM_WORKER_CHECKED runs its workers as virtual ones on one
// thread, switching at every lock, claim and queue operation as the seed says. Each scenario is a small program with a
// property that must hold under every seed; and each mistake of simulation.hpp, put in on purpose, must be found by some seed.
//
//   neovm_interleave [--gtest_filter=…]     NEOVM_SEEDS=N: so many seeds for each scenario, NEOVM_FIRST_SEED=N starts there
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include "neovm/worker.hpp"
#include "neovm/worker/supervisor.hpp"
#include "simulation.hpp"

namespace neovm::worker {
namespace {

using namespace std::chrono_literals;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What a scenario found: empty when its property held.
using Verdict = std::string;

// ---- scenarios: a value sent is a value received, once, in the sender's order --------------------------------------------

struct Log {
  std::vector<int> received;
  int sent = 0;
  int expected_failures = 0;
};

Task<void> sender(Channel<int> ch, int base, int n, Log* log) {
  for (int i = 0; i < n; ++i)
    if (co_await ch.send(base + i) == Status::kOk) ++log->sent;
}
Task<void> receiver(Channel<int> ch, Log* log) {
  for (;;) {
    Received<int> r = co_await ch.recv();
    if (!r.ok()) co_return;
    log->received.push_back(*r);
  }
}
Verdict judge_values(const Log& log, int per_sender, bool ordered) {
  if (static_cast<int>(log.received.size()) != log.sent)
    return "sent " + std::to_string(log.sent) + ", received " + std::to_string(log.received.size());
  std::map<int, int> last;
  std::map<int, int> seen;
  for (const int v : log.received) {
    if (++seen[v] != 1) return "value " + std::to_string(v) + " received twice";
    if (ordered) {
      const int who = v / 1000;
      if (last.count(who) != 0 && last[who] >= v) return "order of sender " + std::to_string(who) + " broken";
      last[who] = v;
    }
  }
  (void)per_sender;
  return {};
}

Task<void> channel_scenario(std::size_t capacity, int senders, int receivers, int each, Log* log) {
  Channel<int> ch(capacity);
  Scope receiving;
  for (int i = 0; i < receivers; ++i) spawn(receiver(ch, log), {.scope = &receiving}).detach();
  Scope sending;
  for (int i = 0; i < senders; ++i) spawn(sender(ch, 1000 * i, each, log), {.scope = &sending}).detach();
  (void)co_await sending.join();
  ch.close();
  (void)co_await receiving.join();
}

// Receivers that give up: what they did not take must reach somebody else.
Task<void> impatient(Channel<int> ch, Log* log) {
  for (;;) {
    Received<int> r = co_await ch.recv_for(100us);
    if (r.status == Status::kClosed) co_return;
    if (r.ok()) log->received.push_back(*r);
  }
}
Task<void> timeout_scenario(std::size_t capacity, Log* log) {
  Channel<int> ch(capacity);
  Scope receiving;
  for (int i = 0; i < 2; ++i) spawn(impatient(ch, log), {.scope = &receiving}).detach();
  Scope sending;
  for (int i = 0; i < 2; ++i)
    spawn_call(
        {.scope = &sending},
        [](Channel<int> c, int base, Log* l) -> Task<void> {
          for (int k = 0; k < 3; ++k) {
            (void)co_await sleep_for(std::chrono::microseconds(60 + 40 * k));
            if (co_await c.send_for(base + k, 150us) == Status::kOk) ++l->sent;
          }
        },
        ch, 1000 * i, log)
        .detach();
  (void)co_await sending.join();
  ch.close();
  (void)co_await receiving.join();
}

Task<void> selecting_sender(Channel<int> a, Channel<int> b, int base, int n, Log* log) {
  for (int i = 0; i < n; ++i) {
    int v = base + i;
    int w = base + i;
    SendCase<int> sa(a, v);
    SendCase<int> sb(b, w);
    Selected s = co_await select(sa, sb);
    if (s.status == Status::kOk) ++log->sent;
  }
}
Task<void> selecting_receiver(Channel<int> a, Channel<int> b, Channel<int> stop, Log* log) {
  RecvCase<int> ra(a);
  RecvCase<int> rb(b);
  RecvCase<int> rs(stop);
  for (;;) {
    Selected s = co_await select(ra, rb, rs);
    if (s.index == 2) co_return;
    if (s.status == Status::kOk) log->received.push_back(s.index == 0 ? ra.take() : rb.take());
  }
}
Task<void> select_scenario(std::size_t capacity, Log* log) {
  Channel<int> a(capacity);
  Channel<int> b(capacity);
  Channel<int> stop(0);
  Scope receiving;
  for (int i = 0; i < 2; ++i)
    spawn(i == 0 ? selecting_receiver(a, b, stop, log) : selecting_receiver(b, a, stop, log), {.scope = &receiving})
        .detach();
  Scope sending;
  for (int i = 0; i < 2; ++i)
    spawn(i == 0 ? selecting_sender(a, b, 1000 * i, 3, log) : selecting_sender(b, a, 1000 * i, 3, log),
          {.scope = &sending})
        .detach();
  (void)co_await sending.join();
  while (a.size() + b.size() != 0) (void)co_await yield();
  stop.close();
  (void)co_await receiving.join();
  for (Channel<int>* c : {&a, &b})
    for (Received<int> r = c->try_recv(); r.ok(); r = c->try_recv()) log->received.push_back(*r);
}

// Waiting receivers are served in the order in which they came.
Task<void> queue_up(Channel<int> ch, int i, std::vector<int>* arrived, std::vector<int>* served) {
  arrived->push_back(i);
  Received<int> r = co_await ch.recv();
  if (r.ok()) (*served)[static_cast<std::size_t>(*r)] = i;
}
Task<void> fifo_scenario(Verdict* verdict) {
  Channel<int> ch(0);
  std::vector<int> arrived;
  std::vector<int> served(3, -1);
  Scope scope;
  for (int i = 0; i < 3; ++i) {
    spawn(queue_up(ch, i, &arrived, &served), {.scope = &scope}).detach();
    (void)co_await sleep_for(1ms);  // in virtual time: until it waits
  }
  for (int i = 0; i < 3; ++i) (void)co_await ch.send(i);
  (void)co_await scope.join();
  if (served != arrived) *verdict = "receivers were not served in the order of their coming";
}

Task<void> close_scenario(Verdict* verdict) {
  Channel<int> full(1);
  (void)co_await full.send(1);
  int closed = 0;
  Scope scope;
  for (int i = 0; i < 2; ++i)
    spawn_call(
        {.scope = &scope},
        [](Channel<int> c, int* n) -> Task<void> {
          if (co_await c.send(2) == Status::kClosed) ++*n;
        },
        full, &closed)
        .detach();
  (void)co_await sleep_for(1ms);
  full.close();
  (void)co_await scope.join();
  if (closed != 2) *verdict = "a sender was not told of the close";
}

// ---- scenarios: tasks ---------------------------------------------------------------------------------------------------------

Task<int> tree(int depth) {
  if (depth == 0) co_return 1;
  JoinHandle<int> a = spawn(tree(depth - 1));
  JoinHandle<int> b = spawn(tree(depth - 1));
  JoinResult<int> x = co_await a.join();
  JoinResult<int> y = co_await b.join();
  co_return *x.value + *y.value;
}
Task<void> tree_scenario(Verdict* verdict) {
  const int n = co_await tree(4);
  if (n != 16) *verdict = "a tree of joins counted " + std::to_string(n);
}

Task<void> run_once(int* runs) {
  ++*runs;
  (void)co_await yield();
}
Task<void> once_scenario(Verdict* verdict) {
  std::vector<int> runs(40, 0);
  {
    Scope scope;
    for (int& r : runs) spawn(run_once(&r), {.scope = &scope}).detach();
    (void)co_await scope.join();
  }
  for (const int r : runs)
    if (r != 1) *verdict = "a task ran " + std::to_string(r) + " times";
}

Task<void> sleeps(int* live) {
  ++*live;
  (void)co_await sleep_for(24h);
  --*live;
}
Task<void> parent_that_is_cancelled(int* live) {
  Scope scope;
  for (int i = 0; i < 4; ++i) spawn(sleeps(live), {.scope = &scope}).detach();
  (void)co_await scope.join();
}
Task<void> cancel_scenario(Verdict* verdict) {
  int live = 0;
  const Instant start = now();
  JoinHandle<void> p = spawn(parent_that_is_cancelled(&live));
  for (int i = 0; i < 3; ++i) (void)co_await yield();
  (void)p.cancel();
  (void)co_await p.join();
  if (live != 0) *verdict = "children were alive after their parent";
  if (now() - start > 3'600'000'000'000) *verdict = "a child was not cancelled";
}

Task<void> scope_child(int* ended) {
  (void)co_await yield();
  (void)co_await sleep_for(1ms);
  ++*ended;
}
Task<void> scope_scenario(Verdict* verdict) {
  int ended = 0;
  Scope scope;
  for (int i = 0; i < 5; ++i) spawn(scope_child(&ended), {.scope = &scope}).detach();
  (void)co_await scope.join();
  if (ended != 5) *verdict = "a scope was joined after " + std::to_string(ended) + " of 5 children";
}

// Tasks bound to workers wake each other through the workers' inboxes: several send to one at the same time, and their
// workers are awake, waiting for just that, or on their way to sleep.
Task<void> bound_answers(Channel<int> in, Channel<int> out, int n, unsigned home, bool* astray) {
  for (int i = 0; i < n; ++i) {
    Received<int> r = co_await in.recv();
    if (!r.ok()) co_return;
    if (current_worker()->index != home) *astray = true;
    (void)co_await out.send(*r);
  }
}
Task<int> bound_asks(Channel<int> out, Channel<int> in, int n, unsigned home, bool* astray) {
  int answered = 0;
  for (int i = 0; i < n; ++i) {
    (void)co_await out.send(i);
    Received<int> r = co_await in.recv();
    if (r.ok() && *r == i) ++answered;
    if (current_worker()->index != home) *astray = true;
  }
  co_return answered;
}
Task<void> bound_scenario(Verdict* verdict) {
  constexpr int kEach = 4;
  bool astray = false;
  std::vector<JoinHandle<int>> asking;
  for (int pair = 0; pair < 2; ++pair) {
    Channel<int> question(0);
    Channel<int> answer(0);
    spawn(bound_answers(question, answer, kEach, 0, &astray), {.pin = 0}).detach();
    asking.push_back(spawn(bound_asks(question, answer, kEach, 1, &astray), {.pin = 1}));
  }
  int answered = 0;
  for (JoinHandle<int>& a : asking) answered += (co_await a.join()).value.value_or(0);
  if (answered != 2 * kEach) *verdict = "only " + std::to_string(answered) + " questions were answered";
  if (astray) *verdict = "a bound task ran on another worker";
}

// ---- scenarios: supervisors -----------------------------------------------------------------------------------------------

struct Crew {
  std::vector<int> alive = std::vector<int>(8, 0);  // a child and its own child
  std::uint64_t random = 1;
  int crashes = 0;
  Verdict* verdict = nullptr;

  std::uint64_t below(std::uint64_t n) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % n;
  }
  void rule(bool holds, const char* what) {
    if (!holds && verdict->empty()) *verdict = what;
  }
  [[nodiscard]] bool later_alive(std::size_t i) const {
    for (std::size_t k = i + 1; k < alive.size(); ++k)
      if (alive[k] != 0) return true;
    return false;
  }
};

struct AliveIn {
  AliveIn(Crew* c, std::size_t i) : crew(c), index(i) { ++crew->alive[index]; }
  ~AliveIn() { --crew->alive[index]; }
  AliveIn(const AliveIn&) = delete;
  AliveIn& operator=(const AliveIn&) = delete;
  Crew* crew;
  std::size_t index;
};

Task<void> below_child(Crew* crew, std::size_t index) {
  const AliveIn alive(crew, index);
  (void)co_await sleep_until(kNever);
  const this_task::Shield shield;
  (void)co_await sleep_for(std::chrono::microseconds(crew->below(300)));
}

Task<void> crew_member(Crew* crew, std::size_t index, bool in_group) {
  crew->rule(crew->alive[index] == 0, "two runs of a child at the same time");
  if (in_group) crew->rule(!crew->later_alive(index), "started while one that was added later was alive");
  const AliveIn alive(crew, index);
  JoinHandle<void> below = spawn(below_child(crew, index));
  for (;;) {
    const Status s = co_await sleep_for(std::chrono::microseconds(crew->below(600)));
    if (s != Status::kOk) {
      crew->rule(!crew->later_alive(index), "stopped while one that was added later was alive");
      co_return;
    }
    if (crew->crashes > 0 && crew->below(3) == 0) {
      --crew->crashes;
      if (crew->below(2) == 0) throw std::runtime_error("boom");
      (void)below.cancel();  // it would be waited for
      co_return;             // permanent children are started again after this, too
    }
  }
}

Task<void> supervisor_scenario(std::uint64_t seed, Crew* crew) {
  constexpr std::size_t kChildren = 3;
  crew->random = seed * 0x9E3779B97F4A7C15ULL | 1;
  crew->crashes = 4;
  SupervisorDefinition d{.name = "crew"};
  d.options.strategy = static_cast<Strategy>(seed % 3);
  d.options.intensity = SupervisorOptions::kUnlimited;
  const bool in_group = d.options.strategy != Strategy::kOneForOne;
  for (std::size_t i = 0; i < kChildren; ++i)
    d.children.push_back(child(std::to_string(i), [=](ChildContext&) { return crew_member(crew, i, in_group); }));
  Supervisor s = start_supervisor(std::move(d));
  const auto complete = [crew] {
    for (std::size_t i = 0; i < kChildren; ++i)
      if (crew->alive[i] == 0) return false;
    return crew->crashes == 0;
  };
  for (int i = 0; i < 2000 && !complete(); ++i) (void)co_await sleep_for(100us);
  crew->rule(complete(), "a child was not started again");
  const Instant asked = now();
  (void)s.ref().shutdown();
  const JoinResult<ExitReason> end = co_await s.handle().join();
  crew->rule(end.ok(), "the supervisor failed");
  crew->rule(now() - asked < 1'000'000'000, "a child was not asked to stop");
  for (const int n : crew->alive) crew->rule(n == 0, "a child was alive after its supervisor");
}

// Children come and go by request, while somebody else asks for the counts.
Task<void> hire_and_fire(Crew* crew, SupervisorRef ref, std::size_t first) {
  for (std::size_t i = first; i < first + 2; ++i) {
    const SupervisorReply added =
        co_await ref.start_child(child(std::to_string(i), [=](ChildContext&) { return crew_member(crew, i, false); }));
    crew->rule(added.status == RequestStatus::kOk, "a child could not be added");
    (void)co_await sleep_for(std::chrono::microseconds(crew->below(500)));
    const SupervisorReply gone = co_await ref.terminate_child(added.child);
    crew->rule(gone.status == RequestStatus::kOk, "a child could not be stopped");
    crew->rule(crew->alive[i] == 0, "a child was alive after the answer that it is gone");
  }
}
Task<void> dynamic_scenario(std::uint64_t seed, Crew* crew) {
  crew->random = seed * 0x9E3779B97F4A7C15ULL | 1;
  crew->crashes = 2;
  SupervisorDefinition d{.name = "dynamic"};
  d.options.strategy = Strategy::kDynamic;
  d.options.intensity = SupervisorOptions::kUnlimited;
  Supervisor s = start_supervisor(std::move(d));
  {
    Scope scope;
    JoinHandle<SupervisorReply> counts = spawn(s.ref().counts(), {.scope = &scope});
    spawn(hire_and_fire(crew, s.ref(), 2), {.scope = &scope}).detach();
    const JoinResult<SupervisorReply> reply = co_await counts.join();
    crew->rule(reply.ok() && reply.value->status == RequestStatus::kOk, "a request was not answered");
    (void)co_await scope.join();
  }
  (void)s.ref().shutdown();
  const JoinResult<ExitReason> end = co_await s.handle().join();
  crew->rule(end.ok(), "the supervisor failed");
  for (const int n : crew->alive) crew->rule(n == 0, "a child was alive after its supervisor");
}

// ---- running them -------------------------------------------------------------------------------------------------------------

using Stacks = std::vector<std::unique_ptr<SwitchedStack>>;

Verdict run(int scenario, std::uint64_t seed, Bug bug, Stacks* stacks) {
  CheckHooks hooks;
  hooks.spare_stacks = stacks;
  hooks.bug = bug;
  hooks.switch_every = 2 + static_cast<std::uint32_t>(seed % 7);
  RuntimeConfig config;
  config.workers = 2 + static_cast<unsigned>(seed % 2);
  config.seed = seed;
  config.deterministic = true;
  config.check = &hooks;
  // On the heap and left there when something went wrong: tasks that hang refer to them, and so does their runtime.
  auto* rt = new Runtime(config);
  auto* log = new Log;
  auto* verdict = new Verdict;
  auto* crew = new Crew;
  crew->verdict = verdict;
  Task<void> body;
  bool values = false;
  switch (scenario) {
    case 0: body = channel_scenario(seed / 2 % 3, 2, 2, 4, log), values = true; break;
    case 1: body = timeout_scenario(seed / 2 % 2, log), values = true; break;
    case 2: body = select_scenario(seed / 2 % 2, log), values = true; break;
    case 3: body = fifo_scenario(verdict); break;
    case 4: body = close_scenario(verdict); break;
    case 5: body = tree_scenario(verdict); break;
    case 6: body = once_scenario(verdict); break;
    case 7: body = cancel_scenario(verdict); break;
    case 8: body = scope_scenario(verdict); break;
    case 11: body = supervisor_scenario(seed, crew); break;
    case 12: body = dynamic_scenario(seed, crew); break;
    case 13: body = bound_scenario(verdict); break;
    default: body = channel_scenario(32, 2, 1, 20, log), values = true; break;
  }
  if (scenario == 10) {
    // Work from outside meets workers that are just going to sleep.
    for (int i = 0; i < 5; ++i) {
      const JoinResult<int> one = rt->block_on(tree(0));
      // Some go to sleep before the next one comes, some are on their way.
      std::uint64_t steps = seed * 31 % 400;
      (void)rt->core()->simulation->run_until([&steps] { return steps-- == 0; });
      if (!one.ok()) return "a task from outside ended with " + std::string(status_name(one.status));
    }
    delete rt;
    delete log;
    delete verdict;
    delete crew;
    return {};
  }
  const JoinResult<void> r = rt->block_on(rt->spawn(std::move(body)));
  Verdict found = *verdict;
  if (found.empty() && r.status != Status::kOk) found = "ended with " + std::string(status_name(r.status));
  // Several receivers log what they took after they were given the worker again, so only one receiver shows the order.
  if (found.empty() && values) found = judge_values(*log, 0, scenario == 9);
  if (!found.empty()) return found;
  delete rt;
  delete log;
  delete verdict;
  delete crew;
  return {};
}
constexpr int kScenarios = 14;

class Scenario : public testing::TestWithParam<int> {};

TEST_P(Scenario, HoldsUnderEverySeed) {
  const std::uint64_t first = from_environment("NEOVM_FIRST_SEED", 1);
  const std::uint64_t seeds = from_environment("NEOVM_SEEDS", 10'000);
  Stacks stacks;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const Verdict v = run(GetParam(), seed, Bug::kNone, &stacks);
    ASSERT_TRUE(v.empty()) << "scenario " << GetParam() << ", seed " << seed << ": " << v;
  }
}
INSTANTIATE_TEST_SUITE_P(Interleave, Scenario, testing::Range(0, kScenarios));

TEST(Interleave, ASeedReplays) {
  // The same outcome, that of a mistake included.
  int found = 0;
  for (std::uint64_t seed = 1; seed < 300; ++seed) {
    const Verdict first = run(1, seed, Bug::kDroppedOnLostClaim, nullptr);
    EXPECT_EQ(first, run(1, seed, Bug::kDroppedOnLostClaim, nullptr)) << seed;
    found += first.empty() ? 0 : 1;
  }
  EXPECT_GT(found, 0);
}

struct Planted {
  Bug bug;
  int scenario;
  const char* name;
};
class Mistake : public testing::TestWithParam<Planted> {};

// In a child process: a mistake may well end in a crash or a loop, which is a way of being found.
TEST_P(Mistake, IsFound) {
  constexpr int kFound = 42;
  constexpr unsigned kSecondsForOneSeed = 20;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    for (std::uint64_t seed = 1; seed <= 100'000; ++seed) {
      alarm(kSecondsForOneSeed);
      const Verdict v = run(GetParam().scenario, seed, GetParam().bug, nullptr);
      if (v.empty()) continue;
      std::printf("%s: seed %llu: %s\n", GetParam().name, static_cast<unsigned long long>(seed), v.c_str());
      std::fflush(stdout);
      _exit(kFound);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) std::printf("%s: ended by signal %d\n", GetParam().name, WTERMSIG(status));
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) != 0)
      << GetParam().name << " was not found within 100,000 seeds";
}
INSTANTIATE_TEST_SUITE_P(
    Interleave, Mistake,
    testing::Values(
        Planted{Bug::kNoRecheckBeforePark, 10, "NoRecheckBeforePark"},
        Planted{Bug::kSkippedNotify, 10, "SkippedNotify"}, Planted{Bug::kDoubleClaim, 1, "DoubleClaim"},
        Planted{Bug::kEarlyFree, 1, "EarlyFree"}, Planted{Bug::kSkippedChild, 7, "SkippedChild"},
        Planted{Bug::kScopeOffByOne, 8, "ScopeOffByOne"}, Planted{Bug::kJoinWithoutLook, 5, "JoinWithoutLook"},
        Planted{Bug::kCloseForgetsSenders, 4, "CloseForgetsSenders"},
        Planted{Bug::kDroppedOnLostClaim, 1, "DroppedOnLostClaim"},
        Planted{Bug::kStealWithoutSwap, 6, "StealWithoutSwap"}, Planted{Bug::kLastInFirstOut, 3, "LastInFirstOut"},
        Planted{Bug::kArmBeforeFlag, 7, "ArmBeforeFlag"},
        Planted{Bug::kFavourWithoutSecondLook, 9, "FavourWithoutSecondLook"},
        Planted{Bug::kWithdrawWithoutWait, 9, "WithdrawWithoutWait"},
        Planted{Bug::kInboxWithoutWake, 13, "InboxWithoutWake"},
        Planted{Bug::kInboxWithoutSwap, 13, "InboxWithoutSwap"}, Planted{Bug::kGoneAfterClosing, 8, "GoneAfterClosing"},
        Planted{Bug::kGoneWithoutReference, 5, "GoneWithoutReference"},
        Planted{Bug::kClosedWithoutLook, 6, "ClosedWithoutLook"}, Planted{Bug::kEndLostInStart, 11, "EndLostInStart"},
        Planted{Bug::kEndToldEarly, 11, "EndToldEarly"}, Planted{Bug::kStopSkipped, 11, "StopSkipped"},
        Planted{Bug::kStopsAllAtOnce, 11, "StopsAllAtOnce"}, Planted{Bug::kAnswersBeforeEnd, 12, "AnswersBeforeEnd"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace neovm::worker
