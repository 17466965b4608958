// Channels: typed queues between tasks (and threads) with backpressure.
//
//     auto ch = Channel<int>(64);
//     Status s = co_await ch.send(42);            // a coroutine
//     Received<int> r = co_await ch.recv();
//     r = wait(ch.recv_for(5ms));                 // a thread outside the pool, or a native stack (runtime.hpp)
//
// Capacity: 0 hands values over directly (a send ends when a receiver has the value); N buffers N; kUnbounded never makes a
// sender wait and is only had by asking for it. The default is kDefaultCapacity.
//
// Order: values come out in the order in which sends ended; waiting senders and waiting receivers are each served first come,
// first served. A waiting receiver gets a value before it is buffered.
//
// Closing: from either side, by anybody, any number of times. After it sends answer kClosed; receives drain what is buffered
// and then answer kClosed; waiters are woken with the same. A send that did not end with kOk did not send: its value is
// still in the operation (send) or where it was (send_from).
//
// Ends of waits: kOk, kClosed, kTimeout, and for tasks kCancelled, kDeadline, kShutdown. A wait that was served before it was
// cancelled answers kOk: a value that was handed over is never lost.
//
// Ownership: a Channel is a counted reference; copies are the same channel. Threads: every operation from every thread.
// An operation object is used by one task once. T must be nothrow movable.
//
// Bad input: a capacity above kMaxCapacity or no memory for the slots gives an empty channel whose operations answer
// status() (kInvalid, kNoMemory); a moved-from or default-made channel answers kInvalid. try_* never wait.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "neovm/worker/channel_core.hpp"
#include "neovm/worker/time.hpp"
#include "neovm/worker/wait.hpp"

namespace neovm::worker {

template <class T>
struct Received {
  Status status = Status::kOk;
  std::optional<T> value = {};  // present exactly when kOk
  [[nodiscard]] bool ok() const { return status == Status::kOk; }
  T& operator*() { return *value; }
  T* operator->() { return &*value; }
};

namespace detail {
struct NoTimer {
  WaitTimer* get() { return nullptr; }
};
struct WithTimer {
  WaitTimer timer;
  WaitTimer* get() { return &timer; }
};
}  // namespace detail

// Sends `value`; it is moved from only when the outcome is kOk.
template <class T, class Timer>
class SendOp : public Operation<SendOp<T, Timer>> {
 public:
  SendOp(ChannelCore* c, Status invalid, T&& v) : channel_(c), outcome_(invalid), value_(std::move(v)) {}
  SendOp(ChannelCore* c, Status invalid, T&& v, Instant until) : SendOp(c, invalid, std::move(v)) {
    timer_.timer.deadline = until;
  }
  bool await_ready() { return channel_ == nullptr || channel_->send_now(&value_, &outcome_); }
  bool ready() {
    if (channel_ == nullptr) return true;
    if (!channel_->send_may_pass()) return false;
    outcome_ = channel_->try_send(&value_);
    return outcome_ != Status::kWouldBlock;
  }
  bool begin(WaitCell& cell) {
    if (channel_ == nullptr) return true;
    node_.slot = &value_;
    return channel_->begin_send(cell, node_, timer_.get(), &outcome_);
  }
  Status finish() {
    if (node_.cell != nullptr) outcome_ = channel_->finish_wait(node_, timer_.get());
    return outcome_;
  }
  T& value() { return value_; }

 private:
  ChannelCore* channel_;
  Status outcome_;
  T value_;
  WaitNode node_;
  [[no_unique_address]] Timer timer_;
};

template <class T, class Timer>
class RecvOp : public Operation<RecvOp<T, Timer>> {
 public:
  RecvOp(ChannelCore* c, Status invalid) : channel_(c), outcome_(invalid) {}
  RecvOp(ChannelCore* c, Status invalid, Instant until) : RecvOp(c, invalid) { timer_.timer.deadline = until; }
  RecvOp(const RecvOp&) = delete;
  RecvOp& operator=(const RecvOp&) = delete;
  bool await_ready() { return channel_ == nullptr || channel_->recv_now(storage_, &outcome_); }
  bool ready() {
    if (channel_ == nullptr) return true;
    return channel_->recv_may_pass() && attempt();
  }
  bool attempt() {
    outcome_ = channel_->try_recv(storage_);
    return outcome_ != Status::kWouldBlock;
  }
  bool begin(WaitCell& cell) {
    if (channel_ == nullptr) return true;
    node_.slot = storage_;
    return channel_->begin_recv(cell, node_, timer_.get(), &outcome_);
  }
  Received<T> finish() {
    if (node_.cell != nullptr) outcome_ = channel_->finish_wait(node_, timer_.get());
    // Made where it is returned: copied in one piece, the words just written would be waited for.
    Received<T> r;
    r.status = outcome_;
    if (outcome_ == Status::kOk) {
      T* p = std::launder(reinterpret_cast<T*>(storage_));
      r.value.emplace(std::move(*p));
      p->~T();
    }
    return r;
  }

 private:
  ChannelCore* channel_;
  Status outcome_;
  alignas(T) std::byte storage_[sizeof(T)];
  WaitNode node_;
  [[no_unique_address]] Timer timer_;
};

template <class T>
class Channel {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>);

 public:
  Channel() = default;  // empty: every operation answers kInvalid
  explicit Channel(std::size_t capacity) { core_ = ChannelCore::make(capacity, kElementOps<T>, &status_); }
  static Channel make() { return Channel(kDefaultCapacity); }
  static Channel unbounded() { return Channel(kUnbounded); }
  Channel(const Channel& o) : core_(o.core_), status_(o.status_) {
    if (core_ != nullptr) core_->acquire();
  }
  Channel(Channel&& o) noexcept
      : core_(std::exchange(o.core_, nullptr)), status_(std::exchange(o.status_, Status::kInvalid)) {}
  Channel& operator=(Channel o) noexcept {
    std::swap(core_, o.core_);
    std::swap(status_, o.status_);
    return *this;
  }
  ~Channel() {
    if (core_ != nullptr) core_->release();
  }
  explicit operator bool() const { return core_ != nullptr; }
  // kOk, or why the channel is empty.
  [[nodiscard]] Status status() const { return status_; }
  friend bool operator==(const Channel& a, const Channel& b) { return a.core_ == b.core_; }

  // Waiting.
  auto send(T value) const { return SendOp<T, detail::NoTimer>(core_, status_, std::move(value)); }
  auto send_until(T value, Instant t) const {
    return SendOp<T, detail::WithTimer>(core_, status_, std::move(value), t);
  }
  auto send_for(T value, Duration d) const { return send_until(std::move(value), after(d)); }
  auto recv() const { return RecvOp<T, detail::NoTimer>(core_, status_); }
  auto recv_until(Instant t) const { return RecvOp<T, detail::WithTimer>(core_, status_, t); }
  auto recv_for(Duration d) const { return recv_until(after(d)); }

  // Not waiting. kWouldBlock when it would have to; `value` is moved from on kOk only.
  Status try_send(T& value) const { return core_ == nullptr ? status_ : core_->try_send(&value); }
  Status try_send(T&& value) const { return try_send(value); }
  Received<T> try_recv() const {
    RecvOp<T, detail::NoTimer> op(core_, status_);
    if (core_ != nullptr) op.attempt();
    return op.finish();
  }
  // Batches under one lock: from the front of `values`, as many as there is room for; into `out`, as many as there are.
  // `done` (set always) says how many; kOk when at least one. Sent elements are moved from.
  Status try_send_batch(std::span<T> values, std::size_t& done) const {
    done = 0;
    return core_ == nullptr ? status_ : core_->try_send_batch(values.data(), values.size(), &done);
  }
  // `out` holds live objects, which are assigned to.
  Status try_recv_batch(std::span<T> out, std::size_t& done) const;

  void close() const {
    if (core_ != nullptr) core_->close();
  }
  [[nodiscard]] bool closed() const { return core_ == nullptr || core_->closed(); }
  [[nodiscard]] std::size_t size() const { return core_ == nullptr ? 0 : core_->size(); }  // a snapshot
  [[nodiscard]] std::size_t capacity() const { return core_ == nullptr ? 0 : core_->capacity(); }
  [[nodiscard]] ChannelCore* core() const { return core_; }

 private:
  ChannelCore* core_ = nullptr;
  Status status_ = Status::kInvalid;
};

template <class T>
Status Channel<T>::try_recv_batch(std::span<T> out, std::size_t& done) const {
  done = 0;
  if (core_ == nullptr) return status_;
  // The core constructs its elements, so the old ones go first.
  if constexpr (std::is_trivially_copyable_v<T>) {
    return core_->try_recv_batch(out.data(), out.size(), &done);
  } else {
    Status s = Status::kOk;
    while (done < out.size()) {
      Received<T> r = try_recv();
      if (!r.ok()) {
        s = done == 0 ? r.status : Status::kOk;
        break;
      }
      out[done++] = std::move(*r);
    }
    return s;
  }
}

}  // namespace neovm::worker
