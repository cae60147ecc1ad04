#include "page.hpp"

#include <algorithm>

namespace kit {
namespace {

constexpr std::string_view begins = "<details><summary>Hint ";

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// A paragraph becomes one line, to be broken where the terminal ends.
void add_line(std::string& text, std::string_view line) {
  const std::size_t last = text.size() < 2 ? 0 : text.rfind('\n', text.size() - 2) + 1;
  const bool after_words = !text.empty() && text[last] != '\n' && text[last] != ' ';
  const bool words = !line.empty() && line.find_first_of("-|`0123456789") != 0;
  const bool indented = line.starts_with("    ");
  if (after_words && words && !indented) {
    text.back() = ' ';
    line.remove_prefix(line.find_first_not_of(' '));
  }
  text += std::string(line) + '\n';
}

}  // namespace

std::vector<Hint> hints_of(std::string_view page, std::string_view task) {
  std::vector<Hint> hints;
  bool in_task = false;
  bool in_hint = false;
  while (!page.empty()) {
    const std::string_view line = next_line(page);
    if (line.starts_with("## ")) in_task = line.substr(3).starts_with(std::string(task) + ' ');
    if (!in_task) continue;
    if (line.starts_with(begins)) {
      const std::string_view title = line.substr(line.find("Hint "));
      hints.push_back({std::string(title.substr(0, title.find('<'))), {}});
      in_hint = true;
    } else if (line.starts_with("</blockquote></details>")) {
      in_hint = false;
    } else if (in_hint && !(line.empty() && hints.back().text.empty())) {
      add_line(hints.back().text, line);
    }
  }
  return hints;
}

}  // namespace kit
