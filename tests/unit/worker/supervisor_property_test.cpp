// Random trees of supervisors with random children, in deterministic mode: rules that hold in every order of events.
//
//  - Two runs of one child are never alive at the same time.
//  - Where children restart in groups, nobody starts while one added later is alive; and unless somebody asked for a single child
//    to be stopped, nobody is stopped while one added later is alive.
//  - Every request is answered, every supervisor ends, and then no child is alive.
// NEOVM_SEEDS=N tries N seeds (the first one is NEOVM_FIRST_SEED).
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "neovm/worker.hpp"
#include "neovm/worker/supervisor.hpp"

namespace neovm::worker {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::uint64_t environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// One supervisor's children, as the test sees them. Deterministic mode has one thread, so plain memory will do.
struct Group {
  bool in_groups = false;  // one_for_all, rest_for_one
  bool ordered_stops = false;
  std::vector<int> alive;
};

struct World {
  std::mt19937_64 random;
  bool requests = false;  // single children are stopped and started on request
  std::uint64_t begun = 0, broken = 0;
  std::string first_broken;
  std::vector<std::unique_ptr<Group>> groups;

  std::uint64_t below(std::uint64_t n) { return random() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  void rule(bool holds, const char* what) {
    if (holds) return;
    ++broken;
    if (first_broken.empty()) first_broken = what;
  }
};

struct Alive {
  Alive(World& w, Group& g, std::size_t i) : group(g), index(i) {
    ++w.begun;
    w.rule(++g.alive[i] == 1, "two runs of a child at the same time");
    if (g.in_groups && !w.requests) w.rule(!later_alive(), "started before one that was added earlier");
  }
  ~Alive() { --group.alive[index]; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  [[nodiscard]] bool later_alive() const {
    for (std::size_t j = index + 1; j < group.alive.size(); ++j)
      if (group.alive[j] != 0) return true;
    return false;
  }
  Group& group;
  std::size_t index;
};

// A child's own child, which must be gone, too, before the child counts as ended.
Task<void> grandchild(World* w, Group* group, std::size_t index) {
  const Alive alive(*w, *group, index);
  (void)co_await sleep_until(kNever);
  const this_task::Shield shield;
  (void)co_await sleep_for(microseconds(w->below(3000)));
}

Task<void> body(World* w, Group* group, std::size_t index, Group* below) {
  const Alive alive(*w, *group, index);
  if (below != nullptr) spawn(grandchild(w, below, index)).detach();
  for (;;) {
    const Status s = co_await sleep_for(microseconds(w->below(4000)));
    if (s != Status::kOk) {
      if (group->ordered_stops) w->rule(!alive.later_alive(), "stopped before one that was added later");
      const this_task::Shield shield;
      (void)co_await sleep_for(microseconds(w->below(3000)));
      if (w->chance(10)) throw std::runtime_error("trouble while stopping");
      co_return;
    }
    if (w->chance(12)) throw std::runtime_error("boom");
    if (w->chance(6)) co_return;
    if (w->chance(30)) (void)co_await yield();
  }
}

SupervisorDefinition definition(World& w, int depth, const std::string& name) {
  static constexpr Restart kRestarts[] = {Restart::kPermanent, Restart::kTransient, Restart::kTemporary};
  SupervisorDefinition d{.name = name};
  d.options.strategy = static_cast<Strategy>(w.below(3));
  d.options.intensity = w.chance(20) ? SupervisorOptions::kUnlimited : static_cast<std::uint32_t>(w.below(12));
  d.options.period = milliseconds(1 + w.below(40));
  if (w.chance(30))
    d.options.auto_shutdown = w.chance(50) ? AutoShutdown::kAnySignificant : AutoShutdown::kAllSignificant;
  if (w.chance(30))
    d.options.backoff = {.initial = microseconds(500), .max = milliseconds(8), .jitter = 0.5, .seed = w.random()};
  const std::size_t n = 1 + w.below(5);
  Group* const group = w.groups.emplace_back(std::make_unique<Group>()).get();
  Group* const below = w.groups.emplace_back(std::make_unique<Group>()).get();
  group->in_groups = d.options.strategy != Strategy::kOneForOne;
  group->ordered_stops = !w.requests;
  group->alive.resize(n + 8);
  below->alive.resize(n + 8);
  for (std::size_t i = 0; i < n; ++i) {
    const Restart restart = kRestarts[w.below(3)];
    const std::string id = name + "." + std::to_string(i);
    if (depth < 2 && w.chance(20)) {
      d.children.push_back(supervisor_child(definition(w, depth + 1, id), restart));
    } else {
      Group* const own = w.chance(30) ? below : nullptr;
      d.children.push_back(child(
          id, [&w, group, i, own](ChildContext&) { return body(&w, group, i, own); }, restart));
      if (w.chance(20)) d.children.back().spec.stop = StopPolicy::infinity();
      d.children.back().spec.significant =
          d.options.auto_shutdown != AutoShutdown::kNever && restart != Restart::kPermanent && w.chance(40);
    }
  }
  return d;
}

Task<void> ask(World* w, SupervisorRef ref, Group* group, std::size_t first_free) {
  for (std::size_t k = 0; k < 8; ++k) {
    if (co_await sleep_for(microseconds(w->below(5000))) != Status::kOk) co_return;
    const std::string id = "root." + std::to_string(w->below(6));
    const std::size_t index = first_free + k;
    SupervisorReply r;
    switch (w->below(5)) {
      case 0: r = co_await ref.terminate_child(id); break;
      case 1: r = co_await ref.restart_child(id); break;
      case 2: r = co_await ref.delete_child(id); break;
      case 3: r = co_await ref.children(); break;
      default:
        r = co_await ref.start_child(child("root." + std::to_string(index), [w, group, index](ChildContext&) {
          return body(w, group, index, nullptr);
        }));
    }
    if (r.status == RequestStatus::kSupervisorGone) co_return;
  }
}

TEST(SupervisorProperty, RulesHoldInEveryOrder) {
  const std::uint64_t first = environment("NEOVM_FIRST_SEED", 1);
  const std::uint64_t count = environment("NEOVM_SEEDS", kSanitized ? 1000 : 30'000);
  std::uint64_t begun = 0, ended_alone = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    World w;
    w.random.seed(seed);
    w.requests = w.chance(40);
    RuntimeConfig config;
    config.deterministic = true;
    config.seed = seed;
    Runtime rt(std::move(config));
    SupervisorDefinition d = definition(w, 0, "root");
    const std::size_t free = d.children.size();
    Supervisor s = start_supervisor(rt, std::move(d));
    Group* const root = w.groups[0].get();
    const Status asked = rt.block_on([](World* world, SupervisorRef ref, Group* group, std::size_t from) -> Task<void> {
                             if (world->requests) co_await ask(world, ref, group, from);
                             (void)co_await sleep_for(microseconds(world->below(60'000)));
                           }(&w, s.ref(), root, free))
                             .status;
    ASSERT_EQ(asked, Status::kOk) << "seed " << seed;
    if (s.handle().status() != Status::kPending) ++ended_alone;
    const bool cancels = !w.chance(50);
    if (cancels) {
      (void)s.handle().cancel();
    } else {
      (void)s.ref().shutdown();
    }
    const Status end = rt.block_on(std::move(s.handle())).status;
    // Cancelled before it began (some seeds wait for no time at all before), it never begins; otherwise it ends in order.
    if (end != Status::kOk) {
      ASSERT_TRUE(cancels && w.begun == 0 && end == Status::kCancelled) << status_name(end) << ", seed " << seed;
    }
    for (const auto& g : w.groups)
      for (const int alive : g->alive) ASSERT_EQ(alive, 0) << "alive at the end, seed " << seed;
    ASSERT_EQ(w.broken, 0U) << w.first_broken << ", seed " << seed;
    begun += w.begun;
  }
  // The rules were put to the test: children were restarted, and some supervisors gave up.
  if (count < 1000) return;  // a seed that is looked at alone
  EXPECT_GT(begun, 5 * count);
  EXPECT_GT(ended_alone, count / 20);
}

}  // namespace
}  // namespace neovm::worker
