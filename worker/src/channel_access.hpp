// The steps of a channel's operations that select shares.
#pragma once

#include "core.hpp"

namespace neovm::worker {

struct ChannelAccess {
  static std::byte* slot(ChannelCore& c, std::uint64_t i) { return c.slots_ + (i & c.mask_) * c.ops_->size; }
  // Everything about the channel, in either layout. `me`: the running worker, null on other threads.
  static void lock_all(ChannelCore& c, const WorkerState* me);
  static void unlock_all(ChannelCore& c);
  static void lock_noticing(ChannelCore& c, const WorkerState* me);
  static void met(ChannelCore& c);
  static Status try_send(ChannelCore& c, void* value, const WorkerState* me);
  static Status try_recv(ChannelCore& c, void* value, const WorkerState* me);
  static void maybe_join(ChannelCore& c);
  static bool grow(ChannelCore& c);
  // Under lock_all. kOk, kClosed, kWouldBlock (kNoMemory for an unbounded channel that cannot grow).
  static Status send_locked(ChannelCore& c, void* value, WakeList* wakes);
  static Status recv_locked(ChannelCore& c, void* value, WakeList* wakes);
  using Locked = Status (*)(ChannelCore&, void*, WakeList*);
  template <Locked operation>
  static bool begin(ChannelCore& c, WaitList& waiting, WaitCell& cell, WaitNode& node, WaitTimer* timer,
                    Status* outcome);
  static WaitList& waiters(ChannelCore& c, bool senders) { return senders ? c.senders_ : c.receivers_; }
  // Without a lock: might the operation find something? Waiters on the other side can be there without anything buffered
  // (or room) only when the capacity is 0.
  static bool maybe_ready(const ChannelCore& c, bool send) {
    if (c.capacity_ == 0 || c.closed_.load(std::memory_order_relaxed)) return true;
    const std::uint64_t n = c.tail_.load(std::memory_order_relaxed) - c.head_.load(std::memory_order_relaxed);
    return send ? n < c.capacity_ : n != 0;
  }
};

}  // namespace neovm::worker
