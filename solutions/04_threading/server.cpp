// The line service of lesson 03 on four servers that serve each request in a thread of its own.
// Its partner: client.cpp. Its mix-in: threading_mixin.hpp. See also: pthreads(7).

#include <socketserver/connection.hpp>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/program.hpp>
#include <socketserver/server_with.hpp>
#include <stream_handler.hpp>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "threading_mixin.hpp"

using namespace socketserver;

// What the command line says: attributes of the server, which its handlers look at. They are set
// before the first thread starts, and only read from then on.
struct Settings {
  std::size_t line_limit = 65536;
  std::chrono::milliseconds delay{0};
};

template <class Handler>
class EchoService : public Handler {
 public:
  using Handler::Handler;

  // All whole lines that have come are answered before more is waited for, with one write.
  void handle() override {
    for (;;) {
      const std::string_view line = this->rfile().read_line(settings_.line_limit);
      if (line.empty()) return;
      log_received(this->client_address(), line);
      obey(line);
      answer(line);
      if (!this->rfile().has_line()) this->wfile().flush();
    }
  }

 private:
  // Lines with a meaning of their own: they make the server do what a service might.
  void obey(std::string_view line) {
    if (line == "!throw\n") throw std::runtime_error("a client has asked for an exception");
    if (line == "!shutdown\n") this->server().shutdown();
    std::this_thread::sleep_for(settings_.delay);
  }

  void answer(std::string_view line) {
    answer_ = line;
    for (char& byte : answer_) byte = upper(byte);
    this->wfile().write(answer_);
  }

  const Settings& settings_ = server_as<Settings>(this->server());
  std::string answer_;
};

class EchoStream : public EchoService<StreamRequestHandler> {
 public:
  using EchoService::EchoService;

  void setup() override {
    wbufsize = 65536;
    disable_nagle_algorithm = true;  // what belongs together is gathered here already
    StreamRequestHandler::setup();
  }
};

template <class Server>
void run(const Address& address, RequestHandlerClass handler, const Options& options) {
  ServerWith<Settings, Server> server(address, handler);
  server.line_limit = static_cast<std::size_t>(options.number("--line-limit", 65536));
  server.delay = std::chrono::milliseconds(options.number("--delay", 0));
  server.max_threads = static_cast<std::size_t>(options.number("--max-threads", 0));
  server.daemon_threads = options.has("--daemon-threads");
  server.block_on_close = !options.has("--no-block-on-close");
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
  server.server_close();
  // Threads that were not waited for still use the server: the process has to end before it does.
  if (server.daemon_threads || !server.block_on_close) std::_Exit(EXIT_SUCCESS);
}

void serve(const Options& options) {
  const std::string kind = options.text("--kind", "tcp");
  const RequestHandlerClass stream = handler_class<EchoStream>;
  const RequestHandlerClass datagram = handler_class<EchoService<DatagramRequestHandler>>;
  if (kind == "tcp") {
    run<ThreadingTCPServer>(options.address(), stream, options);
  } else if (kind == "udp") {
    run<ThreadingUDPServer>(options.address(), datagram, options);
  } else if (kind == "unix-stream") {
    run<ThreadingUnixStreamServer>(unix_address(options.required("--path")), stream, options);
  } else {
    run<ThreadingUnixDatagramServer>(unix_address(options.required("--path")), datagram, options);
  }
}

int main(int argc, char* argv[]) {
  return server_main(
      argc, argv,
      {{"--kind", "tcp|udp|unix-stream|unix-datagram", "which server (tcp)"},
       {"--path", "PATH", "the address of a Unix server"},
       {"--line-limit", "N", "the longest line in bytes (65536)", 1},
       {"--max-threads", "N", "how many threads there are at most; 0: no limit (0)"},
       {"--daemon-threads", nullptr, "threads may be abandoned at the end"},
       {"--no-block-on-close", nullptr, "the end does not wait for requests under way"},
       {"--delay", "MS", "how long the service works on a line (0)"}},
      serve);
}
