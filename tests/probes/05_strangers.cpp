// A forking server in a program that has children of its own: one that has ended with status 72
// before the first request, and one that runs on.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <stream_handler.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "forking_mixin.hpp"
#include "probe.hpp"

using namespace socketserver;

namespace {

constexpr int status_of_the_stranger = 72;

class EchoHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;
  void handle() override {
    for (;;) {
      const std::string_view line = rfile().read_line(100);
      if (line.empty()) return;
      wfile().write(line);
    }
  }
};

// A child that does what `work` says.
pid_t start_child(void (*work)()) {
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    work();
    ::_exit(status_of_the_stranger);
  }
  return child;
}

void tell_how_it_ended(pid_t child, const std::string& name) {
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(child, &status, 0);
  } while (ended == -1 && errno == EINTR);
  probe::say(name +
             (ended == child ? ": " + describe_exit(status) : ": somebody has taken its status"));
}

void serve(const Options& options) {
  const pid_t ended = start_child([] {});
  const pid_t running = start_child([] {
    for (;;) ::pause();
  });
  {
    ForkingTCPServer server(options.address(), handler_class<EchoHandler>);
    const EndOnSignals end(server);
    start_listening(server);
    probe::say("max_children=" + std::to_string(server.max_children) +
               (server.block_on_close ? " block_on_close=true" : " block_on_close=false"));
    server.serve_forever();
    if (options.has("--no-block-on-close")) server.block_on_close = false;
    server.server_close();
    probe::say(std::string("the listener: ") + (server.fileno() == -1 ? "closed" : "open"));
  }
  probe::say("the server is closed");
  tell_how_it_ended(ended, "the one that had ended");
  (void)::kill(running, SIGKILL);
  tell_how_it_ended(running, "the one that ran on");
}

}  // namespace

int main(int argc, char* argv[]) {
  return server_main(argc, argv,
                     {{"--no-block-on-close", nullptr, "the end does not wait for the children"}},
                     serve);
}
