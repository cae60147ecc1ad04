// UDPServer and DatagramRequestHandler: a server whose requests are datagrams.
// The contract: common/include/socketserver/{udp_server,datagram_handler}.hpp. Used by: server.cpp.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <cerrno>

namespace socketserver {

void UDPServer::server_bind() {
  // TODO(02.C): open a datagram socket of the address's family, set its options, bind it, and store
  // the address that it got.
  not_written("02.C", "UDPServer::server_bind");
}

void UDPServer::server_activate() {
  // TODO(02.C): make the socket non-blocking. A datagram socket does not listen.
  not_written("02.C", "UDPServer::server_activate");
}

std::optional<Request> UDPServer::get_request() {
  // TODO(02.D): receive one datagram and who has sent it; no value if there is none after all.
  not_written("02.D", "UDPServer::get_request");
}

void UDPServer::shutdown_request([[maybe_unused]] Request& request) {
  // TODO(02.D): what is there to shut down?
  not_written("02.D", "UDPServer::shutdown_request");
}

void UDPServer::close_request([[maybe_unused]] Request& request) {
  // TODO(02.D): whose is the socket?
  not_written("02.D", "UDPServer::close_request");
}

void DatagramRequestHandler::setup() {
  // TODO(02.E): lay the packet out for reading, in rfile_.
  not_written("02.E", "DatagramRequestHandler::setup");
}

void DatagramRequestHandler::finish() {
  // TODO(02.E): send what was written to wfile_ to the client, as one datagram.
  not_written("02.E", "DatagramRequestHandler::finish");
}

}  // namespace socketserver
