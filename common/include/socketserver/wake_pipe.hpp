#pragma once

#include <socketserver/file_descriptor.hpp>

namespace socketserver {

/// Wakes a thread that waits for descriptors: a pipe whose reading end is readable from wake() to
/// drain(). poll(2) can wait for it, and a signal handler may write to it ("self-pipe").
///
/// Neither end blocks, and neither is left to a program that is started (close-on-exec). See
/// pipe(2), signal-safety(7).
class WakePipe {
 public:
  /// Opens the pipe. @throws std::system_error that names the call which failed
  WakePipe();
  WakePipe(const WakePipe&) = delete;
  WakePipe& operator=(const WakePipe&) = delete;

  /// The descriptor to wait for; -1 once closed.
  [[nodiscard]] int fileno() const noexcept { return read_end_.get(); }

  /// Makes fileno() readable. Does not block; leaves errno alone. Callable from any thread and in a
  /// signal handler.
  void wake() noexcept;

  /// Whether somebody has called wake() since the last call; fileno() is not readable afterwards.
  /// How often it was called is not known. Does not block. Call it on the thread that waits.
  bool drain() noexcept;

  /// Closes both ends: in a forked child, whose copies would wake its parent.
  void close() noexcept;

 private:
  FileDescriptor read_end_;
  FileDescriptor write_end_;
};

}  // namespace socketserver
