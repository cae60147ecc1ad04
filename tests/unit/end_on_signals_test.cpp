// The end of a server by a signal: what it owes its clients, in every design, and its limit in
// time.

#include <poll.h>
#include <sys/stat.h>
#include <socketserver/unix_server.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <forking_mixin.hpp>
#include <functional>
#include <future>
#include <optional>
#include <selector_mixin.hpp>
#include <stream_handler.hpp>
#include <threading_mixin.hpp>

#include "harness/base/catch.hpp"
#include "server_program.hpp"

using namespace unit;
using namespace std::chrono_literals;

namespace {

// More than the sockets of both sides hold.
constexpr std::size_t big = 64 * 1024 * 1024;

// Answers line by line; "!slow MS" takes its time, "!big" has a long answer.
class LineHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;
  void handle() override {
    for (;;) {
      const std::string line(rfile().read_line(65536));
      if (line.empty()) return;
      if (line == "!big\n") wfile().write(std::string(big, 'x'));
      if (line.starts_with("!slow ")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(line.c_str() + 6)));
      }
      wfile().write(line);
    }
  }
};

class LineSession : public Session {
 public:
  LineSession(const Address&, BaseServer&) {}
  void received(std::string_view bytes, Output& out) override {
    if (bytes.starts_with("!big")) out.write(std::string(big, 'x'));
    if (bytes.find("!slow") != bytes.npos) std::this_thread::sleep_for(100ms);
    out.write(bytes);
  }
};

template <class Server>
void run(Server& server) {
  const EndOnSignals end(server);
  start_listening(server);
  tell_address(server);
  server.serve_forever();
  server.server_close();
}

template <class Server>
void serve_lines(const Options& options) {
  Server server(options.address(), handler_class<LineHandler>);
  run(server);
}

void serve_sessions(const Options& options) {
  SelectorMixIn<TCPServer> server(options.address(), session_class<LineSession>);
  run(server);
}

class SleepingHandler : public OnceHandler {
 public:
  using OnceHandler::OnceHandler;
  void finish() override { std::this_thread::sleep_for(1h); }
};

std::string path;

template <class Server>
void serve_sleepers(const Options&) {
  Server server(Address::unix_path(path), handler_class<SleepingHandler>);
  server.grace = 20ms;
  run(server);
}

// Two folders: a server that is called "s" in the first one goes to the second one.
std::string folders[2];

void serve_sleepers_elsewhere(const Options&) {
  check(::chdir(folders[0].c_str()), "chdir");
  UnixStreamServer server(Address::unix_path("s"), handler_class<SleepingHandler>);
  server.grace = 20ms;
  const EndOnSignals end(server);
  start_listening(server);
  check(::chdir(folders[1].c_str()), "chdir");
  tell_address(server);
  server.serve_forever();
}

// A name that is nobody's business but its maker's.
FileDescriptor bound_socket(const std::string& name) {
  FileDescriptor socket(check(::socket(AF_UNIX, SOCK_STREAM, 0), "socket"));
  const Address address = Address::unix_path(name);
  check(::bind(socket.get(), address.data(), address.size()), "bind");
  return socket;
}

bool exists(const std::string& name) {
  struct stat file {};
  return ::lstat(name.c_str(), &file) == 0;
}

// Sends more than the server can do in time, and reads what comes, until the server ends it. `busy`
// is set when the server has enough to do.
void send_without_end(const FileDescriptor& connection, std::promise<void> busy) {
  constexpr std::size_t enough = 2 * 1024 * 1024;
  std::string lines;
  for (int i = 0; i < 400; ++i) lines += "!slow 20\n";
  char answer[65536];
  std::size_t sent = 0;
  bool is_busy = false;
  for (;;) {
    pollfd ready{connection.get(), POLLIN | POLLOUT, 0};
    const bool stuck = check(::poll(&ready, 1, 300), "poll") == 0;
    if (ready.revents & (POLLERR | POLLHUP)) return;
    if ((ready.revents & POLLIN) &&
        ::recv(connection.get(), answer, sizeof answer, MSG_DONTWAIT) <= 0) {
      return;
    }
    if (ready.revents & POLLOUT) {
      const ssize_t count =
          ::send(connection.get(), lines.data(), lines.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) sent += static_cast<std::size_t>(count);
    }
    if (!is_busy && (stuck || sent >= enough)) {
      busy.set_value();
      is_busy = true;
    }
  }
}

std::string read_to_end(const FileDescriptor& pipe) {
  std::string text;
  char buffer[4096];
  while (const ssize_t count = check(::read(pipe.get(), buffer, sizeof buffer), "read")) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

// A server program whose stderr the test reads.
struct Watched {
  Watched(
      void (*serve)(const Options&), std::vector<std::string> arguments,
      const std::function<void()>& prepare = [] {})
      : program(serve, std::move(arguments), [&] {
          check(::dup2(said.write_end.get(), STDERR_FILENO), "dup2");
          said.write_end.reset();
          said.read_end.reset();
          prepare();
        }) {
    said.write_end.reset();
  }
  Pipe said;
  Program program;
};

// Ends a server in the midst of a request whose handler notices nothing.
void end_asleep(const std::function<void()>& meanwhile = [] {}) {
  Watched server(serve_sleepers_elsewhere, {"--quiet"});
  const FileDescriptor connection = connect_to(Address::unix_path(folders[0] + "/s"));
  send_text(connection, "x");
  char byte;
  CHECK(::recv(connection.get(), &byte, 1, 0) == 1);
  meanwhile();
  CHECK(server.program.end() == 0);
  CHECK(read_to_end(server.said.read_end).find("the grace is over: ended") != std::string::npos);
}

void check_cut_off(void (*serve)(const Options&), bool sends) {
  Watched server(serve, {"--quiet", "--grace", "100"});
  const FileDescriptor connection = connect_to(server.program.address());
  send_text(connection, sends ? "first\n" : "!big\n");
  char answer[6];
  CHECK(::recv(connection.get(), answer, sizeof answer, MSG_WAITALL) == 6);
  std::thread client;
  if (sends) {
    std::promise<void> busy;
    std::future<void> is_busy = busy.get_future();
    client = std::thread(send_without_end, std::cref(connection), std::move(busy));
    is_busy.wait();
  }
  CHECK(server.program.end() == 0);
  if (sends) client.join();
  const std::string said = read_to_end(server.said.read_end);
  INFO(said);
  CHECK(said.find("the grace is over: requests cut off: 1\n") != std::string::npos);
}

void check_cut_off(bool sends) {
  SECTION("one after the other") {
    check_cut_off(serve_lines<TCPServer>, sends);
  }
  SECTION("with threads") {
    check_cut_off(serve_lines<ThreadingTCPServer>, sends);
  }
  SECTION("with forks") {
    check_cut_off(serve_lines<ForkingTCPServer>, sends);
  }
  SECTION("on a selector") {
    check_cut_off(serve_sessions, sends);
  }
}

}  // namespace

TEST_CASE("the end is bounded: a client that goes on sending is cut off") {
  check_cut_off(true);
}

TEST_CASE("the end is bounded: a client that does not read is cut off") {
  check_cut_off(false);
}

TEST_CASE("the end is bounded: a handler that sleeps ends with the process, and the path goes") {
  path = "/tmp/kit-unit-end-" + std::to_string(::getpid());
  for (void (*serve)(const Options&) :
       {serve_sleepers<UnixStreamServer>, serve_sleepers<ThreadingUnixStreamServer>,
        serve_sleepers<ForkingUnixStreamServer>}) {
    Watched server(serve, {"--quiet"});
    const FileDescriptor connection = connect_to(Address::unix_path(path));
    send_text(connection, "x");
    char byte;
    CHECK(::recv(connection.get(), &byte, 1, 0) == 1);
    CHECK(server.program.end() == 0);
    struct stat file {};
    CHECK(::stat(path.c_str(), &file) == -1);
    CHECK(read_to_end(server.said.read_end).find("the grace is over: ended") != std::string::npos);
  }
}

TEST_CASE("the end is bounded: the path that goes is the server's own, wherever the process is") {
  for (std::string& folder : folders) {
    folder = "/tmp/kit-unit-end-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
  }
  const std::string own = folders[0] + "/s";
  const std::string stranger = folders[1] + "/s";
  {
    const FileDescriptor theirs = bound_socket(stranger);
    end_asleep();
    CHECK_FALSE(exists(own));
    CHECK(exists(stranger));
  }
  {
    // Somebody has cleaned up, and another server has come.
    std::optional<FileDescriptor> successor;
    end_asleep([&] {
      const std::string old = folders[0] + "/old";
      check(::rename(own.c_str(), old.c_str()), "rename");  // its inode stays taken
      successor = bound_socket(own);
    });
    CHECK(exists(own));
    (void)::unlink((folders[0] + "/old").c_str());
    (void)::unlink(own.c_str());
  }
  (void)::unlink(stranger.c_str());
  for (const std::string& folder : folders) CHECK(::rmdir(folder.c_str()) == 0);
}

TEST_CASE("the end: an answer that is under way goes out within the grace") {
  for (auto* serve :
       {serve_lines<TCPServer>, serve_lines<ThreadingTCPServer>, serve_lines<ForkingTCPServer>}) {
    Watched server(serve, {"--quiet"});
    const FileDescriptor connection = connect_to(server.program.address());
    send_text(connection, "first\n!slow 100\n");
    char first[6];
    CHECK(::recv(connection.get(), first, sizeof first, MSG_WAITALL) == 6);
    CHECK(server.program.end() == 0);
    CHECK(receive_all(connection) == "!slow 100\n");
    CHECK(read_to_end(server.said.read_end).empty());
  }
}

TEST_CASE("forks: a signal to the whole group leaves the answers whole") {
  for (const int number : {SIGTERM, SIGINT}) {
    Watched server(serve_lines<ForkingTCPServer>, {"--quiet"}, [] { ::setpgid(0, 0); });
    const FileDescriptor connection = connect_to(server.program.address());
    send_text(connection, "first\n!slow 200\n");
    char first[6];
    CHECK(::recv(connection.get(), first, sizeof first, MSG_WAITALL) == 6);
    CHECK(::kill(-server.program.process(), number) == 0);
    CHECK(server.program.wait() == 0);
    CHECK(receive_all(connection) == "!slow 200\n");
    CHECK(read_to_end(server.said.read_end).empty());
  }
}

TEST_CASE("forks: a child that was forked after the signal answers") {
  class SignalComesFirst : public ForkingTCPServer {
   public:
    using ForkingTCPServer::ForkingTCPServer;
    ~SignalComesFirst() override { ForkingTCPServer::server_close(); }
    bool verify_request(const Request&) override {
      std::this_thread::sleep_for(50ms);  // what the client sends is there
      return ::kill(::getpid(), SIGTERM) == 0;
    }
  };
  for (int i = 0; i < 10; ++i) {
    Watched server(
        [](const Options& options) {
          SignalComesFirst forking(options.address(), handler_class<LineHandler>);
          run(forking);
        },
        {"--quiet"});
    const FileDescriptor connection = connect_to(server.program.address());
    send_text(connection, "!slow 100\n");
    CHECK(receive_all(connection) == "!slow 100\n");
    CHECK(server.program.wait() == 0);
    CHECK(read_to_end(server.said.read_end).empty());
  }
}

TEST_CASE("signals that whoever started the program has blocked still work") {
  const auto block = [] {
    sigset_t all;
    sigfillset(&all);
    check(::sigprocmask(SIG_SETMASK, &all, nullptr), "sigprocmask");
  };
  for (const int number : {SIGTERM, SIGINT}) {
    // Two clients at a time, ten in all: each needs the end of another to be heard of.
    Watched server(
        [](const Options& options) {
          ForkingTCPServer forking(options.address(), handler_class<LineHandler>);
          forking.max_children = 2;
          run(forking);
        },
        {"--quiet"}, block);
    for (int i = 0; i < 10; ++i) CHECK(ask(server.program.address(), "x\n") == "x\n");
    server.program.signal(number);
    CHECK(server.program.wait() == 0);
  }
}

TEST_CASE("a SIGINT that was ignored stays ignored") {
  Watched server(serve_lines<TCPServer>, {"--quiet"}, [] { std::signal(SIGINT, SIG_IGN); });
  server.program.signal(SIGINT);
  server.program.signal(SIGINT);
  CHECK(ask(server.program.address(), "x\n") == "x\n");
  CHECK(server.program.end() == 0);
}

TEST_CASE("two servers of a process: a signal ends both, whatever their handlers wait for") {
  CHECK(in_child([] {
          TCPServer first(any_port(), handler_class<OnceHandler>);
          TCPServer second(any_port(), handler_class<OnceHandler>);
          std::optional<EndOnSignals> first_end(first), second_end(second);
          TCPServer* const servers[]{&first, &second};
          std::vector<FileDescriptor> silent;
          std::vector<std::thread> loops;
          for (TCPServer* server : servers) {
            server->bind_and_activate();
            silent.push_back(connect_to(server->server_address()));
            loops.emplace_back([server] { server->serve_forever(); });
          }
          ::kill(::getpid(), SIGTERM);
          for (std::thread& loop : loops) loop.join();
          if (!first_end->requested() || !second_end->requested()) ::_exit(1);
          // One without the other: it still hears.
          first_end.reset();
          second_end.emplace(second);
          std::thread loop([&] { second.serve_forever(); });
          ::kill(::getpid(), SIGTERM);
          loop.join();
        }) == 0);
}
