#include "escape.hpp"

#include <algorithm>
#include <cstdint>
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

}  // namespace kit
