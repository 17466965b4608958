// System calls that may wait: for a disk, a program, input, time.
//
// A task that sleeps in the kernel would keep its worker, and all that is queued there, waiting. So what may block goes
// through the functions here. In an isolate that has its thread for itself (the main one) each is the plain system call. In a task
//   - what only waits, for descriptors or time, parks the task: it costs no thread and ends when the task is asked to stop;
//   - what the kernel can answer from memory (a name it knows, pages it has read) is called in place;
//   - everything else is done by a thread of the runtime's blocking pool while the worker runs other tasks.
//
// What is given to run_blocking may run on another thread: it touches no Value and no context. Its errno is carried over. Once
// begun it is done to its end; a task that was asked to stop meanwhile stops after.
#pragma once

#include <poll.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "neovm/abi/error.hpp"

namespace neovm {

struct BlockingHooks {
  // Returns after f(data) has run, here or on another thread.
  void (*run)(Context& cx, void (*f)(void*), void* data);
  // poll(2) with a limit in nanoseconds, negative for none. Fails when the task was asked to stop.
  Maybe<int> (*poll)(Context& cx, std::span<pollfd> fds, std::int64_t nanoseconds);
};
// For an isolate that shares its thread with others; `hooks` outlives it. Null: the isolate has its thread for itself.
void set_blocking_hooks(Context& cx, const BlockingHooks* hooks);
const BlockingHooks* blocking_hooks(Context& cx);

// f(), which may block. It returns something.
template <class F>
auto run_blocking(Context& cx, F&& f) -> decltype(f()) {
  const BlockingHooks* const hooks = blocking_hooks(cx);
  if (hooks == nullptr) return f();
  struct Call {
    F& f;
    std::optional<decltype(f())> result;
    int error = 0;
  };
  Call call{f, {}, 0};
  hooks->run(
      cx,
      [](void* p) {
        auto* const c = static_cast<Call*>(p);
        c->result.emplace(c->f());
        c->error = errno;
      },
      &call);
  errno = call.error;
  return std::move(*call.result);
}

// The kernel can say without reading a disk or asking a server what NAME (relative to the directory `folder`, or AT_FDCWD) is.
// A cheap question, though dearer than stat(2). Where the kernel cannot be asked (before Linux 5.12): true.
bool name_is_cached(int folder, const char* name);

// f(), which asks about NAME as stat, access and readlink do.
template <class F>
auto ask_about_name(Context& cx, int folder, const char* name, F&& f) -> decltype(f()) {
  if (blocking_hooks(cx) == nullptr || name_is_cached(folder, name)) return f();
  return run_blocking(cx, std::forward<F>(f));
}
// stat(2) and lstat(2).
int stat_file(Context& cx, const std::string& path, struct stat* out);
int lstat_file(Context& cx, const std::string& path, struct stat* out);

// open(2) with O_RDONLY | O_CLOEXEC. In a task it does not wait for the writer of a named pipe: read_descriptor does.
int open_file_to_read(Context& cx, const std::string& path);
// read(2) from a descriptor of open_file_to_read, -1 with errno. Fails when the task was asked to stop.
Maybe<ssize_t> read_descriptor(Context& cx, int fd, void* to, std::size_t bytes);

// poll(2); -1 with EINTR only in the main isolate. Fails when the task was asked to stop.
Maybe<int> poll_descriptors(Context& cx, std::span<pollfd> fds, int milliseconds);

}  // namespace neovm
