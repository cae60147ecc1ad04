// What the learner's keeps_alive(), describe() and finish() say of an answer's end: one line for
// each of some answers.

#include <fcntl.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/http_message.hpp>
#include <socketserver/http_response.hpp>
#include <socketserver/http_words.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe.hpp"

using namespace socketserver;

namespace {

RequestHead request(std::string method, int minor) {
  RequestHead head;
  head.method = std::move(method);
  head.target = "/a";
  head.minor = minor;
  return head;
}

const RequestHead get = request("GET", 1);
const RequestHead get_of_old = request("GET", 0);
const RequestHead head_of_get = request("HEAD", 1);

HttpResponse response(int status, std::string body, bool chunked = false) {
  HttpResponse made;
  made.status = status;
  made.body = std::move(body);
  made.chunked = chunked;
  return made;
}

// ---- a head, read again
// ----------------------------------------------------------------------------

struct Lines {
  bool whole = false;  // each line has its end, and the last one is empty
  std::vector<std::pair<std::string, std::string>> fields;
};

Lines lines_of(std::string_view text) {
  Lines lines;
  text.remove_prefix(std::min(text.find("\r\n") + 2, text.size()));
  while (!text.empty() && !lines.whole) {
    const std::size_t end = text.find("\r\n");
    if (end == text.npos) return lines;
    const std::string_view line = text.substr(0, end);
    const std::size_t colon = line.find(':');
    if (line.empty()) {
      lines.whole = text.size() == 2;
    } else if (colon != line.npos) {
      lines.fields.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
    text.remove_prefix(end + 2);
  }
  return lines;
}

std::vector<std::string> values(const Lines& lines, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& [key, value] : lines.fields) {
    if (same_word(key, name)) found.push_back(value);
  }
  return found;
}

std::string end_of_content(const Lines& lines, bool none) {
  const std::vector<std::string> lengths = values(lines, "Content-Length");
  const std::vector<std::string> codings = values(lines, "Transfer-Encoding");
  if (lengths.size() + codings.size() > 1) return "two lengths";
  if (!lengths.empty()) return "length " + lengths[0];
  if (!codings.empty()) return same_word(codings[0], "chunked") ? "chunks" : codings[0];
  return none ? "no length" : "up to the end";
}

// `Connection: keep-alive` means nothing to HTTP/1.1, and may be said.
std::string end_of_connection(const Lines& lines, bool kept, int minor) {
  const std::vector<std::string> said = values(lines, "Connection");
  if (said.size() > 1) return "Connection twice";
  const bool close = !said.empty() && same_word(said[0], "close");
  const bool keep = !said.empty() && same_word(said[0], "keep-alive");
  if (!said.empty() && !close && !keep) return "Connection: " + said[0];
  if (kept) {
    if (close) return "kept, though it says close";
    return minor == 0 && !keep ? "kept, and not told" : minor == 0 ? "kept, and told" : "kept";
  }
  if (keep) return "closed, though it says keep-alive";
  return close ? "closed, and told" : "closed, and not told";
}

void tell(const std::string& name, ResponseHead& head, const RequestHead& asked, int status,
          bool keep) {
  const bool kept = head.finish(asked, keep);
  const Lines lines = lines_of(head.take());
  const bool none = asked.method == "HEAD" || never_has_content(status);
  probe::say(name + ": " + (lines.whole ? "" : "not one empty line at its end; ") +
             end_of_content(lines, none) + "; " + end_of_connection(lines, kept, asked.minor));
}

void tell(const std::string& name, const HttpResponse& answer, const RequestHead& asked,
          bool keep = true) {
  ResponseHead head;
  head.begin(answer.status, {}, "probe");
  (void)describe(head, answer, asked);
  tell(name, head, asked, answer.status, keep);
}

// By hand, as Python's handlers do it.
void tell_by_hand(const std::string& name, const RequestHead& asked,
                  const std::vector<std::pair<std::string, std::string>>& fields) {
  ResponseHead head;
  head.begin(200, {}, "probe");
  for (const auto& [key, value] : fields) head.add(key, value);
  tell(name, head, asked, 200, true);
}

void tell_kept(int minor, const std::vector<std::string>& connection) {
  RequestHead head = request("GET", minor);
  std::string text = "HTTP/1." + std::to_string(minor);
  for (const std::string& value : connection) {
    head.fields.add("Connection", value);
    text += ", Connection: " + value;
  }
  probe::say(text + ": " + (head.keeps_alive() ? "kept" : "closed"));
}

void tell_fields() {
  HttpResponse answer = response(200, "x");
  answer.fields.add("Content-Type", "text/plain");
  answer.fields.add("X-Two", "1");
  answer.fields.add("X-Two", "2");
  ResponseHead head;
  head.begin(200, {}, "probe");
  (void)describe(head, answer, get);
  (void)head.finish(get, true);
  const Lines lines = lines_of(head.take());
  std::string text;
  for (const char* const name : {"Content-Type", "X-Two"}) {
    for (const std::string& value : values(lines, name)) text += " " + value;
  }
  probe::say("the answer's own fields:" + text);
}

std::string chunks_to(const RequestHead& asked) {
  ResponseHead head;
  head.begin(200, {}, "probe");
  return describe(head, response(200, "hello", true), asked) ? "chunks" : "no chunks";
}

}  // namespace

int main() {
  probe::nonce();
  tell_kept(1, {});
  tell_kept(1, {"close"});
  tell_kept(1, {"x, CLOSE"});
  tell_kept(1, {"x", "close"});
  tell_kept(1, {"closed"});
  tell_kept(1, {"keep-alive"});
  tell_kept(0, {});
  tell_kept(0, {"Keep-Alive"});
  tell_kept(0, {"keep-alive, close"});
  tell_fields();
  tell("5 bytes", response(200, "hello"), get);
  tell("none", response(200, ""), get);
  tell("\"\xc3\xa9\xe2\x82\xac\"", response(200, "\xc3\xa9\xe2\x82\xac"), get);
  HttpResponse file = response(200, "");
  file.file = FileSlice{FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)), 7, 65537};
  tell("65537 bytes of a file", file, get);
  tell("5 bytes, asked for by HEAD", response(200, "hello"), head_of_get);
  tell("204", response(204, ""), get);
  tell("304", response(304, ""), get);
  tell("chunks", response(200, "hello", true), get);
  probe::say("chunks, to HTTP/1.1: " + chunks_to(get));
  probe::say("chunks, to HTTP/1.0: " + chunks_to(get_of_old));
  tell("5 bytes, the last answer", response(200, "hello"), get, false);
  tell("5 bytes to HTTP/1.0", response(200, "hello"), get_of_old);
  tell("5 bytes to HTTP/1.0, the last answer", response(200, "hello"), get_of_old, false);
  tell_by_hand("by hand, with a length", get, {{"content-length", "5"}});
  tell_by_hand("by hand, without a length", get, {});
  tell_by_hand("by hand, without a length, to HEAD", head_of_get, {});
  tell_by_hand("by hand, with close", get, {{"Content-Length", "5"}, {"Connection", "Close"}});
}
