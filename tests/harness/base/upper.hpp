#pragma once

// What the lessons' servers make of a byte: a–z of ASCII in upper case, whatever the locale says;
// every other byte as it is. The checks and the benchmark know the right answer from here.

#include <string>
#include <string_view>

namespace kit {

constexpr bool is_lower(char byte) {
  return byte >= 'a' && byte <= 'z';
}

constexpr char upper(char byte) {
  return is_lower(byte) ? static_cast<char>(byte - 'a' + 'A') : byte;
}

inline std::string upper(std::string_view bytes) {
  std::string result(bytes);
  for (char& byte : result) byte = upper(byte);
  return result;
}

}  // namespace kit
