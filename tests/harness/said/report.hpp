#pragma once

// How a failed step speaks to the learner.

#include <cstddef>
#include <map>
#include <string>

namespace kit {

class Step;
struct Lesson;
struct Settings;
struct StepEntry;

/// What came of a step.
struct StepOutcome {
  enum class Status { pass, fail, error, skip };
  Status status = Status::error;
  std::string cause;      ///< one line
  std::string report;     ///< all that is printed
  std::size_t looks = 0;  ///< how often what is always looked at was looked at
  std::map<std::string, std::size_t> faults{};  ///< "recv EINTR": how often it was delivered
  std::string basis{};  ///< what the cause rests on: "proven by its calls", …
};

/// How wide reports are: as the reader's terminal, if that was said (KIT_COLUMNS), and no wider
/// than a page has room for.
std::size_t report_width();

/// "01.7 a message in pieces …                 0 of 8 points" and a newline. Points that find no
/// room in the line stand at the end of the next one.
std::string header(const StepEntry& entry, int points, std::size_t width = report_width());

/// The command that runs this step alone.
std::string run_only_this(const Lesson& lesson, const StepEntry& entry);

/// The report of a failed step, while its programs still live: they are asked what they do.
StepOutcome explain_failure(const Step& step);

/// Writes the outcome as lines `key<TAB>value` (newlines, tabs and backslashes in a value as \n,
/// \t, \\), by rename.
void write_result(const std::string& path, const StepEntry& entry, const Lesson& lesson,
                  const Settings& settings, const StepOutcome& outcome, double seconds);

}  // namespace kit
