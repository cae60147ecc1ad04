#include <unistd.h>
#include <socketserver/http_response.hpp>
#include <socketserver/http_words.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace socketserver {
namespace {

// Whether a text stays in its line, and brings no other control character along. RFC 9110, 5.5
bool stays_in_its_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return (value < ' ' && value != '\t') || value == 0x7f;
  });
}

}  // namespace

std::string FileSlice::next(std::size_t most) {
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(most, size)), '\0');
  ssize_t count;
  do {
    count = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  } while (count == -1 && errno == EINTR);
  check(count, "pread");
  if (count == 0 && size > 0) throw std::runtime_error("the file has become shorter meanwhile");
  bytes.resize(static_cast<std::size_t>(count));
  offset += bytes.size();
  size -= bytes.size();
  return bytes;
}

HttpResponse error_response(int status, std::string_view why) {
  HttpResponse response;
  response.status = status;
  if (never_has_content(status)) return response;
  const std::string title = std::to_string(status) + " " + std::string(reason_phrase(status));
  response.fields.add("Content-Type", "text/html;charset=utf-8");
  response.body =
      html_page(title, "<p>" + html_escaped(why.empty() ? explanation(status) : why) + ".</p>\n");
  return response;
}

// ---- the head ----------------------------------------------------------------------------------

// The version is the server's own, not the client's. RFC 9110, 6.2
void ResponseHead::begin(int status, std::string_view reason, std::string_view server) {
  if (!stays_in_its_line(reason)) {
    throw std::invalid_argument("a reason phrase would break out of its line");
  }
  *this = ResponseHead();
  status_ = status;
  text_ = "HTTP/1.1 " + std::to_string(status) + " ";
  text_ += reason.empty() ? reason_phrase(status) : reason;
  text_ += "\r\n";
  add("Server", server);
  const auto now = std::chrono::system_clock::now();
  add("Date", http_date(std::chrono::floor<std::chrono::seconds>(now)));
}

void ResponseHead::add(std::string_view name, std::string_view value) {
  if (!is_token(name) || !stays_in_its_line(value)) {
    throw std::invalid_argument("a header field would break out of its line");
  }
  says_length_ |= same_word(name, "Content-Length") || same_word(name, "Transfer-Encoding");
  says_close_ |= same_word(name, "Connection") && same_word(trimmed(value), "close");
  text_ += name;
  text_ += ": ";
  text_ += value;
  text_ += "\r\n";
}

std::string ResponseHead::take() {
  return std::exchange(text_, {});
}

}  // namespace socketserver
