#pragma once

// The folder of grades: what is written for learners, teachers and gradebooks, and the grader's own
// book of them in DIR/.kit, which alone is believed later.

#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "grade.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/base/manifest.hpp"
#include "known.hpp"
#include "options.hpp"
#include "proof/cells.hpp"

namespace kit {

class Book {
 public:
  Book(const Options& options, const House& house, const Manifest& manifest);

  /// One grader at a time, and nobody else reads the folder meanwhile.
  /// Throws std::runtime_error if somebody is at work there, or it is another user's.
  void open();

  [[nodiscard]] std::filesystem::path folder() const { return out_; }
  [[nodiscard]] std::filesystem::path kept() const { return out_ / ".kit"; }

  /// One seed for a class: who is graded again gets the same bytes.
  std::uint32_t seed(std::optional<std::uint32_t> given);

  /// What this folder says of a submission; nothing if it is no grade of ours. `checks` (if wanted)
  /// gets what the grade was made with, and the grade its picture: then it can be written again.
  [[nodiscard]] std::optional<Grade> read(const std::string& submission,
                                          std::string* checks = nullptr) const;

  /// Writes what is known. `checks` stands for the programs that judged. Not `all`: what is read
  /// while steps run, and no more.
  void write(const Grade& grade, const std::string& checks, bool all);

  /// class.csv, class.html, class.md and class.json: of everybody who has a grade here, not only
  /// of who was named this time. `not_graded` are missing.
  void write_class(const std::vector<std::string>& not_graded = {});
  /// The same, if the last time is long enough ago. (It takes a while in a large class.)
  void write_class_now_and_then();

 private:
  [[nodiscard]] std::filesystem::path grades() const { return kept() / "grades"; }
  void write_class_locked(const std::vector<std::string>& not_graded);

  std::filesystem::path out_;
  std::string format_;
  std::filesystem::path results_;
  bool anonymous_;
  std::map<std::string, std::string> titles_;
  std::map<std::string, KnownAnswers> known_;
  Descriptor lock_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point next_class_{};
};

}  // namespace kit
