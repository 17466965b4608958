// Readiness of file descriptors, folded into idling: one sleeping worker at a time waits in epoll instead of on its futex, and
// is kicked out of it through an event descriptor. Busy workers look now and then.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "core.hpp"

namespace neovm::worker {

namespace {
constexpr std::uint64_t kKick = ~std::uint64_t{0};
}

Poller::~Poller() {
  if (epoll_ >= 0) ::close(epoll_);
  if (event_ >= 0) ::close(event_);
}

bool Poller::open() {
  if (epoll_ >= 0) return true;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.u64 = kKick;
  if (epoll < 0 || event < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, event, &e) != 0) {
    if (epoll >= 0) ::close(epoll);
    if (event >= 0) ::close(event);
    return false;
  }
  event_ = event;
  epoll_ = epoll;
  return true;
}

// The kernel's interest in `fd` after a change of who waits. One shot: it is armed again for whoever is left.
void Poller::change(int fd, const Watch& before, const Watch& after) {
  epoll_event e{};
  e.data.u64 = static_cast<std::uint64_t>(fd);
  e.events =
      (after.read != nullptr ? EPOLLIN | EPOLLRDHUP : 0U) | (after.write != nullptr ? EPOLLOUT : 0U) | EPOLLONESHOT;
  const bool was = before.read != nullptr || before.write != nullptr;
  const bool is = after.read != nullptr || after.write != nullptr;
  if (!is) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  } else if (was) {
    epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &e);
  } else {
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
  }
  if (was != is) watched_.fetch_add(is ? 1U : ~0U, std::memory_order_seq_cst);
}

Status Poller::watch(FdOp* op, WaitCell& cell, Status* outcome) {
  const SpinGuard guard(lock_);
  if (op->fd_ < 0 || fcntl(op->fd_, F_GETFD) < 0 || !open()) return Status::kInvalid;
  const auto at = static_cast<std::size_t>(op->fd_);
  if (at >= watches_.size()) watches_.resize(at + 1);
  Watch& w = watches_[at];
  FdOp*& place = op->write_ ? w.write : w.read;
  if (place != nullptr) return Status::kInvalid;
  if (w.read == nullptr && w.write == nullptr) {
    // Can it be polled at all? Files cannot.
    epoll_event e{};
    e.data.u64 = static_cast<std::uint64_t>(op->fd_);
    e.events = EPOLLONESHOT;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, op->fd_, &e) != 0) return Status::kInvalid;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, op->fd_, nullptr);
  }
  op->node_.cell = &cell;
  const Watch before = w;
  place = op;
  if (!arm(cell, &op->timer_, outcome)) {
    place = nullptr;
    op->node_.cell = nullptr;
    return *outcome;
  }
  change(op->fd_, before, w);
  return Status::kPending;
}

void Poller::forget(FdOp* op) {
  const SpinGuard guard(lock_);
  Watch& w = watches_[static_cast<std::size_t>(op->fd_)];
  FdOp*& place = op->write_ ? w.write : w.read;
  if (place != op) return;
  const Watch before = w;
  place = nullptr;
  change(op->fd_, before, w);
}

void Poller::poll(Instant until, RuntimeCore& rt) {
  if (until != 0) {
    // ppoll for its nanoseconds.
    pollfd p{epoll_, POLLIN, 0};
    timespec ts{};
    timespec* limit = nullptr;
    if (until != kNever) {
      const Instant t = rt.now();
      const Instant d = until > t ? until - t : 0;
      ts.tv_sec = static_cast<time_t>(d / 1'000'000'000);
      ts.tv_nsec = static_cast<long>(d % 1'000'000'000);
      limit = &ts;
    }
    if (ppoll(&p, 1, limit, nullptr) <= 0) return;
  }
  epoll_event events[64];
  const int n = epoll_wait(epoll_, events, 64, 0);
  WakeList wakes;
  for (int i = 0; i < n; ++i) {
    if (events[i].data.u64 == kKick) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = ::read(event_, &count, sizeof count);
      continue;
    }
    const SpinGuard guard(lock_);
    const auto fd = static_cast<std::size_t>(events[i].data.u64);
    if (fd >= watches_.size()) continue;
    Watch& w = watches_[fd];
    const Watch before = w;
    const std::uint32_t e = events[i].events;
    const auto end = [&](FdOp*& place) {
      FdOp* const op = std::exchange(place, nullptr);
      if (claim(*op->node_.cell, Status::kOk, 0)) wakes.add(op->node_.cell);
    };
    if (w.read != nullptr && (e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) end(w.read);
    if (w.write != nullptr && (e & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) end(w.write);
    change(static_cast<int>(fd), before, w);
  }
  wakes.wake();
}

void Poller::kick() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(event_, &one, sizeof one);
}

bool FdOp::begin(WaitCell& cell) {
  if (stop_requested(cell, &outcome_)) return true;
  if (!cell.is_task) {
    outcome_ = Status::kInvalid;  // a thread outside has poll(2)
    return true;
  }
  RuntimeCore* const rt = static_cast<TaskHeader&>(cell).runtime;
  if (rt->config.deterministic || rt->simulation != nullptr) {
    outcome_ = Status::kInvalid;  // the world outside is not part of a seed
    return true;
  }
  const Status s = rt->poller.watch(this, cell, &outcome_);
  if (s != Status::kPending) {
    outcome_ = s;
    return true;
  }
  // Who polls: the last worker to go idle takes the role, and busy ones look between tasks.
  return false;
}

Status FdOp::finish() {
  if (node_.cell == nullptr) return outcome_;
  WaitCell& cell = *node_.cell;  // stays there while the poller may look at it
  RuntimeCore* const rt = static_cast<TaskHeader&>(cell).runtime;
  rt->poller.forget(this);
  node_.cell = nullptr;
  disarm_timer(&timer_);
  return end_wait(cell);
}

}  // namespace neovm::worker
