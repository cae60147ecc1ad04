// Differs: one byte a recv, one byte a send.

#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>

using namespace socketserver;

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    for (char byte; receive(byte);) {
      log_received(client_address(), {&byte, 1});
      if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 32);
      while (::send(request().fileno(), &byte, 1, MSG_NOSIGNAL) != 1) {
        if (errno != EINTR) return;  // the client has gone
      }
    }
  }

 private:
  bool receive(char& byte) {
    ssize_t count;
    while ((count = ::recv(request().fileno(), &byte, 1, 0)) == -1 && errno == EINTR) {
    }
    return count == 1;
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
