// A server with the learner's TCPServer and a handler that throws, or has another thread close the
// server while it is served.

#include <sys/socket.h>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/tcp_server.hpp>

#include <stdexcept>
#include <string>
#include <thread>

using namespace socketserver;

namespace {

std::thread closer;

// "echo" is answered; "throw" throws; "throw when I have gone" throws once the client has gone;
// "close the server" is another thread's affair, while this one waits for the client's end.
class ThrowingHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    const std::string order = line();
    if (order == "echo\n") {
      answer("ECHO\n");
      return;
    }
    if (order == "close the server\n") {
      closer = std::thread([this] { server().server_close(); });
      answer("CLOSING\n");
      return wait_for_the_end();
    }
    if (order == "throw when I have gone\n") {
      answer("GO\n");
      wait_for_the_end();
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
  void wait_for_the_end() {
    char byte;
    while (::recv(request().fileno(), &byte, 1, 0) > 0) {
    }
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
  if (closer.joinable()) closer.join();
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, serve);
}
