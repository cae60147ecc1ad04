#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// A word, number, string or sign of a C++ source. Comments, white space and lines of the
/// preprocessor are between the tokens.
struct Token {
  enum class Kind { word, number, text, sign };
  Kind kind = Kind::sign;
  std::string_view text;  ///< in the source that it was read from
  std::size_t begin = 0;  ///< where it stands there
  unsigned line = 1;      ///< counted from 1

  [[nodiscard]] std::size_t end() const { return begin + text.size(); }
  [[nodiscard]] bool is(std::string_view words) const { return text == words; }
};

/// The tokens of a source that compiles. They refer to the text.
std::vector<Token> read_tokens(std::string_view source);

}  // namespace kit
