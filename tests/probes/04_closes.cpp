// A threading server that says what its attributes are at first, and how many requests were under
// way when server_close() returned. "throw" throws what is no std::exception.

#include <socketserver/program.hpp>
#include <stream_handler.hpp>

#include <atomic>
#include <string>

#include "probe.hpp"
#include "threading_mixin.hpp"

using namespace socketserver;

namespace {

std::atomic<int> under_way{0};

struct Counted {
  Counted() { ++under_way; }
  ~Counted() { --under_way; }
};

class CountedHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;

  void handle() override {
    const Counted counted;
    std::string answer(rfile().read_line(100));
    if (answer == "throw\n") throw 42;
    for (char& byte : answer) {
      if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
    }
    wfile().write(answer);
  }
};

void serve(const Options& options) {
  ThreadingTCPServer server(options.address(), handler_class<CountedHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  probe::say("max_threads=" + std::to_string(server.max_threads) +
             (server.block_on_close ? " block_on_close" : "") +
             (server.daemon_threads ? " daemon_threads" : ""));
  server.serve_forever();
  server.server_close();
  probe::say("server_close() has returned: " + std::to_string(under_way) + " requests under way");
}

}  // namespace

int main(int argc, char* argv[]) {
  probe::nonce();
  return server_main(argc, argv, {}, serve);
}
