#pragma once

#include <socketserver/file_descriptor.hpp>

#include <atomic>

namespace socketserver {

class RequestsUnderWay;

/// The socket of a server: a FileDescriptor that one thread may close while others look at it.
///
/// A datagram is answered on the server's socket: while one is under way, a socket that is closed
/// here stays open for its answer, and is closed when the last one is out.
class ServerSocket {
 public:
  /// Owns nothing. `under_way` outlives it.
  explicit ServerSocket(RequestsUnderWay& under_way) noexcept : under_way_(under_way) {}
  ServerSocket(const ServerSocket&) = delete;

  /// reset(), with what `other` owns.
  ServerSocket& operator=(FileDescriptor other) {
    reset(other.release());
    return *this;
  }

  /// reset()
  ~ServerSocket() { reset(); }

  /// The number of the descriptor, or -1. Callable from any thread and in a signal handler.
  [[nodiscard]] int get() const noexcept { return fd_; }

  /// Whether a socket is owned.
  explicit operator bool() const noexcept { return get() != -1; }

  /// Gives the socket away: the caller closes it from now on. Returns -1 if there was none.
  [[nodiscard]] int release() noexcept { return fd_.exchange(-1); }

  /// Closes the socket, if there is one, and takes over `fd` in its place. Callable from any
  /// thread; does not wait for the answers that the closing waits for. Throws nothing if `fd` is
  /// -1.
  /// @throws std::bad_alloc if `fd` could not be remembered once it is to be closed; it is closed
  void reset(int fd = -1);

 private:
  std::atomic<int> fd_{-1};
  RequestsUnderWay& under_way_;
};

}  // namespace socketserver
