// The one word that the VM's loops test at a safepoint (back edge, call): it counts the safepoints left until
// the slow path must run, and whoever wants the slow path earlier makes it run out.
//
// Threads: tick, trip_here and rearm belong to the thread that runs the isolate; trip may come from any thread
// or a signal handler. The owner's decrement is a load and a store, not one atomic step, so a trip that falls
// between them is lost; it is then noticed when the interval is over, kInterval safepoints later at most. Loops
// that reach safepoints seldom leave that window open seldom.
#pragma once

#include <atomic>
#include <cstdint>

namespace neovm::core {

class Countdown {
 public:
  static constexpr std::int32_t kInterval = 256;  // safepoints

  // One safepoint passes. True: take the slow path.
  bool tick() {
    const std::int32_t n = left_.load(std::memory_order_relaxed) - 1;
    left_.store(n, std::memory_order_relaxed);
    return n < 0;
  }
  // The next tick takes the slow path.
  void trip() { left_.store(0, std::memory_order_relaxed); }
  // The same on the isolate's own thread, where the count of safepoints stays exact.
  void trip_here() {
    const std::int32_t n = left_.load(std::memory_order_relaxed);
    if (n > 0) unspent_ += n;
    left_.store(0, std::memory_order_relaxed);
  }
  // Starts the next interval; returns how many safepoints have passed since the last call.
  std::int32_t rearm() {
    const std::int32_t spent = kInterval - unspent_;
    unspent_ = 0;
    left_.store(kInterval, std::memory_order_relaxed);
    return spent;
  }

 private:
  std::atomic<std::int32_t> left_{kInterval};
  std::int32_t unspent_ = 0;
};

}  // namespace neovm::core
