// Waiting for several children at once, with patience that runs out.
//
//     ChildSet<int> set;
//     for (...) set.add(spawn(work(i)));
//     auto seen = co_await set.wait_for(10ms);
//     for (auto& e : seen.ended) use(e.tag, e.result);
//     if (!seen.running.empty()) seen = co_await set.wait_for(1s);   // the same children again
//     set.detach_all();                                               // or: let them go on
//
// A wait delivers every end exactly once: those of children that ended before, during or between waits, also when the wait
// itself ended by its timeout or was cancelled. What is running is named, and stays in the set.
// poll() does not wait for the children: it looks a bounded number of times, with growing pauses between the looks.
//
// Ownership: the set owns the handles; destroying it detaches what runs. It belongs to one task, which must not destroy it during a
// wait. Errors: a handle whose spawn was refused counts as ended, with the status of the refusal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "neovm/worker/supervisor_machine.hpp"
#include "neovm/worker/task.hpp"

namespace neovm::worker {

struct PollPolicy {
  std::uint32_t looks = 10;  // at most so many; 0 looks at nothing
  Backoff pauses{.initial = std::chrono::milliseconds(1), .max = std::chrono::milliseconds(100)};
};

template <class T = void>
class ChildSet {
 public:
  using Tag = std::uint64_t;
  struct Ended {
    Tag tag;
    JoinResult<T> result;
  };
  struct Seen {
    // kOk: none is running. kTimeout: the time (or the number of looks) is used up. kCancelled, kDeadline, kShutdown: the waiting
    // task was asked to stop. The lists are right in every case.
    Status status = Status::kOk;
    std::vector<Ended> ended;  // not delivered before
    std::vector<Tag> running;
  };

  ChildSet() = default;
  ChildSet(const ChildSet&) = delete;
  ChildSet& operator=(const ChildSet&) = delete;

  // Tags count from 0 in order of adding.
  Tag add(JoinHandle<T> handle) {
    running_.push_back({next_, std::move(handle)});
    return next_++;
  }
  [[nodiscard]] std::size_t running() const { return running_.size(); }
  // The ends of now.
  Seen look() {
    collect();
    return deliver(running_.empty() ? Status::kOk : Status::kTimeout);
  }
  Task<Seen> wait_for(Duration d) { return wait_until(after(d)); }
  Task<Seen> wait_until(Instant t) {
    Status status = Status::kOk;
    while (!running_.empty() && status == Status::kOk) {
      Child& first = running_.front();
      JoinResult<T> result = co_await first.handle.join_until(t);
      if (first.handle) {
        status = result.status;  // the wait's own end
      } else {
        ended_.push_back({first.tag, std::move(result)});
        running_.erase(running_.begin());
      }
      collect();
    }
    co_return deliver(running_.empty() ? Status::kOk : status);
  }
  Task<Seen> poll(PollPolicy policy) {
    std::uint64_t random = policy.pauses.seed;
    for (std::uint32_t n = 0; n < policy.looks; ++n) {
      if (n != 0) {
        const Status slept = co_await sleep_for(policy.pauses.pause(n - 1, &random));
        if (slept != Status::kOk) {
          collect();
          co_return deliver(running_.empty() ? Status::kOk : slept);
        }
      }
      collect();
      if (running_.empty()) break;
    }
    co_return deliver(running_.empty() ? Status::kOk : Status::kTimeout);
  }
  // False when it is not running (any more).
  bool cancel(Tag tag) {
    for (Child& c : running_)
      if (c.tag == tag) return c.handle.cancel() == Status::kOk;
    return false;
  }
  bool detach(Tag tag) {
    const auto found = std::find_if(running_.begin(), running_.end(), [&](const Child& c) { return c.tag == tag; });
    if (found == running_.end()) return false;
    running_.erase(found);
    return true;
  }
  std::size_t detach_all() {
    const std::size_t n = running_.size();
    running_.clear();
    return n;
  }

 private:
  struct Child {
    Tag tag;
    JoinHandle<T> handle;
  };
  // Moves what has ended over to ended_, in order of adding.
  void collect() {
    auto keep = running_.begin();
    for (auto c = running_.begin(); c != running_.end(); ++c) {
      if (!c->handle || c->handle.status() != Status::kPending) {
        JoinOp<T> op = c->handle.join();
        op.ready();
        ended_.push_back({c->tag, op.finish()});
      } else {
        if (keep != c) *keep = std::move(*c);
        ++keep;
      }
    }
    running_.erase(keep, running_.end());
  }
  Seen deliver(Status status) {
    Seen seen{status, std::exchange(ended_, {}), {}};
    for (const Child& c : running_) seen.running.push_back(c.tag);
    return seen;
  }

  std::vector<Child> running_;
  std::vector<Ended> ended_;  // seen, not yet delivered
  Tag next_ = 0;
};

}  // namespace neovm::worker
