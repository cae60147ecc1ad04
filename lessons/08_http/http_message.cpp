// The head of a request: its first line and its header fields.
// The contract: http_message.hpp. See also: RFC 9112, 2 to 5; RFC 9110, 5.

#include <socketserver/http_message.hpp>
#include <socketserver/not_written.hpp>

#include <algorithm>

namespace socketserver {
namespace {

// Empty lines before a request: some old clients sent one after a form. RFC 9112, 2.2
constexpr std::size_t most_empty_lines = 4;

// What a host and its port can be made of, the brackets of an IPv6 address too. RFC 3986, 3.2.2
bool is_host_byte(char byte) {
  constexpr std::string_view others = "/?#@\\,\"<>^`{|}";
  return byte > ' ' && byte < 0x7f && others.find(byte) == others.npos;
}

}  // namespace

// ---- lines -------------------------------------------------------------------------------------

std::string_view without_line_end(std::string_view line) {
  if (!line.ends_with("\r\n")) throw HttpError(400, "a line must end with CR and LF");
  return line.substr(0, line.size() - 2);
}

void add_field([[maybe_unused]] HeaderFields& fields, [[maybe_unused]] std::string_view line) {
  // TODO(08.A): find the colon, and look at both sides of it: a token (is_token) without a space
  // before the colon; a value, trimmed(), without control characters. What is wrong is HttpError
  // 400. Then fields.add().
  not_written("08.A", "add_field");
}

// ---- a head ------------------------------------------------------------------------------------

void HeadParser::start() {
  head_ = RequestHead();
  empty_lines_ = 0;
  fields_size_ = 0;
  done_ = false;
}

std::size_t HeadParser::longest_line() const noexcept {
  return begun() ? limits_.field_line : limits_.request_line;
}

void HeadParser::line_too_long() const {
  if (begun()) throw HttpError(431, "a header field is too long");
  throw HttpError(414, "the request line is too long");
}

// Given: which line this is.
void HeadParser::take_line(std::string_view whole_line) {
  if (whole_line.size() > longest_line()) line_too_long();
  const std::string_view line = without_line_end(whole_line);
  if (!begun()) {
    if (!line.empty()) return take_request_line(line);
    if (++empty_lines_ > most_empty_lines) throw HttpError(400, "there is no request line");
  } else if (line.empty()) {
    check_host();
    done_ = true;
  } else {
    take_field(line);
  }
}

void HeadParser::take_request_line([[maybe_unused]] std::string_view line) {
  // TODO(08.A): a method, a target and a version, with one space between them. Set head_.method,
  // head_.target and head_.minor. HttpError 400 for what has another form, 505 for another HTTP.
  not_written("08.A", "HeadParser::take_request_line");
}

void HeadParser::take_field([[maybe_unused]] std::string_view line) {
  // TODO(08.A): add_field() to head_.fields, unless that makes too many of them (field_count), or
  // too much (fields): HttpError 431.
  not_written("08.A", "HeadParser::take_field");
}

// RFC 9112, 3.2: a client of HTTP/1.1 says whom it believes to talk to, once.
void HeadParser::check_host() const {
  const std::size_t count = head_.fields.count("Host");
  if (count > 1) throw HttpError(400, "there is more than one Host");
  if (count == 0 && head_.minor >= 1) throw HttpError(400, "HTTP/1.1 wants a Host");
  const std::string_view host = head_.fields.get("Host").value_or("");
  if (!std::all_of(host.begin(), host.end(), is_host_byte)) {
    throw HttpError(400, "Host is not a host and a port");
  }
}

}  // namespace socketserver
