#include <gtest/gtest.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include "neovm/worker.hpp"

namespace neovm::worker {
namespace {

using namespace std::chrono_literals;

Task<void> send_range(Channel<int> ch, int from, int to) {
  for (int i = from; i < to; ++i)
    if (co_await ch.send(i) != Status::kOk) co_return;
}
Task<long> drain(Channel<int> ch) {
  long sum = 0;
  for (;;) {
    Received<int> r = co_await ch.recv();
    if (!r.ok()) co_return sum;
    sum += *r;
  }
}
Task<bool> drain_in_order(Channel<int> ch) {
  int next = 0;
  for (;;) {
    Received<int> r = co_await ch.recv();
    if (!r.ok()) co_return true;
    if (*r != next++) co_return false;
  }
}

Task<long> many_to_many(std::size_t capacity, int senders, int receivers, int each) {
  Channel<int> ch(capacity);
  std::vector<JoinHandle<long>> in;
  for (int i = 0; i < receivers; ++i) in.push_back(spawn(drain(ch)));
  {
    Scope scope;
    for (int i = 0; i < senders; ++i) spawn(send_range(ch, 0, each), {.scope = &scope}).detach();
    (void)co_await scope.join();
  }
  ch.close();
  long sum = 0;
  for (auto& h : in) {
    JoinResult<long> r = co_await h.join();
    sum += *r.value;
  }
  co_return sum;
}

TEST(Channel, EveryValueArrivesOnce) {
  for (const unsigned workers : {1U, 2U, 4U})
    for (const std::size_t capacity :
         {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{16}, std::size_t{1024}, kUnbounded})
      for (const int parties : {1, 3}) {
        Runtime rt({.workers = workers});
        const int each = 3000;
        EXPECT_EQ(rt.block_on(many_to_many(capacity, parties, parties, each)).value,
                  static_cast<long>(parties) * each * (each - 1) / 2)
            << workers << " workers, capacity " << capacity << ", " << parties << " parties";
      }
}

Task<bool> one_to_one(std::size_t capacity, int n) {
  Channel<int> ch(capacity);
  JoinHandle<bool> h = spawn(drain_in_order(ch));
  co_await send_range(ch, 0, n);
  ch.close();
  JoinResult<bool> r = co_await h.join();
  co_return *r.value;
}

TEST(Channel, OneSenderAndOneReceiverKeepTheOrder) {
  for (const unsigned workers : {1U, 2U, 3U})
    for (const std::size_t capacity :
         {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{1024}, kUnbounded}) {
      Runtime rt({.workers = workers});
      EXPECT_EQ(rt.block_on(one_to_one(capacity, 50'000)).value, true) << workers << ", " << capacity;
    }
}

// Two workers that keep meeting at one channel: it splits, and stays right. The value sleeps while it moves, which is under
// the channel's lock, so that the other side finds the lock held on any machine.
struct SleepyValue {
  int n = 0;
  SleepyValue() = default;
  explicit SleepyValue(int value) : n(value) {}
  SleepyValue(SleepyValue&& other) noexcept : n(other.n) { std::this_thread::sleep_for(std::chrono::microseconds(50)); }
  SleepyValue& operator=(SleepyValue&& other) noexcept {
    n = other.n;
    return *this;
  }
};
Task<void> send_sleepy(Channel<SleepyValue> ch, int n) {
  for (int i = 0; i < n; ++i)
    if (co_await ch.send(SleepyValue(i)) != Status::kOk) co_return;
}
Task<bool> pull_until_split(Channel<SleepyValue> ch, int n, bool* split) {
  for (int i = 0; i < n && !*split; ++i) {
    Received<SleepyValue> r = co_await ch.recv();
    if (!r.ok() || r->n != i) co_return false;
    *split = ch.core()->split();
  }
  ch.close();
  co_return true;
}

TEST(Channel, SplitsUnderContention) {
  Runtime rt({.workers = 2});
  bool split = false;
  for (int round = 0; round < 100 && !split; ++round) {
    Channel<SleepyValue> ch(256);
    JoinHandle<void> sender = rt.spawn(send_sleepy(ch, 2'000), {.pin = 0});
    JoinHandle<bool> receiver = rt.spawn(pull_until_split(ch, 2'000, &split), {.pin = 1});
    EXPECT_EQ(rt.block_on(std::move(receiver)).value, true);
    EXPECT_EQ(rt.block_on(std::move(sender)).status, Status::kOk);
  }
  EXPECT_TRUE(split);
}

Task<void> closing() {
  Channel<int> ch(4);
  EXPECT_EQ(co_await ch.send(1), Status::kOk);
  EXPECT_EQ(co_await ch.send(2), Status::kOk);
  ch.close();
  ch.close();
  EXPECT_TRUE(ch.closed());
  EXPECT_EQ(co_await ch.send(3), Status::kClosed);
  Received<int> r = co_await ch.recv();
  EXPECT_EQ(*r, 1);
  r = co_await ch.recv();
  EXPECT_EQ(*r, 2);
  r = co_await ch.recv();
  EXPECT_EQ(r.status, Status::kClosed);
}
Task<Status> waits_to_send(Channel<int> ch) { co_return co_await ch.send(9); }
Task<Status> waits_to_receive(Channel<int> ch) {
  Received<int> r = co_await ch.recv();
  co_return r.status;
}
Task<void> close_wakes() {
  Channel<int> empty(0);
  Channel<int> full(1);
  (void)co_await full.send(1);
  JoinHandle<Status> a = spawn(waits_to_receive(empty));
  JoinHandle<Status> b = spawn(waits_to_send(full));
  for (int i = 0; i < 5; ++i) (void)co_await yield();
  empty.close();
  full.close();
  JoinResult<Status> ra = co_await a.join();
  JoinResult<Status> rb = co_await b.join();
  EXPECT_EQ(*ra.value, Status::kClosed);
  EXPECT_EQ(*rb.value, Status::kClosed);
}

// A worker that uses a channel alone has it for itself, until somebody else comes.
Task<bool> send_and_receive(Channel<int> ch, int n) {
  for (int i = 0; i < n; ++i) {
    const Status s = co_await ch.send(i);
    Received<int> r = co_await ch.recv();
    if (s != Status::kOk || !r.ok() || *r != i) co_return false;
  }
  co_return true;
}
Task<int> count_in_order(Channel<int> ch) {
  for (int next = 0;; ++next) {
    Received<int> r = co_await ch.recv();
    if (!r.ok()) co_return next;
    if (*r != next) co_return -1;
  }
}
bool threads_can_be_fenced() {
#if defined(__SANITIZE_THREAD__)
  return false;
#else
  const long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  return commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0;
#endif
}

TEST(Channel, FavoursAWorkerThatIsAlone) {
  Runtime rt({.workers = 2});
  for (const std::size_t capacity : {1U, 64U}) {
    Channel<int> ch(capacity);
    // Found alone a number of times, in spite of whatever else the machine does: nobody else knows the channel.
    EXPECT_EQ(rt.block_on(rt.spawn(send_and_receive(ch, 1000), {.pin = 0})).value, true);
    EXPECT_EQ(ch.core()->favours(), threads_can_be_fenced());
    JoinHandle<int> favourite = rt.spawn(count_in_order(ch), {.pin = 0});
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(wait(ch.send(i)), Status::kOk);
    EXPECT_FALSE(ch.core()->favours());
    ch.close();
    EXPECT_EQ(rt.block_on(std::move(favourite)).value, 2000);
  }
}

TEST(Channel, ClosingDrainsAndWakes) {
  Runtime rt({.workers = 2});
  rt.block_on(closing());
  rt.block_on(close_wakes());
}

Task<void> timeouts() {
  Channel<int> ch(1);
  Received<int> r = co_await ch.recv_for(1ms);
  EXPECT_EQ(r.status, Status::kTimeout);
  EXPECT_EQ(co_await ch.send_for(1, 1ms), Status::kOk);
  EXPECT_EQ(co_await ch.send_for(2, 1ms), Status::kTimeout);
  r = co_await ch.recv_for(-1s);
  EXPECT_EQ(*r, 1);
  r = co_await ch.recv_until(0);
  EXPECT_EQ(r.status, Status::kTimeout);
  EXPECT_EQ(ch.try_recv().status, Status::kWouldBlock);
}

TEST(Channel, Timeouts) {
  Runtime rt({.workers = 2});
  rt.block_on(timeouts());
}

TEST(Channel, BadCapacities) {
  const Channel<int> huge(kMaxCapacity + 1);
  EXPECT_FALSE(static_cast<bool>(huge));
  EXPECT_EQ(huge.status(), Status::kInvalid);
  EXPECT_EQ(huge.try_recv().status, Status::kInvalid);
  EXPECT_EQ(huge.try_send(1), Status::kInvalid);
  struct Big {
    char bytes[1 << 20];
  };
  const Channel<Big> too_big(kMaxCapacity);
  EXPECT_EQ(too_big.status(), Status::kNoMemory);
  const Channel<int> none;
  EXPECT_EQ(none.try_recv().status, Status::kInvalid);
  EXPECT_TRUE(none.closed());
  Channel<int> zero(0);
  EXPECT_EQ(zero.try_send(1), Status::kWouldBlock);
}

Task<void> owners() {
  Channel<std::unique_ptr<int>> ch(2);
  EXPECT_EQ(co_await ch.send(std::make_unique<int>(5)), Status::kOk);
  auto kept = std::make_unique<int>(6);
  EXPECT_EQ(ch.try_send(kept), Status::kOk);
  kept = std::make_unique<int>(7);
  EXPECT_EQ(ch.try_send(kept), Status::kWouldBlock);
  EXPECT_EQ(*kept, 7);  // not sent, still here
  auto r = co_await ch.recv();
  EXPECT_EQ(**r, 5);
  // The second one is destroyed with the channel.
}

TEST(Channel, OwnsWhatItHolds) {
  Runtime rt({.workers = 1});
  rt.block_on(owners());
}

TEST(Channel, Batches) {
  Channel<int> ch(8);
  std::vector<int> in = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  std::size_t done = 0;
  EXPECT_EQ(ch.try_send_batch(in, done), Status::kOk);
  EXPECT_EQ(done, 8U);
  EXPECT_EQ(ch.try_send_batch(in, done), Status::kWouldBlock);
  std::vector<int> out(5);
  EXPECT_EQ(ch.try_recv_batch(out, done), Status::kOk);
  EXPECT_EQ(done, 5U);
  EXPECT_EQ(out, (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(ch.try_recv_batch(out, done), Status::kOk);
  EXPECT_EQ(done, 3U);
  ch.close();
  EXPECT_EQ(ch.try_recv_batch(out, done), Status::kClosed);
}

TEST(Channel, ThreadsOutsideTakePart) {
  Runtime rt({.workers = 2});
  Channel<int> ch(4);
  JoinHandle<long> h = rt.spawn(drain(ch));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(wait(ch.send(1)), Status::kOk);
  Channel<int> silent(0);
  auto r = wait(silent.recv_for(1ms));
  EXPECT_EQ(r->status, Status::kTimeout);
  ch.close();
  EXPECT_EQ(rt.block_on(std::move(h)).value, 1000);
}

// Cancelled and timed-out receivers: whatever was sent arrives with somebody or is still in the channel.
Task<void> impatient(Channel<int> ch, std::atomic<long>* got, std::atomic<bool>* stop) {
  while (!stop->load()) {
    Received<int> r = co_await ch.recv_for(20us);
    if (r.ok()) got->fetch_add(*r);
    if (r.status == Status::kClosed) co_return;
  }
}
Task<long> lossless(int n) {
  Channel<int> ch(0);
  std::atomic<long> got{0};
  std::atomic<bool> stop{false};
  {
    Scope scope;
    for (int i = 0; i < 4; ++i) spawn(impatient(ch, &got, &stop), {.scope = &scope}).detach();
    for (int i = 0; i < n; ++i) {
      while (co_await ch.send_for(1, 30us) != Status::kOk) {
      }
    }
    ch.close();
    (void)co_await scope.join();
  }
  co_return got.load();
}

TEST(Channel, TimeoutsLoseNothing) {
  Runtime rt({.workers = 3});
  EXPECT_EQ(rt.block_on(lossless(5000)).value, 5000);
}

// ---- select ------------------------------------------------------------------------------------------------------------

Task<void> ready_selects() {
  Channel<int> a(1);
  Channel<int> b(1);
  RecvCase<int> ra(a);
  RecvCase<int> rb(b);
  Selected s = co_await select(ra, rb).or_default();
  EXPECT_EQ(s.status, Status::kWouldBlock);
  EXPECT_EQ(s.index, Selected::kNone);
  (void)co_await b.send(5);
  s = co_await select(ra, rb);
  EXPECT_EQ(s.index, 1U);
  EXPECT_EQ(rb.take(), 5);
  int v = 8;
  SendCase<int> sa(a, v);
  s = co_await select(sa, rb);
  EXPECT_EQ(s.index, 0U);
  s = co_await select(sa, rb).timeout(1ms);
  EXPECT_EQ(s.status, Status::kTimeout);
  s = co_await select(ra, rb);
  EXPECT_EQ(s.index, 0U);
  EXPECT_EQ(ra.take(), 8);
  b.close();
  s = co_await select(ra, rb);
  EXPECT_EQ(s.index, 1U);
  EXPECT_EQ(s.status, Status::kClosed);
  s = co_await select(std::span<SelectCase* const>());
  EXPECT_EQ(s.status, Status::kInvalid);
  s = co_await select(std::span<SelectCase* const>()).timeout(1ms);
  EXPECT_EQ(s.status, Status::kTimeout);
  Channel<int> none;
  RecvCase<int> rn(none);
  s = co_await select(rn).timeout(1ms);
  EXPECT_EQ(s.status, Status::kTimeout);
}

TEST(Select, Basics) {
  Runtime rt({.workers = 2});
  rt.block_on(ready_selects());
}

Task<void> rotation(std::array<int, 3>* counts, bool in_order) {
  Channel<int> ch[3] = {Channel<int>(64), Channel<int>(64), Channel<int>(64)};
  for (int i = 0; i < 30; ++i)
    for (auto& c : ch) (void)co_await c.send(1);
  RecvCase<int> a(ch[0]);
  RecvCase<int> b(ch[1]);
  RecvCase<int> c(ch[2]);
  for (int i = 0; i < 30; ++i) {
    auto op = select(a, b, c);
    if (in_order) op.in_order();
    Selected s = co_await op;
    ++(*counts)[s.index];
    s.index == 0 ? a.take() : s.index == 1 ? b.take() : c.take();
  }
}

TEST(Select, RotatesOrKeepsThePriority) {
  Runtime rt({.workers = 1});
  std::array<int, 3> counts{};
  rt.block_on(rotation(&counts, false));
  EXPECT_EQ(counts, (std::array<int, 3>{10, 10, 10}));
  counts = {};
  rt.block_on(rotation(&counts, true));
  EXPECT_EQ(counts, (std::array<int, 3>{30, 0, 0}));
}

Task<void> select_sender(Channel<int> a, Channel<int> b, int n) {
  for (int i = 0; i < n; ++i) {
    int v = 1;
    int w = 1;
    SendCase<int> sa(a, v);
    SendCase<int> sb(b, w);
    (void)co_await select(sa, sb);
  }
}
Task<long> select_receiver(Channel<int> a, Channel<int> b) {
  RecvCase<int> ra(a);
  RecvCase<int> rb(b);
  long sum = 0;
  for (;;) {
    Selected s = co_await select(ra, rb).timeout(1s);
    if (s.status != Status::kOk) co_return sum;
    sum += s.index == 0 ? ra.take() : rb.take();
  }
}
Task<long> facing_selects(std::size_t capacity, int parties, int each) {
  Channel<int> a(capacity);
  Channel<int> b(capacity);
  std::vector<JoinHandle<long>> in;
  for (int i = 0; i < parties; ++i) in.push_back(spawn(i % 2 == 0 ? select_receiver(a, b) : select_receiver(b, a)));
  {
    Scope scope;
    for (int i = 0; i < parties; ++i)
      spawn(i % 2 == 0 ? select_sender(a, b, each) : select_sender(b, a, each), {.scope = &scope}).detach();
    (void)co_await scope.join();
  }
  a.close();
  b.close();
  long sum = 0;
  for (auto& h : in) {
    JoinResult<long> r = co_await h.join();
    sum += *r.value;
  }
  // A closed channel may end a receiver while the other still holds values.
  for (Channel<int>* c : {&a, &b})
    for (Received<int> r = c->try_recv(); r.ok(); r = c->try_recv()) sum += *r;
  co_return sum;
}

TEST(Select, FacingSelectsAgree) {
  for (const unsigned workers : {1U, 2U, 4U})
    for (const std::size_t capacity : {0U, 1U, 32U}) {
      Runtime rt({.workers = workers});
      EXPECT_EQ(rt.block_on(facing_selects(capacity, 4, 2000)).value, 8000) << workers << ", " << capacity;
    }
}

Task<Status> blocked_select(Channel<int> a) {
  RecvCase<int> ra(a);
  Selected s = co_await select(ra);
  co_return s.status;
}
Task<Status> cancel_select() {
  Channel<int> a(0);
  JoinHandle<Status> h = spawn(blocked_select(a));
  (void)co_await sleep_for(1ms);
  (void)h.cancel();
  JoinResult<Status> r = co_await h.join();
  int v = 1;
  EXPECT_EQ(a.try_send(v), Status::kWouldBlock);  // the waiter is gone
  co_return *r.value;
}

TEST(Select, IsCancelled) {
  Runtime rt({.workers = 2});
  EXPECT_EQ(rt.block_on(cancel_select()).value, Status::kCancelled);
}

}  // namespace
}  // namespace neovm::worker
