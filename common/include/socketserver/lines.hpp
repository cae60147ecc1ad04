#pragma once

#include <cstddef>
#include <string_view>

namespace socketserver {

/// The lines of a reader, for a loop: Python's `for line in self.rfile`.
///
///     for (const std::string_view line : lines(rfile(), 65536)) …
///
/// Each turn calls `read_line(limit)`, and blocks and throws as that does; the loop ends at end of
/// file. A line is valid until the next turn. For StreamReader and PacketReader alike.
template <class Reader>
class Lines {
 public:
  /// What ends the loop.
  struct End {};

  /// Where the loop is.
  class Iterator {
   public:
    /// Reads the first line.
    explicit Iterator(Lines& lines) : lines_(lines) { ++*this; }
    /// The line.
    std::string_view operator*() const noexcept { return line_; }
    /// Reads the next one.
    Iterator& operator++() {
      line_ = lines_.reader_.read_line(lines_.limit_);
      return *this;
    }
    /// Whether there is one more.
    bool operator!=(End) const noexcept { return !line_.empty(); }

   private:
    Lines& lines_;
    std::string_view line_;
  };

  /// The lines of `reader`, which outlives the loop, each of them at most `limit` bytes long.
  Lines(Reader& reader, std::size_t limit) noexcept : reader_(reader), limit_(limit) {}

  /// Reads the first line.
  Iterator begin() { return Iterator(*this); }
  /// What the loop is compared with.
  End end() const noexcept { return {}; }

 private:
  Reader& reader_;
  std::size_t limit_;
};

/// The lines of `reader`, from where it stands.
/// @param limit  the longest line in bytes, its newline counted
template <class Reader>
[[nodiscard]] Lines<Reader> lines(Reader& reader, std::size_t limit) noexcept {
  return {reader, limit};
}

}  // namespace socketserver
