// A server on a path, and a copy of its process that closes the server too: the path is not the
// copy's.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/program.hpp>
#include <socketserver/request_handler.hpp>
#include <socketserver/unix_server.hpp>

#include <cstdio>
#include <string>

#include "probe.hpp"

using namespace socketserver;

namespace {

class NoHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;
  void handle() override {}
};

std::string at(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0 ? "there" : "gone";
}

template <class Server>
void tell(const std::string& kind, const std::string& path) {
  Server server(unix_address(path), handler_class<NoHandler>);
  server.bind_and_activate();
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    server.server_close();
    ::_exit(0);
  }
  int status = 0;
  if (child == -1 || ::waitpid(child, &status, 0) != child || status != 0) std::perror("child");
  const std::string after_child = at(path);
  server.server_close();
  probe::say(kind + ": closed in a child: " + after_child + "; closed by its maker: " + at(path));
}

}  // namespace

int main(int argc, char* argv[]) {
  probe::nonce();
  return server_main(argc, argv, {{"--path", "PATH", "the address of the server"}},
                     [](const Options& options) {
                       tell<UnixStreamServer>("stream", options.required("--path"));
                       tell<UnixDatagramServer>("datagram", options.required("--path"));
                     });
}
