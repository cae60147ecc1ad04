#pragma once

#include <socketserver/file_descriptor.hpp>
#include <socketserver/selectors.hpp>

#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__)
/// Whether this system has kqueue(2).
#define SOCKETSERVER_HAS_KQUEUE 1
#endif

#if defined(SOCKETSERVER_HAS_KQUEUE)

#include <cstddef>
#include <span>
#include <vector>

namespace socketserver {

/// A selector on kqueue(2), for macOS and the BSDs: what epoll(7) is for Linux. Python's
/// `KqueueSelector`.
///
/// As there, a descriptor that cannot be waited for (a regular file, /dev/null) is refused with
/// EPERM: kqueue(2) would take a file, and say nothing any more at its end.
class KqueueSelector : public BaseSelector {
 public:
  /// @throws std::system_error naming kqueue
  KqueueSelector();

  SelectorKey register_fd(int fd, Events events, void* data = nullptr) override;
  SelectorKey unregister(int fd) override;
  SelectorKey modify(int fd, Events events, void* data) override;
  std::span<const Ready> select(Timeout timeout = {}) override;
  void close() override;

  /// The kqueue's own descriptor, or -1 once closed.
  [[nodiscard]] int fileno() const noexcept { return kqueue_.get(); }

 private:
  void change(int fd, Events events, unsigned short action);

  FileDescriptor kqueue_;
  std::vector<Ready> ready_;
  std::vector<std::size_t> place_;  // of a descriptor in ready_, if it stands there
};

}  // namespace socketserver

#endif
