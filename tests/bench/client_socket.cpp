#include "client_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <utility>

namespace kit::bench {

using socketserver::Address;
using socketserver::check;
using socketserver::FileDescriptor;

TemporaryFolder::TemporaryFolder() {
  // Not below TMPDIR: the path of a socket has room for a hundred bytes.
  std::string name = "/tmp/kit-bench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) socketserver::throw_system_error("mkdtemp");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // nothing more can be done about a folder that does not go away
  std::filesystem::remove_all(path_, ignored);
}

ClientSockets::ClientSockets(Transport transport, Address server)
    : transport_(transport), server_(std::move(server)) {
  if (transport == Transport::unix_datagram) folder_.emplace();
}

FileDescriptor ClientSockets::make(std::uint32_t number) {
  const bool datagram = transport_ == Transport::udp || transport_ == Transport::unix_datagram;
  FileDescriptor socket(
      check(::socket(server_.family(), datagram ? SOCK_DGRAM : SOCK_STREAM, 0), "socket"));
  socketserver::set_nonblocking(socket.get());
  socketserver::set_close_on_exec(socket.get());
  if (folder_) {
    const auto name = folder_->path() / ("client-" + std::to_string(number));
    const Address own = Address::unix_path(name.string());
    check(::bind(socket.get(), own.data(), own.size()), "bind");
  }
  if (transport_ == Transport::tcp || transport_ == Transport::http) {
    const int on = 1;  // a request is one small segment: do not wait for more to go with it
    check(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    bind_to_some_loopback_address(socket.get());
  }
  return socket;
}

// A client that closes first keeps its port for a minute (TIME_WAIT), and an address has 28,000 of
// them: short connections would use them up in a second. All of 127.0.0.0/8 is loopback on Linux,
// so the clients come from sixteen addresses in turn. Elsewhere only 127.0.0.1 is there.
void ClientSockets::bind_to_some_loopback_address(int socket) {
#if defined(__linux__)
  if (server_.family() != AF_INET) return;
  const int on = 1;
  check(::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on), "setsockopt");
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(0x7f000101U + made_++ % 16);  // 127.0.1.1 and the next fifteen
  check(::bind(socket, reinterpret_cast<const sockaddr*>(&own), sizeof own), "bind");
#else
  static_cast<void>(socket);
#endif
}

ClientSockets::Connect ClientSockets::connect(int socket) const {
  if (::connect(socket, server_.data(), server_.size()) == 0) return Connect::done;
  if (errno == EINPROGRESS || errno == EINTR) return Connect::under_way;
  if (errno == EAGAIN || errno == EADDRNOTAVAIL) return Connect::try_again;
  throw Fault(std::string("connect: ") + std::strerror(errno));
}

void ClientSockets::finish_connect(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  check(::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt");
  if (error != 0) throw Fault(std::string("connect: ") + std::strerror(error));
}

}  // namespace kit::bench
