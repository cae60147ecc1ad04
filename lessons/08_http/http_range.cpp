// A part of a file. The contract: http_range.hpp. See also: RFC 9110, 14.

#include <socketserver/http_message.hpp>
#include <socketserver/http_range.hpp>
#include <socketserver/not_written.hpp>

namespace socketserver {

RangeAnswer range_of([[maybe_unused]] std::string_view text, [[maybe_unused]] std::uint64_t size) {
  // TODO(08.J): read the range. What is beyond the end of the file, what makes no sense?
  not_written("08.J", "range_of");
}

std::string content_range([[maybe_unused]] const ByteRange& range,
                          [[maybe_unused]] std::uint64_t size) {
  // TODO(08.J): the last byte belongs to the range.
  not_written("08.J", "content_range");
}

}  // namespace socketserver
