#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

#include "neovm/worker.hpp"

namespace neovm::worker {
namespace {

using namespace std::chrono_literals;

Task<int> answer(int n) { co_return n; }
Task<std::int64_t> sum_to(int n) {
  std::int64_t s = 0;
  for (int i = 1; i <= n; ++i) s += co_await answer(i);
  co_return s;
}
Task<int> fails() {
  throw std::runtime_error("no luck");
  co_return 0;
}

TEST(Task, RunsToItsValue) {
  Runtime rt({.workers = 2});
  const JoinResult<std::int64_t> r = rt.block_on(sum_to(100));
  EXPECT_EQ(r.status, Status::kOk);
  EXPECT_EQ(r.value, 5050);
}

TEST(Task, ManyInlineAwaitsNeedNoStack) {
  Runtime rt({.workers = 1});
  EXPECT_EQ(rt.block_on(sum_to(300'000)).status, Status::kOk);
}

Task<int> fan_out(int n) {
  std::vector<JoinHandle<int>> handles;
  for (int i = 0; i < n; ++i) handles.push_back(spawn(answer(i)));
  int s = 0;
  for (auto& h : handles) {
    JoinResult<int> r = co_await h.join();
    if (r.ok()) s += *r.value;
  }
  co_return s;
}

TEST(Task, SpawnsAndJoinsManyChildren) {
  for (const unsigned workers : {1U, 2U, 4U}) {
    Runtime rt({.workers = workers});
    EXPECT_EQ(rt.block_on(fan_out(2000)).value, 1999 * 1000);
  }
}

Task<std::uint64_t> fib(std::uint64_t n) {
  if (n < 2) co_return n;
  JoinHandle<std::uint64_t> a = spawn(fib(n - 1));
  const std::uint64_t b = co_await fib(n - 2);
  JoinResult<std::uint64_t> r = co_await a.join();
  co_return *r.value + b;
}

TEST(Task, ForkJoinTree) {
  Runtime rt({.workers = 3});
  EXPECT_EQ(rt.block_on(fib(18)).value, 2584U);
}

TEST(Task, AnErrorArrivesAtTheJoin) {
  Runtime rt({.workers = 1});
  const JoinResult<int> r = rt.block_on(fails());
  EXPECT_EQ(r.status, Status::kFailed);
  EXPECT_EQ(error_text(r.error), "no luck");
}

Task<int> catches() {
  try {
    co_return co_await fails();
  } catch (const std::runtime_error&) {
    co_return 7;
  }
}

TEST(Task, AnErrorOfAnInlineAwaitIsThrownThere) {
  Runtime rt({.workers = 1});
  EXPECT_EQ(rt.block_on(catches()).value, 7);
}

Task<Status> join_twice() {
  JoinHandle<int> h = spawn(answer(1));
  JoinResult<int> first = co_await h.join();
  if (!first.ok()) co_return first.status;
  JoinResult<int> second = co_await h.join();
  co_return second.status;
}

TEST(Task, JoiningTwiceIsRefused) {
  Runtime rt({.workers = 1});
  EXPECT_EQ(rt.block_on(join_twice()).value, Status::kAlreadyAwaited);
}

struct SelfJoin {
  JoinHandle<void> mine;
  Status seen = Status::kPending;
};
Task<void> join_self(SelfJoin* s) {
  (void)co_await yield();
  JoinResult<void> r = co_await s->mine.join();
  s->seen = r.status;
}
Task<void> start_self_join(SelfJoin* s) {
  s->mine = spawn(join_self(s));
  while (s->seen == Status::kPending) (void)co_await yield();
}

TEST(Task, JoiningItselfIsADeadlock) {
  Runtime rt({.workers = 1});
  SelfJoin s;
  rt.block_on(start_self_join(&s));
  EXPECT_EQ(s.seen, Status::kDeadlock);
}

struct Ring {
  std::vector<JoinHandle<void>> handles;
  std::atomic<bool> complete{false};
  std::atomic<int> deadlocks{0};
  std::atomic<int> ok{0};
};
Task<void> join_next(Ring* r, std::size_t i) {
  while (!r->complete.load()) (void)co_await yield();
  JoinResult<void> got = co_await r->handles[(i + 1) % r->handles.size()].join();
  (got.status == Status::kDeadlock ? r->deadlocks : r->ok).fetch_add(1);
}
Task<void> ring_of_joins(Ring* r, std::size_t n) {
  Scope scope;
  r->handles.resize(n);
  for (std::size_t i = 0; i < n; ++i) r->handles[i] = spawn(join_next(r, i), {.scope = &scope});
  r->complete = true;
  (void)co_await scope.join();
}

TEST(Task, ACycleOfJoinsIsFound) {
  for (int round = 0; round < 200; ++round) {
    Runtime rt({.workers = 2});
    Ring r;
    rt.block_on(ring_of_joins(&r, 5));
    EXPECT_GE(r.deadlocks.load(), 1);
    EXPECT_EQ(r.deadlocks.load() + r.ok.load(), 5);
  }
}

Task<Status> join_the_parent(JoinHandle<void>* parent, std::atomic<Status>* out) {
  (void)co_await yield();
  JoinResult<void> r = co_await parent->join();
  out->store(r.status);
  co_return r.status;
}
Task<void> parent_of(JoinHandle<void>* self, std::atomic<Status>* out) {
  JoinHandle<Status> child = spawn(join_the_parent(self, out));
  child.detach();
  co_return;
}
Task<void> grandparent(JoinHandle<void>* slot, std::atomic<Status>* out) {
  *slot = spawn(parent_of(slot, out), {.detached = true});
  while (out->load() == Status::kPending) (void)co_await yield();
}

TEST(Task, JoiningAnAncestorIsADeadlock) {
  Runtime rt({.workers = 1});
  JoinHandle<void> slot;
  std::atomic<Status> out{Status::kPending};
  rt.block_on(grandparent(&slot, &out));
  EXPECT_EQ(out.load(), Status::kDeadlock);
}

Task<Status> sleeps(Duration d) { co_return co_await sleep_for(d); }
Task<Status> cancel_a_sleeper() {
  JoinHandle<Status> h = spawn(sleeps(1h));
  (void)co_await sleep_for(1ms);
  EXPECT_EQ(h.status(), Status::kPending);
  EXPECT_EQ(h.cancel(), Status::kOk);
  JoinResult<Status> r = co_await h.join();
  co_return r.ok() ? *r.value : r.status;
}

TEST(Task, CancellationEndsAWait) {
  for (const unsigned workers : {1U, 2U}) {
    Runtime rt({.workers = workers});
    EXPECT_EQ(rt.block_on(cancel_a_sleeper()).value, Status::kCancelled);
  }
}

Task<Status> cancel_before_begin() {
  JoinHandle<int> h = spawn(answer(1));
  (void)h.cancel();
  JoinResult<int> r = co_await h.join();
  co_return r.status;
}

TEST(Task, ACancelledTaskThatHadNotBegunNeverBegins) {
  Runtime rt({.workers = 1});
  EXPECT_EQ(rt.block_on(cancel_before_begin()).value, Status::kCancelled);
}

Task<Status> cancel_finished() {
  JoinHandle<int> h = spawn(answer(3));
  while (h.status() == Status::kPending) (void)co_await yield();
  const TaskRef ref = h.ref();
  EXPECT_EQ(ref.cancel(), Status::kOk);
  JoinResult<int> r = co_await h.join();
  EXPECT_EQ(ref.status(), Status::kOk);
  co_return r.status;
}

TEST(Task, CancellingAFinishedTaskDoesNothing) {
  Runtime rt({.workers = 1});
  EXPECT_EQ(rt.block_on(cancel_finished()).value, Status::kOk);
}

Task<Status> past_deadline() {
  JoinHandle<int> h = spawn(answer(1), {.deadline = 1});
  JoinResult<int> r = co_await h.join();
  co_return r.status;
}
Task<Status> late_sleeper() {
  JoinHandle<Status> h = spawn(sleeps(1h), {.deadline = after(2ms)});
  JoinResult<Status> r = co_await h.join();
  co_return *r.value;
}

TEST(Task, Deadlines) {
  Runtime rt({.workers = 2});
  EXPECT_EQ(rt.block_on(past_deadline()).value, Status::kDeadline);
  EXPECT_EQ(rt.block_on(late_sleeper()).value, Status::kDeadline);
}

Task<Status> grandchild() { co_return co_await sleep_for(1h); }
Task<Status> child_of() {
  JoinHandle<Status> h = spawn(grandchild());
  JoinResult<Status> r = co_await h.join();
  co_return r.ok() ? *r.value : r.status;
}
Task<Status> deadline_passes_down() {
  JoinHandle<Status> h = spawn(child_of(), {.deadline = after(2ms)});
  JoinResult<Status> r = co_await h.join();
  co_return r.ok() ? *r.value : r.status;
}

TEST(Task, DeadlinesPassDown) {
  Runtime rt({.workers = 2});
  EXPECT_EQ(rt.block_on(deadline_passes_down()).value, Status::kDeadline);
}

Task<Status> join_with_timeout() {
  JoinHandle<Status> h = spawn(sleeps(1h));
  JoinResult<Status> r = co_await h.join_for(1ms);
  EXPECT_EQ(r.status, Status::kTimeout);
  EXPECT_TRUE(static_cast<bool>(h));
  (void)h.cancel();
  r = co_await h.join();
  co_return *r.value;
}

TEST(Task, AJoinMayTimeOutAndBeMadeAgain) {
  Runtime rt({.workers = 2});
  EXPECT_EQ(rt.block_on(join_with_timeout()).value, Status::kCancelled);
}

Task<void> count_down(std::atomic<int>* n) {
  (void)co_await sleep_for(2ms);
  n->fetch_add(1);
}
Task<void> forgets_its_children(std::atomic<int>* n) {
  for (int i = 0; i < 10; ++i) spawn(count_down(n)).detach();
  co_return;
}

TEST(Task, ATaskEndsAfterItsChildren) {
  Runtime rt({.workers = 2});
  std::atomic<int> n{0};
  EXPECT_EQ(rt.block_on(forgets_its_children(&n)).status, Status::kOk);
  EXPECT_EQ(n.load(), 10);
}

Task<Status> poller(std::atomic<bool>* running) {
  running->store(true);
  while (true) {
    const Status s = this_task::cancelled();
    if (s != Status::kOk) co_return s;
    if (this_task::poll()) (void)co_await yield();
  }
}
Task<Status> cancel_a_loop() {
  std::atomic<bool> running{false};
  JoinHandle<Status> h = spawn(poller(&running));
  while (!running.load()) (void)co_await yield();
  (void)co_await sleep_for(3ms);
  (void)h.cancel();
  JoinResult<Status> r = co_await h.join();
  co_return *r.value;
}

TEST(Task, APollingLoopGivesWayAndIsCancelled) {
  for (const unsigned workers : {1U, 2U}) {
    Runtime rt({.workers = workers});
    EXPECT_EQ(rt.block_on(cancel_a_loop()).value, Status::kCancelled);
  }
}

Task<Status> shielded(Channel<int> ch) {
  Status inside = Status::kPending;
  (void)co_await sleep_for(1h);
  {
    this_task::Shield shield;
    Received<int> r = co_await ch.recv();
    inside = r.status;
  }
  Received<int> r = co_await ch.recv();
  EXPECT_EQ(r.status, Status::kCancelled);
  co_return inside;
}
Task<Status> shield_test() {
  Channel<int> ch(1);
  JoinHandle<Status> h = spawn(shielded(ch));
  (void)co_await yield();
  (void)h.cancel();
  (void)co_await sleep_for(1ms);
  (void)co_await ch.send(1);
  JoinResult<Status> r = co_await h.join();
  co_return *r.value;
}

TEST(Task, AShieldHidesCancellation) {
  Runtime rt({.workers = 1});
  EXPECT_EQ(rt.block_on(shield_test()).value, Status::kOk);
}

Task<void*> read_local(const void* key) { co_return this_task::local(key); }
Task<bool> locals() {
  static const int key = 0;
  int value = 5;
  this_task::set_local(&key, &value);
  JoinHandle<void*> h = spawn(read_local(&key));
  JoinResult<void*> r = co_await h.join();
  co_return *r.value == &value;
}

TEST(Task, LocalsAreInherited) {
  Runtime rt({.workers = 1});
  EXPECT_EQ(rt.block_on(locals()).value, true);
}

Task<void> set_flag(std::thread::id* where) {
  *where = std::this_thread::get_id();
  co_return;
}
Task<void> runs_main_only(std::thread::id* where) {
  JoinHandle<void> h = spawn(set_flag(where), {.main_only = true});
  (void)co_await h.join();
}

TEST(Task, MainOnlyTasksRunInBlockOn) {
  Runtime rt({.workers = 2});
  std::thread::id where;
  rt.block_on(runs_main_only(&where));
  EXPECT_EQ(where, std::this_thread::get_id());
}

struct Counter3 {
  int steps = 0;
  bool destroyed = false;
};
TEST(Task, StepTasks) {
  Runtime rt({.workers = 2});
  Counter3 c;
  StepTask task{[](void* p, TaskHeader&) {
                  auto* k = static_cast<Counter3*>(p);
                  return ++k->steps == 5 ? Step::kDone : Step::kYield;
                },
                [](void* p) { static_cast<Counter3*>(p)->destroyed = true; }, &c};
  EXPECT_EQ(rt.block_on(rt.spawn(task)).status, Status::kOk);
  EXPECT_EQ(c.steps, 5);
  EXPECT_TRUE(c.destroyed);
}

using IntRecv = decltype(Channel<int>().recv());
struct StepReceiver {
  Channel<int> ch;
  std::optional<IntRecv> op;
  std::atomic<int> got{0};
};
Step receive_step(void* p, TaskHeader& self) {
  auto* s = static_cast<StepReceiver*>(p);
  for (;;) {
    if (s->op) {
      Received<int> r = s->op->finish();
      s->op.reset();
      if (!r.ok()) return Step::kDone;
      s->got.fetch_add(*r);
    }
    s->op.emplace(s->ch.core(), Status::kOk);
    if (!s->op->begin(waiter_of(self))) return Step::kPark;
  }
}
Task<void> send_many(Channel<int> ch, int n) {
  for (int i = 0; i < n; ++i) (void)co_await ch.send(1);
  ch.close();
}

TEST(Task, StepTasksParkOnChannels) {
  Runtime rt({.workers = 2});
  for (const std::size_t capacity : {0U, 1U, 64U}) {
    StepReceiver s{Channel<int>(capacity), {}, {}};
    JoinHandle<void> receiver = rt.spawn(StepTask{receive_step, nullptr, &s});
    rt.block_on(send_many(s.ch, 20'000));
    EXPECT_EQ(rt.block_on(std::move(receiver)).status, Status::kOk);
    EXPECT_EQ(s.got.load(), 20'000);
  }
}

Task<int> native(Channel<int> in, Channel<int> out) {
  int total = 0;
  co_await on_native_stack([&] {
    for (;;) {
      std::optional<Received<int>> r = wait(in.recv());
      if (!r || !r->ok()) break;
      total += **r;
      (void)wait(out.send(**r));
    }
  });
  co_return total;
}
Task<int> with_native() {
  Channel<int> in(0);
  Channel<int> out(0);
  JoinHandle<int> h = spawn(native(in, out));
  for (int i = 1; i <= 100; ++i) {
    (void)co_await in.send(i);
    Received<int> r = co_await out.recv();
    EXPECT_EQ(*r, i);
  }
  in.close();
  JoinResult<int> r = co_await h.join();
  co_return *r.value;
}

TEST(Task, ParksUnderANativeStack) {
  for (const unsigned workers : {1U, 2U, 3U}) {
    Runtime rt({.workers = workers});
    EXPECT_EQ(rt.block_on(with_native()).value, 5050);
  }
}

Task<void> native_throws() {
  co_await on_native_stack([] {
    try {
      throw std::runtime_error("inner");
    } catch (...) {
      (void)wait(sleep_for(1ms));  // parked inside a handler
      throw;
    }
  });
}

TEST(Task, ExceptionsLeaveANativeStack) {
  Runtime rt({.workers = 1});
  const JoinResult<void> r = rt.block_on(native_throws());
  EXPECT_EQ(error_text(r.error), "inner");
}

Task<int> run_blocking() {
  std::atomic<int> n{0};
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 8; ++i)
    handles.push_back(spawn_call({}, [&n]() -> Task<void> {
      (void)co_await blocking([&n] {
        std::this_thread::sleep_for(1ms);
        n.fetch_add(1);
      });
    }));
  for (auto& h : handles) (void)co_await h.join();
  BlockingOp op([] { throw std::runtime_error("x"); });
  const Status failed = co_await op;
  EXPECT_EQ(failed, Status::kFailed);
  EXPECT_EQ(error_text(op.error()), "x");
  co_return n.load();
}

TEST(Task, BlockingWorkRunsElsewhere) {
  Runtime rt({.workers = 1});
  EXPECT_EQ(rt.block_on(run_blocking()).value, 8);
}

}  // namespace
}  // namespace neovm::worker
