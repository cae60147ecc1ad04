#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

namespace socketserver {

/// The requests that a server has taken and not closed yet, wherever they are being served.
///
/// Connections stand in a table indexed by descriptor: entering and leaving cost the same with five
/// of them as with five thousand. There is no lock, so that a signal handler may go through the
/// table too; while it uses a descriptor, leave() waits, and so the number cannot be given to
/// something else meanwhile. Of datagrams only the number is known.
class RequestsUnderWay {
 public:
  RequestsUnderWay() = default;
  RequestsUnderWay(const RequestsUnderWay&) = delete;
  RequestsUnderWay& operator=(const RequestsUnderWay&) = delete;
  ~RequestsUnderWay();

  void enter(int fd);
  void leave(int fd) noexcept;
  void enter_packet() noexcept { packets_ += 1; }
  void leave_packet() noexcept;

  /// shutdown(fd, how) on each connection. With SHUT_RD a blocked recv returns what has come, and
  /// then 0. Callable in a signal handler.
  void shutdown_all(int how) noexcept;

  /// How many there are. Callable in a signal handler.
  [[nodiscard]] int size() const noexcept { return connections_ + packets_; }

  /// Sees to it that close_when_answered() finds room for one more socket.
  void expect_socket();

  /// Closes a server's socket as soon as no datagram is under way: it is answered on that socket.
  void close_when_answered(int socket) noexcept;

 private:
  // 0: not under way; otherwise 1, and 1 more for each user of the moment.
  using Mark = std::atomic<unsigned char>;

  // Block 0 has the first 64 descriptors, block 1 the next 64, each further one twice as many as
  // the one before it.
  static constexpr std::size_t first_size = 64;
  static constexpr std::size_t most_blocks = 27;
  struct Place {
    std::size_t block, index;
  };
  static Place place_of(int fd) noexcept;
  static std::size_t size_of(std::size_t block) noexcept;

  std::array<std::atomic<Mark*>, most_blocks> blocks_{};
  std::atomic<int> connections_{0};
  std::atomic<int> packets_{0};

  std::mutex closing_;
  std::atomic<bool> something_to_close_{false};
  std::vector<int> to_close_;  // guarded by closing_
};

}  // namespace socketserver
