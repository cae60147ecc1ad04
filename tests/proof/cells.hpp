#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "builder.hpp"

namespace kit {

/// Where the kit stands, and what it has been built with.
struct House {
  std::filesystem::path root;   ///< the source folder
  std::filesystem::path build;  ///< the build folder

  [[nodiscard]] std::filesystem::path manifest() const { return build / "kit" / "manifest.txt"; }
  [[nodiscard]] std::filesystem::path toolchain() const { return build / "kit" / "toolchain.txt"; }
  /// The check program of a lesson.
  [[nodiscard]] std::filesystem::path check(const Lesson& lesson) const {
    return build / ("check_" + lesson.number());
  }
};

/// What a step said of a candidate.
struct Verdict {
  enum class Status {
    pass,
    fail,
    skip,       ///< it cannot run on this machine
    error,      ///< the kit's own error
    not_built,  ///< its program was not built: `report` says why
    interrupted,
  };
  Status status = Status::error;
  std::string cause;   ///< the check's own words: "not written: TCPServer::server_bind (01.B)", …
  std::string basis;   ///< what the cause rests on: "proven by its calls", …
  std::string report;  ///< what the learner reads
  double seconds = 0;
  std::size_t looks = 0;                        ///< what is always looked at: how often it was
  std::map<std::string, std::size_t> faults{};  ///< "recv EINTR": how often it was delivered

  [[nodiscard]] bool red() const { return status == Status::fail || status == Status::not_built; }
};

/// "pass", "fail", …
std::string name_of(Verdict::Status status);

/// Runs one step on a candidate: one process of the lesson's check. A step whose program was not
/// built is not run.
/// @param deadline     how long the check waits for one event; none: its own measure
/// @param environment  what the check is told besides: "NAME=value"
Verdict judge(const House& house, const Lesson& lesson, const Candidate& candidate,
              const StepEntry& step, std::optional<std::chrono::milliseconds> deadline = {},
              const std::vector<std::string>& environment = {});

/// Removes a candidate's programs (3 MB each under a sanitizer) once nobody needs to look at them;
/// its objects stay for the next time.
void remove_programs(const Candidate& candidate);

/// Whether the words stand in the report, however the report has broken its lines.
bool says(const std::string& report, const std::string& words);

/// The first lines of a text, indented.
std::string first_lines(const std::string& text, std::size_t count, const std::string& indent);

}  // namespace kit
