// The loads of the soak. Each one does a little work of its kind, checks that the outcome is right, and leaves nothing behind:
// no task, no descriptor, no memory. A load that finds something wrong throws std::runtime_error with what it found.
#pragma once

#include <atomic>
#include <cstdint>
#include <neovm/worker.hpp>
#include <neovm/worker/transfer.hpp>
#include <random>
#include <string>

namespace neovm::soak {

struct Counters {
  std::atomic<std::uint64_t> tasks{0};        // spawned by the loads
  std::atomic<std::uint64_t> messages{0};     // through channels
  std::atomic<std::uint64_t> timers{0};       // set
  std::atomic<std::uint64_t> restarts{0};     // children that supervisors started again
  std::atomic<std::uint64_t> transfers{0};    // values from heap to heap
  std::atomic<std::uint64_t> cancels{0};      // tasks asked to stop
  std::atomic<std::uint64_t> connections{0};  // loopback sockets
  std::atomic<std::uint64_t> calls{0};        // blocking and native
};

using Random = std::mt19937_64;

void expect(bool holds, const char* what);

worker::Task<void> spawn_and_join(Counters& c, Random& r);
worker::Task<void> channels(Counters& c, Random& r);
worker::Task<void> selects(Counters& c, Random& r);
worker::Task<void> timers(Counters& c, Random& r);
worker::Task<void> supervisors(Counters& c, Random& r);
worker::Task<void> cancels(Counters& c, Random& r);
worker::Task<void> transfers(Counters& c, Random& r);
worker::Task<void> calls(Counters& c, Random& r);
worker::Task<void> sockets(Counters& c, Random& r);  // sockets.cpp

struct Load {
  const char* name;
  worker::Task<void> (*run)(Counters& c, Random& r);
};
inline constexpr Load kLoads[] = {{"spawn", spawn_and_join},    {"channels", channels}, {"select", selects},
                                  {"timers", timers},           {"cancel", cancels},    {"transfer", transfers},
                                  {"supervisors", supervisors}, {"calls", calls},       {"sockets", sockets}};

}  // namespace neovm::soak
