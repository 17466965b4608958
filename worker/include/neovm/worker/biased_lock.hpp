// A spin lock that one worker may have for itself without an atomic exchange, until somebody else comes.
//
// Entering by favour is a store, a look and no fence: the favourite marks itself busy and then looks whether it is still the
// favourite. Whoever else comes takes the inner lock, withdraws the favour, makes the kernel run a fence on every thread
// of the process, and waits until the favourite is not busy. Of the two, one sees the other: either the favourite sees that it
// is none any more and goes to the inner lock, or the comer sees it busy and waits. From then on the inner lock alone decides.
//
// Withdrawing costs some microseconds, so the favour has to be earned: by as many entries in a row as consider() asks for,
// four times as many after each withdrawal. Only the first worker that earned it can have it again: the mark "busy" must have
// one writer, as a former favourite that finds out late would wipe that of the next one.
//
// Rules: unlock() by the thread that locked; consider() under the lock; `me` is the running worker, null for other
// threads, and the same `me` is never used by two threads at once. The lock may outlive the workers.
#pragma once

#include <atomic>
#include <cstdint>

#include "neovm/worker/sync.hpp"

namespace neovm::worker {

class WorkerState;

#ifdef NEOVM_WORKER_CHECKED
bool enters_without_second_look();  // mistakes of the interleaving tests
bool withdraws_without_wait();
#else
constexpr bool enters_without_second_look() { return false; }
constexpr bool withdraws_without_wait() { return false; }
#endif

class BiasedLock {
 public:
  enum class Entry : std::uint8_t {
    kFavoured,  // without an exchange
    kAlone,     // by the inner lock, which was free
    kMet,       // somebody else held it, or had the favour
  };

  Entry lock(const WorkerState* me) {
    if (me != nullptr && favourite_.load(std::memory_order_relaxed) == me) {
      interleave();
      busy_.store(true, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      interleave();
      if (favourite_.load(std::memory_order_relaxed) == me || enters_without_second_look()) [[likely]] {
        by_favour_ = true;
        return Entry::kFavoured;
      }
      busy_.store(false, std::memory_order_release);
    }
    return lock_shared();
  }
  void unlock() {
    if (by_favour_) {
      busy_.store(false, std::memory_order_release);
    } else {
      inner_.unlock();
    }
  }
  // Under the lock, entered as kAlone: `me` may become the favourite. Only where heavy fences work (RuntimeCore::uneven).
  void consider(const WorkerState* me) {
    if (me != last_) {
      last_ = me;
      streak_ = 0;
      return;
    }
    if (me == nullptr || ++streak_ < patience_ || (only_ != nullptr && only_ != me)) return;
    streak_ = 0;
    only_ = me;
    favourite_.store(me, std::memory_order_relaxed);
  }
  [[nodiscard]] const WorkerState* favourite() const { return favourite_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kFirstPatience = kChecked ? 2 : 64;
  static constexpr std::uint32_t kMostPatience = 1U << 30;
  Entry lock_shared();

  SpinLock inner_;
  bool by_favour_ = false;  // how the holder came in; its own
  std::atomic<bool> busy_{false};
  std::uint32_t streak_ = 0;
  std::uint32_t patience_ = kFirstPatience;
  std::atomic<const WorkerState*> favourite_{nullptr};
  const WorkerState* last_ = nullptr;
  const WorkerState* only_ = nullptr;
};

}  // namespace neovm::worker
