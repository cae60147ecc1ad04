// Differs: a client whose socket never blocks: connect() is under way (EINPROGRESS), ppoll()
// waits, and SO_ERROR says how it went.

// A TCP client: sends its words as one line, and prints what comes back.
// Its partner: server.cpp. See also: connect(2), send(2), recv(2), shutdown(2).

#include <poll.h>
#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <stdexcept>

using namespace socketserver;

namespace {

// Sleeps until `fd` is ready for `events`, or has failed: the call that follows says which.
void wait_for(int fd, short events) {
  pollfd waiting{fd, events, 0};
  int ready = 0;
  do {
    ready = ::ppoll(&waiting, 1, nullptr, nullptr);
  } while (ready == -1 && errno == EINTR);
  check(ready, "ppoll");
}

bool passes(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

FileDescriptor connect_to(const Address& server) {
  FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  if (::connect(connection.get(), server.data(), server.size()) == 0) return connection;
  if (errno != EINPROGRESS && errno != EINTR) throw_system_error("connect");
  wait_for(connection.get(), POLLOUT);
  int error = 0;
  socklen_t size = sizeof error;
  check(::getsockopt(connection.get(), SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt");
  if (error != 0) throw_system_error("connect", error);
  return connection;
}

void send_all(const FileDescriptor& connection, std::string_view bytes) {
  const char* next = bytes.data();
  const char* const end = next + bytes.size();
  while (next != end) {
    const ssize_t count =
        ::send(connection.get(), next, static_cast<std::size_t>(end - next), MSG_NOSIGNAL);
    if (count >= 0) {
      next += count;
    } else if (passes(errno)) {
      wait_for(connection.get(), POLLOUT);
    } else {
      throw_system_error("send");
    }
  }
}

void half_close(const FileDescriptor& connection) {
  if (::shutdown(connection.get(), SHUT_WR) == -1 && errno != ENOTCONN) {
    throw_system_error("shutdown");
  }
}

std::string receive_all(const FileDescriptor& connection) {
  std::string answer;
  for (;;) {
    char block[2048];
    const ssize_t count = ::recv(connection.get(), block, sizeof block, 0);
    if (count > 0) {
      answer += std::string_view(block, static_cast<std::size_t>(count));
    } else if (count == 0) {
      return answer;
    } else if (passes(errno)) {
      wait_for(connection.get(), POLLIN);
    } else {
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
