# Right answers to lesson 02, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake. A file of which little remains stands whole in 02_udp_echo/.

kit_answer(
  NAME a-socket-a-try
  SENTENCE "Each try has a socket of its own, and all of them are listened to until the end."
  WHOLE client.cpp)

kit_answer(
  NAME client-with-pselect
  SENTENCE "The client waits in pselect(), in nanoseconds; an object owns the socket."
  WHOLE client.cpp)

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
  WHOLE client.cpp)

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
  REPLACE [[    pollfd waiting{socket.get(), POLLIN, 0};
    const int limit = left.count() > 0 ? static_cast<int>(left.count()) : 0;
    const int ready = ::poll(&waiting, 1, limit);
    if (ready != -1) return ready > 0;
    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time]]
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
