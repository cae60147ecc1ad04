#pragma once

// What stands on a program's stderr: a sanitizer's report, a hole of a starter, the last words of a
// program that was aborted.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/sources.hpp"

namespace kit {

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

/// The place of one of the learner's files that a line names, "/…/server.cpp:31:7" in a frame.
std::optional<Place> place_in(std::string_view frame, const std::vector<std::string>& files);

/// What terminate() and assert have said there; empty if they have not.
std::string last_words(std::string_view errors);

}  // namespace kit
