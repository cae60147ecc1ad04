// Differs: the child of a slow request has a read loop of its own, and needs no flag.

// The line service of lesson 03 on four servers that serve each request in a process of its own;
// and, part two, on one that forks only for what takes long.
// Its partner: client.cpp. Its mix-in: forking_mixin.hpp. See also: fork(2).

#include <unistd.h>
#include <socketserver/connection.hpp>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/program.hpp>
#include <socketserver/server_with.hpp>
#include <stream_handler.hpp>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "forking_mixin.hpp"

using namespace socketserver;
using std::chrono::milliseconds;

// What the command line says: attributes of the server, which its handlers look at.
struct Settings {
  std::size_t line_limit = 65536;
};

// handle_request() knows no other time for chores than when no request has come for so long.
constexpr milliseconds chores_after{100};

constexpr std::string_view slow_word = "!slow ";

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
      if (!serve_line(line)) return;
      if (!this->rfile().has_line()) this->wfile().flush();
    }
  }

 protected:
  // Returns whether the lines that follow are to be served here, too.
  virtual bool serve_line(std::string_view line) {
    if (line == "!throw\n") throw std::runtime_error("a client has asked for an exception");
    if (line == "!crash\n") std::abort();
    if (line.starts_with(slow_word)) work_for(line.substr(slow_word.size()));
    if (line == "!pid\n") {
      answer(std::to_string(::getpid()) + "\n");
    } else {
      answer(line);
    }
    return true;
  }

 private:
  static void work_for(std::string_view text) {
    std::this_thread::sleep_for(milliseconds(std::strtol(std::string(text).c_str(), nullptr, 10)));
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

// ---- part two: a server that forks inside the handler, for slow requests alone -----------------

// Serves each request in the loop, as lesson 01 did; what its handlers fork it still looks after.
template <class Server>
class HalfwayServer : public ForkingMixIn<Server> {
 public:
  using ForkingMixIn<Server>::ForkingMixIn;
  ~HalfwayServer() override { ForkingMixIn<Server>::server_close(); }

  void process_request(Request request) override { Server::process_request(std::move(request)); }
};

template <class Server>
class HalfwayEcho : public EchoStream {
 public:
  using EchoStream::EchoStream;

 protected:
  // A slow line and all that follows it are a child's: the server has its next client meanwhile.
  bool serve_line(std::string_view line) override {
    if (!line.starts_with(slow_word)) return EchoStream::serve_line(line);
    wfile().flush();
    const bool is_parent = halfway_server().fork_child(request()) != 0;
    if (!is_parent) live_as_child(line);
    request().close();
    return false;
  }

 private:
  HalfwayServer<Server>& halfway_server() { return server_as<HalfwayServer<Server>>(server()); }

  [[noreturn]] void live_as_child(std::string_view first_line) noexcept {
    int status = EXIT_SUCCESS;
    try {
      try {
        converse(first_line);
      } catch (...) {
        this->finish();
        throw;
      }
      this->finish();
    } catch (...) {
      server().handle_error(request());
      status = EXIT_FAILURE;
    }
    server().shutdown_request(request());
    ::_exit(status);
  }

  // Slow or quick: here every line is served as EchoStream does.
  void converse(std::string_view line) {
    const std::size_t limit = server_as<Settings>(server()).line_limit;
    while (EchoStream::serve_line(line)) {
      if (!rfile().has_line()) wfile().flush();
      line = rfile().read_line(limit);
      if (line.empty()) return;
      log_received(client_address(), line);
    }
  }
};

// ---- the program -------------------------------------------------------------------------------

template <class Server>
void run(const Address& address, RequestHandlerClass handler, const Options& options) {
  ServerWith<Settings, Server> server(address, handler);
  server.line_limit = static_cast<std::size_t>(options.number("--line-limit", 65536));
  server.max_children = static_cast<std::size_t>(options.number("--max-children", 40));
  server.block_on_close = !options.has("--no-block-on-close");
  const EndOnSignals end(server);
  start_listening(server);
  if (options.text("--loop") == "handle_request") {
    server.timeout = chores_after;
    while (!end.requested()) server.handle_request();
    server.interrupt_requests();
  } else {
    server.serve_forever();
  }
  server.server_close();
}

// A stream server of either kind: --fork-in-handler decides who forks.
template <class Server>
void run_stream(const Address& address, const Options& options) {
  if (options.has("--fork-in-handler")) {
    run<HalfwayServer<Server>>(address, handler_class<HalfwayEcho<Server>>, options);
  } else {
    run<ForkingMixIn<Server>>(address, handler_class<EchoStream>, options);
  }
}

void serve(const Options& options) {
  const std::string kind = options.text("--kind", "tcp");
  const RequestHandlerClass datagram = handler_class<EchoService<DatagramRequestHandler>>;
  if (kind == "tcp") return run_stream<TCPServer>(options.address(), options);
  if (kind == "unix-stream") {
    return run_stream<UnixStreamServer>(unix_address(options.required("--path")), options);
  }
  if (options.has("--fork-in-handler")) throw UsageError("--fork-in-handler: stream servers only");
  if (kind == "udp") return run<ForkingUDPServer>(options.address(), datagram, options);
  run<ForkingUnixDatagramServer>(unix_address(options.required("--path")), datagram, options);
}

int main(int argc, char* argv[]) {
  return server_main(
      argc, argv,
      {{"--kind", "tcp|udp|unix-stream|unix-datagram", "which server (tcp)"},
       {"--path", "PATH", "the address of a Unix server"},
       {"--line-limit", "N", "the longest line in bytes (65536)", 1},
       {"--max-children", "N", "how many children there are at most; 0: no limit (40)"},
       {"--no-block-on-close", nullptr, "the end does not wait for the children"},
       {"--loop", "serve_forever|handle_request", "which loop runs the server (serve_forever)"},
       {"--fork-in-handler", nullptr, "one process, which forks for lines that begin with !slow"}},
      serve);
}
