// The head of a request: its first line and its header fields.
// The contract: http_message.hpp. See also: RFC 9112, 2 to 5; RFC 9110, 5.

#include <socketserver/http_message.hpp>

#include <algorithm>

namespace socketserver {
namespace {

// Empty lines before a request: some old clients sent one after a form. RFC 9112, 2.2
constexpr std::size_t most_empty_lines = 4;

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

// What may stand in a field value: a tab, and all that is printed, also beyond ASCII. RFC 9110, 5.5
bool is_field_byte(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value == '\t' || (value >= ' ' && value != 0x7f);
}

// What may stand in a request target: printable ASCII. Of it a fragment ("#") is never sent.
bool is_target_byte(char byte) {
  return byte > ' ' && byte < 0x7f && byte != '#';
}

// What a host and its port can be made of, the brackets of an IPv6 address too. RFC 3986, 3.2.2
bool is_host_byte(char byte) {
  constexpr std::string_view others = "/?#@\\,\"<>^`{|}";
  return byte > ' ' && byte < 0x7f && others.find(byte) == others.npos;
}

// "HTTP/1.1". The name is case-sensitive, and each number is one digit. RFC 9112, 2.3
int minor_of(std::string_view version) {
  const bool right = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                     version[6] == '.' && is_digit(version[7]);
  if (!right) throw HttpError(400, "the request line must end with a version, as in HTTP/1.1");
  if (version[5] != '1') throw HttpError(505, "this server speaks HTTP/1.1 and HTTP/1.0");
  return std::min(version[7] - '0', 1);
}

// A lone LF ends a line of a head, too, and is taken for that everywhere. RFC 9112, 2.2
std::string_view without_any_line_end(std::string_view line) {
  line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

// ---- lines -------------------------------------------------------------------------------------

std::string_view without_line_end(std::string_view line) {
  if (!line.ends_with("\r\n")) throw HttpError(400, "a line must end with CR and LF");
  return line.substr(0, line.size() - 2);
}

// A space before the colon, or a line that goes on in the next, is read in two ways by two
// programs: one of them sees a field that the other does not. RFC 9112, 5.1 and 5.2
void add_field(HeaderFields& fields, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) throw HttpError(400, "a header field has no colon");
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_token(name)) throw HttpError(400, "a header field's name is not a token");
  if (!std::all_of(value.begin(), value.end(), is_field_byte)) {
    throw HttpError(400, "a header field has a control character in it");
  }
  fields.add(name, value);
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

void HeadParser::take_line(std::string_view whole_line) {
  if (whole_line.size() > longest_line()) line_too_long();
  const std::string_view line = without_any_line_end(whole_line);
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

// Two single spaces, and no other. More is read differently by different programs. RFC 9112, 3
void HeadParser::take_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) {
    throw HttpError(400, "a request line is a method, a target and a version");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) throw HttpError(400, "the method is not a token");
  if (target.empty() || !std::all_of(target.begin(), target.end(), is_target_byte)) {
    throw HttpError(400, "the target has a byte that must be percent-encoded, or is empty");
  }
  head_.minor = minor_of(line.substr(last + 1));
  head_.target = target;
  head_.method = method;
}

void HeadParser::take_field(std::string_view line) {
  fields_size_ += line.size() + 2;
  if (fields_size_ > limits_.fields) throw HttpError(431, "the header fields are too long");
  if (head_.fields.all().size() == limits_.field_count) {
    throw HttpError(431, "there are too many header fields");
  }
  add_field(head_.fields, line);
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
