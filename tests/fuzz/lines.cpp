// The line reader: however the bytes come, the lines are the same; a line over the limit throws.

#include <stream_handler.hpp>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "fuzz.hpp"

using namespace socketserver;

namespace {

// The lines up to the first that is too long.
std::vector<std::string> lines_of(std::string_view text, std::size_t limit, bool& too_long) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    too_long = size > limit;
    if (too_long) break;
    lines.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t limit = 1 + data[0];
  std::string_view rest = fuzz::text_of(data + 2, size - 2);
  // A line may come in so many pieces before anybody reads: the kernel counts each of them, however
  // small, as nearly 1 KB, and holds some 270.
  constexpr std::size_t most_pieces = 128;
  const std::size_t piece = std::max<std::size_t>(1 + data[1], rest.size() / most_pieces + 1);
  bool too_long = false;
  const std::vector<std::string> expected = lines_of(rest, limit, too_long);

  fuzz::Pair pair;
  StreamReader reader(pair.theirs.get());
  std::size_t next = 0;
  if (rest.empty()) fuzz::send_and_end(pair.ours, rest);
  try {
    // Piece by piece, and whatever is whole by then is read.
    while (!rest.empty()) {
      const std::string_view now = rest.substr(0, piece);
      rest.remove_prefix(now.size());
      if (rest.empty()) {
        fuzz::send_and_end(pair.ours, now);
        break;
      }
      fuzz::expect(::send(pair.ours.get(), now.data(), now.size(), 0) ==
                   static_cast<ssize_t>(now.size()));
      if (now.find('\n') == now.npos) continue;
      do {
        fuzz::expect(next < expected.size() || too_long);
        const std::string_view line = reader.read_line(limit);
        fuzz::expect(line == expected.at(next));
        next += 1;
      } while (reader.has_line());
    }
    for (std::string_view line = reader.read_line(limit); !line.empty();
         line = reader.read_line(limit)) {
      fuzz::expect(line == expected.at(next));
      next += 1;
    }
    fuzz::expect(!too_long && next == expected.size());
  } catch (const std::length_error&) {
    fuzz::expect(too_long && next == expected.size());
  }
  return 0;
}
