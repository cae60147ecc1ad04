# Right answers to lesson 02, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake.

kit_answer(
  NAME a-socket-a-try
  SENTENCE "Each try has a socket of its own, and all of them are listened to until the end."
  FILE client.cpp
  REPLACE [[// A UDP client: sends its words as one datagram, waits for the answer, and asks again if none]]
  THROUGH [[#include <stdexcept>]]
  WITH [[// Differs: each try has a socket of its own, and all of them are listened to until the end.

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
#include <vector>]]
  REPLACE [[// Waits until a datagram is there, or until the time is up.]]
  THROUGH [[  const std::string answer = ask_each(options.addresses(), message, timeout, tries);]]
  WITH [[// Waits until a datagram is there, at any of the sockets, or until the time is up.
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

  const std::string answer = ask(options.address(), message, timeout, tries);]])

kit_answer(
  NAME client-with-pselect
  SENTENCE "The client waits in pselect(), in nanoseconds; an object owns the socket."
  FILE client.cpp
  REPLACE [[// A UDP client: sends its words as one datagram, waits for the answer, and asks again if none]]
  THROUGH [[  throw std::runtime_error("no answer to " + std::to_string(tries) + " tries");
}]]
  WITH [[// Differs: a client that waits in pselect(), in nanoseconds; an object owns the socket.

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
}]])

kit_answer(
  NAME client-with-rcvtimeo
  SENTENCE "The client does not poll: before each recvfrom() it sets SO_RCVTIMEO to the time that is left."
  FILE client.cpp
  REPLACE [[#include <poll.h>
#include <sys/socket.h>]]
  WITH [[#include <sys/socket.h>
#include <sys/time.h>]]
  REPLACE [[// Waits until a datagram is there, or until the time is up.
]]
  THROUGH [[    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time
  }]]
  WITH [[bool limit_waiting(const FileDescriptor& socket, Clock::time_point deadline) {
  using std::chrono::microseconds;
  const auto left = std::chrono::duration_cast<microseconds>(deadline - Clock::now()).count();
  if (left <= 0) return false;  // 0 would mean: for ever
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(left / 1'000'000);
  limit.tv_usec = static_cast<suseconds_t>(left % 1'000'000);
  check(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), "setsockopt");
  return true;]]
  REPLACE [[  std::string buffer(longest_datagram, '\0');
  while (wait_readable(socket, deadline)) {]]
  WITH [[  while (limit_waiting(socket, deadline)) {
    char buffer[longest_datagram];]]
  REPLACE [[    const ssize_t count =
]]
  THROUGH [[    if (Address(address, size) == server) return buffer.substr(0, static_cast<std::size_t>(count));]]
  WITH [[    const ssize_t count = ::recvfrom(socket.get(), buffer, sizeof buffer, 0, address, &size);
    if (count >= 0 && Address(address, size) == server) {
      return std::string(buffer, static_cast<std::size_t>(count));
    }
    if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("recvfrom");]]
  REPLACE [[// A name may have several addresses, and its server listen on one of them.
]]
  THROUGH [[  return ask(servers.back(), message, timeout, tries);
}

]]
  WITH [[]]
  REPLACE [[  const std::string answer = ask_each(options.addresses(), message, timeout, tries);]]
  WITH [[  const std::string answer = ask(options.address(), message, timeout, tries);]])

kit_answer(
  NAME client-with-timerfd
  SENTENCE "The client waits with epoll, without a limit; a timerfd ends each try."
  FILE client.cpp
  REPLACE [[// A UDP client: sends its words as one datagram, waits for the answer, and asks again if none]]
  THROUGH [[  throw std::runtime_error("no answer to " + std::to_string(tries) + " tries");
}]]
  WITH [[// Differs: a client that waits with epoll, without a limit; a timerfd ends each try.

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
}]])

kit_answer(
  NAME connected-client
  SENTENCE "The client's socket is connected: the kernel keeps strangers away. select() limits the time."
  FILE client.cpp
  REPLACE [[#include <poll.h>]]
  WITH [[#include <sys/select.h>]]
  REPLACE [[  check(::sendto(socket.get(), message.data(), message.size(), 0, server.data(), server.size()),
        "sendto");]]
  WITH [[  check(::connect(socket.get(), server.data(), server.size()), "connect");
  // What fails here is the datagram before: nobody had listened.
  while (::send(socket.get(), message.data(), message.size(), 0) == -1) {
    if (errno != ECONNREFUSED && errno != EINTR) throw_system_error("send");
  }]]
  REPLACE [[    pollfd waiting{socket.get(), POLLIN, 0};]]
  THROUGH [[    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time]]
  WITH [[    const auto limit = left.count() > 0 ? left.count() : 0;
    timeval time{};
    time.tv_sec = static_cast<time_t>(limit / 1000);
    time.tv_usec = static_cast<suseconds_t>(limit % 1000 * 1000);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(socket.get(), &readable);
    const int ready = ::select(socket.get() + 1, &readable, nullptr, nullptr, &time);
    if (ready != -1) return ready > 0;
    if (errno != EINTR) throw_system_error("select");  // a signal: wait for the rest of the time]]
  REPLACE [[std::optional<std::string> receive_answer(const FileDescriptor& socket, const Address& server,
                                          milliseconds timeout) {]]
  WITH [[std::optional<std::string> receive_answer(const FileDescriptor& socket, const Address&,
                                          milliseconds timeout) {]]
  REPLACE [[    sockaddr_storage peer{};
]]
  THROUGH [[    if (Address(address, size) == server) return buffer.substr(0, static_cast<std::size_t>(count));]]
  WITH [[    const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == -1) {
      // Refused is as good as silent: somebody may listen when the time is over.
      if (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED) continue;
      throw_system_error("recvfrom");
    }
    return buffer.substr(0, static_cast<std::size_t>(count));]]
  REPLACE [[// A name may have several addresses, and its server listen on one of them.
]]
  THROUGH [[  return ask(servers.back(), message, timeout, tries);
}

]]
  WITH [[]]
  REPLACE [[  const std::string answer = ask_each(options.addresses(), message, timeout, tries);]]
  WITH [[  const std::string answer = ask(options.address(), message, timeout, tries);]])

kit_answer(
  NAME peek-at-the-size
  SENTENCE "The server peeks at the length of a datagram, and takes it into a buffer of that size."
  FILE udp_server.cpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <algorithm>
#include <cerrno>
#include <utility>]]
  REPLACE [[  // One byte more than we take: if it is used, the datagram was longer.
  buffer_.resize(max_packet_size + 1);]]
  WITH [[  char byte;
  const ssize_t length = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_TRUNC);
  if (length == -1) {
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    throw_system_error("recv");
  }
  std::string packet(std::min(static_cast<std::size_t>(length), max_packet_size), '?');]]
  REPLACE [[  const ssize_t count =
      ::recvfrom(socket_.get(), buffer_.data(), buffer_.size(), 0, address, &size);
  if (count == -1) {]]
  WITH [[  if (::recvfrom(socket_.get(), packet.data(), packet.size(), 0, address, &size) == -1) {]]
  REPLACE [[  const auto received = static_cast<std::size_t>(count);
  const bool truncated = received > max_packet_size;
  return Request(buffer_.substr(0, truncated ? max_packet_size : received), socket_.get(),
                 Address(address, size), truncated);]]
  WITH [[  const bool truncated = static_cast<std::size_t>(length) > packet.size();
  return Request(std::move(packet), socket_.get(), Address(address, size), truncated);]])

kit_answer(
  NAME poll-and-non-blocking
  SENTENCE "The socket never blocks: poll() before receiving, and a moment's wait for room to answer."
  FILE udp_server.cpp
  REPLACE [[#include <netinet/in.h>]]
  WITH [[#include <netinet/in.h>
#include <poll.h>]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <system_error>]]
  REPLACE [[  socket_.reset(check(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));]]
  WITH [[  socket_.reset(
      check(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));]]
  REPLACE [[void UDPServer::server_activate() {
]]
  THROUGH [[std::optional<Request> UDPServer::get_request() {]]
  WITH [[void UDPServer::server_activate() {}

std::optional<Request> UDPServer::get_request() {
  pollfd readable{socket_.get(), POLLIN, 0};
  if (::poll(&readable, 1, 0) != 1) return std::nullopt;]]
  REPLACE [[  const std::string& answer = wfile_.bytes();]]
  WITH [[  const std::string& answer = wfile_.bytes();
  bool waited = false;]]
  REPLACE [[    if (errno == ECONNREFUSED || errno == ENOENT) return;  // the client has gone: nobody to tell]]
  WITH [[    if (errno == ECONNREFUSED || errno == ENOENT) return;  // the client has gone: nobody to tell
    if (errno == EAGAIN || errno == ENOBUFS) {
      pollfd writable{request().fileno(), POLLOUT, 0};
      if (!waited && ::poll(&writable, 1, 100) == 1) {
        waited = true;
        continue;
      }
      throw std::system_error(EAGAIN, std::generic_category(), "sendto");
    }]])

kit_answer(
  NAME poll-then-recvmmsg
  SENTENCE "The server asks poll(), and receives with recvmmsg(), which says that a datagram was cut."
  FILE udp_server.cpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <poll.h>
#include <sys/uio.h>
#include <cerrno>]]
  REPLACE [[  // One byte more than we take: if it is used, the datagram was longer.
]]
  THROUGH [[                 Address(address, size), truncated);]]
  WITH [[  pollfd readable{socket_.get(), POLLIN, 0};
  if (::poll(&readable, 1, 0) <= 0) return std::nullopt;
  buffer_.resize(max_packet_size);
  sockaddr_storage peer{};
  iovec part{buffer_.data(), buffer_.size()};
  mmsghdr one{};
  one.msg_hdr.msg_name = &peer;
  one.msg_hdr.msg_namelen = sizeof peer;
  one.msg_hdr.msg_iov = &part;
  one.msg_hdr.msg_iovlen = 1;
  if (::recvmmsg(socket_.get(), &one, 1, MSG_DONTWAIT, nullptr) == -1) {
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    throw_system_error("recvmmsg");
  }
  return Request(buffer_.substr(0, one.msg_len), socket_.get(),
                 Address(reinterpret_cast<sockaddr*>(&peer), one.msg_hdr.msg_namelen),
                 (one.msg_hdr.msg_flags & MSG_TRUNC) != 0);]])

kit_answer(
  NAME recvmsg-with-msg-trunc
  SENTENCE "recvmsg() and sendmsg(): the kernel says whether a datagram was cut."
  FILE udp_server.cpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <sys/socket.h>
#include <sys/uio.h>]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstring>]]
  REPLACE [[  // One byte more than we take: if it is used, the datagram was longer.
]]
  THROUGH [[                 Address(address, size), truncated);]]
  WITH [[  buffer_.resize(max_packet_size);
  sockaddr_storage peer{};
  iovec part{buffer_.data(), buffer_.size()};
  msghdr message{};
  message.msg_name = &peer;
  message.msg_namelen = sizeof peer;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t count = ::recvmsg(socket_.get(), &message, 0);
  if (count == -1) {
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    throw_system_error("recvmsg");
  }
  return Request(std::string(buffer_.data(), static_cast<std::size_t>(count)), socket_.get(),
                 Address(reinterpret_cast<sockaddr*>(&peer), message.msg_namelen),
                 (message.msg_flags & MSG_TRUNC) != 0);]]
  REPLACE [[    const ssize_t count = ::sendto(request().fileno(), answer.data(), answer.size(), MSG_NOSIGNAL,
                                   client_address().data(), client_address().size());]]
  WITH [[    sockaddr_storage peer{};
    std::memcpy(&peer, client_address().data(), client_address().size());
    std::string bytes = answer;
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_name = &peer;
    message.msg_namelen = client_address().size();
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t count = ::sendmsg(request().fileno(), &message, MSG_NOSIGNAL);]])

kit_answer(
  NAME two-writes
  SENTENCE "The handler changes a copy by std::transform, and writes it in two parts."
  FILE server.cpp
  REPLACE [[#include <socketserver/udp_server.hpp>]]
  WITH [[#include <socketserver/udp_server.hpp>

#include <algorithm>]]
  REPLACE [[    std::string answer(bytes);
    for (char& byte : answer) byte = upper(byte);
    wfile().write(answer);]]
  WITH [[    std::string answer(bytes.size(), ' ');
    std::transform(bytes.begin(), bytes.end(), answer.begin(), upper);
    wfile().write(answer.substr(0, answer.size() / 2));
    wfile().write(answer.substr(answer.size() / 2));]])
