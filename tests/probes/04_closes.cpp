// A threading server that says how many requests were under way when server_close() returned.

#include <socketserver/program.hpp>
#include <stream_handler.hpp>

#include <atomic>
#include <string>

#include "probe.hpp"
#include "threading_mixin.hpp"

using namespace socketserver;

namespace {

std::atomic<int> under_way{0};

class CountedHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;

  void handle() override {
    ++under_way;
    std::string answer(rfile().read_line(100));
    for (char& byte : answer) {
      if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
    }
    wfile().write(answer);
    --under_way;
  }
};

void serve(const Options& options) {
  ThreadingTCPServer server(options.address(), handler_class<CountedHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
  server.server_close();
  probe::say("server_close() has returned: " + std::to_string(under_way) + " requests under way");
}

}  // namespace

int main(int argc, char* argv[]) {
  probe::nonce();
  return server_main(argc, argv, {}, serve);
}
