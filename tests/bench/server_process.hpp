#pragma once

#include <sys/types.h>

#include <optional>
#include <socketserver/address.hpp>
#include <socketserver/file_descriptor.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace kit::bench {

/// A server that could not be started; what() is a sentence with the server's own words in it.
struct CannotStart : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A running server: started, waited for until it says `listening on …`, and ended with everything
/// that descends from it.
///
/// Not kit::Process of the harness: that one holds a program that is judged, with limits, and a
/// loop that has to be served. This one gives a server all it wants, and asks what it used
/// (wait4(2)).
class ServerProcess {
 public:
  /// Starts `words` (the program first) in a process group of its own, on one processor if asked.
  /// Blocks until the ready line has come. @throws CannotStart, or Interrupted
  ServerProcess(const std::vector<std::string>& words, std::optional<int> processor);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// The process; its children may do the work.
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// Where it listens.
  [[nodiscard]] const socketserver::Address& address() const noexcept { return address_; }

  /// What it prints, to be watched and read away: a server that talks must not block on a full
  /// pipe.
  [[nodiscard]] int output() const noexcept { return output_.get(); }

  /// Reads what has been printed, and keeps the last of it. False at its end.
  bool read_output();

  /// If it has ended by itself: a sentence with its last words. Otherwise nothing.
  [[nodiscard]] std::string obituary();

  /// Ends it as a person would: SIGTERM, and SIGKILL to the whole group after a deadline. Returns
  /// the processor seconds of its whole life, its children's included if it waited for them.
  double stop();

 private:
  void start(const std::vector<std::string>& words, std::optional<int> processor);
  void wait_until_ready();
  bool find_ready_line();
  [[nodiscard]] std::string last_words() const;
  bool ended_within(double seconds);

  pid_t pid_ = -1;
  bool output_ended_ = false;
  socketserver::FileDescriptor output_;
  std::string printed_;
  socketserver::Address address_;
};

}  // namespace kit::bench
