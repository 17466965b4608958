// Starting programs.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

// A descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(o.release()) {}
  Fd& operator=(Fd&& o) noexcept {
    reset(o.release());
    return *this;
  }
  ~Fd() { reset(-1); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd);

 private:
  int fd_ = -1;
};

// The file of PROGRAM: found along exec-path unless it has a slash. Signals file-missing "Searching for program".
neovm::Maybe<std::string> find_program_re(neovm::Context& cx, neovm::Value program);
// The directory a child starts in: default-directory, made local. Signals when it is not there.
neovm::Maybe<std::string> child_directory_re(neovm::Context& cx);

struct Child {
  std::string program;
  std::vector<std::string> args;  // argv, the name first
  std::vector<std::string> environment;
  std::string directory;
  int in = -1;  // become 0, 1, 2
  int out = -1;
  int err = -1;
  std::string terminal;  // name of a pty's slave that becomes all of them
};
// Process id, or -1 with errno.
pid_t spawn(const Child& child);

// How a dead process ended: exit code, or minus the signal.
std::string signal_description(int signal);

}  // namespace neomacs::host
