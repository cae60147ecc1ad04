// A forking server that tells whether a child leaves by _exit: something stands in the buffer of
// stdout when it forks, and something is registered for the end of the process.

#include <unistd.h>
#include <socketserver/program.hpp>
#include <stream_handler.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "forking_mixin.hpp"
#include "probe.hpp"

using namespace socketserver;

namespace {

// Each line is answered with the numbers of the process that serves and of its parent.
class WhoHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;

  void handle() override {
    while (!rfile().read_line(100).empty()) {
      wfile().write(std::to_string(::getpid()) + " " + std::to_string(::getppid()) + "\n");
    }
  }
};

void say_the_end() {
  // Not by stdio: the line must be told apart from a buffer that is written twice.
  const std::string line = probe::nonce() + "the end of " + std::to_string(::getpid()) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) == -1) std::perror("write");
}

void serve(const Options& options) {
  ForkingTCPServer server(options.address(), handler_class<WhoHandler>);
  const EndOnSignals end(server);
  start_listening(server);
  std::atexit(say_the_end);
  std::printf("%sonce\n", probe::nonce().c_str());  // stays in the buffer until somebody flushes it
  server.serve_forever();
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {}, serve);
}
