// A server for ten thousand clients on one thread: it answers lines in upper case.
// Its partner: client.cpp. Its engine: selector_mixin.hpp. See also: epoll(7).

#include <socketserver/connection.hpp>
#include <socketserver/descriptor_limit.hpp>
#include <socketserver/log.hpp>
#include <socketserver/program.hpp>
#include <socketserver/select_selector.hpp>
#include <socketserver/server_with.hpp>
#include <socketserver/tcp_server.hpp>
#include <socketserver/unix_server.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "epoll_selector.hpp"
#include "selector_mixin.hpp"

using namespace socketserver;

// What the command line says: attributes of the server, which its sessions look at.
struct Settings {
  std::size_t line_limit = 65536;
};

// What one client has said of a line waits here for its newline. All lines that are whole are
// answered together.
class LineSession : public Session {
 public:
  LineSession(const Address& client_address, BaseServer& server)
      : client_address_(client_address), line_limit_(server_as<Settings>(server).line_limit) {}

  void received(std::string_view bytes, Output& out) override {
    log_received(client_address_, bytes);
    const std::string_view accepted = up_to_limit(bytes);
    const std::size_t whole = accepted.rfind('\n') + 1;  // 0 if there is no newline
    if (whole > 0) {
      answer(begun_, out);
      answer(accepted.substr(0, whole), out);
      std::string(accepted.substr(whole)).swap(begun_);  // gives back what a long line has taken
    } else {
      begun_ += accepted;
    }
    if (accepted.size() < bytes.size()) {
      throw std::length_error("the line is longer than " + std::to_string(line_limit_) + " bytes");
    }
  }

  // The last line may come without a newline.
  void ended(Output& out) override { answer(begun_, out); }

 private:
  // What comes before the first line that is too long.
  std::string_view up_to_limit(std::string_view bytes) const {
    std::size_t before = begun_.size();  // how much of the line has come earlier
    if (before + bytes.size() <= line_limit_) return bytes;
    for (std::size_t line = 0; line < bytes.size(); before = 0) {
      const std::size_t newline = bytes.find('\n', line);
      const std::size_t end = newline == bytes.npos ? bytes.size() : newline + 1;
      if (before + (end - line) > line_limit_) return bytes.substr(0, line);
      line = end;
    }
    return bytes;
  }

  static void answer(std::string_view bytes, Output& out) {
    for (char& byte : out.write(bytes)) byte = upper(byte);
  }

  const Address& client_address_;
  const std::size_t line_limit_;
  std::string begun_;
};

std::unique_ptr<BaseSelector> make_selector(const std::string& name) {
  if (name == "poll") return std::make_unique<PollSelector>();
  if (name == "select") return std::make_unique<SelectSelector>();
  return std::make_unique<DefaultSelector>();
}

// A connection is a descriptor, and the usual limit of 1,024 is soon reached.
void raise_limit(const Options& options) {
  constexpr std::size_t clients = 10'000;
  constexpr std::size_t other_descriptors = 16;
  const std::size_t limit = raise_descriptor_limit(clients + other_descriptors);
  if (limit >= clients + other_descriptors || options.has("--quiet")) return;
  log_error("there is room for about " +
            std::to_string(limit - std::min(limit, other_descriptors)) +
            " clients at once: this process may have " + std::to_string(limit) +
            " descriptors open, and only root may raise that (ulimit -Hn)");
}

template <class Server>
void serve_on(const Options& options) {
  ServerWith<Settings, SelectorMixIn<Server>> server(options.address(), session_class<LineSession>,
                                                     make_selector(options.text("--selector")));
  server.line_limit = static_cast<std::size_t>(options.number("--line-limit", 65536));
  server.max_output = static_cast<std::size_t>(options.number("--max-output", 1024 * 1024));
  if (options.has("--idle-timeout")) {
    server.idle_timeout = std::chrono::milliseconds(options.number("--idle-timeout", 0));
  }
  const EndOnSignals end(server);
  start_listening(server);
  raise_limit(options);
  server.serve_forever();
}

void serve(const Options& options) {
  options.has("--path") ? serve_on<UnixStreamServer>(options) : serve_on<TCPServer>(options);
}

int main(int argc, char* argv[]) {
  return server_main(
      argc, argv,
      {{"--path", "PATH", "a Unix socket in place of a host and a port"},
       {"--selector", "epoll|poll|select", "what to wait with (epoll, or the system's best)"},
       {"--line-limit", "N", "the longest line in bytes (65536)", 1},
       {"--idle-timeout", "MS", "closes a connection that is silent for so long (never)", 1},
       {"--max-output", "BYTES", "how much may wait for a client that does not read (1 MiB)", 1}},
      serve);
}
