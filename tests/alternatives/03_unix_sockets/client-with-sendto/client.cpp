// Differs: a name that is made of the process and the time, in /tmp itself; sendto and recvfrom.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/unix_server.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>

using namespace socketserver;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// The longest datagram that any of the kinds carries to us.
constexpr std::size_t longest_datagram = 256 * 1024;

FileDescriptor open_socket(const Address& server, int type) {
  return FileDescriptor(check(::socket(server.family(), type | SOCK_CLOEXEC, 0), "socket"));
}

void connect_to(const FileDescriptor& socket, const Address& server) {
  check(::connect(socket.get(), server.data(), server.size()), "connect");
}

// ---- over a stream: as in lesson 01 ------------------------------------------------------------

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

std::string ask_stream(const Address& server, const std::string& message) {
  const FileDescriptor connection = open_socket(server, SOCK_STREAM);
  connect_to(connection, server);
  send_all(connection, message);
  check(::shutdown(connection.get(), SHUT_WR), "shutdown");
  const std::string answer = receive_all(connection);
  if (answer.empty()) throw std::runtime_error("the server closed without an answer");
  return answer;
}

// ---- over datagrams ----------------------------------------------------------------------------

std::atomic<bool> ended{false};

extern "C" void note_end(int) {
  ended = true;
}

class OwnName {
 public:
  OwnName()
      : path_("/tmp/kit-" + std::to_string(::getpid()) + "-" +
              std::to_string(Clock::now().time_since_epoch().count())) {
    struct sigaction action {};
    action.sa_handler = note_end;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
  }
  OwnName(const OwnName&) = delete;
  OwnName& operator=(const OwnName&) = delete;
  ~OwnName() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
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
    if (ended) throw std::runtime_error("interrupted");
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
  const FileDescriptor socket = open_socket(server, SOCK_DGRAM);
  if (server.family() == AF_UNIX) {
    name.emplace();
    const Address own = unix_address(name->path());
    check(::bind(socket.get(), own.data(), own.size()), "bind");
  }
  check(::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL, server.data(),
                 server.size()),
        "sendto");
  wait_readable(socket, timeout);
  return receive_datagram(socket);
}

void run(const Options& options) {
  const std::string message = options.sentence() + "\n";
  const std::string kind = options.text("--kind", "unix-stream");
  const bool is_unix = kind.starts_with("unix");
  const Address server = is_unix ? unix_address(options.required("--path")) : options.address();

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
