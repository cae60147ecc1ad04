#pragma once

// A teacher's own course, in one small file (KIT_COURSE or --course):
//
//   # Networks, winter term
//   lesson 01              # these lessons are graded, each worth 100 points
//   lesson 04 weight 2     # this one counts double
//   step 01.13 points 0    # a step's own points
//   deadline 2026-12-01 23:59
//   late 80                # per cent that a late lesson keeps (100 if not said: only noted)

#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/manifest.hpp"

namespace kit {

struct Course {
  struct LessonEntry {
    std::string number;  ///< "04"
    double weight = 1;
  };
  std::vector<LessonEntry> lessons;      ///< empty: all, each with weight 1
  std::map<std::string, double> points;  ///< by step id, in place of the manifest's
  std::optional<std::time_t> deadline;
  double late = 100;  ///< per cent

  /// Reads a file. Throws std::runtime_error that names file and line.
  static Course read(const std::filesystem::path& file, const Manifest& manifest);
  static Course parse(std::string_view text, const std::string& name, const Manifest& manifest);

  [[nodiscard]] double weight(const Lesson& lesson) const;
  [[nodiscard]] double points_of(const Lesson& lesson, const StepEntry& step) const;
};

/// "2026-12-01 23:59" (local time; seconds, and a T for the space, may be there) -> its moment.
std::optional<std::time_t> parse_time(const std::string& text);

/// The moment as "2026-12-01 23:59", local time.
std::string time_text(std::time_t time);

}  // namespace kit
