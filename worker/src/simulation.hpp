// The virtual workers of the interleaving tests, and the mistakes that those tests must find.
//
// Only the checked build (sync.hpp) has any of this: each worker is a native stack on one thread, and at every lock, claim
// and queue operation the seed decides whether another one goes on. Sleeping and waking are the simulation's, time is
// virtual, and when nobody can go on and no timer is armed the run is reported as a deadlock: a lost wake-up shows as that.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core.hpp"
#include "native_stack.hpp"

namespace neovm::worker {

// Mistakes put in on purpose, one at a time.
enum class Bug : std::uint8_t {
  kNone,
  kNoRecheckBeforePark,  // a worker goes to sleep without looking at the queues once more
  kSkippedNotify,        // queuing work for others wakes nobody
  kDoubleClaim,          // a wait is claimed by a test and a store instead of a compare-and-swap
  kEarlyFree,            // a waiter leaves without taking its node out of the list
  kSkippedChild,         // cancelling a group misses its first child
  kScopeOffByOne,        // a scope is joined when one child is left
  kJoinWithoutLook,      // a joiner links itself without looking whether the task has ended meanwhile
  kCloseForgetsSenders,  // closing a channel wakes the receivers only
  kDroppedOnLostClaim,   // a value taken for a receiver that was lost to a timer is not put back
  kStealWithoutSwap,     // a thief moves the head without a compare-and-swap
  kLastInFirstOut,       // the newest waiter is served first
  kArmBeforeFlag,        // arming does not look at the request to stop
  kInboxWithoutWake,     // a bound task is put into the inbox of a worker that sleeps
  kInboxWithoutSwap,     // a worker empties its inbox by a load and a store instead of an exchange
  // Biased locks'.
  kFavourWithoutSecondLook,  // the favourite of a lock enters without looking whether it still is
  kWithdrawWithoutWait,      // the favour is withdrawn without waiting for a favourite that is inside
  // Groups of children that end on other workers.
  kGoneAfterClosing,      // a child is left for later although somebody waits for the last one
  kGoneWithoutReference,  // a child that is left for later may be freed meanwhile
  kClosedWithoutLook,     // who waits for the last child does not take those that were left
  // Supervisors'.
  kEndLostInStart,    // the end of a child is overlooked while another one starts
  kEndToldEarly,      // a child counts as ended before its own children have
  kStopSkipped,       // the first child is not asked to stop
  kStopsAllAtOnce,    // children are not stopped one after the other
  kAnswersBeforeEnd,  // a request to stop a child is answered before it has ended
};

struct CheckHooks {
  Bug bug = Bug::kNone;
  // One switch at this many points on average; 1: at every one.
  std::uint32_t switch_every = 4;
  // Stacks of runs that are over, for those to come: mapping new ones costs more than most runs.
  std::vector<std::unique_ptr<SwitchedStack>>* spare_stacks = nullptr;
};

constexpr bool bugs(Bug /*which*/) { return kChecked; }
inline bool check_bug(const RuntimeCore& rt, Bug which) {
  return rt.config.check != nullptr && rt.config.check->bug == which;
}
// The same where no runtime is at hand: that of the running worker.
bool check_bug(Bug which);

class Simulation {
 public:
  explicit Simulation(RuntimeCore& rt);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // By the thread outside: lets the workers run until `done`, or nobody can (false).
  bool run_until(const std::function<bool()>& done);
  bool step();    // one of them goes on for a while; false: nobody can
  void finish();  // lets every worker loop end

  // By a worker.
  void park(std::atomic<std::uint32_t>* word, Instant until);
  void wake(std::atomic<std::uint32_t>* word);
  void point();
  void must_switch();

 private:
  struct Fiber;
  void switch_out();
  [[nodiscard]] std::vector<std::unique_ptr<SwitchedStack>>* spare_stacks() const;
  RuntimeCore& rt_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  Fiber* running_ = nullptr;
  std::uint64_t random_;
  std::uint32_t switch_every_;
  std::uint64_t next_random();
};

}  // namespace neovm::worker
