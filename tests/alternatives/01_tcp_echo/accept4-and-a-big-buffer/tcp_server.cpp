// Differs: accept4 with SOCK_CLOEXEC on a socket made non-blocking from the start; getsockname by
// hand.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>

namespace socketserver {

void TCPServer::server_bind() {
  const int on = 1;
  socket_ = FileDescriptor(check(
      ::socket(server_address().family(), SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP), "socket"));
  if (allow_reuse_address) {
    check(::setsockopt(fileno(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt");
  }
  if (allow_reuse_port) {
    check(::setsockopt(fileno(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), "setsockopt");
  }
  if (server_address().family() == AF_INET6) {
    const int only = dual_stack ? 0 : 1;
    check(::setsockopt(fileno(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), "setsockopt");
  }
  check(::bind(fileno(), server_address().data(), server_address().size()), "bind");
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  check(::getsockname(fileno(), reinterpret_cast<sockaddr*>(&name), &size), "getsockname");
  set_server_address(Address(reinterpret_cast<sockaddr*>(&name), size));
}

void TCPServer::server_activate() {
  check(::listen(fileno(), request_queue_size), "listen");
}

std::optional<Request> TCPServer::get_request() {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    FileDescriptor connection(
        ::accept4(fileno(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    if (connection) {
      return Request(std::move(connection), Address(reinterpret_cast<sockaddr*>(&peer), size));
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EPROTO) return {};
    throw_system_error("accept4");
  }
}

void TCPServer::shutdown_request(Request& request) {
  if (::shutdown(request.fileno(), SHUT_WR) == -1 && errno != ENOTCONN) {
    // Nothing better can be done than to close.
  }
  request.read_away();
  close_request(request);
}

void TCPServer::close_request(Request& request) {
  const FileDescriptor connection = request.release();
}

void TCPServer::server_close() {
  BaseServer::server_close();
  socket_ = FileDescriptor();
}

}  // namespace socketserver
