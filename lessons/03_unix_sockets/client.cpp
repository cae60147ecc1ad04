// A client for the same service over four kinds of sockets: sends its words as one line, and prints
// what comes back. Its partner: server.cpp. See also: unix(7).

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/unix_server.hpp>

#include <cerrno>
#include <chrono>
#include <stdexcept>

using namespace socketserver;
using std::chrono::milliseconds;

// The longest datagram that any of the kinds carries to us.
[[maybe_unused]] constexpr std::size_t longest_datagram = 256 * 1024;

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
std::string ask_datagram([[maybe_unused]] const Address& server,
                         [[maybe_unused]] const std::string& message,
                         [[maybe_unused]] milliseconds timeout) {
  // TODO(03.G): to a Unix server, bind a name of our own first: without one it cannot answer. The
  // name must be gone when this function is left, in whatever way.
  not_written("03.G", "ask_datagram");
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
