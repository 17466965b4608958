#include "neovm/worker/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace neovm::worker {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);

bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::optional<std::chrono::nanoseconds> timeout, bool shared) {
  timespec ts{};
  if (timeout) {
    if (timeout->count() <= 0) return false;
    ts.tv_sec = static_cast<std::time_t>(timeout->count() / 1'000'000'000);
    ts.tv_nsec = static_cast<long>(timeout->count() % 1'000'000'000);
  }
  const int op = shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE;
  const long r = syscall(SYS_futex, &word, op, expected, timeout ? &ts : nullptr, nullptr, 0);
  return !(r == -1 && errno == ETIMEDOUT);
}

int futex_wake(std::atomic<std::uint32_t>& word, int count, bool shared) {
  const int op = shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE;
  return static_cast<int>(syscall(SYS_futex, &word, op, count, nullptr, nullptr, 0));
}

}  // namespace neovm::worker
