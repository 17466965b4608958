// The run ring of a worker: 256 tasks, one owner that pushes and pops, any number of thieves.
//
// Head and tail run modulo 2^32. The owner alone moves the tail; owner and thieves take by moving the head with a
// compare-and-swap, after having read what they take: if the swap fails, what they read is forgotten. (The scheme of Go's
// run queues, described by Dmitry Vyukov; bounded, so no reclamation is needed.)
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "neovm/worker/sync.hpp"

namespace neovm::worker {

struct TaskHeader;
bool steals_without_swap();  // a mistake of the interleaving tests

class RunRing {
 public:
  static constexpr std::uint32_t kSize = 256;

  [[nodiscard]] std::uint32_t size() const {
    const std::uint32_t head = head_.load(std::memory_order_acquire);
    const std::uint32_t tail = tail_.load(std::memory_order_acquire);
    const std::uint32_t n = tail - head;
    return n <= kSize ? n : 0;  // the head moved on between the two reads
  }
  [[nodiscard]] bool empty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

  // Owner. False: full.
  bool push(TaskHeader* t) {
    const std::uint32_t head = head_.load(std::memory_order_acquire);
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head >= kSize) return false;
    slots_[tail % kSize].store(t, std::memory_order_relaxed);
    interleave();
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  // Owner.
  TaskHeader* pop() {
    std::uint32_t head = head_.load(std::memory_order_acquire);
    for (;;) {
      if (head == tail_.load(std::memory_order_relaxed)) return nullptr;
      TaskHeader* const t = slots_[head % kSize].load(std::memory_order_relaxed);
      interleave();
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel, std::memory_order_acquire)) return t;
    }
  }
  // Owner: takes the older half out of a full ring; 0 when thieves made room meanwhile.
  std::uint32_t take_half(TaskHeader** out) {
    std::uint32_t head = head_.load(std::memory_order_acquire);
    const std::uint32_t n = (tail_.load(std::memory_order_relaxed) - head) / 2;
    if (n != kSize / 2) return 0;
    for (std::uint32_t i = 0; i < n; ++i) out[i] = slots_[(head + i) % kSize].load(std::memory_order_relaxed);
    interleave();
    return head_.compare_exchange_strong(head, head + n, std::memory_order_acq_rel) ? n : 0;
  }
  // Thief: the older half, rounded up.
  std::uint32_t steal_half(TaskHeader** out) {
    std::uint32_t head = head_.load(std::memory_order_acquire);
    for (;;) {
      const std::uint32_t size = tail_.load(std::memory_order_acquire) - head;
      if (size == 0) return 0;
      const std::uint32_t n = size - size / 2;
      if (n > kSize / 2) {  // the two reads are of different times
        head = head_.load(std::memory_order_acquire);
        continue;
      }
      for (std::uint32_t i = 0; i < n; ++i) out[i] = slots_[(head + i) % kSize].load(std::memory_order_relaxed);
      interleave();
      if constexpr (kChecked) {
        if (steals_without_swap()) {
          head_.store(head + n);
          return n;
        }
      }
      if (head_.compare_exchange_weak(head, head + n, std::memory_order_acq_rel, std::memory_order_acquire)) return n;
    }
  }

 private:
  alignas(64) std::atomic<std::uint32_t> head_{0};
  alignas(64) std::atomic<std::uint32_t> tail_{0};
  std::array<std::atomic<TaskHeader*>, kSize> slots_{};
};

}  // namespace neovm::worker
