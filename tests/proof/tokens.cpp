#include "tokens.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace kit {
namespace {

/// The longer first: what begins alike is looked for in this order. `>>` is left out, since it ends
/// two lists of template arguments more often than it shifts.
constexpr std::array<std::string_view, 24> long_signs{
    "<<=", "...", "<=>", "->*", "::", "->", "++", "--", "<<", "<=", ">=", "==",
    "!=",  "&&",  "||",  "+=",  "-=", "*=", "/=", "%=", "&=", "|=", "^=", ".*"};

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// Reads one source from its beginning to its end.
class Reader {
 public:
  explicit Reader(std::string_view source) : source_(source) {}

  std::vector<Token> read() {
    while (skip_between()) {
      const std::size_t begin = at_;
      const Token::Kind kind = read_one();
      tokens_.push_back({kind, source_.substr(begin, at_ - begin), begin, line_});
      count_lines(begin);
    }
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] std::string_view rest() const { return source_.substr(at_); }

  void count_lines(std::size_t from) {
    const auto part = source_.substr(from, at_ - from);
    line_ += static_cast<unsigned>(std::count(part.begin(), part.end(), '\n'));
  }

  void skip_to(std::string_view what, std::size_t and_more) {
    const std::size_t begin = at_;
    const std::size_t found = source_.find(what, at_);
    at_ = found == std::string_view::npos ? source_.size() : found + and_more;
    count_lines(begin);
  }

  /// @returns whether there is another token
  bool skip_between() {
    while (at_ < source_.size()) {
      if (rest().starts_with("//")) {
        skip_to("\n", 0);
      } else if (rest().starts_with("/*")) {
        skip_to("*/", 2);
      } else if (source_[at_] == '#' && at_line_begin()) {
        do skip_to("\n", 1);
        while (at_ >= 2 && at_ < source_.size() && source_[at_ - 2] == '\\');
      } else if (std::isspace(static_cast<unsigned char>(source_[at_])) != 0) {
        if (source_[at_++] == '\n') ++line_;
      } else {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool at_line_begin() const {
    const std::size_t before = source_.substr(0, at_).find_last_not_of(" \t");
    return before == std::string_view::npos || source_[before] == '\n';
  }

  Token::Kind read_one() {
    const char c = source_[at_];
    if (rest().starts_with("R\"")) return read_raw_string();
    if (c == '"' || c == '\'') return read_quoted(c);
    if (is_digit(c) || (c == '.' && at_ + 1 < source_.size() && is_digit(source_[at_ + 1]))) {
      while (at_ < source_.size() && continues_number()) ++at_;
      return Token::Kind::number;
    }
    if (is_word_char(c)) {
      while (at_ < source_.size() && is_word_char(source_[at_])) ++at_;
      return Token::Kind::word;
    }
    for (const std::string_view sign : long_signs) {
      if (!rest().starts_with(sign)) continue;
      at_ += sign.size();
      return Token::Kind::sign;
    }
    ++at_;
    return Token::Kind::sign;
  }

  [[nodiscard]] bool continues_number() const {
    const char c = source_[at_];
    if (is_word_char(c) || c == '.') return true;
    if (c == '\'') return at_ + 1 < source_.size() && is_word_char(source_[at_ + 1]);
    const char before = source_[at_ - 1];
    return (c == '+' || c == '-') && (before == 'e' || before == 'E');
  }

  Token::Kind read_quoted(char quote) {
    for (++at_; at_ < source_.size() && source_[at_] != quote; ++at_) {
      if (source_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, source_.size());
    return Token::Kind::text;
  }

  Token::Kind read_raw_string() {
    const std::size_t open = source_.find('(', at_);
    const std::string end = ")" + std::string(source_.substr(at_ + 2, open - at_ - 2)) + "\"";
    const std::size_t close = source_.find(end, open);
    at_ = close == std::string_view::npos ? source_.size() : close + end.size();
    return Token::Kind::text;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> read_tokens(std::string_view source) {
  return Reader(source).read();
}

}  // namespace kit
