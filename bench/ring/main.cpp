// The shared-memory ring between two OS threads.
//
//   os_ring_cold  ring memory fresh from the kernel, every page touched for the first time inside the measurement
//   os_ring_warm  the same ring again
//
// Columns: label,items,slots,elapsed_ns,per_ps,prod_spins,cons_spins  (per_ps: picoseconds an item)
#include <sys/mman.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "neovm/worker/ring.hpp"

namespace {

using neovm::worker::SharedRing;

struct Row {
  const char* label;
  std::uint64_t items;
  std::uint32_t slots;
  std::uint64_t elapsed_ns;
  std::uint64_t producer_spins;
  std::uint64_t consumer_spins;
  bool correct;
};

Row run(const char* label, void* memory, std::uint32_t slots, std::uint64_t items, bool parking) {
  SharedRing ring(memory, slots, true);
  const auto start = std::chrono::steady_clock::now();
  std::thread producer([=] {
    SharedRing side(memory, slots, false);
    for (std::uint64_t i = 0; i < items; ++i) {
      const auto item = static_cast<std::uint32_t>(i);
      parking ? side.push_parking(item) : side.push_spinning(item);
    }
  });
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < items; ++i) sum += parking ? ring.pop_parking() : ring.pop_spinning();
  ring.add_to_sum(sum);
  producer.join();
  const auto elapsed = std::chrono::steady_clock::now() - start;
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < items; ++i) expected += static_cast<std::uint32_t>(i);
  return {label,
          items,
          slots,
          static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count()),
          ring.header().producer_spins.load(),
          ring.header().consumer_spins.load(),
          ring.header().sum.load() == expected};
}

void print(const Row& r, bool csv) {
  const std::uint64_t per_ps = r.items == 0 ? 0 : r.elapsed_ns * 1000 / r.items;
  if (csv) {
    std::printf("%s,%llu,%u,%llu,%llu,%llu,%llu\n", r.label, static_cast<unsigned long long>(r.items), r.slots,
                static_cast<unsigned long long>(r.elapsed_ns), static_cast<unsigned long long>(per_ps),
                static_cast<unsigned long long>(r.producer_spins), static_cast<unsigned long long>(r.consumer_spins));
  } else {
    std::printf("%-14s %10llu items %8u slots %10.3f ms %8.2f ns/item  spins %llu / %llu\n", r.label,
                static_cast<unsigned long long>(r.items), r.slots, static_cast<double>(r.elapsed_ns) / 1e6,
                static_cast<double>(per_ps) / 1000.0, static_cast<unsigned long long>(r.producer_spins),
                static_cast<unsigned long long>(r.consumer_spins));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures the shared-memory single-producer single-consumer ring between two threads."};
  std::uint64_t items = 10'000'000;
  std::uint32_t slots = 1024;
  bool sweep = false;
  bool csv = false;
  bool csv_only = false;
  bool parking = false;
  std::vector<std::uint32_t> slots_list = {16, 64, 256, 1024, 4096, 16384, 65536};
  app.add_option("--items", items, "items to pass through the ring")->check(CLI::PositiveNumber);
  app.add_option("--slots", slots, "slots of the ring, a power of two");
  app.add_flag("--sweep", sweep, "measure every size of --slots-list");
  app.add_option("--slots-list", slots_list, "sizes for --sweep, comma separated")->delimiter(',');
  app.add_flag("--csv", csv, "print CSV after the table");
  app.add_flag("--csv-only", csv_only, "print CSV instead of the table");
  app.add_flag("--park", parking, "sleep on a futex instead of spinning");
  CLI11_PARSE(app, argc, argv);

  const std::vector<std::uint32_t> sizes = sweep ? slots_list : std::vector<std::uint32_t>{slots};
  std::vector<Row> rows;
  for (const std::uint32_t n : sizes) {
    if (!SharedRing::valid_slots(n)) {
      std::fprintf(stderr, "bench_ring: %u slots is not a power of two\n", n);
      return 2;
    }
    const std::size_t bytes = SharedRing::bytes(n);
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      std::perror("bench_ring: mmap");
      return 1;
    }
    rows.push_back(run("os_ring_cold", memory, n, items, parking));
    rows.push_back(run("os_ring_warm", memory, n, items, parking));
    munmap(memory, bytes);
  }
  for (const Row& r : rows)
    if (!r.correct) {
      std::fprintf(stderr, "bench_ring: wrong sum in %s with %u slots\n", r.label, r.slots);
      return 1;
    }
  if (!csv_only)
    for (const Row& r : rows) print(r, false);
  if (csv || csv_only) {
    std::puts("label,items,slots,elapsed_ns,per_ps,prod_spins,cons_spins");
    for (const Row& r : rows) print(r, true);
  }
  return 0;
}
