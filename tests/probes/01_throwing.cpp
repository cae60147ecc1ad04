// A server with the learner's TCPServer and a handler that throws.

#include <sys/socket.h>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/tcp_server.hpp>

#include <stdexcept>
#include <string>

using namespace socketserver;

namespace {

// "echo" is answered; "throw" throws; "throw when I have gone" throws once the client has gone.
class ThrowingHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    const std::string order = line();
    if (order == "echo\n") {
      answer("ECHO\n");
      return;
    }
    if (order == "throw when I have gone\n") {
      answer("GO\n");
      char byte;
      while (::recv(request().fileno(), &byte, 1, 0) > 0) {
      }
    }
    throw std::runtime_error("thrown on purpose");
  }

 private:
  std::string line() {
    std::string text;
    char byte;
    while (!text.ends_with('\n') && ::recv(request().fileno(), &byte, 1, 0) == 1) text += byte;
    return text;
  }
  void answer(std::string_view text) {
    // A client that has gone gets none: that is what the probe is about.
    (void)::send(request().fileno(), text.data(), text.size(), MSG_NOSIGNAL);
  }
};

void serve(const Options& options) {
  TCPServer server(options.address(), handler_class<ThrowingHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, serve);
}
