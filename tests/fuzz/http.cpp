// The requests of lesson 08: however a client's bytes are cut, it gets the same answers, and what is
// content is never a request.


#include <socketserver/http_body.hpp>
#include <socketserver/http_path.hpp>
#include <socketserver/http_range.hpp>
#include <socketserver/http_session.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz.hpp"

using namespace socketserver;

namespace {

// Says back what it was asked, and looks at whatever else a stranger's bytes are handed to.
class Mirror : public HttpSession {
 public:
  using HttpSession::HttpSession;

  bool wants_content(const RequestHead& head) override { return head.method != "GET"; }

  HttpResponse answer(const RequestHead& head, std::string content) override {
    const TargetPath path = path_of(head.target);
    for (const std::string& name : path.names) {
      fuzz::expect(!name.empty() && name != "." && name != "..");
      fuzz::expect(name.find('/') == name.npos && name.find('\0') == name.npos);
    }
    const RangeAnswer range = range_of(head.fields.get("Range").value_or(""), content.size());
    if (range.kind == RangeAnswer::Kind::part) {
      fuzz::expect(range.range.size > 0 && range.range.first < content.size());
      fuzz::expect(range.range.size <= content.size() - range.range.first);
    }
    HttpResponse response;
    response.body = head.line() + "\n" + content;
    response.chunked = head.fields.count("Transfer-Encoding") > 0;
    return response;
  }

  void log_request(const RequestHead&, int) override {}
};

// What a server does with an output: sends what there is, until there is no more.
void send_all_of(Output& out, std::string& sent) {
  while (!out.unsent().empty()) {
    sent += out.unsent();
    out.sent(out.unsent().size());
  }
}

// Answers, without the one line that the clock decides.
std::string answers_to(std::string_view bytes, std::size_t piece, const HttpLimits& limits) {
  const Address client;
  Mirror session(client, limits);
  Output out;
  std::string sent;
  for (std::size_t at = 0; at < bytes.size() && !out.ended(); at += piece) {
    session.received(bytes.substr(at, piece), out);
    send_all_of(out, sent);
  }
  for (std::size_t at = 0; (at = sent.find("\r\nDate: ", at)) != sent.npos;) {
    sent.erase(at, sent.find("\r\n", at + 2) - at);
  }
  return sent;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  HttpLimits limits;  // small ones, so that they are reached
  limits.request_line = 32 + data[0];
  limits.field_line = 32 + data[1];
  limits.fields = 512;
  limits.field_count = 8;
  limits.body = 256;
  const std::size_t piece = 1 + data[2];
  const std::string_view bytes = fuzz::text_of(data + 3, size - 3);
  fuzz::expect(answers_to(bytes, piece, limits) == answers_to(bytes, bytes.size() + 1, limits));
  return 0;
}
