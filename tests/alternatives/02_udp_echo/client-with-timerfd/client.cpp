// Differs: a client that waits with epoll, without a limit; a timerfd ends each try.

// A UDP client: sends its words as one datagram, waits for the answer, and asks again if none
// comes. Its partner: server.cpp. See also: sendto(2), recvfrom(2), poll(2).

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <utility>

using namespace socketserver;
using std::chrono::milliseconds;

constexpr std::size_t longest_datagram = 65535;

void send_datagram(const FileDescriptor& socket, const std::string& message,
                   const Address& server) {
  for (bool again = true; again;) {
    const auto sent = ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
                               server.data(), server.size());
    again = sent == -1 && errno == EINTR;
    if (!again) check(sent, "sendto");
  }
}

namespace {

// Waits for a socket until a time that is fixed when it is constructed. The kernel keeps the time:
// no signal changes it.
class TimedWait {
 public:
  TimedWait(int socket, milliseconds timeout)
      : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        timer_(check(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create")),
        socket_(socket) {
    itimerspec once{};
    once.it_value.tv_sec = static_cast<time_t>(timeout.count() / 1000);
    once.it_value.tv_nsec = static_cast<long>(timeout.count() % 1000 * 1'000'000);
    check(::timerfd_settime(timer_.get(), 0, &once, nullptr), "timerfd_settime");
    add(timer_.get());
    add(socket_);
  }

  // Whether the socket is readable, and the time not yet over.
  bool readable() {
    for (;;) {
      std::array<epoll_event, 2> events{};
      const int count = ::epoll_wait(epoll_.get(), events.data(), 2, -1);
      if (count == -1 && errno != EINTR) throw_system_error("epoll_wait");
      bool is_there = false;
      for (int i = 0; i < count; ++i) {
        if (events[static_cast<std::size_t>(i)].data.fd == timer_.get()) return false;
        is_there = true;
      }
      if (is_there) return true;
    }
  }

 private:
  void add(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  FileDescriptor epoll_;
  FileDescriptor timer_;
  int socket_;
};

}  // namespace

// The answer of the server; no value if none has come when the time is up.
std::optional<std::string> receive_answer(const FileDescriptor& socket, const Address& server,
                                          milliseconds timeout) {
  static std::array<char, longest_datagram> room;
  TimedWait wait(socket.get(), timeout);
  while (wait.readable()) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    const ssize_t count = ::recvfrom(socket.get(), room.data(), room.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&name), &size);
    if (count == -1) {
      const bool wait_on =
          errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNREFUSED;
      if (!wait_on) throw_system_error("recvfrom");
    } else if (Address(reinterpret_cast<sockaddr*>(&name), size) == server) {
      return std::string(room.data(), static_cast<std::size_t>(count));
    }
  }
  return std::nullopt;
}

// The answer to the message, after `tries` tries at most.
std::string ask(const Address& server, const std::string& message, milliseconds timeout,
                long tries) {
  const FileDescriptor socket(
      check(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  if (tries < 1) throw std::runtime_error("no answer");
  send_datagram(socket, message, server);
  std::optional<std::string> answer = receive_answer(socket, server, timeout);
  while (!answer && --tries > 0) {
    send_datagram(socket, message, server);
    answer = receive_answer(socket, server, timeout);
  }
  if (!answer) throw std::runtime_error("no answer came in the time that was left for it");
  return *std::move(answer);
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
