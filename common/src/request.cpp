#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <socketserver/request.hpp>

#include <cerrno>
#include <utility>

#include "requests_under_way.hpp"

namespace socketserver {

Request::Request(FileDescriptor connection, const Address& client_address) noexcept
    : connection_(std::move(connection)), client_address_(client_address) {}

Request::Request(std::string packet, int socket, const Address& client_address,
                 bool truncated) noexcept
    : socket_(socket),
      is_packet_(true),
      truncated_(truncated),
      client_address_(client_address),
      packet_(std::move(packet)) {}

Request::Request(Request&& other) noexcept
    : connection_(std::move(other.connection_)),
      socket_(std::exchange(other.socket_, -1)),
      is_packet_(other.is_packet_),
      truncated_(other.truncated_),
      served_(other.served_),
      at_end_(other.at_end_),
      client_address_(other.client_address_),
      packet_(std::move(other.packet_)),
      list_(std::exchange(other.list_, nullptr)) {}

Request& Request::operator=(Request&& other) noexcept {
  if (this == &other) return *this;
  close();
  connection_ = std::move(other.connection_);
  socket_ = std::exchange(other.socket_, -1);
  is_packet_ = other.is_packet_;
  truncated_ = other.truncated_;
  served_ = other.served_;
  at_end_ = other.at_end_;
  client_address_ = other.client_address_;
  packet_ = std::move(other.packet_);
  list_ = std::exchange(other.list_, nullptr);
  return *this;
}

Request::~Request() {
  close();
}

// Waiting for the client's end alone would be to wait for everyone who leaves a connection open.
void Request::read_away() noexcept {
  constexpr std::chrono::milliseconds silence{200};  // longer than most ways there and back
  constexpr int most_rounds = 64;                    // of 256 KiB
  if (!connection_ || at_end_ || read_away_now() || !served_) return;
  const auto end = std::chrono::steady_clock::now() + longest_goodbye;
  for (int round = 0; round < most_rounds && std::chrono::steady_clock::now() < end; ++round) {
    pollfd waiting{connection_.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(silence.count()));
    if (ready == 0 && answer_has_arrived()) return;
    if (ready != 0 && read_away_now()) return;  // after a signal too: it may have ended our input
  }
}

bool Request::read_away_now() noexcept {
  constexpr int most_pieces = 16;
  char bytes[16 * 1024];
  for (int piece = 0; piece < most_pieces; ++piece) {
    const ssize_t count = ::recv(connection_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (count == 0) return true;
    if (count > 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return true;  // a reset: nobody is there
    return piece == 0 && answer_has_arrived();
  }
  return false;
}

// Whether the client's kernel has acknowledged all that we have sent; yes where the system does not
// say. Of a Unix stream everything is there at once. SIOCOUTQ: tcp(7)
bool Request::answer_has_arrived() const noexcept {
  const sa_family_t family = client_address_.family();
  if (family != AF_INET && family != AF_INET6) return true;
  int under_way = 0;
#if defined(TIOCOUTQ) && defined(__linux__)
  (void)::ioctl(connection_.get(), TIOCOUTQ, &under_way);  // the same number, in <sys/ioctl.h>
#elif defined(SO_NWRITE)
  socklen_t size = sizeof under_way;
  (void)::getsockopt(connection_.get(), SOL_SOCKET, SO_NWRITE, &under_way, &size);
#endif
  return under_way == 0;
}

void Request::close() noexcept {
  release().reset();
}

FileDescriptor Request::release() noexcept {
  // It leaves the list while the number is still its own.
  if (list_ != nullptr) is_packet_ ? list_->leave_packet() : list_->leave(connection_.get());
  list_ = nullptr;
  return std::move(connection_);
}

void Request::enter(RequestsUnderWay& list) {
  if (!is_packet_ && !connection_) return;
  is_packet_ ? list.enter_packet() : list.enter(connection_.get());
  list_ = &list;
}

}  // namespace socketserver
