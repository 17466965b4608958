// Scatter and gather with a deadline: ask five sources at once, take the answers that come in time, and let the cancellation
// of the rest pass down to whatever they started.
// expect: 3 answers: 10 20 30
// expect: 2 sources were cancelled, 2 helpers with them
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <vector>

#include "neovm/worker.hpp"

using namespace neovm::worker;
using namespace std::chrono_literals;

namespace {

struct Stopped {
  std::atomic<int> sources{0};
  std::atomic<int> helpers{0};
};

// A slow source works through a helper task; it does not have to care for it when it is cancelled.
Task<void> help(Duration d, Stopped* stopped) {
  const Status s = co_await sleep_for(d);  // a variable, not `if (co_await …)`: see task.hpp on g++ 12
  if (s != Status::kOk) stopped->helpers.fetch_add(1);
}

Task<void> ask(int source, Channel<int> answers, Stopped* stopped) {
  const bool slow = source > 3;
  JoinHandle<void> helper = spawn(help(slow ? Duration(1h) : Duration(source * 1ms), stopped));
  JoinResult<void> r = co_await helper.join();
  if (!r.ok() || this_task::cancelled() != Status::kOk) {
    stopped->sources.fetch_add(1);
    co_return;
  }
  (void)co_await answers.send(source * 10);
}

Task<void> gather(Stopped* stopped) {
  Channel<int> answers(5);
  Scope scope;
  for (int source = 1; source <= 5; ++source) spawn(ask(source, answers, stopped), {.scope = &scope}).detach();
  const Instant until = after(300ms);
  std::vector<int> got;
  for (;;) {
    Received<int> r = co_await answers.recv_until(until);
    if (!r.ok()) break;
    got.push_back(*r);
  }
  (void)co_await scope.cancel_and_join();
  std::sort(got.begin(), got.end());
  std::printf("%zu answers:", got.size());
  for (const int g : got) std::printf(" %d", g);
  std::printf("\n");
}

}  // namespace

int main() {
  Runtime rt({.workers = 2});
  Stopped stopped;
  rt.block_on(gather(&stopped));
  std::printf("%d sources were cancelled, %d helpers with them\n", stopped.sources.load(), stopped.helpers.load());
  return 0;
}
