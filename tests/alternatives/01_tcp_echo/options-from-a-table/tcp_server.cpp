// Differs: the options stand in a table, set in another order; getsockname() by hand.

// TCPServer: the hooks of a server whose requests are TCP connections.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <array>
#include <cerrno>

namespace socketserver {
namespace {

struct Switch {
  bool matters;
  int level;
  int name;
  int value;
};

// Calls a function at the end of the block, whatever happens in it.
template <class Function>
struct AtEnd {
  Function function;
  ~AtEnd() { function(); }
};
template <class Function>
AtEnd(Function) -> AtEnd<Function>;

}  // namespace

void TCPServer::server_bind() {
  const sa_family_t family = address_family();
  const bool is_inet = family == AF_INET || family == AF_INET6;
  const std::array<Switch, 3> switches{{
      {family == AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, !dual_stack},
      {is_inet && allow_reuse_port, SOL_SOCKET, SO_REUSEPORT, 1},
      {allow_reuse_address, SOL_SOCKET, SO_REUSEADDR, 1},
  }};

  socket_.reset(check(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const int fd = socket_.get();
  for (const Switch& entry : switches) {
    if (!entry.matters) continue;
    check(::setsockopt(fd, entry.level, entry.name, &entry.value, sizeof entry.value),
          "setsockopt");
  }
  check(::bind(fd, server_address().data(), server_address().size()), "bind");

  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  check(::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size), "getsockname");
  set_server_address(Address(reinterpret_cast<const sockaddr*>(&bound), size));
}

void TCPServer::server_activate() {
  check(::listen(fileno(), request_queue_size), "listen");
  set_nonblocking(fileno());
}

std::optional<Request> TCPServer::get_request() {
  std::optional<Request> request;
  sockaddr_storage peer{};
  socklen_t size{sizeof peer};
  const int fd = accept4(fileno(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC);
  if (fd >= 0) {
    request.emplace(FileDescriptor(fd), Address(reinterpret_cast<sockaddr*>(&peer), size));
  } else if (!nobody_to_accept(errno)) {
    throw_system_error("accept");
  }
  return request;
}

void TCPServer::shutdown_request(Request& request) {
  const AtEnd close{[&] { close_request(request); }};
  if (request.fileno() == -1) return;
  (void)::shutdown(request.fileno(), SHUT_WR);
  if (!request.read_away_now()) request.read_away();
}

void TCPServer::close_request(Request& request) {
  if (request.fileno() != -1) request.close();
}

void TCPServer::server_close() {
  BaseServer::server_close();  // given: ends a loop that still runs
  if (socket_) socket_.reset();
}

}  // namespace socketserver
