#pragma once

// What a symptom says by itself: a crash, a sanitizer's report, a hole that is not written yet.
// These find their own words, whatever the step suspects.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/sources.hpp"

namespace kit {

/// A loop that asks again and again without sleeping.
inline constexpr const char* turning_sentence =
    "A loop turns: it asks again and again without sleeping, and takes the whole processor. "
    "Whoever gets nothing (EAGAIN, 0 bytes, nobody there) waits until there is something: in "
    "poll() or its like, or in a call that blocks.";

class Program;
class Step;

/// A report of AddressSanitizer, UndefinedBehaviorSanitizer or ThreadSanitizer.
struct SanitizerReport {
  std::string kind;      ///< "heap-use-after-free", "data race", "signed integer overflow"
  std::string function;  ///< of the first frame in the learner's files
  Place place;           ///< that frame
  std::string sentence() const;
};

/// The first report in a program's stderr. `files` are the learner's, by name.
std::optional<SanitizerReport> find_sanitizer_report(std::string_view errors,
                                                     const std::vector<std::string>& files);

/// Words that a sanitizer says which cannot start on a machine. Anybody can print them: they are a
/// reason to look closely (Step::cannot_start), and prove nothing.
bool may_not_have_started(std::string_view errors);

/// A program's own words: lines that a sanitizer adds without having found anything are left out.
std::string without_sanitizer_notes(std::string_view errors);

/// What of it stands before a sanitizer's report, without such lines.
std::string own_words(std::string_view errors);

/// A hole of a starter: "not written: TCPServer::server_bind (01.C)  FILE:LINE".
struct Hole {
  std::string what, task;
  Place place;
};
std::optional<Hole> find_hole(std::string_view errors);

/// What is to be said of a failed step.
struct Diagnosis {
  enum class Kind { wrong, not_written, sanitizer, died, ended, not_ready, flood, hang };
  Kind kind = Kind::wrong;
  const Program* program = nullptr;  ///< the one whose doing is shown
  std::string cause;                 ///< sentences; the step's own suspicion is among them
  std::string task;                  ///< where to look: a task ...
  std::string function;              ///< ... one of its functions, if not the first ...
  Place place;                       ///< ... or, if known better, a place
  std::optional<Hole> hole;
};
Diagnosis diagnose(const Step& step);

}  // namespace kit
