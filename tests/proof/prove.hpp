#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "cells.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/base/escape.hpp"

namespace kit {

/// SIGINT or SIGTERM came while a proof was under way.
struct ProofStopped : std::runtime_error {
  ProofStopped() : std::runtime_error("interrupted") {}
};

/// Throws ProofStopped once a signal has come.
void stop_if_interrupted();

/// Holds a lock file until the end of the scope: the same proof may run twice at a time.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& file);

 private:
  Descriptor file_;
};

/// The proof of one lesson: its folder, its solution as the base of all candidates, its figures.
class Proof {
 public:
  struct Options {
    unsigned jobs = 0;                ///< programs at a time that need the processor; 0: one a core
    std::string only{};               ///< this mutant or alternative alone
    unsigned repeat = 1;              ///< how often the solution's steps are run
    bool load = false;                ///< keep every core busy meanwhile
    bool intended = false;            ///< mutants: only the steps that should catch them
    bool day = false;                 ///< rules, mutants' table: only what the seed draws
    std::uint64_t seed = 1;           ///< of the part of a day; for the table, the day itself
    bool rest = false;                ///< rules: only what no earlier run has tried
    bool open = false;                ///< rules: only what the list has as open
    bool strict = false;              ///< an edited lesson is an error
    std::size_t fewest_mutants = 14;  ///< a lesson has at least this many wrong answers
    bool verbose = false;             ///< show each verdict
  };

  Proof(const House& house, const Lesson& lesson, const Options& options);

  /// Every step passes on the solution. @returns whether it is so; this holds for all.
  bool solution();
  /// Every step is red on the starter, because it is not written yet.
  bool starter();
  /// Every wrong answer is caught by the step that should catch it, in the words it should use.
  bool mutants();
  /// Every right answer that is written differently passes.
  bool alternatives();
  /// Every mistake that a rule makes is noticed by some step, or is in the list of those that are
  /// not.
  bool rules();
  /// A slot that is empty, deleted, or borrowed from the solution earns nothing; the rest is
  /// judged.
  bool slots();

 private:
  class Rules;
  using Figures = std::vector<std::pair<std::string, std::string>>;

  [[nodiscard]] std::filesystem::path folder() const;
  [[nodiscard]] std::filesystem::path solution_sources() const;
  /// The solution, built (once, also if several proofs of the lesson run at the same time).
  const Candidate& base();
  /// Begins a mode: what it proved before counts no more.
  void begin(const std::string& mode);
  /// Whether this is not the whole proof: its figures are not kept.
  [[nodiscard]] bool partial() const { return !options_.only.empty() || options_.intended; }
  /// Prints a line that begins with the mode and the lesson.
  void say(const std::string& mode, const std::string& text) const;
  /// Notes what is wrong, for the end of the mode.
  void complain(const std::string& text);
  /// Prints what is wrong, writes the figures. @returns whether nothing is wrong
  bool finish(const std::string& mode, const std::string& summary, Figures figures);
  /// Runs every step on a candidate: the verdicts in the manifest's order.
  std::vector<Verdict> judge_all(const Candidate& candidate);
  /// A verdict that is not the one expected, in words: the step, and how the check's report begins.
  void complain_about(const std::string& who, const StepEntry& step, const Verdict& verdict,
                      const std::string& expected);

  House house_;
  Lesson lesson_;
  Options options_;
  Builder builder_;
  std::optional<Candidate> base_;
  std::vector<std::string> complaints_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Adds up the figures of all lessons and prints them as one block.
/// @returns whether there were any
bool print_figures(const House& house, const Manifest& manifest);

/// 12.34 -> "12.3 s"
std::string seconds_text(double seconds);

}  // namespace kit
