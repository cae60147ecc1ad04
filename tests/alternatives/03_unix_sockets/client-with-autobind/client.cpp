// Differs: a datagram client whose name the kernel has chosen: no file, nothing to remove.

// A client for the same service over four kinds of sockets: sends its words as one line, and prints
// what comes back. Its partner: server.cpp. See also: unix(7).

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/unix_server.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <stdexcept>

using namespace socketserver;
using std::chrono::milliseconds;

// The longest datagram that any of the kinds carries to us.
constexpr std::size_t longest_datagram = 256 * 1024;

// ---- over a stream: as in lesson 01 ------------------------------------------------------------

std::string ask_stream(const Address& server, const std::string& message) {
  const FileDescriptor connection = connect_to(server);
  send_all(connection.get(), message);
  check(::shutdown(connection.get(), SHUT_WR), "shutdown");
  const std::string answer = receive_all(connection.get());
  if (answer.empty()) throw std::runtime_error("the server closed without an answer");
  return answer;
}

// ---- over datagrams ----------------------------------------------------------------------------

// Sends the message as one datagram and returns the answer, for which it waits at most `timeout`.
std::string ask_datagram(const Address& server, const std::string& message, milliseconds timeout) {
  const FileDescriptor socket(
      check(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  if (server.family() == AF_UNIX) {
    // The family alone: the kernel gives us an abstract name that no other socket has (unix(7),
    // "Autobind feature"). No file has it, and it ends with the socket, however this process ends.
    const sa_family_t family = AF_UNIX;
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&family), sizeof family), "bind");
  }
  // From here on nobody but the server can answer.
  check(::connect(socket.get(), server.data(), server.size()), "connect");
  ssize_t count;
  do count = ::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
  while (count == -1 && errno == EINTR);
  check(count, "send");

  const auto end = std::chrono::steady_clock::now() + timeout;
  std::string answer;
  do {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    pollfd waiting{socket.get(), POLLIN, 0};
    const long wait = std::clamp<long>(static_cast<long>(left.count()), 0, INT_MAX);
    const int ready = ::poll(&waiting, 1, static_cast<int>(wait));
    if (ready == -1 && errno != EINTR) throw_system_error("poll");
    if (ready == 0) throw std::runtime_error("nobody has answered in time");
    count = -1;
    if (ready < 0) continue;
    answer.resize(longest_datagram);
    count = ::recvfrom(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT, nullptr, nullptr);
    if (count == -1 && errno != EINTR && errno != EAGAIN) throw_system_error("recvfrom");
  } while (count == -1);
  answer.resize(static_cast<std::size_t>(count));
  return answer;
}

void run(const Options& options) {
  const std::string message = options.sentence() + "\n";
  const std::string kind = options.text("--kind", "unix-stream");
  const bool is_unix = kind.starts_with("unix");
  const Address server = is_unix
                             ? unix_address(options.required("--path"))
                             : (kind == "tcp" ? options.reachable_address() : options.address());

  const bool is_stream = kind == "tcp" || kind == "unix-stream";
  const milliseconds timeout(options.number("--timeout", 1000));
  const std::string answer =
      is_stream ? ask_stream(server, message) : ask_datagram(server, message, timeout);
  print_exchange(message, answer);
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--kind", "tcp|udp|unix-stream|unix-datagram", "which server (unix-stream)"},
                      {"--path", "PATH", "the address of a Unix server"},
                      {"--timeout", "MS", "how long to wait for a datagram's answer (1000)", 1}},
                     "WORD...", run);
}
