#pragma once

#include <mutex>
#include <vector>

namespace socketserver {

/// The connections that a server has taken and not closed yet, wherever they are being served.
///
/// A table indexed by descriptor: entering and leaving cost the same with five connections as with
/// five thousand. Its one mutex is held for a few instructions, and for the whole round of
/// interrupt_all(): no descriptor can be closed, and its number given to something else, meanwhile.
class RequestsUnderWay {
 public:
  void enter(int fd);
  void leave(int fd) noexcept;

  /// shutdown(fd, SHUT_RD) on each: a blocked recv returns what has come, and then 0.
  void interrupt_all() noexcept;

 private:
  std::mutex mutex_;
  std::vector<bool> under_way_;
};

}  // namespace socketserver
