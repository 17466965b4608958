// The channel without its element type; channel.hpp gives it one. Guests whose messages are words use it directly.
//
// Representation. A ring of slots with a 64-bit head and tail, two locks, and two FIFO lists of waiters.
//   joined  every operation takes the send lock. The state of a new channel, and right for tasks that share a worker (which
//           soon has the lock for itself, without an atomic exchange: biased_lock.hpp) and for capacities below kSplitCapacity.
//   split   senders take the send lock, receivers the receive lock; each side keeps a copy of the other's index, as in a
//           single-producer single-consumer ring, so one producer and one consumer on two workers share a cache
//           line only when the copy runs dry. Many producers or consumers queue up on their own side only. Whatever must wait,
//           wake or close takes both locks, send lock first, so waiters are covered by both.
// A channel splits when an operation finds the joined lock held kSplitAfter times, and joins again when it was waited on
// for kJoinAfter times in a row without contention.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "neovm/worker/biased_lock.hpp"
#include "neovm/worker/sync.hpp"
#include "neovm/worker/wait.hpp"

namespace neovm::worker {

struct ElementOps {
  std::size_t size;
  std::size_t align;
  void (*move)(void* to, void* from);  // constructs *to from *from, which stays destroyable; null: copy the bytes
  void (*destroy)(void*);              // null: nothing to do
};

template <class T>
inline constexpr ElementOps kElementOps = {
    sizeof(T), alignof(T),
    std::is_trivially_copyable_v<T> ? nullptr
                                    : +[](void* to, void* from) { new (to) T(std::move(*static_cast<T*>(from))); },
    std::is_trivially_destructible_v<T> ? nullptr : +[](void* p) { static_cast<T*>(p)->~T(); }};

inline constexpr std::size_t kUnbounded = ~std::size_t{0};
inline constexpr std::size_t kDefaultCapacity = 64;
// The most slots a bounded channel may ask for; more is kInvalid.
inline constexpr std::size_t kMaxCapacity = std::size_t{1} << 32;

class ChannelCore {
 public:
  // nullptr with *why = kInvalid (capacity above kMaxCapacity) or kNoMemory. One reference, the caller's.
  static ChannelCore* make(std::size_t capacity, const ElementOps& ops, Status* why);
  void acquire() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release();  // the last one destroys what is buffered

  // kOk: *value was moved away. kWouldBlock, kClosed: it was not touched.
  Status try_send(void* value);
  // kOk: *value was constructed. kWouldBlock, kClosed: it was not.
  Status try_recv(void* value);
  // What `co_await` tries first: false when the running task was asked to stop, or has to wait.
  bool send_now(void* value, Status* outcome);
  bool recv_now(void* value, Status* outcome);
  // Is a try worth its lock? Without capacity the wait's own look is the only one; a split channel is not looked at twice.
  [[nodiscard]] bool send_may_pass() const {
    return split_.load(std::memory_order_relaxed) || (capacity_ != 0 && (closed() || size() < capacity_));
  }
  [[nodiscard]] bool recv_may_pass() const {
    return split_.load(std::memory_order_relaxed) || (capacity_ != 0 && (size() != 0 || closed()));
  }
  // As many of `count` values at `values` as there are receivers and room; one lock for the batch. *done says how many.
  // kOk when at least one, otherwise as try_send.
  Status try_send_batch(void* values, std::size_t count, std::size_t* done);
  Status try_recv_batch(void* values, std::size_t count, std::size_t* done);

  // The parking halves of begin()/finish(). true: over, *outcome says how. `node.slot` is the value's place.
  bool begin_send(WaitCell& cell, WaitNode& node, WaitTimer* timer, Status* outcome);
  bool begin_recv(WaitCell& cell, WaitNode& node, WaitTimer* timer, Status* outcome);
  Status finish_wait(WaitNode& node, WaitTimer* timer);

  void close();
  [[nodiscard]] bool closed() const { return closed_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] bool split() const { return split_.load(std::memory_order_relaxed); }
  // One worker has the lock for itself; a snapshot.
  [[nodiscard]] bool favours() const { return send_lock_.favourite() != nullptr; }

 private:
  friend struct ChannelAccess;
  friend struct SelectAccess;
  static constexpr std::size_t kSplitCapacity = 16;
  static constexpr std::uint32_t kSplitAfter = 8;
  static constexpr std::uint32_t kJoinAfter = 64;

  ChannelCore(std::size_t capacity, std::size_t slots, const ElementOps& ops, void* memory);
  ~ChannelCore();

  // Read by both sides, seldom written.
  const ElementOps* ops_;
  std::size_t capacity_;
  std::uint64_t mask_;
  std::byte* slots_;
  void* block_ = nullptr;  // the pool's block that this stands in
  std::atomic<bool> split_{false};
  std::atomic<bool> closed_{false};
  std::atomic<std::uint32_t> references_{1};

  // The senders' line.
  alignas(64) BiasedLock send_lock_;
  std::uint32_t contended_ = 0;
  std::uint32_t calm_ = 0;
  std::atomic<std::uint64_t> tail_{0};
  std::uint64_t head_seen_ = 0;
  WaitList senders_;
  // The receivers' line.
  alignas(64) SpinLock recv_lock_;
  std::atomic<std::uint64_t> head_{0};
  std::uint64_t tail_seen_ = 0;
  WaitList receivers_;
};

}  // namespace neovm::worker
