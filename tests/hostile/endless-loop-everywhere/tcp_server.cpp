// Computes for ever before main, in whatever it is linked into. Bounded: ended after 60 s.
#include <unistd.h>

#include <socketserver/tcp_server.hpp>

namespace {
const int forever = [] {
  alarm(60);
  for (volatile unsigned long i = 0;; i = i + 1) {
  }
  return 0;
}();
}  // namespace

namespace socketserver {
void TCPServer::server_bind() {}
void TCPServer::server_activate() {}
std::optional<Request> TCPServer::get_request() { return std::nullopt; }
void TCPServer::shutdown_request(Request&) {}
void TCPServer::close_request(Request&) {}
void TCPServer::server_close() {}
}  // namespace socketserver
