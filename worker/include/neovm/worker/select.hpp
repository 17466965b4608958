// Select: waits for the first of several channel operations that can happen, and does exactly that one.
//
//     RecvCase<int> in(a);
//     SendCase<int> out(b, value);
//     Selected s = co_await select(in, out).timeout(5ms);
//     if (s.index == 0 && s.status == Status::kOk) use(in.take());
//
// The cases are looked at in order from a starting point that rotates: the first select of a task starts at a place chosen by
// the runtime's seed and each following one a step further, so every case that stays ready is taken at least once in as
// many selects as there are cases. in_order() instead always starts at the first case: the order is a priority.
//
// A case on a closed channel is ready with kClosed (index says which). or_default() answers kWouldBlock with index kNone
// instead of waiting; a timeout answers kTimeout; a cancelled task kCancelled or kDeadline, unless a case had happened already.
// The cases that did not win had no effect: their channels lost no value, and their values are where they were.
//
// One select is claimed once, by a compare-and-swap of whoever completes it, so two selects facing each other, or
// several senders, agree on one case. Cases must live until the select is over. The same channel may appear in several
// cases, also as send and receive (a select does not meet itself).
// Bad input: no case and neither timeout nor default: kInvalid; a case on an empty channel: never ready; more than
// kMaxCases: kInvalid.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "neovm/worker/channel.hpp"

namespace neovm::worker {

class SelectCase {
 public:
  SelectCase(const SelectCase&) = delete;
  SelectCase& operator=(const SelectCase&) = delete;

 protected:
  SelectCase(ChannelCore* c, bool is_send, void* slot) : channel_(c), is_send_(is_send) { node_.slot = slot; }

 private:
  friend struct SelectAccess;
  ChannelCore* channel_;
  bool is_send_;
  WaitNode node_;
};

// Receives into itself; reusable after take().
template <class T>
class RecvCase : public SelectCase {
 public:
  explicit RecvCase(const Channel<T>& c) : SelectCase(c.core(), false, storage_) {}
  // Precondition: this case won with kOk. Once.
  T take() {
    T* p = std::launder(reinterpret_cast<T*>(storage_));
    T v = std::move(*p);
    p->~T();
    return v;
  }

 private:
  alignas(T) std::byte storage_[sizeof(T)];
};

// Sends `value`, moved from only when this case wins with kOk.
template <class T>
class SendCase : public SelectCase {
 public:
  SendCase(const Channel<T>& c, T& value) : SelectCase(c.core(), true, &value) {}
};

struct Selected {
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t index = kNone;
  Status status = Status::kOk;
};

class SelectOpBase {
 public:
  static constexpr std::size_t kMaxCases = 1024;

 protected:
  bool try_all(std::span<SelectCase* const> cases);
  bool begin_all(std::span<SelectCase* const> cases, WaitCell& cell);
  Selected finish_all(std::span<SelectCase* const> cases);
  bool in_order_ = false;
  bool default_ = false;
  std::uint32_t start_ = 0;
  Selected result_{Selected::kNone, Status::kWouldBlock};
  WaitCell* cell_ = nullptr;
  WaitTimer timer_;
};

template <class Cases>
class SelectOp : public Operation<SelectOp<Cases>>, private SelectOpBase {
 public:
  explicit SelectOp(Cases c) : cases_(std::move(c)) {}
  SelectOp& timeout(Duration d) { return until(after(d)); }
  SelectOp& until(Instant t) {
    timer_.deadline = t;
    return *this;
  }
  SelectOp& or_default() {
    default_ = true;
    return *this;
  }
  SelectOp& in_order() {
    in_order_ = true;
    return *this;
  }
  bool ready() { return try_all(cases_); }
  bool begin(WaitCell& cell) { return begin_all(cases_, cell); }
  Selected finish() { return finish_all(cases_); }

 private:
  Cases cases_;
};

template <class... C>
auto select(C&... cases) {
  return SelectOp(std::array<SelectCase*, sizeof...(C)>{&cases...});
}
// Any number of cases, known at run time; the span must live as long as the operation.
inline auto select(std::span<SelectCase* const> cases) { return SelectOp(cases); }

}  // namespace neovm::worker
