#pragma once

#include <socketserver/request_handler.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace socketserver {

/// A packet, read as if it were a file: the `rfile` of a DatagramRequestHandler.
///
/// It looks at the packet's bytes and does not copy them: what it returns is valid as long as the
/// request. Not synchronised.
class PacketReader {
 public:
  /// An empty packet.
  PacketReader() noexcept = default;

  /// Reads `packet` from its first byte.
  explicit PacketReader(std::string_view packet) noexcept : rest_(packet) {}

  /// All that has not been read yet; empty if that is nothing.
  std::string_view read() noexcept { return take(rest_.size()); }

  /// The next `size` bytes, or what is left if that is less.
  std::string_view read(std::size_t size) noexcept { return take(std::min(size, rest_.size())); }

  /// The next line, its newline included; the last one may have none. Empty at the end.
  /// @param limit  the longest line, its newline counted
  /// @throws std::length_error if the line is longer
  std::string_view read_line(std::size_t limit) {
    const std::size_t newline = rest_.find('\n');
    const std::size_t size = newline == std::string_view::npos ? rest_.size() : newline + 1;
    if (size > limit) throw std::length_error("the line is too long");
    return take(size);
  }

  /// Whether a line with its newline is left.
  [[nodiscard]] bool has_line() const noexcept { return rest_.find('\n') != rest_.npos; }

 private:
  std::string_view take(std::size_t size) noexcept {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

/// A packet under construction: the `wfile` of a DatagramRequestHandler.
///
/// Keeps what is written; finish() sends it as one datagram. Not synchronised.
class PacketWriter {
 public:
  /// Adds `bytes` to the answer. No bytes are an answer too.
  void write(std::string_view bytes) {
    written_ = true;
    bytes_ += bytes;
  }

  /// Does nothing: a datagram leaves as a whole. Here so that one service can serve streams and
  /// datagrams alike.
  void flush() noexcept {}

  /// Whether write() was called.
  [[nodiscard]] bool written() const noexcept { return written_; }

  /// What was written so far.
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
  bool written_ = false;
};

/// A handler whose request is one datagram, and its answer another. You write setup() and finish()
/// in lesson 02.
///
/// Derive, and override handle(): read from rfile(), write to wfile(). Source: Python's
/// `socketserver.DatagramRequestHandler`, which always answers, after an exception and without a
/// write() too; this one does not.
class DatagramRequestHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  /// Lays the packet out for reading.
  /// @throws std::length_error if it has arrived cut: half a request is not answered
  void setup() override;

  /// Sends what was written to wfile() as one datagram, if and only if handle() has returned and
  /// has called write().
  ///
  /// A client that has gone (ECONNREFUSED, ENOENT) is no error. Does not wait: an answer that the
  /// kernel cannot take now is lost, as it could be on its way.
  /// @throws std::system_error naming sendto: the answer is longer than a datagram (EMSGSIZE), …
  void finish() override;

  /// The bytes of the packet. Python's `packet`.
  [[nodiscard]] std::string_view packet() noexcept { return request().packet(); }

  /// The server's socket, by which the answer goes. Python's `socket`.
  [[nodiscard]] int socket() noexcept { return request().fileno(); }

  /// The packet, for reading.
  [[nodiscard]] PacketReader& rfile() noexcept { return rfile_; }

  /// The answer, for writing.
  [[nodiscard]] PacketWriter& wfile() noexcept { return wfile_; }

 private:
  PacketReader rfile_;
  PacketWriter wfile_;
};

}  // namespace socketserver
