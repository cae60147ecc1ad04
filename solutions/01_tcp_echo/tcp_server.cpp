// TCPServer: the hooks of a server whose requests are TCP connections.
// The contract: common/include/socketserver/tcp_server.hpp. Used by: server.cpp.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>

namespace socketserver {

namespace {

void switch_option(int fd, int level, int option, bool on) {
  const int value = on ? 1 : 0;
  check(::setsockopt(fd, level, option, &value, sizeof value), "setsockopt");
}

}  // namespace

void TCPServer::server_bind() {
  const Address& address = server_address();
  socket_.reset(check(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  // Connections of a server that has ended stay in TIME_WAIT for a minute; without this option they
  // would keep the port. tcp(7)
  if (allow_reuse_address) switch_option(socket_.get(), SOL_SOCKET, SO_REUSEADDR, true);
  if (allow_reuse_port) switch_option(socket_.get(), SOL_SOCKET, SO_REUSEPORT, true);
  if (address.family() == AF_INET6) {
    switch_option(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, !dual_stack);
  }
  check(::bind(socket_.get(), address.data(), address.size()), "bind");
  // Asked for port 0, the kernel has picked one: only the socket knows which.
  set_server_address(Address::of_socket(socket_.get()));
}

void TCPServer::server_activate() {
  check(::listen(socket_.get(), request_queue_size), "listen");
  // Between poll and accept the client may leave: a blocking accept would then wait for the next.
  set_nonblocking(socket_.get());
}

std::optional<Request> TCPServer::get_request() {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  auto* const address = reinterpret_cast<sockaddr*>(&peer);
  const int connection = accept4(socket_.get(), address, &size, SOCK_CLOEXEC);
  if (connection == -1) {
    // Gone again (ECONNABORTED, …), or a signal came first (EINTR).
    if (nobody_to_accept(errno)) return std::nullopt;
    throw_system_error("accept");
  }
  return Request(FileDescriptor(connection), Address(address, size));
}

void TCPServer::shutdown_request(Request& request) {
  // The error is ignored: a client that has gone already (ENOTCONN) needs no goodbye.
  (void)::shutdown(request.fileno(), SHUT_WR);
  request.read_away();  // unread, it would turn the goodbye into a reset
  close_request(request);
}

void TCPServer::close_request(Request& request) {
  request.close();
}

void TCPServer::server_close() {
  BaseServer::server_close();
  socket_.reset();
}

}  // namespace socketserver
