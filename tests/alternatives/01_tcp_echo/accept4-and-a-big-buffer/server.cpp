// Differs: one buffer of 1 MiB for all clients, MSG_WAITALL never, recv as large as it comes.

#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>
#include <vector>

using namespace socketserver;

static std::vector<char> buffer(1 << 20);

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    while (true) {
      ssize_t count = ::recv(request().fileno(), buffer.data(), buffer.size(), 0);
      if (count == -1 && errno == EINTR) continue;
      if (check(count, "recv") == 0) break;
      log_received(client_address(), {buffer.data(), static_cast<std::size_t>(count)});
      char* at = buffer.data();
      for (ssize_t i = 0; i < count; ++i) {
        if (at[i] >= 'a' && at[i] <= 'z') at[i] = static_cast<char>(at[i] - 'a' + 'A');
      }
      while (count > 0) {
        const ssize_t sent =
            ::send(request().fileno(), at, static_cast<std::size_t>(count), MSG_NOSIGNAL);
        if (sent == -1 && errno == EINTR) continue;
        check(sent, "send");
        at += sent;
        count -= sent;
      }
    }
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
