// Differs: a socket that is non-blocking from the start; asks poll before it receives; waits a
// moment for room before an answer is given up.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <cerrno>
#include <system_error>

namespace socketserver {

namespace {

void switch_option(int fd, int level, int option, bool on) {
  const int value = on ? 1 : 0;
  check(::setsockopt(fd, level, option, &value, sizeof value), "setsockopt");
}

}  // namespace

void UDPServer::server_bind() {
  const Address& address = server_address();
  socket_.reset(
      check(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  // No SO_REUSEADDR: there is no TIME_WAIT to get over, and on Linux it would let the next server
  // bind the same port and take every datagram from this one without a word. socket(7)
  if (allow_reuse_port) switch_option(socket_.get(), SOL_SOCKET, SO_REUSEPORT, true);
  if (address.family() == AF_INET6) {
    switch_option(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, !dual_stack);
  }
  check(::bind(socket_.get(), address.data(), address.size()), "bind");
  set_server_address(Address::of_socket(socket_.get()));
}

void UDPServer::server_activate() {}

std::optional<Request> UDPServer::get_request() {
  pollfd readable{socket_.get(), POLLIN, 0};
  if (::poll(&readable, 1, 0) != 1) return std::nullopt;
  // One byte more than we take: if it is used, the datagram was longer.
  buffer_.resize(max_packet_size + 1);
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  auto* const address = reinterpret_cast<sockaddr*>(&peer);
  const ssize_t count =
      ::recvfrom(socket_.get(), buffer_.data(), buffer_.size(), 0, address, &size);
  if (count == -1) {
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    throw_system_error("recvfrom");
  }
  const auto received = static_cast<std::size_t>(count);
  const bool truncated = received > max_packet_size;
  return Request(buffer_.substr(0, truncated ? max_packet_size : received), socket_.get(),
                 Address(address, size), truncated);
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
  bool waited = false;
  for (;;) {
    const ssize_t count = ::sendto(request().fileno(), answer.data(), answer.size(), MSG_NOSIGNAL,
                                   client_address().data(), client_address().size());
    if (count != -1) return;                               // a datagram is sent whole or not at all
    if (errno == ECONNREFUSED || errno == ENOENT) return;  // the client has gone: nobody to tell
    if (errno == EAGAIN || errno == ENOBUFS) {
      pollfd writable{request().fileno(), POLLOUT, 0};
      if (!waited && ::poll(&writable, 1, 100) == 1) {
        waited = true;
        continue;
      }
      throw std::system_error(EAGAIN, std::generic_category(), "sendto");
    }
    if (errno != EINTR) throw_system_error("sendto");
  }
}

}  // namespace socketserver
