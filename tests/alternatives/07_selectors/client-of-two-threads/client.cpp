// The client with a thread for each direction: both block, and neither waits for the other.

#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <string_view>
#include <thread>

using namespace socketserver;

namespace {

template <class Write>
bool write_all(std::string_view bytes, Write write) {
  while (!bytes.empty()) {
    const ssize_t count = write(bytes);
    if (count == -1 && errno != EINTR) return false;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Nobody asks for its errors: what is wrong with the connection, recv() says too.
void send_terminal(int connection) {
  char buffer[8000];
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count == -1 && errno == EINTR) continue;
    if (count <= 0) break;
    const bool sent = write_all({buffer, static_cast<std::size_t>(count)}, [&](auto bytes) {
      return ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    });
    if (!sent) return;
  }
  (void)::shutdown(connection, SHUT_WR);
}

}  // namespace

void run(const Options& options) {
  const Address server = options.address();
  // Never closed: the other thread has it until the program ends.
  const int connection =
      FileDescriptor(check(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"))
          .release();
  check(::connect(connection, server.data(), server.size()), "connect");
  std::thread(send_terminal, connection).detach();  // it may sit in read() when the server ends

  char buffer[8000];
  for (;;) {
    const ssize_t count = ::recv(connection, buffer, sizeof buffer, 0);
    if (count == -1 && errno == EINTR) continue;
    check(count, "recv");
    if (count == 0) return;
    write_all({buffer, static_cast<std::size_t>(count)},
              [](auto bytes) { return ::write(STDOUT_FILENO, bytes.data(), bytes.size()); });
  }
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv, {{"--path", "PATH", "the address of a Unix server"}}, nullptr,
                     run);
}
