#pragma once

// A grade: what a submission has earned, step by step. grade.json holds it; everything else that is
// written (junit.xml, report.md, class.csv, the formats of receivers) is made from it.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "json.hpp"

namespace kit {

struct StepGrade {
  std::string id, title;
  double points = 0;  ///< earned
  double max = 0;
  std::string program;             ///< client, server or probe
  std::string status = "not run";  ///< pass, fail, error, not run
  std::string cause, reproduce;
  double seconds = 0;
  std::string report;  ///< what the check says to the learner
};

struct LessonGrade {
  std::string lesson;  ///< "01_tcp_echo"
  double score = 0, max = 0;
  std::vector<StepGrade> steps;
  std::vector<std::string> notes;  ///< sentences for the learner and the teacher
  double seconds = 0;
  std::string picture;  ///< of the first step that failed: an SVG, which stands in no JSON

  /// The first step that failed, or null.
  [[nodiscard]] const StepGrade* first_failed() const;
  /// Adds up the steps; a late lesson keeps `keep` of its points.
  void add_up(double keep = 1);
};

/// One time that somebody handed in, and what it earned.
struct HandIn {
  std::string time;  ///< "2026-12-01 23:59"
  double score = 0;
};

struct Grade {
  static constexpr int schema = 1;

  std::string kit;  ///< version
  std::uint32_t seed = 0;
  std::string submission;
  std::vector<LessonGrade> lessons;
  std::vector<std::string> notes;
  std::vector<HandIn> hand_ins;  ///< as far as this folder has graded them; the last is this one
  std::string isolation;
  std::string files;  ///< stands for the submitted files, the kit and the course: see Resume
  bool complete = false;

  /// The first lesson in which a step failed, or null.
  [[nodiscard]] const LessonGrade* first_failed() const;
  [[nodiscard]] double score() const;
  [[nodiscard]] double max() const;
  [[nodiscard]] double seconds() const;
  [[nodiscard]] bool all_passed() const;

  [[nodiscard]] Json json() const;
  /// Throws std::runtime_error if it is no grade of this schema.
  static Grade from_json(const Json& json);
  static Grade read(const std::filesystem::path& file);
};

/// Writes a file by rename: whoever reads it sees the old text or the new one.
void write_by_rename(const std::filesystem::path& file, const std::string& text);

}  // namespace kit
