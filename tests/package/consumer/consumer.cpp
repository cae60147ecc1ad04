// Servers of each kind, made of the installed framework: each must answer one client.

#include <sys/socket.h>
#include <socketserver/forking_mixin.hpp>
#include <socketserver/selector_mixin.hpp>
#include <socketserver/stream_handler.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/threading_mixin.hpp>

#include <cstdio>
#include <string>
#include <thread>

using namespace socketserver;

class EchoHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;
  void handle() override { wfile().write(rfile().read_line(100)); }
};

class EchoSession : public Session {
 public:
  EchoSession(const Address&, BaseServer&) {}
  void received(std::string_view bytes, Output& out) override { out.write(bytes); }
};

std::string ask(const Address& server) {
  const FileDescriptor connection(check(::socket(server.family(), SOCK_STREAM, 0), "socket"));
  check(::connect(connection.get(), server.data(), server.size()), "connect");
  check(::send(connection.get(), "hello\n", 6, 0), "send");
  check(::shutdown(connection.get(), SHUT_WR), "shutdown");
  std::string answer;
  char buffer[100];
  while (const ssize_t count = check(::recv(connection.get(), buffer, sizeof buffer, 0), "recv")) {
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  return answer;
}

template <class Server, class Service>
int answers(const char* name, Service service) {
  Server server(Address::inet("127.0.0.1", 0), service);
  server.bind_and_activate();
  std::thread loop([&server] { server.serve_forever(); });
  const std::string answer = ask(server.server_address());
  server.shutdown();
  loop.join();
  if (answer == "hello\n") return 0;
  std::printf("%s answered \"%s\"\n", name, answer.c_str());
  return 1;
}

int main() {
  return answers<TCPServer>("TCPServer", handler_class<EchoHandler>) +
         answers<ThreadingTCPServer>("ThreadingTCPServer", handler_class<EchoHandler>) +
         answers<ForkingTCPServer>("ForkingTCPServer", handler_class<EchoHandler>) +
         answers<SelectorMixIn<TCPServer>>("SelectorMixIn", session_class<EchoSession>);
}
