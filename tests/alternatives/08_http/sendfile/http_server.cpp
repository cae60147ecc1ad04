// One connection, many requests: HTTP on top of the stream handler of lesson 03.
// The contract: http_server.hpp. See also: RFC 9112, 9; Lib/http/server.py.

#include "http_server.hpp"

#include <sys/sendfile.h>
#include <socketserver/http_words.hpp>
#include <socketserver/log.hpp>
#include <socketserver/program.hpp>
#include <socketserver/server_with.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace socketserver {
namespace {

constexpr std::size_t piece_size = 64 * 1024;  // of a file or a body: what is in memory at a time
constexpr const char* too_late = "the request did not come in time";

// From file to socket, without a copy in this process. sendfile(2) raises SIGPIPE, and has no flag
// against it.
void send_file(int connection, StreamWriter& wfile, FileSlice& file) {
  wfile.flush();
  auto offset = static_cast<off_t>(file.offset);
  while (file.size > 0) {
    const std::size_t most = std::min<std::uint64_t>(file.size, 1 << 30);
    const ssize_t count = ::sendfile(connection, file.file.get(), &offset, most);
    if (count == -1 && errno == EINTR) continue;
    if (count == -1) throw_system_error("sendfile");
    if (count == 0) throw std::runtime_error("the file has become shorter meanwhile");
    file.size -= static_cast<std::uint64_t>(count);
  }
}

}  // namespace

void HTTPServer::server_bind() {
  TCPServer::server_bind();
  server_name_ = server_address().host();
}

// ---- one connection ----------------------------------------------------------------------------

void BaseHTTPRequestHandler::setup() {
  std::signal(SIGPIPE, SIG_IGN);
  wbufsize = piece_size;
  disable_nagle_algorithm = true;
  StreamRequestHandler::setup();
}

void BaseHTTPRequestHandler::handle() {
  do {
    handle_one_request();
  } while (!close_connection_);
}

// After an HttpError the connection is not kept: nobody knows where the next request begins.
void BaseHTTPRequestHandler::handle_one_request() {
  close_connection_ = true;
  answered_ = false;
  may_keep_ = false;
  try {
    if (!parse_request()) return;
    may_keep_ = true;
    call_method();
    wfile().flush();  // before the next request is waited for
  } catch (const HttpError& error) {
    may_keep_ = false;
    if (answered_) throw;  // two answers to one request would be an answer to the next
    send_error(error.status, error.what());
  } catch (const CutOff&) {
    close_connection_ = true;  // nobody has asked to the end: nobody gets an answer
  }
}

bool BaseHTTPRequestHandler::parse_request() {
  head_ = RequestHead();
  body_ = BodyDecoder();
  HeadParser parser(limits);
  try {
    read_head(parser);
  } catch (const CutOff&) {
    return false;
  } catch (const HttpError& error) {
    if (error.status == 408 && !parser.begun()) return false;  // an idle connection: not a word
    head_ = parser.head();  // for the log, and because HEAD is answered without content
    throw;
  }
  head_ = parser.head();
  expects_continue_ = head_.expects_continue();
  body_ = BodyDecoder(head_, limits);
  return true;
}

void BaseHTTPRequestHandler::read_head(HeadParser& parser) {
  std::chrono::steady_clock::time_point begun;
  while (!parser.done()) {
    const bool first = !parser.begun();
    parser.take_line(read_line_for(parser));
    const auto now = std::chrono::steady_clock::now();
    if (first) begun = now;
    if (head_timeout && !parser.done() && now - begun > *head_timeout) {
      throw HttpError(408, too_late);
    }
  }
}

// Reads, by `read`, and says in HTTP's words that the handler's `timeout` is over.
template <class Read>
std::string_view BaseHTTPRequestHandler::read_in_time(Read read) {
  try {
    return read();
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::timed_out) throw;
    throw HttpError(408, too_late);
  }
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

void BaseHTTPRequestHandler::send_content(HttpResponse& response, bool chunked) {
  if (response.file) {
    return send_file(request().fileno(), wfile(), *response.file);
  }
  if (!chunked) return wfile().write(response.body);
  std::string_view rest = response.body;
  while (!rest.empty()) {
    wfile().write(chunk(rest.substr(0, piece_size)));
    rest.remove_prefix(std::min(rest.size(), piece_size));
  }
  wfile().write(chunk({}));
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
