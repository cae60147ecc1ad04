// Differs: each try has a socket of its own, and all of them are listened to until the end.

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
#include <string>
#include <vector>

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

// Waits until a datagram is there, at any of the sockets, or until the time is up.
bool wait_readable(std::vector<pollfd>& sockets, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    const int limit = left.count() > 0 ? static_cast<int>(left.count()) : 0;
    const int ready = ::poll(sockets.data(), static_cast<nfds_t>(sockets.size()), limit);
    if (ready != -1) return ready > 0;
    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time
  }
}

// Anybody may send to our ports: what does not come from the server is no answer, and does not make
// us wait any longer.
std::optional<std::string> receive_answer(const std::vector<FileDescriptor>& sockets,
                                          const Address& server, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  std::string buffer(longest_datagram, '\0');
  std::vector<pollfd> waiting;
  for (const FileDescriptor& socket : sockets) waiting.push_back({socket.get(), POLLIN, 0});
  while (wait_readable(waiting, deadline)) {
    for (const pollfd& one : waiting) {
      if (one.revents == 0) continue;
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      auto* const address = reinterpret_cast<sockaddr*>(&peer);
      const ssize_t count =
          ::recvfrom(one.fd, buffer.data(), buffer.size(), MSG_DONTWAIT, address, &size);
      if (count == -1) {
        if (errno == EAGAIN || errno == EINTR) continue;
        throw_system_error("recvfrom");
      }
      if (Address(address, size) == server) {
        return buffer.substr(0, static_cast<std::size_t>(count));
      }
    }
  }
  return std::nullopt;
}

// A datagram, or its answer, may get lost on the way: nobody but us can notice, and ask again. Each
// try has a socket of its own, and the earlier ones are still listened to.
std::string ask(const Address& server, const std::string& message, milliseconds timeout,
                long tries) {
  std::vector<FileDescriptor> sockets;
  for (long i = 0; i < tries; ++i) {
    sockets.emplace_back(check(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
    send_datagram(sockets.back(), message, server);
    if (auto answer = receive_answer(sockets, server, timeout)) return *answer;
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
