// A hierarchical timer wheel (Varghese & Lauck, "Hashed and Hierarchical Timing Wheels", scheme 6).
//
// Eight levels of 64 slots; a slot of level n spans 64^n ticks. Adding links an intrusive node into one
// slot, cancelling unlinks it, both in a handful of instructions and without allocation. A timer moves
// to a finer level when the hand reaches its slot, at most seven times in its life. One 64-bit mask a
// level tells which slots are occupied, so the next expiry and long idle stretches cost a few bit scans.
//
// Time is in nanoseconds from any epoch; a tick is 2^kTickShift ns (about 65 µs), and timers fire at the
// first advance() whose tick is at or after their deadline rounded up: never early.
//
// Threads: none of its own. The owner (one worker, or whoever holds the owner's lock) makes every call.
#pragma once

#include <cstdint>

namespace neovm::worker {

class TimerWheel;

// Embed in what waits. Must stay in place while armed; the destructor of an armed node is a bug.
struct TimerNode {
  TimerNode* next = nullptr;
  TimerNode* previous = nullptr;  // null when not armed
  std::uint64_t tick = 0;         // deadline in ticks, rounded up
  void (*fire)(TimerNode*) = nullptr;
  std::uint8_t level = 0;
  std::uint8_t slot = 0;

  [[nodiscard]] bool armed() const { return previous != nullptr; }
};

class TimerWheel {
 public:
  static constexpr unsigned kTickShift = 16;
  static constexpr unsigned kSlotBits = 6;
  static constexpr unsigned kSlots = 1U << kSlotBits;
  static constexpr unsigned kLevels = 8;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  explicit TimerWheel(std::uint64_t now_ns);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms `node` for `deadline_ns`; a deadline in the past fires at the next advance(). Precondition: not armed.
  void add(TimerNode* node, std::uint64_t deadline_ns);
  // Disarms; false when it was not armed (it fired, or was never added).
  bool cancel(TimerNode* node);
  // Moves the hand to `now_ns` and fires what is due, in order of ticks; within a tick in order of adding.
  // A fire function may add and cancel. Returns how many fired.
  std::uint64_t advance(std::uint64_t now_ns);
  // A time not after the next expiry, and not before now: sleep until then and advance. kNever when empty.
  [[nodiscard]] std::uint64_t next_wakeup_ns() const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  struct List {
    TimerNode head;  // circular; head.next == &head when empty
  };
  void link(TimerNode* node);
  void unlink(TimerNode* node);

  std::uint64_t now_tick_;
  std::uint64_t size_ = 0;
  std::uint64_t occupied_[kLevels] = {};
  List lists_[kLevels][kSlots];
};

}  // namespace neovm::worker
