// What the learner's UDPServer makes of its attributes.

#include <netinet/in.h>
#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/udp_server.hpp>

#include "attributes.hpp"

using namespace socketserver;

namespace {

void say_all(const Options& options) {
  const Address address = options.address();
  if (address.family() == AF_INET6) {  // "::": of an address of its own the option says nothing
    return probe::say_option<UDPServer>("dual_stack", &UDPServer::dual_stack, address, IPPROTO_IPV6,
                                        IPV6_V6ONLY);
  }
  probe::say_option<UDPServer>("allow_reuse_port", &UDPServer::allow_reuse_port, address,
                               SOL_SOCKET, SO_REUSEPORT);
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, say_all);
}
