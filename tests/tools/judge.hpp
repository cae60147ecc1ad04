#pragma once

// The learner's loop without its screen: what is known of a step, and how a new verdict comes
// about. kit-check, kit-watch and kit-progress are made of it.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/manifest.hpp"

namespace kit {

/// What is known of a step.
struct Known {
  enum class State { nothing, not_yet, failed, passed, elsewhere, does_not_build, kit_error };
  State state = State::nothing;
  std::string cause;  ///< one line

  bool passed() const { return state == State::passed; }
  /// Nothing more is to be done about it on this machine.
  bool done() const { return passed() || state == State::elsewhere; }
};

/// "passed", "failed", "not yet", …: nine letters at most.
const char* word(Known::State state);

/// Where the kit and what is built of it stand, and the learner's files of one lesson.
struct Desk {
  std::filesystem::path root;
  std::filesystem::path build;
  std::filesystem::path lessons{};  ///< empty: root/lessons
  std::filesystem::path work{};     ///< empty: lessons/build, or of root/lessons the build folder

  /// The learner's folder of a lesson.
  std::filesystem::path sources(const Lesson& lesson) const;
  /// Where its programs are built, for the check and to be run by hand.
  std::filesystem::path programs(const Lesson& lesson) const;
  /// Where results are kept.
  std::filesystem::path kept() const;
  Manifest manifest() const;
};

/// One lesson on a desk.
class Judge {
 public:
  /// Says in a word or two what is done now: "building server.cpp".
  using Say = std::function<void(const std::string&)>;

  Judge(Desk desk, Lesson lesson, unsigned jobs);

  const Lesson& lesson() const { return lesson_; }
  const Desk& desk() const { return desk_; }

  /// Has the kit itself changed? To be asked by who lives long.
  void look_at_kit();

  /// What was last found, if nothing that the step depends on has changed since.
  Known known(const StepEntry& step) const;
  /// It was green with other files than now: it earns nothing until it is checked again.
  bool passed_before(const StepEntry& step) const;
  /// What was last said of the step: its report, in whole lines.
  std::string report(const StepEntry& step) const;

  /// Whether a hole of the lesson has been filled: what belongs to no core step has none.
  bool begun() const;

  /// How prepare() begins what it says.
  static constexpr const char* preparing = "building the kit's part";
  /// Builds the kit's part of the lesson (archives and check), if it has changed.
  /// @returns false if that fails; `words` then says why
  bool prepare(const Say& say, std::string& words) const;

  /// Builds the programs that the step starts, and no other; then checks it. Waits for another
  /// process that judges this lesson. A file saved meanwhile makes the result one of nothing.
  Known judge(const StepEntry& step, const Say& say) const;
  /// The same for several steps; they are checked side by side.
  void judge_all(const std::vector<const StepEntry*>& steps, const Say& say) const;

  /// The programs of the lesson as a person runs them, in build/lessons/NN_name: those that
  /// compile.
  void build_plain() const;

  /// The step that comes next: the first that is not done. Null: none is left.
  const StepEntry* next() const;

 private:
  struct Lock;
  std::optional<Known> build(const StepEntry& step, const std::string& key) const;
  Known check(const StepEntry& step, const std::string& key_before) const;
  std::string key(const StepEntry& step) const;
  void keep(const StepEntry& step, const std::string& report, const std::string& key) const;
  Known keep_build_failure(const StepEntry& step, const std::string& words,
                           const std::string& key) const;
  std::filesystem::path result_file(const StepEntry& step) const;
  std::filesystem::path new_result_file(const StepEntry& step) const;
  std::filesystem::path report_file(const StepEntry& step) const;
  std::vector<std::string> files_of_step(const StepEntry& step) const;

  Desk desk_;
  Lesson lesson_;
  unsigned jobs_;
  std::uint64_t kit_ =
      0;  // a number of all that is the kit's, and of the lessons that this builds on
};

/// Points of a lesson, as far as they are known.
struct Points {
  int core = 0, core_of = 0;
  int harden = 0, harden_of = 0;
  int elsewhere = 0;  ///< of either part: cannot be decided on this machine
};
Points points(const Judge& judge);

/// The line that ends every answer, of at most 80 columns: "01: 42 of 60 core points. Next: 01.5,
/// server.cpp:19", or "Next: 01.5 again: its files changed" if it was green before.
std::string last_line(const Judge& judge);

/// How many jobs a build or a check may use on this machine.
unsigned jobs_here();

}  // namespace kit
