// An interactive client: what is typed goes to the server, and what the server says is shown, each
// whenever it comes. Its partner: server.cpp. See also: nc(1), epoll(7), shutdown(2).

#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

#include "epoll_selector.hpp"

using namespace socketserver;

void show(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_system_error("write");
    }
  }
}

// Watches the terminal, and says whether it can be waited for. A regular file and /dev/null cannot
// (epoll_ctl(2), EPERM): there is nothing to wait for, they are always ready.
bool watch_terminal(BaseSelector& selector) {
  try {
    selector.register_fd(STDIN_FILENO, EVENT_READ);
    return true;
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::operation_not_permitted) throw;
    return false;
  }
}

// Terminal and server at once. Neither is waited for alone: that would be to be deaf to the other.
class Conversation {
 public:
  explicit Conversation(int connection) : connection_(connection) {}

  // Until the server has said all.
  void run() {
    // TODO(07.C): select on the terminal and on the connection. What is typed is sent, what the
    // server says is shown. At the end of the terminal, half-close; at the end of the connection,
    // return.
    not_written("07.C", "Conversation::run");
  }

 private:
  [[maybe_unused]] int connection_;
  DefaultSelector selector_;
};

void run(const Options& options) {
  const FileDescriptor connection = connect_to(options.reachable_address());
  Conversation(connection.get()).run();
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv, {{"--path", "PATH", "the address of a Unix server"}}, nullptr,
                     run);
}
