#pragma once

#include <socketserver/http_message.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace socketserver {

/// Finds the end of a message's content, and what of the bytes is content.
///
/// It wants a line or a number of bytes, by turns, until it is done(); whoever has them hands them
/// on. It keeps none of them. Not synchronised.
class BodyDecoder {
 public:
  /// No content: done() at once.
  BodyDecoder() noexcept = default;

  /// The content that a request announces. RFC 9112, 6.3.
  ///
  /// A request that has two opinions of its length is refused: whoever stands before this server
  /// may have the other one, and what one takes for content is a request to the other
  /// ("smuggling").
  /// @param limits  outlives the decoder
  /// @throws HttpError 400, 413, 501
  BodyDecoder(const RequestHead& head, const HttpLimits& limits);

  /// The content of a response, for a client. RFC 9112, 6.3.
  /// @param status  of the response
  /// @param method  of the request that it answers
  /// @param fields  of the response
  /// @param limits  outlives the decoder
  /// @throws HttpError 400
  static BodyDecoder of_response(int status, std::string_view method, const HeaderFields& fields,
                                 const HttpLimits& limits);

  /// Whether the end has come.
  [[nodiscard]] bool done() const noexcept { return state_ == State::done; }

  /// Whether a line comes next: for take_line(). If not, bytes do.
  [[nodiscard]] bool wants_line() const noexcept {
    return !done() && state_ != State::counted && state_ != State::chunk_data &&
           state_ != State::until_end;
  }

  /// How long that line may be, its end counted.
  [[nodiscard]] std::size_t longest_line() const noexcept;

  /// How many bytes of content come next, all together: for take_bytes().
  [[nodiscard]] std::uint64_t bytes_wanted() const noexcept { return left_; }

  /// The next line, with its end: the size of a chunk, what stands behind a chunk, a trailer.
  /// @throws HttpError 400, 413, 431
  void take_line(std::string_view line);

  /// The next line is longer than longest_line(). @throws HttpError 400, 431
  [[noreturn]] void line_too_long() const;

  /// So many bytes of content have come, bytes_wanted() at most.
  void take_bytes(std::uint64_t count) noexcept;

  /// The connection has ended. @returns whether that is an end of the content
  [[nodiscard]] bool take_end() noexcept;

 private:
  enum class State { done, counted, until_end, chunk_size, chunk_data, chunk_end, trailer };

  void begin(const HeaderFields& fields, const HttpLimits& limits);
  void begin_chunk(std::string_view line);
  void take_trailer(std::string_view line);

  const HttpLimits* limits_ = nullptr;
  State state_ = State::done;
  std::uint64_t left_ = 0;   // of what is counted, or of this chunk
  std::uint64_t total_ = 0;  // of all chunks so far
  std::size_t trailers_size_ = 0;
};

/// `bytes` as one chunk; none make the last one, with which the content ends. RFC 9112, 7.1.
[[nodiscard]] std::string chunk(std::string_view bytes);

}  // namespace socketserver
