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

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <stdexcept>

using namespace socketserver;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

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

// A name of our own, in a folder of our own, for as long as this object lives: to a client without
// a name no server can send an answer. The kernel gives a UDP client a port unasked; a path is ours
// to choose, and ours to remove. The server must be allowed to write to it: the same user, or root.
class OwnName {
 public:
  OwnName() {
    if (::mkdtemp(folder_) == nullptr) throw_system_error("mkdtemp");
    std::strcat(std::strcpy(path_, folder_), "/socket");
    for (const int number : ends) std::signal(number, remove_and_end);
  }
  OwnName(const OwnName&) = delete;
  OwnName& operator=(const OwnName&) = delete;
  ~OwnName() { remove(); }

  [[nodiscard]] std::string path() const { return path_; }

 private:
  // Ctrl-C runs no destructor. What a signal handler may look at and call: signal-safety(7)
  static constexpr int ends[] = {SIGHUP, SIGINT, SIGTERM};
  static inline char folder_[] = "/tmp/kit-client-XXXXXX";
  static inline char path_[sizeof folder_ + sizeof "/socket"] = "";

  static void remove() noexcept {
    ::unlink(path_);
    ::rmdir(folder_);
  }
  static void remove_and_end(int number) {
    remove();
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
};

void wait_readable(const FileDescriptor& socket, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    pollfd waiting{socket.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready > 0) return;
    if (ready == 0) throw std::runtime_error("no answer");
    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time
  }
}

std::string receive_datagram(const FileDescriptor& socket) {
  std::string answer(longest_datagram, '\0');
  const ssize_t count = check(::recv(socket.get(), answer.data(), answer.size(), 0), "recv");
  answer.resize(static_cast<std::size_t>(count));
  return answer;
}

// A connected datagram socket takes datagrams from its server alone, and is told (ECONNREFUSED) if
// there is none.
std::string ask_datagram(const Address& server, const std::string& message, milliseconds timeout) {
  std::optional<OwnName> name;
  const FileDescriptor socket(
      check(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  if (server.family() == AF_UNIX) {
    name.emplace();
    const Address own = unix_address(name->path());
    check(::bind(socket.get(), own.data(), own.size()), "bind");
  }
  check(::connect(socket.get(), server.data(), server.size()), "connect");
  check(::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL), "send");
  wait_readable(socket, timeout);
  return receive_datagram(socket);
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
