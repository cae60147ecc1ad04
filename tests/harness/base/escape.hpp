#pragma once

// How bytes are shown to a person: every control byte and every byte above 127 as a C escape, so
// that nothing a program says can move the cursor, forge a line of the report or be obeyed by CTest
// (which reads markup such as <CTestMeasurement> from a test's output).

#include <cstddef>
#include <iomanip>  // std::quoted: an unqualified call finds it for a std::string, so nobody makes one
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// The bytes with escapes: \n \t \r \0 \\ \" \xHH. No quotes around them.
std::string escape(std::string_view bytes);

/// As `escape`, for a line of running text: quotes and backslashes stay as they are.
std::string escape_text(std::string_view line);

/// `"hello\n" (6 bytes)`; what is wider than `columns` is cut: `"aaaa"... (65,536 bytes)`.
std::string quoted(std::string_view bytes, std::size_t columns = 60);

/// How many of the bytes, escaped, fit into so many columns.
std::size_t fitting(std::string_view bytes, std::size_t columns);

/// Columns on a terminal: a byte that goes on with a letter of UTF-8 takes none.
std::size_t width_of(std::string_view text);

/// How many bytes make the first `columns` columns; no letter is cut.
std::size_t bytes_of(std::string_view text, std::size_t columns);

/// A line of a report as lines of at most `columns` columns. What it quotes is cut to fit, and says
/// its length: `"aaaa"... (65,536 bytes)`; the rest is broken at blanks; a word that is too long
/// for a line shows its two ends. The first `keep` columns are not cut out of a quotation: a caret
/// points there.
std::vector<std::string> in_lines(std::string_view text, std::size_t columns, std::size_t keep = 0);

/// The same, and what it quotes goes on below: cut only if it would fill `most` lines.
std::vector<std::string> broken_lines(std::string_view text, std::size_t columns,
                                      std::size_t most = 3);

/// A word that a shell reads as these bytes, for kit-talk: 'hello\n'. (kit-talk knows the escapes.)
std::string shell_quoted(std::string_view bytes);

/// The bytes that C escapes stand for; nothing if an escape is not understood.
std::optional<std::string> unescape(std::string_view text);

/// 65536 -> "65,536".
std::string with_commas(std::size_t number);

/// "1 byte", "65,536 bytes".
std::string counted(std::size_t number, std::string_view noun);

/// Two byte strings side by side around their first difference.
struct Difference {
  std::size_t at = 0;    // offset of the first byte that differs (or where one of them ends)
  std::string expected;  // `"HELLO WORLD\n" (12 bytes)`, or a window: `…"LLO WORLD\n" (65,536 …`
  std::string got;
  std::string caret;  // spaces that reach under the differing byte of `got`
};
Difference difference(std::string_view expected, std::string_view got);

/// The last `count` lines of a text, each escaped and cut to `width`.
std::string last_lines(std::string_view text, std::size_t count, std::size_t width,
                       std::string_view prefix);

}  // namespace kit
