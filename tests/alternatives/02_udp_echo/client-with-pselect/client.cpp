// Differs: a client that waits in pselect(), in nanoseconds; an object owns the socket.

// A UDP client: sends its words as one datagram, waits for the answer, and asks again if none
// comes. Its partner: server.cpp. See also: sendto(2), recvfrom(2), poll(2).

#include <sys/select.h>
#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace socketserver;
using std::chrono::milliseconds;

constexpr std::size_t longest_datagram = 65535;

void send_datagram(const FileDescriptor& socket, const std::string& message,
                   const Address& server) {
  const int fd = socket.get();
  while (true) {
    if (::sendto(fd, message.data(), message.size(), 0, server.data(), server.size()) >= 0) return;
    if (errno == EINTR) continue;
    throw_system_error("sendto");
  }
}

namespace {

using Clock = std::chrono::steady_clock;

// Sleeps in pselect(2) until `fd` is readable, a signal comes, or the time is over.
bool readable_before(int fd, Clock::time_point end) {
  if (fd >= FD_SETSIZE) throw std::runtime_error("select: the descriptor is too large");
  fd_set read_set;
  FD_ZERO(&read_set);
  FD_SET(fd, &read_set);
  const std::chrono::nanoseconds left = std::max(Clock::duration::zero(), end - Clock::now());
  constexpr long long billion = 1'000'000'000;
  timespec limit{};
  limit.tv_sec = static_cast<time_t>(left.count() / billion);
  limit.tv_nsec = static_cast<long>(left.count() % billion);
  const int ready = ::pselect(fd + 1, &read_set, nullptr, nullptr, &limit, nullptr);
  if (ready == -1 && errno != EINTR) throw_system_error("pselect");
  return ready > 0 && FD_ISSET(fd, &read_set);
}

struct Datagram {
  std::string bytes;
  Address sender;
};

// What is there now; no value if there is nothing.
std::optional<Datagram> take_datagram(int fd) {
  std::vector<char> room(longest_datagram);
  sockaddr_storage sender{};
  socklen_t size = sizeof sender;
  auto* const name = reinterpret_cast<sockaddr*>(&sender);
  const ssize_t count = ::recvfrom(fd, room.data(), room.size(), MSG_DONTWAIT, name, &size);
  if (count >= 0) {
    return Datagram{std::string(room.data(), static_cast<std::size_t>(count)), Address(name, size)};
  }
  for (const int nothing : {EAGAIN, EWOULDBLOCK, EINTR, ECONNREFUSED}) {
    if (errno == nothing) return std::nullopt;
  }
  throw_system_error("recvfrom");
}

}  // namespace

// The answer of the server; no value if none has come when the time is up.
std::optional<std::string> receive_answer(const FileDescriptor& socket, const Address& server,
                                          milliseconds timeout) {
  const Clock::time_point end = Clock::now() + timeout;
  do {
    if (!readable_before(socket.get(), end)) continue;
    std::optional<Datagram> datagram = take_datagram(socket.get());
    if (datagram && datagram->sender == server) return std::move(datagram->bytes);
  } while (Clock::now() < end);
  return std::nullopt;
}

// The answer to the message, after `tries` tries at most.
std::string ask(const Address& server, const std::string& message, milliseconds timeout,
                long tries) {
  // Asks, and asks again through the same socket: a late answer to an earlier try is one.
  struct Conversation {
    FileDescriptor socket;
    const Address& server;
    const std::string& message;
    milliseconds timeout;

    std::optional<std::string> once() const {
      send_datagram(socket, message, server);
      return receive_answer(socket, server, timeout);
    }
  };
  const Conversation conversation{
      FileDescriptor(check(::socket(server.family(), SOCK_DGRAM, 0), "socket")), server, message,
      timeout};
  for (; tries > 0; --tries) {
    if (const auto answer = conversation.once(); answer.has_value()) return answer.value();
  }
  throw std::runtime_error("no answer: is a server there?");
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
