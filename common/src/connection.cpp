#include <sys/socket.h>
#include <socketserver/connection.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>

namespace socketserver {

FileDescriptor connect_to(const Address& server) {
  FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  check(::connect(connection.get(), server.data(), server.size()), "connect");
  return connection;
}

void send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      // A blocking socket says EAGAIN when its SO_SNDTIMEO is over. socket(7)
      throw_system_error("send", errno == EAGAIN ? ETIMEDOUT : errno);
    }
  }
}

std::string receive_all(int connection) {
  std::string answer;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::recv(connection, buffer, sizeof buffer, 0);
    if (count == 0) return answer;
    if (count > 0) {
      answer.append(buffer, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_system_error("recv");
    }
  }
}

std::string upper(std::string text) {
  for (char& byte : text) byte = upper(byte);
  return text;
}

}  // namespace socketserver
