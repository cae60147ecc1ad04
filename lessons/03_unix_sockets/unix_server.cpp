// UnixStreamServer and UnixDatagramServer: servers whose address is a path.
// The contract: common/include/socketserver/unix_server.hpp. Used by: server.cpp, client.cpp.

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/unix_server.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace socketserver {

Address unix_address([[maybe_unused]] std::string_view path) {
  // TODO(03.A): fill a sockaddr_un, and make an Address of it and of its size.
  not_written("03.A", "unix_address");
}

PeerCredentials peer_credentials([[maybe_unused]] int connection) {
  // TODO(03.L): ask the kernel who has connected.
  not_written("03.L", "peer_credentials");
}

void UnixPath::bind([[maybe_unused]] int socket, [[maybe_unused]] const Address& address,
                    [[maybe_unused]] std::optional<mode_t> mode) {
  // TODO(03.B): bind the socket, and note which file that has made: path_, device_, inode_, maker_,
  // owns_.
  not_written("03.B", "UnixPath::bind");
}

void UnixPath::remove() noexcept {
  // TODO(03.C): remove the name, if it is ours.
  not_written("03.C", "UnixPath::remove");
}

void UnixStreamServer::server_bind() {
  // TODO(03.B): open a stream socket, and let path_ bind it.
  not_written("03.B", "UnixStreamServer::server_bind");
}

void UnixStreamServer::server_close() {
  BaseServer::server_close();  // given: ends a loop that still runs
  // TODO(03.C): remove the path, then close the listener.
  not_written("03.C", "UnixStreamServer::server_close");
}

void UnixDatagramServer::server_bind() {
  // TODO(03.B): open a datagram socket, and let path_ bind it.
  not_written("03.B", "UnixDatagramServer::server_bind");
}

bool UnixDatagramServer::verify_request(const Request& request) {
  return UDPServer::verify_request(request);  // given; task 03.J comes back to it
}

void UnixDatagramServer::server_close() {
  BaseServer::server_close();  // given: ends a loop that still runs
  // TODO(03.C): remove the path, then close the socket.
  not_written("03.C", "UnixDatagramServer::server_close");
}

}  // namespace socketserver
