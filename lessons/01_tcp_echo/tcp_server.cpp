// TCPServer: the hooks of a server whose requests are TCP connections.
// The contract: common/include/socketserver/tcp_server.hpp. Used by: server.cpp.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>

namespace socketserver {

void TCPServer::server_bind() {
  // TODO(01.B): open a socket of the address's family, bind it, and store the address that it got.
  not_written("01.B", "TCPServer::server_bind");
}

void TCPServer::server_activate() {
  // TODO(01.C): listen, and make the listener non-blocking.
  not_written("01.C", "TCPServer::server_activate");
}

std::optional<Request> TCPServer::get_request() {
  // TODO(01.E): accept a connection; no value if there is none after all.
  not_written("01.E", "TCPServer::get_request");
}

void TCPServer::shutdown_request([[maybe_unused]] Request& request) {
  // TODO(01.E): tell the client that no more will come, then close.
  not_written("01.E", "TCPServer::shutdown_request");
}

void TCPServer::close_request([[maybe_unused]] Request& request) {
  // TODO(01.E): close the connection.
  not_written("01.E", "TCPServer::close_request");
}

void TCPServer::server_close() {
  BaseServer::server_close();  // given: ends a loop that still runs
  // TODO(01.D): close the listener.
  not_written("01.D", "TCPServer::server_close");
}

}  // namespace socketserver
