// A TCP server that answers each line of the learner's StreamReader, and uses nothing else of
// theirs.

#include <socketserver/connection.hpp>
#include <socketserver/request_handler.hpp>
#include <socketserver/tcp_server.hpp>

#include <string>
#include <string_view>

#include "served.hpp"
#include "stream_handler.hpp"

using namespace socketserver;

namespace {

constexpr std::size_t line_limit = 65536;

class LineHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    StreamReader reader(request().fileno());
    for (;;) {
      const std::string_view line = reader.read_line(line_limit);
      send_all(request().fileno(), "[" + std::string(line) + "]");
      if (line.empty()) return;
    }
  }
};

}  // namespace

int main(int argc, char* argv[]) {
  return probe::serve<TCPServer, LineHandler>(argc, argv);
}
