#pragma once

#include <socketserver/tcp_server.hpp>

#include <cstddef>
#include <string>

namespace socketserver {

/// A server whose requests are UDP datagrams. You write its functions in lesson 02.
///
/// It is a TCPServer with another socket: the same loop, the same hooks, and another get_request().
/// There is no connection: every request is answered on the server's one socket. Source: Python's
/// `socketserver.UDPServer`; udp(7), recvfrom(2), sendto(2).
class UDPServer : public TCPServer {
 public:
  using TCPServer::TCPServer;

  /// server_close()
  ~UDPServer() override { UDPServer::server_close(); }

  /// The longest datagram that is taken whole, in bytes, 1 to 65535; a longer one arrives cut, and
  /// its Request says so (truncated()). Python: 8192, and it says nothing.
  std::size_t max_packet_size = 65535;

  /// SOCK_DGRAM.
  [[nodiscard]] int socket_type() const noexcept override { return SOCK_DGRAM; }

  /// Opens a datagram socket of the address's family, binds it, and stores the address that it got.
  ///
  /// allow_reuse_address is not looked at: for UDP, SO_REUSEADDR would let a second server take the
  /// port, and all datagrams with it. allow_reuse_port and dual_stack mean what they mean for TCP.
  /// Throws std::system_error that names the call that failed.
  void server_bind() override;

  /// Makes the socket non-blocking. A datagram socket does not listen.
  void server_activate() override;

  /// Receives the next datagram, which may be empty.
  /// @returns no value if there is none after all (EAGAIN, EINTR)
  /// @throws std::system_error naming recvfrom
  [[nodiscard]] std::optional<Request> get_request() override;

  /// close_request(): there is nobody to say goodbye to. The socket is every client's.
  void shutdown_request(Request& request) override;

  /// Does nothing: the request is a packet, and the socket stays the server's.
  void close_request(Request& request) override;

 protected:
  /// Where get_request() receives: one buffer for all datagrams, as long as the longest and a byte.
  std::string buffer_;
};

}  // namespace socketserver
