// Differs: it asks with poll(), and receives with recvmmsg(), which says that a datagram was cut.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <poll.h>
#include <sys/uio.h>
#include <cerrno>

namespace socketserver {

namespace {

void switch_option(int fd, int level, int option, bool on) {
  const int value = on ? 1 : 0;
  check(::setsockopt(fd, level, option, &value, sizeof value), "setsockopt");
}

}  // namespace

void UDPServer::server_bind() {
  const Address& address = server_address();
  socket_.reset(check(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  // No SO_REUSEADDR: there is no TIME_WAIT to get over, and on Linux it would let the next server
  // bind the same port and take every datagram from this one without a word. socket(7)
  if (allow_reuse_port) switch_option(socket_.get(), SOL_SOCKET, SO_REUSEPORT, true);
  if (address.family() == AF_INET6) {
    switch_option(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, !dual_stack);
  }
  check(::bind(socket_.get(), address.data(), address.size()), "bind");
  set_server_address(Address::of_socket(socket_.get()));
}

void UDPServer::server_activate() {
  // poll may say "readable" for a datagram whose checksum turns out wrong: a blocking recvfrom
  // would then wait for the next one. select(2), BUGS
  set_nonblocking(socket_.get());
}

std::optional<Request> UDPServer::get_request() {
  pollfd readable{socket_.get(), POLLIN, 0};
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
                 (one.msg_hdr.msg_flags & MSG_TRUNC) != 0);
}

void UDPServer::shutdown_request(Request& request) {
  close_request(request);  // there is no connection to shut down
}

void UDPServer::close_request(Request&) {
  // The socket is the server's: the next datagram comes by it.
}

void DatagramRequestHandler::setup() {
  if (request().truncated()) {
    throw std::length_error("the datagram is too long: only its first " +
                            std::to_string(request().packet().size()) + " bytes were received");
  }
  rfile_ = PacketReader(request().packet());
}

void DatagramRequestHandler::finish() {
  if (!handled() || !wfile_.written()) return;
  const std::string& answer = wfile_.bytes();
  for (;;) {
    const ssize_t count = ::sendto(request().fileno(), answer.data(), answer.size(), MSG_NOSIGNAL,
                                   client_address().data(), client_address().size());
    if (count != -1) return;                               // a datagram is sent whole or not at all
    if (errno == ECONNREFUSED || errno == ENOENT) return;  // the client has gone: nobody to tell
    if (errno != EINTR) throw_system_error("sendto");
  }
}

}  // namespace socketserver
