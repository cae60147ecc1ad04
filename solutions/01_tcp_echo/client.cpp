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
  FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  check(::connect(connection.get(), server.data(), server.size()), "connect");
  return connection;
}

// send() may take fewer bytes than it was given: go on with the rest.
void send_all(const FileDescriptor& connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_system_error("send");
    }
  }
}

// "I have said all": the server's recv returns 0, and it can still answer.
void half_close(const FileDescriptor& connection) {
  check(::shutdown(connection.get(), SHUT_WR), "shutdown");
}

// The answer may come in any number of pieces; it is whole when the server has closed (0).
std::string receive_all(const FileDescriptor& connection) {
  std::string answer;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::recv(connection.get(), buffer, sizeof buffer, 0);
    if (count == 0) return answer;
    if (count > 0) {
      answer.append(buffer, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_system_error("recv");
    }
  }
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
