#include "rules_list.hpp"

#include <fstream>
#include <stdexcept>

namespace kit {
namespace {

bool take(std::string& text, const std::string& lead) {
  if (!text.starts_with(lead)) return false;
  text.erase(0, lead.size());
  return true;
}

}  // namespace

std::map<std::string, Unnoticed> read_unnoticed(const std::filesystem::path& file) {
  std::map<std::string, Unnoticed> list;
  std::ifstream in(file);
  std::string name;
  unsigned number = 0;
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(file.string() + ":" + std::to_string(number) + ": " + why);
  };
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (!line.starts_with(' ')) {
      if (!name.empty()) refuse("nothing is said of the mutant above");
      if (list.contains(line)) refuse("this mutant stands here twice");
      name = line;
      continue;
    }
    if (name.empty()) refuse("a sentence, and no mutant above it");
    line.erase(0, line.find_first_not_of(' '));
    Unnoticed entry;
    if (take(line, "same: ")) {
      entry.why = Unnoticed::Why::same;
    } else if (take(line, "open: ")) {
      entry.why = Unnoticed::Why::open;
    } else if (take(line, "not examined")) {
      entry.why = Unnoticed::Why::not_examined;
    } else {
      refuse("neither \"same: ...\" nor \"open: ...\" nor \"not examined\"");
    }
    if (entry.why != Unnoticed::Why::not_examined && line.empty()) refuse("a reason is missing");
    entry.sentence = line;
    list.emplace(name, entry);
    name.clear();
  }
  if (!name.empty()) refuse("nothing is said of the mutant above");
  return list;
}

}  // namespace kit
