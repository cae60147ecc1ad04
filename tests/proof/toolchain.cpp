#include "toolchain.hpp"

#include <cstddef>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace kit {
namespace {

std::vector<std::string> split_at_tabs(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
  return fields;
}

/// The fields from here on. An empty one (a list that was empty) is no argument.
Toolchain::Arguments words_from(const std::vector<std::string>& fields, std::size_t first) {
  Toolchain::Arguments words;
  for (std::size_t i = first; i < fields.size(); ++i) {
    if (!fields[i].empty()) words.push_back(fields[i]);
  }
  return words;
}

}  // namespace

Toolchain read_toolchain(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  Toolchain result;
  for (std::string line; std::getline(in, line);) {
    const auto fields = split_at_tabs(line);
    if (fields.size() < 2) continue;
    const std::string& key = fields[0];
    if (key == "compiler") {
      result.compiler = fields[1];
    } else if (key == "flags" && fields.size() >= 3) {
      result.flags[fields[1]] = words_from(fields, 2);
    } else if (key == "include" && fields.size() >= 3) {
      result.includes[fields[1]].push_back(fields[2]);
    } else if (key == "link" && fields.size() >= 4) {
      result.links[{fields[1], fields[2]}] = words_from(fields, 3);
    }
  }
  if (result.compiler.empty()) throw std::runtime_error(file.string() + " names no compiler");
  return result;
}

}  // namespace kit
