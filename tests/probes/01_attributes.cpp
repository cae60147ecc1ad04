// What the learner's TCPServer makes of its attributes: each is set to both values, one after the
// other, and the socket is asked which option it has.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/tcp_server.hpp>

#include <string>

#include "probe.hpp"

using namespace socketserver;

namespace {

class NoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;
  void handle() override {}
};

void say_option(const std::string& attribute, bool TCPServer::*member, const Address& address,
                int level, int option) {
  for (const bool value : {true, false}) {
    TCPServer server(address, handler_class<NoHandler>);
    server.*member = value;
    server.server_bind();
    int set = 0;
    socklen_t size = sizeof set;
    const bool known = ::getsockopt(server.fileno(), level, option, &set, &size) == 0;
    probe::say(attribute + (value ? "=true " : "=false ") + (!known ? "?" : set ? "on" : "off"));
  }
}

void say_all(const Options& options) {
  const Address address = options.address();
  if (address.family() == AF_INET6) {  // "::": of an address of its own the option says nothing
    return say_option("dual_stack", &TCPServer::dual_stack, address, IPPROTO_IPV6, IPV6_V6ONLY);
  }
  say_option("allow_reuse_address", &TCPServer::allow_reuse_address, address, SOL_SOCKET,
             SO_REUSEADDR);
  say_option("allow_reuse_port", &TCPServer::allow_reuse_port, address, SOL_SOCKET, SO_REUSEPORT);
  TCPServer server(address, handler_class<NoHandler>);
  server.request_queue_size = 7;
  server.server_bind();
  server.server_activate();
  probe::say("request_queue_size=7");
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, say_all);
}
