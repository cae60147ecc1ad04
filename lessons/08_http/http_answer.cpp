// What an answer says of its own end: its length, its chunks, or the end of the connection.
// The contracts: http_response.hpp, http_message.hpp. See also: RFC 9112, 6.3 and 9.3;
// RFC 9110, 8.6.

#include <socketserver/http_response.hpp>
#include <socketserver/http_words.hpp>
#include <socketserver/not_written.hpp>

#include <string>

namespace socketserver {

bool RequestHead::keeps_alive() const {
  // TODO(08.B): what does the list of Connection say, and what does the version say without it?
  not_written("08.B", "RequestHead::keeps_alive");
}

bool ResponseHead::finish([[maybe_unused]] const RequestHead& request, [[maybe_unused]] bool keep) {
  // TODO(08.B): is the end of the content known without the end of the connection? Add Connection,
  // where the client must be told, and the empty line to text_. Return whether the connection is
  // kept.
  not_written("08.B", "ResponseHead::finish");
}

bool describe([[maybe_unused]] ResponseHead& head, [[maybe_unused]] const HttpResponse& response,
              [[maybe_unused]] const RequestHead& request) {
  // TODO(08.B): add the answer's own fields, then its length or its chunks: not where there is
  // never content, and no chunks for HTTP/1.0.
  not_written("08.B", "describe");
}

}  // namespace socketserver
