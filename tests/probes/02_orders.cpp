// A server with the learner's UDPServer and DatagramRequestHandler, and a handler that does what
// the datagram says.

#include <socketserver/datagram_handler.hpp>
#include <socketserver/udp_server.hpp>

#include <stdexcept>
#include <string>

#include "served.hpp"

using namespace socketserver;

namespace {

class OrdersHandler : public DatagramRequestHandler {
 public:
  using DatagramRequestHandler::DatagramRequestHandler;

  void handle() override {
    const std::string_view order = request().packet();
    if (order == "write nothing") return;
    if (order == "throw") throw std::runtime_error("thrown on purpose");
    if (order == "write no bytes") return wfile().write("");
    if (order == "write too much") return wfile().write(std::string(70'000, 'x'));
    wfile().write("HALF AN ANSWER");
    if (order == "write and throw") throw std::runtime_error("thrown on purpose");
    wfile().write(", AND THE OTHER HALF");
  }
};

}  // namespace

int main(int argc, char* argv[]) {
  return probe::serve<UDPServer, OrdersHandler>(argc, argv);
}
