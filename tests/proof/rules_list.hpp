#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace kit {

/// Why a mutant by rule that no step notices is left as it is.
struct Unnoticed {
  enum class Why {
    same,          ///< nobody can tell it from right, and the sentence says why
    open,          ///< a step ought to notice it: the sentence says what the page demands
    not_examined,  ///< nobody has looked at it yet
  };
  Why why = Why::not_examined;
  std::string sentence;
};

/// Reads tests/mutants/by_rule/NN_name.txt: the name of a mutant in one line, and what is to be
/// said of it in the next, indented:
///
///     client.cpp receive_all: number plus one: ...
///         same: A buffer of any size will do.
///     client.cpp send_all: ...
///         open: The page says that ...
///     client.cpp send_all: ...
///         not examined
///
/// Lines that begin with # are comments. A list that is not there is empty.
/// @throws std::runtime_error with the line that is not understood
std::map<std::string, Unnoticed> read_unnoticed(const std::filesystem::path& file);

}  // namespace kit
