#include "neovm/worker/ring.hpp"

namespace neovm::worker {

namespace {
constexpr int kSpinsBeforePark = 64;

// Only the owner of a spin counter writes it, so a plain add is enough.
void count_spins(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
  if (n != 0) counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}
}  // namespace

SharedRing::SharedRing(void* memory, std::uint32_t slots, bool initialize, bool shared)
    : header_(static_cast<SharedRingHeader*>(memory)),
      data_(reinterpret_cast<std::uint32_t*>(static_cast<std::byte*>(memory) + sizeof(SharedRingHeader))),
      slots_(slots),
      mask_(slots - 1),
      shared_(shared) {
  if (initialize) new (memory) SharedRingHeader{};
}

void SharedRing::push_spinning(std::uint32_t item) {
  std::uint64_t spins = 0;
  while (!try_push(item)) {
    ++spins;
    cpu_relax();
  }
  count_spins(header_->producer_spins, spins);
}

std::uint32_t SharedRing::pop_spinning() {
  std::uint32_t item = 0;
  std::uint64_t spins = 0;
  while (!try_pop(&item)) {
    ++spins;
    cpu_relax();
  }
  count_spins(header_->consumer_spins, spins);
  return item;
}

// The layout has no room for a "somebody sleeps" flag, so every parking operation wakes; the kernel's
// answer for a word without waiters is quick, and callers that care batch or spin.
void SharedRing::push_parking(std::uint32_t item) {
  std::uint64_t spins = 0;
  for (;;) {
    const std::uint32_t head = header_->head.load(std::memory_order_acquire);
    if (try_push(item)) break;
    ++spins;
    if (spins % kSpinsBeforePark == 0) {
      futex_wait(header_->head, head, std::nullopt, shared_);
    } else {
      cpu_relax();
    }
  }
  count_spins(header_->producer_spins, spins);
  futex_wake(header_->tail, 1, shared_);
}

std::uint32_t SharedRing::pop_parking() {
  std::uint32_t item = 0;
  std::uint64_t spins = 0;
  for (;;) {
    const std::uint32_t tail = header_->tail.load(std::memory_order_acquire);
    if (try_pop(&item)) break;
    ++spins;
    if (spins % kSpinsBeforePark == 0) {
      futex_wait(header_->tail, tail, std::nullopt, shared_);
    } else {
      cpu_relax();
    }
  }
  count_spins(header_->consumer_spins, spins);
  futex_wake(header_->head, 1, shared_);
  return item;
}

}  // namespace neovm::worker
