// A pipeline with backpressure: a reader, two parsers and a writer joined by bounded channels. The writer is slow, so the
// channels fill and the reader waits: however long the input, no more than the channels hold is ever in flight.
// expect: lines 1000, sum 500500
// expect: never more than 13 in flight
#include <atomic>
#include <cstdio>
#include <string>

#include "neovm/worker.hpp"

using namespace neovm::worker;

namespace {

struct Gauge {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  void enter() {
    const int n = now.fetch_add(1) + 1;
    int old = most.load();
    while (old < n && !most.compare_exchange_weak(old, n)) {
    }
  }
};

Task<void> read(Channel<std::string> lines, int n, Gauge* gauge) {
  for (int i = 1; i <= n; ++i) {
    gauge->enter();
    if (co_await lines.send(std::to_string(i)) != Status::kOk) co_return;
  }
  lines.close();  // what is buffered is still received
}

Task<void> parse(Channel<std::string> lines, Channel<long> numbers) {
  for (;;) {
    Received<std::string> line = co_await lines.recv();
    if (!line.ok()) co_return;
    if (co_await numbers.send(std::stol(*line)) != Status::kOk) co_return;
  }
}

Task<void> write(Channel<long> numbers, Gauge* gauge, int* count, long* sum) {
  for (;;) {
    Received<long> n = co_await numbers.recv();
    if (!n.ok()) co_return;
    gauge->now.fetch_sub(1);
    ++*count;
    *sum += *n;
    if (*count % 100 == 0) (void)co_await sleep_for(std::chrono::milliseconds(1));
  }
}

Task<void> pipeline(Gauge* gauge) {
  Channel<std::string> lines(4);
  Channel<long> numbers(4);
  int count = 0;
  long sum = 0;
  JoinHandle<void> writer = spawn(write(numbers, gauge, &count, &sum), {.name = "writer"});
  Scope parsers;
  for (int i = 0; i < 2; ++i) spawn(parse(lines, numbers), {.name = "parser", .scope = &parsers}).detach();
  spawn(read(lines, 1000, gauge), {.name = "reader"}).detach();
  (void)co_await parsers.join();
  numbers.close();
  (void)co_await writer.join();
  std::printf("lines %d, sum %ld\n", count, sum);
}

}  // namespace

int main() {
  Runtime rt({.workers = 2});
  Gauge gauge;
  rt.block_on(pipeline(&gauge));
  // Four in each channel, one with the reader, one with each parser, and one that the writer has received and not yet counted
  // out; a waiting sender's value is taken into the channel as soon as another leaves it, hence one more.
  const int most = gauge.most.load();
  std::printf(most <= 13 ? "never more than 13 in flight\n" : "%d in flight\n", most);
  return 0;
}
