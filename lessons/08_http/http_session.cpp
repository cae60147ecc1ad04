// One connection of many, on one thread: HTTP as a state that is moved on by what comes.
// The contract: http_session.hpp. Its counterpart with a thread: http_server.cpp.

#include <socketserver/http_session.hpp>
#include <socketserver/http_words.hpp>
#include <socketserver/log.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/program.hpp>

#include <algorithm>
#include <utility>

namespace socketserver {
namespace {

constexpr std::size_t piece_size = 32 * 1024;  // of a file: what is read at a time

}  // namespace

void HttpSession::received(std::string_view bytes, Output& out) {
  input_ += bytes;
  work(out);
}

bool HttpSession::more([[maybe_unused]] Output& out) {
  // TODO(08.M): all that was written has been sent. Write the next piece of the file; or, if that
  // was all, go on with the requests that have come meanwhile. Return whether there is more to
  // come.
  not_written("08.M", "HttpSession::more");
}

void HttpSession::work([[maybe_unused]] Output& out) {
  // TODO(08.M): step() for as long as there is something to go on with, no file is being sent, and
  // less than Output::enough waits. An HttpError is replied to, and ends the conversation. What was
  // used of the input is given back. What has to wait: out.write_later(*this).
  not_written("08.M", "HttpSession::work");
}

bool HttpSession::step([[maybe_unused]] Output& out) {
  // TODO(08.M): take a line of the head, or some content; when all of a request is there, reply to
  // it with what answer() says. Return whether there was enough to go on with.
  not_written("08.M", "HttpSession::step");
}

bool HttpSession::take_head_line(Output& out) {
  const bool first = !parser_.begun();
  const std::optional<std::string_view> line = next_line(parser_.longest_line());
  if (!line) {
    if (input_.size() - used_ > parser_.longest_line()) parser_.line_too_long();
    return false;
  }
  parser_.take_line(*line);
  consume(line->size());
  if (first && head_timeout) begun_ = Clock::now();
  if (parser_.done()) head_is_whole(out);
  return true;
}

void HttpSession::head_is_whole([[maybe_unused]] Output& out) {
  body_ = BodyDecoder(parser_.head(), limits_);  // given
  // TODO(08.M): is there any content? Is it wanted, and waits the client to be told so?
  not_written("08.M", "HttpSession::head_is_whole");
}

bool HttpSession::take_content() {
  if (body_.wants_line()) {
    const std::optional<std::string_view> line = next_line(body_.longest_line());
    if (!line) {
      if (input_.size() - used_ > body_.longest_line()) body_.line_too_long();
      return false;
    }
    body_.take_line(*line);
    consume(line->size());
    return true;
  }
  const auto size = static_cast<std::size_t>(
      std::min<std::uint64_t>(body_.bytes_wanted(), input_.size() - used_));
  content_.append(input_, used_, size);
  body_.take_bytes(size);
  consume(size);
  return size > 0;
}

// A line that has come to its end, the end included. It is short, so it is searched anew each time.
std::optional<std::string_view> HttpSession::next_line(std::size_t longest) const {
  const std::string_view rest = std::string_view(input_).substr(used_);
  const std::size_t newline = rest.substr(0, longest).find('\n');
  if (newline == rest.npos) return {};
  return rest.substr(0, newline + 1);
}

void HttpSession::consume(std::size_t size) noexcept {
  used_ += size;
}

// ---- the answer --------------------------------------------------------------------------------

void HttpSession::reply([[maybe_unused]] HttpResponse response, [[maybe_unused]] Output& out,
                        [[maybe_unused]] bool may_keep) {
  // TODO(08.M): what BaseHTTPRequestHandler's send() and end_headers() do, into `out`; then
  // begin_anew(), or out.end().
  not_written("08.M", "HttpSession::reply");
}

// A small one leaves with its head, in one packet. Of a large one, what there is room for.
void HttpSession::write_file(FileSlice file, Output& out) {
  if (file.size > piece_size) {
    file_ = std::move(file);
  } else {
    while (file.size > 0) out.write(file.next(piece_size));
  }
}

void HttpSession::begin_anew() {
  parser_.start();
  body_ = BodyDecoder();
  std::string().swap(content_);
}

bool HttpSession::too_late() const {
  const bool in_head = parser_.begun() && !parser_.done();
  return in_head && head_timeout && Clock::now() - begun_ > *head_timeout;
}

void HttpSession::log_request(const RequestHead& head, int status) {
  const std::string asked = head.method.empty() ? "-" : head.line().substr(0, 200);
  log_line(client_address_.text() + " \"" + escaped(asked) + "\" " + std::to_string(status));
}

}  // namespace socketserver
