// One service on four servers: TCP, UDP, Unix streams, Unix datagrams. It answers lines in upper
// case. Its partner: client.cpp. Its transports: unix_server.cpp, stream_handler.cpp. See also:
// unix(7).

#include <socketserver/connection.hpp>
#include <socketserver/datagram_handler.hpp>
#include <socketserver/program.hpp>
#include <socketserver/server_with.hpp>
#include <socketserver/tcp_server.hpp>
#include <socketserver/udp_server.hpp>
#include <socketserver/unix_server.hpp>

#include <charconv>

#include "stream_handler.hpp"

using namespace socketserver;

// What the command line says: attributes of the server, which its handlers look at.
struct Settings {
  std::size_t line_limit = 65536;
  std::size_t wbufsize = 65536;
  std::optional<std::chrono::milliseconds> request_timeout;
};

// The service. Where its lines come from is its base's affair: a StreamRequestHandler reads them
// from a connection, a DatagramRequestHandler from a packet.
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
      answer(line);
      if (!this->rfile().has_line()) this->wfile().flush();
    }
  }

 protected:
  const Settings& settings_ = server_as<Settings>(this->server());

 private:
  void answer(std::string_view line) {
    answer_ = line;
    for (char& byte : answer_) byte = upper(byte);
    this->wfile().write(answer_);
  }

  std::string answer_;
};

// The service over a stream, as the command line wants it.
class EchoStream : public EchoService<StreamRequestHandler> {
 public:
  using EchoService::EchoService;

  void setup() override {
    wbufsize = settings_.wbufsize;
    timeout = settings_.request_timeout;
    disable_nagle_algorithm = true;  // what belongs together is gathered here already
    StreamRequestHandler::setup();
  }
};

// A Unix stream server that serves one user only, if it is told so.
class GuardedServer : public UnixStreamServer {
 public:
  using UnixStreamServer::UnixStreamServer;
  ~GuardedServer() override { GuardedServer::server_close(); }

  std::optional<uid_t> allowed;

  bool verify_request(const Request& request) override {
    return !allowed || peer_credentials(request.fileno()).uid == *allowed;
  }
};

// "660": the access rights of --mode, if it was given.
std::optional<mode_t> mode_of(const Options& options) {
  if (!options.has("--mode")) return std::nullopt;
  const std::string text = options.text("--mode");
  const char* const end = text.data() + text.size();
  mode_t mode = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, mode, 8);
  if (error != std::errc{} || stop != end || mode > 0777) {
    throw UsageError("--mode: \"" + text + "\" is not an octal number from 0 to 777");
  }
  return mode;
}

Settings settings_of(const Options& options) {
  Settings settings;
  settings.line_limit = static_cast<std::size_t>(options.number("--line-limit", 65536));
  settings.wbufsize = static_cast<std::size_t>(options.number("--wbufsize", 65536));
  if (options.has("--request-timeout")) {
    settings.request_timeout = std::chrono::milliseconds(options.number("--request-timeout", 0));
  }
  return settings;
}

void run(BaseServer& server, const Options& options) {
  server_as<Settings>(server) = settings_of(options);
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
}

void serve(const Options& options) {
  const std::string kind = options.text("--kind", "unix-stream");
  // What cannot be kept is not promised: a guard that is ignored would let everybody in.
  if (kind != "unix-stream" && options.has("--allow-uid")) {
    throw UsageError("--allow-uid: only --kind unix-stream knows its clients' users");
  }
  if (!kind.starts_with("unix") && options.has("--mode")) {
    throw UsageError("--mode: --kind " + kind + " has no path");
  }
  const RequestHandlerClass stream = handler_class<EchoStream>;
  const RequestHandlerClass datagram = handler_class<EchoService<DatagramRequestHandler>>;
  if (kind == "tcp") {
    ServerWith<Settings, TCPServer> server(options.address(), stream);
    run(server, options);
  } else if (kind == "udp") {
    ServerWith<Settings, UDPServer> server(options.address(), datagram);
    run(server, options);
  } else if (kind == "unix-stream") {
    ServerWith<Settings, GuardedServer> server(unix_address(options.required("--path")), stream);
    server.mode = mode_of(options);
    if (options.has("--allow-uid")) {
      server.allowed = static_cast<uid_t>(options.number("--allow-uid", 0));
    }
    run(server, options);
  } else {
    const Address address = unix_address(options.required("--path"));
    ServerWith<Settings, UnixDatagramServer> server(address, datagram);
    server.mode = mode_of(options);
    run(server, options);
  }
}

int main(int argc, char* argv[]) {
  return server_main(
      argc, argv,
      {{"--kind", "tcp|udp|unix-stream|unix-datagram", "which server (unix-stream)"},
       {"--path", "PATH", "the address of a Unix server"},
       {"--mode", "OCTAL", "the access rights of the path (what umask leaves of 777)"},
       {"--allow-uid", "N", "unix-stream: the only user that is served (everybody)", 0,
        4'294'967'294},
       {"--line-limit", "N", "the longest line in bytes (65536)", 1},
       {"--request-timeout", "MS", "how long a silent client is waited for (for ever)", 1},
       {"--wbufsize", "N", "bytes gathered before they are sent; 0: each write leaves (65536)"}},
      serve);
}
