#pragma once

// Grades lessons of submissions: takes the files, builds them in a cell, runs every step of the
// manifest in a cell, and keeps the books.

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "course.hpp"
#include "grade.hpp"
#include "proof/builder.hpp"
#include "proof/cells.hpp"
#include "submission.hpp"

namespace kit {

/// The times of grading, all multiplied by KIT_TIME_SCALE.
struct Times {
  /// For one submission of one lesson, whatever it does. (A slow machine gets four times what the
  /// reference needed, if that is more.)
  std::chrono::milliseconds lesson{85'000};
  /// For building it, out of that.
  std::chrono::milliseconds build{60'000};
  /// For one compiler or linker, of processor time, and of time: of that a busy machine takes more.
  std::chrono::seconds compiler_cpu{12};
  std::chrono::milliseconds compiler{60'000};
  /// For one step, however many events it waits for (or six times what the reference needed).
  std::chrono::milliseconds step{12'000};
  /// For one event: what a learner's own check waits. KIT_DEADLINE_MS replaces it.
  std::chrono::milliseconds event{5'000};

  static Times scaled();
};

/// The environment of kit-cell, whatever this process itself has in its own.
std::vector<std::string> environment_of_cell();

/// From now on cells are made without these parts ("landlock", "users", "network"): how it is on a
/// machine that lacks them.
void leave_out(const std::vector<std::string>& parts);

struct GraderOptions {
  unsigned workers = 2;  ///< steps, or compilers, at a time
  std::uint32_t seed = 0;
  bool lower_maximum = false;      ///< a step that cannot run here does not count
  std::vector<std::string> steps;  ///< these alone (the kit's own tests); empty: all
  std::string limits;              ///< more words for kit-cell, such as "--memory 512"
};

/// What of the kit a compiler of submissions may read: public headers, headers and archives of
/// references below the lesson, probes. Copies of them, where the kit itself is closed to other
/// users.
struct Shelf {
  std::filesystem::path root;  ///< the source folder, or what stands for it
  Toolchain toolchain;
  /// Where references are built: the build folder, or one of this grader's own: where the build
  /// folder is somebody else's, and for copies. What is compiled against copies names them, and no
  /// two graders have the same ones.
  std::filesystem::path references;
  /// By lesson: files and folders. An archive that a later lesson builds on holds this one's
  /// answer.
  std::map<std::string, std::vector<std::string>> readable;

  /// `folder` is where copies go, if there must be any.
  static Shelf fill(const House& house, const std::filesystem::path& folder);

 private:
  void copy(const House& house, const std::filesystem::path& folder);
};

/// One lesson of the kit, ready to judge submissions: its reference has been built and has passed
/// every step under the conditions of grading.
class LessonGrader {
 public:
  using Progress = std::function<void(const LessonGrade&, std::size_t done)>;

  LessonGrader(const House& house, const Shelf& shelf, const Lesson& lesson, const Course& course,
               const GraderOptions& options);

  /// Builds and runs the reference. Throws std::runtime_error if grades given here would be wrong.
  /// (A handout has no solution to its last lesson: then this is said, and nothing is proved.)
  void prove();

  /// All steps, worth nothing yet.
  [[nodiscard]] LessonGrade nothing() const;

  /// Grades the files in `sources`. `progress` is called as steps end, from several threads.
  [[nodiscard]] LessonGrade grade(const std::filesystem::path& sources,
                                  const std::filesystem::path& work,
                                  const Progress& progress) const;

  [[nodiscard]] const Lesson& lesson() const { return lesson_; }
  /// What prove() has to say, such as that a step cannot run here.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Judged;
  class Run;
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] Builder builder(Clock::time_point until) const;
  [[nodiscard]] Outcome run_confined(const Command& command, Clock::time_point until) const;
  [[nodiscard]] std::string refused(const Object& object, const Command& compiler,
                                    Clock::time_point until) const;
  [[nodiscard]] Judged run_step(const Candidate& candidate, const StepEntry& step,
                                std::chrono::milliseconds event,
                                std::chrono::milliseconds time) const;
  /// Times for a step, with what the reference has needed here.
  [[nodiscard]] std::chrono::milliseconds time_of(const StepEntry& step, double factor,
                                                  std::chrono::milliseconds least) const;
  [[nodiscard]] std::chrono::milliseconds time_of_lesson() const;

  House house_;
  const Shelf& shelf_;
  Lesson lesson_;  ///< with the steps that count
  const Course& course_;
  GraderOptions options_;
  Times times_;
  std::optional<Candidate> reference_;
  std::map<std::string, double> seconds_;  ///< by step: what the reference took
  std::vector<std::string> notes_;
};

}  // namespace kit
