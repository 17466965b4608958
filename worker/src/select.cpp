// Select. A first look takes one channel's locks at a time, and only of channels that seem ready. If nothing was there, the locks
// of all channels are taken in order of their addresses, everything is looked at once more, the nodes are linked, and
// the cell is armed: from then on whoever claims it has chosen the case.
#include "neovm/worker/select.hpp"

#include <algorithm>

#include "channel_access.hpp"
#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

struct SelectAccess {
  static ChannelCore* channel(const SelectCase& c) { return c.channel_; }
  static WaitNode& node(SelectCase& c) { return c.node_; }
  static bool is_send(const SelectCase& c) { return c.is_send_; }
  static Status attempt(SelectCase& c, WakeList* wakes) {
    return c.is_send_ ? ChannelAccess::send_locked(*c.channel_, c.node_.slot, wakes)
                      : ChannelAccess::recv_locked(*c.channel_, c.node_.slot, wakes);
  }
};

namespace {

using Cases = std::span<SelectCase* const>;

// The place where this select starts looking; a step further each time.
std::size_t rotation(WorkerState* w, std::size_t n) {
  if (w == nullptr || w->current == nullptr) return 0;
  TaskHeader& t = *w->current;
  if (t.rotation == 0) t.rotation = static_cast<std::uint32_t>(w->random() | 1);
  return n == 0 ? 0 : ++t.rotation % n;
}

// Each channel once, by address.
class Locks {
 public:
  explicit Locks(Cases cases) {
    channels_ = cases.size() <= kInline ? inline_ : new ChannelCore*[cases.size()];
    for (SelectCase* c : cases)
      if (SelectAccess::channel(*c) != nullptr) channels_[count_++] = SelectAccess::channel(*c);
    std::sort(channels_, channels_ + count_);
    count_ = static_cast<std::size_t>(std::unique(channels_, channels_ + count_) - channels_);
    const WorkerState* const me = current_worker();
    for (std::size_t i = 0; i < count_; ++i) ChannelAccess::lock_all(*channels_[i], me);
  }
  [[nodiscard]] bool none() const { return count_ == 0; }
  void unlock() {
    for (std::size_t i = count_; i-- > 0;) ChannelAccess::unlock_all(*channels_[i]);
    if (channels_ != inline_) delete[] channels_;
  }

 private:
  static constexpr std::size_t kInline = 8;
  std::size_t count_ = 0;
  ChannelCore* inline_[kInline];
  ChannelCore** channels_;
};

void count_select() {
  WorkerState* const w = current_worker();
  if (w != nullptr) w->metrics->selects.add();
}

}  // namespace

bool SelectOpBase::try_all(Cases cases) {
  const std::size_t n = cases.size();
  if (n > kMaxCases || (n == 0 && !default_ && timer_.deadline == kNever)) {
    result_ = {Selected::kNone, Status::kInvalid};
    return true;
  }
  WorkerState* const w = current_worker();
  const std::size_t start = in_order_ ? 0 : rotation(w, n);
  start_ = static_cast<std::uint32_t>(start);
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = start + k < n ? start + k : start + k - n;
    SelectCase& c = *cases[i];
    ChannelCore* const channel = SelectAccess::channel(c);
    if (channel == nullptr || !ChannelAccess::maybe_ready(*channel, SelectAccess::is_send(c))) continue;
    void* const slot = SelectAccess::node(c).slot;
    const Status s = SelectAccess::is_send(c) ? ChannelAccess::try_send(*channel, slot, w)
                                              : ChannelAccess::try_recv(*channel, slot, w);
    if (s == Status::kWouldBlock) continue;
    result_ = {i, s};
    if (w != nullptr) w->metrics->selects.add();
    return true;
  }
  if (!default_) return false;
  result_ = {Selected::kNone, Status::kWouldBlock};
  return true;
}

bool SelectOpBase::begin_all(Cases cases, WaitCell& cell) {
  const std::size_t n = cases.size();
  if (n > kMaxCases) return true;
  Status stopped = Status::kOk;
  if (stop_requested(cell, &stopped)) {
    result_ = {Selected::kNone, stopped};
    return true;
  }
  Locks locks(cases);
  WakeList wakes;
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = (start_ + k) % n;
    if (SelectAccess::channel(*cases[i]) == nullptr) continue;
    const Status s = SelectAccess::attempt(*cases[i], &wakes);
    if (s == Status::kWouldBlock) continue;
    result_ = {i, s};
    locks.unlock();
    wakes.wake();
    return true;
  }
  if (default_) {
    locks.unlock();
    return true;
  }
  cell_ = &cell;
  for (std::size_t i = 0; i < n; ++i) {
    ChannelCore* const channel = SelectAccess::channel(*cases[i]);
    if (channel == nullptr) continue;
    WaitNode& node = SelectAccess::node(*cases[i]);
    node.cell = &cell;
    node.branch = static_cast<std::uint16_t>(i);
    ChannelAccess::waiters(*channel, SelectAccess::is_send(*cases[i])).push_back(&node);
  }
  // Without a channel (nothing but a timeout) the task's own lock covers the arming, as for a sleep.
  TaskHeader* const bare = locks.none() && cell.is_task ? static_cast<TaskHeader*>(&cell) : nullptr;
  if (bare != nullptr) bare->lock.lock();
  const bool armed = arm(cell, &timer_, &result_.status);
  if (bare != nullptr) bare->lock.unlock();
  if (armed) {
    locks.unlock();
    return false;
  }
  for (SelectCase* c : cases) {
    WaitNode& node = SelectAccess::node(*c);
    if (node.linked()) WaitList::unlink(&node);
  }
  cell_ = nullptr;
  locks.unlock();
  return true;
}

Selected SelectOpBase::finish_all(Cases cases) {
  if (cell_ == nullptr) return {result_.index, result_.status};  // by field: they were written so just now
  WaitCell& cell = *std::exchange(cell_, nullptr);
  const Status s = cell.outcome;
  const bool chosen = s == Status::kOk || s == Status::kClosed;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    ChannelCore* const channel = SelectAccess::channel(*cases[i]);
    // The case that won was taken out by who claimed it.
    if (channel == nullptr || (chosen && i == cell.branch)) continue;
    WaitNode& node = SelectAccess::node(*cases[i]);
    bool unlink = true;
    if constexpr (bugs(Bug::kEarlyFree)) unlink = !check_bug(Bug::kEarlyFree);
    if (unlink) {
      ChannelAccess::lock_all(*channel, current_worker());
      if (node.linked()) WaitList::unlink(&node);
      ChannelAccess::unlock_all(*channel);
    }
    node.cell = nullptr;
  }
  if (cell.is_task) {
    auto& t = static_cast<TaskHeader&>(cell);
    t.lock.lock();
    t.lock.unlock();
  }
  result_ = chosen ? Selected{cell.branch, s} : Selected{Selected::kNone, s};
  if (chosen) count_select();
  disarm_timer(&timer_);
  (void)end_wait(cell);
  return result_;
}

}  // namespace neovm::worker
