// A UDP client: sends its words as one datagram, waits for the answer, and asks again if none
// comes. Its partner: server.cpp. See also: sendto(2), recvfrom(2), poll(2).

#include <poll.h>
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
  check(::sendto(socket.get(), message.data(), message.size(), 0, server.data(), server.size()),
        "sendto");
}

// Waits until a datagram is there, or until the time is up.
bool wait_readable(const FileDescriptor& socket, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    pollfd waiting{socket.get(), POLLIN, 0};
    const int limit = left.count() > 0 ? static_cast<int>(left.count()) : 0;
    const int ready = ::poll(&waiting, 1, limit);
    if (ready != -1) return ready > 0;
    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time
  }
}

// Anybody may send to our port: what does not come from the server is no answer, and does not make
// us wait any longer.
std::optional<std::string> receive_answer(const FileDescriptor& socket, const Address& server,
                                          milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  std::string buffer(longest_datagram, '\0');
  while (wait_readable(socket, deadline)) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    auto* const address = reinterpret_cast<sockaddr*>(&peer);
    const ssize_t count =
        ::recvfrom(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT, address, &size);
    if (count == -1) {
      if (errno == EAGAIN || errno == EINTR) continue;
      throw_system_error("recvfrom");
    }
    if (Address(address, size) == server) return buffer.substr(0, static_cast<std::size_t>(count));
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

// A name may have several addresses, and its server listen on one of them.
std::string ask_each(const std::vector<Address>& servers, const std::string& message,
                     milliseconds timeout, long tries) {
  for (std::size_t i = 0; i + 1 < servers.size(); ++i) {
    try {
      return ask(servers[i], message, timeout, tries);
    } catch (const std::runtime_error&) {
      // Nobody is there: perhaps at the next one.
    }
  }
  return ask(servers.back(), message, timeout, tries);
}

void run(const Options& options) {
  const std::string message = options.sentence() + "\n";
  const milliseconds timeout(options.number("--timeout", 1000));
  const long tries = 1 + options.number("--retries", 3);

  const std::string answer = ask_each(options.addresses(), message, timeout, tries);
  print_exchange(message, answer);
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--timeout", "MS", "how many milliseconds one try waits (1000)", 1},
                      {"--retries", "N", "how many more tries follow the first (3)"}},
                     "WORD...", run);
}
