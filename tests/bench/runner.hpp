#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "placement.hpp"
#include "plan.hpp"
#include "progress.hpp"
#include "results.hpp"

namespace kit::bench {

/// The id of the plain server among the results.
inline constexpr const char* baseline_id = "plain";

/// Carries out a plan: round after round, in each every load, under each load every server in turn,
/// and each server between two measurements of the plain one.
class Runner {
 public:
  /// Will measure `candidates` beside the program `baseline`.
  Runner(Form form, std::vector<Candidate> candidates, std::filesystem::path baseline,
         Placement placement);

  /// Measures as many rounds as the form's time allows, one at least. What goes wrong with a server
  /// stands in `results`; what goes wrong with the kit is thrown.
  void run(Results& results);

 private:
  void round(int number, Results& results);
  bool load(const Load& load, int round, Results& results);
  Row one_measurement(const Candidate& candidate, const Load& load, int round);
  Row baseline(const Load& load, int round);
  void leave_out_what_cannot_start(Results& results);
  [[nodiscard]] bool takes_part(const Candidate& candidate, const Load& load) const;
  [[nodiscard]] int steps_a_round() const;
  [[nodiscard]] bool out_of_time() const;

  Form form_;
  std::vector<Candidate> candidates_;
  std::filesystem::path baseline_;
  Placement placement_;
  Progress progress_;
  Clock::time_point begin_ = Clock::now();
  int step_ = 0;
  bool cut_short_ = false;
  std::set<std::pair<std::string, Load>> faulty_;  // not measured again
};

}  // namespace kit::bench
