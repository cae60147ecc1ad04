#pragma once

#include <socketserver/http_body.hpp>
#include <socketserver/http_folder.hpp>
#include <socketserver/http_message.hpp>
#include <socketserver/http_response.hpp>
#include <socketserver/tcp_server.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stream_handler.hpp"
#include "threading_mixin.hpp"

namespace socketserver {

/// A TCP server for HTTP handlers: it knows by what name and port it is reached. Python's
/// `http.server.HTTPServer`.
class HTTPServer : public TCPServer {
 public:
  using TCPServer::TCPServer;

  /// TCPServer::server_bind(), and notes what address it got.
  void server_bind() override;

  /// The numeric host that it is bound to. Python asks the name service for a better one, and may
  /// wait for it: this does not.
  [[nodiscard]] const std::string& server_name() const noexcept { return server_name_; }

  /// The port that it is bound to.
  [[nodiscard]] std::uint16_t server_port() const noexcept { return server_address().port(); }

 private:
  std::string server_name_;
};

/// An HTTP server with a thread for each connection. Python's, with one difference: there
/// `daemon_threads` is true.
using ThreadingHTTPServer = ThreadingMixIn<HTTPServer>;

/// Serves one connection: one request after the other, as long as the client keeps it.
///
/// Derive, and override do_GET() and whatever else the service knows. Each of them sends one
/// answer: send_response(), send_header() for each field, end_headers(), then the content to
/// wfile(); or send(), or send_error(). Source: Python's `http.server.BaseHTTPRequestHandler`.
class BaseHTTPRequestHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;

  /// What the server calls itself. Python's `server_version`.
  std::string server_version = "socketserver/1.0";

  /// The version it speaks: with "HTTP/1.0" each connection ends with its first answer. Python:
  /// "HTTP/1.0".
  std::string protocol_version = "HTTP/1.1";

  /// How much a client may say.
  HttpLimits limits;

  /// How long a head may take from its first line to its last; no value: as long as the client
  /// likes. (How long it may be silent is `timeout`.)
  std::optional<std::chrono::milliseconds> head_timeout;

  /// Gathers what is written, so that an answer leaves in few packets, each at once.
  void setup() override;

  /// Calls handle_one_request() until close_connection().
  void handle() override;

  /// Reads one request and answers it. What is wrong with it is told by send_error().
  virtual void handle_one_request();

  // ---- what a service overrides: each answers 501 as long as it is not --------------------------

  virtual void do_GET() { not_implemented(); }      ///< "GET"
  virtual void do_HEAD() { not_implemented(); }     ///< "HEAD": as GET, without content
  virtual void do_POST() { not_implemented(); }     ///< "POST"
  virtual void do_PUT() { not_implemented(); }      ///< "PUT"
  virtual void do_DELETE() { not_implemented(); }   ///< "DELETE"
  virtual void do_PATCH() { not_implemented(); }    ///< "PATCH"
  virtual void do_OPTIONS() { not_implemented(); }  ///< "OPTIONS"

  /// Called when content is asked for that the client holds back: sends "100 Continue".
  virtual void handle_expect_100();

  /// Says in one line on stdout what was asked and answered. Python: on stderr.
  virtual void log_request(int status);

  // ---- the request -----------------------------------------------------------------------------

  /// What was asked. Valid from parse_request() to the next one.
  [[nodiscard]] const RequestHead& head() const noexcept { return head_; }
  /// "GET". Python's `command`.
  [[nodiscard]] const std::string& command() const noexcept { return head_.method; }
  /// The target as it came. Python's `path`.
  [[nodiscard]] const std::string& path() const noexcept { return head_.target; }
  /// The header fields. Python's `headers`.
  [[nodiscard]] const HeaderFields& headers() const noexcept { return head_.fields; }

  /// The next piece of the content, as it comes; empty at its end. Blocks; valid until the next
  /// call. Answers that are sent before the end was read close the connection.
  /// @throws HttpError for wrong chunks, or too much
  std::string_view read_content();

  /// All of it. @throws HttpError for wrong chunks, or too much
  std::string read_all_content();

  // ---- the answer ------------------------------------------------------------------------------

  /// Begins an answer. @param message  what the status is called; empty: reason_phrase()
  void send_response(int status, std::string_view message = {});

  /// Adds a field. @throws std::invalid_argument if it would break out of its line
  void send_header(std::string_view name, std::string_view value);

  /// Ends the head, and decides whether the connection is kept: if not, a field says so.
  void end_headers();

  /// Sends a whole answer.
  void send(HttpResponse response);

  /// Sends a page that says what is wrong.
  void send_error(int status, std::string_view why = {});

  /// Whether the connection ends after this answer.
  [[nodiscard]] bool close_connection() const noexcept { return close_connection_; }

 protected:
  /// Reads a head. @returns whether there is one; if not, the client has ended
  virtual bool parse_request();

 private:
  struct CutOff {};  // the client's end, in the midst of a request

  void read_head(HeadParser& parser);
  template <class Read>
  std::string_view read_in_time(Read read);
  template <class Reader>
  std::string_view read_line_for(const Reader& reader);
  void call_method();
  void not_implemented();
  void send_content(HttpResponse& response, bool chunked);

  RequestHead head_;
  BodyDecoder body_;
  ResponseHead response_;
  bool expects_continue_ = false;
  bool answered_ = false;
  bool may_keep_ = false;  // all of the request was understood
  bool close_connection_ = false;
};

/// Shows a folder: answers GET and HEAD, and 405 for the rest. Python's
/// `http.server.SimpleHTTPRequestHandler`.
class SimpleHTTPRequestHandler : public BaseHTTPRequestHandler {
 public:
  using BaseHTTPRequestHandler::BaseHTTPRequestHandler;

  /// Which folder. Here, the server is asked, which is a `ServerWith<Folder, …>`.
  [[nodiscard]] virtual const Folder& directory();

  void do_GET() override { send(directory().answer(head())); }
  void do_HEAD() override { do_GET(); }
  void do_POST() override { not_allowed(); }
  void do_PUT() override { not_allowed(); }
  void do_DELETE() override { not_allowed(); }
  void do_PATCH() override { not_allowed(); }
  void do_OPTIONS() override { not_allowed(); }

 protected:
  /// What the resource that was asked for can do, for `Allow`.
  [[nodiscard]] virtual std::string_view allowed_methods() { return "GET, HEAD"; }

  /// 405, with what is allowed.
  void not_allowed();
};

/// The answer to a method that this resource does not have. RFC 9110, 15.5.6.
/// @param allow  the methods that it has: "GET, HEAD"
[[nodiscard]] HttpResponse not_allowed_response(std::string_view allow);

}  // namespace socketserver
