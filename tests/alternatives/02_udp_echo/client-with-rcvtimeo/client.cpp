// Differs: no poll: SO_RCVTIMEO with the time that is left, set before each recvfrom.

#include <sys/socket.h>
#include <sys/time.h>
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
  check(::sendto(socket.get(), message.data(), message.size(), 0, server.data(), server.size()),
        "sendto");
}

bool limit_waiting(const FileDescriptor& socket, Clock::time_point deadline) {
  using std::chrono::microseconds;
  const auto left = std::chrono::duration_cast<microseconds>(deadline - Clock::now()).count();
  if (left <= 0) return false;  // 0 would mean: for ever
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(left / 1'000'000);
  limit.tv_usec = static_cast<suseconds_t>(left % 1'000'000);
  check(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), "setsockopt");
  return true;
}

std::optional<std::string> receive_answer(const FileDescriptor& socket, const Address& server,
                                          milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (limit_waiting(socket, deadline)) {
    char buffer[longest_datagram];
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    auto* const address = reinterpret_cast<sockaddr*>(&peer);
    const ssize_t count = ::recvfrom(socket.get(), buffer, sizeof buffer, 0, address, &size);
    if (count >= 0 && Address(address, size) == server) {
      return std::string(buffer, static_cast<std::size_t>(count));
    }
    if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("recvfrom");
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
