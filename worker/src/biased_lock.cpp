// The slow way into a biased lock; the header says how it works.
#include "neovm/worker/biased_lock.hpp"

#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

#ifdef NEOVM_WORKER_CHECKED
bool enters_without_second_look() { return check_bug(Bug::kFavourWithoutSecondLook); }
bool withdraws_without_wait() { return check_bug(Bug::kWithdrawWithoutWait); }
#endif

const WorkerState* may_be_favoured(const WorkerState* me) {
  return me != nullptr && (me->rt->uneven || me->rt->simulation != nullptr) ? me : nullptr;
}

BiasedLock::Entry BiasedLock::lock_shared() {
  Entry how = Entry::kAlone;
  if (!inner_.try_lock()) {
    how = Entry::kMet;
    inner_.lock();
  }
  if (favourite_.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
    how = Entry::kMet;
    favourite_.store(nullptr, std::memory_order_relaxed);
    fence_every_thread();
    interleave();
    for (unsigned spins = 0; busy_.load(std::memory_order_acquire) && !withdraws_without_wait(); ++spins) {
      if (!kChecked && spins < 64) {
        cpu_relax();
      } else {
        interleave_wait();
      }
    }
    streak_ = 0;
    if (patience_ < kMostPatience) patience_ *= 4;
  }
  by_favour_ = false;
  return how;
}

}  // namespace neovm::worker
