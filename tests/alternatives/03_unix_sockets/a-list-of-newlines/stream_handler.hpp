#pragma once

#include <socketserver/request_handler.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socketserver {

/// The bytes of a connection, read as if they were a file: the `rfile` of a StreamRequestHandler.
///
/// A stream has no lines; this finds them, by keeping what has come until a newline has come too.
/// Not synchronised.
class StreamReader {
 public:
  /// Reads from the connection `fd`, which it does not close.
  explicit StreamReader(int fd) noexcept : fd_(fd) {}

  /// The next line, its newline included; the last one, before end of file, may have none. Empty at
  /// end of file.
  ///
  /// Blocks until the line is whole. Valid until the next call.
  /// @param limit  the longest line in bytes, its newline counted; no more than about twice as many
  ///               bytes are ever kept
  /// @throws std::length_error if the line is longer
  /// @throws std::system_error naming recv; std::errc::timed_out if the handler's timeout is over
  std::string_view read_line(std::size_t limit);

  /// Whether a whole line has come already: read_line() would not wait. Does not block.
  [[nodiscard]] bool has_line() noexcept;

 private:
  int fd_;
  bool at_end_ = false;
  std::string line_;              // what the last read_line() has returned
  std::string kept_;              // what has come and was not taken
  std::size_t taken_ = 0;         // how much of kept_ is taken all the same, and not yet erased
  std::deque<std::size_t> ends_;  // in kept_, behind each newline that was not taken yet
};

/// The way back: the `wfile` of a StreamRequestHandler. Not synchronised.
class StreamWriter {
 public:
  /// Writes to the connection `fd`, which it does not close.
  /// @param size  how many bytes are gathered before they are sent; 0: each write() is sent at once
  StreamWriter(int fd, std::size_t size) noexcept : fd_(fd), size_(size) {}

  /// Writes all of `bytes`, or throws. Unbuffered, they have left when it returns.
  /// @throws std::system_error naming send; std::logic_error after close()
  void write(std::string_view bytes);

  /// Sends what was gathered. Blocks until the kernel has taken it.
  /// @throws std::system_error naming send; what was gathered is lost then
  void flush();

  /// flush(), and the end: a later write() is an error, and finish() does not flush again. The
  /// connection stays open: its goodbye is the server's, see TCPServer::shutdown_request().
  void close();

 private:
  int fd_;
  std::size_t size_;
  std::vector<char> waiting_;
  enum class State { open, closed } state_ = State::open;
};

/// A handler whose request is a connection, with a file to read from and a file to write to.
///
/// Derive, and override handle(): read from rfile(), write to wfile(). The attributes are set
/// before StreamRequestHandler::setup() is called: in a derived setup(), or in a constructor.
/// Source: Python's `socketserver.StreamRequestHandler`.
class StreamRequestHandler : public BaseRequestHandler {
 public:
  /// Its rfile() and wfile() are those of the request's connection.
  StreamRequestHandler(Request& request, BaseServer& server) noexcept;

  /// How many bytes wfile() gathers before it sends them; 0: none. Python: 0.
  std::size_t wbufsize = 0;

  /// How long rfile() and wfile() wait for a client that does nothing; no value: for ever.
  std::optional<std::chrono::milliseconds> timeout;

  /// Whether small packets leave at once, even while an earlier one is not acknowledged
  /// (TCP_NODELAY). TCP only: on a Unix stream it means nothing.
  bool disable_nagle_algorithm = false;

  /// Applies the attributes. @throws std::system_error naming setsockopt
  void setup() override;

  /// Sends what wfile() still has. A client that has gone is no error.
  void finish() override;

  /// What the client sends.
  [[nodiscard]] StreamReader& rfile() noexcept { return rfile_; }

  /// What the client gets.
  [[nodiscard]] StreamWriter& wfile() noexcept { return wfile_; }

 private:
  StreamReader rfile_;
  StreamWriter wfile_;
};

}  // namespace socketserver
