#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kit {

/// A wrong answer, as mutants.cmake has made it of tests/mutants/NN_name.cmake; or a right or
/// hostile one, which has neither step nor words.
struct Mutant {
  std::string name;
  std::string sentence;                ///< what is wrong with it, or different
  std::string step;                    ///< the id of the step that should catch it
  std::vector<std::string> words;      ///< what that step's message must say
  std::vector<std::string> not_words;  ///< and what it must not
  std::vector<std::string> files;      ///< the files that differ from the solution's
  std::filesystem::path sources;       ///< the folder that holds them
};

/// Makes the answers of a list: in folder/NAME the files that differ, in the list's order.
/// @throws std::runtime_error with the mistakes of the list
std::vector<Mutant> make_mutants(const std::filesystem::path& script,
                                 const std::filesystem::path& list,
                                 const std::filesystem::path& solution,
                                 const std::filesystem::path& folder);

}  // namespace kit
