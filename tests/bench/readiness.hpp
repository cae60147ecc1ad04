#pragma once

#include <chrono>
#include <cstdint>
#include <socketserver/file_descriptor.hpp>
#include <span>
#include <vector>

#if defined(__linux__)
#include <sys/epoll.h>
#else
#include <poll.h>
#endif

namespace kit::bench {

/// What wait() found: which descriptor, and for what it is ready. An error or a hang-up counts as
/// readable, since the next read tells what it is.
struct Ready {
  std::uint32_t token = 0;
  bool readable = false;
  bool writable = false;
};

/// Waits for many descriptors at once: epoll(7) on Linux, poll(2) elsewhere.
///
/// Every descriptor is watched for reading. The caller names each by a token, a small number of
/// its own. Not for use by two threads.
class Readiness {
 public:
  /// @throws std::system_error naming epoll_create1
  Readiness();

  /// Begins to watch `fd`, for writing too if asked. @throws std::system_error naming epoll_ctl
  void add(int fd, std::uint32_t token, bool writing = false);

  /// Watches for writing too, or no longer. @throws std::system_error naming epoll_ctl
  void change(int fd, std::uint32_t token, bool writing);

  /// Forgets `fd`; to be called before it is closed.
  void remove(int fd, std::uint32_t token) noexcept;

  /// Blocks until something is ready, a signal comes (nothing ready then) or the time is up. The
  /// result is good until the next call. @throws std::system_error naming the call
  std::span<const Ready> wait(std::chrono::milliseconds timeout);

 private:
  std::vector<Ready> ready_;
#if defined(__linux__)
  void control(int operation, int fd, std::uint32_t token, bool writing);

  socketserver::FileDescriptor epoll_;
  std::vector<epoll_event> events_;
#else
  std::vector<pollfd> watched_;  // by token; a free place holds -1, which poll passes over
#endif
};

}  // namespace kit::bench
