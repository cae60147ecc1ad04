// An interactive client: what is typed goes to the server, and what the server says is shown, each
// whenever it comes. Its partner: server.cpp. See also: nc(1), epoll(7), shutdown(2).

#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
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
  explicit Conversation(int connection) : connection_(connection) {
    selector_.register_fd(connection_, EVENT_READ);
    listen_to_terminal(true);
  }

  // Until the server has said all.
  void run() {
    while (!server_ended_) {
      const bool read_at_once = listens_to_terminal_ && !terminal_waits_;
      BaseSelector::Timeout timeout;  // for ever
      if (read_at_once) timeout = std::chrono::nanoseconds::zero();
      for (const auto& [key, events] : selector_.select(timeout)) {
        if (key.fd == STDIN_FILENO) read_terminal();
        if (key.fd == connection_ && (events & EVENT_READ)) receive();
        if (key.fd == connection_ && (events & EVENT_WRITE)) send_typed();
      }
      if (read_at_once) read_terminal();
      settle();
    }
  }

 private:
  // It is ready, so one read does not wait. (It is not made non-blocking: the shell has the same
  // terminal, and would find it so.)
  void read_terminal() {
    char buffer[16 * 1024];
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count == -1 && errno != EINTR) throw_system_error("read");
    if (count > 0) typed_.append(buffer, static_cast<std::size_t>(count));
    if (count == 0) terminal_ended_ = true;
    send_typed();
  }

  void send_typed() {
    if (typed_.empty()) return;
    const ssize_t count =
        ::send(connection_, typed_.data(), typed_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      typed_.erase(0, static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR) {
      throw_system_error("send");
    }
  }

  void receive() {
    char buffer[16 * 1024];
    const ssize_t count = ::recv(connection_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("recv");
    if (count > 0) show({buffer, static_cast<std::size_t>(count)});
    if (count == 0) server_ended_ = true;
  }

  // What is waited for next. Nothing more is read from the terminal while the server does not take
  // what was typed; it is still heard, or two full buffers would wait for each other.
  void settle() {
    if (terminal_ended_ && typed_.empty() && !half_closed_) {
      check(::shutdown(connection_, SHUT_WR), "shutdown");
      half_closed_ = true;
    }
    selector_.modify(connection_, typed_.empty() ? EVENT_READ : EVENT_READ | EVENT_WRITE, nullptr);
    listen_to_terminal(!terminal_ended_ && typed_.empty());
  }

  void listen_to_terminal(bool listen) {
    if (listen == listens_to_terminal_) return;
    listens_to_terminal_ = listen;
    if (listen) {
      terminal_waits_ = watch_terminal(selector_);
    } else if (terminal_waits_) {
      selector_.unregister(STDIN_FILENO);
    }
  }

  int connection_;
  DefaultSelector selector_;
  std::string typed_;  // and not sent yet
  bool listens_to_terminal_ = false;
  bool terminal_waits_ = true;  // or it is always ready
  bool terminal_ended_ = false;
  bool half_closed_ = false;
  bool server_ended_ = false;
};

void run(const Options& options) {
  const FileDescriptor connection = connect_to(options.reachable_address());
  Conversation(connection.get()).run();
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv, {{"--path", "PATH", "the address of a Unix server"}}, nullptr,
                     run);
}
