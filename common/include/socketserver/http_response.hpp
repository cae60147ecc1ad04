#pragma once

#include <socketserver/file_descriptor.hpp>
#include <socketserver/http_message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace socketserver {

/// A part of an open file: the content of an answer, read when it is sent.
struct FileSlice {
  FileDescriptor file;       ///< open for reading
  std::uint64_t offset = 0;  ///< where the next piece begins
  std::uint64_t size = 0;    ///< how many bytes are left

  /// Reads the next bytes of it, `most` at most, and moves on. Does not wait for a client.
  /// @throws std::system_error naming pread; std::runtime_error if the file has become shorter: an
  ///         answer that has said its length cannot keep its word then
  [[nodiscard]] std::string next(std::size_t most);
};

/// An answer as a service makes it: what it is, not how it is sent.
struct HttpResponse {
  int status = 200;               ///< "200" for "OK"
  HeaderFields fields;            ///< without those that say how it is sent
  std::string body;               ///< the content, if there is no file
  std::optional<FileSlice> file;  ///< or this
  bool chunked = false;           ///< whether `body` goes out in chunks, to whoever knows them

  /// How many bytes of content there are.
  [[nodiscard]] std::uint64_t size() const noexcept { return file ? file->size : body.size(); }
};

/// An answer that is a small page for a person, which says what is wrong. Python's `send_error`.
/// @param why  in a sentence; if there is none, explanation() of the status
[[nodiscard]] HttpResponse error_response(int status, std::string_view why = {});

/// The first lines of an answer, put together one by one. What is written here is what goes over
/// the wire: nothing that a client has sent can begin a line of its own.
class ResponseHead {
 public:
  /// Begins with the status line, and the fields that every answer has: Server and Date.
  /// @param reason  what the status is called; empty: reason_phrase()
  /// @throws std::invalid_argument if `reason` has a control character in it
  void begin(int status, std::string_view reason, std::string_view server);

  /// Adds a field. @throws std::invalid_argument if the name is no token, or the value has a
  /// control character in it
  void add(std::string_view name, std::string_view value);

  /// Adds what says how the content ends, and whether the connection does.
  ///
  /// What was added before is looked at: an answer that has said neither its length nor that it is
  /// chunked, and may have content, ends with the connection.
  /// @param request  what is answered: HTTP/1.0 must be told that its connection is kept
  /// @param keep     whether the connection is to be kept
  /// @returns whether it is
  bool finish(const RequestHead& request, bool keep);

  /// Takes all of it out: the bytes to send.
  [[nodiscard]] std::string take();

  /// Whether begin() was called, and take() was not.
  [[nodiscard]] bool begun() const noexcept { return !text_.empty(); }

 private:
  std::string text_;
  int status_ = 0;
  bool says_length_ = false;
  bool says_close_ = false;
};

/// Adds to `head` all that `response` says, its length or its chunks too.
/// @returns whether the content goes out in chunks
bool describe(ResponseHead& head, const HttpResponse& response, const RequestHead& request);

}  // namespace socketserver
