#include "load.hpp"

#include <stdexcept>

#include "neovm/abi/api.hpp"
#include "neovm/worker/supervisor.hpp"
#include "neovm/worker/supervisor_wait.hpp"

namespace neovm::soak {

using namespace worker;  // NOLINT: programs of these names
using namespace std::chrono_literals;

void expect(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// ---- spawn and join: a tree, counted -------------------------------------------------------------------------------

namespace {

Task<int> tree(int depth) {
  if (depth == 0) co_return 1;
  JoinHandle<int> left = spawn(tree(depth - 1));
  JoinHandle<int> right = spawn(tree(depth - 1));
  const JoinResult<int> a = co_await left.join();
  const JoinResult<int> b = co_await right.join();
  co_return (a.ok() ? *a.value : 0) + (b.ok() ? *b.value : 0);
}

}  // namespace

Task<void> spawn_and_join(Counters& c, Random& r) {
  const int depth = 4 + static_cast<int>(r() % 7);
  const int leaves = co_await tree(depth);
  expect(leaves == 1 << depth, "a tree of tasks lost a leaf");
  c.tasks += (2U << depth) - 2;
}

// ---- channels: every value once, whatever the capacity -------------------------------------------------------------

namespace {

Task<void> produce(Channel<std::uint64_t> to, std::uint64_t n) {
  for (std::uint64_t i = 1; i <= n; ++i) {
    const Status sent = co_await to.send(i);
    expect(sent == Status::kOk, "a send was refused");
  }
}
Task<std::uint64_t> consume(Channel<std::uint64_t> from) {
  std::uint64_t sum = 0;
  for (;;) {
    const Received<std::uint64_t> v = co_await from.recv_for(1h);
    if (!v.ok()) co_return sum;
    sum += *v.value;
  }
}

}  // namespace

Task<void> channels(Counters& c, Random& r) {
  static constexpr std::size_t kCapacities[] = {0, 1, 16, 1024};
  const Channel<std::uint64_t> ch(kCapacities[r() % 4]);
  const std::uint64_t each = 50 + r() % 500;
  const std::uint64_t producers = 1 + r() % 3;
  std::vector<JoinHandle<std::uint64_t>> consumers;
  for (std::uint64_t i = 0; i < 1 + r() % 3; ++i) consumers.push_back(spawn(consume(ch)));
  {
    Scope scope;
    for (std::uint64_t i = 0; i < producers; ++i) spawn(produce(ch, each), {.scope = &scope}).detach();
    const Status s = co_await scope.join();
    expect(s == Status::kOk, "a producer failed");
  }
  ch.close();
  std::uint64_t sum = 0;
  for (auto& h : consumers) {
    const JoinResult<std::uint64_t> part = co_await h.join();
    expect(part.ok(), "a consumer failed");
    sum += *part.value;
  }
  expect(sum == producers * each * (each + 1) / 2, "values were lost or doubled in a channel");
  c.tasks += producers + consumers.size();
  c.messages += producers * each;
}

// ---- select: two sources, a stop, timeouts -------------------------------------------------------------------------

namespace {

Task<void> select_into(Channel<int> a, Channel<int> b, int n) {
  for (int i = 0; i < n; ++i) {
    int v = i;
    int w = i;
    SendCase<int> to_a(a, v);
    SendCase<int> to_b(b, w);
    for (;;) {
      const Selected s = co_await select(to_a, to_b).timeout(20ms);
      if (s.status == Status::kOk) break;
      expect(s.status == Status::kTimeout, "a select of sends was refused");
    }
  }
}

}  // namespace

Task<void> selects(Counters& c, Random& r) {
  const Channel<int> a(r() % 3);
  const Channel<int> b(r() % 3);
  const int each = 100 + static_cast<int>(r() % 200);
  JoinHandle<void> one = spawn(select_into(a, b, each));
  JoinHandle<void> two = spawn(select_into(b, a, each));
  RecvCase<int> from_a(a);
  RecvCase<int> from_b(b);
  std::int64_t sum = 0;
  for (int got = 0; got < 2 * each;) {
    const Selected s = co_await select(from_a, from_b).timeout(std::chrono::microseconds(r() % 2000));
    if (s.status != Status::kOk) continue;
    sum += s.index == 0 ? from_a.take() : from_b.take();
    ++got;
  }
  const Status first = (co_await one.join()).status;
  const Status second = (co_await two.join()).status;
  expect(first == Status::kOk && second == Status::kOk, "a selecting sender failed");
  expect(sum == static_cast<std::int64_t>(each) * (each - 1), "values were lost or doubled by a select");
  c.tasks += 2;
  c.messages += 2 * static_cast<std::uint64_t>(each);
}

// ---- timers --------------------------------------------------------------------------------------------------------

Task<void> timers(Counters& c, Random& r) {
  Alarm alarms[16];
  for (int round = 0; round < 20; ++round) {
    for (Alarm& a : alarms) a.set(after(std::chrono::microseconds(100 + r() % 100'000)));
    for (Alarm& a : alarms) (void)a.cancel();
  }
  alarms[0].set(after(std::chrono::microseconds(r() % 2000)));
  const Status rung = co_await alarms[0].wait();
  expect(rung == Status::kOk, "an alarm did not ring");
  Interval beat(1ms);
  for (int i = 0; i < 3; ++i) {
    const Status s = co_await beat.tick();
    expect(s == Status::kOk, "an interval did not tick");
  }
  c.timers += 16 * 20 + 4;
}

// ---- supervisors with children that crash --------------------------------------------------------------------------

namespace {

struct Crew {
  std::atomic<int> alive{0};
  std::atomic<std::uint64_t> starts{0};
};

Task<void> crashing(Crew* crew, std::uint64_t seed) {
  struct Alive {
    explicit Alive(Crew* who) : crew(who) {
      ++crew->alive;
      ++crew->starts;
    }
    ~Alive() { --crew->alive; }
    Alive(const Alive&) = delete;
    Alive& operator=(const Alive&) = delete;
    Crew* crew;
  } const alive(crew);
  Random r(seed + crew->starts.load());
  for (;;) {
    const Status s = co_await sleep_for(std::chrono::microseconds(r() % 3000));
    if (s != Status::kOk) co_return;
    if (r() % 4 == 0) throw std::runtime_error("a crash of the soak");
  }
}

SupervisorDefinition crew_of(const char* name, Crew* crew, Random& r) {
  SupervisorDefinition d{.name = name};
  d.options.strategy = static_cast<Strategy>(r() % 3);
  d.options.intensity = 40;
  d.options.period = 1s;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t seed = r();
    d.children.push_back(child("crashing", [crew, seed](ChildContext&) { return crashing(crew, seed); }));
    d.children.back().spec.id += std::to_string(i);
  }
  return d;
}

}  // namespace

Task<void> supervisors(Counters& c, Random& r) {
  Crew crew;
  SupervisorDefinition d = crew_of("crew", &crew, r);
  d.children.push_back(supervisor_child(crew_of("inner crew", &crew, r), Restart::kTemporary));
  Supervisor s = start_supervisor(std::move(d));
  (void)co_await sleep_for(std::chrono::milliseconds(5 + r() % 60));
  const SupervisorReply counts = co_await s.ref().counts();
  expect(counts.status == RequestStatus::kOk || counts.status == RequestStatus::kSupervisorGone,
         "a supervisor gave no answer");
  (void)s.ref().shutdown();
  const JoinResult<ExitReason> end = co_await s.handle().join();
  expect(end.ok(), "a supervisor failed");
  expect(crew.alive == 0, "a child outlived its supervisor");
  const std::uint64_t starts = crew.starts;
  c.restarts += starts > 8 ? starts - 8 : 0;
  c.tasks += starts + 2;
}

// ---- cancellation and deadlines ------------------------------------------------------------------------------------

namespace {

Task<void> sleeper(Channel<int> never) {
  const Received<int> r = co_await never.recv();
  expect(!r.ok(), "a value came from nowhere");
}
Task<void> family(Channel<int> never) {
  Scope scope;
  for (int i = 0; i < 5; ++i) spawn(sleeper(never), {.scope = &scope}).detach();
  (void)co_await scope.join();
}

}  // namespace

Task<void> cancels(Counters& c, Random& r) {
  const Channel<int> never(0);
  ChildSet<void> set;
  const std::uint64_t n = 5 + r() % 20;
  for (std::uint64_t i = 0; i < n; ++i) {
    SpawnOptions options;
    if (r() % 2 == 0) options.deadline = after(std::chrono::microseconds(r() % 3000));
    set.add(spawn(family(never), options));
  }
  for (std::uint64_t i = 0; i < n; i += 2) (void)set.cancel(i);
  auto seen = co_await set.wait_for(std::chrono::microseconds(r() % 3000));
  std::size_t ended = seen.ended.size();
  for (const std::uint64_t tag : seen.running) (void)set.cancel(tag);
  seen = co_await set.wait_for(1h);
  ended += seen.ended.size();
  expect(seen.running.empty() && ended == n, "the end of a cancelled task was not told");
  c.tasks += n * 6;
  c.cancels += n * 6;
}

// ---- values between heaps ------------------------------------------------------------------------------------------

namespace {

struct Side {
  Isolate isolate{IsolateOptions{}};
  Context cx{isolate};
  Transfer transfer;
  explicit Side(FragmentPool& pool) : transfer(pool) {}
  void safepoint() {
    if (cx.heap().gc_requested()) cx.heap().collect(core::CollectKind::kMinor, nullptr);
  }
};

// A list of numbers, strings and floats that knows its own sum.
Value make_list(Context& cx, Random& r, std::int64_t* sum) {
  Value l = kNil;
  const std::uint64_t n = 20 + r() % 300;
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto number = static_cast<std::int64_t>(r() % 1000);
    *sum += number;
    Value item = Value::fixnum(number);
    if (i % 7 == 0) item = cons(cx, item, make_string(cx, std::string(r() % 3000, 's')));
    if (i % 11 == 0) item = cons(cx, item, make_float(cx, static_cast<double>(number)));
    l = cons(cx, item, l);
  }
  return l;
}
std::int64_t sum_of(Value l) {
  std::int64_t sum = 0;
  for (; l.is_cons(); l = cdr_raw(l)) {
    Value item = car_raw(l);
    while (item.is_cons()) item = car_raw(item);
    sum += item.as_fixnum();
  }
  return sum;
}

}  // namespace

Task<void> transfers(Counters& c, Random& r) {
  FragmentPool pool;
  Side here(pool);
  Side there(pool);
  for (int i = 0; i < 40; ++i) {
    std::int64_t sum = 0;
    Message m;
    expect(here.transfer.send(here.cx, make_list(here.cx, r, &sum), {}, &m).ok(), "a list did not travel");
    if (r() % 8 != 0) {  // otherwise it is dropped unreceived
      const Value copy = there.transfer.receive(there.cx, std::move(m));
      expect(!copy.is_exit() && sum_of(copy) == sum, "a list arrived changed");
    }
    here.safepoint();
    there.safepoint();
    if (this_task::poll(64)) (void)co_await yield();
  }
  c.transfers += 40;
}

// ---- blocking calls and native stacks ------------------------------------------------------------------------------

Task<void> calls(Counters& c, Random& r) {
  std::atomic<int> done{0};
  for (int i = 0; i < 4; ++i) {
    const Status s = co_await blocking([&done] { ++done; });
    expect(s == Status::kOk, "a blocking call was refused");
  }
  const Channel<int> ch(1);
  const auto pause = std::chrono::microseconds(r() % 1000);
  co_await on_native_stack([&] {
    (void)wait(sleep_for(pause));
    (void)wait(ch.send(7));
    ++done;
  });
  const Received<int> seven = co_await ch.recv();
  expect(done == 5 && seven.ok() && *seven.value == 7, "a native call lost its outcome");
  c.calls += 5;
}

}  // namespace neovm::soak
