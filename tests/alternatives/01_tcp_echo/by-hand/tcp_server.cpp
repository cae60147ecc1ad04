// Differs: the address taken apart and put together by hand, plain accept and fcntl, descriptors as
// numbers.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/tcp_server.hpp>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace socketserver {

void TCPServer::server_bind() {
  auto failed = [](const char* call) {
    return std::system_error(errno, std::system_category(), call);
  };
  const int family = server_address().family();
  const int fd = ::socket(family, SOCK_STREAM, 0);
  if (fd < 0) throw failed("socket");
  socket_.reset(fd);
  const int yes = 1;
  if (allow_reuse_address && ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0) {
    throw failed("setsockopt");
  }
  if (allow_reuse_port && ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) < 0) {
    throw failed("setsockopt");
  }
  if (family == AF_INET) {
    sockaddr_in in;
    std::memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_port = htons(server_address().port());
    ::inet_pton(AF_INET, server_address().host().c_str(), &in.sin_addr);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&in), sizeof in) < 0) throw failed("bind");
    socklen_t size = sizeof in;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
    set_server_address(Address::inet(server_address().host(), ntohs(in.sin_port)));
  } else {
    const int alone = dual_stack ? 0 : 1;
    if (::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone) < 0) {
      throw failed("setsockopt");
    }
    sockaddr_in6 in6;
    std::memset(&in6, 0, sizeof in6);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(server_address().port());
    ::inet_pton(AF_INET6, server_address().host().c_str(), &in6.sin6_addr);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&in6), sizeof in6) < 0) throw failed("bind");
    socklen_t size = sizeof in6;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&in6), &size);
    set_server_address(Address::inet(server_address().host(), ntohs(in6.sin6_port)));
  }
}

void TCPServer::server_activate() {
  if (::listen(fileno(), request_queue_size) < 0) {
    throw std::system_error(errno, std::system_category(), "listen");
  }
  ::fcntl(fileno(), F_SETFL, O_NONBLOCK);
}

std::optional<Request> TCPServer::get_request() {
  sockaddr_in6 peer;  // large enough for both families
  socklen_t size = sizeof peer;
  const int fd = ::accept(fileno(), reinterpret_cast<sockaddr*>(&peer), &size);
  if (fd < 0) {
    const bool nobody = errno == EAGAIN || errno == ECONNABORTED || errno == EINTR;
    if (nobody) return std::nullopt;
    throw std::system_error(errno, std::system_category(), "accept");
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return std::make_optional<Request>(FileDescriptor{fd},
                                     Address{reinterpret_cast<sockaddr*>(&peer), size});
}

void TCPServer::shutdown_request(Request& request) {
  ::shutdown(request.fileno(), SHUT_WR);
  // By hand, too: until the client's end, or until it has been silent for a while.
  char bytes[4096];
  pollfd waiting{request.fileno(), POLLIN, 0};
  for (int i = 0; i < 10'000 && ::poll(&waiting, 1, 300) == 1; ++i) {
    if (::read(request.fileno(), bytes, sizeof bytes) <= 0) break;
  }
  close_request(request);
}

void TCPServer::close_request(Request& request) {
  const int fd = request.release().release();
  if (fd >= 0) ::close(fd);
}

void TCPServer::server_close() {
  BaseServer::server_close();
  const int fd = socket_.release();
  if (fd >= 0) ::close(fd);
}

}  // namespace socketserver
