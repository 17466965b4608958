#include "neovm/worker/timer_wheel.hpp"

#include <bit>

namespace neovm::worker {

TimerWheel::TimerWheel(std::uint64_t now_ns) : now_tick_(now_ns >> kTickShift) {
  for (auto& level : lists_)
    for (List& l : level) l.head.next = l.head.previous = &l.head;
}

// The level is where the deadline and the hand first differ, counted in groups of six bits: below it the
// slot index is exact, above it they agree.
void TimerWheel::link(TimerNode* node) {
  const std::uint64_t differ = node->tick ^ now_tick_;
  unsigned level = differ == 0 ? 0 : (63U - static_cast<unsigned>(std::countl_zero(differ))) / kSlotBits;
  if (level >= kLevels) level = kLevels - 1;
  const auto slot = static_cast<unsigned>((node->tick >> (level * kSlotBits)) & (kSlots - 1));
  node->level = static_cast<std::uint8_t>(level);
  node->slot = static_cast<std::uint8_t>(slot);
  TimerNode& head = lists_[level][slot].head;
  node->previous = head.previous;
  node->next = &head;
  head.previous->next = node;
  head.previous = node;
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::unlink(TimerNode* node) {
  node->previous->next = node->next;
  node->next->previous = node->previous;
  const TimerNode& head = lists_[node->level][node->slot].head;
  if (head.next == &head) occupied_[node->level] &= ~(std::uint64_t{1} << node->slot);
  node->next = node->previous = nullptr;
}

void TimerWheel::add(TimerNode* node, std::uint64_t deadline_ns) {
  // Rounded up, so that nothing fires early; what is due already takes the hand's own slot.
  const std::uint64_t round = (std::uint64_t{1} << kTickShift) - 1;
  const std::uint64_t tick =
      (deadline_ns > ~std::uint64_t{0} - round ? ~std::uint64_t{0} : deadline_ns + round) >> kTickShift;
  node->tick = tick < now_tick_ ? now_tick_ : tick;
  ++size_;
  link(node);
}

bool TimerWheel::cancel(TimerNode* node) {
  if (!node->armed()) return false;
  unlink(node);
  --size_;
  return true;
}

std::uint64_t TimerWheel::advance(std::uint64_t now_ns) {
  const std::uint64_t target = now_ns >> kTickShift;
  std::uint64_t fired = 0;
  while (true) {
    // The hand's slot of level 0 is due. Timers added by a fire function for this very tick join the
    // list's tail and fire in this round too, unless they keep re-adding themselves: the round ends at
    // the tail that it started with.
    TimerNode& head = lists_[0][now_tick_ & (kSlots - 1)].head;
    TimerNode* const last = head.previous;
    bool more = head.next != &head;
    while (more) {
      TimerNode* node = head.next;
      if (node == &head) break;  // `last` was cancelled by another's fire function
      more = node != last;
      unlink(node);
      --size_;
      ++fired;
      node->fire(node);
    }
    if (now_tick_ >= target) return fired;
    // Jump to the next tick at which something can happen: the next occupied slot of level 0 in this
    // turn, or the end of the turn of the lowest level that has something.
    std::uint64_t next = target;
    for (unsigned level = 0; level < kLevels; ++level) {
      const unsigned shift = level * kSlotBits;
      const auto at = static_cast<unsigned>((now_tick_ >> shift) & (kSlots - 1));
      const std::uint64_t ahead = at == kSlots - 1 ? 0 : occupied_[level] & (~std::uint64_t{0} << (at + 1));
      if (ahead == 0) continue;
      const std::uint64_t base = now_tick_ >> (shift + kSlotBits) << (shift + kSlotBits);
      const std::uint64_t tick = base + (static_cast<std::uint64_t>(std::countr_zero(ahead)) << shift);
      if (tick < next) next = tick;
      break;  // a finer level always comes before a coarser one
    }
    now_tick_ = next;
    // Slots of coarser levels that the hand has just entered spread over the finer ones, coarsest first.
    for (unsigned level = kLevels - 1; level > 0; --level) {
      const unsigned shift = level * kSlotBits;
      const auto slot = static_cast<unsigned>((now_tick_ >> shift) & (kSlots - 1));
      if ((occupied_[level] >> slot & 1) == 0) continue;
      if ((now_tick_ & ((std::uint64_t{1} << shift) - 1)) != 0 && level != kLevels - 1) {
        // Inside the slot: its timers were spread when it was entered; what is here was added for a
        // later turn of the same slot and stays.
        continue;
      }
      TimerNode& source = lists_[level][slot].head;
      TimerNode* const end = source.previous;
      for (TimerNode* node = source.next; node != &source;) {
        TimerNode* const following = node->next;
        const bool is_last = node == end;
        unlink(node);
        link(node);
        if (is_last) break;
        node = following;
      }
    }
  }
}

std::uint64_t TimerWheel::next_wakeup_ns() const {
  if (size_ == 0) return kNever;
  std::uint64_t best = kNever;
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned shift = level * kSlotBits;
    const auto at = static_cast<unsigned>((now_tick_ >> shift) & (kSlots - 1));
    const std::uint64_t here = occupied_[level] & (~std::uint64_t{0} << at);
    const std::uint64_t base = now_tick_ >> (shift + kSlotBits) << (shift + kSlotBits);
    const std::uint64_t tick = here != 0 ? base + (static_cast<std::uint64_t>(std::countr_zero(here)) << shift) : base;
    const std::uint64_t at_least = tick < now_tick_ ? now_tick_ : tick;
    if (at_least < best) best = at_least;
  }
  return best << kTickShift;
}

}  // namespace neovm::worker
