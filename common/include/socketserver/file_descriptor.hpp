#pragma once

#include <unistd.h>

#include <utility>

namespace socketserver {

/// Owns one file descriptor and closes it when it goes out of scope.
///
/// Move-only: exactly one object is responsible for a descriptor at any time. Not synchronised;
/// use one object from one thread at a time. See close(2).
class FileDescriptor {
 public:
  /// Owns nothing.
  FileDescriptor() noexcept = default;

  /// Takes over the descriptor `fd`; -1 stands for "none".
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}

  /// Takes the descriptor from `other`, which owns nothing afterwards.
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}

  /// Closes what it owns and takes the descriptor from `other`.
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }

  /// Closes the descriptor, if there is one.
  ~FileDescriptor() { reset(); }

  /// The number of the descriptor, or -1.
  [[nodiscard]] int get() const noexcept { return fd_; }

  /// Whether a descriptor is owned.
  explicit operator bool() const noexcept { return fd_ != -1; }

  /// Gives the descriptor away: the caller closes it from now on. Returns -1 if there was none.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  /// Closes what is owned and takes over `fd` in its place.
  ///
  /// An error of close(2) is ignored: Linux has released the number even then, and a second close
  /// could hit a descriptor that another thread has just been given.
  void reset(int fd = -1) noexcept {
    const int old = std::exchange(fd_, fd);
    if (old != -1) ::close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace socketserver
