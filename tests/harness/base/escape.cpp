#include "escape.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "limits.hpp"

namespace kit {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool goes_on(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// One byte as C would write it. `next` decides whether \0 would run into a digit.
void append_escaped(std::string& out, unsigned char byte, unsigned char next) {
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '"':
      out += "\\\"";
      return;
    case '\0':
      if (next < '0' || next > '9') {
        out += "\\0";
        return;
      }
      break;
    default:
      if (byte >= 0x20 && byte < 0x7f) {
        out += static_cast<char>(byte);
        return;
      }
  }
  out += "\\x";
  out += hex_digits[byte >> 4];
  out += hex_digits[byte & 15];
}

// CTest obeys <CTest…> and <DartMeasurement…> anywhere in a test's output.
std::string without_markup(std::string text) {
  for (std::string_view mark : {"<CTest", "</CTest", "<Dart", "</Dart"}) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += 4) {
      text.replace(at, 1, "\\x3c");
    }
  }
  return text;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

}  // namespace

std::string escape(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned char next = i + 1 < bytes.size() ? static_cast<unsigned char>(bytes[i + 1]) : 0;
    append_escaped(out, static_cast<unsigned char>(bytes[i]), next);
  }
  return without_markup(std::move(out));
}

std::string escape_text(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (byte == '"' || byte == '\\') {
      out += line[i];
    } else {
      append_escaped(out, byte, 0);
    }
  }
  return without_markup(std::move(out));
}

std::size_t fitting(std::string_view bytes, std::size_t columns) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    append_escaped(out, static_cast<unsigned char>(bytes[i]), '0');
    if (out.size() > columns) return i;
  }
  return bytes.size();
}

std::string quoted(std::string_view bytes, std::size_t columns) {
  const std::size_t shown = fitting(bytes, columns);
  return '"' + escape(bytes.substr(0, shown)) + (shown < bytes.size() ? "\"... (" : "\" (") +
         counted(bytes.size(), "byte") + ')';
}

std::string shell_quoted(std::string_view bytes) {
  std::string out = "'";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\'') {
      out += "\\x27";  // an escape of kit-talk's: a quote inside quotes is hard to read
    } else if (c == '"') {
      out += '"';
    } else {
      append_escaped(out, static_cast<unsigned char>(c),
                     i + 1 < bytes.size() ? static_cast<unsigned char>(bytes[i + 1]) : 0);
    }
  }
  return without_markup(out + '\'');
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    switch (text[i]) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case '0':
        out += '\0';
        break;
      case '\\':
        out += '\\';
        break;
      case '"':
        out += '"';
        break;
      case '\'':
        out += '\'';
        break;
      case 'x': {
        // Two digits at most: unlike C, so that a letter may follow a byte.
        if (i + 1 >= text.size() || !is_hex(text[i + 1])) return std::nullopt;
        int value = hex_value(text[++i]);
        if (i + 1 < text.size() && is_hex(text[i + 1])) value = value * 16 + hex_value(text[++i]);
        out += static_cast<char>(value);
        break;
      }
      default:
        return std::nullopt;
    }
  }
  return out;
}

std::string with_commas(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string counted(std::size_t number, std::string_view noun) {
  std::string out = with_commas(number) + ' ';
  out += noun;
  if (number != 1) out += noun.ends_with('s') ? "es" : "s";
  return out;
}

Difference difference(std::string_view expected, std::string_view got) {
  Difference result;
  const auto [e, g] = std::mismatch(expected.begin(), expected.end(), got.begin(), got.end());
  (void)g;
  result.at = static_cast<std::size_t>(e - expected.begin());

  // Show both from the start if the difference is near it, else a window that begins just before.
  std::size_t from = 0;
  if (result.at > 0 && fitting(expected.substr(0, result.at), limits::shown_near) < result.at) {
    from = result.at;
    while (from > 0 && fitting(expected.substr(from - 1, result.at - from + 1),
                               limits::shown_before) == result.at - from + 1) {
      --from;
    }
  }
  const std::string lead = from == 0 ? "" : "byte " + with_commas(from) + " on: ";
  const auto window = [&](std::string_view bytes) {
    const std::string_view part = bytes.substr(std::min(from, bytes.size()));
    const std::size_t shown = fitting(part, limits::shown_bytes);
    return lead + '"' + escape(part.substr(0, shown)) + (shown < part.size() ? "\"... (" : "\" (") +
           (from == 0 ? "" : "of ") + counted(bytes.size(), "byte") + ')';
  };
  result.expected = window(expected);
  result.got = window(got);
  const std::size_t shown_until = std::min(result.at, got.size());
  result.caret = std::string(
      lead.size() + 1 + escape(got.substr(from, shown_until - std::min(from, shown_until))).size(),
      ' ');
  return result;
}

std::string last_lines(std::string_view text, std::size_t count, std::size_t width,
                       std::string_view prefix) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return {};
  std::vector<std::string_view> lines;
  std::size_t end = text.size();
  while (lines.size() < count) {
    const std::size_t newline = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
    const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    lines.push_back(text.substr(begin, end - begin));
    if (begin == 0) break;
    end = begin - 1;
  }
  std::string out;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    std::string shown = escape_text(line->substr(0, width));
    if (line->size() > width) shown += "...";
    out += prefix;
    out += shown;
    out += '\n';
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !goes_on(c); }));
}

std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!goes_on(text[at]) && columns-- == 0) break;
  }
  return at;
}

namespace {

// A quotation that would have to be shorter goes to the next line instead.
constexpr std::size_t least_quotation = 24;

// Behind the letter that begins here, or the escape.
std::size_t letter_end(std::string_view text, std::size_t at) {
  const bool escaped = text[at] == '\\' && at + 1 < text.size();
  if (!escaped) return at + bytes_of(text.substr(at), 1);
  const std::size_t digits = text[at + 1] == 'x' ? 2 : 0;
  at += 2;
  for (std::size_t i = 0; i < digits && at < text.size() && is_hex(text[at]); ++i) ++at;
  return at;
}

// A word, or a quotation with what belongs to it: "aaaa"... (65,536 bytes),
struct Piece {
  std::string_view quotation, rest;
  std::size_t width() const { return width_of(quotation) + width_of(rest); }
  std::string text() const { return std::string(quotation) + std::string(rest); }
};

Piece first_piece(std::string_view text) {
  const auto blank_after = [text](std::size_t at) {
    return std::min(text.find(' ', at), text.size());
  };
  std::size_t closed = text.starts_with('"') ? 1 : text.size();
  while (closed < text.size() && text[closed] != '"') closed = letter_end(text, closed);
  if (closed >= text.size()) return {{}, text.substr(0, blank_after(0))};
  ++closed;
  std::size_t end = blank_after(closed);
  if (text.substr(end).starts_with(" ("))
    end = blank_after(std::min(text.find(')', end), text.size()));
  return {text.substr(0, closed), text.substr(closed, end - closed)};
}

// Cut to so many columns, or nothing if less than `least` were left of what is quoted.
std::optional<std::string> shorter(const Piece& piece, std::size_t columns, std::size_t least) {
  if (piece.quotation.empty()) return std::nullopt;
  std::string rest(piece.rest);
  if (!rest.starts_with("...")) {
    const auto bytes = unescape(piece.quotation.substr(1, piece.quotation.size() - 2));
    const bool told = rest.starts_with(" (") || !bytes;
    rest.insert(0, told ? "..." : "... (" + counted(bytes->size(), "byte") + ')');
  }
  const std::size_t taken = width_of(rest) + 2;
  if (columns < taken + least) return std::nullopt;
  std::size_t end = 1;
  while (end + 1 < piece.quotation.size()) {
    const std::size_t next = letter_end(piece.quotation, end);
    if (width_of(piece.quotation.substr(1, next - 1)) > columns - taken) break;
    end = next;
  }
  return std::string(piece.quotation.substr(0, end)) + '"' + rest;
}

// Of a word that no line has room for, a path say: its two ends.
std::string both_ends(std::string_view word, std::size_t columns) {
  const std::size_t width = width_of(word);
  if (width <= columns) return std::string(word);
  const std::size_t last = columns / 3;
  return std::string(word.substr(0, bytes_of(word, columns - last - 1))) + "…" +
         std::string(word.substr(bytes_of(word, width - last)));
}

}  // namespace

std::vector<std::string> in_lines(std::string_view text, std::size_t columns, std::size_t keep) {
  std::vector<std::string> lines{""};
  bool full = false;  // what follows stands below
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t word = std::min(text.find_first_not_of(' ', at), text.size());
    if (std::exchange(full, false)) {
      lines.emplace_back();
      at = word;
    }
    const std::string_view gap = text.substr(at, word - at);
    Piece piece = first_piece(text.substr(word));
    const std::size_t column = width_of(lines.back()) + gap.size();
    const std::size_t room = columns - std::min(columns, column);
    std::size_t least = least_quotation;
    if (lines.size() == 1 && keep > column && !piece.quotation.empty()) {
      least = std::max(least, keep - column + 3);
      // Where the caret points comes first, its length goes below.
      if (piece.width() > room && !shorter(piece, room, least)) {
        piece.rest = piece.rest.substr(0, piece.rest.starts_with("...") ? 3 : 0);
        full = true;
      }
    }
    at = word + piece.quotation.size() + piece.rest.size();
    if (piece.width() <= room) {
      lines.back() += std::string(gap) + piece.text();
    } else if (const auto cut = shorter(piece, room, least)) {
      lines.back() += std::string(gap) + *cut;
    } else {
      if (column > 0) lines.emplace_back();
      const auto cut_to_line = piece.width() > columns ? shorter(piece, columns, 1) : std::nullopt;
      lines.back() = cut_to_line ? *cut_to_line : both_ends(piece.text(), columns);
    }
  }
  return lines;
}

std::vector<std::string> broken_lines(std::string_view text, std::size_t columns,
                                      std::size_t most) {
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t word = std::min(text.find_first_not_of(' ', at), text.size());
    const Piece piece = first_piece(text.substr(word));
    const auto cut = piece.width() > most * columns
                         ? shorter(piece, most * columns - columns / 2, 1)
                         : std::nullopt;
    shown += std::string(text.substr(at, word - at)) + (cut ? *cut : piece.text());
    at = word + piece.quotation.size() + piece.rest.size();
  }
  std::vector<std::string> lines;
  std::string_view rest = shown;
  while (width_of(rest) > columns) {
    const std::size_t end = bytes_of(rest, columns);
    const std::size_t blank = rest.rfind(' ', end);
    // A blank that stands far back would tear a hole.
    const bool near = blank != std::string_view::npos && blank > end / 3;
    std::size_t cut = near ? blank : letter_end(rest, 0);
    while (!near && cut < end && letter_end(rest, cut) <= end) cut = letter_end(rest, cut);
    lines.emplace_back(rest.substr(0, cut));
    rest.remove_prefix(near ? cut + 1 : cut);
  }
  lines.emplace_back(rest);
  return lines;
}

}  // namespace kit
