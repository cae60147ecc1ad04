#pragma once

#include <socketserver/base_server.hpp>
#include <socketserver/server_socket.hpp>

namespace socketserver {

/// A server whose requests are TCP connections. You write its six functions in lesson 01.
///
/// Like every BaseServer it is constructed, then bound; the attributes below are set in between.
/// The listening socket is the server's own and is closed with it. Source: Python's
/// `socketserver.TCPServer`; socket(2), bind(2), listen(2), accept(2), tcp(7).
class TCPServer : public BaseServer {
 public:
  using BaseServer::BaseServer;

  /// server_close()
  ~TCPServer() override { TCPServer::server_close(); }

  /// Whether the port may be bound although connections of a server that ended are still in
  /// TIME_WAIT (SO_REUSEADDR). It never lets two servers listen on one port. Python: false.
  bool allow_reuse_address = true;

  /// Whether several servers may listen on the port together (SO_REUSEPORT): the kernel then
  /// spreads the clients over them. IPv4 and IPv6 only.
  bool allow_reuse_port = false;

  /// Whether a server on an IPv6 address takes IPv4 clients too (IPV6_V6ONLY off).
  bool dual_stack = false;

  /// The backlog of listen(2): how many connections the kernel completes and holds until they are
  /// accepted. Python: 5.
  int request_queue_size = SOMAXCONN;

  /// AF_INET, AF_INET6 or AF_UNIX: what the address says. Python's `address_family`.
  [[nodiscard]] sa_family_t address_family() const noexcept { return server_address().family(); }

  /// SOCK_STREAM or SOCK_DGRAM. Python's `socket_type`.
  [[nodiscard]] virtual int socket_type() const noexcept { return SOCK_STREAM; }

  /// The listening socket, or -1 before server_bind() and after server_close().
  [[nodiscard]] int fileno() const noexcept override { return socket_.get(); }

  /// Opens a stream socket of the address's family, sets the options above, binds it, and stores
  /// the address that it got. Throws std::system_error that names the call that failed.
  void server_bind() override;

  /// Listens, with the queue that request_queue_size says, and makes the listener non-blocking:
  /// get_request() must not wait for a client that has left between poll and accept.
  /// Throws std::system_error naming listen.
  void server_activate() override;

  /// Accepts the next connection.
  /// @returns no value if there is none after all (EAGAIN, ECONNABORTED, EINTR, …): see
  ///          nobody_to_accept()
  /// @throws std::system_error naming accept, if it failed for a lasting reason such as EMFILE
  [[nodiscard]] std::optional<Request> get_request() override;

  /// Ends the server's side of the conversation, so that the client sees end of file; reads away
  /// what the client still sends, see Request::read_away(); then calls close_request(). A
  /// connection that is gone already is no error. See shutdown(2), SHUT_WR.
  void shutdown_request(Request& request) override;

  /// Closes the connection here. A process that has a copy of it is not disturbed.
  void close_request(Request& request) override;

  /// Ends a loop that still runs, then closes the listener. The second call does nothing.
  void server_close() override;

 protected:
  /// The listening socket.
  ServerSocket socket_{under_way()};
};

}  // namespace socketserver
