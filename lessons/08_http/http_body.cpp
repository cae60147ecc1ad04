// Where the content of a message ends: a length, chunks, or the connection's end.
// The contract: http_body.hpp. See also: RFC 9112, 6 and 7.

#include <socketserver/http_body.hpp>
#include <socketserver/http_words.hpp>
#include <socketserver/not_written.hpp>

namespace socketserver {
namespace {

constexpr std::size_t longest_chunk_line = 256;  // a size has 16 digits; extensions are passed over

}  // namespace

// ---- the content of a request ------------------------------------------------------------------

bool RequestHead::expects_continue() const {
  if (fields.count("Expect") == 0) return false;  // given
  // TODO(08.G): does the list of Expect say 100-continue, and may this version mean it?
  not_written("08.G", "RequestHead::expects_continue");
}

BodyDecoder::BodyDecoder(const RequestHead& head, const HttpLimits& limits) : limits_(&limits) {
  const HeaderFields& fields = head.fields;
  if (fields.count("Content-Length") + fields.count("Transfer-Encoding") == 0) return;  // given
  // TODO(08.G): a length or chunks, and 413 if the length is over limits.body.
  // In 08.I: what has two lengths, or one that is none, is refused.
  not_written("08.G", "BodyDecoder::BodyDecoder");
}

// ---- the content of an answer ------------------------------------------------------------------

BodyDecoder BodyDecoder::of_response(int status, std::string_view method,
                                     [[maybe_unused]] const HeaderFields& fields,
                                     const HttpLimits& limits) {
  BodyDecoder decoder;
  decoder.limits_ = &limits;
  if (method == "HEAD" || never_has_content(status)) return decoder;  // given
  // TODO(08.F): does the answer say a length, or chunks? If neither, the content goes on until the
  // connection ends: State::until_end. Set state_ and left_ of the decoder.
  not_written("08.F", "BodyDecoder::of_response");
}

// ---- content, as it comes ----------------------------------------------------------------------

std::size_t BodyDecoder::longest_line() const noexcept {
  if (state_ == State::chunk_end) return 2;  // CR and LF: behind a chunk stands nothing else
  return state_ == State::trailer ? limits_->field_line : longest_chunk_line;
}

void BodyDecoder::line_too_long() const {
  if (state_ == State::trailer) throw HttpError(431, "a trailer field is too long");
  if (state_ == State::chunk_end) throw HttpError(400, "a chunk is longer than it says");
  throw HttpError(400, "the line before a chunk is too long");
}

void BodyDecoder::take_line(std::string_view whole_line) {
  if (whole_line.size() > longest_line()) line_too_long();
  [[maybe_unused]] const std::string_view line = without_line_end(whole_line);
  // TODO(08.F): the line before a chunk, the end of a chunk, or a trailer: state_ says which. What
  // comes after it? begin_chunk() and take_trailer() are declared for you.
  not_written("08.F", "BodyDecoder::take_line");
}

void BodyDecoder::take_bytes([[maybe_unused]] std::uint64_t count) noexcept {
  // TODO(08.F): so many of the bytes that were wanted are there. Is that all of them?
  not_written("08.F", "BodyDecoder::take_bytes");
}

bool BodyDecoder::take_end() noexcept {
  // TODO(08.F): is this how the content may end?
  not_written("08.F", "BodyDecoder::take_end");
}

std::string chunk([[maybe_unused]] std::string_view bytes) {
  // TODO(08.H): the size in hexadecimal digits, and the bytes, each with CR and LF behind it.
  not_written("08.H", "chunk");
}

}  // namespace socketserver
