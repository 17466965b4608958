// A pool of workers that may crash, under a supervisor that starts them again; no job is lost.
//
// Jobs wait in a channel. A worker that takes one holds it in a Lease; if the worker dies with the job undone, the lease puts it
// back, and the supervisor starts another worker. Some jobs crash the first worker that touches them.
//
// expect: 300 jobs, sum of squares 9045050
// expect: every crash was followed by a restart: yes
// expect: the pool ended with: shutdown
#include <cstdio>
#include <neovm/worker.hpp>
#include <neovm/worker/supervisor.hpp>
#include <stdexcept>

using namespace neovm::worker;  // NOLINT: an example of these names

namespace {

constexpr int kJobs = 300;
constexpr int kWorkers = 4;

struct Job {
  int number = 0;
  int attempts = 0;
};

class Lease {
 public:
  Lease(Channel<Job> queue, Job job) : queue_(std::move(queue)), job_(job) {}
  ~Lease() {
    if (!done_) (void)queue_.try_send(Job{job_.number, job_.attempts + 1});
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  [[nodiscard]] const Job& job() const { return job_; }
  void done() { done_ = true; }

 private:
  Channel<Job> queue_;
  Job job_;
  bool done_ = false;
};

Task<void> worker(Channel<Job> queue, Channel<long> results) {
  for (Received<Job> job = co_await queue.recv(); job.ok(); job = co_await queue.recv()) {
    Lease lease(queue, *job);
    if (lease.job().number % 30 == 0 && lease.job().attempts == 0) throw std::runtime_error("this job is poison");
    const long result = static_cast<long>(lease.job().number) * lease.job().number;
    if (co_await results.send(result) != Status::kOk) co_return;
    lease.done();
  }
}

struct Outcome {
  int jobs = 0;
  long sum = 0;
  ExitReason end;
};

Task<Outcome> run(int* crashes) {
  const Channel<Job> queue = Channel<Job>::unbounded();  // a lease must be able to put its job back
  const Channel<long> results(16);

  SupervisorDefinition pool{.name = "pool"};
  pool.options.intensity = 100;  // more than that within five seconds, and something is really wrong
  pool.on_report = [crashes](const SupervisorReport& r) {
    if (r.kind == SupervisorReport::Kind::kChildTerminated) ++*crashes;
  };
  for (int i = 0; i < kWorkers; ++i)
    pool.children.push_back(
        child("worker " + std::to_string(i), [=](ChildContext&) { return worker(queue, results); }));
  Supervisor supervisor = start_supervisor(std::move(pool));

  for (int i = 1; i <= kJobs; ++i) (void)co_await queue.send(Job{i, 0});
  Outcome outcome;
  while (outcome.jobs < kJobs) {
    const Received<long> result = co_await results.recv();
    if (!result.ok()) break;
    ++outcome.jobs;
    outcome.sum += *result.value;
  }
  (void)supervisor.ref().shutdown();
  JoinResult<ExitReason> end = co_await supervisor.handle().join();
  if (end.ok()) outcome.end = *end.value;
  co_return outcome;
}

}  // namespace

int main() {
  Runtime runtime({.workers = 2});
  int crashes = 0;
  JoinResult<Outcome> outcome = runtime.block_on(run(&crashes));
  if (!outcome.ok()) return 1;
  const auto restarts = runtime.telemetry().snapshot().total.child_restarts;
  std::printf("%d jobs, sum of squares %ld\n", outcome.value->jobs, outcome.value->sum);
  std::printf("every crash was followed by a restart: %s\n",
              crashes == kJobs / 30 && restarts == static_cast<unsigned>(crashes) ? "yes" : "no");
  std::printf("the pool ended with: %s\n",
              outcome.value->end.kind == ExitKind::kShutdown ? "shutdown" : "something else");
  return 0;
}
