#pragma once

#include <sys/select.h>
#include <socketserver/selectors.hpp>

#include <span>
#include <vector>

namespace socketserver {

/// A selector on select(2), the oldest of them: descriptors below FD_SETSIZE (1,024) only, and each
/// wait looks at all of them. Python's `SelectSelector`.
class SelectSelector : public BaseSelector {
 public:
  SelectSelector();

  /// @throws std::system_error (EINVAL) also if `fd` is FD_SETSIZE or more: the macros of select(2)
  ///         would write beyond their set
  SelectorKey register_fd(int fd, Events events, void* data = nullptr) override;
  SelectorKey unregister(int fd) override;
  SelectorKey modify(int fd, Events events, void* data) override;
  std::span<const Ready> select(Timeout timeout = {}) override;
  void close() override;

 private:
  void watch(int fd, Events events);

  fd_set readers_{};
  fd_set writers_{};
  std::vector<Ready> ready_;
};

}  // namespace socketserver
