#pragma once

// What the framework's unit tests share: a handler that notes what is called, clients, and a server
// that runs on a thread of its own.

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <socketserver/address.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace unit {

using namespace socketserver;

/// Lines that several threads write and one reads.
class Journal {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

inline Address any_port() {
  return Address::inet("127.0.0.1", 0);
}

inline FileDescriptor connect_to(const Address& server) {
  FileDescriptor connection(check(::socket(server.family(), SOCK_STREAM, 0), "socket"));
  check(::connect(connection.get(), server.data(), server.size()), "connect");
  return connection;
}

inline void send_text(const FileDescriptor& connection, std::string_view text) {
  check(::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL), "send");
}

/// Everything until end of file; throws std::system_error if the connection is reset.
inline std::string receive_all(const FileDescriptor& connection) {
  std::string text;
  char buffer[4096];
  while (const ssize_t count = check(::recv(connection.get(), buffer, sizeof buffer, 0), "recv")) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

/// Connects, sends, half-closes, and reads to end of file.
inline std::string ask(const Address& server, std::string_view text) {
  const FileDescriptor connection = connect_to(server);
  send_text(connection, text);
  check(::shutdown(connection.get(), SHUT_WR), "shutdown");
  return receive_all(connection);
}

/// The number of open descriptors of this process.
inline int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) != -1;
  return count;
}

/// Answers what has come with one recv.
class OnceHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;
  void handle() override {
    char buffer[4096];
    const ssize_t count = ::recv(request().fileno(), buffer, sizeof buffer, 0);
    if (count > 0) {
      check(::send(request().fileno(), buffer, static_cast<std::size_t>(count), MSG_NOSIGNAL),
            "send");
    }
  }
};

/// Runs the loop of `server` on a thread, and ends it.
class Running {
 public:
  explicit Running(BaseServer& server)
      : server_(server), thread_([&server] { server.serve_forever(); }) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    server_.shutdown();
    thread_.join();
  }

 private:
  BaseServer& server_;
  std::thread thread_;
};

/// Runs `body` in a child process and returns its wait status.
int in_child(const std::function<void()>& body);

}  // namespace unit
