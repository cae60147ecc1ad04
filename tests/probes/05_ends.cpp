// A forking server that tells whether a child leaves by _exit: something stands in the buffer of
// stdout when it forks, and something is registered for the end of the process. With --one-by-one
// it is full with one child, and serves by handle_request(), which has no time of its own set.

#include <unistd.h>
#include <socketserver/program.hpp>
#include <socketserver/server_with.hpp>
#include <stream_handler.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "forking_mixin.hpp"
#include "probe.hpp"

using namespace socketserver;

namespace {

// Each line is answered with the numbers of the process that serves and of its parent, and how many
// children it has itself; "throw" throws what is no std::exception.
class WhoHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;

  void handle() override {
    for (;;) {
      const std::string_view line = rfile().read_line(100);
      if (line.empty()) return;
      if (line == "throw\n") throw 42;
      const std::size_t children = server_as<ForkingTCPServer>(server()).active_children().size();
      wfile().write(std::to_string(::getpid()) + " " + std::to_string(::getppid()) + " " +
                    std::to_string(children) + "\n");
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
  if (!options.has("--one-by-one")) return server.serve_forever();
  server.max_children = 1;
  while (!end.requested()) server.handle_request();
  server.interrupt_requests();
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv, {{"--one-by-one", nullptr, "one child, under handle_request()"}},
                     serve);
}
