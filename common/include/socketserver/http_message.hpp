#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace socketserver {

/// How much a client may say before it is refused. Each limit protects the server's memory.
struct HttpLimits {
  std::size_t request_line = 8192;   ///< bytes; over it: 414. RFC 9112, 3 asks for 8000 at least
  std::size_t field_line = 8192;     ///< bytes of one header field; over it: 431. Python: 65536
  std::size_t fields = 32768;        ///< bytes of all of them together; over it: 431
  std::size_t field_count = 100;     ///< over it: 431. Python: the same
  std::uint64_t body = 1024 * 1024;  ///< bytes; over it: 413
};

/// A request that cannot be served, because of how it was sent. Where the next one begins is not
/// known then: the answer says so, and closes the connection.
struct HttpError : std::runtime_error {
  /// @param code  the status of the answer: 400, 414, …
  /// @param why   what is wrong, in words for whoever wrote the client
  HttpError(int code, const std::string& why) : std::runtime_error(why), status(code) {}
  int status;  ///< of the answer
};

/// The header fields of a message, in the order in which they came. Python's `headers`.
class HeaderFields {
 public:
  /// One line of them.
  struct Field {
    std::string name;   ///< as it came
    std::string value;  ///< without the spaces around it
  };

  /// Adds one line. Several may have one name.
  void add(std::string_view name, std::string_view value);

  /// The value of the first field of that name, whatever the case of its letters.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;

  /// How many lines have that name.
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;

  /// The members of a list such as `Connection: close, upgrade`, which may stand on several lines;
  /// empty ones are passed over. RFC 9110, 5.6.1.
  [[nodiscard]] std::vector<std::string_view> list(std::string_view name) const;

  /// Whether that list has the word, whatever the case of its letters.
  [[nodiscard]] bool lists(std::string_view name, std::string_view word) const;

  /// All lines.
  [[nodiscard]] const std::vector<Field>& all() const noexcept { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// What stands before the content of a request: its first line, and its header fields.
struct RequestHead {
  std::string method;   ///< "GET"; case-sensitive. Python's `command`
  std::string target;   ///< as it came: "/a%20b?c", or "http://host/a". Python's `path`
  int minor = 1;        ///< of the version: 0 for HTTP/1.0, 1 for HTTP/1.1 and whatever follows it
  HeaderFields fields;  ///< Python's `headers`

  /// "GET /a HTTP/1.1", for the log. Python's `requestline`.
  [[nodiscard]] std::string line() const;

  /// Whether the client wants to ask more on this connection. RFC 9112, 9.3.
  [[nodiscard]] bool keeps_alive() const;

  /// Whether the client waits for "100 Continue" before it sends the content. RFC 9110, 10.1.1.
  /// @throws HttpError 417 if it expects anything else
  [[nodiscard]] bool expects_continue() const;
};

/// Whether both are the same word, whatever the case of their letters (ASCII, whatever the locale).
[[nodiscard]] bool same_word(std::string_view left, std::string_view right) noexcept;

/// Whether `text` is a token: one or more letters, digits, or marks that no grammar uses.
/// RFC 9110, 5.6.2.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// Whether the method is one that this kit has a name for: what is not allowed is then 405, and 501
/// is for the rest. RFC 9110, 9.1.
[[nodiscard]] bool is_known(std::string_view method) noexcept;

/// `text` without the spaces and tabs at both ends. RFC 9110, 5.6.3.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// Reads the head of a request, line by line.
///
/// HTTP/1.1 is lines and counted bytes, by turns. Whoever has the lines, a handler that waits for
/// them or a session that is handed them, gives each to take_line(), until done(). Not
/// synchronised.
class HeadParser {
 public:
  /// @param limits  outlives the parser
  explicit HeadParser(const HttpLimits& limits) noexcept : limits_(limits) {}

  /// Forgets this head: the next line is the first of another.
  void start();

  /// Whether the head is whole.
  [[nodiscard]] bool done() const noexcept { return done_; }

  /// Whether anything of it has come: an empty line alone does not count.
  [[nodiscard]] bool begun() const noexcept { return !head_.method.empty(); }

  /// How long the next line may be, its end counted.
  [[nodiscard]] std::size_t longest_line() const noexcept;

  /// The next line, with its end.
  /// @throws HttpError 400, 414, 431, 505
  void take_line(std::string_view line);

  /// The next line is longer than longest_line(). @throws HttpError 414, 431
  [[noreturn]] void line_too_long() const;

  /// The head, as far as it has come.
  [[nodiscard]] const RequestHead& head() const noexcept { return head_; }

 private:
  void take_request_line(std::string_view line);
  void take_field(std::string_view line);
  void check_host() const;

  const HttpLimits& limits_;
  RequestHead head_;
  std::size_t empty_lines_ = 0;
  std::size_t fields_size_ = 0;
  bool done_ = false;
};

/// A line of a message without its CRLF.
/// @throws HttpError 400 if it ends otherwise: who reads a lone LF as the end of a line, and talks
///         to one who does not, sees other messages than that one
[[nodiscard]] std::string_view without_line_end(std::string_view line);

/// Takes one field line apart, and adds it. For trailers too. RFC 9112, 5.
/// @throws HttpError 400
void add_field(HeaderFields& fields, std::string_view line);

}  // namespace socketserver
