#pragma once

#include <socketserver/kqueue_selector.hpp>
#include <socketserver/poll_selector.hpp>
#include <socketserver/selectors.hpp>

#if defined(__linux__)

#include <sys/epoll.h>
#include <socketserver/file_descriptor.hpp>

#include <array>
#include <span>

namespace socketserver {

/// A selector on epoll(7): the kernel keeps the list, so that a wait costs what is ready, and not
/// what is registered. Linux only. Python's `EpollSelector`.
///
/// A descriptor that cannot be waited for (a regular file, /dev/null) is refused with EPERM.
class EpollSelector : public BaseSelector {
 public:
  /// @throws std::system_error naming epoll_create1
  EpollSelector();

  SelectorKey register_fd(int fd, Events events, void* data = nullptr) override;
  SelectorKey unregister(int fd) override;
  SelectorKey modify(int fd, Events events, void* data) override;
  std::span<const Ready> select(Timeout timeout = {}) override;
  void close() override;

  /// The epoll's own descriptor, or -1 once closed.
  [[nodiscard]] int fileno() const noexcept { return epoll_.get(); }

 private:
  FileDescriptor epoll_;
  // So many are told at a time; the kernel goes on with the others at the next call.
  static constexpr int most_at_once = 256;
  std::array<epoll_event, most_at_once> happened_{};
  std::array<Ready, most_at_once> ready_{};
};

}  // namespace socketserver

#endif

namespace socketserver {

/// The best selector that this system has. Python's `DefaultSelector`.
#if defined(__linux__)
using DefaultSelector = EpollSelector;
#elif defined(SOCKETSERVER_HAS_KQUEUE)
using DefaultSelector = KqueueSelector;
#else
using DefaultSelector = PollSelector;
#endif

}  // namespace socketserver
