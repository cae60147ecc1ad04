// Differs: waits in poll, receives and sends without blocking.

#include <poll.h>
#include <sys/socket.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>

#include <cerrno>
#include <string>

using namespace socketserver;

class EchoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    std::string buffer(8192, '\0');
    for (;;) {
      wait_for(POLLIN);
      const ssize_t count = ::recv(request().fileno(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count == 0) return;
      if (count == -1) {
        if (errno == EINTR || errno == EAGAIN) continue;
        throw_system_error("recv");
      }
      std::string answer = buffer.substr(0, static_cast<std::size_t>(count));
      log_received(client_address(), answer);
      for (char& byte : answer)
        byte = 'a' <= byte && byte <= 'z' ? static_cast<char>(byte & ~0x20) : byte;
      while (!answer.empty()) {
        wait_for(POLLOUT);
        const ssize_t sent =
            ::send(request().fileno(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
          answer.erase(0, static_cast<std::size_t>(sent));
        } else if (errno != EINTR && errno != EAGAIN) {
          throw_system_error("send");
        }
      }
    }
  }

 private:
  void wait_for(short events) {
    pollfd entry{request().fileno(), events, 0};
    while (::poll(&entry, 1, -1) == -1 && errno == EINTR) {
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
