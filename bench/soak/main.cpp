// The soak: a mixed load in real time, for as long as one likes, that must leave nothing behind.
//
// The time is cut into rounds. In a round every load of load.hpp runs again and again, all at once, on one runtime that lives as
// long as the program; at its end everything is joined. Then the number of live tasks must be zero and the number of open
// descriptors what it was after the first round; and the resident memory is noted. Memory has grown when the least of the last
// quarter of the rounds is above the most of the quarter after the warm-up, by more than the slack.
// A second, short-lived runtime is made and destroyed in every round, so threads and their pools come and go, too.
//
// Exit: 0, or 1 with what was wrong. Nothing leaves the machine: sockets are loopback ones.
#include <dirent.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "load.hpp"

namespace neovm::soak {
namespace {

using namespace worker;  // NOLINT: programs of these names
using std::chrono::milliseconds;

struct Options {
  double seconds = 3600;
  double round = 0;  // 0: a hundredth of the whole, from half a second to ten
  unsigned workers = 2;
  unsigned load = 40;  // percent of the time in which a load works; it rests for the others
  std::uint64_t seed = 1;
  double slack_mb = 2;
  std::string plant;  // a mistake of its own, to show that it would be seen: memory, task, descriptor
  std::string only;   // one load
  bool quiet = false;
};

double resident_mb() {
  std::FILE* const f = std::fopen("/proc/self/statm", "r");
  long size = 0;
  long resident = 0;
  if (f != nullptr) {
    if (std::fscanf(f, "%ld %ld", &size, &resident) != 2) resident = 0;
    (void)std::fclose(f);
  }
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

int open_descriptors() {
  DIR* const d = opendir("/proc/self/fd");
  if (d == nullptr) return -1;
  int n = 0;
  while (readdir(d) != nullptr) ++n;
  (void)closedir(d);
  return n - 3;  // ".", "..", and the folder itself
}

std::uint64_t live_tasks(const Runtime& rt) {
  const TelemetrySnapshot s = rt.telemetry().snapshot();
  return s.total.tasks_spawned - s.total.tasks_finished;
}

struct Round {
  Counters* counters;
  Options options;
  Instant end;
  std::atomic<bool> failed{false};
};

Task<void> repeat(Round* round, Load load, std::uint64_t seed) {
  Random random(seed);
  do {
    const Instant begun = now();
    co_await load.run(*round->counters, random);
    // It rests in proportion to what it took, so the machine keeps some of its time.
    const auto took = static_cast<double>(now() - begun);
    const double rest = std::min(took * (100.0 - round->options.load) / round->options.load, 50e6);
    const Status s = co_await sleep_for(Duration(static_cast<std::int64_t>(rest)));
    if (s != Status::kOk) co_return;
  } while (now() < round->end && !round->failed);
}

Task<std::string> run_round(Round* round, std::uint64_t seed) {
  std::vector<JoinHandle<void>> running;
  std::vector<const char*> names;
  for (const Load& load : kLoads) {
    if (!round->options.only.empty() && round->options.only != load.name) continue;
    running.push_back(spawn(repeat(round, load, seed++), {.name = load.name}));
    names.push_back(load.name);
  }
  std::string wrong;
  for (std::size_t i = 0; i < running.size(); ++i) {
    const JoinResult<void> end = co_await running[i].join();
    if (end.ok()) continue;
    round->failed = true;
    if (wrong.empty())
      wrong = std::string(names[i]) + ": " + (end.error ? error_text(end.error) : std::string(status_name(end.status)));
  }
  co_return wrong;
}

Task<void> waits_for_ever() { (void)co_await sleep_until(kNever); }

// A mistake as a real one would look; what it takes is never given back.
void plant_mistake(const std::string& what, Runtime& rt) {
  if (what == "memory") {
    constexpr std::size_t kBytes = std::size_t{16} << 20;
    char* const lost = new char[kBytes];
    std::fill(lost, lost + kBytes, 'x');
    asm volatile("" : : "r"(lost) : "memory");  // looks at it, so it is not left out
  } else if (what == "task") {
    rt.spawn(waits_for_ever()).detach();
  } else if (what == "descriptor") {
    (void)!dup(1);
  }
}

// What the C++ allocator has given out, of all its arenas; 0 where a sanitizer's allocator is in its place.
double in_use_mb() {
  const struct mallinfo2 m = mallinfo2();
  return static_cast<double>(m.uordblks + m.hblkhd) / (1 << 20);
}

struct Sample {
  double seconds;
  double resident;
  double in_use;
  int descriptors;
};

// "" or how memory has grown.
std::string growth(const std::vector<Sample>& samples, double Sample::*what, const char* name, double slack) {
  const std::size_t n = samples.size();
  const std::size_t quarter = n / 4;
  double before = 0;
  for (std::size_t i = quarter; i < 2 * quarter; ++i) before = std::max(before, samples[i].*what);
  double after = 1e18;
  for (std::size_t i = n - quarter; i < n; ++i) after = std::min(after, samples[i].*what);
  char text[200];
  std::snprintf(text, sizeof text, "%s: %.2f MB at most in the second quarter, %.2f MB at least in the last", name,
                before, after);
  std::printf("%s\n", text);
  return after > before + slack ? std::string("memory has grown: ") + text : "";
}

int run(const Options& options) {
  Counters counters;
  std::vector<Sample> samples;
  Runtime rt({.workers = options.workers, .seed = options.seed, .thread_name = "soak"});
  if (rt.status() != Status::kOk) {
    std::printf("no runtime: %s\n", std::string(status_name(rt.status())).c_str());
    return 1;
  }
  const Instant begun = rt.now();
  const double round_seconds = options.round > 0 ? options.round : std::clamp(options.seconds / 100, 0.5, 10.0);
  int descriptors = -1;
  std::uint64_t seed = options.seed;
  const auto elapsed = [&] { return static_cast<double>(rt.now() - begun) * 1e-9; };
  std::string wrong;
  while (wrong.empty() && elapsed() < options.seconds) {
    Round round{.counters = &counters, .options = options, .end = rt.now() + static_cast<Instant>(round_seconds * 1e9)};
    const JoinResult<std::string> end = rt.block_on(run_round(&round, seed));
    seed += 1000;
    wrong = end.ok() ? *end.value : "the round ended with " + std::string(status_name(end.status));
    {
      Runtime second({.workers = 1, .seed = seed});
      Round once{.counters = &counters, .options = options, .end = 0};
      const JoinResult<std::string> short_one = second.block_on(run_round(&once, seed));
      if (wrong.empty() && !short_one.ok()) wrong = "a second runtime failed";
    }
    plant_mistake(options.plant, rt);
    if (!wrong.empty()) break;
    // The end of a task is counted a moment after its joiner was told.
    for (int tries = 0; live_tasks(rt) != 0 && tries < 1000; ++tries) usleep(1000);
    if (const std::uint64_t live = live_tasks(rt); live != 0) wrong = std::to_string(live) + " tasks were left over";
    const int open = open_descriptors();
    if (descriptors < 0) descriptors = open;
    if (wrong.empty() && open > descriptors)
      wrong = std::to_string(open) + " open descriptors, " + std::to_string(descriptors) + " after the first round";
    samples.push_back({elapsed(), resident_mb(), in_use_mb(), open});
    if (!options.quiet) {
      std::printf(
          "%8.1f s  %7.1f MB, %.2f in use  %3d fds  %llu tasks, %llu messages, %llu restarts, %llu cancels, %llu transfers, "
          "%llu connections\n",
          samples.back().seconds, samples.back().resident, samples.back().in_use, open,
          static_cast<unsigned long long>(counters.tasks), static_cast<unsigned long long>(counters.messages),
          static_cast<unsigned long long>(counters.restarts), static_cast<unsigned long long>(counters.cancels),
          static_cast<unsigned long long>(counters.transfers), static_cast<unsigned long long>(counters.connections));
      std::fflush(stdout);
    }
  }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr bool kJudged = false;  // they keep what was freed for a while
#else
  constexpr bool kJudged = true;
#endif
  constexpr std::size_t kRoundsToJudge = 8;
  if (!kJudged) std::printf("memory is not judged in a sanitized build\n");
  if (wrong.empty() && kJudged && samples.size() < kRoundsToJudge)
    wrong = "only " + std::to_string(samples.size()) + " rounds: too few to see a growth";
  if (wrong.empty() && kJudged) wrong = growth(samples, &Sample::in_use, "allocated", options.slack_mb / 4);
  if (wrong.empty() && kJudged) wrong = growth(samples, &Sample::resident, "resident", options.slack_mb);
  std::printf(
      "%.0f s in %zu rounds: %llu tasks, %llu messages, %llu timers, %llu restarts, %llu cancels, %llu transfers, "
      "%llu connections, %llu calls\n",
      elapsed(), samples.size(), static_cast<unsigned long long>(counters.tasks),
      static_cast<unsigned long long>(counters.messages), static_cast<unsigned long long>(counters.timers),
      static_cast<unsigned long long>(counters.restarts), static_cast<unsigned long long>(counters.cancels),
      static_cast<unsigned long long>(counters.transfers), static_cast<unsigned long long>(counters.connections),
      static_cast<unsigned long long>(counters.calls));
  std::printf("soak: %s\n", wrong.empty() ? "ok" : wrong.c_str());
  std::fflush(stdout);
  if (options.plant == "task") std::_Exit(1);  // it would be waited for
  return wrong.empty() ? 0 : 1;
}

}  // namespace
}  // namespace neovm::soak

int main(int argc, char** argv) {
  neovm::soak::Options options;
  CLI::App app("A mixed load in real time that must leave no task, descriptor or memory behind.");
  app.add_option("--seconds", options.seconds, "how long")->check(CLI::Range(1.0, 1e7));
  app.add_option("--round", options.round, "seconds of a round; 0: a hundredth of the whole, from 0.5 to 10");
  app.add_option("--workers", options.workers, "worker threads")->check(CLI::Range(1, 256));
  app.add_option("--load", options.load, "percent of the time in which a load works")->check(CLI::Range(1, 100));
  app.add_option("--seed", options.seed, "of what the loads choose");
  app.add_option("--slack-mb", options.slack_mb, "growth that counts as none");
  app.add_option("--plant", options.plant, "a mistake that must be seen")
      ->check(CLI::IsMember({"memory", "task", "descriptor"}));
  app.add_option("--only", options.only,
                 "one load: spawn, channels, select, timers, cancel, transfer, supervisors, ...");
  app.add_flag("--quiet", options.quiet, "no line for each round");
  CLI11_PARSE(app, argc, argv);
  return neovm::soak::run(options);
}
