// The channel's operations; channel_core.hpp says how it is laid out.
#include <bit>
#include <cstdlib>

#include "channel_access.hpp"
#include "core.hpp"
#include "simulation.hpp"

namespace neovm::worker {

namespace {

constexpr std::size_t kFirstUnbounded = 64;

void move_element(const ElementOps& ops, void* to, void* from) {
  if (ops.move != nullptr) {
    ops.move(to, from);
    if (ops.destroy != nullptr) ops.destroy(from);
  } else if (ops.size == 8) {
    __builtin_memcpy(to, from, 8);
  } else {
    __builtin_memcpy(to, from, ops.size);
  }
}

// From a sender's value, which the sender destroys itself.
void take_element(const ElementOps& ops, void* to, void* from) {
  if (ops.move != nullptr) {
    ops.move(to, from);
  } else if (ops.size == 8) {
    __builtin_memcpy(to, from, 8);
  } else {
    __builtin_memcpy(to, from, ops.size);
  }
}

// Messages are counted where they cost nothing: buffered ones by the 64 (the index says when) and the rest when the channel
// goes, those handed over one by one, as somebody is woken anyway. Threads that are no worker's are not counted.
constexpr std::uint64_t kCountEvery = 64;

void count_messages(std::uint64_t sent, std::uint64_t received, std::uint64_t handed_over) {
  const WorkerState* const w = current_worker();
  if (w == nullptr) return;
  w->metrics->messages_sent.add(sent + handed_over);
  w->metrics->messages_received.add(received + handed_over);
  w->metrics->handoffs.add(handed_over);
}
inline void count_sent(std::uint64_t index) {
  if (index % kCountEvery == kCountEvery - 1) [[unlikely]]
    count_messages(kCountEvery, 0, 0);
}
inline void count_received(std::uint64_t index) {
  if (index % kCountEvery == kCountEvery - 1) [[unlikely]]
    count_messages(0, kCountEvery, 0);
}

}  // namespace

// ---- made and released -----------------------------------------------------------------------------------------------

ChannelCore::ChannelCore(std::size_t capacity, std::size_t slots, const ElementOps& ops, void* memory)
    : ops_(&ops), capacity_(capacity), mask_(slots - 1), slots_(static_cast<std::byte*>(memory)) {}

ChannelCore::~ChannelCore() {
  count_messages(tail_.load(std::memory_order_relaxed) % kCountEvery,
                 head_.load(std::memory_order_relaxed) % kCountEvery, 0);
  if (ops_->destroy != nullptr) {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    for (std::uint64_t i = head_.load(std::memory_order_relaxed); i != tail; ++i)
      ops_->destroy(ChannelAccess::slot(*this, i));
  }
  std::free(slots_);
}

ChannelCore* ChannelCore::make(std::size_t capacity, const ElementOps& ops, Status* why) {
  if (capacity != kUnbounded && capacity > kMaxCapacity) {
    *why = Status::kInvalid;
    return nullptr;
  }
  *why = Status::kNoMemory;
  const std::size_t slots = capacity == kUnbounded ? kFirstUnbounded : capacity == 0 ? 1 : std::bit_ceil(capacity);
  void* memory = nullptr;
  if (capacity != 0) {
    if (slots > (std::size_t{1} << 46) / ops.size) return nullptr;
    const std::size_t align = ops.align < 16 ? 16 : ops.align;
    memory = std::aligned_alloc(align, (slots * ops.size + align - 1) / align * align);
    if (memory == nullptr) return nullptr;
  }
  // The lines of the two sides are aligned by hand: pool blocks are not.
  void* const p = detail::pool_allocate(sizeof(ChannelCore) + 64);
  if (p == nullptr) {
    std::free(memory);
    return nullptr;
  }
  auto at = reinterpret_cast<std::uintptr_t>(p);
  const std::uintptr_t aligned = (at + 64) & ~std::uintptr_t{63};
  auto* const c = new (reinterpret_cast<void*>(aligned)) ChannelCore(capacity, slots, ops, memory);
  c->block_ = p;
  *why = Status::kOk;
  return c;
}

void ChannelCore::release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  void* const p = block_;
  this->~ChannelCore();
  detail::pool_free(p);
}

std::size_t ChannelCore::size() const {
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  return tail >= head ? static_cast<std::size_t>(tail - head) : 0;
}

// ---- locks -----------------------------------------------------------------------------------------------------------------

void ChannelAccess::lock_all(ChannelCore& c, const WorkerState* me) {
  // Both lines at once, and to be written, if another worker had them.
  __builtin_prefetch(&c.send_lock_, 1);
  __builtin_prefetch(&c.recv_lock_, 1);
  const BiasedLock::Entry how = c.send_lock_.lock(me);
  if (how == BiasedLock::Entry::kFavoured) return;  // a split channel has no favourite
  if (c.split_.load(std::memory_order_relaxed)) {
    c.recv_lock_.lock();
  } else if (how == BiasedLock::Entry::kAlone) {
    c.send_lock_.consider(may_be_favoured(me));
  }
}

void ChannelAccess::unlock_all(ChannelCore& c) {
  if (c.split_.load(std::memory_order_relaxed)) c.recv_lock_.unlock();
  c.send_lock_.unlock();
}

// The send lock, noticing when it was held: a joined channel that two workers meet at is split.
inline void ChannelAccess::lock_noticing(ChannelCore& c, const WorkerState* me) {
  const BiasedLock::Entry how = c.send_lock_.lock(me);
  if (how == BiasedLock::Entry::kFavoured) return;
  if (how == BiasedLock::Entry::kMet) {
    met(c);
  } else if (!c.split_.load(std::memory_order_relaxed)) {
    c.send_lock_.consider(may_be_favoured(me));
  }
}

void ChannelAccess::met(ChannelCore& c) {
  if (c.split_.load(std::memory_order_relaxed) || c.capacity_ < ChannelCore::kSplitCapacity ||
      c.capacity_ == kUnbounded)
    return;
  c.calm_ = 0;
  if (++c.contended_ < ChannelCore::kSplitAfter) return;
  c.contended_ = 0;
  // Both locks are held when the layout changes, and who meets somebody has withdrawn the favour. Nobody holds the receive
  // lock of a joined channel for long: who took it by a stale look lets go at once.
  c.recv_lock_.lock();
  c.head_seen_ = c.head_.load(std::memory_order_relaxed);
  c.tail_seen_ = c.tail_.load(std::memory_order_relaxed);
  c.split_.store(true, std::memory_order_relaxed);
  c.recv_lock_.unlock();
}

// All locks are held and somebody has to wait: a channel that is only ever waited on shares a worker again.
void ChannelAccess::maybe_join(ChannelCore& c) {
  if (!c.split_.load(std::memory_order_relaxed)) return;
  if (++c.calm_ < ChannelCore::kJoinAfter) return;
  c.calm_ = 0;
  c.split_.store(false, std::memory_order_relaxed);
  c.recv_lock_.unlock();
}

// ---- under all locks --------------------------------------------------------------------------------------------------------

namespace {
// The next waiter that is still waiting: claimed, its node out of the list.
WaitNode* claim_next(WaitList& list) {
  for (;;) {
    WaitNode* n = list.front();
    if constexpr (bugs(Bug::kLastInFirstOut)) {
      if (n != nullptr && check_bug(Bug::kLastInFirstOut)) n = list.back();
    }
    if (n == nullptr) return nullptr;
    WaitList::unlink(n);
    if (claim(*n->cell, Status::kOk, n->branch)) return n;
    if constexpr (bugs(Bug::kDroppedOnLostClaim)) {
      if (check_bug(Bug::kDroppedOnLostClaim)) return nullptr;
    }
  }
}
}  // namespace

bool ChannelAccess::grow(ChannelCore& c) {
  const std::size_t old = c.mask_ + 1;
  const ElementOps& ops = *c.ops_;
  const std::size_t align = ops.align < 16 ? 16 : ops.align;
  void* const memory = std::aligned_alloc(align, (old * 2 * ops.size + align - 1) / align * align);
  if (memory == nullptr) return false;
  const std::uint64_t tail = c.tail_.load(std::memory_order_relaxed);
  const std::uint64_t mask = old * 2 - 1;
  for (std::uint64_t i = c.head_.load(std::memory_order_relaxed); i != tail; ++i)
    move_element(ops, static_cast<std::byte*>(memory) + (i & mask) * ops.size, slot(c, i));
  std::free(c.slots_);
  c.slots_ = static_cast<std::byte*>(memory);
  c.mask_ = mask;
  return true;
}

Status ChannelAccess::send_locked(ChannelCore& c, void* value, WakeList* wakes) {
  if (c.closed_.load(std::memory_order_relaxed)) return Status::kClosed;
  const std::uint64_t tail = c.tail_.load(std::memory_order_relaxed);
  const std::uint64_t head = c.head_.load(std::memory_order_relaxed);
  interleave();
  if (!c.receivers_.empty()) {
    // Receivers wait only while nothing is buffered, so order is kept.
    if (WaitNode* const n = claim_next(c.receivers_)) {
      take_element(*c.ops_, n->slot, value);
      wakes->add(n->cell);
      count_messages(0, 0, 1);
      return Status::kOk;
    }
    if constexpr (bugs(Bug::kDroppedOnLostClaim)) {
      if (check_bug(Bug::kDroppedOnLostClaim)) return Status::kOk;
    }
  }
  if (tail - head >= c.capacity_) return Status::kWouldBlock;
  if (c.capacity_ == kUnbounded && tail - head > c.mask_ && !grow(c)) return Status::kNoMemory;
  take_element(*c.ops_, slot(c, tail), value);
  c.tail_.store(tail + 1, std::memory_order_release);
  count_sent(tail);
  return Status::kOk;
}

Status ChannelAccess::recv_locked(ChannelCore& c, void* value, WakeList* wakes) {
  const std::uint64_t head = c.head_.load(std::memory_order_relaxed);
  const std::uint64_t tail = c.tail_.load(std::memory_order_relaxed);
  interleave();
  if (head != tail) {
    move_element(*c.ops_, value, slot(c, head));
    c.head_.store(head + 1, std::memory_order_release);
    count_received(head);
    if (!c.senders_.empty()) {
      if (WaitNode* const n = claim_next(c.senders_)) {
        take_element(*c.ops_, slot(c, tail), n->slot);
        c.tail_.store(tail + 1, std::memory_order_release);
        count_sent(tail);
        wakes->add(n->cell);
      }
    }
    return Status::kOk;
  }
  if (!c.senders_.empty()) {
    if (WaitNode* const n = claim_next(c.senders_)) {
      take_element(*c.ops_, value, n->slot);
      wakes->add(n->cell);
      count_messages(0, 0, 1);
      return Status::kOk;
    }
  }
  return c.closed_.load(std::memory_order_relaxed) ? Status::kClosed : Status::kWouldBlock;
}

// ---- not waiting --------------------------------------------------------------------------------------------------------------

Status ChannelCore::try_send(void* value) { return ChannelAccess::try_send(*this, value, current_worker()); }
Status ChannelCore::try_recv(void* value) { return ChannelAccess::try_recv(*this, value, current_worker()); }

namespace {
bool asked_to_stop(const WorkerState* me) {
  if (me == nullptr || me->current == nullptr) return false;
  const TaskHeader& t = *me->current;
  return (t.flags.load(std::memory_order_relaxed) & kStopMask) != 0 && t.shields == 0;
}
}  // namespace

bool ChannelCore::send_now(void* value, Status* outcome) {
  if (!send_may_pass()) return false;
  const WorkerState* const me = current_worker();
  if (asked_to_stop(me)) return false;
  *outcome = ChannelAccess::try_send(*this, value, me);
  return *outcome != Status::kWouldBlock;
}

bool ChannelCore::recv_now(void* value, Status* outcome) {
  if (!recv_may_pass()) return false;
  const WorkerState* const me = current_worker();
  if (asked_to_stop(me)) return false;
  *outcome = ChannelAccess::try_recv(*this, value, me);
  return *outcome != Status::kWouldBlock;
}

Status ChannelAccess::try_send(ChannelCore& c, void* value, const WorkerState* me) {
  lock_noticing(c, me);
  if (c.split_.load(std::memory_order_relaxed)) {
    if (c.receivers_.empty()) {
      Status s = Status::kOk;
      const std::uint64_t tail = c.tail_.load(std::memory_order_relaxed);
      if (c.closed_.load(std::memory_order_relaxed)) {
        s = Status::kClosed;
      } else {
        if (tail - c.head_seen_ >= c.capacity_) c.head_seen_ = c.head_.load(std::memory_order_acquire);
        if (tail - c.head_seen_ >= c.capacity_) {
          s = Status::kWouldBlock;
        } else {
          take_element(*c.ops_, slot(c, tail), value);
          c.tail_.store(tail + 1, std::memory_order_release);
          count_sent(tail);
        }
      }
      c.send_lock_.unlock();
      return s;
    }
    c.recv_lock_.lock();
    WakeList wakes;
    const Status s = send_locked(c, value, &wakes);
    c.recv_lock_.unlock();
    c.send_lock_.unlock();
    wakes.wake();
    return s;
  }
  WakeList wakes;
  const Status s = send_locked(c, value, &wakes);
  c.send_lock_.unlock();
  wakes.wake();
  return s;
}

Status ChannelAccess::try_recv(ChannelCore& c, void* value, const WorkerState* me) {
  while (c.split_.load(std::memory_order_relaxed)) {
    c.recv_lock_.lock();
    if (!c.split_.load(std::memory_order_relaxed)) {
      c.recv_lock_.unlock();
      break;
    }
    if (c.senders_.empty()) {
      const std::uint64_t head = c.head_.load(std::memory_order_relaxed);
      Status s = Status::kOk;
      if (head >= c.tail_seen_) {  // the copy may be older than what was taken under both locks
        // Closed is read first: what was sent before the close is then seen.
        const bool closed = c.closed_.load(std::memory_order_acquire);
        c.tail_seen_ = c.tail_.load(std::memory_order_acquire);
        if (head == c.tail_seen_) s = closed ? Status::kClosed : Status::kWouldBlock;
      }
      if (s == Status::kOk) {
        move_element(*c.ops_, value, slot(c, head));
        c.head_.store(head + 1, std::memory_order_release);
        count_received(head);
      }
      c.recv_lock_.unlock();
      return s;
    }
    c.recv_lock_.unlock();
    lock_all(c, me);
    WakeList wakes;
    const Status s = recv_locked(c, value, &wakes);
    unlock_all(c);
    wakes.wake();
    return s;
  }
  lock_noticing(c, me);
  // It may have been split just now, by this very look.
  const bool split = c.split_.load(std::memory_order_relaxed);
  if (split) c.recv_lock_.lock();
  WakeList wakes;
  const Status s = recv_locked(c, value, &wakes);
  if (split) c.recv_lock_.unlock();
  c.send_lock_.unlock();
  wakes.wake();
  return s;
}

Status ChannelCore::try_send_batch(void* values, std::size_t count, std::size_t* done) {
  *done = 0;
  ChannelAccess::lock_all(*this, current_worker());
  WakeList wakes;
  Status s = Status::kOk;
  while (*done < count) {
    s = ChannelAccess::send_locked(*this, static_cast<std::byte*>(values) + *done * ops_->size, &wakes);
    if (s != Status::kOk) break;
    ++*done;
  }
  if (split_.load(std::memory_order_relaxed)) head_seen_ = head_.load(std::memory_order_relaxed);
  ChannelAccess::unlock_all(*this);
  wakes.wake();
  return *done != 0 || count == 0 ? Status::kOk : s;
}

Status ChannelCore::try_recv_batch(void* values, std::size_t count, std::size_t* done) {
  *done = 0;
  ChannelAccess::lock_all(*this, current_worker());
  WakeList wakes;
  Status s = Status::kOk;
  while (*done < count) {
    s = ChannelAccess::recv_locked(*this, static_cast<std::byte*>(values) + *done * ops_->size, &wakes);
    if (s != Status::kOk) break;
    ++*done;
  }
  if (split_.load(std::memory_order_relaxed)) tail_seen_ = tail_.load(std::memory_order_relaxed);
  ChannelAccess::unlock_all(*this);
  wakes.wake();
  return *done != 0 || count == 0 ? Status::kOk : s;
}

// ---- waiting ---------------------------------------------------------------------------------------------------------------

// Either direction: the operation at once, or a place among those who wait for it.
template <ChannelAccess::Locked operation>
bool ChannelAccess::begin(ChannelCore& c, WaitList& waiting, WaitCell& cell, WaitNode& node, WaitTimer* timer,
                          Status* outcome) {
  if (stop_requested(cell, outcome)) return true;
  lock_all(c, current_worker());
  WakeList wakes;
  *outcome = operation(c, node.slot, &wakes);
  if (*outcome == Status::kWouldBlock) {
    node.cell = &cell;
    waiting.push_back(&node);
    if (arm(cell, timer, outcome)) {
      maybe_join(c);
      unlock_all(c);
      return false;
    }
    WaitList::unlink(&node);
    node.cell = nullptr;
  }
  unlock_all(c);
  wakes.wake();
  return true;
}

bool ChannelCore::begin_send(WaitCell& cell, WaitNode& node, WaitTimer* timer, Status* outcome) {
  return ChannelAccess::begin<ChannelAccess::send_locked>(*this, senders_, cell, node, timer, outcome);
}

bool ChannelCore::begin_recv(WaitCell& cell, WaitNode& node, WaitTimer* timer, Status* outcome) {
  return ChannelAccess::begin<ChannelAccess::recv_locked>(*this, receivers_, cell, node, timer, outcome);
}

Status ChannelCore::finish_wait(WaitNode& node, WaitTimer* timer) {
  WaitCell& cell = *node.cell;  // stays there while the node may be in a list: who holds the locks looks at it
  const Status s = cell.outcome;
  // Served (or told of the close) by somebody who held the locks and took the node out; otherwise it is taken out here.
  bool unlink = s != Status::kOk && s != Status::kClosed;
  if constexpr (bugs(Bug::kEarlyFree)) unlink = unlink && !check_bug(Bug::kEarlyFree);
  if (unlink) {
    ChannelAccess::lock_all(*this, current_worker());
    if (node.linked()) WaitList::unlink(&node);
    ChannelAccess::unlock_all(*this);
  }
  node.cell = nullptr;
  disarm_timer(timer);
  return end_wait(cell);
}

void ChannelCore::close() {
  ChannelAccess::lock_all(*this, current_worker());
  closed_.store(true, std::memory_order_release);
  WakeList wakes;
  const auto end_all = [&](WaitList& list) {
    while (WaitNode* const n = list.front()) {
      WaitList::unlink(n);
      if (claim(*n->cell, Status::kClosed, n->branch)) wakes.add(n->cell);
    }
  };
  end_all(receivers_);
  bool senders = true;
  if constexpr (bugs(Bug::kCloseForgetsSenders)) senders = !check_bug(Bug::kCloseForgetsSenders);
  if (senders) end_all(senders_);
  ChannelAccess::unlock_all(*this);
  wakes.wake();
}

}  // namespace neovm::worker
