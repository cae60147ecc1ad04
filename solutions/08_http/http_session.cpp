// One connection of many, on one thread: HTTP as a state that is moved on by what comes.
// The contract: http_session.hpp. Its counterpart with a thread: http_server.cpp.

#include <socketserver/http_session.hpp>
#include <socketserver/http_words.hpp>
#include <socketserver/log.hpp>
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

// There is room: for the next piece of the file, or, if that was all, for the next answer.
bool HttpSession::more(Output& out) {
  if (file_) {
    out.write(file_->next(piece_size));
    if (file_->size > 0) return true;
    file_.reset();
    return !input_.empty();
  }
  work(out);
  return file_ || out.size() >= Output::enough;
}

// One request after the other, as far as they have come: but not while an answer waits to be sent,
// or a client that asks and does not read would fill the memory.
void HttpSession::work(Output& out) {
  try {
    while (!file_ && !out.ended() && out.size() < Output::enough && step(out)) {
    }
    if (!out.ended() && too_late()) throw HttpError(408, "the request did not come in time");
  } catch (const HttpError& error) {
    reply(error_response(error.status, error.what()), out, false);
  }
  input_.erase(0, std::exchange(used_, 0));
  if (input_.empty()) input_.shrink_to_fit();  // ten thousand clients are silent most of the time
  if (file_ || out.size() >= Output::enough) out.write_later(*this);
}

// @returns whether there was enough to go on with
bool HttpSession::step(Output& out) {
  if (!parser_.done()) return take_head_line(out);
  if (!body_.done()) {
    if (!take_content()) return false;
    if (!body_.done()) return true;
  }
  reply(answer(parser_.head(), std::move(content_)), out, true);
  return true;
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

// The decision that comes before the content: whether it is wanted.
void HttpSession::head_is_whole(Output& out) {
  const RequestHead& head = parser_.head();
  const bool expects_continue = head.expects_continue();
  body_ = BodyDecoder(head, limits_);
  if (body_.done()) return;
  if (!wants_content(head)) return reply(answer(head, {}), out, true);
  if (expects_continue) out.write("HTTP/1.1 100 Continue\r\n\r\n");
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

// An answer that comes before the content has been read is the last one: where the next request
// begins is not known.
void HttpSession::reply(HttpResponse response, Output& out, bool may_keep) {
  const RequestHead& head = parser_.head();
  log_request(head, response.status);
  ResponseHead lines;
  lines.begin(response.status, {}, server_version);
  const bool chunked = describe(lines, response, head);
  const bool keep = may_keep && keeps_connections && body_.done() && head.keeps_alive();
  const bool kept = lines.finish(head, keep);
  out.write(lines.take());
  if (head.method != "HEAD" && !never_has_content(response.status)) {
    if (response.file) write_file(std::move(*response.file), out);
    if (chunked && !response.body.empty()) out.write(chunk(response.body));
    out.write(chunked ? chunk({}) : response.body);
  }
  begin_anew();
  if (!kept) out.end();
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
