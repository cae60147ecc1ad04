#pragma once

#include <socketserver/wake_pipe.hpp>

#include <string>

namespace socketserver {

/// Turns the signal SIGCHLD into a descriptor that poll(2) can wait for: it becomes readable when a
/// child of this process has ended.
///
/// A handler of SIGCHLD that was there before is still called. Where SIGCHLD was blocked it is
/// no longer, on this thread. A process may have several watches (most_watches); use each of them
/// on one thread. See sigaction(2), pipe(2), signal-safety(7).
class ChildWatch {
 public:
  /// How many watches a process can have at a time: one for each forking server in it.
  static constexpr int most_watches = 32;

  /// Begins to watch. @throws std::system_error that names the call which failed
  ChildWatch();
  ChildWatch(const ChildWatch&) = delete;
  ChildWatch& operator=(const ChildWatch&) = delete;
  /// Ends watching. The last watch of the process puts the old handler back.
  ~ChildWatch();

  /// The descriptor to wait for; -1 after leave_to_parent().
  [[nodiscard]] int fileno() const noexcept { return pipe_.fileno(); }

  /// Whether a child may have ended since the last call; fileno() is not readable afterwards. The
  /// first call says yes: one may have ended before. How many have ended it cannot say: several
  /// signals can come as one. Does not block.
  [[nodiscard]] bool drain() noexcept { return pipe_.drain(); }

  /// Closes the copies that a forked child has got: what they tell is for its parent.
  void leave_to_parent() noexcept;

 private:
  int place_ = -1;
  WakePipe pipe_;
};

/// How a process ended, from the status that waitpid(2) has given: "exit status 1", "killed by
/// signal 11 (Segmentation fault)".
[[nodiscard]] std::string describe_exit(int status);

}  // namespace socketserver
