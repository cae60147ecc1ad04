#pragma once

// Which known wrong answer a submission behaves like. The proof of the kit runs every wrong answer
// of tests/mutants/ against every step and keeps what each step said of it
// (build/proof/NN_name/answers.txt); a submission is held against that table.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "grade.hpp"

namespace kit {

/// One wrong answer, and what became of it.
struct KnownAnswer {
  std::string name;
  std::string step;                                  ///< the one that is meant to catch it
  std::string sentence;                              ///< what is wrong with it
  std::map<std::string, std::set<std::string>> red;  ///< by step that it fails: what was said
};

using KnownAnswerPointer = std::shared_ptr<const KnownAnswer>;

/// How near a submission comes to a known answer.
struct Likeness {
  KnownAnswerPointer answer;
  double share = 0;  ///< 1: the same steps fail, in the same words
};

/// What a submission behaves like.
struct Resemblance {
  std::vector<Likeness> nearest;    ///< several if they cannot be told apart; empty: like none
  std::optional<Likeness> besides;  ///< a second fault: it explains what the first leaves over
};

class KnownAnswers {
 public:
  /// The table of one lesson; empty if the file is not there.
  static KnownAnswers read(const std::filesystem::path& file);
  static KnownAnswers parse(std::string_view text);

  [[nodiscard]] bool empty() const { return answers_.empty(); }
  [[nodiscard]] const std::vector<KnownAnswerPointer>& all() const { return answers_; }

  /// The wrong answers that a graded lesson behaves like.
  [[nodiscard]] Resemblance of(const LessonGrade& lesson) const;

 private:
  struct Evidence {
    std::map<std::string, std::set<std::string>> red;  ///< by step: what was said
    std::set<std::string> passed;
  };

  [[nodiscard]] double likeness(const Evidence& seen, const KnownAnswer& answer) const;
  [[nodiscard]] std::vector<Likeness> nearest(const Evidence& seen) const;
  void weigh();

  std::vector<KnownAnswerPointer> answers_;
  std::map<std::string, double> rarity_;  ///< of a step's word among all answers
};

/// Whether a step is red because there is nothing to judge: not written, not built, not handed in.
/// That tells nothing of a wrong answer.
bool is_unwritten(const StepGrade& step);

/// The words of a cause without what differs from run to run: numbers, and what stands in quotes.
std::string steady_words(std::string_view cause);

/// What a red step says of the program, as a set: the steady words of the cause and of the story
/// and calls in the report, and how far the story came.
std::set<std::string> telling_words(std::string_view cause, std::string_view report);

}  // namespace kit
