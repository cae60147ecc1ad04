// One connection, many requests: HTTP on top of the stream handler of lesson 03.
// The contract: http_server.hpp. See also: RFC 9112, 9; Lib/http/server.py.

#include "http_server.hpp"

#include <socketserver/http_words.hpp>
#include <socketserver/log.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/program.hpp>
#include <socketserver/server_with.hpp>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace socketserver {
namespace {

constexpr std::size_t piece_size = 64 * 1024;  // of a file or a body: what is in memory at a time

}  // namespace

void HTTPServer::server_bind() {
  TCPServer::server_bind();
  server_name_ = server_address().host();
}

// ---- one connection ----------------------------------------------------------------------------

void BaseHTTPRequestHandler::setup() {
  wbufsize = piece_size;
  disable_nagle_algorithm = true;
  StreamRequestHandler::setup();
}

void BaseHTTPRequestHandler::handle() {
  // TODO(08.C): one request after the other, until close_connection_ says that it was the last.
  not_written("08.C", "BaseHTTPRequestHandler::handle");
}

void BaseHTTPRequestHandler::handle_one_request() {
  close_connection_ = true;  // given: what is to be said of the last request is forgotten
  answered_ = false;
  may_keep_ = false;  // true once all of a request was understood: end_headers() looks at it
  // TODO(08.C): parse_request(), call_method(), and flush what wfile() has gathered. An HttpError
  // is answered by send_error(), if nothing was answered yet. CutOff: the client has ended in the
  // midst of its request, and gets no answer.
  not_written("08.C", "BaseHTTPRequestHandler::handle_one_request");
}

bool BaseHTTPRequestHandler::parse_request() {
  head_ = RequestHead();  // given: nothing of the last request is left
  body_ = BodyDecoder();
  // TODO(08.C): read_head() with a HeadParser, into head_; then head_.expects_continue(), and what
  // of the content there is to come, in body_. False if the client has ended before a request.
  not_written("08.C", "BaseHTTPRequestHandler::parse_request");
}

// In 08.K: it may take `head_timeout`, from its first line on.
void BaseHTTPRequestHandler::read_head(HeadParser& parser) {
  while (!parser.done()) parser.take_line(read_line_for(parser));
}

// Reads, by `read`. In 08.K: a handler's `timeout` is 408 in HTTP's words.
template <class Read>
std::string_view BaseHTTPRequestHandler::read_in_time(Read read) {
  return read();
}

// A line for whoever wants one, a HeadParser or a BodyDecoder: it knows how long that may be.
template <class Reader>
std::string_view BaseHTTPRequestHandler::read_line_for(const Reader& reader) {
  std::string_view line;
  try {
    line = read_in_time([&] { return rfile().read_line(reader.longest_line()); });
  } catch (const std::length_error&) {
    reader.line_too_long();
  }
  if (!line.ends_with('\n')) throw CutOff();
  return line;
}

void BaseHTTPRequestHandler::call_method() {
  struct Method {
    std::string_view name;
    void (BaseHTTPRequestHandler::*function)();
  };
  using Self = BaseHTTPRequestHandler;
  static constexpr Method methods[] = {
      {"GET", &Self::do_GET},         {"HEAD", &Self::do_HEAD},     {"POST", &Self::do_POST},
      {"PUT", &Self::do_PUT},         {"DELETE", &Self::do_DELETE}, {"PATCH", &Self::do_PATCH},
      {"OPTIONS", &Self::do_OPTIONS},
  };
  for (const Method& method : methods) {
    if (method.name == command()) return (this->*method.function)();
  }
  not_implemented();
}

void BaseHTTPRequestHandler::not_implemented() {
  send_error(501, "Unsupported method: " + command());
}

// ---- content -----------------------------------------------------------------------------------

void BaseHTTPRequestHandler::handle_expect_100() {
  wfile().write("HTTP/1.1 100 Continue\r\n\r\n");
  wfile().flush();
}

// What stands behind a piece is read with the next call: reading on would move this one away.
std::string_view BaseHTTPRequestHandler::read_content() {
  if (!body_.done() && std::exchange(expects_continue_, false)) handle_expect_100();
  while (body_.wants_line()) body_.take_line(read_line_for(body_));
  if (body_.done()) return {};
  const auto most =
      static_cast<std::size_t>(std::min<std::uint64_t>(body_.bytes_wanted(), piece_size));
  const std::string_view bytes = read_in_time([&] { return rfile().read(most); });
  if (bytes.empty()) throw CutOff();
  body_.take_bytes(bytes.size());
  return bytes;
}

// Until read_content() has seen the end: behind the last piece, a chunk and a trailer still come.
std::string BaseHTTPRequestHandler::read_all_content() {
  std::string content;
  for (;;) {
    const std::string_view bytes = read_content();
    if (bytes.empty()) return content;
    content += bytes;
  }
}

// ---- the answer --------------------------------------------------------------------------------

void BaseHTTPRequestHandler::send_response(int status, std::string_view message) {
  answered_ = true;
  log_request(status);
  response_.begin(status, message, server_version);
}

void BaseHTTPRequestHandler::send_header(std::string_view name, std::string_view value) {
  response_.add(name, value);
}

// Content that was not read stands where the next request would be looked for.
void BaseHTTPRequestHandler::end_headers() {
  const bool all_was_read = may_keep_ && body_.done();
  const bool keep = all_was_read && head_.keeps_alive() && protocol_version != "HTTP/1.0";
  close_connection_ = !response_.finish(head_, keep);
  wfile().write(response_.take());
}

void BaseHTTPRequestHandler::send(HttpResponse response) {
  send_response(response.status);
  const bool chunked = describe(response_, response, head_);
  end_headers();
  if (command() == "HEAD" || never_has_content(response.status)) return;
  send_content(response, chunked);
}

void BaseHTTPRequestHandler::send_content([[maybe_unused]] HttpResponse& response,
                                          [[maybe_unused]] bool chunked) {
  // TODO(08.C): the body, or the file piece by piece (piece_size), to wfile().
  // In 08.H: chunked, in chunks.
  not_written("08.C", "BaseHTTPRequestHandler::send_content");
}

// After a request that could not be read, nothing more can be: head_ may say nothing then.
void BaseHTTPRequestHandler::send_error(int status, std::string_view why) {
  send(error_response(status, why));
}

// One line of printable characters, whatever the client has sent: a terminal obeys what it shows.
void BaseHTTPRequestHandler::log_request(int status) {
  const std::string asked = command().empty() ? "-" : head_.line().substr(0, 200);
  log_line(client_address().text() + " \"" + escaped(asked) + "\" " + std::to_string(status));
}

// ---- files -------------------------------------------------------------------------------------

const Folder& SimpleHTTPRequestHandler::directory() {
  return server_as<Folder>(server());
}

void SimpleHTTPRequestHandler::not_allowed() {
  send(not_allowed_response(allowed_methods()));
}

HttpResponse not_allowed_response(std::string_view allow) {
  HttpResponse response = error_response(405);
  response.fields.add("Allow", allow);
  return response;
}

}  // namespace socketserver
