// A folder shown to browsers, and the course's own service beside it: what is sent to /upper comes
// back in upper case, and /request shows what was asked. The same on four designs, of lessons 01,
// 04, 05 and 07.
// Its partner: client.cpp, and every browser. See also: RFC 9110, RFC 9112.

#include <forking_mixin.hpp>
#include <selector_mixin.hpp>
#include <socketserver/connection.hpp>
#include <socketserver/descriptor_limit.hpp>
#include <socketserver/http_folder.hpp>
#include <socketserver/http_session.hpp>
#include <socketserver/program.hpp>
#include <socketserver/server_with.hpp>
#include <threading_mixin.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http_server.hpp"

using namespace socketserver;
using std::chrono::milliseconds;

// What the command line says: attributes of the server, which its handlers and sessions look at.
struct Settings {
  Folder folder;
  HttpLimits limits;
  std::optional<milliseconds> client_timeout;
  std::optional<milliseconds> head_timeout;
  std::string protocol = "HTTP/1.1";
  bool quiet = false;
};

// ---- the service, whoever runs it ---------------------------------------------------------------

constexpr std::string_view upper_methods = "POST";
constexpr std::string_view file_methods = "GET, HEAD";

bool asks_for(const RequestHead& head, std::string_view path) {
  return head.target.substr(0, head.target.find('?')) == path;
}

bool is_upper(const RequestHead& head) {
  return asks_for(head, "/upper");
}

// What the server has understood of a request: for whoever writes a parser, or a client.
HttpResponse request_response(const RequestHead& head) {
  HttpResponse response;
  response.fields.add("Content-Type", "text/plain;charset=utf-8");
  response.body = head.line() + "\n";
  for (const HeaderFields::Field& field : head.fields.all()) {
    response.body += field.name + ": " + field.value + "\n";
  }
  return response;
}

// In chunks to whoever has sent chunks: an answer as it was asked.
HttpResponse upper_response(const RequestHead& head, std::string content) {
  HttpResponse response;
  response.fields.add("Content-Type", "text/plain;charset=utf-8");
  response.body = upper(std::move(content));
  response.chunked = head.fields.count("Transfer-Encoding") > 0;
  return response;
}

// ---- with a thread, a process, or the loop to itself --------------------------------------------

class SiteHandler : public SimpleHTTPRequestHandler {
 public:
  using SimpleHTTPRequestHandler::SimpleHTTPRequestHandler;

  void setup() override {
    limits = settings_.limits;
    timeout = settings_.client_timeout;
    head_timeout = settings_.head_timeout;
    protocol_version = settings_.protocol;
    SimpleHTTPRequestHandler::setup();
  }

  const Folder& directory() override { return settings_.folder; }

  void do_GET() override {
    if (is_upper(head())) return not_allowed();
    if (asks_for(head(), "/request")) return send(request_response(head()));
    SimpleHTTPRequestHandler::do_GET();
  }

  void do_POST() override {
    is_upper(head()) ? send(upper_response(head(), read_all_content())) : not_allowed();
  }

  std::string_view allowed_methods() override {
    return is_upper(head()) ? upper_methods : file_methods;
  }

  void log_request(int status) override {
    if (!settings_.quiet) SimpleHTTPRequestHandler::log_request(status);
  }

 private:
  const Settings& settings_ = server_as<Settings>(server());
};

// ---- on the loop's thread, beside all others ----------------------------------------------------

class SiteSession : public HttpSession {
 public:
  SiteSession(const Address& client_address, BaseServer& server)
      : SiteSession(client_address, server_as<Settings>(server)) {}

  bool wants_content(const RequestHead& head) override {
    return head.method == "POST" && is_upper(head);
  }

  HttpResponse answer(const RequestHead& head, std::string content) override {
    const std::string& method = head.method;
    if (!is_known(method)) return error_response(501, "Unsupported method: " + method);
    if (is_upper(head)) {
      return method == "POST" ? upper_response(head, std::move(content))
                              : not_allowed_response(upper_methods);
    }
    if (method != "GET" && method != "HEAD") return not_allowed_response(file_methods);
    return asks_for(head, "/request") ? request_response(head) : settings_.folder.answer(head);
  }

  void log_request(const RequestHead& head, int status) override {
    if (!settings_.quiet) HttpSession::log_request(head, status);
  }

 private:
  SiteSession(const Address& client_address, const Settings& settings)
      : HttpSession(client_address, settings.limits), settings_(settings) {
    head_timeout = settings.head_timeout;
    keeps_connections = settings.protocol != "HTTP/1.0";
  }

  const Settings& settings_;
};

// ---- the program -------------------------------------------------------------------------------

void set_attributes(Settings& settings, const Options& options) {
  settings.folder = Folder(options.text("--directory", "."));
  settings.limits.body = static_cast<std::uint64_t>(options.number("--body-limit", 1024 * 1024));
  settings.protocol = options.text("--protocol", "HTTP/1.1");
  settings.quiet = options.has("--quiet");
  if (options.has("--timeout")) {
    settings.client_timeout = milliseconds(options.number("--timeout", 0));
  }
  if (options.has("--head-timeout")) {
    settings.head_timeout = milliseconds(options.number("--head-timeout", 0));
  }
}

template <class Server>
void run(Server& server) {
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
  server.server_close();
}

template <class Server>
void run_with_handlers(const Options& options) {
  ServerWith<Settings, Server> server(options.address(), handler_class<SiteHandler>);
  set_attributes(server, options);
  run(server);
}

void run_with_sessions(const Options& options) {
  constexpr std::size_t descriptors = 20'000;  // a connection each, and a file each
  ServerWith<Settings, SelectorMixIn<HTTPServer>> server(options.address(),
                                                         session_class<SiteSession>);
  set_attributes(server, options);
  server.idle_timeout = server.client_timeout;
  server.max_output = Output::enough;  // while an answer waits, no next request is read
  (void)raise_descriptor_limit(descriptors);  // as far as the system lets us
  run(server);
}

void serve(const Options& options) {
  const std::string design = options.text("--design", "sync");
  if (design == "sync") return run_with_handlers<HTTPServer>(options);
  if (design == "threads") return run_with_handlers<ThreadingHTTPServer>(options);
  if (design == "forks") return run_with_handlers<ForkingMixIn<HTTPServer>>(options);
  run_with_sessions(options);
}

int main(int argc, char* argv[]) {
  return server_main(
      argc, argv,
      {{"--design", "sync|threads|forks|selector", "who serves a connection (sync)"},
       {"--directory", "PATH", "the folder that is shown (.)"},
       {"--protocol", "HTTP/1.0|HTTP/1.1", "HTTP/1.0: each connection has one answer (HTTP/1.1)"},
       {"--timeout", "MS", "ends a connection that is silent for so long (never)", 1},
       {"--head-timeout", "MS", "how long a request may take to be asked (for ever)", 1},
       {"--body-limit", "BYTES", "how much content a request may have (1 MiB)"}},
      serve);
}
