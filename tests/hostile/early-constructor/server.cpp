// A right server that puts something else in the recorder's place before it has come.
#include <cstdlib>
namespace {
__attribute__((constructor(100))) void rename_it() {
  setenv("KIT_RECORDED", std::getenv("KIT_RECORDER") ? "1" : "0", 1);
  unsetenv("KIT_RECORDER");
}
}  // namespace

#include <sys/socket.h>
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

  // Waits for the next bytes of the stream, any number of them; 0 is its end.
  std::size_t receive(char* buffer, std::size_t size) {
    for (;;) {
      const ssize_t count = ::recv(request().fileno(), buffer, size, 0);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) throw_system_error("recv");  // a signal is no error: ask again
    }
  }

  // send() may take fewer bytes than it was given: the rest is still ours to send.
  // MSG_NOSIGNAL: a client that has gone is an error here (EPIPE), not the end of the process.
  void send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(request().fileno(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno != EINTR) {
        throw_system_error("send");
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
