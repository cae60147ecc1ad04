#include "stream.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "harness/base/limits.hpp"
#include "harness/kernel/proc.hpp"

#if defined(__linux__)
#include <linux/sockios.h>
#endif

namespace kit {
namespace {

[[noreturn]] void fail(const char* call, int error) {
  throw std::system_error(error, std::generic_category(), call);
}

Descriptor make_socket(int family, int type) {
  Descriptor made(socket(family, type, 0));
  if (!made) fail("socket", errno);
  fcntl(made.get(), F_SETFD, FD_CLOEXEC);
  fcntl(made.get(), F_SETFL, O_NONBLOCK);
  return made;
}

#if defined(MSG_NOSIGNAL)
constexpr int quietly = MSG_NOSIGNAL;
#else
constexpr int quietly = 0;  // SIGPIPE is ignored while a step runs
#endif

}  // namespace

Stream::Stream(Descriptor socket) : socket_(std::move(socket)) {
  fcntl(fd(), F_SETFL, O_NONBLOCK);
  const int on = 1;
  // Pieces leave when they are sent. (A Unix socket has no such option, and no need of it.)
  setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#if defined(SO_NOSIGPIPE)
  setsockopt(fd(), SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

Stream Stream::connect(const Address& to, Deadline until, Width width) {
  Descriptor socket = make_socket(to.family(), SOCK_STREAM);
  if (width == Width::narrow) {
    // The other side's buffer grows with the size of a segment, which is ours to limit. tcp(7)
    constexpr int receive_buffer = 4096, segment = 536;
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (!to.is_unix()) setsockopt(socket.get(), IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  }
  while (::connect(socket.get(), to.get(), to.size()) != 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN && to.is_unix()) {
      // The listener's queue is full. Nothing tells when there is room again.
      if (Clock::now() >= until) fail("connect", ETIMEDOUT);
      std::vector<pollfd> none;
      serve(none, std::min(until, after(limits::proc_poll)));
      continue;
    }
    if (errno != EINPROGRESS) fail("connect", errno);
    if (!wait_for(socket.get(), POLLOUT, until)) fail("connect", ETIMEDOUT);
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == ECONNRESET) {
      // It was accepted, and reset before we looked: a connection that has ended.
      Stream ended(std::move(socket));
      ended.ending_ = Ending::reset;
      ended.refused_ = true;
      return ended;
    }
    if (error != 0) fail("connect", error);
    break;
  }
  return Stream(std::move(socket));
}

std::size_t Stream::send_some(std::string_view bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size() && socket_) {
    const ssize_t n = ::send(fd(), bytes.data() + sent, bytes.size() - sent, quietly);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
      sent_ += static_cast<std::uint64_t>(n);
    } else if (errno != EINTR) {
      refused_ = errno != EAGAIN && errno != EWOULDBLOCK;
      break;
    }
  }
  return sent;
}

std::size_t Stream::receive_some(std::size_t limit) {
  char buffer[65536];
  std::size_t received = 0;
  while (received < limit && ending_ == Ending::open && socket_) {
    const ssize_t n = recv(fd(), buffer, std::min(sizeof buffer, limit - received), 0);
    if (n > 0) {
      inbox_.append(buffer, static_cast<std::size_t>(n));
      received_ += static_cast<std::uint64_t>(n);
      received += static_cast<std::size_t>(n);
    } else if (n == 0) {
      ending_ = Ending::end_of_file;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      ending_ = Ending::reset;
    }
  }
  return received;
}

std::size_t Stream::send_all(std::string_view bytes, std::chrono::milliseconds patience) {
  std::size_t sent = 0;
  Deadline until = after(patience);
  while (true) {
    const std::size_t n = send_some(bytes.substr(sent));
    sent += n;
    if (sent == bytes.size() || refused_ || !socket_) return sent;
    if (n > 0) until = after(patience);
    const short wanted = ending_ == Ending::open ? POLLIN | POLLOUT : POLLOUT;
    if (!wait_for(fd(), wanted, until)) return sent;
    if (receive_some() > 0) until = after(patience);
  }
}

bool Stream::receive_more(Deadline until) {
  while (ending_ == Ending::open && socket_) {
    if (receive_some() > 0 || ending_ != Ending::open) return true;
    if (!wait_for(fd(), POLLIN, until)) return false;
  }
  return false;
}

void Stream::half_close() {
  shutdown(fd(), SHUT_WR);
}

void Stream::close() {
  socket_.close();
}

void Stream::reset() {
  const linger at_once{1, 0};
  setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.close();
}

#if defined(__linux__)
namespace {
// TCP: not acknowledged yet. Unix: not read yet, which is all there is to ask.
int bytes_under_way(int fd) {
  int queued = 0;
  return ioctl(fd, SIOCOUTQ, &queued) == 0 ? queued : 0;
}
}  // namespace
#endif

bool Stream::all_arrived() const {
#if defined(__linux__)
  // Behind a reset, bytes count as under way for ever.
  return Address::local_of(fd()).is_unix() || bytes_under_way(fd()) <= 0 || is_cut();
#else
  return true;
#endif
}

bool Stream::is_cut() const {
  if (ending_ == Ending::reset) return true;
  pollfd state{fd(), 0, 0};
  return poll(&state, 1, 0) == 1 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

bool Stream::all_taken() const {
#if defined(__linux__)
  if (bytes_under_way(fd()) > 0) return false;
  const Address local = Address::local_of(fd());
  if (local.is_unix()) return true;
  return proc::unread_bytes(Address::peer_of(fd()), local).value_or(0) == 0;
#elif defined(SO_NWRITE)
  int queued = 0;
  socklen_t size = sizeof queued;
  return getsockopt(fd(), SOL_SOCKET, SO_NWRITE, &queued, &size) != 0 || queued == 0;
#else
  return true;
#endif
}

Descriptor bound_socket(const Address& address, int type) {
  Descriptor socket = make_socket(address.family(), type);
  const int on = 1;
  if (type == SOCK_STREAM && !address.is_unix()) {
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (type == SOCK_DGRAM) {
    // Room for a few of the largest: some systems begin with 9 KiB.
    const int room = 512 * 1024;
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  }
  if (bind(socket.get(), address.get(), address.size()) != 0) fail("bind", errno);
  return socket;
}

}  // namespace kit
