// What a task does instead of blocking its worker (neovm/abi/blocking.hpp): waits park it on the runtime's poller and timers,
// other calls go to the blocking pool. The task keeps its native stack meanwhile, and comes back to the same worker.
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "neovm/abi/blocking.hpp"
#include "task/body.hpp"

namespace neovm::elisp {

namespace {

void run(Context&, void (*f)(void*), void* data) {
  // Not to be taken back once begun, and what cleans up behind a cancelled task has to be done too.
  const worker::this_task::Shield shield;
  auto call = worker::blocking([f, data] { f(data); });
  // Without a thread, or at the runtime's end, the worker does it.
  if (worker::wait(call) != worker::Status::kOk) f(data);
}

// A descriptor that can be read when one of FDS is ready; -1 when there is none to be had.
int watch_all(std::span<const pollfd> fds) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  for (const pollfd& p : fds) {
    if (set < 0 || p.fd < 0) continue;
    epoll_event e{};
    e.events = ((p.events & POLLIN) != 0 ? EPOLLIN : 0U) | ((p.events & POLLOUT) != 0 ? EPOLLOUT : 0U);
    // One that is there twice is watched once, for both.
    if (epoll_ctl(set, EPOLL_CTL_ADD, p.fd, &e) != 0 && errno == EEXIST) {
      e.events = EPOLLIN | EPOLLOUT;
      (void)epoll_ctl(set, EPOLL_CTL_MOD, p.fd, &e);
    }
  }
  return set;
}

// kOk: time to look at the descriptors. kTimeout: none was ready before.
worker::Status park_until_ready(std::span<const pollfd> fds, worker::Instant until) {
  if (fds.empty()) {
    auto nap = worker::sleep_until(until);
    const worker::Status s = worker::wait(nap).value_or(worker::Status::kInvalid);
    return s == worker::Status::kOk ? worker::Status::kTimeout : s;
  }
  const int set = watch_all(fds);
  auto ready = worker::readable(set, until);
  const worker::Status s = worker::wait(ready).value_or(worker::Status::kInvalid);
  if (set >= 0) close(set);
  return s;
}

Maybe<int> poll_parked(Context& cx, std::span<pollfd> fds, std::int64_t nanoseconds) {
  const worker::Instant until = nanoseconds < 0 ? worker::kNever : worker::after(worker::Duration(nanoseconds));
  TaskState* const state = task_state(cx);
  std::optional<worker::this_task::Shield> shield;
  if (state != nullptr && state->body != nullptr && state->body->stopping) shield.emplace();
  for (;;) {
    const int ready = poll(fds.data(), fds.size(), 0);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return ready;
    if (nanoseconds == 0) return 0;
    switch (park_until_ready(fds, until)) {
      case worker::Status::kOk: break;
      case worker::Status::kTimeout: return std::max(poll(fds.data(), fds.size(), 0), 0);
      case worker::Status::kCancelled:
      case worker::Status::kDeadline:
      case worker::Status::kShutdown: return stop_task(cx);
      default: {
        // No descriptor for the watch: a thread of the pool waits, and looks up now and then.
        constexpr std::int64_t kLook = 20'000'000;
        const worker::Instant now = worker::now();
        if (now >= until) return 0;
        const timespec limit{0, static_cast<long>(std::min<std::uint64_t>(until - now, kLook))};
        const int got = run_blocking(cx, [&] { return ppoll(fds.data(), fds.size(), &limit, nullptr); });
        if (got > 0) return got;
        if (!shield && worker::this_task::cancelled() != worker::Status::kOk) return stop_task(cx);
      }
    }
  }
}

constexpr BlockingHooks kHooks = {run, poll_parked};

}  // namespace

void let_task_block(Context& cx) { set_blocking_hooks(cx, &kHooks); }

}  // namespace neovm::elisp
