#include "preamble.hpp"

#include <map>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "harness/base/sources.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view white = " \t\r\f\v";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white) + 1 - first);
}

/// A line without its comments; `inside` one that is not over yet.
std::string without_comments(std::string_view line, bool& inside) {
  std::string code;
  while (!line.empty()) {
    if (inside) {
      const std::size_t end = line.find("*/");
      if (end == std::string_view::npos) return code;
      line.remove_prefix(end + 2);
      inside = false;
      code += ' ';
    } else if (line.starts_with("//")) {
      return code;
    } else if (line.starts_with("/*")) {
      line.remove_prefix(2);
      inside = true;
    } else {
      code += line.front();
      line.remove_prefix(1);
    }
  }
  return code;
}

class Preamble {
 public:
  explicit Preamble(fs::path own) : own_(std::move(own)) {}

  /// @returns whether the file is read to its end
  bool read(const fs::path& file) {
    const int open_before = open_;
    bool in_comment = false;
    std::istringstream lines(read_text(file.string()).value_or(""));
    for (std::string line; std::getline(lines, line);) {
      if (trimmed(line).ends_with('\\')) return false;  // goes on in the next line
      const std::string code = without_comments(line, in_comment);
      if (!take(trimmed(code), file.filename().string())) return false;
    }
    return !in_comment && open_ == open_before;
  }

  std::string text() const {
    std::string text = text_;
    for (int i = 0; i < open_; ++i) text += "#endif\n";
    return text;
  }

 private:
  bool take(std::string_view line, const std::string& file) {
    if (line.empty()) return true;
    if (!line.starts_with('#')) return false;
    line = trimmed(line.substr(1));
    if (line.starts_with("include")) return take_include(trimmed(line.substr(7)));
    if (line == "pragma once") {
      once_.insert(file);
      return true;
    }
    if (line.starts_with("endif")) {
      if (--open_ < 0) return false;
    } else if (line.starts_with("if")) {
      ++open_;
    } else if (!line.starts_with("el")) {
      return false;
    }
    text_ += '#' + std::string(line) + '\n';
    return true;
  }

  bool take_include(std::string_view named) {
    const bool whole = named.size() > 2 && ((named.front() == '<' && named.back() == '>') ||
                                            (named.front() == '"' && named.back() == '"'));
    if (!whole) return false;  // by a macro, or #include_next
    const std::string name(named.substr(1, named.size() - 2));
    std::error_code error;
    if (!fs::is_regular_file(own_ / name, error)) {
      text_ += "#include " + std::string(named) + '\n';
      return true;
    }
    const auto [entered, first] = always_entered_.try_emplace(name, open_ == 0);
    if (first) return read(own_ / name);
    return entered->second && once_.contains(name);
  }

  fs::path own_;
  std::string text_;
  int open_ = 0;                                // how many #if are still without their #endif
  std::set<std::string> once_;                  // files with #pragma once
  std::map<std::string, bool> always_entered_;  // own headers; false: the first time inside an #if
};

}  // namespace

std::string preamble_of(const fs::path& source, const fs::path& own) {
  Preamble preamble(own);
  preamble.read(source);
  return preamble.text();
}

}  // namespace kit
