// bench_heap: what allocation costs and how long collections pause, printed as one JSON object.
//
// Every loop allocates what a guest would and passes a safepoint now and then; collections are included. A
// loop that keeps nothing shows the price of garbage, one that keeps everything the price of promotion, and
// the pause figures are taken with a live heap that is written to (old objects point to young ones).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "neovm/core/context.hpp"

namespace {

using namespace neovm;  // NOLINT: a program

// CPU time of this thread: what work costs when the machine has other things to do as well.
double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}
double seconds() { return cpu_us() / 1e6; }

IsolateOptions isolate_options;

// ns per object of `make(cx, roots, i)`: best of five rounds in one heap, each after a major collection of what the round
// before it kept; the anchor (emacs.el) does the same.
template <class Make>
double ns_per(int objects, Make&& make) {
  double best = 1e9;
  Isolate isolate(isolate_options);
  Context cx(isolate);
  RootVector roots(cx);
  for (int run = 0; run < 5; ++run) {
    roots.values = {kNil, kNil};
    collect_now_re(cx, core::CollectKind::kMajor);
    const double begin = seconds();
    for (int i = 0; i < objects; ++i) {
      make(cx, roots.values, i);
      if (cx.heap().gc_requested()) safepoint_re(cx);
    }
    const double ns = (seconds() - begin) * 1e9 / objects;
    if (ns < best) best = ns;
  }
  return best;
}

struct Pauses {
  core::HeapStatistics stats;
  double seconds;
  std::vector<double> minor_us;  // CPU time, sorted

  [[nodiscard]] double quantile(double q) const {
    if (minor_us.empty()) return 0;
    return minor_us[std::min(minor_us.size() - 1, static_cast<std::size_t>(q * static_cast<double>(minor_us.size())))];
  }
};

// A live heap of `live` conses in lists of 100, hung off vectors; one in ten allocations is stored there, the
// rest is garbage or soon garbage.
Pauses mutator(std::size_t live, std::size_t allocations) {
  Isolate isolate(isolate_options);
  Context cx(isolate);
  RootVector roots(cx);
  const auto lists = static_cast<std::int64_t>(live / 100);
  roots.values = {make_vector(cx, lists, kNil), kNil};
  std::vector<double> pauses;
  const auto safepoint = [&cx, &pauses] {
    if (!cx.heap().gc_requested()) return;
    const bool minor = !cx.heap().major_due();
    const double from = cpu_us();
    safepoint_re(cx);
    if (minor) pauses.push_back(cpu_us() - from);
  };
  const auto hundred = [&cx] {
    Value l = kNil;
    for (int k = 0; k < 100; ++k) l = cons(cx, Value::fixnum(k), l);
    return l;
  };
  for (std::int64_t i = 0; i < lists; ++i) {
    set_slot_raw(roots.values[0], i, hundred());
    safepoint();
  }
  collect_now_re(cx, core::CollectKind::kMajor);
  std::uint64_t random = 88172645463325252U;
  const double begin = seconds();
  for (std::size_t i = 0; i < allocations; i += 100) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    const Value l = hundred();
    if (random % 10 == 0)
      set_slot_raw(roots.values[0], static_cast<std::int64_t>(random / 10 % static_cast<std::uint64_t>(lists)), l);
    safepoint();
  }
  const double took = seconds() - begin;
  std::sort(pauses.begin(), pauses.end());
  return {core::heap_statistics(cx.heap()), took, std::move(pauses)};
}

}  // namespace

int main(int argc, char** argv) {
  // bench_heap [NURSERY-KIB [short]]
  if (argc > 1) isolate_options.heap.nursery_bytes = std::strtoull(argv[1], nullptr, 10) << 10;
  constexpr int kMany = 5'000'000;
  const double cons_garbage = ns_per(kMany, [](Context& cx, auto&, int i) { (void)cons(cx, Value::fixnum(i), kNil); });
  const double float_garbage = ns_per(kMany, [](Context& cx, auto&, int i) { (void)make_float(cx, i); });
  const double cons_kept =
      ns_per(kMany, [](Context& cx, auto& roots, int i) { roots[0] = cons(cx, Value::fixnum(i), roots[0]); });
  const double float_kept =
      ns_per(kMany / 2, [](Context& cx, auto& roots, int i) { roots[0] = cons(cx, make_float(cx, i), roots[0]); });
  std::printf(
      "{\"cons_garbage_ns\": %.3f, \"float_garbage_ns\": %.3f, \"cons_kept_ns\": %.3f, \"float_in_list_kept_ns\": %.3f",
      cons_garbage, float_garbage, cons_kept, float_kept);
  if (argc > 2) {  // allocation only
    std::puts("}");
    return 0;
  }
  for (const std::size_t megabytes : {16, 256, 1024}) {
    const Pauses p = mutator((megabytes << 20) / sizeof(Cons), 60'000'000);
    const auto figure = [megabytes](const char* name, double value) {
      std::printf(", \"%s_%zu\": %.3f", name, megabytes, value);
    };
    figure("mutator_ns", p.seconds * 1e9 / 60e6);
    figure("minor_p50_us", p.quantile(0.50));
    figure("minor_p99_us", p.quantile(0.99));
    figure("minor_max_us", p.quantile(1));
    figure("minor_p50_wall_us", static_cast<double>(p.stats.minor_pause_p50_ns) / 1e3);
    figure("minor_p99_wall_us", static_cast<double>(p.stats.minor_pause_p99_ns) / 1e3);
    figure("major_max_wall_us", static_cast<double>(p.stats.major_pause_max_ns) / 1e3);
    figure("minors", static_cast<double>(p.stats.minor_collections));
    figure("majors", static_cast<double>(p.stats.major_collections));
  }
  std::puts("}");
  return 0;
}
