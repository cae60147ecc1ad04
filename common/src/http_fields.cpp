#include <socketserver/connection.hpp>
#include <socketserver/http_message.hpp>

#include <algorithm>
#include <iterator>

namespace socketserver {

// ---- words -------------------------------------------------------------------------------------

bool same_word(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char one, char other) { return upper(one) == upper(other); });
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char byte) {
    const char letter = upper(byte);
    return (letter >= 'A' && letter <= 'Z') || (byte >= '0' && byte <= '9') ||
           marks.find(byte) != marks.npos;
  });
}

bool is_known(std::string_view method) noexcept {
  constexpr std::string_view methods[] = {"GET",    "HEAD",  "POST",   "PUT",
                                          "DELETE", "PATCH", "OPTIONS"};
  return std::find(std::begin(methods), std::end(methods), method) != std::end(methods);
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view space = " \t";
  const std::size_t first = text.find_first_not_of(space);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

// ---- fields ------------------------------------------------------------------------------------

void HeaderFields::add(std::string_view name, std::string_view value) {
  fields_.push_back({std::string(name), std::string(value)});
}

std::optional<std::string_view> HeaderFields::get(std::string_view name) const noexcept {
  for (const Field& field : fields_) {
    if (same_word(field.name, name)) return field.value;
  }
  return {};
}

std::size_t HeaderFields::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [name](const Field& field) { return same_word(field.name, name); }));
}

std::vector<std::string_view> HeaderFields::list(std::string_view name) const {
  std::vector<std::string_view> members;
  for (const Field& field : fields_) {
    if (!same_word(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view member = trimmed(rest.substr(0, comma));
      if (!member.empty()) members.push_back(member);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return members;
}

bool HeaderFields::lists(std::string_view name, std::string_view word) const {
  const std::vector<std::string_view> members = list(name);
  return std::any_of(members.begin(), members.end(),
                     [word](std::string_view member) { return same_word(member, word); });
}

std::string RequestHead::line() const {
  return method + " " + target + (minor == 0 ? " HTTP/1.0" : " HTTP/1.1");
}

}  // namespace socketserver
