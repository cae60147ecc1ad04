// A server with the learner's TCPServer and a handler that reads ten bytes and leaves the rest. The
// ten bytes are a number: how often it says that they are enough.

#include <sys/socket.h>
#include <socketserver/portable.hpp>
#include <socketserver/tcp_server.hpp>

#include <charconv>
#include <string>
#include <string_view>

#include "served.hpp"

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
    long times = 0;
    std::from_chars(ten, ten + sizeof ten, times);
    std::string text;
    for (long i = 0; i < times; ++i) text += "TEN BYTES ARE ENOUGH\n";
    std::string_view rest = text;
    while (!rest.empty()) {
      const ssize_t count = ::send(request().fileno(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // a client that has gone gets no answer
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  }
};

}  // namespace

int main(int argc, char* argv[]) {
  return probe::serve<TCPServer, ImpatientHandler>(argc, argv);
}
