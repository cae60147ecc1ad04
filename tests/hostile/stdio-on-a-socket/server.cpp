// A server that answers by a stream of the C library, whose own calls have no names.
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>
#include <cstdio>

using namespace socketserver;

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  // Answers whatever has come before it waits for more, until the client's end of file.
  void handle() override {
    char buffer[16 * 1024];
    while (const std::size_t count = receive(buffer, sizeof buffer)) {
      log_received(client_address(), {buffer, count});
      for (std::size_t i = 0; i < count; ++i) buffer[i] = upper(buffer[i]);
      send_all({buffer, count});
    }
  }

 private:
  // a–z of ASCII, whatever the locale says; every other byte stays as it is.
  static char upper(char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
  }

  std::size_t receive(char* buffer, std::size_t size) {
    const long count = ::recv(request().fileno(), buffer, size, 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) return receive(buffer, size);
    throw_system_error("recv");
  }

  void send_all(std::string_view bytes) {
    std::FILE* const stream = ::fdopen(::dup(request().fileno()), "w");
    std::fwrite(bytes.data(), 1, bytes.size(), stream);
    std::fclose(stream);
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
