// Files and descriptors from a thread that others want to use: asking the kernel first what it can answer at once.
#include "neovm/abi/blocking.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "neovm/abi/host.hpp"

namespace neovm {

namespace {

int open_cached(int folder, const char* name, std::uint64_t flags) {
  open_how how{};
  how.flags = flags;
  how.resolve = RESOLVE_CACHED;
  return static_cast<int>(syscall(SYS_openat2, folder, name, &how, sizeof how));
}

// The kernel does not know this question, or a filter of system calls keeps it from us.
bool cannot_ask(int error) { return error == ENOSYS || error == EINVAL || error == EPERM; }

}  // namespace

void set_blocking_hooks(Context& cx, const BlockingHooks* hooks) {
  Extension e;
  e.state = const_cast<BlockingHooks*>(hooks);
  set_extension(cx, ExtensionId::kBlocking, e);
}

const BlockingHooks* blocking_hooks(Context& cx) {
  return static_cast<const BlockingHooks*>(extension_state(cx, ExtensionId::kBlocking));
}

bool name_is_cached(int folder, const char* name) {
  const int fd = open_cached(folder, name, O_PATH | O_CLOEXEC);
  if (fd >= 0) {
    close(fd);
    return true;
  }
  return errno != EAGAIN;
}

int stat_file(Context& cx, const std::string& path, struct stat* out) {
  return ask_about_name(cx, AT_FDCWD, path.c_str(), [&] { return stat(path.c_str(), out); });
}

int lstat_file(Context& cx, const std::string& path, struct stat* out) {
  return ask_about_name(cx, AT_FDCWD, path.c_str(), [&] { return lstat(path.c_str(), out); });
}

int open_file_to_read(Context& cx, const std::string& path) {
  if (blocking_hooks(cx) == nullptr) return open(path.c_str(), O_RDONLY | O_CLOEXEC);
  // A file under a lease answers EAGAIN as well; the pool waits for it.
  const int fd = open_cached(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0 || (errno != EAGAIN && !cannot_ask(errno))) return fd;
  return run_blocking(cx, [&] {
    const int now = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return now >= 0 || errno != EAGAIN ? now : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  });
}

Maybe<ssize_t> read_descriptor(Context& cx, int fd, void* to, std::size_t bytes) {
  if (blocking_hooks(cx) == nullptr) return read(fd, to, bytes);
  struct stat st;
  if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))) {
    iovec piece{to, bytes};
    const ssize_t n = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);  // at the descriptor's position, what is in memory
    if (n >= 0 || (errno != EAGAIN && errno != EOPNOTSUPP && !cannot_ask(errno))) return n;
    return run_blocking(cx, [&] { return read(fd, to, bytes); });
  }
  for (;;) {
    // Without a writer, a named pipe that was opened without waiting reads as ended; poll waits for the first one.
    pollfd p{fd, POLLIN, 0};
    TRY(poll_descriptors(cx, {&p, 1}, -1));
    const ssize_t n = read(fd, to, bytes);
    if (n >= 0 || errno != EAGAIN) return n;
  }
}

Maybe<int> poll_descriptors(Context& cx, std::span<pollfd> fds, int milliseconds) {
  if (const BlockingHooks* const hooks = blocking_hooks(cx))
    return hooks->poll(cx, fds, milliseconds < 0 ? -1 : std::int64_t{milliseconds} * 1'000'000);
  return poll(fds.data(), fds.size(), milliseconds);
}

}  // namespace neovm
