// A TCP server with the learner's StreamRequestHandler, and a handler that does what the first line
// says.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <socketserver/connection.hpp>
#include <socketserver/program.hpp>
#include <socketserver/tcp_server.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "stream_handler.hpp"

using namespace socketserver;

namespace {

constexpr std::size_t line_limit = 65536;
constexpr std::size_t much = 4 << 20;
constexpr std::size_t some = 300'000;  // waits in the kernel when all of it is written

std::size_t gathered = 0;
bool no_delay = false;
std::optional<std::chrono::milliseconds> patience;

class OrdersHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;

  void setup() override {
    wbufsize = gathered;
    timeout = patience;
    disable_nagle_algorithm = no_delay;
    StreamRequestHandler::setup();
  }

  void handle() override {
    const std::string order(rfile().read_line(line_limit));
    if (order == "is the delay off?\n") return wfile().write(is_delay_off() ? "YES" : "NO");
    wfile().write("BEFORE");
    if (order == "write, read, write\n") {
      (void)rfile().read_line(line_limit);
    } else if (order == "write, flush, read, write\n") {
      wfile().flush();
      (void)rfile().read_line(line_limit);
    } else if (order == "write and throw\n") {
      throw std::runtime_error("thrown on purpose");
    } else if (order == "write much\n") {
      wfile().write(std::string(much, 'x'));
    } else if (order == "write some\n") {
      wfile().write(std::string(some, 'x'));
    } else if (order == "write without end\n") {
      for (;;) wfile().write(std::string(much, 'x'));
    } else if (order != "write twice\n" && order != "write and close\n" &&
               order != "write, close, write\n") {
      throw std::runtime_error("read_line() has returned \"" + escaped(order) +
                               "\", which is no order");
    }
    wfile().write("AFTER");
    if (order == "write and close\n") wfile().close();
    if (order == "write, close, write\n") write_after_close();
  }

 private:
  void write_after_close() {
    wfile().close();
    const char* what = "TAKEN";
    try {
      wfile().write("LATE");
    } catch (const std::logic_error&) {
      what = "REFUSED";
    }
    send_all(request().fileno(), what);
  }

  bool is_delay_off() {
    int value = 0;
    socklen_t size = sizeof value;
    (void)::getsockopt(request().fileno(), IPPROTO_TCP, TCP_NODELAY, &value, &size);
    return value != 0;
  }
};

void serve(const Options& options) {
  gathered = static_cast<std::size_t>(options.number("--wbufsize", 0));
  no_delay = options.has("--no-delay");
  if (options.has("--request-timeout")) {
    patience = std::chrono::milliseconds(options.number("--request-timeout", 0));
  }
  TCPServer server(options.address(), handler_class<OrdersHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv,
                     {{"--wbufsize", "N", "bytes that wfile gathers (0)"},
                      {"--no-delay", nullptr, "disable_nagle_algorithm is true"},
                      {"--request-timeout", "MS", "how long a silent client is waited for"}},
                     serve);
}
