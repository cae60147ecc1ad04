#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace kit::bench {

/// What was asked for on the command line, or by the environment of a workflow.
struct Options {
  std::string form = "short";         ///< KIT_BENCH_FORM
  std::string servers = "solutions";  ///< KIT_BENCH: solutions, lessons, none
  std::vector<std::string> added;     ///< NAME[@TRANSPORT]=COMMAND
  std::string only;                   ///< groups of loads, by commas; empty: all
  std::filesystem::path build;        ///< where build/solutions and build/lessons stand
  std::filesystem::path out;          ///< default: build/bench
  std::filesystem::path from;         ///< a results.csv to draw again, nothing measured
  std::filesystem::path baseline;     ///< the plain server
  int rounds = 0;                     ///< at most so many; 0: as the form says
  bool spread = false;                ///< servers may use every processor
  bool help = false;
};

/// A word that is not understood; what() is one sentence that names it.
struct BadOption : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// Reads the arguments, the program's name left out. What stands there is preferred to the
/// environment; both are judged. @throws BadOption
Options read_options(const std::vector<std::string>& arguments,
                     const std::map<std::string, std::string>& environment);

/// The usage, a few lines.
std::string usage();

}  // namespace kit::bench
