// A server with the learner's TCPServer and a handler that reads ten bytes and leaves the rest.

#include <sys/socket.h>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/tcp_server.hpp>

#include <string_view>

using namespace socketserver;

namespace {

class ImpatientHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    char ten[10];
    std::size_t got = 0;
    while (got < sizeof ten) {
      const ssize_t count = ::recv(request().fileno(), ten + got, sizeof ten - got, 0);
      if (count <= 0) return;
      got += static_cast<std::size_t>(count);
    }
    constexpr std::string_view text = "TEN BYTES ARE ENOUGH\n";
    // A client that has gone gets no answer.
    (void)::send(request().fileno(), text.data(), text.size(), MSG_NOSIGNAL);
  }
};

void serve(const Options& options) {
  TCPServer server(options.address(), handler_class<ImpatientHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, serve);
}
