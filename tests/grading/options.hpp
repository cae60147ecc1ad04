#pragma once

// What kit-grade is told: by words, and by the environment where the `grade` preset starts it.

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "shard.hpp"

namespace kit {

/// A wrong command.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A right command, about a file or folder that is not what it should be: one sentence says it.
struct InputError : UsageError {
  using UsageError::UsageError;
};

struct Options {
  std::vector<std::filesystem::path> submissions;
  std::filesystem::path out;
  std::vector<std::string> lessons;  ///< numbers; empty: the course's, or all
  std::vector<std::string> steps;    ///< these alone
  std::string format;                ///< besides grade.json, junit.xml and report.md
  std::filesystem::path results;     ///< where that format is written too, for one submission
  std::filesystem::path course;
  std::string name;  ///< of the one submission, in place of its folder's
  std::optional<std::uint32_t> seed;
  std::optional<std::time_t> submitted;  ///< in place of the files' own times
  std::filesystem::path submitted_from;  ///< a file with everybody's
  unsigned jobs = 1;                     ///< submissions at a time
  bool again = false;                    ///< also what has been graded already
  bool lower_maximum = false;
  bool anonymous = false;                     ///< no names in class.html, class.md, class.json
  std::optional<Shard> shard;                 ///< this part of the class alone
  std::vector<std::filesystem::path> merged;  ///< --merge: parts to be joined
  std::vector<std::string> without;           ///< parts of the cell to leave out
  std::filesystem::path converted;            ///< --convert: a grade.json to print in the format
  bool help = false;
};

extern const char* const usage;

/// Reads --submitted-from: lines of a submission's name, a comma (or ; or a tab) and a time.
/// Throws UsageError.
std::map<std::string, std::time_t> read_submitted(const std::filesystem::path& file);

/// Reads the words, then the environment: KIT_SUBMISSION, KIT_OUT, KIT_LESSON, KIT_FORMAT,
/// KIT_COURSE, KIT_SEED, KIT_JOBS, KIT_SHARD. Throws UsageError.
Options read_options(const std::vector<std::string>& words);

}  // namespace kit
