// Loopback sockets: a server of one round, clients that send and read back, connections that break off.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "load.hpp"

namespace neovm::soak {

using namespace worker;  // NOLINT: programs of these names

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

// False: the other side is gone.
Task<bool> send_all(int fd, std::string text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
      continue;
    }
    if (n == 0 || errno != EAGAIN) co_return false;
    const Status s = co_await writable(fd);
    if (s != Status::kOk) co_return false;
  }
  co_return true;
}

Task<std::string> receive(int fd, std::size_t most) {
  std::string text(most, 0);
  for (;;) {
    const ssize_t n = ::recv(fd, text.data(), most, 0);
    if (n >= 0) {
      text.resize(static_cast<std::size_t>(n));
      co_return text;
    }
    if (errno != EAGAIN) co_return std::string();
    const Status s = co_await readable(fd);
    if (s != Status::kOk) co_return std::string();
  }
}

Task<void> echo(Descriptor connection) {
  for (;;) {
    std::string text = co_await receive(connection.fd(), 4096);
    if (text.empty()) co_return;
    const bool sent = co_await send_all(connection.fd(), std::move(text));
    if (!sent) co_return;
  }
}

Task<void> serve(int listener, int connections) {
  Scope scope;
  for (int i = 0; i < connections;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      spawn(echo(Descriptor(fd)), {.scope = &scope}).detach();
      ++i;
      continue;
    }
    expect(errno == EAGAIN || errno == ECONNABORTED, "accept failed");
    const Status s = co_await readable(listener);
    expect(s == Status::kOk, "the wait for a connection failed");
  }
  (void)co_await scope.join();
}

Task<void> talk(sockaddr_in address, std::uint64_t seed) {
  Random r(seed);
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  expect(socket.fd() >= 0, "no socket");
  // Reset at the close: a connection leaves no port behind that waits for late packets.
  const linger at_once{1, 0};
  (void)setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  if (connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    expect(errno == EINPROGRESS, "connect failed");
    const Status s = co_await writable(socket.fd());
    expect(s == Status::kOk, "the wait for a connection failed");
  }
  for (std::uint64_t i = 0; i < r() % 5; ++i) {
    const std::string text(1 + r() % 20'000, static_cast<char>('a' + i));
    JoinHandle<bool> sending = spawn(send_all(socket.fd(), text));
    std::string back;
    while (back.size() < text.size()) {
      const std::string part = co_await receive(socket.fd(), 4096);
      expect(!part.empty(), "an echo broke off");
      back += part;
    }
    expect(back == text, "an echo came back changed");
    const JoinResult<bool> sent = co_await sending.join();
    expect(sent.ok() && *sent.value, "a send to the echo failed");
  }
}

}  // namespace

Task<void> sockets(Counters& c, Random& r) {
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  expect(listener.fd() >= 0 && bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
             listen(listener.fd(), 64) == 0 &&
             getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size) == 0,
         "no listening socket on loopback");
  const int connections = 1 + static_cast<int>(r() % 6);
  Scope scope(ScopePolicy::kCancelOnError);
  spawn(serve(listener.fd(), connections), {.scope = &scope}).detach();
  for (int i = 0; i < connections; ++i) spawn(talk(address, r()), {.scope = &scope}).detach();
  const Status s = co_await scope.join();
  if (s != Status::kOk) {
    const std::vector<ScopeError> errors = scope.errors();
    throw std::runtime_error(errors.empty() ? "sockets" : error_text(errors[0].error));
  }
  c.connections += static_cast<std::uint64_t>(connections);
  c.tasks += static_cast<std::uint64_t>(2 * connections) + 1;
}

}  // namespace neovm::soak
