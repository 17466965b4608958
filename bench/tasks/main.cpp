// The runtime's side of `./neo bench tasks`: one case a run, `name value unit` a line. run.py starts it beside Go and Erlang.
//
//   bench_tasks CASE [--workers N] [--scale X]    CASE: spawn parked pingpong pingpong2 ints select skynet timers hogs inflate
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "neovm/worker.hpp"

namespace {

using namespace neovm::worker;
using namespace std::chrono_literals;

struct Options {
  std::string name;
  unsigned workers = 1;
  double scale = 1;
};

void print(const char* name, double value, const char* unit) { std::printf("%s %.3f %s\n", name, value, unit); }

double resident() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word)
    if (word == "VmRSS:") {
      double kb = 0;
      status >> kb;
      return kb * 1024;
    }
  return 0;
}
double cpu_ms() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

// What single-worker cases are timed with: processor time of the process, so that a busy machine does not count.
Instant spent() {
  timespec ts{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return static_cast<Instant>(ts.tv_sec) * 1'000'000'000 + static_cast<Instant>(ts.tv_nsec);
}

Task<void> nothing() { co_return; }

Task<void> spawn_batch(int n, double* ns) {
  std::vector<JoinHandle<void>> handles;
  handles.reserve(static_cast<std::size_t>(n));
  const Instant t = spent();
  for (int i = 0; i < n; ++i) handles.push_back(spawn(nothing()));
  for (auto& h : handles) (void)co_await h.join();
  *ns = static_cast<double>(spent() - t) / n;
}
Task<void> spawn_serial(int n, double* ns) {
  const Instant t = spent();
  for (int i = 0; i < n; ++i) {
    JoinHandle<void> h = spawn(nothing());
    (void)co_await h.join();
  }
  *ns = static_cast<double>(spent() - t) / n;
}
void bench_spawn(const Options& o) {
  Runtime rt({.workers = o.workers});
  const int n = static_cast<int>(100'000 * o.scale);
  double best = 1e18;
  double best_serial = 1e18;
  for (int i = 0; i < 5; ++i) {
    double batch = 0;
    double serial = 0;
    rt.block_on(spawn_batch(n, &batch));
    rt.block_on(spawn_serial(n, &serial));
    best = std::min(best, batch);
    best_serial = std::min(best_serial, serial);
  }
  print("spawn_join_batch", best, "ns");
  print("spawn_join_serial", best_serial, "ns");
}

Task<void> receive_one(Channel<int> ch) { (void)co_await ch.recv(); }
Task<Status> sleep_long() { co_return co_await sleep_for(1h); }
void bench_parked(const Options& o) {
  const int n = static_cast<int>(100'000 * o.scale);
  Runtime rt({.workers = o.workers});
  Channel<int> ch(0);
  rt.block_on(nothing());
  const double before = resident();
  for (int i = 0; i < n; ++i) rt.spawn(receive_one(ch)).detach();
  const Instant deadline = rt.now() + 5'000'000'000;
  rt.block_on([](Instant until) -> Task<void> {
    (void)until;
    (void)co_await sleep_for(300ms);
  }(deadline));
  print("parked_bytes", (resident() - before) / n, "B");
  for (int i = 0; i < 1000; ++i) rt.spawn(sleep_long()).detach();
  struct timespec ts {
    0, 100'000'000
  };
  nanosleep(&ts, nullptr);
  const double cpu = cpu_ms();
  ts = {1, 0};
  nanosleep(&ts, nullptr);
  print("idle_cpu", cpu_ms() - cpu, "ms/s");
  ch.close();
  (void)rt.shutdown(10s);
}

Task<void> echo(Channel<int> in, Channel<int> out) {
  for (;;) {
    Received<int> r = co_await in.recv();
    if (!r.ok()) co_return;
    (void)co_await out.send(*r);
  }
}
Task<double> ping(Channel<int> a, Channel<int> b, int n, int pin) {
  const auto clock = pin >= 0 ? now : spent;
  JoinHandle<void> e = spawn(echo(a, b), {.pin = pin});
  for (int i = 0; i < 1000; ++i) {
    (void)co_await a.send(i);
    (void)co_await b.recv();
  }
  const Instant t = clock();
  for (int i = 0; i < n; ++i) {
    (void)co_await a.send(i);
    (void)co_await b.recv();
  }
  const double ns = static_cast<double>(clock() - t) / n;
  a.close();
  (void)co_await e.join();
  co_return ns;
}
void bench_pingpong(const Options& o, bool pinned) {
  Runtime rt({.workers = pinned ? 2 : o.workers});
  double best = 1e18;
  const int n = static_cast<int>((pinned ? 50'000 : 300'000) * o.scale);
  for (int i = 0; i < 5; ++i) {
    Channel<int> a(0);
    Channel<int> b(0);
    SpawnOptions options;
    if (pinned) options.pin = 0;
    best = std::min(best, *rt.block_on(ping(a, b, n, pinned ? 1 : -1), options).value);
  }
  print(pinned ? "pingpong_two_workers" : "pingpong", best, "ns");
}

Task<void> produce(Channel<std::int64_t> ch, int n) {
  for (int i = 0; i < n; ++i) (void)co_await ch.send(i);
  ch.close();
}
Task<double> ints(int n, bool wall) {
  const auto clock = wall ? now : spent;
  Channel<std::int64_t> ch(1024);
  const Instant t = clock();
  JoinHandle<void> p = spawn(produce(ch, n));
  std::int64_t sum = 0;
  for (;;) {
    Received<std::int64_t> r = co_await ch.recv();
    if (!r.ok()) break;
    sum += *r;
  }
  const double rate = n / (static_cast<double>(clock() - t) / 1e9) / 1e6;
  (void)co_await p.join();
  if (sum != static_cast<std::int64_t>(n) * (n - 1) / 2) std::abort();
  co_return rate;
}
void bench_ints(const Options& o) {
  Runtime rt({.workers = o.workers});
  double best = 0;
  for (int i = 0; i < 5; ++i)
    best = std::max(best, *rt.block_on(ints(static_cast<int>(3'000'000 * o.scale), o.workers > 1)).value);
  print("ints_1024", best, "M/s");
}

Task<double> select_ready(int n) {
  Channel<int> a(1);
  Channel<int> b(1);
  RecvCase<int> ra(a);
  RecvCase<int> rb(b);
  long sum = 0;
  const Instant until = after(1h);
  const Instant t = spent();
  for (int i = 0; i < n; ++i) {
    (void)co_await ((i & 1) == 0 ? a : b).send(i);
    Selected s = co_await select(ra, rb).until(until);
    sum += s.index == 0 ? ra.take() : rb.take();
  }
  const double ns = static_cast<double>(spent() - t) / n;
  if (sum < 0) std::abort();
  co_return ns;
}
Task<void> select_server(Channel<int> x, Channel<int> y, Channel<int> r) {
  RecvCase<int> rx(x);
  RecvCase<int> ry(y);
  const Instant until = after(1h);
  for (;;) {
    Selected s = co_await select(rx, ry).until(until);
    if (s.status != Status::kOk) co_return;
    (void)co_await r.send(s.index == 0 ? rx.take() : ry.take());
  }
}
Task<double> select_blocking(int n) {
  Channel<int> x(0);
  Channel<int> y(0);
  Channel<int> r(0);
  JoinHandle<void> server = spawn(select_server(x, y, r));
  const Instant t = spent();
  for (int i = 0; i < n; ++i) {
    (void)co_await ((i & 1) == 0 ? x : y).send(i);
    (void)co_await r.recv();
  }
  const double ns = static_cast<double>(spent() - t) / n;
  x.close();
  (void)co_await server.join();
  co_return ns;
}
void bench_select(const Options& o) {
  Runtime rt({.workers = o.workers});
  double ready = 1e18;
  double blocking = 1e18;
  for (int i = 0; i < 5; ++i) {
    ready = std::min(ready, *rt.block_on(select_ready(static_cast<int>(500'000 * o.scale))).value);
    blocking = std::min(blocking, *rt.block_on(select_blocking(static_cast<int>(200'000 * o.scale))).value);
  }
  print("select_ready", ready, "ns");
  print("select_blocking", blocking, "ns");
}

Task<void> skynet(Channel<std::int64_t> out, std::int64_t num, int size) {
  if (size == 1) {
    (void)co_await out.send(num);
    co_return;
  }
  Channel<std::int64_t> in(0);
  for (int i = 0; i < 10; ++i)
    spawn(skynet(in, num + static_cast<std::int64_t>(i) * (size / 10), size / 10), {.detached = true}).detach();
  std::int64_t sum = 0;
  for (int i = 0; i < 10; ++i) {
    Received<std::int64_t> r = co_await in.recv();
    sum += *r;
  }
  (void)co_await out.send(sum);
}
Task<std::int64_t> skynet_root() {
  Channel<std::int64_t> ch(0);
  spawn(skynet(ch, 0, 1'000'000), {.detached = true}).detach();
  Received<std::int64_t> r = co_await ch.recv();
  co_return *r;
}
void bench_skynet(const Options& o) {
  Runtime rt({.workers = o.workers});
  const Instant t = spent();
  if (rt.block_on(skynet_root()).value != 499'999'500'000) std::abort();
  print("skynet", static_cast<double>(spent() - t) / 1e6, "ms");
  print("skynet_rss", resident() / 1e6, "MB");
}

Task<double> timer_cycle(int n) {
  std::vector<Alarm> alarms(static_cast<std::size_t>(n));
  const Instant start = spent();
  Instant due = after(1h);
  for (Alarm& a : alarms) a.set(due += 1'000'000);
  for (Alarm& a : alarms) a.cancel();
  co_return static_cast<double>(spent() - start) / n;
}
Task<double> overshoot(int n, std::atomic<bool>* stop) {
  std::vector<double> late;
  for (int i = 0; i < n; ++i) {
    const Instant t = now();
    (void)co_await sleep_for(1ms);
    late.push_back(static_cast<double>(now() - t) / 1e3 - 1000);
  }
  stop->store(true);
  std::sort(late.begin(), late.end());
  co_return late[late.size() / 2];
}
std::uint64_t fib(std::uint64_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
Task<void> hog(std::atomic<bool>* stop) {
  volatile std::uint64_t sink = 0;
  while (!stop->load(std::memory_order_relaxed)) {
    sink = sink + fib(12);
    if (this_task::poll()) (void)co_await yield();
  }
}
void bench_timers(const Options& o) {
  Runtime rt({.workers = o.workers});
  double best = 1e18;
  for (int i = 0; i < 5; ++i)
    best = std::min(best, *rt.block_on(timer_cycle(static_cast<int>(200'000 * o.scale))).value);
  print("timer_add_cancel", best, "ns");
  std::atomic<bool> stop{false};
  print("sleep_1ms_overshoot", *rt.block_on(overshoot(100, &stop)).value, "us");
}
void bench_hogs(const Options& o) {
  Runtime rt({.workers = o.workers});
  std::atomic<bool> stop{false};
  for (unsigned i = 0; i < o.workers; ++i) rt.spawn(hog(&stop)).detach();
  print("sleep_1ms_busy", *rt.block_on(overshoot(100, &stop)).value, "us");
}

// CPU time of the same work on one worker and on two.
Task<std::uint64_t> piece(std::uint64_t n) { co_return fib(n); }
Task<void> pieces(int n) {
  std::vector<JoinHandle<std::uint64_t>> all;
  all.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) all.push_back(spawn(piece(16)));
  for (auto& h : all) (void)co_await h.join();
}
void bench_inflate(const Options& o) {
  double cpu[2] = {1e18, 1e18};
  for (int round = 0; round < 5; ++round)
    for (unsigned w = 1; w <= 2; ++w) {
      Runtime rt({.workers = w});
      const double before = cpu_ms();
      rt.block_on(pieces(static_cast<int>(40'000 * o.scale)));
      cpu[w - 1] = std::min(cpu[w - 1], cpu_ms() - before);
    }
  print("cpu_two_over_one", cpu[1] / cpu[0], "x");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Times the isolate runtime's tasks, channels, select and timers."};
  Options o;
  app.add_option("case", o.name, "what to time")->required();
  app.add_option("--workers", o.workers, "worker threads");
  app.add_option("--scale", o.scale, "multiplies the number of rounds");
  CLI11_PARSE(app, argc, argv);
  if (o.name == "spawn")
    bench_spawn(o);
  else if (o.name == "parked")
    bench_parked(o);
  else if (o.name == "pingpong")
    bench_pingpong(o, false);
  else if (o.name == "pingpong2")
    bench_pingpong(o, true);
  else if (o.name == "ints")
    bench_ints(o);
  else if (o.name == "select")
    bench_select(o);
  else if (o.name == "skynet")
    bench_skynet(o);
  else if (o.name == "timers")
    bench_timers(o);
  else if (o.name == "hogs")
    bench_hogs(o);
  else if (o.name == "inflate")
    bench_inflate(o);
  else {
    std::fprintf(stderr, "bench_tasks: no case %s\n", o.name.c_str());
    return 2;
  }
  return 0;
}
