// What an answer says of its own end: its length, its chunks, or the end of the connection.
// The contracts: http_response.hpp, http_message.hpp. See also: RFC 9112, 6.3 and 9.3; RFC
// 9110, 8.6.

#include <socketserver/http_response.hpp>
#include <socketserver/http_words.hpp>

#include <string>

namespace socketserver {

bool RequestHead::keeps_alive() const {
  if (fields.lists("Connection", "close")) return false;
  return minor >= 1 || fields.lists("Connection", "keep-alive");
}

bool ResponseHead::finish(const RequestHead& request, bool keep) {
  const bool says_end = says_length_ || never_has_content(status_) || request.method == "HEAD";
  const bool kept = keep && says_end && !says_close_;
  if (!kept && !says_close_) add("Connection", "close");
  if (kept) add("Connection", "keep-alive");
  text_ += "\r\n";
  return kept;
}

// No length where there is never content: 204 must not have one, and for 304 it would be the length
// of what was not sent. HTTP/1.0 knows no chunks. RFC 9110, 8.6
bool describe(ResponseHead& head, const HttpResponse& response, const RequestHead& request) {
  for (const HeaderFields::Field& field : response.fields.all()) head.add(field.name, field.value);
  if (never_has_content(response.status)) return false;
  const bool chunked = response.chunked && request.minor >= 1;
  if (chunked) {
    head.add("Transfer-Encoding", "chunked");
  } else {
    head.add("Content-Length", std::to_string(response.size()));
  }
  return chunked;
}

}  // namespace socketserver
