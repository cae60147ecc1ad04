// Who owns what: a server on a path, and a copy of its process that closes the server too (the path
// is not the copy's); with --asks, a client's connection.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/connection.hpp>
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

// Users may all be one; processes are not.
void tell_who_asks(const std::string& path) {
  UnixStreamServer server(unix_address(path), handler_class<NoHandler>);
  server.bind_and_activate();
  std::fflush(stdout);
  const pid_t client = ::fork();
  if (client == 0) {
    (void)connect_to(server.server_address());
    ::_exit(0);
  }
  // Once it has come and gone: get_request() waits for nobody. Its process keeps its number until
  // it is waited for in earnest.
  siginfo_t end{};
  if (client == -1 || ::waitid(P_PID, static_cast<id_t>(client), &end, WEXITED | WNOWAIT) != 0) {
    std::perror("client");
    ::_exit(1);
  }
  const auto request = server.get_request();
  if (!request) return probe::say("nobody has come");
  const PeerCredentials peer = peer_credentials(request->fileno());
  const bool same_user = peer.uid == ::geteuid() && peer.gid == ::getegid();
#if defined(__linux__)
  const bool same_process = peer.pid == client;
#else
  const bool same_process = peer.pid == client || peer.pid == 0;  // not every system says
#endif
  if (::waitpid(client, nullptr, 0) != client) std::perror("client");
  probe::say(std::string("uid, gid and pid: ") +
             (same_user && same_process ? "the client's" : "another's"));
}

}  // namespace

int main(int argc, char* argv[]) {
  probe::nonce();
  return server_main(argc, argv,
                     {{"--path", "PATH", "the address of the server"},
                      {"--asks", "PATH", "ask who connects there, and nothing else"}},
                     [](const Options& options) {
                       if (options.has("--asks")) return tell_who_asks(options.required("--asks"));
                       tell<UnixStreamServer>("stream", options.required("--path"));
                       tell<UnixDatagramServer>("datagram", options.required("--path"));
                     });
}
