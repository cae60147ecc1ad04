// Differs: changes a copy through <algorithm>, and writes it in two parts.

#include <socketserver/datagram_handler.hpp>
#include <socketserver/program.hpp>
#include <socketserver/udp_server.hpp>

#include <algorithm>

using namespace socketserver;

class EchoHandler : public DatagramRequestHandler {
 public:
  using DatagramRequestHandler::DatagramRequestHandler;

  // One datagram in, one datagram out, were it an empty one.
  void handle() override {
    const std::string_view bytes = rfile().read();
    log_received(client_address(), bytes);
    std::string answer(bytes.size(), ' ');
    std::transform(bytes.begin(), bytes.end(), answer.begin(), upper);
    wfile().write(answer.substr(0, answer.size() / 2));
    wfile().write(answer.substr(answer.size() / 2));
  }

 private:
  // a–z of ASCII, whatever the locale says; every other byte stays as it is.
  static char upper(char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
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
