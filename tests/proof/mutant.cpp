#include "mutant.hpp"

#include <fstream>
#include <stdexcept>

#include "command.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

Mutant read_mutant(const fs::path& folder) {
  Mutant mutant;
  mutant.name = folder.filename().string();
  mutant.sources = folder;
  std::ifstream in(folder / "mutant.txt");
  for (std::string line; std::getline(in, line);) {
    const auto tab = line.find('\t');
    const std::string key = line.substr(0, tab);
    const std::string value = tab == std::string::npos ? "" : line.substr(tab + 1);
    if (key == "sentence") mutant.sentence = value;
    if (key == "step") mutant.step = value;
    if (key == "words") mutant.words.push_back(value);
    if (key == "not words") mutant.not_words.push_back(value);
    if (key == "file") mutant.files.push_back(value);
  }
  return mutant;
}

}  // namespace

std::vector<Mutant> make_mutants(const fs::path& script, const fs::path& list,
                                 const fs::path& solution, const fs::path& folder) {
  fs::create_directories(folder);
  Command command;
  command.arguments = {KIT_CMAKE_COMMAND,
                       "-DLIST=" + list.string(),
                       "-DSOLUTION=" + solution.string(),
                       "-DOUT=" + folder.string(),
                       "-P",
                       script.string()};
  command.environment = plain_environment();
  command.folder = folder;
  const Outcome outcome = run_command(command);
  if (!outcome.ok()) throw std::runtime_error(outcome.output);

  std::vector<Mutant> mutants;
  std::ifstream order(folder / "order.txt");
  for (std::string name; std::getline(order, name);) {
    if (!name.empty()) mutants.push_back(read_mutant(folder / name));
  }
  return mutants;
}

}  // namespace kit
