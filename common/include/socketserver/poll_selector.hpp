#pragma once

#include <poll.h>
#include <socketserver/selectors.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace socketserver {

/// A selector on poll(2): everywhere, and without a limit on the number; each wait hands the whole
/// list to the kernel. The worked example for a selector of your own. Python's `PollSelector`.
class PollSelector : public BaseSelector {
 public:
  SelectorKey register_fd(int fd, Events events, void* data = nullptr) override;
  SelectorKey unregister(int fd) override;
  SelectorKey modify(int fd, Events events, void* data) override;
  std::span<const Ready> select(Timeout timeout = {}) override;
  void close() override;

 private:
  std::vector<pollfd> polled_;       // one for each key, in any order
  std::vector<std::size_t> places_;  // by descriptor: where in polled_
  std::vector<Ready> ready_;
};

}  // namespace socketserver
