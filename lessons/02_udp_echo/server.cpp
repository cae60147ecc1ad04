// A UDP server that answers each datagram in upper case.
// Its partner: client.cpp. Its transport: udp_server.cpp. See also: udp(7).

#include <socketserver/datagram_handler.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/program.hpp>
#include <socketserver/udp_server.hpp>

using namespace socketserver;

class EchoHandler : public DatagramRequestHandler {
 public:
  using DatagramRequestHandler::DatagramRequestHandler;

  // One datagram in, one datagram out, were it an empty one.
  void handle() override {
    // TODO(02.F): show the bytes of the packet with log_received(client_address(), bytes), and
    // write them back in upper case.
    not_written("02.F", "EchoHandler::handle");
  }
};

void serve(const Options& options) {
  UDPServer server(options.address(), handler_class<EchoHandler>);
  server.max_packet_size = static_cast<std::size_t>(options.number("--max-packet-size", 65535));
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

int main(int argc, char* argv[]) {
  return server_main(argc, argv,
                     {{"--max-packet-size", "N", "the longest datagram taken (65535)", 1, 65535}},
                     serve);
}
