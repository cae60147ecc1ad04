#include "csv.hpp"

#include <cstddef>
#include <stdexcept>

namespace kit::bench {
namespace {

std::string quoted_cell(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

}  // namespace

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i)
    line += (i == 0 ? "" : ",") + quoted_cell(cells[i]);
  return line + '\n';
}

std::optional<std::vector<std::string>> read_csv_line(std::istream& in) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  if (in.peek() == std::istream::traits_type::eof()) return std::nullopt;
  for (char c = 0; in.get(c);) {
    if (quoted && c == '"' && in.peek() == '"') {
      cells.back() += c;
      in.get(c);
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      cells.emplace_back();
    } else if (!quoted && c == '\n') {
      return cells;
    } else if (quoted || c != '\r') {
      cells.back() += c;
    }
  }
  if (quoted) throw std::runtime_error("a quoted cell has no end");
  return cells;
}

}  // namespace kit::bench
