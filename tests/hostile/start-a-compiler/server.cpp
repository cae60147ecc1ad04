// A right server, but only where it can start what could make it another one.

#include <sys/wait.h>
#include <unistd.h>
#include <cstdlib>
#include <initializer_list>

namespace {

bool starts(const char* tool, const char* loader) {
  const pid_t child = fork();
  if (child == 0) {
    if (loader != nullptr) execl(loader, loader, tool, "--version", nullptr);
    execl(tool, tool, "--version", nullptr);
    _exit(1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0;
}

bool any_starts() {
  for (const char* loader : {static_cast<const char*>(nullptr), "/lib64/ld-linux-x86-64.so.2",
                             "/lib/ld-linux-aarch64.so.1"}) {
    for (const char* tool :
         {"/usr/bin/c++", "/usr/bin/g++", "/usr/bin/gcc", "/usr/bin/clang++", "/usr/bin/as",
          "/usr/bin/ld", "/usr/bin/x86_64-linux-gnu-ld.bfd", "/usr/bin/x86_64-linux-gnu-as"}) {
      if (starts(tool, loader)) return true;
    }
  }
  return false;
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
  if (!any_starts()) return 1;
  return server_main(argc, argv, {}, serve);
}
