// Single-producer single-consumer rings.
//
// SharedRing is a contract: guests (WebAssembly threads among them) and other processes read the same
// bytes, so its layout is fixed and its indices live in the shared memory. SpscRing is the fast native
// one: each side keeps a cached copy of the other's index and touches the shared line only when the
// cache runs dry. Both come with spinning operations (never sleep) and parking ones (sleep on a futex).
//
// Threads: exactly one producer and one consumer at a time. Closing may come from either side.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <thread>

#include "neovm/worker/futex.hpp"

namespace neovm::worker {

inline constexpr std::size_t kCacheLine = 64;

// Tells the core that this is a spin-wait; no effect on memory order.
inline void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// ---- the shared-memory contract -------------------------------------------------------------------------

// head: next slot to read, tail: next slot to write; both run modulo 2^32, `slots` is a power of two.
// sum: the consumer's running total of the items. The spin counters are each written by one side only.
struct SharedRingHeader {
  std::atomic<std::uint32_t> head;
  std::atomic<std::uint32_t> tail;
  std::atomic<std::uint64_t> sum;
  std::atomic<std::uint64_t> producer_spins;
  std::atomic<std::uint64_t> consumer_spins;
  // std::uint32_t data[slots] follows
};
static_assert(sizeof(SharedRingHeader) == 32 && alignof(SharedRingHeader) == 8);
static_assert(offsetof(SharedRingHeader, tail) == 4 && offsetof(SharedRingHeader, sum) == 8);
static_assert(offsetof(SharedRingHeader, producer_spins) == 16 && offsetof(SharedRingHeader, consumer_spins) == 24);

// A view of a ring in memory that somebody else owns. Copyable; does not own.
class SharedRing {
 public:
  static std::size_t bytes(std::uint32_t slots) { return sizeof(SharedRingHeader) + std::size_t{slots} * 4; }
  static bool valid_slots(std::uint32_t slots) { return std::has_single_bit(slots) && slots <= (1U << 30); }

  // Precondition: valid_slots(slots), `memory` is 8-aligned and has bytes(slots) bytes.
  // `initialize` zeroes the header; the other side attaches without it. `shared`: other processes take part.
  SharedRing(void* memory, std::uint32_t slots, bool initialize, bool shared = false);

  bool try_push(std::uint32_t item) {
    const std::uint32_t tail = header_->tail.load(std::memory_order_relaxed);
    if (tail - header_->head.load(std::memory_order_acquire) == slots_) return false;
    data_[tail & mask_] = item;
    header_->tail.store(tail + 1, std::memory_order_release);
    return true;
  }
  bool try_pop(std::uint32_t* item) {
    const std::uint32_t head = header_->head.load(std::memory_order_relaxed);
    if (head == header_->tail.load(std::memory_order_acquire)) return false;
    *item = data_[head & mask_];
    header_->head.store(head + 1, std::memory_order_release);
    return true;
  }
  // Spin until there is room or an item; each failed look counts as a spin.
  void push_spinning(std::uint32_t item);
  std::uint32_t pop_spinning();
  // Sleep instead, on the index that the other side moves.
  void push_parking(std::uint32_t item);
  std::uint32_t pop_parking();
  // The consumer's running total.
  void add_to_sum(std::uint64_t n) {
    header_->sum.store(header_->sum.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  [[nodiscard]] SharedRingHeader& header() { return *header_; }
  [[nodiscard]] std::uint32_t slots() const { return slots_; }

 private:
  SharedRingHeader* header_;
  std::uint32_t* data_;
  std::uint32_t slots_;
  std::uint32_t mask_;
  bool shared_;
};

// ---- the native ring ---------------------------------------------------------------------------------------

enum class RingStatus : std::uint8_t { kOk, kFull, kEmpty, kClosed };

template <class T>
class SpscRing {
 public:
  // `slots` is rounded up to a power of two, at least 2. Throws std::bad_alloc when there is no memory.
  explicit SpscRing(std::size_t slots)
      : capacity_(std::bit_ceil(slots < 2 ? std::size_t{2} : slots)), mask_(capacity_ - 1), data_(new T[capacity_]) {}

  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  RingStatus try_push(T item) {
    const std::uint64_t tail = producer_.index.load(std::memory_order_relaxed);
    if (tail - producer_.other == capacity_) {
      producer_.other = consumer_.index.load(std::memory_order_acquire);
      if (tail - producer_.other == capacity_)
        return closed_.load(std::memory_order_acquire) != 0 ? RingStatus::kClosed : RingStatus::kFull;
    }
    if (closed_.load(std::memory_order_relaxed) != 0) return RingStatus::kClosed;
    data_[tail & mask_] = std::move(item);
    producer_.index.store(tail + 1, std::memory_order_release);
    return RingStatus::kOk;
  }
  RingStatus try_pop(T* item) {
    const std::uint64_t head = consumer_.index.load(std::memory_order_relaxed);
    if (head == consumer_.other) {
      // Closed is read first: what was pushed before the close is then visible, so it drains.
      const bool closed = closed_.load(std::memory_order_acquire) != 0;
      consumer_.other = producer_.index.load(std::memory_order_acquire);
      if (head == consumer_.other) return closed ? RingStatus::kClosed : RingStatus::kEmpty;
    }
    *item = std::move(data_[head & mask_]);
    consumer_.index.store(head + 1, std::memory_order_release);
    return RingStatus::kOk;
  }
  // As many as fit; returns how many. One index store for the batch.
  std::size_t try_push_batch(std::span<const T> items) {
    const std::uint64_t tail = producer_.index.load(std::memory_order_relaxed);
    producer_.other = consumer_.index.load(std::memory_order_acquire);
    const std::size_t room = capacity_ - static_cast<std::size_t>(tail - producer_.other);
    const std::size_t n = items.size() < room ? items.size() : room;
    if (n == 0 || closed_.load(std::memory_order_relaxed) != 0) return 0;
    for (std::size_t i = 0; i < n; ++i) data_[(tail + i) & mask_] = items[i];
    producer_.index.store(tail + n, std::memory_order_release);
    return n;
  }
  std::size_t try_pop_batch(std::span<T> out) {
    const std::uint64_t head = consumer_.index.load(std::memory_order_relaxed);
    consumer_.other = producer_.index.load(std::memory_order_acquire);
    const auto there = static_cast<std::size_t>(consumer_.other - head);
    const std::size_t n = out.size() < there ? out.size() : there;
    for (std::size_t i = 0; i < n; ++i) out[i] = std::move(data_[(head + i) & mask_]);
    if (n != 0) consumer_.index.store(head + n, std::memory_order_release);
    return n;
  }
  // Spinning: kOk or kClosed.
  RingStatus push_spinning(T item, std::uint64_t* spins) {
    for (;;) {
      const RingStatus s = try_push(item);
      if (s != RingStatus::kFull) return s;
      ++*spins;
      cpu_relax();
    }
  }
  RingStatus pop_spinning(T* item, std::uint64_t* spins) {
    for (;;) {
      const RingStatus s = try_pop(item);
      if (s != RingStatus::kEmpty) return s;
      ++*spins;
      cpu_relax();
    }
  }
  // Parking: a short spin, then sleep until the other side moves. kOk or kClosed.
  RingStatus push_parking(T item) {
    for (;;) {
      RingStatus s = RingStatus::kFull;
      for (int i = 0; i < kSpinsBeforePark && s == RingStatus::kFull; ++i) {
        s = try_push(item);
        if (s == RingStatus::kFull) cpu_relax();
      }
      if (s == RingStatus::kFull) {
        const std::uint32_t ticket = prepare_wait(producer_waits_, consumer_moves_);
        s = try_push(item);
        if (s == RingStatus::kFull) {
          futex_wait(consumer_moves_, ticket);
          producer_waits_.store(0, std::memory_order_relaxed);
          continue;
        }
        producer_waits_.store(0, std::memory_order_relaxed);
      }
      if (s == RingStatus::kOk) announce(consumer_waits_, producer_moves_);
      return s;
    }
  }
  RingStatus pop_parking(T* item) {
    for (;;) {
      RingStatus s = RingStatus::kEmpty;
      for (int i = 0; i < kSpinsBeforePark && s == RingStatus::kEmpty; ++i) {
        s = try_pop(item);
        if (s == RingStatus::kEmpty) cpu_relax();
      }
      if (s == RingStatus::kEmpty) {
        const std::uint32_t ticket = prepare_wait(consumer_waits_, producer_moves_);
        s = try_pop(item);
        if (s == RingStatus::kEmpty) {
          futex_wait(producer_moves_, ticket);
          consumer_waits_.store(0, std::memory_order_relaxed);
          continue;
        }
        consumer_waits_.store(0, std::memory_order_relaxed);
      }
      if (s == RingStatus::kOk) announce(producer_waits_, consumer_moves_);
      return s;
    }
  }
  // From either side, any number of times. Items already pushed are still popped.
  void close() {
    closed_.store(1, std::memory_order_seq_cst);
    producer_moves_.fetch_add(1, std::memory_order_seq_cst);
    consumer_moves_.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(producer_moves_, 1);
    futex_wake(consumer_moves_, 1);
  }

 private:
  static constexpr int kSpinsBeforePark = 64;

  // The waiter announces itself, then looks once more; the mover moves, then looks for a waiter. One of
  // the two sees the other (both sides order their store before their load).
  static std::uint32_t prepare_wait(std::atomic<std::uint32_t>& waits, const std::atomic<std::uint32_t>& moves) {
    const std::uint32_t ticket = moves.load(std::memory_order_seq_cst);
    waits.store(1, std::memory_order_seq_cst);
    return ticket;
  }
  static void announce(std::atomic<std::uint32_t>& waits, std::atomic<std::uint32_t>& moves) {
    // A read-modify-write, not a fence: it orders the index store before the look at `waits`, and the
    // sanitizers understand it.
    moves.fetch_add(1, std::memory_order_seq_cst);
    if (waits.load(std::memory_order_seq_cst) != 0) futex_wake(moves, 1);
  }

  struct alignas(kCacheLine) Side {
    std::atomic<std::uint64_t> index{0};
    std::uint64_t other = 0;  // this side's copy of the other's index
  };
  Side producer_;
  Side consumer_;
  alignas(kCacheLine) std::atomic<std::uint32_t> producer_moves_{0};
  std::atomic<std::uint32_t> consumer_moves_{0};
  std::atomic<std::uint32_t> producer_waits_{0};
  std::atomic<std::uint32_t> consumer_waits_{0};
  std::atomic<std::uint32_t> closed_{0};
  std::size_t capacity_;
  std::size_t mask_;
  std::unique_ptr<T[]> data_;
};

}  // namespace neovm::worker
