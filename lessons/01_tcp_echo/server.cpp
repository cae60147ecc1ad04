// A synchronous TCP server that answers in upper case, one client after the other.
// Its partner: client.cpp. Its transport: tcp_server.cpp. See also: socket(7), tcp(7).

#include <sys/socket.h>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>

using namespace socketserver;

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  // Answers whatever has come before it waits for more, until the client's end of file.
  void handle() override {
    // TODO(01.F): until the client's end of file, receive what has come, show it with
    // log_received(client_address(), bytes), and send it back in upper case. The connection is
    // request().fileno().
    not_written("01.F", "EchoHandler::handle");
  }
};

void serve(const Options& options) {
  TCPServer server(options.address(), handler_class<EchoHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, serve);
}
