// Where the content of a message ends: a length, chunks, or the connection's end.
// The contract: http_body.hpp. See also: RFC 9112, 6 and 7.

#include <socketserver/http_body.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

namespace socketserver {
namespace {

constexpr std::uint64_t without_limit = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t longest_chunk_line = 256;  // a size has 16 digits; extensions are passed over

// Digits and nothing else: no sign, no space. What no number can hold is too large in any case.
std::uint64_t number_of(std::string_view digits, int base, const char* what) {
  std::uint64_t value = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value, base);
  if (digits.empty() || end != last || error == std::errc::invalid_argument) {
    throw HttpError(400, std::string(what) + " is not a number");
  }
  if (error == std::errc::result_out_of_range) throw HttpError(413, "the content is too large");
  return value;
}

// `chunked` is what comes last, and comes once: otherwise nobody knows where the content ends.
// Other codings are lawful, and not known here. RFC 9112, 6.1
void check_codings(const HeaderFields& fields) {
  const std::vector<std::string_view> codings = fields.list("Transfer-Encoding");
  const auto is_chunked = [](std::string_view coding) { return same_word(coding, "chunked"); };
  if (codings.empty() || !is_chunked(codings.back()) ||
      std::count_if(codings.begin(), codings.end(), is_chunked) > 1) {
    throw HttpError(400, "chunked must be the last transfer coding, and be there once");
  }
  if (codings.size() > 1) throw HttpError(501, "the one transfer coding known here is chunked");
}

}  // namespace

bool RequestHead::expects_continue() const {
  if (minor == 0) return false;  // it cannot mean it. RFC 9110, 10.1.1
  bool expects = false;
  for (const std::string_view expectation : fields.list("Expect")) {
    if (!same_word(expectation, "100-continue")) {
      throw HttpError(417, "the one expectation that is known here is 100-continue");
    }
    expects = true;
  }
  return expects;
}

BodyDecoder::BodyDecoder(const RequestHead& head, const HttpLimits& limits) {
  const HeaderFields& fields = head.fields;
  if (fields.count("Transfer-Encoding") > 0) {
    if (fields.count("Content-Length") > 0) {
      throw HttpError(400, "Content-Length and Transfer-Encoding: which of them is right?");
    }
    if (head.minor == 0) throw HttpError(400, "HTTP/1.0 has no Transfer-Encoding");
  }
  begin(fields, limits);
  if (left_ > limits.body) throw HttpError(413, "the content is too large");
}

BodyDecoder BodyDecoder::of_response(int status, std::string_view method,
                                     const HeaderFields& fields, const HttpLimits& limits) {
  BodyDecoder decoder;
  decoder.limits_ = &limits;
  if (method == "HEAD" || status < 200 || status == 204 || status == 304) return decoder;
  const std::vector<std::string_view> codings = fields.list("Transfer-Encoding");
  const bool is_chunked = !codings.empty() && same_word(codings.back(), "chunked");
  if (is_chunked || (codings.empty() && fields.count("Content-Length") > 0)) {
    decoder.begin(fields, limits);
  } else {
    decoder.state_ = State::until_end;
    decoder.left_ = without_limit;
  }
  return decoder;
}

// Neither field: a request has no content.
void BodyDecoder::begin(const HeaderFields& fields, const HttpLimits& limits) {
  limits_ = &limits;
  if (fields.count("Transfer-Encoding") > 0) {
    check_codings(fields);
    state_ = State::chunk_size;
    return;
  }
  if (fields.count("Content-Length") == 0) return;
  const std::vector<std::string_view> lengths = fields.list("Content-Length");
  if (lengths.empty()) throw HttpError(400, "Content-Length is empty");
  for (const std::string_view length :
       lengths) {  // the same, again and again, is one. RFC 9110, 8.6
    if (length != lengths.front()) throw HttpError(400, "Content-Length: which of them is right?");
  }
  left_ = number_of(lengths.front(), 10, "Content-Length");
  if (left_ > 0) state_ = State::counted;
}

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
  const std::string_view line = without_line_end(whole_line);
  if (state_ == State::chunk_size) return begin_chunk(line);
  if (state_ == State::trailer) return take_trailer(line);
  state_ = State::chunk_size;
}

// "1a", or "1a;name=value": extensions that are not known are passed over. RFC 9112, 7.1.1
void BodyDecoder::begin_chunk(std::string_view line) {
  const std::size_t semicolon = line.find(';');
  std::string_view size = line.substr(0, semicolon);
  if (semicolon != line.npos) {
    size = size.substr(0, size.find_last_not_of(" \t") + 1);  // before ";" alone
    for (const char byte : line.substr(semicolon)) {
      const auto value = static_cast<unsigned char>(byte);
      if ((value < ' ' && value != '\t') || value == 0x7f) {
        throw HttpError(400, "a chunk's extension has a control character in it");
      }
    }
  }
  left_ = number_of(size, 16, "the size of a chunk");
  if (left_ > limits_->body || total_ > limits_->body - left_) {
    throw HttpError(413, "the content is too large");
  }
  total_ += left_;
  state_ = left_ > 0 ? State::chunk_data : State::trailer;
}

// Looked at for their form, and dropped: a trailer must not change what a head has said.
void BodyDecoder::take_trailer(std::string_view line) {
  if (line.empty()) {
    state_ = State::done;
    return;
  }
  trailers_size_ += line.size() + 2;
  if (trailers_size_ > limits_->fields) throw HttpError(431, "the trailer fields are too long");
  HeaderFields dropped;
  add_field(dropped, line);
}

void BodyDecoder::take_bytes(std::uint64_t count) noexcept {
  if (state_ == State::until_end) return;
  left_ -= std::min(count, left_);
  if (left_ > 0) return;
  state_ = state_ == State::counted ? State::done : State::chunk_end;
}

bool BodyDecoder::take_end() noexcept {
  if (state_ == State::until_end) state_ = State::done;
  return done();
}

std::string chunk(std::string_view bytes) {
  char size[16];
  const auto [end, error] = std::to_chars(std::begin(size), std::end(size), bytes.size(), 16);
  (void)error;  // 16 digits hold any size
  std::string text(std::begin(size), end);
  text += "\r\n";
  text += bytes;
  return text += "\r\n";
}

}  // namespace socketserver
