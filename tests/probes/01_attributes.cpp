// What the learner's TCPServer makes of its attributes.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/tcp_server.hpp>

#include "attributes.hpp"

using namespace socketserver;

namespace {

void say_all(const Options& options) {
  const Address address = options.address();
  if (address.family() == AF_INET6) {  // "::": of an address of its own the option says nothing
    return probe::say_option<TCPServer>("dual_stack", &TCPServer::dual_stack, address, IPPROTO_IPV6,
                                        IPV6_V6ONLY);
  }
  probe::say_option<TCPServer>("allow_reuse_address", &TCPServer::allow_reuse_address, address,
                               SOL_SOCKET, SO_REUSEADDR);
  probe::say_option<TCPServer>("allow_reuse_port", &TCPServer::allow_reuse_port, address,
                               SOL_SOCKET, SO_REUSEPORT);
  TCPServer server(address, handler_class<probe::NoHandler>);
  server.request_queue_size = 7;
  server.server_bind();
  server.server_activate();
  probe::say("request_queue_size=7");
  server.server_close();
  server.server_close();
  probe::say("after server_close() fileno() is " + std::to_string(server.fileno()));
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, say_all);
}
