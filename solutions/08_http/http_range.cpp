// A part of a file. The contract: http_range.hpp. See also: RFC 9110, 14.

#include <socketserver/http_message.hpp>
#include <socketserver/http_range.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace socketserver {
namespace {

// Digits alone. What no number can hold is beyond the end of every file.
std::optional<std::uint64_t> position(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || end != digits.data() + digits.size()) return {};
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  return value;
}

// The last bytes of the file. "-0" asks for none; of an empty file there are none to name.
RangeAnswer suffix(std::string_view digits, std::uint64_t size) {
  using Kind = RangeAnswer::Kind;
  const std::optional<std::uint64_t> count = position(digits);
  if (!count) return {};
  if (*count == 0) return {Kind::unsatisfiable, {}};
  if (size == 0) return {};
  const std::uint64_t length = std::min(*count, size);
  return {Kind::part, {size - length, length}};
}

}  // namespace

RangeAnswer range_of(std::string_view text, std::uint64_t size) {
  using Kind = RangeAnswer::Kind;
  constexpr std::string_view unit = "bytes=";
  if (!same_word(text.substr(0, unit.size()), unit)) return {};
  text = trimmed(text.substr(unit.size()));
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return {};
  if (dash == 0) return suffix(text.substr(1), size);

  const std::optional<std::uint64_t> first = position(text.substr(0, dash));
  std::optional<std::uint64_t> last = position(text.substr(dash + 1));
  if (dash + 1 == text.size()) last = std::numeric_limits<std::uint64_t>::max();  // "100-"
  if (!first || !last || *last < *first) return {};
  if (*first >= size) return {Kind::unsatisfiable, {}};
  return {Kind::part, {*first, std::min(*last, size - 1) - *first + 1}};
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" +
         std::to_string(range.first + range.size - 1) + "/" + std::to_string(size);
}

}  // namespace socketserver
