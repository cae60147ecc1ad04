#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kit::bench {

/// Bytes of one line, its newline included.
inline constexpr std::size_t line_size = 64;

/// Writes line `number` of client `client`, line_size bytes, to `out`.
///
/// No two lines of a run are alike: an answer to another client, or to another line of the same
/// client, is as wrong as a changed byte. A line holds lower and upper case, digits, a NUL byte
/// and bytes above 127.
void write_line(std::uint32_t client, std::uint64_t number, char* out);

/// Writes the one right answer to that line: `a`-`z` in upper case, every other byte as it was.
void write_answer(std::uint32_t client, std::uint64_t number, char* out);

/// Compares the answers that one client gets with what they must be, however the stream is cut up
/// on its way.
class AnswerCheck {
 public:
  /// Waits for the first byte of the answer to line `first`.
  explicit AnswerCheck(std::uint32_t client, std::uint64_t first = 0) noexcept
      : client_(client), next_(first) {}

  /// Takes the next bytes of the stream. `asked` is the number of the first line that has not been
  /// asked for: an answer to that is wrong too. False as soon as a byte is wrong.
  bool take(std::string_view bytes, std::uint64_t asked);

  /// The line whose answer comes next; all before it are answered.
  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }

  /// How many bytes of its answer have come.
  [[nodiscard]] std::size_t part() const noexcept { return part_; }

  /// After take() returned false: `line 5: expected "AB\n" (3 bytes), got "Ab\n" (3 bytes)`.
  [[nodiscard]] const std::string& mistake() const noexcept { return mistake_; }

 private:
  std::uint32_t client_;
  std::uint64_t next_;
  std::size_t part_ = 0;
  std::string mistake_;
};

/// Compares a datagram, whole, with the answer to line `number`.
bool is_answer(std::string_view datagram, std::uint32_t client, std::uint64_t number);

/// `line 5: expected … got …` for what came in place of the answer to that line.
std::string describe_mistake(std::uint64_t number, std::string_view expected, std::string_view got);

}  // namespace kit::bench
