// The lock of the runtime's short critical sections.
//
// Uncontended it is one exchange and one store. A waiter spins briefly and then gives its processor away
// (the holder may have been descheduled); nobody sleeps on it, and nothing that waits, allocates from the system or
// calls user code runs under it.
//
// NEOVM_WORKER_CHECKED compiles the library a second time for the interleaving tests: there every lock, claim
// and queue operation is a point at which the seeded scheduler may switch to another virtual worker. In the ordinary
// library these points are nothing.
#pragma once

#include <atomic>
#include <cstdint>

namespace neovm::worker {

#ifdef NEOVM_WORKER_CHECKED
inline constexpr bool kChecked = true;
void interleave();       // may run other virtual workers
void interleave_wait();  // must run others: the caller spins
#else
inline constexpr bool kChecked = false;
inline void interleave() {}
void interleave_wait();  // gives the processor away
#endif

class SpinLock {
 public:
  void lock() {
    interleave();
    if (held_.exchange(true, std::memory_order_acquire)) lock_slowly();
  }
  bool try_lock() {
    interleave();
    return !held_.load(std::memory_order_relaxed) && !held_.exchange(true, std::memory_order_acquire);
  }
  void unlock() { held_.store(false, std::memory_order_release); }
  // Is somebody inside? Who sees that nobody is sees what the last one did.
  [[nodiscard]] bool held() const { return held_.load(std::memory_order_acquire); }

 private:
  void lock_slowly();
  std::atomic<bool> held_{false};
};

class SpinGuard {
 public:
  explicit SpinGuard(SpinLock& l) : lock_(l) { lock_.lock(); }
  ~SpinGuard() { lock_.unlock(); }
  SpinGuard(const SpinGuard&) = delete;
  SpinGuard& operator=(const SpinGuard&) = delete;

 private:
  SpinLock& lock_;
};

}  // namespace neovm::worker
