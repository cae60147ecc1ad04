// Differs: a connected socket: the kernel keeps strangers away; send and recv; select for the time.

#include <sys/select.h>
#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>

using namespace socketserver;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// The longest datagram that IPv4 carries has 65,507 bytes; here is room for it. udp(7)
constexpr std::size_t longest_datagram = 65535;

void send_datagram(const FileDescriptor& socket, const std::string& message,
                   const Address& server) {
  check(::connect(socket.get(), server.data(), server.size()), "connect");
  // What fails here is the datagram before: nobody had listened.
  while (::send(socket.get(), message.data(), message.size(), 0) == -1) {
    if (errno != ECONNREFUSED && errno != EINTR) throw_system_error("send");
  }
}

// Waits until a datagram is there, or until the time is up.
bool wait_readable(const FileDescriptor& socket, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    const auto limit = left.count() > 0 ? left.count() : 0;
    timeval time{};
    time.tv_sec = static_cast<time_t>(limit / 1000);
    time.tv_usec = static_cast<suseconds_t>(limit % 1000 * 1000);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(socket.get(), &readable);
    const int ready = ::select(socket.get() + 1, &readable, nullptr, nullptr, &time);
    if (ready != -1) return ready > 0;
    if (errno != EINTR) throw_system_error("select");  // a signal: wait for the rest of the time
  }
}

// Anybody may send to our port: what does not come from the server is no answer, and does not make
// us wait any longer.
std::optional<std::string> receive_answer(const FileDescriptor& socket, const Address&,
                                          milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  std::string buffer(longest_datagram, '\0');
  while (wait_readable(socket, deadline)) {
    const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == -1) {
      // Refused is as good as silent: somebody may listen when the time is over.
      if (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED) continue;
      throw_system_error("recvfrom");
    }
    return buffer.substr(0, static_cast<std::size_t>(count));
  }
  return std::nullopt;
}

// A datagram, or its answer, may get lost on the way: nobody but us can notice, and ask again.
std::string ask(const Address& server, const std::string& message, milliseconds timeout,
                long tries) {
  const FileDescriptor socket(
      check(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  for (long i = 0; i < tries; ++i) {
    send_datagram(socket, message, server);
    if (auto answer = receive_answer(socket, server, timeout)) return *answer;
  }
  throw std::runtime_error("no answer to " + std::to_string(tries) + " tries");
}

void run(const Options& options) {
  const std::string message = options.sentence() + "\n";
  const milliseconds timeout(options.number("--timeout", 1000));
  const long tries = 1 + options.number("--retries", 3);

  const std::string answer = ask(options.address(), message, timeout, tries);
  print_exchange(message, answer);
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--timeout", "MS", "how many milliseconds one try waits (1000)", 1},
                      {"--retries", "N", "how many more tries follow the first (3)"}},
                     "WORD...", run);
}
