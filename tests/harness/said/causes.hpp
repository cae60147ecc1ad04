#pragma once

// What a symptom says by itself: a crash, a sanitizer's report, a hole that is not written yet.
// These find their own words, whatever the step suspects.

#include <optional>
#include <string>
#include <string_view>

#include "harness/base/sources.hpp"
#include "harness/seen/last_words.hpp"

namespace kit {

class Program;
class Step;

/// What is to be said of a failed step.
struct Diagnosis {
  enum class Kind { wrong, not_written, sanitizer, died, ended, not_ready, flood, hang };
  Kind kind = Kind::wrong;
  bool proven = false;               ///< by what the program was seen to do; or else suspected
  const Program* program = nullptr;  ///< the one whose doing is shown
  std::string cause;                 ///< sentences; the step's own suspicion is among them
  std::string task;                  ///< where to look: a task ...
  std::string function;              ///< ... one of its functions, if not the first ...
  Place place;                       ///< ... or, if known better, a place
  std::optional<Hole> hole;
};
Diagnosis diagnose(const Step& step);

/// On what its cause rests, for a table: "proven by its calls", "suspected by the step", …
std::string_view basis_of(const Diagnosis& diagnosis);

}  // namespace kit
