#pragma once

// A server program in a process of its own, with whatever standard descriptors, signals and limits
// a test wants it to have.

#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/program.hpp>

#include <csignal>

#include "loopback.hpp"

namespace unit {

struct Pipe {
  Pipe() {
    int ends[2];
    check(::pipe(ends), "pipe");
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
  FileDescriptor read_end;
  FileDescriptor write_end;
};

/// In the program: tells the test where the server listens. Called by `serve`.
inline int told_end = -1;
inline void tell_address(BaseServer& server) {
  const int told[2]{server.server_address().port(), server.fileno()};
  check(::write(told_end, told, sizeof told), "write");
}

class Program {
 public:
  /// @param serve    as for server_main()
  /// @param prepare  called in the new process before its main()
  Program(void (*serve)(const Options&), std::vector<std::string> arguments,
          const std::function<void()>& prepare = [] {}) {
    Pipe told;
    process_ = check(::fork(), "fork");
    if (process_ == 0) {
      // Out of the way of 0, 1 and 2, which the test may want to be free.
      told_end = check(::fcntl(told.write_end.get(), F_DUPFD, 100), "fcntl");
      prepare();
      arguments.insert(arguments.begin(), {"server", "--port", "0"});
      std::vector<char*> words;
      for (std::string& word : arguments) words.push_back(word.data());
      words.push_back(nullptr);
      const int count = static_cast<int>(words.size()) - 1;
      ::_exit(server_main(count, words.data(), {}, serve));
    }
    told.write_end.reset();
    int words[2]{};
    check(::read(told.read_end.get(), words, sizeof words), "read");
    address_ = Address::inet("127.0.0.1", static_cast<std::uint16_t>(words[0]));
    listener_ = words[1];
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (status_ != -1) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] int listener() const { return listener_; }
  [[nodiscard]] pid_t process() const { return process_; }
  void signal(int number) const { ::kill(process_, number); }
  /// Waits for its end; returns the wait status.
  int wait() {
    ::waitpid(process_, &status_, 0);
    return status_;
  }
  int end() {
    signal(SIGTERM);
    return wait();
  }

 private:
  pid_t process_ = -1;
  int status_ = -1;
  Address address_;
  int listener_ = -1;
};

}  // namespace unit
