// Differs: read and write in place of recv and send, and SIGPIPE ignored for the whole process.

#include <unistd.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cctype>
#include <cerrno>
#include <csignal>
#include <vector>

using namespace socketserver;

struct EchoHandler : BaseRequestHandler {
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    std::vector<unsigned char> buffer(1024);
    ssize_t count;
    while ((count = ::read(request().fileno(), buffer.data(), buffer.size())) != 0) {
      if (count < 0) {
        if (errno == EINTR) continue;
        return;
      }
      log_received(client_address(),
                   {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(count)});
      for (ssize_t i = 0; i < count; ++i) {
        unsigned char& byte = buffer[static_cast<std::size_t>(i)];
        if (byte < 128) byte = static_cast<unsigned char>(std::toupper(byte));
      }
      for (ssize_t done = 0; done < count;) {
        const ssize_t written = ::write(request().fileno(), buffer.data() + done,
                                        static_cast<std::size_t>(count - done));
        if (written < 0 && errno != EINTR) return;
        if (written > 0) done += written;
      }
    }
  }
};

void serve(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  TCPServer server(options.address(), handler_class<EchoHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, serve);
}
