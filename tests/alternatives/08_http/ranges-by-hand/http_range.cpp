// A part of a file. The contract: http_range.hpp. See also: RFC 9110, 14.

#include <socketserver/http_message.hpp>
#include <socketserver/http_range.hpp>

#include <algorithm>
#include <limits>
#include <optional>

namespace socketserver {
namespace {

constexpr std::uint64_t beyond = std::numeric_limits<std::uint64_t>::max();

// Takes digits from the left; what no number can hold stays at `beyond`.
std::optional<std::uint64_t> digits_of(std::string_view& text) {
  std::optional<std::uint64_t> value;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    const auto digit = static_cast<std::uint64_t>(text[0] - '0');
    const std::uint64_t so_far = value.value_or(0);
    value = so_far > (beyond - digit) / 10 ? beyond : so_far * 10 + digit;
    text.remove_prefix(1);
  }
  return value;
}

}  // namespace

RangeAnswer range_of(std::string_view text, std::uint64_t size) {
  using Kind = RangeAnswer::Kind;
  const std::size_t equals = text.find('=');
  if (equals == text.npos || !same_word(text.substr(0, equals), "bytes")) return {};
  text = trimmed(text.substr(equals + 1));
  const std::optional<std::uint64_t> first = digits_of(text);
  if (!text.starts_with('-')) return {};
  text.remove_prefix(1);
  const std::optional<std::uint64_t> last = digits_of(text);
  if (!text.empty() || (!first && !last)) return {};
  if (!first) {
    if (*last == 0 || size == 0) return {Kind::unsatisfiable, {}};
    const std::uint64_t count = std::min(*last, size);
    return {Kind::part, {size - count, count}};
  }
  const std::uint64_t end = last.value_or(beyond);
  if (end < *first) return {};
  if (*first >= size) return {Kind::unsatisfiable, {}};
  return {Kind::part, {*first, std::min(end - *first, size - *first - 1) + 1}};
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" +
         std::to_string(range.first + range.size - 1) + "/" + std::to_string(size);
}

}  // namespace socketserver
