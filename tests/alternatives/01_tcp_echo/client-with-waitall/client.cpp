// Differs: a client that asks for all there is (MSG_WAITALL), into a string that doubles, and
// sends by an outbox.

// A TCP client: sends its words as one line, and prints what comes back.
// Its partner: server.cpp. See also: connect(2), send(2), recv(2), shutdown(2).

#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <stdexcept>

using namespace socketserver;

FileDescriptor connect_to(const Address& server) {
  const int fd = ::socket(server.family(), SOCK_STREAM, 0);
  if (fd < 0) throw_system_error("socket");
  FileDescriptor owner(fd);
  if (::connect(fd, server.data(), server.size()) != 0) throw_system_error("connect");
  return owner;
}

// One block, or what the kernel takes of it; none if a signal came first.
static std::size_t send_some(int fd, std::string_view block) {
  const ssize_t count = ::sendto(fd, block.data(), block.size(), MSG_NOSIGNAL, nullptr, 0);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EINTR) return 0;
  throw_system_error("sendto");
}

void send_all(const FileDescriptor& connection, std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    at += send_some(connection.get(), bytes.substr(at, 1000));
  }
}

void half_close(const FileDescriptor& connection) {
  const int failed = ::shutdown(connection.get(), SHUT_WR) == -1 ? errno : 0;
  switch (failed) {
    case 0:
    case ENOTCONN:    // reset: what recv says next is the reason
    case ECONNRESET:  // the same, on other systems
      return;
    default:
      throw_system_error("shutdown", failed);
  }
}

std::string receive_all(const FileDescriptor& connection) {
  // The answer is received where it stays, in a string that doubles when it is full. MSG_WAITALL
  // may return less at a signal or at the end: only 0 is the end.
  std::string answer(256, '\0');
  std::size_t size = 0;
  for (;;) {
    if (size == answer.size()) answer.resize(2 * size);
    const ssize_t count =
        ::recv(connection.get(), answer.data() + size, answer.size() - size, MSG_WAITALL);
    if (count == -1 && errno == EINTR) continue;
    if (count == -1) throw_system_error("recv");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  answer.resize(size);
  answer.shrink_to_fit();
  return answer;
}

void run(const Options& options) {
  const Address server = options.reachable_address();
  const std::string message = options.sentence() + "\n";

  const FileDescriptor connection = connect_to(server);
  send_all(connection, message);
  half_close(connection);
  const std::string answer = receive_all(connection);

  if (answer.empty()) throw std::runtime_error("the server closed without an answer");
  print_exchange(message, answer);
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv, {}, "WORD...", run);
}
